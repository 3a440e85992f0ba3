"""highdicom: frames by the place that their attributes give them."""

import numpy as np
from highdicom import imread

from conformance.converted import ConvertedSlide

NAME = "highdicom"
_MOST_PIXELS = 1 << 24
"""Of a level that is asked for as one matrix."""


def check(slide: ConvertedSlide) -> None:
    """The coarser levels as matrices, the frames of all by number."""
    for number, level in enumerate(slide.levels):
        image = imread(slide.instances[number], lazy_frame_retrieval=True)
        if not image.is_tiled:
            raise AssertionError("it is not seen as tiled")
        for path, plane in slide.layers():
            for column, row in slide.positions(number):
                frame_number = level.order.frame_number(column, row, path, plane)
                frame = image.get_stored_frame(frame_number)
                slide.require_tile(np.asarray(frame), number, column, row, path, plane)
        if level.size.area <= _MOST_PIXELS and level.order.layers() == [(0, 0)]:
            matrix = image.get_total_pixel_matrix(apply_icc_profile=False, dtype=np.uint16)
            if matrix.shape[:2] != (level.size.rows, level.size.columns):
                raise AssertionError(f"a matrix of {matrix.shape}")


def limit_of(slide: ConvertedSlide) -> str | None:
    """As pydicom's, which decodes for it."""
    return "no decoder for HTJ2K among pip's plugins here" if slide.has_htj2k else None
