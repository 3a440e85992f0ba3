import OpenSeadragon from "openseadragon";

import type { Look } from "../core/look";
import { maxZoom, presetsFor, smallestFit } from "../core/magnification";
import { tileCacheCount, type LevelShape } from "../core/pyramid";
import { preferredDrawers } from "./drawer";
import { LookDeck } from "./lookDeck";
import { SlideTileSource } from "./slideTileSource";
import { TileLoader, type TileAddress } from "./tileLoader";

export interface Position {
  readonly x: number;
  readonly y: number;
}

/** What is on the screen at one moment. Positions are in base pixels. */
export interface View {
  /** Device pixels per image pixel of the base: 1 is the sharpest the scan can be. */
  readonly zoom: number;
  /** CSS pixels per image pixel, for whatever is measured on the page. */
  readonly cssZoom: number;
  /** Degrees clockwise, from 0 up to 360. */
  readonly rotation: number;
  readonly mirrored: boolean;
  /** What of the slide is shown; what was asked for last follows when its tiles are there. */
  readonly look: Look | null;
  /** Nothing moves, and every tile in view is drawn of the look asked for. */
  readonly ready: boolean;
  /** The corners of the field of view, clockwise from the upper left of the screen. */
  readonly corners: readonly Position[];
  /** How many tiles could not be loaded. */
  readonly failures: number;
}

export interface SlideViewerOptions {
  readonly element: HTMLElement;
  readonly pyramid: readonly LevelShape[];
  readonly mppUm: number | null;
  /** What of the slide to show first. */
  readonly look: Look;
  readonly tileAddress: TileAddress;
  /** The finest level that may be asked for. */
  readonly finest: number;
  readonly onUnauthorized: () => void;
  /** A level went to cold storage while it was looked at. */
  readonly onCold: () => void;
  readonly reducedMotion: boolean;
}

const MEMORY_FOR_TILES_BYTES = 640 * 1024 * 1024;
/** Air around the whole slide, in CSS pixels; below it lie the instruments. */
const MARGIN = 24;
const LOWER_MARGIN = 84;
const SURROUND = "#1f1f20";
/** Light is seen against the dark. */
const DARKNESS = "#000";
const NOTHING: View = {
  zoom: 1,
  cssZoom: 1,
  rotation: 0,
  mirrored: false,
  look: null,
  ready: false,
  corners: [],
  failures: 0,
};

/** OpenSeadragon held to what a slide needs, with an observable `View` for the screens around it. */
export class SlideViewer {
  readonly osd: OpenSeadragon.Viewer;
  readonly loader: TileLoader;
  private deck: LookDeck | null = null;
  private asked: { look: Look; beside: readonly Look[] } | null = null;
  private readonly base: LevelShape;
  private readonly listeners = new Set<() => void>();
  private readonly failed = new Set<OpenSeadragon.Tile>();
  private current: View = NOTHING;
  private frame = 0;
  private animating = false;
  private finest: number;

