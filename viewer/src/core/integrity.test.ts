import { describe, expect, it } from "vitest";

import { isTooSlow, shortName, soundnessOf } from "./integrity";

describe("soundness", () => {
  it("says the worst", () => {
    expect(soundnessOf({ slides: 0, never_verified: 0, open: 0 })).toBe("empty");
    expect(soundnessOf({ slides: 9, never_verified: 0, open: 0 })).toBe("sound");
    expect(soundnessOf({ slides: 9, never_verified: 1, open: 0 })).toBe("unproved");
    expect(soundnessOf({ slides: 9, never_verified: 1, open: 1 })).toBe("damaged");
    expect(soundnessOf({ slides: 0, never_verified: 0, open: 1 })).toBe("damaged");
  });
});

describe("the pace", () => {
  it("is too slow when a pass takes longer than its period, or never ends", () => {
    expect(isTooSlow(29, 30)).toBe(false);
    expect(isTooSlow(31, 30)).toBe(true);
    expect(isTooSlow(null, 30)).toBe(true);
  });
});

describe("names", () => {
  it("leave the slide's folder out", () => {
    expect(shortName("slides/x/1.2.3.dcm")).toBe("1.2.3.dcm");
    expect(shortName("slides/x/ome.zarr/0/c/0")).toBe("ome.zarr/0/c/0");
    expect(shortName("slides/x/")).toBe("slides/x/");
  });
});
