"""YCbCr as JPEG has it (JFIF, and PS3.3 C.7.6.3.1.2 under YBR_FULL), made RGB."""

import numpy as np
from numpy.typing import NDArray

from tiling.slide import Pixels


def to_rgb(ycbcr: NDArray[np.uint8]) -> Pixels:
    """RGB of `(rows, columns, 3)`: luma, then both chromas around 128."""
    luma = ycbcr[:, :, 0].astype(np.int16)
    blue, red = ycbcr[:, :, 1], ycbcr[:, :, 2]
    green = (_GREEN_OF_BLUE[blue] + _GREEN_OF_RED[red]) >> 16
    rgb = np.stack((luma + _RED[red], luma + green.astype(np.int16), luma + _BLUE[blue]), axis=-1)
    return np.clip(rgb, 0, 255, out=rgb).astype(np.uint8)


_CHROMA = np.arange(256) - 128
_RED = np.floor(1.402 * _CHROMA + 0.5).astype(np.int16)
_BLUE = np.floor(1.772 * _CHROMA + 0.5).astype(np.int16)
_GREEN_OF_BLUE = np.round(-0.344136286 * 65536 * _CHROMA).astype(np.int32) + 32768
_GREEN_OF_RED = np.round(-0.714136286 * 65536 * _CHROMA).astype(np.int32)
