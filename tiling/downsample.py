"""Half the resolution, exactly: every sample is the mean of four, and nothing is sharpened."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Sample = TypeVar("_Sample", bound=np.unsignedinteger[Any])


def halve(samples: NDArray[_Sample]) -> NDArray[_Sample]:
    """Mean of each 2 x 2 block of `(rows, columns, samples)`, halves rounded up.

    The result is `(ceil(rows / 2), ceil(columns / 2), samples)` of the same type; an odd last row
    or column counts twice.
    """
    rows, columns = samples.shape[:2]
    if rows % 2 or columns % 2:
        samples = np.pad(samples, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
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
