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
from openslide import lowlevel

from tiling.argb import Argb, as_rgb, bytes_of
from tiling.geometry import Size
from tiling.slide import Pixels

_OPAQUE = 0xFF000000
_ALPHA = 3


def read_region(slide: openslide.OpenSlide, left: int, top: int, level: int, size: Size) -> Argb:
    """A region of a level by its corner in base pixels, colours multiplied by their alpha.

    Raises OpenSlideError.
    """
    argb = np.empty((size.rows, size.columns), np.uint32)
    place = argb.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32))
    lowlevel._read_region(slide._osr, place, left, top, level, size.columns, size.rows)
    return argb


def flatten(argb: Argb, background: Sequence[int]) -> Pixels | None:
    """A region on a background of red, green and blue, `(rows, columns, 3)` in its own memory.

    None where nothing was scanned anywhere in it.
    """
    if int(argb.min()) < _OPAQUE:
        if not argb.any():
            return None
        argb += _shares(background).take(bytes_of(argb)[:, :, _ALPHA])
    return as_rgb(argb)


def _shares(background: Sequence[int]) -> Argb:
    """What the background adds to a pixel, by the pixel's alpha: `(256,)`."""
    seen = 255 - np.arange(256, dtype=np.uint32)
    red, green, blue = ((seen * colour + 127) // 255 for colour in background)
    return (seen << 24 | red << 16 | green << 8 | blue).astype(np.uint32)
