"""One image of a slide: the frames of one or more files as a grid of tiles, layer by layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dicom.errors import DamagedInstanceError
from dicom.source.frame_format import FrameFormat
from dicom.source.part import Part
from dicom.source.placement import Placement, place
from tiling.blank import blank_tile
from tiling.codecs import frames
from tiling.errors import IncompleteSlideError
from tiling.geometry import Size, TileGrid
from tiling.limits import Limits
from tiling.slide import Codec, PixelFormat, Samples, TileEncoding

_NO_FRAME = -1
_FILLED = frozenset({Codec.JPEG, Codec.RAW, Codec.JPEG_2000_LOSSLESS})
"""Codecs in which a missing tile is made, so that the others can be handed on."""
_MOST_PLANES = 1024
PART_MISSING = "A file of the slide is missing; copy all files of its series into one folder."


@dataclass(frozen=True, eq=False)
class Image:
    """All frames of one resolution, or of a label, overview or thumbnail."""

    parts: tuple[Part, ...]
    formats: tuple[FrameFormat, ...]
    grid: TileGrid
    pixel_format: PixelFormat
    path_identifiers: tuple[str, ...]
    heights_um: tuple[float, ...]
    """Of the focal planes, rising."""
    heights_known: bool
    focus_map: bool
    """Whether tiles had heights of their own, which are not kept."""
    numbers: NDArray[np.int32]
    """Number of each tile's frame over all parts, -1 where there is none; shape
    `(paths, planes, tiles)`."""

    @classmethod
    def of(cls, parts: Sequence[Part], limits: Limits) -> "Image":
        """Put the parts of one image together; of two frames for one tile the first counts.

        Raises DicomError or TilingError for parts that make no image.
        """
        parts = _in_order(parts)
        grid = parts[0].grid
        limits.check_level(grid.image, grid.tile)
        limits.check_bytes(grid.image, sum(part.source.size_bytes for part in parts))
        placements = _placements(parts, limits)
        identifiers = list(dict.fromkeys(name for p in placements for name in p.path_identifiers))
        heights = np.unique(np.concatenate([p.heights_um for p in placements]))
        tiles = grid.tiles.area
        if len(heights) > _MOST_PLANES or len(identifiers) * len(heights) * tiles > (
            limits.level_tiles
        ):
            raise DamagedInstanceError("The image has more focal planes than any slide.")
        numbers = np.full((len(identifiers), len(heights), tiles), _NO_FRAME, np.int32)
        first = sum(part.frames for part in parts)
        for part, placement in reversed(list(zip(parts, placements, strict=True))):
            first -= part.frames
            paths = np.array([identifiers.index(name) for name in placement.path_identifiers])
            planes = np.searchsorted(heights, placement.heights_um)
            at = (paths[placement.paths], planes, placement.tiles)
            # Backwards, because of two numbers for one place the last one stays.
            backwards = tuple(axis[::-1] for axis in at)
            numbers[backwards] = np.arange(first, first + part.frames, dtype=np.int32)[::-1]
        return cls(
            parts,
            tuple(FrameFormat.of(part) for part in parts),
            grid,
            parts[0].pixel_format,
            tuple(identifiers),
            tuple(float(height) for height in heights),
            all(p.heights_known for p in placements),
            any(p.focus_map for p in placements),
            numbers,
        )

    @cached_property
    def encoding(self) -> TileEncoding | None:
        """Set where every tile can be handed on as it is, and missing ones can be made."""
        found = {format_.decoding for format_ in self.formats}
        if len(found) != 1 or not all(format_.handed_on for format_ in self.formats):
            return None
        # Bits Stored is 8 or 16 (PS3.3 C.8.12.4), which a stream may not contradict (PS3.5 8.2).
        if not self.pixel_format.fills_its_type:
            return None
        encoding = found.pop()
        if (self.numbers == _NO_FRAME).any() and not self._can_fill:
            return None
        return encoding

    @property
    def lossy(self) -> bool:
        """Whether the pixels were ever compressed with loss, as far as the files tell."""
        lossless = all(format_.decoding.codec.is_lossless for format_ in self.formats)
        never = all(part.text("LossyImageCompression") == "00" for part in self.parts)
        return not (lossless and never)

    @cached_property
    def unused_frames(self) -> int:
        """Frames that no tile of these layers is."""
        return int(self._first_frames[-1]) - int((self.numbers != _NO_FRAME).sum())

    def decode(self, path: int, plane: int, tile: int) -> Samples | None:
        """The samples of a whole tile; None where there is no frame for it."""
        number = int(self.numbers[path, plane, tile])
        if number == _NO_FRAME:
            return None
        part, index = self._find(number)
        return self.formats[part].decode(self.parts[part].frame(index))

    def encoded(self, path: int, plane: int, tile: int, background: int) -> bytes:
        """A tile as `encoding` has it; one that is missing is made of `background`."""
        number = int(self.numbers[path, plane, tile])
        if number == _NO_FRAME:
            return self._blank(background)
        part, index = self._find(number)
        return self.formats[part].tile_of(self.parts[part].frame(index))

    def lengths(self, path: int, plane: int, background: int) -> NDArray[np.int64]:
        """Bytes of what `encoded` gives for each tile of a layer, shape `(tiles,)`."""
        numbers = self.numbers[path, plane]
        blank = len(self._blank(background)) if (numbers == _NO_FRAME).any() else 0
        lengths = np.full(numbers.shape, blank, np.int64)
        for tile in np.flatnonzero(numbers != _NO_FRAME):
            part, index = self._find(int(numbers[tile]))
            lengths[tile] = self.parts[part].frame_bytes(index) + self.formats[part].longer_by
        return lengths

    @cached_property
    def _first_frames(self) -> NDArray[np.int64]:
        """Number of each part's first frame, and of all frames."""
        return np.concatenate(([0], np.cumsum([part.frames for part in self.parts])))

    def _find(self, number: int) -> tuple[int, int]:
        """The part that holds a frame, and its index there."""
        part = int(np.searchsorted(self._first_frames, number, side="right")) - 1
        return part, number - int(self._first_frames[part])

    @cached_property
    def _can_fill(self) -> bool:
        if self.formats[0].decoding.codec not in _FILLED:
            return False
        try:
            self._blank(self.pixel_format.brightest)
        except ValueError:
            return False
        return True

    def _blank(self, background: int) -> bytes:
        made = self._blanks.get(background)
        if made is None:
            blank = blank_tile(self.grid.tile, self.pixel_format, background)
            made = frames.encode(blank, self.formats[0].decoding, self.pixel_format)
            self._blanks[background] = made
        return made

    @cached_property
    def _blanks(self) -> dict[int, bytes]:
        """A missing tile by its background."""
        return {}


