import type { ParseKeys } from "i18next";
import { lazy, type ComponentType, type LazyExoticComponent } from "react";

import type { Permission, Session } from "../../api/types";

/** One side of the storage page; its code is fetched when it is opened. */
export interface StorageTab {
  /** In the address: `/storage?tab=<id>`. */
  readonly id: string;
  readonly title: ParseKeys;
  /** Who does not have it does not see the tab. */
  readonly permission: Permission;
  readonly component: LazyExoticComponent<ComponentType<{ readonly session: Session }>>;
}

export const TABS: readonly StorageTab[] = [
  {
    id: "capacity",
    title: "storage.tabs.capacity",
    permission: "view_storage",
    component: lazy(() => import("./CapacityTab").then((m) => ({ default: m.CapacityTab }))),
  },
  {
    id: "policies",
    title: "storage.tabs.policies",
    permission: "view_storage",
    component: lazy(() => import("./PoliciesTab").then((m) => ({ default: m.PoliciesTab }))),
  },
  {
    id: "retention",
    title: "storage.tabs.retention",
    permission: "view_retention",
    component: lazy(() => import("./RetentionTab").then((m) => ({ default: m.RetentionTab }))),
  },
  {
    id: "integrity",
    title: "storage.tabs.integrity",
    permission: "view_storage",
    component: lazy(() => import("./IntegrityTab").then((m) => ({ default: m.IntegrityTab }))),
  },
];

export function tabsFor(session: Session): readonly StorageTab[] {
  return TABS.filter((tab) => session.permissions.includes(tab.permission));
}
