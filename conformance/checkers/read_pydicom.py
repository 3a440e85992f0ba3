"""pydicom with the decoders of pip: the frames by their numbers."""

import pydicom
from pydicom.pixels import pixel_array

from conformance.converted import ConvertedSlide

NAME = "pydicom"


def check(slide: ConvertedSlide) -> None:
    """Frames of every level, in the colours that were written."""
    for number, level in enumerate(slide.levels):
        path = slide.instances[number]
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        if int(dataset.NumberOfFrames) != level.order.frames:
            raise AssertionError(f"{dataset.NumberOfFrames} frames")
        for at, plane in slide.layers():
            for column, row in slide.positions(number):
                index = level.order.frame_index(column, row, at, plane)
                slide.require_tile(pixel_array(path, index=index), number, column, row, at, plane)


def limit_of(slide: ConvertedSlide) -> str | None:
    """Syntaxes without a decoder among its plugins."""
    return "no decoder for HTJ2K among pip's plugins here" if slide.has_htj2k else None
