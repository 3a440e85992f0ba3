/** What the arrivals panel shows and for how long: pure, so that "nothing jumps" can be tested. */

export type ArrivalState =
  | "waiting"
  | "queued"
  | "converting"
  | "verifying"
  | "published"
  | "duplicate"
  | "retrying"
  | "held"
  | "quarantined"
  | "vanished";

export type ArrivalTone = "idle" | "busy" | "done" | "trouble" | "failed";

const TONES: Record<ArrivalState, ArrivalTone> = {
  waiting: "idle",
  queued: "idle",
  converting: "busy",
  verifying: "busy",
  published: "done",
  duplicate: "done",
  retrying: "trouble",
  held: "trouble",
  quarantined: "failed",
  vanished: "idle",
};

/** How long a row stays after its arrival has ended, in milliseconds; null for states that have not. */
const LINGER_MS: Record<ArrivalState, number | null> = {
  waiting: null,
  queued: null,
  converting: null,
  verifying: null,
  published: 6_000,
  duplicate: 30_000,
  retrying: null,
  held: null,
  quarantined: null,
  vanished: 30_000,
};

/** The time a leaving row takes to close. */
export const LEAVE_MS = 450;

export function toneOf(state: ArrivalState): ArrivalTone {
  return TONES[state] ?? "idle";
}

export function hasEnded(state: ArrivalState): boolean {
  return LINGER_MS[state] != null;
}

export function canRetry(state: ArrivalState): boolean {
  return state === "held" || state === "quarantined";
}

/** Whether a person has to do something. */
export function needsPerson(state: ArrivalState): boolean {
  return canRetry(state);
}

export type Phase = "shown" | "leaving" | "gone";

/** Where a row is in its life, `sinceMs` after its arrival was seen to end. */
export function phaseOf(state: ArrivalState, sinceMs: number): Phase {
  const linger = LINGER_MS[state];
  if (linger == null) return "shown";
  if (sinceMs < linger) return "shown";
  return sinceMs < linger + LEAVE_MS ? "leaving" : "gone";
}

/**
 * The order to show. While `held` (a hand is on the list) every row keeps its place, those that have
 * gone leave theirs empty, and new ones wait at the end; otherwise it is simply what is wanted.
 */
export function steadyOrder(
  shown: readonly string[],
  wanted: readonly string[],
  held: boolean,
): string[] {
  if (!held) return [...wanted];
  const present = new Set(shown);
  return [...shown, ...wanted.filter((id) => !present.has(id))];
}
