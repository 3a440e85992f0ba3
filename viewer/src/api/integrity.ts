/** How sound what is stored is, and what was found damaged. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { readJson, send } from "./client";

export type IncidentState = "open" | "repaired" | "accepted" | "gone";

export interface Integrity {
  readonly slides: number;
  readonly bytes: number;
  readonly never_verified: number;
  readonly oldest_verified_at: string | null;
  readonly not_copied: number;
  readonly has_second_copy: boolean;
  readonly pace_mb_per_s: number;
  readonly period_days: number;
  /** What one pass takes one worker; null where it never ends. */
  readonly pass_days: number | null;
  readonly open: number;
  readonly repaired: number;
  readonly accepted: number;
}

export interface Incident {
  readonly id: string;
  readonly slide_id: string | null;
  readonly place: "warm" | "cold" | "second" | "catalogue";
  readonly object: string;
  readonly damage: "missing" | "size" | "bytes" | "unreadable" | "extra" | "catalogue";
  readonly found_by: "scrub" | "read";
  readonly state: IncidentState;
  readonly found_at: string;
  readonly last_seen_at: string;
  readonly ended_at: string | null;
  readonly quarantined: boolean;
}

const ADDRESS = "/api/v1/integrity";
const keys = { all: ["integrity"] as const, incidents: ["integrity", "incidents"] as const };
/** Incidents come by themselves. */
const EVERY_MS = 15_000;

export const FIXITY_ADDRESS = `${ADDRESS}/fixity.csv`;

export function useIntegrity() {
  return useQuery({
    queryKey: keys.all,
    queryFn: ({ signal }) => readJson<Integrity>("GET", ADDRESS, undefined, signal),
    refetchInterval: EVERY_MS,
  });
}

export function useIncidents() {
  return useQuery({
    queryKey: keys.incidents,
    queryFn: ({ signal }) =>
      readJson<{ items: readonly Incident[] }>("GET", `${ADDRESS}/incidents`, undefined, signal),
    refetchInterval: EVERY_MS,
  });
}

export function useAcceptIncident() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      readJson<Incident>("POST", `${ADDRESS}/incidents/${encodeURIComponent(id)}/accept`),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.all }),
  });
}

export function useVerifySlide() {
  return useMutation({
    mutationFn: (slide: string) =>
      send("POST", `${ADDRESS}/slides/${encodeURIComponent(slide)}/verify`),
  });
}
