"""What a slide is to the rest of the system, whatever wrote it: the contract of every reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tiling.geometry import Size, TileGrid

Pixels = NDArray[np.uint8]
"""An RGB image `(rows, columns, 3)`, 8 bits a sample, in the slide's own colour space."""

Samples = NDArray[np.unsignedinteger[Any]]
"""An image `(rows, columns, samples)` of a `PixelFormat`: `Pixels` where that is `RGB8`."""

ONE_FOCAL_PLANE = "Only the focal plane nearest 0 is kept."
COUNTED_FOCAL_PLANES = "The distance of the focal planes is not known: they are counted."
ONE_OPTICAL_PATH = "Only the first optical path is kept."
NOT_KEPT = "sgi.not_kept"
"""The name under which `SlideMetadata.vendor` tells what is not kept."""


_SPACINGS_MM = (1e-6, 10.0)
"""From a nanometre to a centimetre a pixel: beyond the finest lens, and the coarsest camera."""
_OBJECTIVES = (0.01, 1000.0)
_WAVELENGTHS_NM = (100.0, 20_000.0)
"""From the far ultraviolet to the middle infrared."""


def _within(number: float, bounds: tuple[float, float]) -> bool:
    """Of no number (NaN) it is not so."""
    return bounds[0] <= number <= bounds[1]


class AssociatedKind(StrEnum):
    """The images of a slide that are not its tissue at scanning resolution."""

    LABEL = "label"
    OVERVIEW = "overview"
    THUMBNAIL = "thumbnail"


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """What a pixel of every level is made of."""

    samples: int
    """3 for the red, green and blue of an optical path, 1 for its light alone."""
    bits: int
    """Significant bits of a sample, 1 to 16."""

    def __post_init__(self) -> None:
        if self.samples not in (1, 3) or not 1 <= self.bits <= 16:
            raise ValueError(f"no pixel has {self.samples} samples of {self.bits} bits")

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        return np.uint8 if self.bits <= 8 else np.uint16

    @property
    def fills_its_type(self) -> bool:
        """Whether every bit of `dtype` is significant."""
        return self.bits == 8 * np.dtype(self.dtype).itemsize

    @property
    def bytes_per_pixel(self) -> int:
        return self.samples * np.dtype(self.dtype).itemsize

    @property
    def brightest(self) -> int:
        """The largest value of a sample."""
        return (1 << self.bits) - 1


RGB8 = PixelFormat(samples=3, bits=8)


class Illumination(StrEnum):
    """How the light that makes the image came to be."""

    BRIGHTFIELD = "brightfield"
    FLUORESCENCE = "fluorescence"


@dataclass(frozen=True, slots=True)
class OpticalPath:
    """One way that light took to the sensor: all colours at once, or a channel; None where the
    file does not say.
    """

    name: str | None = None
    """As the laboratory or the scanner calls it, e.g. "DAPI"."""
    illumination: Illumination = Illumination.BRIGHTFIELD
    colour: tuple[int, int, int] | None = None
    """Red, green and blue, 0 to 255, in which a path of one sample is shown."""
    excitation_nm: float | None = None
    emission_nm: float | None = None

    def __post_init__(self) -> None:
        """A wavelength that no light of a microscope has is as good as none, and becomes None."""
        for name in ("excitation_nm", "emission_nm"):
            told = getattr(self, name)
            if told is not None and not _within(told, _WAVELENGTHS_NM):
                object.__setattr__(self, name, None)


BRIGHTFIELD_PATH = OpticalPath()


class Colour(StrEnum):
    """What the samples inside a compressed tile mean."""

    YCBCR = "ycbcr"
    """As JPEG has it; a decoder gives YCbCr back unless it is told to convert."""
    RGB = "rgb"
    GREY = "grey"
    ICT = "ict"
    """RGB under JPEG 2000's irreversible component transform, which its decoder undoes."""
    RCT = "rct"
    """RGB under JPEG 2000's reversible component transform, which its decoder undoes."""


class Codec(StrEnum):
    """How the bytes of a tile are made; a lossless one gives the very samples back."""

    JPEG = "JPEG"
    """Baseline, 8 bits (ISO 10918-1)."""
    JPEG_EXTENDED = "JPEG extended"
    """Sequential with 8 or 12 bits, processes 2 and 4 (ISO 10918-1)."""
    JPEG_LOSSLESS = "JPEG lossless"
    """Process 14, any predictor (ISO 10918-1)."""
    JPEG_2000 = "JPEG 2000"
    JPEG_2000_LOSSLESS = "JPEG 2000 lossless"
    HTJ2K = "HTJ2K"
    HTJ2K_LOSSLESS = "HTJ2K lossless"
    JPEG_LS = "JPEG-LS"
    """Near-lossless (ISO 14495-1)."""
    JPEG_LS_LOSSLESS = "JPEG-LS lossless"
    JPEG_XL = "JPEG XL"
    JPEG_XL_LOSSLESS = "JPEG XL lossless"
    JPEG_XL_OF_JPEG = "JPEG XL of a JPEG"
    """A JPEG recompressed so that its own bytes can be given back (ISO 18181-2 annex A)."""
    RLE = "RLE"
    """DICOM's run lengths (PS3.5 annex G)."""
    RAW = "raw"
    """Samples as they are, interleaved by pixel, little-endian."""

    @property
    def is_lossless(self) -> bool:
        return self in _LOSSLESS


