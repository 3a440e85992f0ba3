"""OpenSlide's DICOM reader: colours in one layer."""

import numpy as np
import openslide

from conformance.converted import ConvertedSlide

NAME = "OpenSlide"
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
            for column, row in slide.positions(number):
                seen = level.order.grid.visible(column, row)
                corner = (
                    round(column * level.tile.columns * opened.level_downsamples[number]),
                    round(row * level.tile.rows * opened.level_downsamples[number]),
                )
                region = opened.read_region(corner, number, (seen.columns, seen.rows))
                slide.require_tile(np.asarray(region.convert("RGB")), number, column, row)


def limit_of(slide: ConvertedSlide) -> str | None:
    """What its format notes say that it does not read."""
    base = slide.base
    if base.pixel_format.samples == 1:
        return "no grey levels"
    if base.order.focal_planes > 1:
        return "no focal planes"
    unread = slide.syntaxes - set(_READS)
    return f"no {', '.join(sorted(unread))}" if unread else None
