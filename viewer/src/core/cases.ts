/** Cases as worklists and the case page show them: pure, so that clocks and orders can be tested. */

import type { Language } from "./text";

const NBSP = "\u00a0";
const MINUTE_MS = 60_000;

export type CaseState =
  | "received"
  | "in_progress"
  | "ready"
  | "reading"
  | "reported"
  | "signed_out"
  | "cancelled";

export type Priority = "S" | "A" | "R";

/** What can still be late. */
export function isOpen(state: CaseState): boolean {
  return state !== "signed_out" && state !== "cancelled";
}

export type DueTone = "late" | "soon" | "later";

export interface Due {
  readonly tone: DueTone;
  /** To go, or past; never below 0. */
  readonly minutes: number;
}

/** The share of the time given that is called "soon" when it is all that is left. */
const SOON_SHARE = 0.25;

/** How a case stands against its due time; null where there is none or it no longer counts. */
export function dueOf(
  state: CaseState,
  receivedAt: string | null,
  dueAt: string | null,
  now: number,
): Due | null {
  if (dueAt === null || !isOpen(state)) return null;
  const due = Date.parse(dueAt);
  if (Number.isNaN(due)) return null;
  const minutes = Math.floor(Math.abs(due - now) / MINUTE_MS);
  if (now > due) return { tone: "late", minutes };
  const given = receivedAt === null ? Number.NaN : due - Date.parse(receivedAt);
  const soon = given > 0 ? due - now <= given * SOON_SHARE : due - now <= 60 * MINUTE_MS;
  return { tone: soon ? "soon" : "later", minutes };
}

/** "25 min", "3 h 10", "4 j 6 h": two units at most. */
export function formatSpan(minutes: number, language: Language): string {
  const [day, hour] = language === "fr" ? ["j", "h"] : ["d", "h"];
  if (minutes < 60) return `${minutes}${NBSP}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    const rest = minutes % 60;
    return rest === 0 ? `${hours}${NBSP}${hour}` : `${hours}${NBSP}${hour}${NBSP}${String(rest).padStart(2, "0")}`;
  }
  const days = Math.floor(hours / 24);
  const rest = hours % 24;
  return rest === 0 || days >= 10
    ? `${days}${NBSP}${day}`
    : `${days}${NBSP}${day}${NBSP}${rest}${NBSP}${hour}`;
}

/** The clock of a frozen section, "07:42" or "1:07:42", since the laboratory has it. */
export function formatClock(since: string, now: number): string | null {
  const began = Date.parse(since);
  if (Number.isNaN(began)) return null;
  const seconds = Math.max(0, Math.floor((now - began) / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** "1000+" where the server stopped counting. */
export function formatCount(count: number, capped: boolean, language: Language): string {
  return `${new Intl.NumberFormat(language).format(count)}${capped ? "+" : ""}`;
}

/** The row to go to with `j` (1) or `k` (-1): the ends hold. */
export function stepRow(current: number, step: number, count: number): number {
  if (count === 0) return -1;
  if (current < 0) return step > 0 ? 0 : count - 1;
  return Math.min(count - 1, Math.max(0, current + step));
}

export interface Sides {
  readonly before: string | null;
  readonly after: string | null;
  /** From 1; null where the slide is not of the case. */
  readonly place: number | null;
  readonly count: number;
}

/** The slides before and after one, in the order of the case. */
export function sidesOf(slides: readonly string[], slide: string): Sides {
  const index = slides.indexOf(slide);
  return {
    before: index > 0 ? (slides[index - 1] ?? null) : null,
    after: index >= 0 ? (slides[index + 1] ?? null) : null,
    place: index < 0 ? null : index + 1,
    count: slides.length,
  };
}

/** What a person does to a case here. */
export type CaseAction = "begin" | "put_back" | "sign_out" | "reopen";

const FROM: Readonly<Record<CaseAction, readonly CaseState[]>> = {
  begin: ["received", "in_progress", "ready"],
  put_back: ["reading"],
  sign_out: ["ready", "reading", "reported"],
  reopen: ["signed_out"],
};

/** Whether the server would let it happen: no button is shown that would be refused. */
export function mayDo(state: CaseState, action: CaseAction): boolean {
  return FROM[action].includes(state);
}

const CHANGES = new Set(["scan_attached", "scan_detached", "scan_destroyed", "came", "went", "asset_cancelled", "patient"]);

/** How often what was signed out has changed since: slides, images, whose the case is. */
export function changesSinceSignOut(shown: {
  readonly state: CaseState;
  /** Oldest first. */
  readonly history: readonly { readonly kind: string; readonly after: string | null }[];
}): number {
  if (shown.state !== "signed_out") return 0;
  const signed = shown.history.findLastIndex(
    ({ kind, after }) => kind === "state" && after === "signed_out",
  );
  return shown.history.slice(signed + 1).filter(({ kind }) => CHANGES.has(kind)).length;
}
