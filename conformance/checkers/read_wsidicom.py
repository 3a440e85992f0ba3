"""wsidicom: the pyramid as a whole, and its tiles."""

import math

import numpy as np
from wsidicom import WsiDicom
from wsidicom.geometry import Point

from conformance.converted import ConvertedSlide

NAME = "wsidicom"
_ROUNDED = 0.01
"""By how much it lets the logarithm of a scale differ from a whole number."""


def check(slide: ConvertedSlide) -> None:
    """Every level is found at its size, with its tiles in every layer."""
    with WsiDicom.open(slide.folder) as opened:
        # Levels with tiles of another size are a pyramid of their own to it.
        found = {
            (level.size.width, level.size.height): level
            for pyramid in opened.pyramids
            for level in pyramid
        }
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


def limit_of(slide: ConvertedSlide) -> str | None:
    """Levels of a file whose sizes were rounded until their scale is no power of two."""
    powers = [math.log2(level.downsample) for level in slide.levels]
    if any(abs(power - round(power)) > _ROUNDED for power in powers):
        return "levels at powers of two alone"
    if len({level.tile for level in slide.levels}) > 1:
        return "levels of one tile size alone"
    return None
