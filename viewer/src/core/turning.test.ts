import { describe, expect, it } from "vitest";

import { moveBy, scaleBy, turnBy, UPRIGHT } from "./turning";

describe("a label", () => {
  it("turns both ways, and comes round", () => {
    expect(turnBy(UPRIGHT, -90).degrees).toBe(270);
    expect(turnBy(turnBy(UPRIGHT, 270), 90).degrees).toBe(0);
  });

  it("lies whole in its place at its smallest", () => {
    const away = moveBy(scaleBy(UPRIGHT, 4), 100, 50, 400, 300);
    expect(away).toMatchObject({ scale: 4, x: 100, y: 50 });
    expect(scaleBy(away, 0.01)).toEqual(UPRIGHT);
    expect(scaleBy(UPRIGHT, 1000).scale).toBe(8);
  });

  it("does not leave its frame", () => {
    expect(moveBy(UPRIGHT, 100, 100, 400, 300)).toEqual(UPRIGHT);
    const moved = moveBy(scaleBy(UPRIGHT, 2), 9999, -9999, 400, 300);
    expect([moved.x, moved.y]).toEqual([200, -150]);
  });
});
