/** Rules for the tiers, and how far a restore has come: no screen, no server. */

export type TierEvent = "published" | "last_viewed" | "signed_out";

export interface Rule {
  readonly after_days: number;
  readonly event: TierEvent;
  readonly to: "cold";
}

export interface Rules {
  readonly version: 1;
  readonly active: boolean;
  readonly rules: readonly Rule[];
  readonly warm_side: number;
  readonly slides_per_day: number;
  readonly restored_days: number;
  /** Of a terabyte a month; null where it is not known. */
  readonly warm_price: number | null;
  readonly cold_price: number | null;
}

export const MOST_RULES = 8;
export const LONGEST_DAYS = 36_500;

/** The finest level that may be asked for: those below it lie in cold storage. */
export function finestWarm(coldLevels: readonly number[]): number {
  return coldLevels.length === 0 ? 0 : Math.max(...coldLevels) + 1;
}

export function isSound(rules: Rules): boolean {
  const whole = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  return (
    rules.rules.length <= MOST_RULES &&
    rules.rules.every((rule) => whole(rule.after_days, 1, LONGEST_DAYS)) &&
    whole(rules.warm_side, 256, 1 << 20) &&
    whole(rules.slides_per_day, 1, 100_000) &&
    whole(rules.restored_days, 0, 3650)
  );
}

export function sameRules(one: Rules, other: Rules): boolean {
  return JSON.stringify(ordered(one)) === JSON.stringify(ordered(other));
}

function ordered(rules: Rules): unknown {
  return [
    rules.active,
    rules.rules.map((rule) => [rule.after_days, rule.event, rule.to]),
    rules.warm_side,
    rules.slides_per_day,
    rules.restored_days,
    rules.warm_price,
    rules.cold_price,
  ];
}

/** How long something takes, in the largest unit that says it honestly. */
export function durationOf(hours: number): { unit: "minutes" | "hours" | "days"; count: number } {
  if (hours < 1) return { unit: "minutes", count: Math.max(1, Math.ceil(hours * 60)) };
  if (hours <= 48) return { unit: "hours", count: Math.ceil(hours) };
  return { unit: "days", count: Math.ceil(hours / 24) };
}

/** Hours from one moment to another; 0 where it is past. */
export function hoursUntil(iso: string, now: number): number {
  return Math.max(0, (Date.parse(iso) - now) / 3_600_000);
}
