/** Where slides lie, who asked for them back, and the rules that send them away. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import type { Rules } from "../core/tiers";
import { readJson } from "./client";
import type { Slide } from "./types";

export interface TierMove {
  readonly id: string;
  readonly slide_id: string;
  readonly file_name: string;
  readonly target: "warm" | "cold";
  readonly state: "waiting" | "running" | "thawing" | "done" | "failed" | "cancelled";
  /** Null: the establishment's rules. */
  readonly asked_by: string | null;
  readonly asked_by_me: boolean;
  readonly asked_at: string;
  readonly expected_at: string | null;
  /** Since when an archive thaws what is to be restored. */
  readonly archive_asked_at: string | null;
  readonly ended_at: string | null;
  /** From 0 to 1. */
  readonly progress: number;
  readonly reason: string | null;
}

export interface SlideTiers {
  readonly tier: "warm" | "cold" | "restoring";
  readonly cold_levels: readonly number[];
  /** Null where there is no cold store. */
  readonly restore_hours: number | null;
  readonly move: TierMove | null;
}

export interface Policy {
  readonly policy: Rules;
  readonly available: boolean;
  readonly restore_hours: number | null;
}

export interface Simulation {
  readonly slides: number;
  readonly size_bytes: number;
  readonly cold_bytes: number;
  readonly saved_a_month: number | null;
  readonly days: number;
  readonly items: ReadonlyArray<{
    readonly id: string;
    readonly file_name: string;
    readonly published_at: string;
    readonly last_viewed_at: string | null;
    readonly size_bytes: number;
    readonly cold_bytes: number;
  }>;
}

interface RestoresPage {
  readonly items: readonly TierMove[];
}

const ADDRESS = "/api/v1/tiers";
const RESTORES = "/api/v1/restores";
const keys = {
  policy: ["tiers", "policy"] as const,
  simulation: (rules: Rules | null) => ["tiers", "simulation", rules] as const,
  moves: ["tiers", "moves"] as const,
  restored: ["restored"] as const,
  slide: (id: string) => ["slide", id] as const,
};

export function useAskRestore(slide: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      readJson<SlideTiers>("POST", `/api/v1/slides/${encodeURIComponent(slide)}/restore`),
    onSuccess: (tiers) => {
      client.setQueryData<Slide>(keys.slide(slide), (known) => known && { ...known, tiers });
    },
  });
}

export function usePolicy() {
  return useQuery({
    queryKey: keys.policy,
    queryFn: ({ signal }) => readJson<Policy>("GET", `${ADDRESS}/policy`, undefined, signal),
    // What is being typed is not replaced by what is kept.
    refetchOnWindowFocus: false,
  });
}

export function useKeepPolicy() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (rules: Rules) => readJson<Policy>("PUT", `${ADDRESS}/policy`, rules),
    onSuccess: (kept) => {
      client.setQueryData<Policy>(keys.policy, kept);
      void client.invalidateQueries({ queryKey: keys.moves });
    },
  });
}

/** What rules would do now; nothing is asked while they are null. */
export function useSimulation(rules: Rules | null) {
  return useQuery({
    queryKey: keys.simulation(rules),
    queryFn: ({ signal }) =>
      readJson<Simulation>("POST", `${ADDRESS}/policy/simulate`, rules, signal),
    enabled: rules !== null,
    placeholderData: keepPreviousData,
  });
}

export function useMoves() {
  return useQuery({
    queryKey: keys.moves,
    queryFn: async ({ signal }) => {
      const path = `${ADDRESS}/moves?limit=50`;
      const page = await readJson<{ items: TierMove[] }>("GET", path, undefined, signal);
      return page.items;
    },
    refetchInterval: 5_000,
  });
}

/** Restores of one's own that are over, until they are dismissed: the server keeps them. */
export function useRestored() {
  const client = useQueryClient();
  const restored = useQuery({
    queryKey: keys.restored,
    queryFn: ({ signal }) => readJson<RestoresPage>("GET", RESTORES, undefined, signal),
    retry: false,
  });
  const dismissing = useMutation({
    mutationFn: (move: string) =>
      readJson<RestoresPage>("POST", `${RESTORES}/${encodeURIComponent(move)}/seen`),
    onSuccess: (left) => {
      client.setQueryData<RestoresPage>(keys.restored, left);
    },
  });
  return { items: restored.data?.items ?? [], dismiss: dismissing.mutate };
}
