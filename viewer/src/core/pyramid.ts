/**
 * The arithmetic of a slide's pyramid. Level 0 is the base, coarser upwards; only OpenSeadragon counts
 * the other way, and its number is always called `osdLevel` here.
 */

export interface LevelShape {
  readonly level: number;
  /** Size of the level in its own pixels, without padding. */
  readonly columns: number;
  readonly rows: number;
  /** Size of one stored tile; tiles on the right and lower edges are padded to it. */
  readonly tileColumns: number;
  readonly tileRows: number;
  /** Base pixels per pixel of this level, the same along both axes. */
  readonly downsample: number;
}

/** A rectangle, from its upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface RawLevel {
  readonly level: number;
  readonly columns: number;
  readonly rows: number;
  readonly tile_columns: number;
  readonly tile_rows: number;
  readonly downsample: number;
}

/** Build the pyramid, base first, with each level's downsample made exact where that is possible. */
export function pyramidOf(levels: readonly RawLevel[]): LevelShape[] {
  const sorted = [...levels].sort((a, b) => a.level - b.level);
  const base = sorted[0];
  if (!base || base.level !== 0) throw new RangeError("a slide without a base level");
  return sorted.map((raw) => ({
    level: raw.level,
    columns: raw.columns,
    rows: raw.rows,
    tileColumns: raw.tile_columns,
    tileRows: raw.tile_rows,
    downsample: exactDownsample(base, raw),
  }));
}

/**
 * Scanners halve or quarter and then round the size of the level down or up, so the ratio of the sizes
 * (5934 / 1483 = 4.0013) is a little off the true factor (4). Using the ratio would shift tissue by a
 * pixel or two between levels; so take the whole number whenever it explains the sizes on both axes.
 */
export function exactDownsample(
  base: { readonly columns: number; readonly rows: number },
  level: { readonly columns: number; readonly rows: number; readonly downsample: number },
): number {
  const ratio = base.columns / level.columns;
  for (const factor of [Math.round(level.downsample), Math.round(ratio)]) {
    if (factor < 1) continue;
    const explains = (whole: number, part: number): boolean =>
      part === Math.floor(whole / factor) || part === Math.ceil(whole / factor);
    if (explains(base.columns, level.columns) && explains(base.rows, level.rows)) return factor;
  }
  return level.downsample > 0 ? level.downsample : ratio;
}

/** The level behind OpenSeadragon's number, which counts from the coarsest. */
export function levelOfOsd(osdLevel: number, levelCount: number): number {
  return levelCount - 1 - osdLevel;
}

/** How many tiles a level has along each axis, the padded ones included. */
export function tileCounts(shape: LevelShape): { columns: number; rows: number } {
  return {
    columns: Math.ceil(shape.columns / shape.tileColumns),
    rows: Math.ceil(shape.rows / shape.tileRows),
  };
}

/**
 * The part of a stored tile that is image and not padding, in pixels of the tile. A level whose size
 * was rounded up ends in a fraction of a pixel: that fraction is kept, so nothing reaches beyond the base.
 */
export function tileContent(
  base: LevelShape,
  shape: LevelShape,
  column: number,
  row: number,
): { columns: number; rows: number } {
  const columns = Math.min(shape.columns, base.columns / shape.downsample);
  const rows = Math.min(shape.rows, base.rows / shape.downsample);
  return {
    columns: Math.min(shape.tileColumns, columns - column * shape.tileColumns),
    rows: Math.min(shape.tileRows, rows - row * shape.tileRows),
  };
}

/** Where the image part of a tile lies on the slide, in base pixels. */
export function tileExtent(base: LevelShape, shape: LevelShape, column: number, row: number): Box {
  const content = tileContent(base, shape, column, row);
  return {
    x: column * shape.tileColumns * shape.downsample,
    y: row * shape.tileRows * shape.downsample,
    width: content.columns * shape.downsample,
    height: content.rows * shape.downsample,
  };
}

/** The tile that holds a base pixel; the last one for a point on or past the far edge. */
export function tileAt(
  shape: LevelShape,
  baseX: number,
  baseY: number,
): { column: number; row: number } {
  const counts = tileCounts(shape);
  const clamp = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value));
  return {
    column: clamp(Math.floor(baseX / shape.downsample / shape.tileColumns), counts.columns),
    row: clamp(Math.floor(baseY / shape.downsample / shape.tileRows), counts.rows),
  };
}

/** How many decoded tiles to keep, within a budget of memory: four bytes for each pixel. */
export function tileCacheCount(shape: LevelShape, budgetBytes: number): number {
  const bytes = shape.tileColumns * shape.tileRows * 4;
  return Math.max(96, Math.min(1600, Math.floor(budgetBytes / bytes)));
}

/**
 * The level to draw a small picture of the whole slide from: the coarsest that has every pixel of it, or
 * the finest of at most `mostTiles` tiles where that one has more; null where even the coarsest has more.
 */
export function levelForPicture(
  pyramid: readonly LevelShape[],
  columns: number,
  mostTiles: number,
): LevelShape | null {
  let chosen: LevelShape | null = null;
  for (const shape of pyramid.toReversed()) {
    const counts = tileCounts(shape);
    if (counts.columns * counts.rows > mostTiles) break;
    chosen = shape;
    if (shape.columns >= columns) break;
  }
  return chosen;
}
