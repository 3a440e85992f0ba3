"""White tiles: glass without tissue, which is most of many slides."""

from functools import lru_cache

import numpy as np

from tiling.geometry import Size
from tiling.slide import Pixels

WHITE = 255


@lru_cache(maxsize=8)
def white_tile(size: Size) -> Pixels:
    """A white image `(rows, columns, 3)`: one per size, shared by all, and read-only."""
    pixels = np.full((size.rows, size.columns, 3), WHITE, np.uint8)
    pixels.flags.writeable = False
    return pixels


def is_white(pixels: Pixels) -> bool:
    """Whether every sample of `(rows, columns, 3)` is 255; quick for tissue and shared white."""
    size = Size(pixels.shape[1], pixels.shape[0])
    return pixels is white_tile(size) or bool(
        (pixels[0] == WHITE).all() and (pixels == WHITE).all()
    )


def whiten_beyond(pixels: Pixels, visible: Size) -> Pixels:
    """The tile with everything right of and below `visible` made white, copied if need be."""
    rows, columns = pixels.shape[:2]
    if (rows, columns) == (visible.rows, visible.columns):
        return pixels
    whitened = np.array(pixels)
    whitened[visible.rows :] = WHITE
    whitened[:, visible.columns :] = WHITE
    return whitened
