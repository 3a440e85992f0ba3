"""A series of DICOM files as an open slide."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dicom.errors import DicomError, UnsupportedInstanceError
from dicom.source.files import members_beside
from dicom.source.image import Image, stitch
from dicom.source.metadata import metadata_of
from dicom.source.optics import optical_path_of
from dicom.source.original import OriginalImage, path_items
from dicom.source.part import Part
from dicom.source.series import Contents, StoredLevel, open_parts, slides_of
from tiling.blank import background_of, blank_beyond, blank_tile
from tiling.described import DescribedSlide, Description
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.limits import Limits
from tiling.slide import (
    AssociatedKind,
    Level,
    OpticalPath,
    Pixels,
    Samples,
    SlideReader,
)

NAME = "DICOM"


class DicomSlide(DescribedSlide):
    """One pyramid of a series, with the label, overview and thumbnail beside it."""

    def __init__(self, contents: Contents, parts: Sequence[Part]) -> None:
        base = contents.base
        paths = _optical_paths(base)
        super().__init__(
            Description(
                NAME,
                metadata_of(base.parts[0], parts).keeping_less(*contents.not_kept),
                tuple(map(_level_of, contents.levels)),
                {kind: image.grid.image for kind, image in contents.associated.items()},
                base.pixel_format,
                paths,
                base.heights_um,
            )
        )
        self._contents = contents
        self._parts = parts
        self._backgrounds = [background_of(base.pixel_format, path) for path in paths]
        self._original = {
            number: OriginalImage.of(stored.image) for number, stored in enumerate(contents.levels)
        }
        self._scenes: tuple[SlideReader, ...] = (self,)

    @property
    def scenes(self) -> Sequence[SlideReader]:
        return self._scenes

    @property
    def original(self) -> Mapping[int, OriginalImage]:
        """By level: what its first file says, for `dicom.originals`."""
        return self._original

    @property
    def original_associated(self) -> Mapping[AssociatedKind, OriginalImage]:
        """The same of the label, the overview and the thumbnail."""
        return {kind: OriginalImage.of(one) for kind, one in self._contents.associated.items()}

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        image, tile = self._place(level, column, row, path, plane)
        background = self._backgrounds[path]
        with telling():
            samples = image.decode(path, plane, tile)
        if samples is None:
            return blank_tile(image.grid.tile, image.pixel_format, background)
        return blank_beyond(samples, image.grid.visible(column, row), background)

    def encoded_tile_lengths(self, level: int, path: int = 0, plane: int = 0) -> NDArray[np.int64]:
        if self.levels[level].encoding is None:
            return super().encoded_tile_lengths(level, path, plane)
        image, _ = self._place(level, 0, 0, path, plane)
        with telling():
            return image.lengths(path, plane, self._backgrounds[path])

    def read_encoded_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> bytes:
        image, tile = self._place(level, column, row, path, plane)
        if self.levels[level].encoding is None:
            return super().read_encoded_tile(level, column, row, path, plane)
        with telling():
            return image.encoded(path, plane, tile, self._backgrounds[path])

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        image = self._contents.associated[kind]
        with telling():
            samples = stitch(image)
        eight_bits = np.asarray(samples >> max(0, image.pixel_format.bits - 8), np.uint8)
        return np.repeat(eight_bits, 3, axis=2) if eight_bits.shape[2] == 1 else eight_bits

    def close(self) -> None:
        for part in self._parts:
            part.source.close()

    def shows(self, name: str) -> bool:
        """Whether a level of this slide lies in the file of that name."""
        return any(
            part.name == name for stored in self._contents.levels for part in stored.image.parts
        )

    def with_scenes(self, others: Sequence["DicomSlide"]) -> "DicomSlide":
        """The same slide, as the first of its series."""
        self._scenes = (self, *others)
        return self

    def _place(self, level: int, column: int, row: int, path: int, plane: int) -> tuple[Image, int]:
        self.check_layer(path, plane)
        image = self._contents.levels[level].image
        return image, image.grid.frame_index(column, row)


def open_series(path: Path, limits: Limits) -> DicomSlide:
    """Open the slide that a file of a series belongs to; raises a TilingError."""
    with telling():
        parts, not_kept = open_parts(members_beside(path))
        try:
            found = slides_of(parts, limits, not_kept)
            slides = [DicomSlide(contents, parts) for contents in found]
        except BaseException:
            for part in parts:
                part.source.close()
            raise
    first = next((slide for slide in slides if slide.shows(path.name)), slides[0])
    return first.with_scenes([slide for slide in slides if slide is not first])


@contextmanager
def telling() -> Iterator[None]:
    """Tell what is wrong with an instance as what is wrong with the slide."""
    try:
        yield
    except DicomError as error:
        said = str(error).rstrip(".")
        if isinstance(error, UnsupportedInstanceError):
            raise UnsupportedSlideError(
                f"The DICOM file cannot be shown: {said}; export the slide in another form."
            ) from error
        raise DamagedSlideError(
            f"The DICOM file is damaged: {said}; copy it again from the scanner."
        ) from error
    except OSError as error:
        raise DamagedSlideError(
            "The DICOM file cannot be read; copy it again from the scanner."
        ) from error


def _level_of(stored: StoredLevel) -> Level:
    grid, image = stored.image.grid, stored.image
    return Level(grid.image, grid.tile, stored.downsample, image.encoding, lossy=image.lossy)


def _optical_paths(base: Image) -> tuple[OpticalPath, ...]:
    several, coloured = len(base.path_identifiers) > 1, base.pixel_format.samples > 1
    return tuple(
        optical_path_of(item, identifier, several=several, coloured=coloured)
        for item, identifier in zip(path_items(base), base.path_identifiers, strict=True)
    )
