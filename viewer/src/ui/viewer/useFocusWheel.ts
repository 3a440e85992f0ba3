import { useEffect, useRef, type RefObject } from "react";

import { wheelSteps } from "../../core/look";

/** A line of a wheel that counts in lines, in pixels. */
const LINE = 40;

/**
 * Ctrl and the wheel turn the focus, as the fine drive of a microscope does. A pinch on a touchpad comes
 * as a wheel with Ctrl too, though nobody holds the key: that one zooms, as ever.
 */
export function useFocusWheel(
  field: RefObject<HTMLElement | null>,
  enabled: boolean,
  onStep: (steps: number) => void,
): void {
  const latest = useRef(onStep);
  useEffect(() => {
    latest.current = onStep;
  });
  useEffect(() => {
    const element = field.current;
    if (!enabled || !element) return undefined;
    let held = false;
    let left = 0;
    const onKey = (event: KeyboardEvent): void => {
      held = event.ctrlKey;
    };
    const onBlur = (): void => {
      held = false;
    };
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey || !held) return;
      event.preventDefault();
      event.stopPropagation();
      const delta = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * LINE : event.deltaY;
      const turned = wheelSteps(left, -delta);
      left = turned.left;
      if (turned.steps !== 0) latest.current(turned.steps);
    };
    window.addEventListener("keydown", onKey);
    window.addEventListener("keyup", onKey);
    window.addEventListener("blur", onBlur);
    element.addEventListener("wheel", onWheel, { passive: false, capture: true });
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener("keyup", onKey);
      window.removeEventListener("blur", onBlur);
      element.removeEventListener("wheel", onWheel, { capture: true });
    };
  }, [field, enabled]);
}
