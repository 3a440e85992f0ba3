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
    # 4 x 255 fits in twice the bits, 4 x 65535 as well.
    wide = np.uint16 if samples.dtype == np.uint8 else np.uint32
    # Rows first: whole rows add contiguously, and the strided sum then has half the work.
    pairs = np.add(samples[0::2], samples[1::2], dtype=wide)
    quads = pairs[:, 0::2] + pairs[:, 1::2]
    quads += 2
    quads >>= 2
    halved: NDArray[_Sample] = quads.astype(samples.dtype)
    return halved
