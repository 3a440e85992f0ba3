import { useEffect, useRef } from "react";

import { digitOfKey, presetForKey, type Preset } from "../../core/magnification";
import type { SlideViewer } from "../../osd/slideViewer";

export interface KeyActions {
  readonly toggleFullScreen: () => void;
  readonly togglePanel: () => void;
  readonly toggleChannels: () => void;
  readonly toggleFocusMap: () => void;
  readonly stepFocus: (steps: number) => void;
  readonly toggleHelp: () => void;
}

const STEP = 0.12;
const LARGE_STEP = 0.5;
const ZOOM_STEP = 1.5;

/**
 * Digits and the plus and minus keys count by their place on the keyboard, so that they work unshifted
 * on French keyboards too; letters count by what is printed on them.
 */
function act(
  event: KeyboardEvent,
  viewer: SlideViewer,
  presets: readonly Preset[],
  actions: KeyActions,
): boolean {
  const digit = digitOfKey(event.code);
  if (digit === 0) {
    viewer.goHome();
    return true;
  }
  const preset = digit === null ? undefined : presetForKey(presets, digit);
  if (preset) {
    viewer.zoomTo(preset.zoom);
    return true;
  }
  if (digit !== null) return false;
  switch (event.code) {
    case "Equal":
    case "NumpadAdd":
      viewer.zoomBy(ZOOM_STEP);
      return true;
    case "Minus":
    case "NumpadSubtract":
      viewer.zoomBy(1 / ZOOM_STEP);
      return true;
  }
  const step = event.shiftKey ? LARGE_STEP : STEP;
  const turn = event.shiftKey ? -1 : 1;
  switch (event.key.toLowerCase()) {
    case "arrowleft":
      viewer.pan(-step, 0);
      return true;
    case "arrowright":
      viewer.pan(step, 0);
      return true;
    case "arrowup":
      viewer.pan(0, -step);
      return true;
    case "arrowdown":
      viewer.pan(0, step);
      return true;
    case "+":
      viewer.zoomBy(ZOOM_STEP);
      return true;
    case "-":
      viewer.zoomBy(1 / ZOOM_STEP);
      return true;
    case "r":
      viewer.rotateBy(90 * turn);
      return true;
    case "t":
      viewer.rotateBy(15 * turn);
      return true;
    case "m":
      viewer.toggleMirror();
      return true;
    case "f":
      actions.toggleFullScreen();
      return true;
    case "c":
      actions.toggleChannels();
      return true;
    case "q":
      actions.toggleFocusMap();
      return true;
    // The key beside the comma is the full stop or, on French keyboards, the semicolon.
    case "pageup":
    case ".":
    case ";":
      actions.stepFocus(1);
      return true;
    case "pagedown":
    case ",":
      actions.stepFocus(-1);
      return true;
    case "i":
      actions.togglePanel();
      return true;
    case "?":
    case "h":
      actions.toggleHelp();
      return true;
  }
  return false;
}

/** Keys that a slider needs for itself. */
const OF_SLIDERS = /^(?:Arrow|Page|Home|End)/;

function belongsElsewhere(event: KeyboardEvent): boolean {
  const target = event.target instanceof HTMLElement ? event.target : null;
  const field = target?.closest("input, textarea, select, [role=dialog]");
  if (!field) return false;
  const isSlider = field instanceof HTMLInputElement && /^(?:range|color|radio)$/.test(field.type);
  return !isSlider || OF_SLIDERS.test(event.key);
}

/** Drive the viewer from the keyboard, wherever the focus is, unless someone is typing or a dialogue is open. */
export function useKeys(
  viewer: SlideViewer | null,
  presets: readonly Preset[],
  actions: KeyActions,
): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    if (!viewer) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (belongsElsewhere(event)) return;
      if (act(event, viewer, presets, latest.current)) event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [viewer, presets]);
}
