import { useEffect } from "react";

import { useFocusMap as useFocusPicture } from "../../api/queries";
import type { Slide } from "../../api/types";
import { HeatLayer } from "../../osd/heatLayer";
import type { SlideViewer } from "../../osd/slideViewer";

/** Lay the focus map over the slide while it is wanted; true when it could not be had. */
export function useFocusMap(
  viewer: SlideViewer | null,
  slide: Slide,
  wanted: boolean,
): { readonly failed: boolean } {
  const grid = slide.quality?.heat_map ?? null;
  const picture = useFocusPicture(slide.id, wanted && grid !== null);
  const { data } = picture;
  const { columns, rows } = slide;
  const dark = slide.samples === 1;

  useEffect(() => {
    if (!viewer || !wanted || !grid || !data) return undefined;
    const closing = new AbortController();
    let layer: HeatLayer | null = null;
    const cells = {
      columns: grid.columns,
      rows: grid.rows,
      cellColumns: grid.cell_columns,
      cellRows: grid.cell_rows,
      dark,
    };
    HeatLayer.over(viewer.osd, { columns, rows }, cells, data, closing.signal)
      .then((made) => {
        layer = made;
      })
      // A picture that cannot be decoded is a map that cannot be shown.
      .catch(() => undefined);
    return () => {
      closing.abort();
      layer?.destroy();
    };
  }, [viewer, wanted, grid, data, columns, rows, dark]);

  return { failed: picture.isError };
}
