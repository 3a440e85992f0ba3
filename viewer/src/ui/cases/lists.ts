import type { ReactNode } from "react";

/** The worklists of the rail in their order; a gap stands before each group. */
export const RAIL = [
  ["mine", "group", "unassigned"],
  ["extemporane", "late", "ready", "to-rescan", "on-hold"],
  ["open", "all"],
] as const;

export type ListName = (typeof RAIL)[number][number];

const NAMES = RAIL.flat();

export function listNamed(name: string): ListName {
  return NAMES.find((each) => each === name) ?? "mine";
}

export type Icons = Readonly<Record<ListName, () => ReactNode>>;
