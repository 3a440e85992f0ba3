/** How long slides are kept, what holds them, and how they are destroyed. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import type { Destruction, Ground } from "../core/retention";
import { readJson } from "./client";

export interface Retention {
  readonly years: number;
  readonly wait_days: number;
  readonly reason: string | null;
  readonly changed_by: string | null;
  readonly changed_at: string | null;
  readonly stores: ReadonlyArray<{
    readonly store: "warm" | "cold" | "second";
    readonly object_lock: boolean | null;
  }>;
}

export interface DueSlide {
  readonly id: string;
  readonly file_name: string;
  readonly published_at: string;
  readonly kept_until: string;
  readonly size_bytes: number;
  readonly held: boolean;
  readonly destruction_id: string | null;
}

export interface Hold {
  readonly id: string;
  readonly slide_id: string;
  readonly reason: string;
  readonly placed_by: string;
  readonly placed_at: string;
  readonly lifted_by: string | null;
  readonly lifted_at: string | null;
}

export interface Kept {
  readonly items: readonly Hold[];
  readonly held: boolean;
  readonly kept_until: string;
  readonly destruction_state: Destruction["state"] | null;
  readonly not_before: string | null;
}

export interface Certificate {
  readonly id: string;
  readonly establishment_name: string;
  readonly slide_id: string;
  readonly source_sha256: string;
  readonly source_size_bytes: number;
  readonly study_uid: string;
  readonly series_uid: string;
  readonly published_at: string;
  readonly kept_until: string;
  readonly ground: Ground;
  readonly reason: string;
  readonly asked_by: { readonly name: string };
  readonly asked_at: string;
  readonly approved_by: { readonly name: string };
  readonly approved_at: string;
  readonly began_at: string;
  readonly done_at: string;
  readonly objects: number;
  readonly size_bytes: number;
  readonly stores: ReadonlyArray<{
    readonly store: "warm" | "cold" | "second";
    readonly objects: number;
    readonly size_bytes: number;
    readonly versioned: boolean;
    readonly left: number;
    readonly listed_at: string;
  }>;
  readonly originals: {
    readonly deleted: number;
    readonly left_in_place: number;
    readonly still_in_use: boolean;
  };
}

const RULE = "/api/v1/retention";
const DESTRUCTIONS = "/api/v1/destructions";
const keys = {
  all: ["retention"] as const,
  rule: ["retention", "rule"] as const,
  due: ["retention", "due"] as const,
  holds: ["retention", "holds"] as const,
  kept: (slide: string) => ["retention", "kept", slide] as const,
  destructions: ["retention", "destructions"] as const,
  certificate: (id: string) => ["retention", "certificate", id] as const,
};

const slidePath = (id: string): string => `/api/v1/slides/${encodeURIComponent(id)}/hold`;

export function useRetention() {
  return useQuery({
    queryKey: keys.rule,
    queryFn: ({ signal }) => readJson<Retention>("GET", RULE, undefined, signal),
  });
}

/** The oldest first: what is on the first page is dealt with before what follows. */
export function useDueSlides() {
  return useQuery({
    queryKey: keys.due,
    queryFn: ({ signal }) =>
      readJson<{ items: DueSlide[]; next: string | null }>("GET", `${RULE}/due`, undefined, signal),
  });
}

export function useHolds() {
  return useQuery({
    queryKey: keys.holds,
    queryFn: ({ signal }) => readJson<{ items: Hold[] }>("GET", "/api/v1/holds", undefined, signal),
  });
}

export function useKept(slide: string, wanted: boolean) {
  return useQuery({
    enabled: wanted,
    queryKey: keys.kept(slide),
    queryFn: ({ signal }) => readJson<Kept>("GET", slidePath(slide), undefined, signal),
  });
}

/** Asked again now and then: a job carries them out meanwhile. */
export function useDestructions() {
  return useQuery({
    queryKey: keys.destructions,
    queryFn: ({ signal }) =>
      readJson<{ items: Destruction[] }>("GET", DESTRUCTIONS, undefined, signal),
    refetchInterval: 10_000,
  });
}

export function certificateAddress(id: string): string {
  return `${DESTRUCTIONS}/${encodeURIComponent(id)}/certificate`;
}

export function useCertificate(id: string) {
  return useQuery({
    queryKey: keys.certificate(id),
    queryFn: ({ signal }) =>
      readJson<Certificate>("GET", certificateAddress(id), undefined, signal),
    staleTime: Infinity,
  });
}

/** Whatever is changed here, everything of retention is asked for anew. */
function useChange<T>(change: (value: T) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => client.invalidateQueries({ queryKey: keys.all }),
  });
}

export function useSetRule() {
  return useChange((rule: { years: number; wait_days: number; reason: string }) =>
    readJson("PUT", RULE, rule),
  );
}

export function useSetHold(slide: string) {
  return useChange((wish: { on: boolean; reason: string }) =>
    readJson(wish.on ? "POST" : "DELETE", slidePath(slide), { reason: wish.reason }),
  );
}

export function useAskDestruction() {
  return useChange((wish: { slide_id: string; ground: Ground; reason: string }) =>
    readJson("POST", DESTRUCTIONS, wish),
  );
}

export function useApproveDestruction() {
  return useChange((wish: { id: string; slide_id: string }) =>
    readJson("POST", `${DESTRUCTIONS}/${encodeURIComponent(wish.id)}/approve`, {
      slide_id: wish.slide_id,
    }),
  );
}

export function useWithdrawDestruction() {
  return useChange((wish: { id: string; reason: string }) =>
    readJson("POST", `${DESTRUCTIONS}/${encodeURIComponent(wish.id)}/withdraw`, {
      reason: wish.reason,
    }),
  );
}
