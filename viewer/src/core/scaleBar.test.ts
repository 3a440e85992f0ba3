import { describe, expect, it } from "vitest";

import { chooseScaleBar, spacingAcrossScreen } from "./scaleBar";

describe("chooseScaleBar", () => {
  it.each([
    [0.25, 160, 20],
    [0.5, 200, 100],
    [1, 100, 100],
    [1, 99, 50],
    [1, 49, 20],
    [1, 19, 10],
    [0.01, 160, 1],
    [60, 160, 5000],
    [0.003, 100, 0.2],
  ])("at %f µm per pixel and %i pixels chooses %f µm", (umPerPixel, maxWidth, lengthUm) => {
    const bar = chooseScaleBar(umPerPixel, maxWidth);
    expect(bar?.lengthUm).toBe(lengthUm);
    expect(bar?.width).toBeCloseTo(lengthUm / umPerPixel, 9);
    expect(bar?.width).toBeLessThanOrEqual(maxWidth + 1e-6);
  });

  it("is always 1, 2 or 5 times a power of ten and at least two fifths of the room", () => {
    for (let exponent = -3; exponent < 3; exponent += 0.013) {
      const bar = chooseScaleBar(10 ** exponent, 160);
      const first = Number(bar?.lengthUm.toExponential().split("e")[0]);
      expect([1, 2, 5]).toContain(first);
      expect(bar?.width).toBeGreaterThanOrEqual(160 * 0.4 - 1e-6);
    }
  });

  it("gives none without a scale", () => {
    expect(chooseScaleBar(0, 160)).toBeNull();
    expect(chooseScaleBar(Number.NaN, 160)).toBeNull();
    expect(chooseScaleBar(Infinity, 160)).toBeNull();
  });
});

describe("spacingAcrossScreen", () => {
  it("is the spacing between columns upright, between rows on the side", () => {
    expect(spacingAcrossScreen([0.0004, 0.0006], 0)).toBeCloseTo(0.6, 9);
    expect(spacingAcrossScreen([0.0004, 0.0006], 90)).toBeCloseTo(0.4, 9);
    expect(spacingAcrossScreen([0.0005, 0.0005], 33)).toBeCloseTo(0.5, 9);
  });
});
