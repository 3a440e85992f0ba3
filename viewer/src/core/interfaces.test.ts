import { describe, expect, it } from "vitest";

import { isWell, sumChanges, toneOfOutcome } from "./interfaces";

describe("interfaces", () => {
  it("are well only when they say so", () => {
    expect(isWell("well")).toBe(true);
    expect(isWell("quiet")).toBe(false);
    expect(isWell("something new")).toBe(false);
  });

  it("tell refusals from the rest", () => {
    expect(toneOfOutcome("refused")).toBe("bad");
    expect(toneOfOutcome("applied")).toBe("good");
    expect(toneOfOutcome("unchanged")).toBe("plain");
    expect(toneOfOutcome("something new")).toBe("plain");
  });

  it("sum what a message changed", () => {
    expect(sumChanges([])).toEqual([]);
    expect(sumChanges([{ what: "glass.new" }, { what: "case.new" }, { what: "glass.new" }])).toEqual([
      { what: "glass.new", count: 2 },
      { what: "case.new", count: 1 },
    ]);
  });
});
