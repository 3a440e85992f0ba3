import { describe, expect, it } from "vitest";

import { gridPhase, snapStretch } from "./pixelGrid";

describe("snapStretch", () => {
  it("rounds both ends, so that neighbours still meet", () => {
    const left = snapStretch({ start: 10.3, length: 100.4 }, 1, 0);
    const right = snapStretch({ start: 110.7, length: 100.4 }, 1, 0);
    expect(left).toEqual({ start: 10, length: 101 });
    expect(left.start + left.length).toBe(right.start);
  });

  it("knows half CSS pixels on a screen that has them", () => {
    expect(snapStretch({ start: 10.3, length: 120 }, 2, 0)).toEqual({ start: 10.5, length: 120 });
  });

  it("follows a shifted grid", () => {
    expect(snapStretch({ start: 10.3, length: 100 }, 1, 0.5)).toEqual({ start: 10.5, length: 100 });
  });

  it("changes nothing that lies on the grid already", () => {
    expect(snapStretch({ start: -240, length: 240 }, 1, 0)).toEqual({ start: -240, length: 240 });
  });
});

describe("gridPhase", () => {
  it("is half a pixel on its side when the sides differ by an odd number", () => {
    expect(gridPhase(1001, 700, 0)).toBe(0);
    expect(gridPhase(1001, 700, 90)).toBe(0.5);
    expect(gridPhase(1001, 700, -90)).toBe(0.5);
    expect(gridPhase(1001, 701, 270)).toBe(0);
    expect(gridPhase(1001, 700, 180)).toBe(0);
  });

  it("is lost at any other angle", () => {
    expect(gridPhase(1000, 700, 15)).toBeNull();
  });
});
