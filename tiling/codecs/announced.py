"""What the header of a compressed tile announces, held against what its level promises.

A decoder takes as much memory as a header asks for; nothing is unpacked before it asks for just
what the tile may take.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import PixelFormat

CUT_SHORT = "A compressed tile is cut short; copy the file again from the scanner."
CORRUPT = "A compressed tile has a corrupt header; copy the file again from the scanner."
DIFFERS = "A compressed tile differs from its level; copy the file again from the scanner."
BROKEN = "A compressed tile cannot be decoded; copy the file again from the scanner."


@dataclass(frozen=True, slots=True)
class Announced:
    """The image that a decoder would make."""

    size: Size
    samples: int
    """Of a pixel."""
    bits: int
    """Of a sample."""


def check_announced(announced: Announced, tile: Size, pixel_format: PixelFormat) -> None:
    """Raise DamagedSlideError unless a header announces the very tile of its level.

    In the significant bits, or in all those of their type, as tiles that are made here do.
    """
    whole = 8 * np.dtype(pixel_format.dtype).itemsize
    fits = announced.bits in (pixel_format.bits, whole)
    if not fits or (announced.size, announced.samples) != (tile, pixel_format.samples):
        raise DamagedSlideError(DIFFERS)


def unpack(decoder: Callable[..., Any], frame: bytes, **options: object) -> NDArray[np.generic]:
    """What a codec makes of a frame; raises DamagedSlideError where it can make nothing of it."""
    try:
        return np.asarray(decoder(frame, **options))
    except Exception as error:
        raise DamagedSlideError(BROKEN) from error
