import { describe, expect, it } from "vitest";

import {
  ageOn,
  birthNameOf,
  formatBirthDate,
  otherGivenNamesOf,
  spacedMatricule,
  usedNameOf,
  type PatientTraits,
} from "./patient";

const traits = (known: Partial<PatientTraits>): PatientTraits => ({
  birth_name: null,
  first_given_name: null,
  given_names: null,
  used_name: null,
  used_given_name: null,
  sex: null,
  birth_date: null,
  ...known,
});

describe("names", () => {
  it("put the name at birth first", () => {
    expect(birthNameOf(traits({ birth_name: "Pat-Trois", first_given_name: "Dominique" }))).toBe(
      "PAT-TROIS Dominique",
    );
    expect(birthNameOf(traits({}))).toBeNull();
  });

  it("tell the used name only where it differs", () => {
    const born = { birth_name: "DURAND", first_given_name: "ÉLISE" };
    expect(usedNameOf(traits({ ...born, used_name: "Durand", used_given_name: "Elise" }))).toBeNull();
    expect(usedNameOf(traits({ ...born, used_name: "Martin" }))).toBe("MARTIN ÉLISE");
    expect(usedNameOf(traits({ ...born, used_given_name: "Lise" }))).toBe("DURAND Lise");
  });

  it("tell the other given names only where there are some", () => {
    expect(otherGivenNamesOf(traits({ first_given_name: "Jean", given_names: "JEAN" }))).toBeNull();
    expect(otherGivenNamesOf(traits({ first_given_name: "Jean", given_names: "Jean Luc" }))).toBe(
      "Jean Luc",
    );
  });
});

describe("age", () => {
  const today = new Date(2026, 10, 22);

  it("turns on the birthday", () => {
    expect(ageOn("1979-11-22", today)).toEqual({ unit: "years", count: 47 });
    expect(ageOn("1979-11-23", today)).toEqual({ unit: "years", count: 46 });
  });

  it("is told in months of a small child and in days of a new-born", () => {
    expect(ageOn("2025-02-20", today)).toEqual({ unit: "months", count: 21 });
    expect(ageOn("2026-11-20", today)).toEqual({ unit: "days", count: 2 });
    expect(ageOn("2026-10-31", today)).toEqual({ unit: "days", count: 22 });
  });

  it("is not told of what cannot be", () => {
    expect(ageOn("2030-01-01", today)).toBeNull();
    expect(ageOn("about 1950", today)).toBeNull();
  });
});

it("dates and numbers are shown as on paper", () => {
  expect(formatBirthDate("1979-03-28")).toBe("28/03/1979");
  expect(spacedMatricule("279035121518989")).toBe("2\u00a079\u00a003\u00a051\u00a0215\u00a0189\u00a089");
  expect(spacedMatricule("253072B07300470")).toBe("2\u00a053\u00a007\u00a02B\u00a0073\u00a0004\u00a070");
  expect(spacedMatricule("12")).toBe("12");
});
