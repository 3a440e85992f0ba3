import { describe, expect, it } from "vitest";

import {
  exactDownsample,
  levelForPicture,
  levelOfOsd,
  pyramidOf,
  tileAt,
  tileCacheCount,
  tileContent,
  tileCounts,
  tileExtent,
  type LevelShape,
} from "./pyramid";

const raw = (level: number, columns: number, rows: number, downsample: number, tile = 240) => ({
  level,
  columns,
  rows,
  tile_columns: tile,
  tile_rows: tile,
  downsample,
});

const aperio = pyramidOf([
  raw(2, 277, 370, 16.033),
  raw(0, 4440, 5934, 1),
  raw(1, 1110, 1483, 4.0007),
]);
const [base, quarter, sixteenth] = aperio as [LevelShape, LevelShape, LevelShape];

describe("pyramidOf", () => {
  it("puts the base first and makes the factors whole", () => {
    expect(aperio.map((shape) => shape.level)).toEqual([0, 1, 2]);
    expect(aperio.map((shape) => shape.downsample)).toEqual([1, 4, 16]);
  });

  it("refuses a slide without a base", () => {
    expect(() => pyramidOf([])).toThrow(RangeError);
    expect(() => pyramidOf([raw(1, 10, 10, 4)])).toThrow(RangeError);
  });
});

describe("exactDownsample", () => {
  it("takes a whole factor that explains sizes rounded up or down", () => {
    expect(exactDownsample({ columns: 101, rows: 99 }, raw(1, 51, 49, 2.01))).toBe(2);
    expect(exactDownsample({ columns: 101, rows: 99 }, raw(1, 50, 50, 1.99))).toBe(2);
  });

  it("keeps a factor that really is fractional", () => {
    expect(exactDownsample({ columns: 4440, rows: 5934 }, raw(1, 1200, 1603, 3.7))).toBe(3.7);
  });
});

describe("levelOfOsd", () => {
  it("counts from the coarsest", () => {
    expect([0, 1, 2].map((osdLevel) => levelOfOsd(osdLevel, 3))).toEqual([2, 1, 0]);
  });
});

describe("tiles", () => {
  it("counts the padded ones", () => {
    expect(tileCounts(base)).toEqual({ columns: 19, rows: 25 });
    expect(tileCounts(sixteenth)).toEqual({ columns: 2, rows: 2 });
  });

  it("leaves the padding out", () => {
    expect(tileContent(base, base, 0, 0)).toEqual({ columns: 240, rows: 240 });
    expect(tileContent(base, base, 18, 24)).toEqual({ columns: 120, rows: 174 });
    expect(tileContent(base, sixteenth, 1, 1)).toEqual({ columns: 37, rows: 130 });
  });

  it("lie where their pixels belong on the base", () => {
    expect(tileExtent(base, quarter, 1, 2)).toEqual({ x: 960, y: 1920, width: 960, height: 960 });
    expect(tileExtent(base, base, 18, 24)).toEqual({ x: 4320, y: 5760, width: 120, height: 174 });
  });

  it("never reach beyond the base, even when a level was rounded up", () => {
    const levels = pyramidOf([raw(0, 1001, 1001, 1, 256), raw(1, 251, 251, 4, 256)]);
    const [whole, part] = levels as [LevelShape, LevelShape];
    const extent = tileExtent(whole, part, 0, 0);
    expect(extent.width).toBe(1001);
    expect(extent.height).toBe(1001);
  });

  it("cover the base without gap or overlap at every level", () => {
    for (const shape of aperio) {
      const counts = tileCounts(shape);
      let reached = 0;
      for (let column = 0; column < counts.columns; column += 1) {
        const extent = tileExtent(base, shape, column, 0);
        expect(extent.x).toBeCloseTo(reached, 9);
        reached = extent.x + extent.width;
      }
      expect(base.columns - reached).toBeGreaterThanOrEqual(0);
      expect(base.columns - reached).toBeLessThan(shape.downsample);
    }
  });

  it("are found from a point, the last one for a point on the edge", () => {
    expect(tileAt(base, 0, 0)).toEqual({ column: 0, row: 0 });
    expect(tileAt(base, 240, 239.9)).toEqual({ column: 1, row: 0 });
    expect(tileAt(base, 4440, 5934)).toEqual({ column: 18, row: 24 });
    expect(tileAt(quarter, -5, 1e9)).toEqual({ column: 0, row: 6 });
  });

  it("do not run past the last one where a level was rounded down", () => {
    const levels = pyramidOf([raw(0, 1923, 1923, 1), raw(1, 480, 480, 4.006)]);
    const [, part] = levels as [LevelShape, LevelShape];
    expect(tileAt(part, 1922.9, 1922.9)).toEqual({ column: 1, row: 1 });
  });
});

describe("levelForPicture", () => {
  it("takes the coarsest level that has the pixels", () => {
    expect(levelForPicture(aperio, 200, 12)).toBe(sixteenth);
    expect(levelForPicture(aperio, 278, 1000)).toBe(quarter);
  });

  it("takes no more tiles than allowed", () => {
    expect(levelForPicture(aperio, 5000, 12)).toBe(sixteenth);
    expect(levelForPicture(aperio, 200, 3)).toBeNull();
  });
});

describe("tileCacheCount", () => {
  it("keeps to the budget, within reason", () => {
    const megabyte = 1024 * 1024;
    const shape = { ...base, tileColumns: 512, tileRows: 512 };
    expect(tileCacheCount(shape, 640 * megabyte)).toBe(640);
    expect(tileCacheCount({ ...shape, tileColumns: 4096 }, megabyte)).toBe(96);
    expect(tileCacheCount({ ...shape, tileColumns: 16 }, 640 * megabyte)).toBe(1600);
  });
});
