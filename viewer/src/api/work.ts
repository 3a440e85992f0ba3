/** Who works with whom, whose cases are, when they are due, and how the laboratory's system is opened. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { trimmed, type AssignmentRule, type SglLink, type TargetKind } from "../core/work";
import { CASES_KEY, type Worker } from "./cases";
import { readJson, send } from "./client";

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly members: readonly Worker[];
}

export interface Turnaround {
  readonly kind: TargetKind;
  readonly target_hours: number;
  readonly cases: number;
  readonly in_time: number;
  readonly median_hours: number | null;
  /** Nine of ten took no longer. */
  readonly ninth_decile_hours: number | null;
}

export interface Turnarounds {
  readonly days: number;
  readonly items: readonly Turnaround[];
}

export interface Simulation {
  readonly cases: number;
  /** In the order of the rules. */
  readonly by_rule: readonly number[];
  readonly by_none: number;
}

const GROUPS = "/api/v1/groups";
const RULES = "/api/v1/assignment-rules";
const TURNAROUND = "/api/v1/turnaround";
const LINKS = "/api/v1/sgl-links";
const keys = {
  groups: ["work", "groups"] as const,
  rules: ["work", "rules"] as const,
  turnaround: ["work", "turnaround"] as const,
  links: ["work", "links"] as const,
};

export function useGroups() {
  return useQuery({
    queryKey: keys.groups,
    queryFn: ({ signal }) => readJson<{ items: Group[] }>("GET", GROUPS, undefined, signal),
  });
}

export function useAssignmentRules() {
  return useQuery({
    queryKey: keys.rules,
    queryFn: ({ signal }) =>
      readJson<{ rules: AssignmentRule[] }>("GET", RULES, undefined, signal),
  });
}

export function useTurnaround() {
  return useQuery({
    queryKey: keys.turnaround,
    queryFn: ({ signal }) => readJson<Turnarounds>("GET", TURNAROUND, undefined, signal),
  });
}

export function useLinks() {
  return useQuery({
    queryKey: keys.links,
    queryFn: ({ signal }) => readJson<{ items: SglLink[] }>("GET", LINKS, undefined, signal),
  });
}

/** What is changed here shows in cases and their lists too. */
function useChange<T, R>(change: (wish: T) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () =>
      Promise.all(
        [["work"], [CASES_KEY], ["sgl-links"]].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
}

/** A new group where there is no id. */
export function useSetGroup() {
  return useChange(
    (wish: {
      readonly id: string | null;
      readonly name: string;
      readonly members: readonly string[];
    }) => {
      const body = { name: wish.name.trim(), members: wish.members };
      return wish.id === null
        ? readJson("POST", GROUPS, body)
        : readJson("PUT", `${GROUPS}/${encodeURIComponent(wish.id)}`, body);
    },
  );
}

export function useRemoveGroup() {
  return useChange((id: string) => send("DELETE", `${GROUPS}/${encodeURIComponent(id)}`));
}

export function useSetRules() {
  return useChange((rules: readonly AssignmentRule[]) =>
    readJson("PUT", RULES, { rules: rules.map(trimmed) }),
  );
}

/** What rules would have done with the newest cases; nothing is changed. */
export function useSimulateRules() {
  return useMutation({
    mutationFn: (rules: readonly AssignmentRule[]) =>
      readJson<Simulation>("POST", `${RULES}/simulate`, { rules: rules.map(trimmed) }),
  });
}

export function useSetTargets() {
  return useChange((hours: Partial<Record<TargetKind, number>>) =>
    readJson("PUT", TURNAROUND, { hours }),
  );
}

export function useSetLink() {
  return useChange(({ name, method, url, field }: SglLink) =>
    readJson("PUT", `${LINKS}/${encodeURIComponent(name)}`, {
      method,
      url,
      field: method === "POST" ? field : "",
    }),
  );
}

export function useRemoveLink() {
  return useChange((name: string) => send("DELETE", `${LINKS}/${encodeURIComponent(name)}`));
}
