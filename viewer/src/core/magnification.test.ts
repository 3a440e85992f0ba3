import { describe, expect, it } from "vitest";

import {
  digitOfKey,
  isAtPreset,
  magnificationAt,
  maxZoom,
  mppOf,
  nativeMagnification,
  presetForKey,
  presetsFor,
  smallestFit,
  zoomForMagnification,
} from "./magnification";

describe("magnification", () => {
  it("is 40× at 0.25 µm per pixel and 20× at 0.5", () => {
    expect(nativeMagnification(0.25)).toBe(40);
    expect(nativeMagnification(0.5)).toBe(20);
  });

  it("follows the zoom in device pixels per image pixel, and back", () => {
    expect(magnificationAt(0.25, 0.5)).toBe(20);
    expect(zoomForMagnification(0.25, 1.25)).toBe(0.03125);
    expect(magnificationAt(0.499, zoomForMagnification(0.499, 10))).toBeCloseTo(10, 12);
  });

  it("takes its scale from DICOM's spacing", () => {
    expect(mppOf([0.0005, 0.0005])).toBeCloseTo(0.5, 12);
    expect(mppOf([0.0004, 0.0006])).toBeCloseTo(0.5, 12);
    expect(mppOf(null)).toBeNull();
    expect(mppOf([0, 0])).toBeNull();
  });
});

describe("presets", () => {
  it("are objectives on keys 1 to 6 and 1:1 on 7", () => {
    const presets = presetsFor(0.5);
    expect(presets.map((preset) => preset.key)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(presets.map((preset) => preset.value)).toEqual([1.25, 2.5, 5, 10, 20, 40, 1]);
    expect(presetForKey(presets, 5)?.zoom).toBe(1);
    expect(presetForKey(presets, 7)?.zoom).toBe(1);
    expect(presetForKey(presets, 8)).toBeUndefined();
  });

  it("say which of them only enlarge pixels", () => {
    const beyond = presetsFor(0.499).filter((preset) => preset.beyondScan);
    expect(beyond.map((preset) => preset.value)).toEqual([40]);
    expect(presetsFor(0.25).some((preset) => preset.beyondScan)).toBe(false);
  });

  it("are pixel ratios when the slide has no scale", () => {
    const presets = presetsFor(null);
    expect(presets.map((preset) => preset.zoom)).toEqual([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]);
    expect(presetForKey(presets, 7)?.kind).toBe("native");
  });

  it("tell 20× from the 1:1 of a 0.499 µm scan", () => {
    const presets = presetsFor(0.499);
    expect(presets.filter((preset) => isAtPreset(preset, 1)).map((preset) => preset.key)).toEqual([7]);
  });
});

describe("digitOfKey", () => {
  it("reads the place of the key, not what the layout prints there", () => {
    expect(digitOfKey("Digit1")).toBe(1);
    expect(digitOfKey("Numpad0")).toBe(0);
    expect(digitOfKey("KeyA")).toBeNull();
    expect(digitOfKey("Digit12")).toBeNull();
  });
});

describe("smallestFit", () => {
  it("lets every preset be reached, even on a slide smaller than the screen", () => {
    expect(smallestFit(presetsFor(0.5), 0.01)).toBe(0.5);
    expect(smallestFit(presetsFor(0.5), 0.25)).toBeCloseTo(0.1875, 9);
  });
});

describe("maxZoom", () => {
  it("always allows 40×, and four device pixels for one scanned", () => {
    expect(maxZoom(0.25)).toBe(4);
    expect(maxZoom(2)).toBe(8);
    expect(maxZoom(null)).toBe(4);
  });
});
