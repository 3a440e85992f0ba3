"""What a key below an image's group stands for; every other key stands for nothing."""

from dataclasses import dataclass

from tiling.omezarr.documents import DOCUMENT_NAME
from tiling.omezarr.multiscale import Multiscale

_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class DocumentPlace:
    """The `zarr.json` of a level, or of the group where that is None."""

    level: int | None


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """A chunk, as the grid of its array counts it."""

    level: int
    column: int
    row: int
    path: int = 0
    """The optical path: of an RGB image all three of its colours."""
    plane: int = 0


def parse_key(image: Multiscale, key: str) -> DocumentPlace | ChunkPlace:
    """What is at a key such as "zarr.json", "0/zarr.json" or "0/c/0/12/7".

    Raises KeyError for what no array of the image has.
    """
    if key == DOCUMENT_NAME:
        return DocumentPlace(None)
    head, *rest = key.split("/")
    level = _number(head, len(image.levels))
    if rest == [DOCUMENT_NAME]:
        return DocumentPlace(level)
    if rest[:1] != ["c"] or len(rest) != 1 + len(image.axes):
        raise KeyError(key)
    tiles = image.levels[level].grid.tiles
    channel, *planes, row, column = rest[1:]
    return ChunkPlace(
        level,
        _number(column, tiles.columns),
        _number(row, tiles.rows),
        _number(channel, len(image.optical_paths)),
        _number(planes[0], len(image.focal_planes_um)) if planes else 0,
    )


def chunk_key(image: Multiscale, place: ChunkPlace) -> str:
    """The key of a chunk; `parse_key` reads it where a chunk is a tile."""
    planes = [place.plane] if "z" in image.axes else []
    numbers = (place.level, "c", place.path, *planes, place.row, place.column)
    return "/".join(map(str, numbers))


def _number(text: str, end: int) -> int:
    """A number below `end` in its one way of writing; raises KeyError."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise KeyError(text)
    number = int(text)
    if number >= end or str(number) != text:
        raise KeyError(text)
    return number
