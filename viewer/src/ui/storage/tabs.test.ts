import { describe, expect, it } from "vitest";

import type { Session } from "../../api/types";
import { TABS, tabsFor } from "./tabs";

const session = (permissions: readonly string[]): Session => ({
  name: "n",
  role: "r",
  permissions,
  establishment: { id: "e", name: "e" },
  csrf_token: "",
});

describe("tabs of the storage page", () => {
  it("have ids of their own", () => {
    expect(new Set(TABS.map((tab) => tab.id)).size).toBe(TABS.length);
  });

  it("are seen by who may", () => {
    expect(tabsFor(session([]))).toEqual([]);
    expect(tabsFor(session(["view_storage"])).map((tab) => tab.id)).toContain("capacity");
  });
});