def stitch(image: Image) -> Samples:
    """All of an image's first layer, `(rows, columns, samples)`; missing tiles are white.

    For labels and the like: the caller has bounded the size.
    """
    size, tile = image.grid.image, image.grid.tile
    shape = (size.rows, size.columns, image.pixel_format.samples)
    whole = np.full(shape, image.pixel_format.brightest, image.pixel_format.dtype)
    for number, (column, row) in enumerate(image.grid.positions()):
        samples = image.decode(0, 0, number)
        if samples is not None:
            visible: Size = image.grid.visible(column, row)
            top, left = row * tile.rows, column * tile.columns
            whole[top : top + visible.rows, left : left + visible.columns] = samples[
                : visible.rows, : visible.columns
            ]
    return whole


def _in_order(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Concatenations in their own order; else as given."""

    def place_in_concatenation(part: Part) -> tuple[int, int]:
        offset = part.number("ConcatenationFrameOffsetNumber") or 0
        return part.number("InConcatenationNumber") or 0, offset

    return tuple(sorted(parts, key=place_in_concatenation))


def _placements(parts: Sequence[Part], limits: Limits) -> list[Placement]:
    """Where the frames of each part lie; raises IncompleteSlideError where a part is missing."""
    placements: list[Placement] = []
    reached: dict[str, int] = {}
    needed: dict[str, int] = {}
    for part in parts:
        uid = part.text("ConcatenationUID")
        first = part.number("ConcatenationFrameOffsetNumber") if uid else 0
        if first is None:
            first = reached.get(uid or "", 0)
        placement = place(part, first, limits.level_tiles)
        placements.append(placement)
        if uid is None or placement.frames_needed is None:
            continue
        if first > reached.get(uid, 0):
            raise IncompleteSlideError(PART_MISSING)
        reached[uid] = max(reached.get(uid, 0), first + part.frames)
        needed[uid] = placement.frames_needed
    if any(reached[uid] < needed[uid] for uid in needed):
        raise IncompleteSlideError(PART_MISSING)
    _check_numbers(parts)
    return placements


def _check_numbers(parts: Sequence[Part]) -> None:
    """Raise IncompleteSlideError where a concatenation has fewer parts than it says."""
    for part in parts:
        uid, total = part.text("ConcatenationUID"), part.number("InConcatenationTotalNumber")
        if uid is not None and total is not None:
            others = sum(other.text("ConcatenationUID") == uid for other in parts)
            if others < total:
                raise IncompleteSlideError(PART_MISSING)
