import { describe, expect, it } from "vitest";

import type { Session } from "../../api/types";
import { homeOf, isHere, placesFor } from "./places";

const session = (role: string, ...permissions: string[]): Session => ({
  name: "n",
  role,
  permissions,
  establishment: { id: "e", name: "e" },
  csrf_token: "",
});

describe("places", () => {
  it("are seen by who may", () => {
    expect(placesFor(session("guest", "view_cases"))).toEqual([]);
    expect(placesFor(session("technician")).map((place) => place.id)).toEqual(["slides"]);
    expect(
      placesFor(session("pathologist", "view_cases", "view_retention")).map((place) => place.id),
    ).toEqual(["cases", "slides", "storage"]);
    expect(
      placesFor(session("administrator", "change_case_rules")).map((place) => place.id),
    ).toEqual(["slides", "work"]);
  });

  it("begin with cases for who reads them", () => {
    const pathologist = session("pathologist", "view_cases");
    expect(homeOf(pathologist)).toBe("cases");
    expect(homeOf(session("administrator", "view_cases"))).toBe("slides");
    const [cases, slides] = placesFor(pathologist);
    expect(cases && isHere(cases, "home", pathologist)).toBe(true);
    expect(slides && isHere(slides, "home", pathologist)).toBe(false);
    expect(cases && isHere(cases, "case", pathologist)).toBe(true);
  });
});
