import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, useSyncExternalStore, type RefObject } from "react";

import { tileAddress } from "../../api/client";
import { forgetSession } from "../../api/queries";
import type { Slide } from "../../api/types";
import type { Look } from "../../core/look";
import type { LevelShape } from "../../core/pyramid";
import { finestWarm } from "../../core/tiers";
import { SlideViewer, type View } from "../../osd/slideViewer";

declare global {
  interface Window {
    /** OpenSeadragon's viewer of the slide on screen, to look at in tests; nothing here depends on it. */
    sgiViewer?: SlideViewer["osd"] | undefined;
  }
}

const nothing = (): (() => void) => () => undefined;

export function useSlideViewer(
  slide: Slide,
  pyramid: readonly LevelShape[],
  mppUm: number | null,
  look: Look,
): { element: RefObject<HTMLDivElement | null>; viewer: SlideViewer | null; view: View | null } {
  const element = useRef<HTMLDivElement>(null);
  const [viewer, setViewer] = useState<SlideViewer | null>(null);
  const client = useQueryClient();
  // What it opens with; from then on it is told.
  const opening = useRef(look);
  const finest = finestWarm(slide.tiers.cold_levels);
  const finestAtFirst = useRef(finest);
  useEffect(() => {
    opening.current = look;
    finestAtFirst.current = finest;
  });

  useEffect(() => {
    if (!element.current) return undefined;
    const created = new SlideViewer({
      element: element.current,
      pyramid,
      mppUm,
      look: opening.current,
      finest: finestAtFirst.current,
      onCold: () => void client.invalidateQueries({ queryKey: ["slide", slide.id] }),
      tileAddress: (...place) => tileAddress(slide.id, ...place),
      onUnauthorized: () => forgetSession(client),
      reducedMotion: matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
    setViewer(created);
    window.sgiViewer = created.osd;
    return () => {
      window.sgiViewer = undefined;
      setViewer(null);
      created.destroy();
    };
  }, [slide.id, pyramid, mppUm, client]);

  useEffect(() => viewer?.setFinest(finest), [viewer, finest]);

  const view = useSyncExternalStore(viewer?.subscribe ?? nothing, () => viewer?.view() ?? null);
  return { element, viewer, view };
}
