/** What is stored and what the coming years take: fields of a form, and quantities in words. */

import type { Language } from "./text";

export interface Prices {
  /** EUR for one TB in one month. */
  readonly warm: number;
  readonly cold: number;
}

export interface Room {
  /** TB; null where there is no such limit. */
  readonly warm: number | null;
  readonly cold: number | null;
}

/** What a laboratory does in a year, and what becomes of its slides, as the server has it. */
export interface Activity {
  readonly slides_per_day: number;
  readonly working_days_per_year: number;
  readonly mean_size_bytes: number;
  readonly growth_percent_per_year: number;
  /** Null: never. */
  readonly days_until_cold: number | null;
  readonly cold_factor: number;
  readonly warm_share: number;
  readonly retention_years: number;
  readonly copies: number;
  /** Null: nothing is said of costs. */
  readonly prices: Prices | null;
  readonly room: Room;
}

export interface Stored {
  readonly warm_bytes: number;
  readonly cold_bytes: number;
}

/** A month or a year of a forecast; what is kept and stored is so at its end. */
export interface Period extends Stored {
  readonly first_day: string;
  readonly last_day: string;
  readonly slides: number;
  readonly size_bytes: number;
  readonly destroyed_bytes: number;
  readonly kept_bytes: number;
  readonly cost: number | null;
  readonly cost_since_start: number | null;
}

export interface Forecast {
  readonly start: string;
  readonly at_start: Stored;
  readonly months: readonly Period[];
  readonly years: readonly Period[];
  readonly warm_full: string | null;
  readonly cold_full: string | null;
}

export interface StoredMonth {
  readonly month: string;
  readonly tier: "warm" | "cold";
  readonly slides: number;
  readonly size_bytes: number;
}

const GB = 1e9;
export const TB = 1e12;

/** A number that people type: its unit is what they read, not what the server keeps. */
export interface Field {
  readonly id: FieldId;
  readonly min: number;
  readonly max: number;
  readonly digits: number;
  /** May be left empty. */
  readonly optional?: boolean;
}

export type FieldId =
  | "slidesPerDay"
  | "workingDays"
  | "meanSize"
  | "growth"
  | "daysUntilCold"
  | "coldFactor"
  | "warmShare"
  | "retention"
  | "copies"
  | "priceWarm"
  | "priceCold"
  | "roomWarm"
  | "roomCold";

export const FIELD_GROUPS = [
  {
    id: "activity",
    fields: [
      { id: "slidesPerDay", min: 0, max: 100_000, digits: 1 },
      { id: "workingDays", min: 1, max: 366, digits: 0 },
      { id: "meanSize", min: 0, max: 1000, digits: 3 },
      { id: "growth", min: -90, max: 100, digits: 1 },
    ],
  },
  {
    id: "keeping",
    fields: [
      { id: "retention", min: 1 / 12, max: 100, digits: 2 },
      { id: "copies", min: 1, max: 5, digits: 0 },
      { id: "daysUntilCold", min: 0, max: 36_500, digits: 0, optional: true },
      { id: "coldFactor", min: 1, max: 100, digits: 1 },
      { id: "warmShare", min: 0, max: 100, digits: 1 },
    ],
  },
  {
    id: "prices",
    fields: [
      { id: "priceWarm", min: 0, max: 100_000, digits: 2, optional: true },
      { id: "priceCold", min: 0, max: 100_000, digits: 2, optional: true },
    ],
  },
  {
    id: "room",
    fields: [
      { id: "roomWarm", min: 0.001, max: 1e9, digits: 3, optional: true },
      { id: "roomCold", min: 0.001, max: 1e9, digits: 3, optional: true },
    ],
  },
] as const satisfies readonly { id: string; fields: readonly Field[] }[];

const FIELDS: readonly Field[] = FIELD_GROUPS.flatMap((group): readonly Field[] => group.fields);

/** What stands in the form; null for a field that is empty. */
export type Form = Readonly<Record<FieldId, number | null>>;

const tidy = (value: number, digits: number): number => Number(value.toFixed(digits));

export function formOf(activity: Activity): Form {
  return {
    slidesPerDay: activity.slides_per_day,
    workingDays: activity.working_days_per_year,
    meanSize: tidy(activity.mean_size_bytes / GB, 3),
    growth: activity.growth_percent_per_year,
    daysUntilCold: activity.days_until_cold,
    coldFactor: tidy(activity.cold_factor * 100, 1),
    warmShare: tidy(activity.warm_share * 100, 1),
    retention: tidy(activity.retention_years, 2),
    copies: activity.copies,
    priceWarm: activity.prices?.warm ?? null,
    priceCold: activity.prices?.cold ?? null,
    roomWarm: activity.room.warm,
    roomCold: activity.room.cold,
  };
}

export function isValid(field: Field, value: number | null): boolean {
  if (value === null) return field.optional === true;
  // 0.08 is what a twelfth of a year is written as.
  return value >= tidy(field.min, field.digits) && value <= field.max;
}

