"""Pixels from OpenSlide as it has them, without a detour through images.

The Python binding gives regions as RGBA images with straight alpha: a division for every pixel, a
copy, and a second one to lay them on a background. OpenSlide itself writes premultiplied ARGB
into a buffer, where the background has but to be added. The binding's own declaration of that
function is used, so that errors are raised as everywhere.
"""

import ctypes
from collections.abc import Sequence

import numpy as np
import openslide
from numpy.typing import NDArray
from openslide import lowlevel

from tiling.geometry import Size
from tiling.slide import Pixels

Argb = NDArray[np.uint32]
"""`(rows, columns)`: alpha in the highest byte, then red, green and blue, multiplied by it."""

_OPAQUE = 0xFF000000
_ALPHA_BYTE = 3


def read_region(slide: openslide.OpenSlide, left: int, top: int, level: int, size: Size) -> Argb:
    """A region of a level by its corner in base pixels; raises OpenSlideError."""
    argb = np.empty((size.rows, size.columns), np.uint32)
    place = argb.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32))
    lowlevel._read_region(slide._osr, place, left, top, level, size.columns, size.rows)
    return argb


def flatten(argb: Argb, background: Sequence[int]) -> Pixels | None:
    """A region on a background of red, green and blue, as `(rows, columns, 3)`.

    None where nothing was scanned anywhere in it.
    """
    opaque = int(argb.min()) >= _OPAQUE
    if not opaque and not argb.any():
        return None
    samples = argb.view(np.uint8).reshape(*argb.shape, 4)
    pixels = np.empty((*argb.shape, 3), np.uint8)
    # Lowest byte first: blue, green, red, alpha.
    for channel in range(3):
        pixels[:, :, channel] = samples[:, :, 2 - channel]
    if not opaque:
        alpha = samples[:, :, _ALPHA_BYTE]
        for channel, colour in enumerate(background):
            pixels[:, :, channel] += _share(colour)[alpha]
    return pixels


def _share(colour: int) -> NDArray[np.uint8]:
    """What the background adds to a channel, by alpha."""
    seen = 255 - np.arange(256)
    return ((seen * colour + 127) // 255).astype(np.uint8)
