import { memo, useEffect, useRef, type PointerEvent } from "react";
import { useTranslation } from "react-i18next";

import { imageAddress, tileAddress } from "../../api/client";
import type { Slide } from "../../api/types";
import { snapStretch } from "../../core/pixelGrid";
import { tileContent, tileCounts, tileExtent, type Box, type LevelShape } from "../../core/pyramid";
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
  readonly view: View;
  readonly viewer: SlideViewer;
}) {
  const { t } = useTranslation();
  const { slide, pyramid, view, viewer } = props;
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
  readonly address: string;
  /** The part of the picture to draw, in its own pixels; the whole of it when absent. */
  readonly part?: { readonly columns: number; readonly rows: number };
  /** Where it belongs, in base pixels. */
  readonly extent: Box;
}

/**
 * The coarsest level itself where it has few tiles, as it has the slide's own colours and proportions;
 * else the thumbnail.
 */
function piecesOf(slide: Slide, pyramid: readonly LevelShape[]): Piece[] {
  const base = pyramid[0];
  const coarsest = pyramid.at(-1);
  if (!base || !coarsest) return [];
  const counts = tileCounts(coarsest);
  if (counts.columns * counts.rows <= MOST_TILES) {
    return Array.from({ length: counts.columns * counts.rows }, (_, index) => {
      const column = index % counts.columns;
      const row = Math.floor(index / counts.columns);
      return {
        address: tileAddress(slide.id, coarsest.level, column, row),
        part: tileContent(base, coarsest, column, row),
        extent: tileExtent(base, coarsest, column, row),
      };
    });
  }
  if (!slide.associated.includes("thumbnail")) return [];
  const extent = { x: 0, y: 0, width: slide.columns, height: slide.rows };
  return [{ address: imageAddress(slide.id, "thumbnail"), extent }];
}

/** Drawn on whole device pixels, so that the pieces meet without a seam. */
const MapPicture = memo(function MapPicture(props: {
  readonly slide: Slide;
  readonly pyramid: readonly LevelShape[];
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}) {
  const { slide, pyramid, scale, width, height } = props;
  const canvas = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    const target = canvas.current;
    const context = target?.getContext("2d");
    if (!target || !context) return undefined;
    const ratio = devicePixelRatio;
    target.width = Math.round(width * ratio);
    target.height = Math.round(height * ratio);
    context.imageSmoothingQuality = "high";
    const images = piecesOf(slide, pyramid).map(({ address, part, extent }) => {
      const image = new Image();
      image.onload = () => {
        const across = snapStretch(
          { start: extent.x * scale, length: extent.width * scale },
          ratio,
          0,
        );
        const down = snapStretch({ start: extent.y * scale, length: extent.height * scale }, ratio, 0);
        context.drawImage(
          image,
          0,
          0,
          Math.min(image.naturalWidth, part?.columns ?? image.naturalWidth),
          Math.min(image.naturalHeight, part?.rows ?? image.naturalHeight),
          across.start * ratio,
          down.start * ratio,
          across.length * ratio,
          down.length * ratio,
        );
      };
      image.src = address;
      return image;
    });
    return () => {
      for (const image of images) image.onload = null;
    };
  }, [slide, pyramid, scale, width, height]);

  return <canvas ref={canvas} style={{ width, height }} />;
});
