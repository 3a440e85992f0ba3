/**
 * Tiles laid on whole device pixels. Neighbours share their edges, so rounding an edge moves both of
 * them: no seam, no overlap, and at 1:1 not one image pixel mixed with the next.
 */

/** A stretch along one axis, in CSS pixels. */
export interface Stretch {
  readonly start: number;
  readonly length: number;
}

/** Round both ends of a stretch to the grid of device pixels, which may be shifted by `phase` of one. */
export function snapStretch(stretch: Stretch, devicePixelRatio: number, phase: number): Stretch {
  const snap = (css: number): number =>
    (Math.round(css * devicePixelRatio - phase) + phase) / devicePixelRatio;
  const start = snap(stretch.start);
  return { start, length: snap(stretch.start + stretch.length) - start };
}

/**
 * Where the grid lies in a picture turned about the middle of a canvas of so many device pixels: null
 * when it is turned by anything but quarters, as no grid is left then.
 */
export function gridPhase(width: number, height: number, degrees: number): number | null {
  const quarter = degrees / 90;
  if (Math.abs(quarter - Math.round(quarter)) > 1e-6) return null;
  const sideways = Math.abs(Math.round(quarter)) % 2 === 1;
  return sideways ? ((width + height) / 2) % 1 : 0;
}
