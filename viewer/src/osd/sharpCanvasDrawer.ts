import OpenSeadragon from "openseadragon";

import { gridPhase, snapStretch } from "../core/pixelGrid";

/**
 * OpenSeadragon's canvas drawer hides the seams between tiles by stretching every one of them by a
 * pixel, which blurs a slide at 1:1. This one lays tiles on device pixels instead, where there are no
 * seams; only a slide turned by less than a quarter still needs a device pixel of overlap.
 */
export class SharpCanvasDrawer extends OpenSeadragon.CanvasDrawer {
  // The two members that the library's types leave out are the drawer interface it documents.
  minimumOverlapRequired(): boolean {
    return false;
  }

  draw(images: readonly OpenSeadragon.TiledImage[]): void {
    const ratio = devicePixelRatio;
    const phase = gridPhase(this.canvas.width, this.canvas.height, this.viewport.getRotation(true));
    for (const image of images) {
      for (const { tile } of image.getTilesToDraw()) this.place(tile, ratio, phase);
    }
    canvasDrawer.draw.call(this, images);
  }

  private place(tile: OpenSeadragon.Tile, ratio: number, phase: number | null): void {
    const bounds = tile.positionedBounds;
    const start = this.viewport.pixelFromPointNoRotate(bounds.getTopLeft(), true);
    const size = this.viewport.deltaPixelsFromPointsNoRotate(bounds.getSize(), true);
    if (phase === null) {
      tile.position = start;
      tile.size = new OpenSeadragon.Point(size.x + 1 / ratio, size.y + 1 / ratio);
      return;
    }
    const across = snapStretch({ start: start.x, length: size.x }, ratio, phase);
    const down = snapStretch({ start: start.y, length: size.y }, ratio, phase);
    tile.position = new OpenSeadragon.Point(across.start, down.start);
    tile.size = new OpenSeadragon.Point(across.length, down.length);
  }
}

const canvasDrawer = OpenSeadragon.CanvasDrawer.prototype as OpenSeadragon.CanvasDrawer & {
  draw(images: readonly OpenSeadragon.TiledImage[]): void;
};
