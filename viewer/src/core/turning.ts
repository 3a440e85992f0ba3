/** A picture that is turned and enlarged: how it lies in its frame. */

export interface Turned {
  /** 0, 90, 180 or 270 degrees, clockwise. */
  readonly degrees: number;
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export const UPRIGHT: Turned = { degrees: 0, scale: 1, x: 0, y: 0 };

const SMALLEST = 1;
const LARGEST = 8;

export function turnBy(view: Turned, degrees: number): Turned {
  return { ...view, degrees: (((view.degrees + degrees) % 360) + 360) % 360 };
}

/** Larger or smaller about the middle; at its smallest the picture is whole and in its place. */
export function scaleBy(view: Turned, factor: number): Turned {
  const scale = Math.min(LARGEST, Math.max(SMALLEST, view.scale * factor));
  if (scale === SMALLEST) return { ...view, scale, x: 0, y: 0 };
  const ratio = scale / view.scale;
  return { ...view, scale, x: view.x * ratio, y: view.y * ratio };
}

/** Moved by pixels of the screen, never so far that the picture leaves its frame altogether. */
export function moveBy(view: Turned, x: number, y: number, width: number, height: number): Turned {
  if (view.scale === SMALLEST) return view;
  const hold = (value: number, size: number): number => {
    const most = (size * (view.scale - 1)) / 2;
    return Math.min(most, Math.max(-most, value));
  };
  return { ...view, x: hold(view.x + x, width), y: hold(view.y + y, height) };
}
