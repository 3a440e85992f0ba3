import { describe, expect, it } from "vitest";

import {
  channelsOf,
  hexOf,
  largestSample,
  lookOf,
  movedWindow,
  parseHex,
  placeOf,
  sampleAt,
  SLIDER_STEPS,
  soloChannel,
  withChannel,
} from "./channels";
import type { Window } from "./look";

const path = (name: string | null, window: Window | null = [100, 4000]) => ({
  name,
  illumination: "fluorescence",
  colour: null,
  excitation_nm: null,
  emission_nm: null,
  window,
});
const three = [path("DAPI"), { ...path("FITC"), colour: [10, 20, 30] as const }, path(null, null)];

describe("channelsOf", () => {
  it("starts with the file's colours and windows, and colours told apart where it has none", () => {
    const channels = channelsOf(three, 12, true);
    expect(channels.map(({ colour }) => colour)).toEqual([[0, 96, 255], [10, 20, 30], [255, 0, 0]]);
    expect(channels.map(({ window }) => window)).toEqual([[100, 4000], [100, 4000], [0, 4095]]);
    expect(channels.every(({ shown }) => shown)).toBe(true);
  });

  it("shows a single light white, and no more than eight at first", () => {
    expect(channelsOf([path("Grey")], 8, true)[0]?.colour).toEqual([255, 255, 255]);
    const many = channelsOf(Array.from({ length: 40 }, () => path("x")), 8, true);
    expect(many.filter(({ shown }) => shown)).toHaveLength(8);
  });

  it("shows one of several paths of true colours", () => {
    expect(channelsOf(three, 8, false).map(({ shown }) => shown)).toEqual([true, false, false]);
  });
});

describe("lookOf", () => {
  const first = channelsOf(three, 12, true);

  it("leaves windows to the server until they are moved", () => {
    const look = lookOf(withChannel(first, 1, { window: [5, 50] }), first, true, 2);
    expect(look.plane).toBe(2);
    expect(look.layers.map(({ window }) => window)).toEqual([null, [5, 50], null]);
  });

  it("has no layer for what is hidden, and no tint for true colours", () => {
    expect(lookOf(withChannel(first, 0, { shown: false }), first, true, 0).layers).toHaveLength(2);
    const colours = channelsOf(three, 8, false);
    expect(lookOf(colours, colours, false, 0).layers).toEqual([{ path: 0, window: null, colour: null }]);
  });
});

describe("soloChannel", () => {
  it("leaves one, and brings all back the second time", () => {
    const alone = soloChannel(channelsOf(three, 12, true), 1);
    expect(alone.map(({ shown }) => shown)).toEqual([false, true, false]);
    expect(soloChannel(alone, 2).map(({ shown }) => shown)).toEqual([false, false, true]);
    expect(soloChannel(alone, 1).every(({ shown }) => shown)).toBe(true);
  });
});

describe("colours of a field", () => {
  it("go there and back", () => {
    expect(hexOf([0, 96, 255])).toBe("#0060ff");
    expect(parseHex("#0060FF")).toEqual([0, 96, 255]);
    expect(parseHex("blue")).toBeNull();
  });
});

describe("the window's slider", () => {
  it.each([1, 8, 10, 12, 14, 16])("reaches from end to end of %i bits, rising", (bits) => {
    expect(sampleAt(0, bits)).toBe(0);
    expect(sampleAt(SLIDER_STEPS, bits)).toBe(largestSample(bits));
    expect(placeOf(largestSample(bits), bits)).toBe(SLIDER_STEPS);
    for (let place = 1; place <= SLIDER_STEPS; place += 1) {
      expect(sampleAt(place, bits)).toBeGreaterThanOrEqual(sampleAt(place - 1, bits));
    }
  });

  it("gives dim light of 16 bits room to be set", () => {
    expect(placeOf(2000, 16)).toBeGreaterThan(SLIDER_STEPS / 4);
    expect(placeOf(sampleAt(300, 16), 16)).toBe(300);
  });

  it("always leaves some light between its ends", () => {
    expect(movedWindow([10, 20], "low", 30, 8)).toEqual([30, 31]);
    expect(movedWindow([10, 20], "high", 5, 8)).toEqual([4, 5]);
    expect(movedWindow([10, 20], "low", 255, 8)).toEqual([254, 255]);
    expect(movedWindow([10, 20], "high", 0, 8)).toEqual([0, 1]);
    expect(movedWindow([10, 20], "low", 12, 8)).toEqual([12, 20]);
  });
});
