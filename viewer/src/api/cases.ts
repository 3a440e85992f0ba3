/** Cases, as the server sends them: what a case is made of, where it stands, what was done. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import type { CaseAction, CaseState, Priority } from "../core/cases";
import type { IdentityAttribute, IdentityStatus, PatientTraits } from "../core/patient";
import { oneLine } from "../core/text";
import { readJson } from "./client";

export interface CasePatient extends PatientTraits {
  readonly id: string;
  /** The number within the establishment; null where nobody said. */
  readonly ipp: string | null;
  readonly status: IdentityStatus | null;
  readonly attributes: readonly IdentityAttribute[];
  /** Only where the rules let it be shown. */
  readonly matricule?: string | null;
}

export interface Worker {
  readonly id: string;
  readonly name: string;
}

/** One picture of a glass; a glass may have been scanned more than once. */
export interface Scan {
  readonly slide_id: string;
  readonly current: boolean;
  readonly scanned_at: string | null;
  readonly published_at: string;
  readonly quality_verdict: "pass" | "look" | "rescan" | null;
}

export interface Glass {
  readonly id: string;
  readonly identifier: string;
  /** What it is stained with, for people. */
  readonly stain: string | null;
  readonly to_be_scanned: boolean;
  readonly cancelled: boolean;
  readonly rescan_asked_at: string | null;
  readonly rescan_reason: string | null;
  readonly scans: readonly Scan[];
}

export interface Block {
  readonly id: string | null;
  /** Null for slides of which nobody said the block. */
  readonly identifier: string | null;
  readonly embedding: string | null;
  readonly cancelled: boolean;
  readonly slides: readonly Glass[];
}

export interface Specimen {
  readonly id: string | null;
  readonly identifier: string | null;
  readonly organ: string | null;
  readonly laterality: string | null;
  readonly description: string | null;
  readonly collection: string | null;
  readonly cancelled: boolean;
  readonly blocks: readonly Block[];
}

export type WorkKind = "recut" | "ihc" | "special_stain" | "rescan";

export interface WorkOrder {
  readonly id: string;
  readonly kind: WorkKind;
  readonly parent_identifier: string;
  readonly stain: string | null;
  readonly words: string | null;
  readonly state: "asked" | "accepted" | "refused" | "withdrawn" | "done";
  readonly refused_why: string | null;
  readonly asked_by: string | null;
  readonly asked_at: string;
}

export interface Report {
  readonly id: string;
  readonly title: string | null;
  readonly status: "final" | "preliminary" | "replaced" | "deleted";
  readonly media_type: string;
  readonly size_bytes: number;
  readonly said_at: string;
  readonly withdrawn_at: string | null;
}

export interface HistoryEntry {
  readonly at: string;
  readonly kind: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly why: string | null;
  /** An account; null for a message or the system itself. */
  readonly by: string | null;
  /** The message, where one said it. */
  readonly source: string | null;
  /** Of an image that was destroyed: the second person. */
  readonly approved_by: string | null;
}

export interface Case {
  readonly id: string;
  readonly accession_number: string;
  readonly state: CaseState;
  readonly priority: Priority | null;
  readonly extemporane: boolean;
  readonly patient: CasePatient | null;
  readonly service: string | null;
  readonly clinical_information: string | null;
  readonly comment: string | null;
  readonly expected: number;
  readonly scanned: number;
  readonly rescans: number;
  /** Work that the laboratory has not done yet. */
  readonly orders: number;
  readonly held_at: string | null;
  readonly hold_reason: string | null;
  readonly received_at: string | null;
  readonly due_at: string | null;
  readonly ready_at: string | null;
  readonly signed_out_at: string | null;
  readonly pathologist: Worker | null;
  readonly group: Worker | null;
  /** Who reads it, as the laboratory says. */
  readonly laboratory_pathologist: string | null;
  readonly specimens: readonly Specimen[];
  readonly work_orders: readonly WorkOrder[];
  readonly reports: readonly Report[];
  readonly history: readonly HistoryEntry[];
  readonly links: Links;
}

/** What the laboratory hears of by itself: some interface sends it. */
export interface Links {
  readonly orders: boolean;
  readonly images: boolean;
  readonly states: boolean;
}

