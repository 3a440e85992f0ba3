import { describe, expect, it } from "vitest";

import en from "../i18n/en.json";
import { FINDING_CODES, findingCode, formatMeasure, heatColours, isBlurred } from "./quality";
import { parseScene } from "./scene";
import { formatHeight } from "./text";

describe("findings", () => {
  it("have words for every code, and an answer for one that is not known yet", () => {
    for (const code of FINDING_CODES) expect(en.finding).toHaveProperty(code);
    expect(findingCode("out_of_focus")).toBe("out_of_focus");
    expect(findingCode("toString")).toBeNull();
  });

  it("are told in shares or grey levels", () => {
    expect(formatMeasure("out_of_focus", 0.1234, "en")).toBe("12%");
    expect(formatMeasure("out_of_focus", 0.05, "en")).toBe("5%");
    expect(formatMeasure("missing_tissue", 0.0512, "fr")).toBe("5,1\u00a0%");
    expect(formatMeasure("no_tissue", 0.002, "en")).toBe("0.2%");
    expect(formatMeasure("stripes", 8.04, "en")).toBe("8");
  });
});

describe("heatColours", () => {
  const { blurred, sharp } = heatColours(Uint8Array.of(0, 1, 127, 128, 255), false);
  const alphas = (rgba: Uint8ClampedArray): number[] => [...rgba].filter((_, at) => at % 4 === 3);

  it("leaves what was not measured bare, and never paints a place twice", () => {
    expect(alphas(blurred).map((alpha) => alpha > 0)).toEqual([false, true, true, false, false]);
    expect(alphas(sharp).map((alpha) => alpha > 0)).toEqual([false, false, false, true, true]);
    expect([0, 1, 127, 128, 255].map(isBlurred)).toEqual([false, true, true, false, false]);
  });

  it("paints what is sharp lighter in the dark, where it could not be seen else", () => {
    const inDark = heatColours(Uint8Array.of(255), true).sharp;
    expect(inDark[1]).toBeGreaterThan(sharp[17] ?? 0);
    expect(inDark[3]).toBeGreaterThan(sharp[19] ?? 0);
  });

  it("is the redder and the denser, the more it is blurred; and always lets the tissue through", () => {
    expect(blurred[5]).toBeLessThan(blurred[9] ?? 0);
    expect(blurred[7]).toBeGreaterThan(blurred[11] ?? 0);
    expect(Math.max(...alphas(blurred), ...alphas(sharp))).toBeLessThan(200);
  });
});

describe("parseScene", () => {
  it("reads which image of how many", () => {
    expect(parseScene("2/3")).toEqual({ index: 2, count: 3 });
    expect(parseScene("4/3")).toBeNull();
    expect(parseScene("Scan area 1")).toBeNull();
  });
});

describe("formatHeight", () => {
  it("has its sign, and none at zero", () => {
    expect(formatHeight(1.5, "fr")).toBe("+1,5\u00a0µm");
    expect(formatHeight(-2, "en")).toBe("\u22122\u00a0µm");
    expect(formatHeight(0, "en")).toBe("0\u00a0µm");
  });
});
