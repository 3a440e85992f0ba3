import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useMemo, useState } from "react";

import type { Slide } from "../../api/types";
import { channelsOf, lookOf, type Channel } from "../../core/channels";
import { firstPlane, planesBeside, stepPlane, type Look } from "../../core/look";
import type { SlideViewer } from "../../osd/slideViewer";

/** While a window is being dragged, tiles are asked for at this pace at most. */
const PACE_MS = 150;

export interface LookControls {
  /** Light, tinted here; else the slide has its own colours. */
  readonly tinted: boolean;
  readonly channels: readonly Channel[];
  /** The channels as the slide opened. */
  readonly first: readonly Channel[];
  readonly plane: number;
  readonly planeCount: number;
  /** What is asked for: the screen follows. */
  readonly look: Look;
  readonly setChannels: (channels: readonly Channel[]) => void;
  readonly setPlane: (plane: number) => void;
  readonly stepPlane: (steps: number) => void;
}

/** What of the slide is to be seen, as the reader sets it. */
export function useLook(slide: Slide): LookControls {
  const tinted = slide.samples === 1;
  const planeCount = slide.focal_planes_um.length;
  const first = useMemo(
    () => channelsOf(slide.optical_paths, slide.bits, tinted),
    [slide.optical_paths, slide.bits, tinted],
  );
  const [channels, setChannels] = useState(first);
  const [plane, setPlane] = useState(() => firstPlane(slide.focal_planes_um));
  const [paced] = useDebouncedValue(channels, PACE_MS, { leading: true });
  const look = useMemo(
    () => lookOf(paced, first, tinted, plane),
    [paced, first, tinted, plane],
  );
  return {
    tinted,
    channels,
    first,
    plane,
    planeCount,
    look,
    setChannels,
    setPlane,
    stepPlane: (steps) => setPlane((before) => stepPlane(before, steps, planeCount)),
  };
}

/** Keep the screen at the look asked for, and the planes beside it at hand. */
export function useShownLook(viewer: SlideViewer | null, controls: LookControls): void {
  const { look, planeCount } = controls;
  useEffect(() => {
    const beside = planesBeside(look.plane, planeCount).map((plane) => ({ ...look, plane }));
    viewer?.show(look, beside);
  }, [viewer, look, planeCount]);
}
