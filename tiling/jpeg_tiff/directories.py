"""An open TIFF file, in the terms in which vendors' formats differ from each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from tiling import tiff
from tiling.errors import UnsupportedSlideError
from tiling.geometry import Size
from tiling.jpeg_tiff.images import AssociatedImage, DirectoryImage
from tiling.jpeg_tiff.levels import StoredLevel, check_places, is_jpeg_tiled, read_level, read_size
from tiling.limits import Limits
from tiling.slide import AssociatedKind, SlideMetadata
from tiling.source import FileSource
from tiling.tiff import Directory, TiffFile

_UNIT_MM = {2: 25.4, 3: 10.0}
"""ResolutionUnit (TIFF 6.0 section 8): inch and centimetre."""
_INCH = 2
_LARGEST_SPACING_MM = 1000.0
"""Beyond this a resolution is no number of a slide, but a slip of whoever wrote it."""
_REDUCED = 1
"""The bit of NewSubfileType that marks a smaller copy of another image."""
_LARGEST_ROUNDING = 2
"""Pixels by which a level may miss the base's shape, and still be a level of it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that a file says of itself, found and checked."""

    metadata: SlideMetadata
    levels: tuple[StoredLevel, ...]
    """From the base upwards; never empty."""
    associated: Mapping[AssociatedKind, AssociatedImage]


class JpegTiff:
    """The directories of one file, and what a format may ask of them."""

    def __init__(self, path: Path, source: FileSource, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self._source = source
        self._file = TiffFile(source, limits)
        self.directories: Sequence[Directory] = tuple(self._file.directories())
        """The main chain, in the file's order."""

    def sub_directories(self, directory: Directory) -> list[Directory]:
        return self._file.sub_directories(directory)

    def size(self, directory: Directory) -> Size:
        return read_size(self._file, directory)

    def tile(self, directory: Directory) -> Size:
        return Size(
            self._file.number(directory, tiff.TILE_WIDTH),
            self._file.number(directory, tiff.TILE_LENGTH),
        )

    def is_tiled(self, directory: Directory) -> bool:
        return tiff.TILE_OFFSETS in directory

    def is_reduced(self, directory: Directory) -> bool:
        """Whether the directory calls itself a smaller copy of another."""
        return bool(self.number(directory, tiff.NEW_SUBFILE_TYPE) & _REDUCED)

    def is_jpeg_tiled(self, directory: Directory) -> bool:
        return is_jpeg_tiled(self._file, directory)

    def number(self, directory: Directory, tag: int, default: int = 0) -> int:
        return self._file.number(directory, tag, default)

    def fraction(self, directory: Directory, tag: int) -> float | None:
        return self._file.fraction(directory, tag)

    def text(self, directory: Directory, tag: int) -> str:
        return self._file.text(directory, tag)

    def words(self, directory: Directory, tag: int) -> str | None:
        """A text field without the space around it; None when nothing is in it."""
        return self.text(directory, tag).strip("\0 \t\r\n") or None

    def description(self, directory: Directory) -> str:
        return self.text(directory, tiff.IMAGE_DESCRIPTION)

    def icc_profile(self, directory: Directory) -> bytes | None:
        return self._file.blob(directory, tiff.ICC_PROFILE) or None

    def spacing_mm(self, directory: Directory) -> tuple[float, float] | None:
        """Distance between rows and between columns, by the resolution fields."""
        unit_mm = _UNIT_MM.get(self.number(directory, tiff.RESOLUTION_UNIT, _INCH))
        across = self.fraction(directory, tiff.X_RESOLUTION)
        down = self.fraction(directory, tiff.Y_RESOLUTION)
        if unit_mm is None or not across or not down:
            return None
        spacing = unit_mm / down, unit_mm / across
        return spacing if all(0 < side <= _LARGEST_SPACING_MM for side in spacing) else None

    def date_time(self, directory: Directory) -> datetime | None:
        """TIFF's own DateTime, which has no time zone."""
        try:
            return datetime.strptime(  # noqa: DTZ007  the field has no zone
                self.words(directory, tiff.DATE_TIME) or "", "%Y:%m:%d %H:%M:%S"
            )
        except ValueError:
            return None

    def level(
        self, directory: Directory, base: Size, size: Size | None = None, downsample: float = 0
    ) -> StoredLevel:
        """One level of a slide whose base has the size `base`.

        `size` and `downsample` are for formats that know them better than the directory does.
        Raises UnsupportedSlideError when the tiles cannot be handed on.
        """
        size = size or self.size(directory)
        downsample = downsample or (base.columns / size.columns + base.rows / size.rows) / 2
        return read_level(self._file, self._source, self.limits, directory, size, downsample)

    def pyramid(self, directories: Sequence[Directory]) -> tuple[StoredLevel, ...]:
        """The levels in the given directories, finest first.

        Raises UnsupportedSlideError when one of them is no smaller copy of the finest.
        """
        ordered = sorted(directories, key=lambda directory: -self.size(directory).area)
        sizes = [self.size(directory) for directory in ordered]
        for finer, coarser in pairwise(sizes):
            if coarser.area == finer.area or not _has_shape_of(sizes[0], coarser):
                raise UnsupportedSlideError(
                    "The file's images are no levels of one slide; export it again as a pyramid."
                )
        return tuple(self.level(directory, sizes[0]) for directory in ordered)

    def image(self, index: int) -> AssociatedImage | None:
        """The directory of that index as an associated image; None unless 8-bit grey or RGB.

        Raises SlideTooLargeError or DamagedSlideError when it cannot be what it says.
        """
        directory = self.directories[index]
        samples = self.number(directory, tiff.SAMPLES_PER_PIXEL, 1)
        if self.number(directory, tiff.BITS_PER_SAMPLE, 1) != 8 or samples not in (1, 3):
            return None
        image = DirectoryImage(index, self.size(directory))
        self.limits.check_associated(image.size)
        for places, lengths in (
            (tiff.STRIP_OFFSETS, tiff.STRIP_BYTE_COUNTS),
            (tiff.TILE_OFFSETS, tiff.TILE_BYTE_COUNTS),
        ):
            numbers = self._file.numbers
            check_places(self._source, numbers(directory, places), numbers(directory, lengths))
        return image


def _has_shape_of(base: Size, size: Size) -> bool:
    """Whether a size is a scaled-down base, but for rounding."""
    columns = base.columns * size.rows / base.rows
    rows = base.rows * size.columns / base.columns
    return min(abs(columns - size.columns), abs(rows - size.rows)) <= _LARGEST_ROUNDING
