import OpenSeadragon from "openseadragon";

import { lookKey, type Look } from "../core/look";
import {
  levelOfOsd,
  tileAt,
  tileContent,
  tileCounts,
  tileExtent,
  type LevelShape,
} from "../core/pyramid";
import { TileError, type TileLoader } from "./tileLoader";

/** Why a tile could not be had: the HTTP status, or 0 when no answer came. */
export type TileFailure = (status: number) => void;

export interface SlideTiles {
  readonly pyramid: readonly LevelShape[];
  readonly look: Look;
  readonly loader: TileLoader;
  readonly onFailure: TileFailure;
  /** The finest level that may be asked for: those below lie in cold storage. */
  readonly finest: number;
}

/**
 * A slide's own pyramid as OpenSeadragon wants it: any factors between levels, tiles of each level's
 * own size, and edge tiles whose padding never reaches the screen.
 *
 * OpenSeadragon works in units of the base's width; `core/pyramid` works in base pixels.
 */
export class SlideTileSource extends OpenSeadragon.TileSource {
  private readonly tiles: SlideTiles;
  private readonly base: LevelShape;
  private readonly closing = new AbortController();

  constructor(tiles: SlideTiles) {
    const base = tiles.pyramid[0];
    if (!base) throw new RangeError("a slide without levels");
    super({
      width: base.columns,
      height: base.rows,
      tileWidth: base.tileColumns,
      tileHeight: base.tileRows,
      tileOverlap: 0,
      minLevel: 0,
      maxLevel: tiles.pyramid.length - 1 - tiles.finest,
    });
    this.tiles = tiles;
    this.base = base;
  }

  /** Another level is the finest that may be asked for from now on. */
  setFinest(level: number): void {
    this.maxLevel = this.tiles.pyramid.length - 1 - level;
  }

  private shapeAt(osdLevel: number): LevelShape {
    const { pyramid } = this.tiles;
    return pyramid[levelOfOsd(osdLevel, pyramid.length)] ?? this.base;
  }

  override getLevelScale(osdLevel: number): number {
    return 1 / this.shapeAt(osdLevel).downsample;
  }

  override getTileWidth(osdLevel: number): number {
    return this.shapeAt(osdLevel).tileColumns;
  }

  override getTileHeight(osdLevel: number): number {
    return this.shapeAt(osdLevel).tileRows;
  }

  override getNumTiles(osdLevel: number): OpenSeadragon.Point {
    const counts = tileCounts(this.shapeAt(osdLevel));
    return new OpenSeadragon.Point(counts.columns, counts.rows);
  }

  /** The library's types say it returns a tile; it returns the tile's column and row. */
  override getTileAtPoint(osdLevel: number, point: OpenSeadragon.Point): OpenSeadragon.Tile {
    const width = this.base.columns;
    const { column, row } = tileAt(this.shapeAt(osdLevel), point.x * width, point.y * width);
    return new OpenSeadragon.Point(column, row) as unknown as OpenSeadragon.Tile;
  }

  override getTileBounds(
    osdLevel: number,
    column: number,
    row: number,
    isSource = false,
  ): OpenSeadragon.Rect {
    const shape = this.shapeAt(osdLevel);
    if (isSource) {
      const content = tileContent(this.base, shape, column, row);
      return new OpenSeadragon.Rect(0, 0, content.columns, content.rows);
    }
    const extent = tileExtent(this.base, shape, column, row);
    const width = this.base.columns;
    return new OpenSeadragon.Rect(
      extent.x / width,
      extent.y / width,
      extent.width / width,
      extent.height / width,
    );
  }

  override getTileUrl(osdLevel: number, column: number, row: number): string {
    const { pyramid, look, loader } = this.tiles;
    const address = loader.addressOf(look, levelOfOsd(osdLevel, pyramid.length), column, row);
    // A tile of light has no one address: what it is known by says the whole look.
    return look.tinted ? `${address}#${lookKey(look)}` : address;
  }

  /** Slides are opaque; saying so spares a clearing of the canvas under every tile. */
  override hasTransparency(): boolean {
    return false;
  }

  /**
   * Fetch and decode a tile away from the main thread, then keep only its image part: without the
   * padding there is nothing for interpolation to pull in at the slide's edge.
   */
  override downloadTileStart(job: OpenSeadragon.ImageJob): void {
    const abort = new AbortController();
    job.userData.abort = abort;
    const signal = AbortSignal.any([abort.signal, this.closing.signal]);
    void this.load(job, signal).catch((error: unknown) => {
      // Settled already, by OpenSeadragon itself; or the whole slide is being left.
      if (abort.signal.aborted || job.jobId === null || this.tiles.loader.closed) return;
      if (this.closing.signal.aborted) {
        // Nobody waits for it, but its place in the queue must be given back, and not for another try.
        job.tries = Infinity;
        job.fail("no longer wanted", null as never);
        return;
      }
      const status = error instanceof TileError ? error.status : 0;
      this.tiles.onFailure(status);
      job.fail(status === 0 ? "no answer, or no image" : `HTTP ${status}`, null as never);
    });
  }

  override downloadTileAbort(job: OpenSeadragon.ImageJob): void {
    (job.userData.abort as AbortController | undefined)?.abort();
  }

  /** The image is being taken away: nothing under way is of use any more. */
  override destroy(): void {
    this.closing.abort();
  }

  private async load(job: OpenSeadragon.ImageJob, signal: AbortSignal): Promise<void> {
    const { level: osdLevel, x: column, y: row } = job.tile;
    const shape = this.shapeAt(osdLevel);
    const bitmap = await this.tiles.loader.load(this.tiles.look, shape.level, column, row, signal);
    const content = tileContent(this.base, shape, column, row);
    const canvas = document.createElement("canvas");
    canvas.width = Math.min(bitmap?.width ?? Infinity, Math.ceil(content.columns));
    canvas.height = Math.min(bitmap?.height ?? Infinity, Math.ceil(content.rows));
    // Kept in main memory: from there it is drawn, or copied into a texture, without reading back.
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new TileError(0);
    if (bitmap) context.drawImage(bitmap, 0, 0);
    else context.fillRect(0, 0, canvas.width, canvas.height);
    bitmap?.close();
    signal.throwIfAborted();
    job.finish(context, null, "context2d");
  }
}
