import { describe, expect, it } from "vitest";

import { addLights, greyOf } from "./tint";

const pixel = (values: readonly [number, readonly [number, number, number]][]): number[] =>
  [...addLights(values.map(([value, colour]) => ({ grey: Uint8Array.of(value), colour })), 1)];

describe("addLights", () => {
  it("is black and opaque without light", () => {
    expect(pixel([])).toEqual([0, 0, 0, 255]);
    expect(pixel([[0, [255, 255, 255]]])).toEqual([0, 0, 0, 255]);
  });

  it("tints, and keeps every grey of a white light", () => {
    expect(pixel([[255, [0, 96, 255]]])).toEqual([0, 96, 255, 255]);
    for (let value = 0; value < 256; value += 1) {
      expect(pixel([[value, [255, 255, 255]]])).toEqual([value, value, value, 255]);
    }
  });

  it("rounds once, after adding", () => {
    // 100 × 96 / 255 = 37.6
    expect(pixel([[100, [0, 96, 0]]])[1]).toBe(38);
    // 0.4 and 0.4 are 0.8, which is 1: neither is lost before they meet.
    expect(pixel([[1, [102, 0, 0]], [1, [102, 0, 0]]])[0]).toBe(1);
  });

  it("cuts off what is more than the screen can show", () => {
    expect(pixel([[200, [255, 0, 0]], [200, [255, 255, 0]]])).toEqual([255, 200, 0, 255]);
    expect(pixel(Array.from({ length: 40 }, () => [255, [255, 255, 255]] as const).map(([v, c]) => [v, c])))
      .toEqual([255, 255, 255, 255]);
  });

  it("treats every pixel by itself, whatever the order of the lights", () => {
    const red = { grey: Uint8Array.of(0, 10, 255), colour: [255, 0, 0] as const };
    const green = { grey: Uint8Array.of(7, 0, 255), colour: [0, 255, 0] as const };
    const together = addLights([red, green], 3);
    expect([...together]).toEqual([0, 7, 0, 255, 10, 0, 0, 255, 255, 255, 0, 255]);
    expect(addLights([green, red], 3)).toEqual(together);
  });
});

describe("greyOf", () => {
  it("takes one value of each pixel", () => {
    expect([...greyOf(Uint8ClampedArray.of(9, 9, 9, 255, 200, 200, 200, 255))]).toEqual([9, 200]);
  });
});
