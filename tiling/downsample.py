"""Half the resolution, exactly: every sample is the mean of four, and nothing is sharpened."""

from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tiling import argb

_Sample = TypeVar("_Sample", bound=np.unsignedinteger[Any])

_TWO_IN_EACH_LANE = np.uint64(0x0002_0002_0002_0002)


def halve(samples: NDArray[_Sample]) -> NDArray[_Sample]:
    """Mean of each 2 x 2 block of `(rows, columns, samples)`, halves rounded up.

    The result is `(ceil(rows / 2), ceil(columns / 2), samples)` of the same type; an odd last row
    or column counts twice.
    """
    rows, columns = samples.shape[:2]
    if rows % 2 or columns % 2:
        samples = np.pad(samples, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    four = argb.behind(samples)
    if four is not None:
        return cast("NDArray[_Sample]", argb.as_rgb(_halve_four(four)))
    count = samples.shape[2]
    # 4 x 255 fits in twice the bits, 4 x 65535 as well.
    wide = np.uint16 if samples.dtype == np.uint8 else np.uint32
    pairs = np.add(samples[0::2], samples[1::2], dtype=wide).reshape(-1)
    # Every pixel is added to its neighbour, though half of the sums are of no use: memory in its
    # own order is several times as quick as steps over it.
    quads = np.empty_like(pairs)
    np.add(pairs[:-count], pairs[count:], out=quads[:-count])
    quads += 2
    quads >>= 2
    picked = quads.reshape(samples.shape[0] // 2, samples.shape[1] // 2, 2 * count)
    halved = np.empty((*picked.shape[:2], count), samples.dtype)
    for sample in range(count):
        halved[:, :, sample] = picked[:, :, sample]
    return halved


def _halve_four(pixels: argb.Argb) -> argb.Argb:
    """The same of an even number of rows and columns, four samples at a time."""
    samples = pixels.view(np.uint8)
    lanes = np.add(samples[0::2], samples[1::2], dtype=np.uint16).view(np.uint64)
    quads = lanes[:, 0::2] + lanes[:, 1::2]
    quads += _TWO_IN_EACH_LANE
    sums = quads.view(np.uint16)
    sums >>= 2
    halved = np.empty((pixels.shape[0] // 2, pixels.shape[1] // 2), np.uint32)
    np.copyto(halved.view(np.uint8), sums, casting="unsafe")
    return halved
