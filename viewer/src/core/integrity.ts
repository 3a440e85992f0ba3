/** What to make of the figures of integrity. */

export type Soundness = "empty" | "sound" | "unproved" | "damaged";

interface Figures {
  readonly slides: number;
  readonly never_verified: number;
  readonly open: number;
}

/** Damage before all else; a slide that was never read again is not called sound. */
export function soundnessOf(figures: Figures): Soundness {
  if (figures.open > 0) return "damaged";
  if (figures.slides === 0) return "empty";
  return figures.never_verified > 0 ? "unproved" : "sound";
}

/** Whether one pass at the pace that is set takes longer than it may. */
export function isTooSlow(pass: number | null, period: number): boolean {
  return pass === null || pass > period;
}

/** An object's name below its slide's folder: the folder is the slide's own id. */
export function shortName(key: string): string {
  const [, , ...rest] = key.split("/");
  return rest.join("/") || key;
}
