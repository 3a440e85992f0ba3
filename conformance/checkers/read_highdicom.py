"""highdicom: frames by the place that their attributes give them."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from highdicom import Image, imread

from conformance.converted import ConvertedSlide
from conformance.limits import no_htj2k
from conformance.looks import Look, Step

NAME = "highdicom"
_MOST_PIXELS = 1 << 24
"""Of a level that is asked for as one matrix."""
limits_of = no_htj2k


def looks(slide: ConvertedSlide) -> Iterator[Look]:
    """The coarser levels as matrices, the frames of all by number."""
    for number, level in enumerate(slide.levels):
        image = imread(slide.instances[number], lazy_frame_retrieval=True)
        if not image.is_tiled:
            raise AssertionError("it is not seen as tiled")
        yield Look(Step.PIXELS, partial(_look_at_frames, slide, number, image), number)
        if level.size.area <= _MOST_PIXELS and level.order.layers() == [(0, 0)]:
            yield Look(Step.PIXELS, partial(_look_at_whole, slide, number, image), number)


def _look_at_frames(slide: ConvertedSlide, number: int, image: Image) -> None:
    for path, plane in slide.layers():
        for column, row in slide.positions(number):
            frame_number = slide.levels[number].order.frame_number(column, row, path, plane)
            frame = np.asarray(image.get_stored_frame(frame_number))
            slide.require_tile(frame, number, column, row, path, plane)


def _look_at_whole(slide: ConvertedSlide, number: int, image: Image) -> None:
    size = slide.levels[number].size
    matrix = image.get_total_pixel_matrix(apply_icc_profile=False, dtype=np.uint16)
    if matrix.shape[:2] != (size.rows, size.columns):
        raise AssertionError(f"a matrix of {matrix.shape}")
