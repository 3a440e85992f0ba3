/**
 * What of a slide is on the screen: the height that is in focus and, of its optical paths, either one in
 * its own colours or several of light, each tinted and all added up.
 */

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];
/** The samples that are shown black and full. */
export type Window = readonly [low: number, high: number];

export interface Layer {
  /** Index of the optical path. */
  readonly path: number;
  /** Null for the one that the server starts with. */
  readonly window: Window | null;
  /** Null for a path of true colours. */
  readonly colour: Colour | null;
}

export interface Look {
  /** Index of the focal plane. */
  readonly plane: number;
  /** True where the layers are light to be tinted and added; none of them is then darkness. */
  readonly tinted: boolean;
  readonly layers: readonly Layer[];
}

/** What tells two looks apart. */
export function lookKey(look: Look): string {
  const layers = look.layers.map(
    ({ path, window, colour }) => `${path}:${window?.join("-") ?? ""}:${colour?.join(",") ?? ""}`,
  );
  return `${look.plane} ${layers.join(" ")}`;
}

/** What a tile's address says beyond its place; the first path and plane need no saying. */
export function tileQuery(plane: number, layer: Layer): string {
  const said: string[] = [];
  if (layer.path > 0) said.push(`path=${layer.path}`);
  if (plane > 0) said.push(`plane=${plane}`);
  if (layer.window) said.push(`window=${layer.window[0]}-${layer.window[1]}`);
  return said.length > 0 ? `?${said.join("&")}` : "";
}

/**
 * The plane to open a slide at: the one at height 0 where planes lie on both sides of it, as then the
 * scanner counted from its own focus; else the middle one.
 */
export function firstPlane(heightsUm: readonly number[]): number {
  const last = heightsUm.length - 1;
  const lowest = heightsUm[0] ?? 0;
  const highest = heightsUm[last] ?? 0;
  if (lowest >= 0 || highest <= 0) return Math.max(0, Math.floor(last / 2));
  const distances = heightsUm.map(Math.abs);
  return distances.indexOf(Math.min(...distances));
}

/** The plane reached by turning the focus by `steps`; the ends hold. */
export function stepPlane(plane: number, steps: number, count: number): number {
  return Math.max(0, Math.min(count - 1, plane + steps));
}

/** The planes to fetch ahead: the nearest on either side. */
export function planesBeside(plane: number, count: number): number[] {
  return [plane + 1, plane - 1].filter((beside) => beside >= 0 && beside < count);
}

/**
 * Whole steps out of turns of a wheel, whose notches are 100 pixels on one machine and come in slivers
 * on another. What is left over is kept for the next turn, unless it goes the other way.
 */
export function wheelSteps(left: number, delta: number, notch = 80): { steps: number; left: number } {
  const together = Math.sign(left) === -Math.sign(delta) ? delta : left + delta;
  const steps = Math.trunc(together / notch);
  // One notch is one step, however far a lively mouse says that it went.
  const taken = Math.max(-1, Math.min(1, steps));
  return { steps: taken, left: steps === 0 ? together : 0 };
}
