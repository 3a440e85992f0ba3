import type { Colour } from "./look";

export interface Light {
  /** One value for each pixel, 0 dark to 255 full. */
  readonly grey: Uint8Array;
  readonly colour: Colour;
}

/**
 * Light tinted and added up as on the retina: each value times its colour, summed, rounded, and cut off
 * where it would be more than the screen can show. Opaque RGBA; the same sums as the server's thumbnail.
 */
export function addLights(lights: readonly Light[], pixels: number): Uint8ClampedArray<ArrayBuffer> {
  const sums = new Uint32Array(pixels * 3);
  for (const { grey, colour } of lights) {
    const [red, green, blue] = colour;
    for (let pixel = 0, at = 0; pixel < pixels; pixel += 1, at += 3) {
      const value = grey[pixel] ?? 0;
      if (value === 0) continue;
      sums[at] = (sums[at] ?? 0) + value * red;
      sums[at + 1] = (sums[at + 1] ?? 0) + value * green;
      sums[at + 2] = (sums[at + 2] ?? 0) + value * blue;
    }
  }
  const shown = new Uint8ClampedArray(pixels * 4);
  for (let pixel = 0, at = 0, to = 0; pixel < pixels; pixel += 1, at += 3, to += 4) {
    shown[to] = ((sums[at] ?? 0) + 127) / 255 | 0;
    shown[to + 1] = ((sums[at + 1] ?? 0) + 127) / 255 | 0;
    shown[to + 2] = ((sums[at + 2] ?? 0) + 127) / 255 | 0;
    shown[to + 3] = 255;
  }
  return shown;
}

/** The first channel of RGBA pixels that are grey. */
export function greyOf(rgba: Uint8ClampedArray): Uint8Array<ArrayBuffer> {
  const grey = new Uint8Array(rgba.length / 4);
  for (let pixel = 0, from = 0; pixel < grey.length; pixel += 1, from += 4) {
    grey[pixel] = rgba[from] ?? 0;
  }
  return grey;
}
