import type { ParseKeys } from "i18next";

import type { Permission, Session } from "../../api/types";
import {
  casesPath,
  identificationPath,
  interfacesPath,
  storagePath,
  workPath,
  worklistPath,
  type Route,
} from "../route";

/** One thing of the bar at the top. */
export interface Place {
  readonly id: string;
  readonly title: ParseKeys;
  readonly path: string;
  readonly screens: readonly Route["screen"][];
  /** Any of these lets one see it; none is asked for where the list is empty. */
  readonly permissions: readonly Permission[];
}

const PLACES: readonly Place[] = [
  {
    id: "cases",
    title: "cases.title",
    path: casesPath(),
    screens: ["cases", "case"],
    permissions: ["view_cases"],
  },
  {
    id: "slides",
    title: "worklist.title",
    path: worklistPath(""),
    screens: ["worklist"],
    permissions: [],
  },
  {
    id: "identification",
    title: "identify.title",
    path: identificationPath(),
    screens: ["identification"],
    permissions: ["identify_slides"],
  },
  {
    id: "interfaces",
    title: "interfaces.title",
    path: interfacesPath(),
    screens: ["interfaces"],
    permissions: ["view_interfaces"],
  },
  {
    id: "storage",
    title: "storage.title",
    path: storagePath(),
    screens: ["storage"],
    permissions: ["view_storage", "view_retention"],
  },
  {
    id: "work",
    title: "work.title",
    path: workPath(),
    screens: ["work"],
    permissions: ["change_case_rules"],
  },
];

export function placesFor(session: Session): readonly Place[] {
  if (session.role === "guest") return [];
  return PLACES.filter(
    ({ permissions }) =>
      permissions.length === 0 || permissions.some((one) => session.permissions.includes(one)),
  );
}

/** The first page: cases for who reads them, slides for who sees to the scanners and the rest. */
export function homeOf(session: Session): "cases" | "slides" {
  const reads = session.role === "pathologist" && session.permissions.includes("view_cases");
  return reads ? "cases" : "slides";
}

export function isHere(place: Place, screen: Route["screen"], session: Session): boolean {
  return screen === "home" ? place.id === homeOf(session) : place.screens.includes(screen);
}
