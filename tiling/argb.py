"""Pixels of four bytes, as OpenSlide has them, seen as RGB where they lie.

Taking red, green and blue out of them would cost half as much as halving them. The codec and the
halving work on four bytes as quickly as on three: they ask whether there are any behind an image;
everything else sees an array like any other.
"""

import numpy as np
from numpy.typing import NDArray

from tiling.slide import Pixels, Samples

Argb = NDArray[np.uint32]
"""`(rows, columns)`: alpha in the highest byte, then red, green and blue."""


def as_rgb(argb: Argb) -> Pixels:
    """Red, green and blue `(rows, columns, 3)` in the memory of `argb`; alpha is not looked at."""
    return bytes_of(argb)[:, :, 2::-1]


def behind(samples: Samples) -> Argb | None:
    """What `as_rgb` was given, if these are all of its pixels; None for any other array."""
    argb = samples.base
    if (
        isinstance(argb, np.ndarray)
        and argb.dtype == np.uint32
        and argb.shape == samples.shape[:2]
        and argb.flags.c_contiguous
        and samples.dtype == np.uint8
        and samples.shape[2] == 3
        and samples.strides == (*argb.strides, -1)
        and samples.ctypes.data == argb.ctypes.data + 2
    ):
        return argb
    return None


def bytes_of(argb: Argb) -> NDArray[np.uint8]:
    """The same memory as `(rows, columns, 4)`: blue, green, red, alpha."""
    return argb.view(np.uint8).reshape(*argb.shape, 4)


def lay(part: Samples, whole: Samples, top: int, left: int) -> None:
    """Copy an image to a place in a larger one, four bytes at a time where both have them."""
    four, below = behind(part), behind(whole)
    source, target = (part, whole) if four is None or below is None else (four, below)
    target[top : top + source.shape[0], left : left + source.shape[1]] = source