  constructor(options: SlideViewerOptions) {
    const base = options.pyramid[0];
    if (!base) throw new RangeError("a slide without levels");
    this.base = base;
    this.finest = options.finest;
    this.loader = new TileLoader(options.tileAddress);
    const sourceOf = (look: Look): SlideTileSource =>
      new SlideTileSource({
        pyramid: options.pyramid,
        look,
        loader: this.loader,
        onFailure: (status) => {
          if (status === 401) options.onUnauthorized();
          if (status === 409) options.onCold();
        },
        finest: this.finest,
      });
    const fittingZoom =
      devicePixelRatio *
      Math.min(
        options.element.clientWidth / base.columns,
        options.element.clientHeight / base.rows,
      );
    const gestures = { clickToZoom: false, dblClickToZoom: true, flickEnabled: true };
    this.osd = OpenSeadragon({
      element: options.element,
      tileSources: sourceOf(options.look) as unknown as OpenSeadragon.TileSourceOptions,
      drawer: preferredDrawers(),
      showNavigationControl: false,
      keyboardNavEnabled: false,
      // The level wanted is loaded first; coarser tiles at hand stand in for it, so nothing flashes.
      immediateRender: true,
      placeholderFillStyle: options.look.tinted ? DARKNESS : SURROUND,
      blendTime: options.reducedMotion ? 0 : 0.08,
      animationTime: options.reducedMotion ? 0 : 0.4,
      springStiffness: 8,
      imageLoaderLimit: 10,
      maxTilesPerFrame: 6,
      maxImageCacheCount: tileCacheCount(base, MEMORY_FOR_TILES_BYTES),
      tileRetryMax: 2,
      tileRetryDelay: 900,
      timeout: 60_000,
      // Just under a half: 10× on a 20× slide of 0.499 µm must be drawn from the base, not blown up.
      minPixelRatio: 0.45,
      // The drawers leave no seams to smooth.
      smoothTileEdgesMinZoom: Infinity,
      minZoomImageRatio: smallestFit(presetsFor(options.mppUm), fittingZoom),
      maxZoomPixelRatio: maxZoom(options.mppUm) / devicePixelRatio,
      visibilityRatio: 0.25,
      zoomPerScroll: 1.25,
      minScrollDeltaTime: 16,
      gestureSettingsMouse: gestures,
      gestureSettingsPen: gestures,
      gestureSettingsTouch: { ...gestures, pinchRotate: false },
    } as OpenSeadragon.Options);
    this.osd.addHandler("open", () => {
      const first = this.osd.world.getItemAt(0);
      this.deck = new LookDeck(this.osd, sourceOf, () => this.refresh(), options.look, first);
      if (this.asked) this.deck.show(this.asked.look, this.asked.beside);
      this.goHome(true);
      this.refresh();
    });
    this.listen();
  }

  /** Show another focal plane or other light; fetch `beside` ahead, as they may be wanted next. */
  show(look: Look, beside: readonly Look[]): void {
    this.asked = { look, beside };
    this.deck?.show(look, beside);
  }

  /** Ask for no level finer than this from now on: what lies below is in cold storage. */
  setFinest(level: number): void {
    if (level === this.finest) return;
    this.finest = level;
    for (let index = 0; index < this.osd.world.getItemCount(); index += 1) {
      const { source } = this.osd.world.getItemAt(index);
      if (source instanceof SlideTileSource) source.setFinest(level);
    }
    this.retryFailed();
  }

  private listen(): void {
    const refresh = (): void => this.refresh();
    const { osd } = this;
    osd.addHandler("viewport-change", refresh);
    osd.addHandler("flip", refresh);
    osd.addHandler("resize", refresh);
    osd.addHandler("animation-start", () => {
      this.animating = true;
      refresh();
    });
    osd.addHandler("animation-finish", () => {
      this.animating = false;
      this.alignToDevicePixels();
      refresh();
    });
    osd.addHandler("tile-load-failed", (event) => {
      // Not of an image that was taken away meanwhile.
      const { tile, tiledImage } = event;
      if (tile && tiledImage && osd.world.getIndexOfItem(tiledImage) >= 0) this.failed.add(tile);
      refresh();
    });
    osd.addHandler("tile-loaded", (event) => {
      if (event.tile && this.failed.delete(event.tile)) refresh();
    });
  }

  /** For React: be told when `view` has changed. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly view = (): View => this.current;

  private refresh(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const { deck } = this;
      if (!deck?.item) return;
      const { viewport } = this.osd;
      const cssZoom = this.cssZoom(true);
      const size = viewport.getContainerSize();
      this.current = {
        zoom: cssZoom * devicePixelRatio,
        cssZoom,
        rotation: (((viewport.getRotation(true) % 360) + 360) % 360) % 360,
        mirrored: viewport.getFlip(),
        look: deck.shown,
        ready: deck.settled && !this.animating,
        corners: [
          this.positionAt(0, 0),
          this.positionAt(size.x, 0),
          this.positionAt(size.x, size.y),
          this.positionAt(0, size.y),
        ],
        failures: [...this.failed].filter((tile) => tile.tiledImage === deck.item).length,
      };
      for (const listener of this.listeners) listener();
    });
  }

  /** CSS pixels per image pixel, now or where an animation is heading. */
  private cssZoom(now: boolean): number {
    const { viewport } = this.osd;
    return (viewport.getZoom(now) * viewport.getContainerSize().x) / this.base.columns;
  }