/** The activity that a form says; null while a field is empty or beyond its bounds. */
export function activityOf(form: Form): Activity | null {
  if (!FIELDS.every((field) => isValid(field, form[field.id]))) return null;
  const { priceWarm, priceCold } = form;
  return {
    slides_per_day: form.slidesPerDay ?? 0,
    working_days_per_year: Math.round(form.workingDays ?? 0),
    mean_size_bytes: Math.round((form.meanSize ?? 0) * GB),
    growth_percent_per_year: form.growth ?? 0,
    days_until_cold: form.daysUntilCold === null ? null : Math.round(form.daysUntilCold),
    cold_factor: tidy((form.coldFactor ?? 100) / 100, 4),
    warm_share: tidy((form.warmShare ?? 0) / 100, 4),
    retention_years: Math.max(form.retention ?? 0, 1 / 12),
    copies: Math.round(form.copies ?? 1),
    prices: pricesOf(priceWarm, priceCold, form.daysUntilCold === null),
    room: { warm: form.roomWarm, cold: form.roomCold },
  };
}

/** One price is enough where nothing becomes cold. */
function pricesOf(warm: number | null, cold: number | null, neverCold: boolean): Prices | null {
  if (warm === null) return null;
  if (cold === null) return neverCold ? { warm, cold: 0 } : null;
  return { warm, cold };
}

export function sameForm(one: Form, other: Form): boolean {
  return FIELDS.every((field) => one[field.id] === other[field.id]);
}

/** A point of the chart, at the end of a month or at the start of all. */
export interface ChartPoint {
  /** First day of the month after. */
  readonly day: string;
  readonly warm: number;
  readonly cold: number;
  /** Of the month that ends there. */
  readonly cost: number | null;
}

/** In TB, so that an axis has round numbers. */
export function chartPoints(forecast: Forecast): readonly ChartPoint[] {
  const first: ChartPoint = {
    day: forecast.start,
    warm: forecast.at_start.warm_bytes / TB,
    cold: forecast.at_start.cold_bytes / TB,
    cost: null,
  };
  const ends = forecast.months.map((month, index) => ({
    day: forecast.months[index + 1]?.first_day ?? dayAfter(month.last_day),
    warm: month.warm_bytes / TB,
    cold: month.cold_bytes / TB,
    cost: month.cost,
  }));
  return [first, ...ends];
}

function dayAfter(iso: string): string {
  const day = new Date(`${iso}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}

const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10];
const INTERVALS = 4;

/** Round values from 0 to the largest or just above: two axes of one chart then share their lines. */
export function axisTicks(largest: number): readonly number[] {
  const least = largest > 0 ? largest / INTERVALS : 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = (STEPS.find((one) => one * power >= least * (1 - 1e-9)) ?? 10) * power;
  return Array.from({ length: INTERVALS + 1 }, (_, index) => tidy(index * step, 12));
}

/** How much of what is kept has become cold, and how much has not; null where that cannot be told. */
export function byAge(activity: Activity, at: Period): { young: number; old: number } | null {
  if (activity.days_until_cold === null || activity.warm_share === 1) return null;
  const moved = at.cold_bytes / activity.copies / activity.cold_factor;
  const old = moved / (1 - activity.warm_share);
  return { young: Math.max(at.kept_bytes - old, 0), old };
}

/** What lies in each tier by month of publication, newest first. */
export interface MonthRow {
  readonly month: string;
  readonly slides: number;
  readonly warm: number;
  readonly cold: number;
}

export function monthRows(items: readonly StoredMonth[]): readonly MonthRow[] {
  const rows = new Map<string, MonthRow>();
  for (const item of items) {
    const row = rows.get(item.month) ?? { month: item.month, slides: 0, warm: 0, cold: 0 };
    rows.set(item.month, {
      ...row,
      slides: row.slides + item.slides,
      [item.tier]: row[item.tier] + item.size_bytes,
    });
  }
  return [...rows.values()].sort((a, b) => (a.month < b.month ? 1 : -1));
}

/** "October 2026", or "Oct 2026" where there is little room. */
export function formatMonth(iso: string, language: Language, short = false): string {
  return new Intl.DateTimeFormat(language === "en" ? "en-GB" : "fr-FR", {
    month: short ? "short" : "long",
    year: "numeric",
    timeZone: "UTC",
  }).format(new Date(`${iso}T00:00:00Z`));
}

/** "1 August 2026"; the first of a month is "1er" in French. */
export function formatDay(iso: string, language: Language): string {
  const text = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "fr-FR", {
    dateStyle: "long",
    timeZone: "UTC",
  }).format(new Date(`${iso}T00:00:00Z`));
  return language === "fr" ? text.replace(/^1 /, "1er ") : text;
}

/** Euros, with cents only where they matter. */
export function formatMoney(value: number, language: Language): string {
  const digits = value < 100 && value !== Math.round(value) ? 2 : 0;
  return new Intl.NumberFormat(language === "en" ? "en-GB" : "fr-FR", {
    style: "currency",
    currency: "EUR",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

export function formatNumber(value: number, language: Language, digits = 0): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

/** Bytes in TB, with three figures: tables of sums are compared line by line. */
export function formatTb(bytes: number, language: Language): string {
  const tb = bytes / TB;
  const digits = tb >= 100 ? 0 : tb >= 10 ? 1 : tb >= 0.1 || tb === 0 ? 2 : 4;
  const unit = language === "fr" ? "To" : "TB";
  return `${formatNumber(tb, language, digits)}\u00a0${unit}`;
}
