"""A slide as encoded levels, every one ready to be written frame by frame."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiling.geometry import Size
from tiling.slide import TileEncoding


class Origin(StrEnum):
    """How the frames of a level came to be."""

    PASSED_THROUGH = "passed through"
    """The scanner's own compressed tiles."""
    RE_ENCODED = "re-encoded"
    """A level of the file, decoded and compressed again."""
    BUILT = "built"
    """A level that the file lacks, made from the next finer one."""


class EncodedLevel(Protocol):
    """One level whose frames' lengths are known before the first frame is read."""

    @property
    def size(self) -> Size: ...

    @property
    def tile(self) -> Size: ...

    @property
    def downsample(self) -> float: ...

    @property
    def encoding(self) -> TileEncoding: ...

    @property
    def origin(self) -> Origin: ...

    @property
    def frame_lengths(self) -> NDArray[np.int64]:
        """Bytes of each frame in row-major order, shape `(tiles,)`, unpadded."""

    def frames(self) -> Iterator[bytes]:
        """Every frame in row-major order; may be iterated more than once."""
