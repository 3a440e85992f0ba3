/** How work is shared out: rules of assignment, targets of turnaround, ways to the laboratory's system. */

import type { Priority } from "./cases";

/** What a case must be (null fits everything), and whose it is then. */
export interface AssignmentRule {
  readonly organ: string | null;
  readonly service: string | null;
  readonly priority: Priority | null;
  readonly extemporane: boolean | null;
  readonly account: string | null;
  readonly group: string | null;
  /** To each of the group in turn. */
  readonly rotate: boolean;
}

export const NEW_RULE: AssignmentRule = {
  organ: null,
  service: null,
  priority: null,
  extemporane: null,
  account: null,
  group: null,
  rotate: false,
};
export const MOST_RULES = 200;

/** A rule that gives to nobody cannot be kept. */
export function isWhole(rule: AssignmentRule): boolean {
  return (rule.account === null) !== (rule.group === null);
}

/** Whether it fits every case: no rule below it is ever tried. */
export function fitsAll(rule: AssignmentRule): boolean {
  const { organ, service, priority, extemporane } = rule;
  return organ === null && service === null && priority === null && extemporane === null;
}

/** Words as the server keeps them: none where nothing was typed. */
export function typed(text: string): string | null {
  return text.trim() === "" ? null : text;
}

/** As it is sent: without spaces around what was typed. */
export function trimmed(rule: AssignmentRule): AssignmentRule {
  return { ...rule, organ: rule.organ?.trim() ?? null, service: rule.service?.trim() ?? null };
}

export function sameRules(
  one: readonly AssignmentRule[],
  other: readonly AssignmentRule[],
): boolean {
  return JSON.stringify(one.map(ordered)) === JSON.stringify(other.map(ordered));
}

function ordered(rule: AssignmentRule): readonly unknown[] {
  const { organ, service, priority, extemporane, account, group, rotate } = trimmed(rule);
  return [organ, service, priority, extemporane, account, group, rotate];
}

/** The list with one of its things a place further (1) or nearer (-1); the same at its ends. */
export function moved<T>(list: readonly T[], index: number, by: 1 | -1): readonly T[] {
  const thing = list[index];
  const other = list[index + by];
  if (thing === undefined || other === undefined) return list;
  return list.with(index, other).with(index + by, thing);
}

/** One field that says to whom: an account, a group, or each of a group in turn. */
export function giverOf(rule: AssignmentRule): string | null {
  if (rule.account !== null) return `account ${rule.account}`;
  return rule.group === null ? null : `group ${rule.group}`;
}

export function givenTo(rule: AssignmentRule, giver: string | null): AssignmentRule {
  const [kind, id] = (giver ?? "").split(" ");
  return {
    ...rule,
    account: kind === "account" && id ? id : null,
    group: kind === "group" && id ? id : null,
    rotate: kind === "group" && rule.rotate,
  };
}

export const TARGET_KINDS = ["extemporane", "S", "A", "R"] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];
const MOST_HOURS = 10_000;
const LEAST_HOURS = 0.25;

export function isTarget(hours: number | null): hours is number {
  return hours !== null && hours >= LEAST_HOURS && hours <= MOST_HOURS;
}

/** Whole per cents that were in time; null of no case. */
export function inTime(cases: number, kept: number): number | null {
  return cases === 0 ? null : Math.floor((100 * kept) / cases);
}

export interface SglLink {
  readonly name: string;
  readonly method: "GET" | "POST";
  readonly url: string;
  /** Of POST: the field of the form that holds the case's number. */
  readonly field: string;
}

const PLACE = "{accession}";

/** What is wrong with a link, by field; none where it can be kept. */
export function problemsOf(link: SglLink, taken: readonly string[]): LinkProblems {
  return {
    name: !/^[a-z0-9][a-z0-9-]{0,39}$/.test(link.name)
      ? "name"
      : taken.includes(link.name)
        ? "taken"
        : null,
    url: problemOfAddress(link),
    field:
      link.method === "POST" && !/^[A-Za-z0-9_.-]{1,50}$/.test(link.field) ? "field" : null,
  };
}

export interface LinkProblems {
  readonly name: "name" | "taken" | null;
  readonly url: "address" | "letters" | "place" | "noPlace" | "host" | null;
  readonly field: "field" | null;
}

function problemOfAddress({ method, url }: SglLink): LinkProblems["url"] {
  if (!/^https?:\/\/[^/?#]/.test(url)) return "address";
  if (url.length > 500 || !/^[!-~]+$/.test(url)) return "letters";
  const [, host = ""] = /^https?:\/\/([^/?#]*)/.exec(url) ?? [];
  if (host.includes("@") || host.includes(PLACE)) return "host";
  const rest = url.split(PLACE);
  if (method === "GET" && rest.length !== 2) return "place";
  if (method === "POST" && rest.length !== 1) return "noPlace";
  return /[{}]/.test(rest.join("")) ? "letters" : null;
}

export function isSound(problems: LinkProblems): boolean {
  return problems.name === null && problems.url === null && problems.field === null;
}