const CASES = "/api/v1/cases";
const caseAddress = (id: string): string => `${CASES}/${encodeURIComponent(id)}`;

/** Everything of cases and worklists is kept below this key, so that one event renews it all. */
export const CASES_KEY = "cases";

const keys = {
  all: [CASES_KEY] as const,
  one: (id: string) => [CASES_KEY, "one", id] as const,
  workers: [CASES_KEY, "workers"] as const,
};

/** Asked again now and then, since the laboratory changes a case without a word to this page. */
export function useCase(id: string | null) {
  return useQuery({
    queryKey: keys.one(id ?? ""),
    queryFn: ({ signal }) => readJson<Case>("GET", caseAddress(id ?? ""), undefined, signal),
    enabled: id !== null,
    refetchInterval: 30_000,
  });
}

/** Where that is here which another system asked for by its own names. */
export function useLaunch(query: string) {
  return useQuery({
    queryKey: ["launch", query],
    queryFn: ({ signal }) =>
      readJson<{ path: string }>("POST", "/api/v1/launch", { query }, signal),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

export interface Workers {
  readonly accounts: readonly Worker[];
  readonly groups: readonly Worker[];
}

/** Who a case can be given to. */
export function useWorkers(wanted: boolean) {
  return useQuery({
    queryKey: keys.workers,
    queryFn: ({ signal }) =>
      readJson<Workers>("GET", "/api/v1/assignees", undefined, signal),
    enabled: wanted,
    staleTime: 60_000,
  });
}

/** Ways to the laboratory's own system, where the establishment set some. */
export function useSglLinks(wanted: boolean) {
  return useQuery({
    queryKey: ["sgl-links"],
    queryFn: ({ signal }) =>
      readJson<{ items: { readonly name: string }[] }>(
        "GET",
        "/api/v1/sgl-links",
        undefined,
        signal,
      ),
    enabled: wanted,
    staleTime: 300_000,
  });
}

/** Our own address, which leads on to the other system's. */
export function sglAddress(id: string, link: string): string {
  return `/cases/${encodeURIComponent(id)}/sgl?${new URLSearchParams({ name: link }).toString()}`;
}

export function reportAddress(caseId: string, report: string): string {
  return `${caseAddress(caseId)}/reports/${encodeURIComponent(report)}`;
}

/** Whatever is done to a case, its page and the lists are asked for anew. */
function useCaseAction<T>(act: (wish: T) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () => client.invalidateQueries({ queryKey: keys.all }),
  });
}

export interface Assignment {
  readonly account: string | null;
  readonly group: string | null;
}

export function useAssign() {
  return useCaseAction((wish: { readonly id: string; readonly to: Assignment }) =>
    readJson("POST", `${caseAddress(wish.id)}/assign`, wish.to),
  );
}

export function useCaseEvent(id: string) {
  return useCaseAction((wish: { readonly event: CaseAction; readonly reason?: string }) =>
    readJson("POST", `${caseAddress(id)}/state`, {
      ...wish,
      ...(wish.reason === undefined ? {} : { reason: oneLine(wish.reason) }),
    }),
  );
}

/** Put aside with a reason, or (null) taken up again. */
export function useHold(id: string) {
  return useCaseAction((reason: string | null) =>
    readJson("POST", `${caseAddress(id)}/hold`, { reason: reason && oneLine(reason) }),
  );
}

export function useAskWork(id: string) {
  return useCaseAction(
    (wish: {
      readonly kind: WorkKind;
      readonly parent: string;
      readonly stain: string | null;
      readonly words: string | null;
    }) =>
      readJson("POST", `${caseAddress(id)}/work-orders`, {
        ...wish,
        stain: wish.stain && oneLine(wish.stain),
        words: wish.words && oneLine(wish.words),
      }),
  );
}

export function useWithdrawWork(id: string) {
  return useCaseAction((order: string) =>
    readJson("POST", `${caseAddress(id)}/work-orders/${encodeURIComponent(order)}/withdraw`, {}),
  );
}

export function useAskRescan(id: string) {
  return useCaseAction((wish: { readonly glass: string; readonly reason: string }) =>
    readJson("POST", `${caseAddress(id)}/glass/${encodeURIComponent(wish.glass)}/rescan`, {
      reason: oneLine(wish.reason),
    }),
  );
}
