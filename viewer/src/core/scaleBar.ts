export interface ScaleBar {
  readonly lengthUm: number;
  /** Width on screen in CSS pixels. */
  readonly width: number;
}

/** The longest length of 1, 2 or 5 × 10ⁿ µm that fits into `maxWidth` CSS pixels. */
export function chooseScaleBar(umPerPixel: number, maxWidth: number): ScaleBar | null {
  const available = umPerPixel * maxWidth;
  if (!Number.isFinite(available) || available <= 0) return null;
  const decade = 10 ** Math.floor(Math.log10(available));
  // A hair of tolerance, so that a bar of exactly the width available is not lost to rounding.
  const step = [5, 2, 1].find((candidate) => candidate * decade <= available * (1 + 1e-9)) ?? 1;
  const lengthUm = Number((step * decade).toPrecision(1));
  return { lengthUm, width: lengthUm / umPerPixel };
}

/** Micrometres per image pixel along the horizontal of the screen, for a slide turned by `degrees`. */
export function spacingAcrossScreen(
  pixelSpacingMm: readonly [number, number],
  degrees: number,
): number {
  const [betweenRows, betweenColumns] = pixelSpacingMm;
  const angle = (degrees * Math.PI) / 180;
  return 1000 * Math.hypot(betweenColumns * Math.cos(angle), betweenRows * Math.sin(angle));
}
