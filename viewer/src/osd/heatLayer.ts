import OpenSeadragon from "openseadragon";

import { heatColours } from "../core/quality";

export interface HeatGrid {
  readonly columns: number;
  readonly rows: number;
  /** Base pixels that each cell covers. */
  readonly cellColumns: number;
  readonly cellRows: number;
  /** Laid over darkness, where only light lines are seen. */
  readonly dark: boolean;
}

/** Distance of the hatching's lines, in device pixels. */
const HATCH = 9;

/**
 * Laid over the slide: where it is blurred, in warm colours and hatched, so that it is seen without
 * telling colours apart. Drawn right after OpenSeadragon has drawn, so that it never lags behind.
 */
export class HeatLayer {
  private readonly canvas = document.createElement("canvas");
  private readonly blurred: HTMLCanvasElement;
  private readonly sharp: HTMLCanvasElement;
  private readonly hatch: CanvasPattern | null;
  private readonly draw = (): void => this.paint();

  private constructor(
    private readonly osd: OpenSeadragon.Viewer,
    private readonly base: { readonly columns: number; readonly rows: number },
    private readonly grid: HeatGrid,
    values: Uint8Array,
  ) {
    const colours = heatColours(values, grid.dark);
    this.blurred = canvasOf(colours.blurred, grid);
    this.sharp = canvasOf(colours.sharp, grid);
    this.hatch = hatching(grid.dark);
    Object.assign(this.canvas.style, {
      position: "absolute",
      inset: "0",
      width: "100%",
      height: "100%",
      pointerEvents: "none",
    });
    this.canvas.dataset["testid"] = "focus-layer";
    osd.canvas.append(this.canvas);
    osd.addHandler("update-viewport", this.draw);
    osd.addHandler("flip", this.draw);
    osd.addHandler("resize", this.draw);
    this.paint();
  }

  /** `picture` is grey, with one pixel for each cell. */
  static async over(
    osd: OpenSeadragon.Viewer,
    base: { readonly columns: number; readonly rows: number },
    grid: HeatGrid,
    picture: Blob,
    signal: AbortSignal,
  ): Promise<HeatLayer | null> {
    const bitmap = await createImageBitmap(picture, { colorSpaceConversion: "none" });
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const fits = bitmap.width === grid.columns && bitmap.height === grid.rows;
    if (signal.aborted || !context || !fits) return null;
    context.canvas.width = grid.columns;
    context.canvas.height = grid.rows;
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const rgba = context.getImageData(0, 0, grid.columns, grid.rows).data;
    const values = Uint8Array.from({ length: rgba.length / 4 }, (_, cell) => rgba[cell * 4] ?? 0);
    return new HeatLayer(osd, base, grid, values);
  }

  private paint(): void {
    const { viewport } = this.osd;
    const ratio = devicePixelRatio;
    const size = viewport.getContainerSize();
    const width = Math.round(size.x * ratio);
    const height = Math.round(size.y * ratio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);

    context.save();
    this.toCells(context, ratio, size.x);
    context.imageSmoothingEnabled = false;
    context.beginPath();
    // The last cells reach beyond the slide.
    const { cellColumns, cellRows } = this.grid;
    context.rect(0, 0, this.base.columns / cellColumns, this.base.rows / cellRows);
    context.clip();
    context.drawImage(this.blurred, 0, 0);
    if (this.hatch) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.globalCompositeOperation = "source-atop";
      context.fillStyle = this.hatch;
      context.fillRect(0, 0, width, height);
      this.toCells(context, ratio, size.x);
    }
    context.globalCompositeOperation = "destination-over";
    context.drawImage(this.sharp, 0, 0);
    context.restore();
  }

  /** Let the context count in cells, wherever the slide lies, turned and mirrored as it may be. */
  private toCells(context: CanvasRenderingContext2D, ratio: number, width: number): void {
    const { viewport } = this.osd;
    const place = (column: number, row: number): OpenSeadragon.Point => {
      const { columns } = this.base;
      const point = new OpenSeadragon.Point(
        (column * this.grid.cellColumns) / columns,
        (row * this.grid.cellRows) / columns,
      );
      const at = viewport.pixelFromPoint(point, true);
      if (viewport.getFlip()) at.x = width - at.x;
      return at.times(ratio);
    };
    const origin = place(0, 0);
    const across = place(1, 0).minus(origin);
    const down = place(0, 1).minus(origin);
    context.setTransform(across.x, across.y, down.x, down.y, origin.x, origin.y);
  }

  destroy(): void {
    // OpenSeadragon forgets its handlers when it is closed first.
    this.osd.removeHandler("update-viewport", this.draw);
    this.osd.removeHandler("flip", this.draw);
    this.osd.removeHandler("resize", this.draw);
    this.canvas.remove();
  }
}

function canvasOf(rgba: Uint8ClampedArray<ArrayBuffer>, grid: HeatGrid): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = grid.columns;
  canvas.height = grid.rows;
  canvas.getContext("2d")?.putImageData(new ImageData(rgba, grid.columns, grid.rows), 0, 0);
  return canvas;
}

/** Diagonals that meet across the edges of their square. */
function hatching(dark: boolean): CanvasPattern | null {
  const square = document.createElement("canvas");
  const side = Math.round(HATCH * devicePixelRatio);
  square.width = side;
  square.height = side;
  const context = square.getContext("2d");
  if (!context) return null;
  context.strokeStyle = dark ? "rgb(255 230 200 / 55%)" : "rgb(60 0 0 / 75%)";
  context.lineWidth = 1.3 * devicePixelRatio;
  context.beginPath();
  for (const shift of [-side, 0, side]) {
    context.moveTo(shift - 1, side + 1);
    context.lineTo(shift + side + 1, -1);
  }
  context.stroke();
  return context.createPattern(square, "repeat");
}
