/** Worklists of cases: their counts, their rows, and the searches that a person keeps. */

import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";

import type { CaseState, Priority } from "../core/cases";
import { CASES_KEY, type CasePatient, type Worker } from "./cases";
import { readJson, send } from "./client";

export interface CaseRow {
  readonly id: string;
  readonly accession_number: string;
  readonly state: CaseState;
  readonly priority: Priority | null;
  readonly extemporane: boolean;
  readonly patient: CasePatient | null;
  readonly organs: readonly string[];
  readonly stains: readonly string[];
  readonly expected: number;
  readonly scanned: number;
  readonly rescans: number;
  readonly received_at: string | null;
  readonly due_at: string | null;
  readonly held_at: string | null;
  readonly hold_reason: string | null;
  readonly pathologist: Worker | null;
  readonly group: Worker | null;
}

interface Page {
  readonly items: readonly CaseRow[];
  readonly next: string | null;
}

export interface WorklistCount {
  readonly name: string;
  readonly count: number;
  /** Counting stopped there: there are more. */
  readonly capped: boolean;
}

export interface SavedFilter {
  readonly id: string;
  readonly name: string;
  readonly worklist: string;
  readonly q: string;
}

const LISTS = "/api/v1/worklists";
const FILTERS = "/api/v1/worklist-filters";
const keys = {
  counts: [CASES_KEY, "counts"] as const,
  rows: (name: string, words: string) => [CASES_KEY, "rows", name, words] as const,
  filters: ["saved-filters"] as const,
};

export function useWorklistCounts(refreshMs: number) {
  return useQuery({
    queryKey: keys.counts,
    queryFn: ({ signal }) =>
      readJson<{ items: WorklistCount[] }>("GET", LISTS, undefined, signal),
    refetchInterval: refreshMs,
  });
}

/** What is searched for may be a patient's name: it goes in the body, never in an address. */
export function useWorklist(name: string, words: string, refreshMs: number) {
  return useInfiniteQuery({
    queryKey: keys.rows(name, words),
    queryFn: ({ pageParam, signal }) =>
      readJson<Page>(
        "POST",
        `${LISTS}/${encodeURIComponent(name)}/search`,
        { q: words, after: pageParam },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: refreshMs,
  });
}

/** A slide that is to be scanned again. */
export interface Rescan {
  readonly glass_id: string;
  readonly identifier: string;
  readonly stains: readonly string[];
  readonly asked_at: string;
  readonly reason: string | null;
  readonly asked_by: string | null;
  readonly case_id: string | null;
  readonly accession_number: string | null;
  readonly priority: Priority | null;
  readonly extemporane: boolean;
}

/** The scanner room's list, the most urgent first. */
export function useRescans() {
  return useQuery({
    queryKey: [CASES_KEY, "rescans"],
    queryFn: ({ signal }) =>
      readJson<{ items: Rescan[] }>("GET", "/api/v1/rescans", undefined, signal),
    refetchInterval: 15_000,
  });
}

export function useSavedFilters() {
  return useQuery({
    queryKey: keys.filters,
    queryFn: ({ signal }) =>
      readJson<{ items: SavedFilter[] }>("GET", FILTERS, undefined, signal),
  });
}

export function useSaveFilter() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: { readonly name: string; readonly worklist: string; readonly q: string }) =>
      readJson("POST", FILTERS, wish),
    onSettled: () => client.invalidateQueries({ queryKey: keys.filters }),
  });
}

export function useForgetFilter() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => send("DELETE", `${FILTERS}/${encodeURIComponent(id)}`),
    onSettled: () => client.invalidateQueries({ queryKey: keys.filters }),
  });
}
