import { useEffect, useRef, useState, type RefObject } from "react";

const STILL_MS = 1_800;

/**
 * Whether someone is at work in an element: the pointer moved over it, or a key went to it, a moment
 * ago. A pointer that merely rests there, where the sign-in button was, does not count.
 */
export function useHandsOn<T extends HTMLElement>(): [RefObject<T | null>, boolean] {
  const element = useRef<T>(null);
  const [handsOn, setHandsOn] = useState(false);

  useEffect(() => {
    const target = element.current;
    if (!target) return undefined;
    let timer: number | undefined;
    const rest = (): void => setHandsOn(false);
    const touch = (event: Event): void => {
      if (event instanceof PointerEvent && event.movementX === 0 && event.movementY === 0) return;
      setHandsOn(true);
      window.clearTimeout(timer);
      timer = window.setTimeout(rest, STILL_MS);
    };
    const leave = (): void => {
      window.clearTimeout(timer);
      rest();
    };
    target.addEventListener("pointermove", touch, { passive: true });
    target.addEventListener("keydown", touch);
    target.addEventListener("pointerleave", leave);
    return () => {
      window.clearTimeout(timer);
      target.removeEventListener("pointermove", touch);
      target.removeEventListener("keydown", touch);
      target.removeEventListener("pointerleave", leave);
    };
  }, []);

  return [element, handsOn];
}