_LOSSLESS = frozenset(
    {
        Codec.JPEG_LOSSLESS,
        Codec.JPEG_2000_LOSSLESS,
        Codec.HTJ2K_LOSSLESS,
        Codec.JPEG_LS_LOSSLESS,
        Codec.JPEG_XL_LOSSLESS,
        Codec.RLE,
        Codec.RAW,
    }
)


@dataclass(frozen=True, slots=True)
class TileEncoding:
    """The compression of a level's tiles, each tile whole."""

    colour: Colour
    subsampling: tuple[int, int] | None = (1, 1)
    """Chroma subsampling, horizontal and vertical: (2, 2) is 4:2:0; None where only the tile itself
    tells, and any is what its level promises."""
    codec: Codec = Codec.JPEG


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of a slide; level 0 is the base and `downsample` grows upwards from 1."""

    size: Size
    tile: Size
    downsample: float
    encoding: TileEncoding | None = None
    """Set when `read_encoded_tile` gives the scanner's own bytes; None when only pixels exist.
    The same for every optical path and focal plane."""
    lossy: bool = True
    """Whether the file's own pixels had been compressed with loss, where there is no `encoding`
    to tell; True also where nobody knows, since a picture wrongly called lossless is worse."""
    grid: TileGrid = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid", TileGrid(self.size, self.tile))


@dataclass(frozen=True, slots=True)
class SlideMetadata:
    """What the file says about its acquisition; None where it does not say, never a guess.

    A scale that no microscope has is as good as none, and becomes None.
    """

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
    focus_method: str | None = None
    """How the scanner found its focus: "AUTO" or "MANUAL" (DICOM PS3.3 C.8.12.4)."""
    label_text: str | None = None
    """What the file says that the label reads, in full."""
    barcode: str | None = None
    """The barcode as the scanner itself read it."""
    vendor: Mapping[str, str] = field(default_factory=dict)
    """Everything the vendor wrote, by its own names."""
    not_kept: tuple[str, ...] = ()
    """What the file holds beyond the slide that is read here: short English sentences."""

    def __post_init__(self) -> None:
        spacing, power = self.pixel_spacing_mm, self.objective_power
        if spacing is not None and not all(_within(side, _SPACINGS_MM) for side in spacing):
            object.__setattr__(self, "pixel_spacing_mm", None)
        if power is not None and not _within(power, _OBJECTIVES):
            object.__setattr__(self, "objective_power", None)

    def keeping_less(self, *sentences: str) -> Self:
        """The same, saying that something of the file is not kept; also among `vendor`."""
        if not sentences:
            return self
        vendor = {**self.vendor, NOT_KEPT: " ".join(sentences)}
        return replace(self, not_kept=sentences, vendor=vendor)


class SlideReader(Protocol):
    """An open slide. Reads are safe from several threads at once.

    Readers inherit from this and so need not speak of what is usual: 8-bit RGB seen through one
    optical path in one focal plane, one slide in a file, tiles that exist as pixels alone.

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

    @property
    def pixel_format(self) -> PixelFormat:
        """Of every level, optical path and focal plane."""
        return RGB8

    @property
    def optical_paths(self) -> Sequence[OpticalPath]:
        """Never empty; a `path` is an index into this.

        Several in colours are pictures that are looked at one by one; those of light add up.
        """
        return (BRIGHTFIELD_PATH,)

    @property
    def focal_planes_um(self) -> Sequence[float]:
        """Heights of the planes in micrometres, rising; never empty; `plane` is an index into it.

        Against a height of the file's own choosing: only the distances are known.
        """
        return (0.0,)

    @property
    def scenes(self) -> Sequence["SlideReader"]:
        """Every image of its own in the file, this one first: each becomes a slide.

        They share the open file: closing this one closes all.
        """
        return (self,)

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        """The samples of a whole tile, `(tile.rows, tile.columns, samples)`, of `pixel_format`.

        Beyond the image it is `tiling.blank`: white in bright field, 0 else. Raises IndexError
        outside the grid, the paths or the planes.
        """

    def encoded_tile_lengths(self, level: int, path: int = 0, plane: int = 0) -> NDArray[np.int64]:
        """Bytes of what `read_encoded_tile` gives, without reading the tiles.

        Shape `(tiles,)` in row-major order. Raises ValueError where the level has no `encoding`.
        """
        raise _only_pixels(level, path, plane)

    def read_encoded_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> bytes:
        """The scanner's compressed tile as a stream that stands alone.

        The entropy-coded data is the file's, bit for bit; shared tables are merged in. Raises
        IndexError outside the grid and ValueError where the level has no `encoding`.
        """
        self.levels[level].grid.frame_index(column, row)
        raise _only_pixels(level, path, plane)

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        """An associated image; raises KeyError when the file has none of that kind."""

    def close(self) -> None: ...


def plane_shown_first(heights_um: Sequence[float]) -> int:
    """The focal plane that stands for a slide: the one nearest 0 where planes lie on both sides
    of it, since scanners count from their own focus; else the middle one.
    """
    if heights_um[0] < 0 < heights_um[-1]:
        return min(range(len(heights_um)), key=lambda plane: abs(heights_um[plane]))
    return (len(heights_um) - 1) // 2


def _only_pixels(level: int, path: int, plane: int) -> ValueError:
    return ValueError(f"level {level} has only pixels of path {path} and plane {plane}, no bytes")
