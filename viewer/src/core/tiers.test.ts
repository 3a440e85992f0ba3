import { describe, expect, it } from "vitest";

import { durationOf, finestWarm, hoursUntil, isSound, sameRules, type Rules } from "./tiers";

const RULES: Rules = {
  version: 1,
  active: false,
  rules: [{ after_days: 90, event: "last_viewed", to: "cold" }],
  warm_side: 8192,
  slides_per_day: 500,
  restored_days: 30,
  warm_price: null,
  cold_price: null,
};

describe("tiers", () => {
  it("ask for nothing finer than what is warm", () => {
    expect(finestWarm([])).toBe(0);
    expect(finestWarm([0])).toBe(1);
    expect(finestWarm([1, 0, 2])).toBe(3);
  });

  it("tell sound rules from others", () => {
    expect(isSound(RULES)).toBe(true);
    expect(isSound({ ...RULES, rules: [] })).toBe(true);
    expect(isSound({ ...RULES, rules: [{ after_days: 0, event: "published", to: "cold" }] })).toBe(false);
    expect(isSound({ ...RULES, rules: [{ after_days: 1.5, event: "published", to: "cold" }] })).toBe(false);
    expect(isSound({ ...RULES, warm_side: 100 })).toBe(false);
    expect(isSound({ ...RULES, slides_per_day: 0 })).toBe(false);
  });

  it("see what changed", () => {
    expect(sameRules(RULES, { ...RULES })).toBe(true);
    expect(sameRules(RULES, { ...RULES, active: true })).toBe(false);
    expect(sameRules(RULES, { ...RULES, rules: [] })).toBe(false);
  });

  it("say durations honestly: never less than it takes", () => {
    expect(durationOf(0)).toEqual({ unit: "minutes", count: 1 });
    expect(durationOf(0.26)).toEqual({ unit: "minutes", count: 16 });
    expect(durationOf(1)).toEqual({ unit: "hours", count: 1 });
    expect(durationOf(12.2)).toEqual({ unit: "hours", count: 13 });
    expect(durationOf(49)).toEqual({ unit: "days", count: 3 });
  });

  it("count no hours that are past", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(hoursUntil("2026-01-01T06:00:00Z", now)).toBe(6);
    expect(hoursUntil("2025-12-31T06:00:00Z", now)).toBe(0);
  });
});
