"""Blank tiles: glass without tissue, which is most of many slides, and the dark of fluorescence."""

from functools import lru_cache
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tiling.geometry import Size
from tiling.slide import RGB8, Illumination, OpticalPath, PixelFormat, Pixels, Samples

WHITE = 255
_Sample = TypeVar("_Sample", bound=np.unsignedinteger[Any])


def background_of(pixel_format: PixelFormat, path: OpticalPath) -> int:
    """The sample where nothing is: no light stopped in bright field, none sent in fluorescence.

    Colours in a single image are taken for bright field, whatever lit them.
    """
    dark = pixel_format.samples == 1 and path.illumination is Illumination.FLUORESCENCE
    return 0 if dark else pixel_format.brightest


@lru_cache(maxsize=16)
def blank_tile(size: Size, pixel_format: PixelFormat, background: int) -> Samples:
    """An image `(rows, columns, samples)` of one value: shared by all, and read-only."""
    shape = (size.rows, size.columns, pixel_format.samples)
    samples = np.full(shape, background, pixel_format.dtype)
    samples.flags.writeable = False
    return samples


def white_tile(size: Size) -> Pixels:
    """A white image `(rows, columns, 3)`: one per size, shared by all, and read-only."""
    return cast("Pixels", blank_tile(size, RGB8, WHITE))


def is_blank(samples: Samples, blank: Samples) -> bool:
    """Whether a tile is as `blank`: quick for tissue, and for the shared tile itself."""
    return samples is blank or bool(
        (samples[0] == blank[0]).all() and (samples == blank[0, 0, 0]).all()
    )


def blank_beyond(
    samples: NDArray[_Sample], visible: Size, background: int = WHITE
) -> NDArray[_Sample]:
    """The tile with all right of and below `visible` made `background`, copied if need be."""
    rows, columns = samples.shape[:2]
    if (rows, columns) == (visible.rows, visible.columns):
        return samples
    blanked = np.array(samples)
    blanked[visible.rows :] = background
    blanked[:, visible.columns :] = background
    return blanked


def whiten_beyond(pixels: Pixels, visible: Size) -> Pixels:
    """The tile with everything right of and below `visible` made white, copied if need be."""
    return blank_beyond(pixels, visible)
