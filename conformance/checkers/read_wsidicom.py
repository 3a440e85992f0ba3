"""wsidicom: the pyramid as a whole, and its tiles."""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from wsidicom import WsiDicom
from wsidicom.geometry import Point
from wsidicom.group import Level

from conformance.converted import ConvertedSlide
from conformance.limits import Limit
from conformance.looks import Look, Step

NAME = "wsidicom"
_ROUNDED = 0.01
"""By how much it lets the logarithm of a scale differ from a whole number."""
_NOT_FOUND = "it is not found"


def looks(slide: ConvertedSlide) -> Iterator[Look]:
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
            yield Look(Step.LEVELS, partial(_require, level), number)
            if level is not None:
                yield Look(Step.PIXELS, partial(_look_at_tiles, slide, number, level), number)
        if {"label", "overview"} & {record.name for record in slide.manifest.instances}:
            _ = opened.labels, opened.overviews


def limits_of(slide: ConvertedSlide) -> Iterator[Limit]:
    """Levels of a file whose sizes were rounded until their scale is no power of two, and those
    with tiles of another size than the base's.
    """
    powers = [math.log2(level.downsample) for level in slide.levels]
    uneven = [at for at, power in enumerate(powers) if abs(power - round(power)) > _ROUNDED]
    if uneven:
        words = "levels at powers of two alone"
        yield Limit(words, Step.OPEN, NotImplementedError, "^Levels needs to be integer")
        yield Limit(words, Step.LEVELS, AssertionError, f"^{_NOT_FOUND}$", uneven)
    others = [at for at, level in enumerate(slide.levels) if level.tile != slide.base.tile]
    words = "levels of one tile size alone"
    yield Limit(words, Step.LEVELS, AssertionError, f"^{_NOT_FOUND}$", others)


def _require(level: object) -> None:
    if level is None:
        raise AssertionError(_NOT_FOUND)


def _look_at_tiles(slide: ConvertedSlide, number: int, level: Level) -> None:
    heights, paths = sorted(level.focal_planes), sorted(level.optical_paths, key=int)
    for path, plane in slide.layers():
        for column, row in slide.positions(number):
            tile = level.get_tile(Point(column, row), heights[plane], paths[path])
            slide.require_tile(np.asarray(tile), number, column, row, path, plane)
