/**
 * Magnification as a pathologist means it: the objective that would show the same detail.
 *
 * By convention 0.25 µm per pixel is 40×, so a slide of `mppUm` micrometres per pixel is natively
 * 10 / mppUm. One image pixel on one *device* pixel is that native magnification ("1:1"): on a screen
 * with two device pixels for each CSS pixel, an image pixel is then half a CSS pixel wide, and every
 * scanned pixel is shown once, neither blurred nor doubled. `devicePixelsPerImagePixel` is the zoom.
 */

export const OBJECTIVES = [1.25, 2.5, 5, 10, 20, 40] as const;

/** For slides of unknown scale: image pixels per device pixel. */
export const PIXEL_RATIOS = [32, 16, 8, 4, 2] as const;

/** Micrometres per pixel from DICOM's spacing [between rows, between columns] in millimetres. */
export function mppOf(pixelSpacingMm: readonly [number, number] | null): number | null {
  if (!pixelSpacingMm) return null;
  const [betweenRows, betweenColumns] = pixelSpacingMm;
  const mppUm = ((betweenRows + betweenColumns) / 2) * 1000;
  return Number.isFinite(mppUm) && mppUm > 0 ? mppUm : null;
}

export function nativeMagnification(mppUm: number): number {
  return 10 / mppUm;
}

export function magnificationAt(mppUm: number, devicePixelsPerImagePixel: number): number {
  return nativeMagnification(mppUm) * devicePixelsPerImagePixel;
}

export function zoomForMagnification(mppUm: number, magnification: number): number {
  return magnification / nativeMagnification(mppUm);
}

export interface Preset {
  /** The digit key that chooses it. */
  readonly key: number;
  readonly kind: "objective" | "ratio" | "native";
  /** The objective for "objective", image pixels per device pixel for "ratio", 1 for "native". */
  readonly value: number;
  /** Device pixels per image pixel. */
  readonly zoom: number;
  /** The scan holds no more detail than at this zoom: going there only enlarges its pixels. */
  readonly beyondScan: boolean;
}

/** What keys 1 to 7 choose: objectives and 1:1, or pixel ratios when the slide has no scale. */
export function presetsFor(mppUm: number | null): Preset[] {
  const native: Preset = { key: 7, kind: "native", value: 1, zoom: 1, beyondScan: false };
  if (mppUm === null) {
    const ratios = PIXEL_RATIOS.map((value, index): Preset => {
      return { key: index + 1, kind: "ratio", value, zoom: 1 / value, beyondScan: false };
    });
    return [...ratios, native];
  }
  const objectives = OBJECTIVES.map((value, index): Preset => {
    const zoom = zoomForMagnification(mppUm, value);
    return { key: index + 1, kind: "objective", value, zoom, beyondScan: zoom > 1.1 };
  });
  return [...objectives, native];
}

/** The preset a digit key stands for, if there is one. */
export function presetForKey(presets: readonly Preset[], key: number): Preset | undefined {
  return presets.find((preset) => preset.key === key);
}

/** Whether a zoom is that preset's; close enough to tell 20× from the 20.04× of a 0.499 µm scan. */
export function isAtPreset(preset: Preset, zoom: number): boolean {
  return Math.abs(zoom / preset.zoom - 1) < 0.0005;
}

/**
 * The digit of a key press. The physical key counts, not the character: on a French keyboard the upper
 * row writes & é " ' ( - è unless Shift is held.
 */
export function digitOfKey(code: string): number | null {
  const match = /^(?:Digit|Numpad)([0-9])$/.exec(code);
  return match ? Number(match[1]) : null;
}

/** How far one may zoom out, as a part of the zoom that fits the whole slide: far enough for every preset. */
export function smallestFit(presets: readonly Preset[], fittingZoom: number): number {
  const lowest = Math.min(...presets.map((preset) => preset.zoom));
  return Math.max(0.02, Math.min(0.5, (lowest / fittingZoom) * 0.75));
}

/** How far one may zoom in: four device pixels for each scanned one, or 40× where that is more. */
export function maxZoom(mppUm: number | null): number {
  return Math.max(4, mppUm === null ? 4 : zoomForMagnification(mppUm, 40));
}