  /** The base pixel under a point of the viewer's element, in CSS pixels. */
  positionAt(left: number, top: number): Position {
    const { viewport } = this.osd;
    const x = viewport.getFlip() ? viewport.getContainerSize().x - left : left;
    const point = viewport.pointFromPixel(new OpenSeadragon.Point(x, top), true);
    return { x: point.x * this.base.columns, y: point.y * this.base.columns };
  }

  /** The whole slide, upright as it was scanned, with air around it. */
  goHome(immediately = false): void {
    const { viewport } = this.osd;
    viewport.setFlip(false);
    const upright = Math.round(viewport.getRotation() / 360) * 360;
    viewport.rotateTo(upright, undefined, immediately);
    const size = viewport.getContainerSize();
    const { columns, rows } = this.base;
    const cssZoom = Math.min(
      Math.max(1, size.x - 2 * MARGIN) / columns,
      Math.max(1, size.y - MARGIN - LOWER_MARGIN) / rows,
    );
    const width = size.x / cssZoom / columns;
    const height = size.y / cssZoom / columns;
    const middle = (MARGIN + (size.y - MARGIN - LOWER_MARGIN) / 2) / cssZoom / columns;
    viewport.fitBounds(
      new OpenSeadragon.Rect(0.5 - width / 2, rows / columns / 2 - middle, width, height),
      immediately,
    );
  }

  /** Go to a zoom in device pixels per image pixel, keeping the middle of the field where it is. */
  zoomTo(zoom: number): void {
    const { viewport } = this.osd;
    const cssZoom = zoom / devicePixelRatio;
    viewport.zoomTo((cssZoom * this.base.columns) / viewport.getContainerSize().x);
    viewport.applyConstraints();
  }

  zoomBy(factor: number): void {
    this.osd.viewport.zoomBy(factor);
    this.osd.viewport.applyConstraints();
  }

  /** Move the field of view by fractions of its size, along the axes of the screen. */
  pan(right: number, down: number): void {
    const { viewport } = this.osd;
    const size = viewport.getContainerSize();
    const x = right * size.x * (viewport.getFlip() ? -1 : 1);
    viewport.panBy(viewport.deltaPointsFromPixels(new OpenSeadragon.Point(x, down * size.y)));
    viewport.applyConstraints();
  }

  centreOn(position: Position, immediately = false): void {
    const { columns } = this.base;
    this.osd.viewport.panTo(
      new OpenSeadragon.Point(position.x / columns, position.y / columns),
      immediately,
    );
  }

  rotateBy(degrees: number): void {
    const { viewport } = this.osd;
    viewport.rotateTo(viewport.getRotation() + degrees);
  }

  toggleMirror(): void {
    this.osd.viewport.toggleFlip();
  }

  /** Ask again for every tile that could not be loaded. */
  retryFailed(): void {
    for (const tile of this.failed) {
      tile.exists = true;
      tile.loading = false;
    }
    this.failed.clear();
    this.osd.forceResize();
    this.refresh();
  }

  /**
   * At 1:1 let image pixels fall exactly on device pixels: half a pixel off, every one of them would
   * be mixed with its neighbour. Moves the slide by at most half a device pixel.
   */
  private alignToDevicePixels(): void {
    const { viewport } = this.osd;
    if (Math.abs(this.cssZoom(true) * devicePixelRatio - 1) > 1e-4) return;
    if (viewport.getRotation(true) % 90 !== 0) return;
    const origin = viewport.pixelFromPoint(new OpenSeadragon.Point(0, 0), true);
    const offset = (css: number): number => Math.round(css * devicePixelRatio) / devicePixelRatio - css;
    const shift = new OpenSeadragon.Point(offset(origin.x), offset(origin.y));
    if (Math.abs(shift.x) + Math.abs(shift.y) < 0.002) return;
    viewport.panBy(viewport.deltaPointsFromPixels(shift, true).negate(), true);
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    this.listeners.clear();
    this.deck?.destroy();
    this.loader.destroy();
    this.osd.destroy();
  }
}
