/** Destructions as the screens show them; dates are calendar dates in UTC, as the server counts. */

import type { Language } from "./text";

export const GROUNDS = ["retention_ended", "wrong_slide", "duplicate", "test", "other"] as const;
export type Ground = (typeof GROUNDS)[number];
export type DestructionState = "asked" | "approved" | "destroying" | "done" | "withdrawn";

export interface Destruction {
  readonly id: string;
  readonly slide_id: string;
  readonly source_sha256: string;
  readonly state: DestructionState;
  readonly ground: Ground;
  readonly reason: string;
  readonly kept_until: string;
  readonly early: boolean;
  readonly asked_by: string;
  readonly asked_at: string;
  readonly approved_by: string | null;
  readonly approved_at: string | null;
  readonly not_before: string | null;
  readonly withdrawn_by: string | null;
  readonly withdrawn_at: string | null;
  readonly withdrawal_reason: string | null;
  readonly began_at: string | null;
  readonly done_at: string | null;
  /** Why the last try did not end it; it is tried again every minute. */
  readonly failure: string | null;
  /** Whether who reads this may be the second person. */
  readonly may_approve: boolean;
  /** Null once the slide is gone. */
  readonly slide: {
    readonly file_name: string;
    readonly published_at: string;
    readonly size_bytes: number;
    readonly objects: number;
    readonly format: string;
    readonly columns: number;
    readonly rows: number;
  } | null;
}

export const SHORTEST_REASON = 5;
export const LONGEST_REASON = 500;

export function isReason(text: string): boolean {
  const length = text.trim().length;
  return length >= SHORTEST_REASON && length <= LONGEST_REASON;
}

export function mayWithdraw(destruction: Destruction): boolean {
  return destruction.state === "asked" || destruction.state === "approved";
}

/** What a person types to show that they mean this very slide: the end of its file's hash. */
export function confirmationOf(destruction: Destruction): string {
  return destruction.source_sha256.slice(-6);
}

/** A calendar date, whatever the reader's time zone. */
export function formatDate(iso: string, language: Language): string {
  const moment = new Date(`${iso.slice(0, 10)}T00:00:00Z`);
  return new Intl.DateTimeFormat(language === "en" ? "en-GB" : "fr-FR", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  }).format(moment);
}

/** Which grounds may be chosen: "retention ended" only once it has. */
export function groundsOn(today: Date, keptUntil: string): readonly Ground[] {
  const ended = keptUntil.slice(0, 10) <= today.toISOString().slice(0, 10);
  return ended ? GROUNDS : GROUNDS.filter((ground) => ground !== "retention_ended");
}
