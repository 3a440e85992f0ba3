import { describe, expect, it } from "vitest";

import { firstPlane, lookKey, planesBeside, stepPlane, tileQuery, wheelSteps, type Look } from "./look";

const colours: Look = {
  plane: 0,
  tinted: false,
  layers: [{ path: 0, window: null, colour: null }],
};

describe("tileQuery", () => {
  it("says nothing of the first path at the first plane, so that such tiles keep one address", () => {
    expect(tileQuery(0, { path: 0, window: null, colour: [0, 0, 255] })).toBe("");
  });

  it("names path, plane and window", () => {
    expect(tileQuery(3, { path: 2, window: [10, 4000], colour: null })).toBe(
      "?path=2&plane=3&window=10-4000",
    );
    expect(tileQuery(1, { path: 0, window: null, colour: null })).toBe("?plane=1");
  });
});

describe("lookKey", () => {
  it("tells plane, path, window and colour apart", () => {
    const layer = { path: 1, window: [0, 9], colour: [1, 2, 3] } as const;
    const looks: Look[] = [
      colours,
      { ...colours, plane: 1 },
      { ...colours, layers: [{ path: 1, window: null, colour: null }] },
      { plane: 0, tinted: true, layers: [layer] },
      { plane: 0, tinted: true, layers: [{ ...layer, window: [0, 10] }] },
      { plane: 0, tinted: true, layers: [{ ...layer, colour: [1, 2, 4] }] },
      { plane: 0, tinted: true, layers: [layer, { ...layer, path: 2 }] },
      { plane: 0, tinted: true, layers: [] },
    ];
    expect(new Set(looks.map(lookKey)).size).toBe(looks.length);
    expect(lookKey({ ...colours })).toBe(lookKey(colours));
  });
});

describe("focal planes", () => {
  it("open where the scanner focused, else in the middle", () => {
    expect(firstPlane([0])).toBe(0);
    expect(firstPlane([-4, -2, 0, 2])).toBe(2);
    expect(firstPlane([-1, 0.2, 3])).toBe(1);
    expect(firstPlane([0, 1, 2, 3, 4])).toBe(2);
    expect(firstPlane([-6, -4, -2, 0])).toBe(1);
    expect(firstPlane([])).toBe(0);
  });

  it("step up and down and stop at the ends", () => {
    expect(stepPlane(1, 1, 3)).toBe(2);
    expect(stepPlane(2, 1, 3)).toBe(2);
    expect(stepPlane(1, -5, 3)).toBe(0);
  });

  it("have neighbours on the slide only", () => {
    expect(planesBeside(0, 1)).toEqual([]);
    expect(planesBeside(0, 3)).toEqual([1]);
    expect(planesBeside(1, 3)).toEqual([2, 0]);
    expect(planesBeside(2, 3)).toEqual([1]);
  });
});

describe("wheelSteps", () => {
  const turn = (deltas: readonly number[]): number => {
    let left = 0;
    let total = 0;
    for (const delta of deltas) {
      const turned = wheelSteps(left, delta);
      left = turned.left;
      total += turned.steps;
    }
    return total;
  };

  it("takes one step for each notch, large or small", () => {
    expect(turn([100])).toBe(1);
    expect(turn([100, 100, 100])).toBe(3);
    expect(turn([360])).toBe(1);
    expect(turn([-120, -120])).toBe(-2);
  });

  it("gathers slivers, and forgets them when the wheel turns back", () => {
    expect(turn([20, 20, 20])).toBe(0);
    expect(turn([20, 20, 20, 20])).toBe(1);
    expect(turn([60, -60])).toBe(0);
    expect(turn([60, -80])).toBe(-1);
  });
});
