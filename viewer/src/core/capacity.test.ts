import { describe, expect, it } from "vitest";

import {
  activityOf,
  axisTicks,
  byAge,
  chartPoints,
  formatDay,
  formatMoney,
  formatMonth,
  formatTb,
  formOf,
  monthRows,
  sameForm,
  type Activity,
  type Forecast,
  type Period,
} from "./capacity";

const ACTIVITY: Activity = {
  slides_per_day: 400,
  working_days_per_year: 250,
  mean_size_bytes: 1_234_000_000,
  growth_percent_per_year: 5,
  days_until_cold: 90,
  cold_factor: 0.8,
  warm_share: 0.06,
  retention_years: 20,
  copies: 2,
  prices: { warm: 20, cold: 4.5 },
  room: { warm: 100, cold: null },
};

describe("the form", () => {
  it("says what the activity says", () => {
    expect(activityOf(formOf(ACTIVITY))).toEqual(ACTIVITY);
    expect(formOf(ACTIVITY)).toMatchObject({ meanSize: 1.234, coldFactor: 80, warmShare: 6 });
  });

  it("says nothing while a field is empty or beyond its bounds", () => {
    const form = formOf(ACTIVITY);
    expect(activityOf({ ...form, slidesPerDay: null })).toBeNull();
    expect(activityOf({ ...form, copies: 6 })).toBeNull();
    expect(activityOf({ ...form, retention: 0 })).toBeNull();
    expect(activityOf({ ...form, retention: 0.08 })?.retention_years).toBeCloseTo(1 / 12);
    expect(activityOf({ ...form, roomWarm: null })?.room.warm).toBeNull();
  });

  it("has no price until both are known, or nothing becomes cold", () => {
    const form = { ...formOf(ACTIVITY), priceCold: null };
    expect(activityOf(form)?.prices).toBeNull();
    expect(activityOf({ ...form, daysUntilCold: null })?.prices).toEqual({ warm: 20, cold: 0 });
    expect(activityOf({ ...form, priceWarm: null, priceCold: 4 })?.prices).toBeNull();
  });

  it("knows whether it was changed", () => {
    const form = formOf(ACTIVITY);
    expect(sameForm(form, { ...form })).toBe(true);
    expect(sameForm(form, { ...form, growth: 6 })).toBe(false);
  });
});

describe("chart and tables", () => {
  it("go from the start to the end of the last month", () => {
    const month = (first: string, last: string, warm: number) => ({
      first_day: first,
      last_day: last,
      slides: 1,
      size_bytes: 1,
      destroyed_bytes: 0,
      kept_bytes: 1,
      cost: 5,
      cost_since_start: 5,
      warm_bytes: warm,
      cold_bytes: 0,
    });
    const forecast: Forecast = {
      start: "2026-11-01",
      at_start: { warm_bytes: 1e12, cold_bytes: 0 },
      months: [month("2026-11-01", "2026-11-30", 2e12), month("2026-12-01", "2026-12-31", 3e12)],
      years: [],
      warm_full: null,
      cold_full: null,
    };
    expect(chartPoints(forecast).map((point) => [point.day, point.warm, point.cost])).toEqual([
      ["2026-11-01", 1, null],
      ["2026-12-01", 2, 5],
      ["2027-01-01", 3, 5],
    ]);
  });

  it("has round values on its axes", () => {
    expect(axisTicks(564)).toEqual([0, 150, 300, 450, 600]);
    expect(axisTicks(3267)).toEqual([0, 1000, 2000, 3000, 4000]);
    expect(axisTicks(4)).toEqual([0, 1, 2, 3, 4]);
    expect(axisTicks(0.0003)).toEqual([0, 0.000075, 0.00015, 0.000225, 0.0003]);
    expect(axisTicks(0)).toEqual([0, 1, 2, 3, 4]);
    for (const largest of [0.7, 1e-7, 999, 1e9]) expect(axisTicks(largest).at(-1)).toBeGreaterThanOrEqual(largest);
  });

  it("know what has become cold", () => {
    const end = { kept_bytes: 1000, warm_bytes: 2 * (400 + 36), cold_bytes: 2 * 600 * 0.94 * 0.8 };
    const found = byAge(ACTIVITY, { ...end } as Period);
    expect(found?.old).toBeCloseTo(600);
    expect(found?.young).toBeCloseTo(400);
    expect(byAge({ ...ACTIVITY, warm_share: 1 }, end as Period)).toBeNull();
    expect(byAge({ ...ACTIVITY, days_until_cold: null }, end as Period)).toBeNull();
  });

  it("bring the tiers of a month together, newest first", () => {
    expect(
      monthRows([
        { month: "2026-09-01", tier: "warm", slides: 0, size_bytes: 3 },
        { month: "2026-09-01", tier: "cold", slides: 9, size_bytes: 70 },
        { month: "2026-10-01", tier: "warm", slides: 4, size_bytes: 40 },
      ]),
    ).toEqual([
      { month: "2026-10-01", slides: 4, warm: 40, cold: 0 },
      { month: "2026-09-01", slides: 9, warm: 3, cold: 70 },
    ]);
  });
});

describe("quantities", () => {
  it("speak French and English", () => {
    expect(formatTb(12_345_000_000_000, "en")).toBe("12.3\u00a0TB");
    expect(formatTb(1_500_000_000_000, "fr")).toBe("1,5\u00a0To");
    expect(formatTb(4_000_000_000, "en")).toBe("0.004\u00a0TB");
    expect(formatMoney(12_345.6, "en")).toBe("€12,346");
    expect(formatMoney(4.5, "fr")).toBe("4,50\u00a0€");
    expect(formatMonth("2026-10-01", "fr")).toBe("octobre 2026");
    expect(formatMonth("2026-10-01", "en", true)).toBe("Oct 2026");
    expect(formatDay("2026-08-01", "en")).toBe("1 August 2026");
    expect(formatDay("2026-08-01", "fr")).toBe("1er août 2026");
    expect(formatDay("2026-08-11", "fr")).toBe("11 août 2026");
  });
});
