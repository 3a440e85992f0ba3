/** The optical paths of a slide as one sets them: shown or not, in which colour, between which samples. */

import type { Colour, Layer, Look, Window } from "./look";

interface OpticalPath {
  readonly name: string | null;
  readonly illumination: string;
  readonly colour: Colour | null;
  readonly excitation_nm: number | null;
  readonly emission_nm: number | null;
  readonly window: Window | null;
}

export interface Channel {
  readonly path: number;
  readonly shown: boolean;
  readonly colour: Colour;
  readonly window: Window;
}

/** For paths whose file names no colour; the nuclear stain, usually first, in blue. */
const COLOURS: readonly Colour[] = [
  [0, 96, 255],
  [0, 255, 0],
  [255, 0, 0],
  [255, 0, 255],
  [0, 255, 255],
  [255, 255, 0],
  [255, 128, 0],
  [255, 255, 255],
];
const WHITE: Colour = [255, 255, 255];
/** More at once are a carnival, not a picture. */
const MOST_AT_FIRST = COLOURS.length;

export function largestSample(bits: number): number {
  return 2 ** bits - 1;
}

/** The channels of a slide as it opens; of one in true colours, which shows one path, only the first. */
export function channelsOf(
  paths: readonly OpticalPath[],
  bits: number,
  tinted: boolean,
): readonly Channel[] {
  return paths.map(({ colour, window }, path) => ({
    path,
    shown: tinted ? path < MOST_AT_FIRST : path === 0,
    colour: colour ?? (paths.length === 1 ? WHITE : (COLOURS[path % COLOURS.length] ?? WHITE)),
    window: window ?? [0, largestSample(bits)],
  }));
}

/** What the channels make, at one focal plane. */
export function lookOf(
  channels: readonly Channel[],
  first: readonly Channel[],
  tinted: boolean,
  plane: number,
): Look {
  const layers = channels
    .filter(({ shown }) => shown)
    .map(({ path, colour, window }): Layer => {
      if (!tinted) return { path, window: null, colour: null };
      const start = first[path]?.window;
      const asAtFirst = start?.[0] === window[0] && start[1] === window[1];
      return { path, window: asAtFirst ? null : window, colour };
    });
  return { plane, tinted, layers };
}

export function withChannel(
  channels: readonly Channel[],
  path: number,
  change: Partial<Channel>,
): readonly Channel[] {
  return channels.map((channel) => (channel.path === path ? { ...channel, ...change } : channel));
}

/** Only that one; or all of them again where only that one was shown. */
export function soloChannel(channels: readonly Channel[], path: number): readonly Channel[] {
  const alone = channels.every((channel) => channel.shown === (channel.path === path));
  return channels.map((channel) => ({ ...channel, shown: alone || channel.path === path }));
}

/** "#0060ff", as a colour field has it. */
export function hexOf(colour: Colour): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

export function parseHex(hex: string): Colour | null {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  if (!match) return null;
  const [red = 0, green = 0, blue = 0] = match.slice(1).map((part) => Number.parseInt(part, 16));
  return [red, green, blue];
}

/** Steps of a slider for windows. */
export const SLIDER_STEPS = 1000;

/**
 * Of sixteen bits of light a slide often fills the lowest twentieth, so the slider's steps widen upwards:
 * with the square up to 12 bits, with the cube beyond.
 */
function bend(bits: number): number {
  return bits <= 12 ? 2 : 3;
}

/** The sample at a place of the slider, 0 to SLIDER_STEPS. */
export function sampleAt(place: number, bits: number): number {
  return Math.round(largestSample(bits) * (place / SLIDER_STEPS) ** bend(bits));
}

/** The place of a sample on the slider. */
export function placeOf(sample: number, bits: number): number {
  return Math.round(SLIDER_STEPS * (sample / largestSample(bits)) ** (1 / bend(bits)));
}

/** A window with one end moved; the other gives way, so that some light always lies between. */
export function movedWindow(
  window: Window,
  end: "low" | "high",
  sample: number,
  bits: number,
): Window {
  const largest = largestSample(bits);
  if (end === "low") {
    const low = Math.max(0, Math.min(largest - 1, sample));
    return [low, Math.max(window[1], low + 1)];
  }
  const high = Math.max(1, Math.min(largest, sample));
  return [Math.min(window[0], high - 1), high];
}
