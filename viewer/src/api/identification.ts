/** Scans that are nobody's yet: what their labels read, and which glass each could be of. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { CASES_KEY } from "./cases";
import { readJson } from "./client";
import type { Whose } from "./patients";

/** Why a slide has no glass. */
export type Reason =
  | "waiting"
  | "nothing_read"
  | "patient_code"
  | "unknown"
  | "several"
  | "cancelled"
  | "contradiction"
  | "another_patient"
  | "undone";

export interface Unidentified {
  readonly slide_id: string;
  readonly file_name: string;
  readonly published_at: string;
  readonly reason: Reason;
  /** As they were read; null for a patient's INS datamatrix. */
  readonly codes: readonly (string | null)[];
  readonly has_label: boolean;
  readonly has_overview: boolean;
  /** Whether the scanner read the first code, and the label's picture shows the others. */
  readonly first_is_scanners: boolean;
}

interface UnidentifiedPage {
  readonly items: readonly Unidentified[];
  readonly next: string | null;
  /** Counted as far as 1000. */
  readonly total: number;
  /** Attached by a person, with a label that names a slide registered since; as far as 1000. */
  readonly contradicted: number;
}

/** One thing that a choice does. */
export type Effect =
  | "join_case"
  | "wait_for_case"
  | "change_signed_out"
  | "bear_patient"
  | "shown_first"
  | "close_rescan"
  | "complete_case"
  | "tell_laboratory";

/** What speaks against a choice: the server wants each confirmed. */
export type Doubt =
  | "another_patient"
  | "another_glass"
  | "not_named"
  | "taken_away"
  | "signed_out";

export interface Candidate {
  readonly glass_id: string;
  readonly identifier: string;
  /** Why it is offered. */
  readonly why: "named" | "close" | "same_case" | "expected" | "found";
  /** Letters between what is written on it and what was read. */
  readonly distance: number | null;
  readonly is_living: boolean;
  readonly case_id: string | null;
  readonly accession_number: string | null;
  readonly patient_id: string | null;
  readonly patient_name: string | null;
  readonly birth_date: string | null;
  readonly sex: string | null;
  readonly stains: readonly string[];
  /** Images that it has already. */
  readonly scans: number;
  /** A person has taken the slide away from it. */
  readonly was_refused: boolean;
  /** Whether the INS code of the label is its patient's; null where none was read. */
  readonly code_says: Whose | null;
  readonly doubts: readonly Doubt[];
  /** All that attaching the slide to it does, in that order. */
  readonly will: readonly Effect[];
}

export interface Attachment {
  readonly id: string;
  readonly slide_id: string;
  readonly glass_id: string;
  readonly glass_identifier: string;
  readonly case_id: string | null;
  readonly accession_number: string | null;
  readonly case_signed_out: boolean;
  readonly how: "barcode" | "late" | "person";
  readonly attached_at: string;
  readonly attached_by: string | null;
  readonly undone_at: string | null;
  readonly undone_by: string | null;
  readonly undo_reason: string | null;
  /** Another slide that the label names, registered after a person chose this one. */
  readonly label_names: string | null;
}

/** With what its label reads, and whose the glass is. */
export interface RecentAttachment extends Attachment {
  readonly file_name: string;
  readonly codes: readonly (string | null)[];
  readonly has_label: boolean;
  readonly has_overview: boolean;
  readonly stains: readonly string[];
  readonly patient_id: string | null;
  readonly patient_name: string | null;
  readonly birth_date: string | null;
  readonly sex: string | null;
}

const KEY = "identification";
/** The list alone: looking at candidates is on record, and asked for only by a person. */
export const UNIDENTIFIED_KEY = [KEY, "list"] as const;

const keys = {
  all: [KEY] as const,
  list: UNIDENTIFIED_KEY,
  candidates: (slide: string) => [KEY, "candidates", slide] as const,
  search: (words: string, slide: string) => [KEY, "search", slide, words] as const,
  ofSlide: (slide: string) => [KEY, "of-slide", slide] as const,
  recent: [KEY, "recent"] as const,
};

const ROOT = "/api/v1/identification";
const slideAddress = (id: string): string => `/api/v1/slides/${encodeURIComponent(id)}`;

export function useUnidentified() {
  return useQuery({
    queryKey: keys.list,
    queryFn: ({ signal }) =>
      readJson<UnidentifiedPage>("GET", ROOT, undefined, signal),
    refetchInterval: 15_000,
  });
}

export function useCandidates(slide: string) {
  return useQuery({
    queryKey: keys.candidates(slide),
    queryFn: ({ signal }) =>
      readJson<{ items: Candidate[] }>(
        "GET",
        `${ROOT}/${encodeURIComponent(slide)}/candidates`,
        undefined,
        signal,
      ),
  });
}

/** Other glasses, by what is written on them or the number of their case. */
export function useGlassSearch(words: string, slide: string) {
  return useQuery({
    queryKey: keys.search(words, slide),
    queryFn: ({ signal }) =>
      readJson<{ items: Candidate[] }>(
        "GET",
        `${ROOT}/glass?${new URLSearchParams({ q: words, slide }).toString()}`,
        undefined,
        signal,
      ),
    enabled: words.length >= 2,
    placeholderData: keepPreviousData,
  });
}

/** What was attached lately, by whom, and what was taken back. */
export function useAttachments() {
  return useQuery({
    queryKey: keys.recent,
    queryFn: ({ signal }) =>
      readJson<{ items: RecentAttachment[] }>("GET", `${ROOT}/attachments`, undefined, signal),
  });
}

/** Which glasses one slide was and is said to be of, oldest first. */
export function useSlideAttachments(slide: string, wanted: boolean) {
  return useQuery({
    enabled: wanted,
    queryKey: keys.ofSlide(slide),
    queryFn: ({ signal }) =>
      readJson<{ items: Attachment[] }>(
        "GET",
        `${slideAddress(slide)}/attachments`,
        undefined,
        signal,
      ),
  });
}

function useChange<T>(change: (wish: T) => Promise<unknown>, onDone?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => onDone?.(),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.all }),
        client.invalidateQueries({ queryKey: [CASES_KEY] }),
      ]),
  });
}

/** `onDone` is called before the lists are asked for anew. */
export function useAttach(onDone: () => void) {
  return useChange(
    (wish: {
      readonly slide: string;
      readonly glass: string;
      readonly confirmed: readonly Doubt[];
    }) =>
      readJson("POST", `${slideAddress(wish.slide)}/attach`, {
        glass: wish.glass,
        confirmed: wish.confirmed,
      }),
    onDone,
  );
}

export function useDetach() {
  return useChange(
    (wish: {
      readonly slide: string;
      readonly reason: string;
      readonly confirmed: readonly Doubt[];
    }) =>
      readJson("POST", `${slideAddress(wish.slide)}/detach`, {
        reason: wish.reason,
        confirmed: wish.confirmed,
      }),
  );
}
