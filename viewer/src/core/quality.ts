/** What the quality gate found, in figures that a reader can use. */

import type { Language } from "./text";

export type Verdict = "pass" | "look" | "rescan";

export const FINDING_CODES = [
  "no_tissue",
  "out_of_focus",
  "missing_tissue",
  "stripes",
  "seams",
  "overexposed",
  "underexposed",
  "dim",
  "pen",
  "not_measured",
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

export interface Finding {
  readonly code: string;
  readonly severity: Verdict;
  readonly value: number | null;
  readonly threshold: number | null;
}

/** Null for a code that this version of the viewer has no words for. */
export function findingCode(code: string): FindingCode | null {
  return FINDING_CODES.find((known) => known === code) ?? null;
}

/** A measure or its limit: grey levels for stripes, else a share, with no more figures than it bears. */
export function formatMeasure(code: FindingCode, value: number, language: Language): string {
  if (code === "stripes") {
    return new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
  }
  const digits = value < 0.01 ? 2 : value < 0.1 ? 1 : 0;
  const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits });
  return share.format(value);
}

/** The value of a heat map from which on a place is sharp; 0 is a place without tissue or measure. */
export const SHARP_FROM = 128;

/** Warm from amber, just beyond the limit, to red; a breath of green where the slide is sharp. */
const AMBER = [255, 176, 0] as const;
const RED = [208, 0, 32] as const;
const BLURRED_ALPHA = [110, 170] as const;
/** Over glass, and over the darkness around light; the last value is how opaque. */
const SHARP = [0, 140, 90, 26] as const;
const SHARP_IN_DARK = [70, 220, 160, 50] as const;

export function isBlurred(value: number): boolean {
  return value > 0 && value < SHARP_FROM;
}

/** RGBA for each value of a heat map; translucent, so that the tissue stays to be seen. */
export function heatColours(
  values: Uint8Array,
  dark: boolean,
): {
  readonly blurred: Uint8ClampedArray<ArrayBuffer>;
  readonly sharp: Uint8ClampedArray<ArrayBuffer>;
} {
  const blurred = new Uint8ClampedArray(values.length * 4);
  const sharp = new Uint8ClampedArray(values.length * 4);
  values.forEach((value, index) => {
    if (isBlurred(value)) {
      const depth = (SHARP_FROM - value) / (SHARP_FROM - 1);
      const mix = (from: number, to: number): number => from + (to - from) * depth;
      blurred.set(
        [
          mix(AMBER[0], RED[0]),
          mix(AMBER[1], RED[1]),
          mix(AMBER[2], RED[2]),
          mix(BLURRED_ALPHA[0], BLURRED_ALPHA[1]),
        ],
        index * 4,
      );
    } else if (value >= SHARP_FROM) {
      sharp.set(dark ? SHARP_IN_DARK : SHARP, index * 4);
    }
  });
  return { blurred, sharp };
}
