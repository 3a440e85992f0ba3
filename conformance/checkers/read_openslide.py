"""OpenSlide's DICOM reader: colours in one layer."""

import re
from collections.abc import Iterator
from functools import partial

import numpy as np
import openslide

from conformance.converted import ConvertedSlide
from conformance.limits import Limit
from conformance.looks import Look, Step

NAME = "OpenSlide"
_MOST_PIXELS = 1 << 26
_READS = {
    "1.2.840.10008.1.2.1": "raw",
    "1.2.840.10008.1.2.4.50": "JPEG",
    "1.2.840.10008.1.2.4.90": "JPEG 2000",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
}


def looks(slide: ConvertedSlide) -> Iterator[Look]:
    """Every level at its size, with its pixels."""
    with openslide.OpenSlide(slide.instances[0]) as opened:
        sizes = [(level.size.columns, level.size.rows) for level in slide.levels]
        if list(opened.level_dimensions) != sizes:
            raise AssertionError(f"levels of {opened.level_dimensions}")
        for number, level in enumerate(slide.levels):
            if level.size.area <= _MOST_PIXELS:
                yield Look(Step.PIXELS, partial(_look_at_level, slide, number, opened), number)


def limits_of(slide: ConvertedSlide) -> Iterator[Limit]:
    """What its format notes say that it does not read: it says so itself, and shows nothing."""

    def refuses(words: str, text: str) -> Limit:
        return Limit(words, Step.OPEN, openslide.OpenSlideError, text)

    for syntax in sorted(slide.syntaxes - set(_READS)):
        said = rf"Unsupported transfer syntax {re.escape(syntax)}$"
        yield refuses(f"no {syntax}", said)
    if slide.base.pixel_format.samples == 1:
        yield refuses("no grey levels", "Couldn't read PlanarConfiguration$")
    planes = slide.base.order.focal_planes
    if planes > 1:
        yield refuses("no focal planes", f"TotalPixelMatrixFocalPlanes value {planes} != 1$")


def _look_at_level(slide: ConvertedSlide, number: int, opened: openslide.OpenSlide) -> None:
    # Whole levels, since a corner elsewhere is named in base pixels, and so falls between the
    # pixels of a level whose scale is no whole number.
    whole = opened.read_region((0, 0), number, opened.level_dimensions[number])
    pixels, tile = np.asarray(whole.convert("RGB")), slide.levels[number].tile
    for column, row in slide.positions(number):
        left, top = column * tile.columns, row * tile.rows
        seen = pixels[top : top + tile.rows, left : left + tile.columns]
        slide.require_tile(seen, number, column, row)
