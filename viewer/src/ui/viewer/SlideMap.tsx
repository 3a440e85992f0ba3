import { memo, useEffect, useMemo, useRef, type PointerEvent } from "react";
import { useTranslation } from "react-i18next";

import { imageAddress } from "../../api/client";
import type { Slide } from "../../api/types";
import { firstPlane, type Look } from "../../core/look";
import { snapStretch } from "../../core/pixelGrid";
import {
  levelForPicture,
  tileContent,
  tileCounts,
  tileExtent,
  type Box,
  type LevelShape,
} from "../../core/pyramid";
import type { SlideViewer, View } from "../../osd/slideViewer";
import styles from "./SlideMap.module.css";

const MAX_WIDTH = 220;
const MAX_HEIGHT = 220;
const MOST_TILES = 12;
/** A field of view smaller than this on the map is found by the lines that cross in it. */
const SMALL_FIELD = 14;

/** The whole slide as it was scanned, and on it the field of view, turned and mirrored as it is. */
export function SlideMap(props: {
  readonly slide: Slide;
  readonly pyramid: readonly LevelShape[];
  /** Whose light the map shows too; its focus stays where the slide was opened. */
  readonly look: Look;
  readonly view: View;
  readonly viewer: SlideViewer;
}) {
  const { t } = useTranslation();
  const { slide, pyramid, view, viewer } = props;
  const { tinted, layers } = props.look;
  const look = useMemo(
    () => ({ tinted, layers, plane: firstPlane(slide.focal_planes_um) }),
    [tinted, layers, slide.focal_planes_um],
  );
  const frame = useRef<HTMLDivElement>(null);
  const scale = Math.min(MAX_WIDTH / slide.columns, MAX_HEIGHT / slide.rows);
  const width = slide.columns * scale;
  const height = slide.rows * scale;

  const goThere = (event: PointerEvent): void => {
    const box = frame.current?.getBoundingClientRect();
    if (!box) return;
    viewer.centreOn(
      {
        x: ((event.clientX - box.left) / box.width) * slide.columns,
        y: ((event.clientY - box.top) / box.height) * slide.rows,
      },
      event.type === "pointermove",
    );
  };

  const corners = view.corners.map((corner) => ({ x: corner.x * scale, y: corner.y * scale }));
  const xs = corners.map((corner) => corner.x);
  const ys = corners.map((corner) => corner.y);
  const small =
    Math.max(...xs) - Math.min(...xs) < SMALL_FIELD &&
    Math.max(...ys) - Math.min(...ys) < SMALL_FIELD;
  const middle = {
    x: xs.reduce((sum, x) => sum + x, 0) / Math.max(1, xs.length),
    y: ys.reduce((sum, y) => sum + y, 0) / Math.max(1, ys.length),
  };
  const outline = corners.map((corner) => `${corner.x},${corner.y}`).join(" ");

  return (
    <div className={styles.map}>
      <div
        ref={frame}
        className={styles.frame}
        style={{ width, height }}
        role="img"
        aria-label={t("viewer.map")}
        title={t("viewer.map")}
        data-testid="map"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          goThere(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) goThere(event);
        }}
      >
        {/* Asked for again when what had failed has come. */}
        <MapPicture
          key={view.failures === 0 ? "whole" : "failing"}
          slide={slide}
          pyramid={pyramid}
          viewer={viewer}
          look={look}
          scale={scale}
          width={width}
          height={height}
        />
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          {small && (
            <path
              className={styles.cross}
              d={`M${middle.x} 0V${height}M0 ${middle.y}H${width}`}
            />
          )}
          <polygon className={styles.halo} points={outline} />
          <polygon className={styles.field} points={outline} data-testid="map-field" />
        </svg>
      </div>
    </div>
  );
}

interface Piece {
  /** Null is darkness. */
  readonly load: (signal: AbortSignal) => Promise<CanvasImageSource & Size | null>;
  /** The part of the picture to draw, in its own pixels; the whole of it when absent. */
  readonly part?: { readonly columns: number; readonly rows: number };
  /** Where it belongs, in base pixels. */
  readonly extent: Box;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * A coarse level itself where it has few tiles, as it has the slide's own colours and proportions; else
 * the thumbnail.
 */
function piecesOf(
  slide: Slide,
  pyramid: readonly LevelShape[],
  loader: SlideViewer["loader"],
  look: Look,
  columns: number,
): Piece[] {
  const base = pyramid[0];
  if (!base) return [];
  const shape = levelForPicture(pyramid, columns, MOST_TILES);
  if (shape) {
    const counts = tileCounts(shape);
    return Array.from({ length: counts.columns * counts.rows }, (_, index) => {
      const column = index % counts.columns;
      const row = Math.floor(index / counts.columns);
      return {
        load: (signal) => loader.load(look, shape.level, column, row, signal),
        part: tileContent(base, shape, column, row),
        extent: tileExtent(base, shape, column, row),
      };
    });
  }
  if (!slide.associated.includes("thumbnail")) return [];
  const extent = { x: 0, y: 0, width: slide.columns, height: slide.rows };
  return [{ load: () => loadImage(imageAddress(slide.id, "thumbnail")), extent }];
}

async function loadImage(address: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

/** Drawn on whole device pixels, so that the pieces meet without a seam. */
const MapPicture = memo(function MapPicture(props: {
  readonly slide: Slide;
  readonly pyramid: readonly LevelShape[];
  readonly viewer: SlideViewer;
  readonly look: Look;
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}) {
  const { slide, pyramid, viewer, look, scale, width, height } = props;
  const canvas = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    const target = canvas.current;
    const context = target?.getContext("2d");
    if (!target || !context) return;
    target.width = Math.round(width * devicePixelRatio);
    target.height = Math.round(height * devicePixelRatio);
  }, [width, height]);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return undefined;
    const ratio = devicePixelRatio;
    const closing = new AbortController();
    context.imageSmoothingQuality = "high";
    const pieces = piecesOf(slide, pyramid, viewer.loader, look, width * ratio);
    for (const { load, part, extent } of pieces) {
      const across = snapStretch({ start: extent.x * scale, length: extent.width * scale }, ratio, 0);
      const down = snapStretch({ start: extent.y * scale, length: extent.height * scale }, ratio, 0);
      const box = [across.start, down.start, across.length, down.length] as const;
      const [left, top, wide, high] = box.map((css) => css * ratio) as [number, number, number, number];
      load(closing.signal)
        .then((picture) => {
          if (closing.signal.aborted) return;
          if (!picture) {
            context.fillRect(left, top, wide, high);
            return;
          }
          const columns = Math.min(picture.width, part?.columns ?? Infinity);
          const rows = Math.min(picture.height, part?.rows ?? Infinity);
          context.drawImage(picture, 0, 0, columns, rows, left, top, wide, high);
          if (picture instanceof ImageBitmap) picture.close();
        })
        // A piece that does not come leaves its place empty; the stage says what is wrong.
        .catch(() => undefined);
    }
    return () => closing.abort();
  }, [slide, pyramid, viewer, look, scale, width, height]);

  return <canvas ref={canvas} style={{ width, height }} />;
});
