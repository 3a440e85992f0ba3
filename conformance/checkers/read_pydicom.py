"""pydicom with the decoders of pip: the frames by their numbers."""

from collections.abc import Iterator
from functools import partial

import pydicom
from pydicom.pixels import pixel_array

from conformance.converted import ConvertedSlide
from conformance.limits import no_htj2k
from conformance.looks import Look, Step

NAME = "pydicom"
limits_of = no_htj2k


def looks(slide: ConvertedSlide) -> Iterator[Look]:
    """Frames of every level, in the colours that were written."""
    for number in range(len(slide.levels)):
        yield Look(Step.LEVELS, partial(_count_frames, slide, number), number)
        yield Look(Step.PIXELS, partial(_look_at_frames, slide, number), number)


def _count_frames(slide: ConvertedSlide, number: int) -> None:
    dataset = pydicom.dcmread(slide.instances[number], stop_before_pixels=True)
    if int(dataset.NumberOfFrames) != slide.levels[number].order.frames:
        raise AssertionError(f"{dataset.NumberOfFrames} frames")


def _look_at_frames(slide: ConvertedSlide, number: int) -> None:
    order, file = slide.levels[number].order, slide.instances[number]
    for path, plane in slide.layers():
        for column, row in slide.positions(number):
            index = order.frame_index(column, row, path, plane)
            slide.require_tile(pixel_array(file, index=index), number, column, row, path, plane)
