import { describe, expect, it } from "vitest";

import { canRetry, hasEnded, LEAVE_MS, phaseOf, steadyOrder } from "./arrivals";

describe("steadyOrder", () => {
  it("is what is wanted while no hand is on the list", () => {
    expect(steadyOrder(["a", "b"], ["c", "a"], false)).toEqual(["c", "a"]);
  });

  it("moves nothing under a hand: gone rows keep their place, new ones wait at the end", () => {
    expect(steadyOrder(["a", "b"], ["c", "b", "d"], true)).toEqual(["a", "b", "c", "d"]);
  });
});

describe("phaseOf", () => {
  it("keeps what is under way, and what a person must look at", () => {
    expect(phaseOf("converting", 1e9)).toBe("shown");
    expect(phaseOf("held", 1e9)).toBe("shown");
    expect(phaseOf("quarantined", 1e9)).toBe("shown");
  });

  it("lets what is published linger, leave and go", () => {
    expect(phaseOf("published", 0)).toBe("shown");
    expect(phaseOf("published", 6_000)).toBe("leaving");
    expect(phaseOf("published", 6_000 + LEAVE_MS)).toBe("gone");
  });
});

describe("states", () => {
  it("offer a retry to a person only where one helps", () => {
    expect(canRetry("held")).toBe(true);
    expect(canRetry("quarantined")).toBe(true);
    expect(canRetry("retrying")).toBe(false);
    expect(hasEnded("duplicate")).toBe(true);
    expect(hasEnded("held")).toBe(false);
  });
});
