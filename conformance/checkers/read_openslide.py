"""OpenSlide's DICOM reader: colours in one layer."""

import numpy as np
import openslide

from conformance.converted import ConvertedSlide

NAME = "OpenSlide"
_MOST_PIXELS = 1 << 26
_READS = {
    "1.2.840.10008.1.2.1": "raw",
    "1.2.840.10008.1.2.4.50": "JPEG",
    "1.2.840.10008.1.2.4.90": "JPEG 2000",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
}


def check(slide: ConvertedSlide) -> None:
    """Every level at its size, with its pixels."""
    with openslide.OpenSlide(slide.instances[0]) as opened:
        sizes = [(level.size.columns, level.size.rows) for level in slide.levels]
        if list(opened.level_dimensions) != sizes:
            raise AssertionError(f"levels of {opened.level_dimensions}")
        for number, level in enumerate(slide.levels):
            if level.size.area > _MOST_PIXELS:
                continue
            # Whole levels, since a corner elsewhere is named in base pixels, and so falls between
            # the pixels of a level whose scale is no whole number.
            whole = opened.read_region((0, 0), number, opened.level_dimensions[number])
            pixels = np.asarray(whole.convert("RGB"))
            for column, row in slide.positions(number):
                left, top = column * level.tile.columns, row * level.tile.rows
                tile = pixels[top : top + level.tile.rows, left : left + level.tile.columns]
                slide.require_tile(tile, number, column, row)


def limit_of(slide: ConvertedSlide) -> str | None:
    """What its format notes say that it does not read."""
    base = slide.base
    if base.pixel_format.samples == 1:
        return "no grey levels"
    if base.order.focal_planes > 1:
        return "no focal planes"
    unread = slide.syntaxes - set(_READS)
    return f"no {', '.join(sorted(unread))}" if unread else None
