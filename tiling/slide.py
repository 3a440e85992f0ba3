"""What a slide is to the rest of the system, whatever wrote it: the contract of every reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tiling.geometry import Size, TileGrid

Pixels = NDArray[np.uint8]
"""An RGB image `(rows, columns, 3)`, 8 bits a sample, in the slide's own colour space."""

ONE_FOCAL_PLANE = "Only the focal plane nearest 0 is kept."
ONE_OPTICAL_PATH = "Only the first optical path is kept."
NOT_KEPT = "sgi.not_kept"
"""The name under which `SlideMetadata.vendor` tells what is not kept."""


class AssociatedKind(StrEnum):
    """The images of a slide that are not its tissue at scanning resolution."""

    LABEL = "label"
    OVERVIEW = "overview"
    THUMBNAIL = "thumbnail"


class Colour(StrEnum):
    """What the samples inside a compressed tile mean."""

    YCBCR = "ycbcr"
    RGB = "rgb"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class TileEncoding:
    """The compression of a level's tiles: baseline 8-bit JPEG (ISO 10918-1), each tile whole.

    A level of a reader has one only when `FrameHeader.encoding_as` gives it.
    """

    colour: Colour
    subsampling: tuple[int, int] = (1, 1)
    """Chroma subsampling, horizontal and vertical: (2, 2) is 4:2:0."""


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of a slide; level 0 is the base and `downsample` grows upwards from 1."""

    size: Size
    tile: Size
    downsample: float
    encoding: TileEncoding | None = None
    """Set when `read_encoded_tile` gives the scanner's own bytes; None when only pixels exist."""

    @property
    def grid(self) -> TileGrid:
        return TileGrid(self.size, self.tile)


@dataclass(frozen=True, slots=True)
class SlideMetadata:
    """What the file says about its acquisition; None where it does not say, never a guess."""

    pixel_spacing_mm: tuple[float, float] | None = None
    """Distance between pixel centres of level 0: between rows, between columns (DICOM's order)."""
    objective_power: float | None = None
    scanned_at: datetime | None = None
    """Naive when the file gives no time zone."""
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    software: str | None = None
    icc_profile: bytes | None = None
    vendor: Mapping[str, str] = field(default_factory=dict)
    """Everything the vendor wrote, by its own names."""
    not_kept: tuple[str, ...] = ()
    """What the file holds beyond the slide that is read here: short English sentences."""

    def keeping_less(self, *sentences: str) -> Self:
        """The same, saying that something of the file is not kept; also among `vendor`."""
        if not sentences:
            return self
        vendor = {**self.vendor, NOT_KEPT: " ".join(sentences)}
        return replace(self, not_kept=sentences, vendor=vendor)


class SlideReader(Protocol):
    """An open slide. Reads are safe from several threads at once.

    Any method may raise `DamagedSlideError` when the bytes contradict the format.
    """

    @property
    def format(self) -> str:
        """The format's name for people, e.g. "Aperio SVS"."""

    @property
    def metadata(self) -> SlideMetadata: ...

    @property
    def levels(self) -> Sequence[Level]:
        """From the base upwards; never empty."""

    @property
    def associated(self) -> Mapping[AssociatedKind, Size]:
        """Which associated images the file holds, and their sizes."""

    def read_tile(self, level: int, column: int, row: int) -> Pixels:
        """The pixels of a whole tile, `(tile.rows, tile.columns, 3)`; white beyond the image.

        Raises IndexError outside the grid.
        """

    def encoded_tile_lengths(self, level: int) -> NDArray[np.int64]:
        """Bytes of what `read_encoded_tile` gives, without reading the tiles.

        Shape `(tiles,)` in row-major order. Raises ValueError where the level has no `encoding`.
        """

    def read_encoded_tile(self, level: int, column: int, row: int) -> bytes:
        """The scanner's compressed tile as a JPEG stream that stands alone.

        The entropy-coded data is the file's, bit for bit; shared tables are merged in. Raises
        IndexError outside the grid and ValueError where the level has no `encoding`.
        """

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        """An associated image; raises KeyError when the file has none of that kind."""

    def close(self) -> None: ...
