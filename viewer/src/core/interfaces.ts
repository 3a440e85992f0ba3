/** What came of messages, in codes that the screens have words for. */

/** Health that asks for nothing; whatever this version does not know does. */
export function isWell(health: string): boolean {
  return health === "well";
}

export type OutcomeTone = "good" | "plain" | "bad";

export function toneOfOutcome(outcome: string): OutcomeTone {
  if (outcome === "refused") return "bad";
  return outcome === "applied" || outcome === "accepted" ? "good" : "plain";
}

export interface SummedChange {
  readonly what: string;
  readonly count: number;
}

/** What changed, each kind once, in the order told: "glass.new" twice is one line of two. */
export function sumChanges(changes: readonly { readonly what: string }[]): readonly SummedChange[] {
  const counts = new Map<string, number>();
  for (const { what } of changes) counts.set(what, (counts.get(what) ?? 0) + 1);
  return [...counts].map(([what, count]) => ({ what, count }));
}
