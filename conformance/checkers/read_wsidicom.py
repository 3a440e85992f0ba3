"""wsidicom: the pyramid as a whole, and its tiles."""

import numpy as np
from wsidicom import WsiDicom
from wsidicom.geometry import Point

from conformance.converted import ConvertedSlide

NAME = "wsidicom"


def check(slide: ConvertedSlide) -> None:
    """Every level is found at its size, with its tiles in every layer."""
    with WsiDicom.open(slide.folder) as opened:
        found = {(level.size.width, level.size.height): level for level in opened.pyramid}
        for number, written in enumerate(slide.levels):
            level = found.get((written.size.columns, written.size.rows))
            if level is None:
                raise AssertionError(f"level {number} is not found")
            heights, paths = sorted(level.focal_planes), sorted(level.optical_paths, key=int)
            for path, plane in slide.layers():
                for column, row in slide.positions(number):
                    tile = level.get_tile(Point(column, row), heights[plane], paths[path])
                    slide.require_tile(np.asarray(tile), number, column, row, path, plane)
        if {"label", "overview"} & {record.name for record in slide.manifest.instances}:
            _ = opened.labels, opened.overviews


def limit_of(slide: ConvertedSlide) -> str | None:  # noqa: ARG001 - as every checker
    """None that we meet."""
    return None
