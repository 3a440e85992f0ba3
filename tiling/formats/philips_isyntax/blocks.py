"""Where the blocks of coefficients lie, asked before the decoder believes it."""

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError
from tiling.formats.philips_isyntax.header import BLOCK, CORRUPT, Geometry
from tiling.source import CUT_SHORT, FileSource

_BLOCK = np.dtype(
    [
        ("before", "V16"),
        ("x", "<i4"),
        ("y", "<i4"),
        ("colour", "<u4"),
        ("level", "<u4"),
        ("coefficient", "<u4"),
        ("between", "V8"),
        ("template", "<u4"),
    ]
)
"""A block of the table; the lengths of its parts are in between, as in DICOM."""
_PLACE = np.dtype([("before", "V16"), ("offset", "<u8"), ("between", "V8"), ("length", "<u8")])
"""An entry of the seek table."""
_SEEK_TABLE = bytes.fromhex("1d301520")
_MOST_BLOCK_BYTES = 1 << 22
_COLOURS = 3
_BORDER = 3
"""Pixels of a level that its neighbours' transform needs; see `Geometry.padded`."""


def check_blocks(source: FileSource, table: bytes, at: int, geometry: Geometry) -> None:
    """Raise DamagedSlideError where a block is of no tile, or lies beyond the file's end."""
    blocks = _decode(table)
    if (
        not len(blocks)
        or (blocks["colour"] >= _COLOURS).any()
        or (blocks["level"] >= geometry.levels).any()
        or (blocks["coefficient"] > 1).any()
    ):
        raise DamagedSlideError(CORRUPT)
    numbers = _numbers(blocks, geometry)
    length = int.from_bytes(source.read(at + 4, 4), "little")
    if source.read(at, 4) != _SEEK_TABLE or length >= 1 << 31:
        raise DamagedSlideError(CORRUPT)
    places = np.frombuffer(source.read(at + 8, length - length % _PLACE.itemsize), _PLACE)
    if int(numbers.max()) >= len(places):
        raise DamagedSlideError(CORRUPT)
    offsets, lengths = places["offset"][numbers], places["length"][numbers]
    if (lengths > _MOST_BLOCK_BYTES).any() or (offsets > source.size).any():
        raise DamagedSlideError(CUT_SHORT)
    if (offsets + lengths > source.size).any():
        raise DamagedSlideError(CUT_SHORT)


def _decode(table: bytes) -> NDArray[np.void]:
    try:
        raw = base64.b64decode(table)
    except binascii.Error as error:
        raise DamagedSlideError(CORRUPT) from error
    length = int.from_bytes(raw[:4], "little")
    # After its tag, an item of this length has all parts but place and length of the block.
    if length % _BLOCK.itemsize or len(raw) < 4 + length or raw[8:12] != b"\x28\0\0\0":
        raise DamagedSlideError(CORRUPT)
    return np.frombuffer(raw[4 : 4 + length], _BLOCK)


def _numbers(blocks: NDArray[np.void], geometry: Geometry) -> NDArray[np.int64]:
    """Each block's entry in the seek table: by colour, then level, then row and column."""
    level = blocks["level"].astype(np.int64)
    grids = [geometry.tiles(number) for number in range(geometry.levels)]
    areas = np.array([grid.area for grid in grids] + [grids[-1].area], np.int64)
    before = np.concatenate([[0], np.cumsum(areas)])
    is_average = blocks["coefficient"] == 0
    if (is_average & (level != geometry.levels - 1)).any():
        raise DamagedSlideError(CORRUPT)
    first = (_BORDER << level) - (_BORDER - 1) + np.where(is_average, 1 << level, 0)
    across, down = np.array([(grid.columns, grid.rows) for grid in grids], np.int64)[level].T
    columns, rows = (
        (blocks[name].astype(np.int64) - offset - first) // (2 * BLOCK << level)
        for name, offset in zip("xy", geometry.offset, strict=True)
    )
    if ((columns < 0) | (rows < 0) | (columns >= across) | (rows >= down)).any():
        raise DamagedSlideError(CORRUPT)
    place = before[level + is_average] + rows * across + columns
    return np.asarray(blocks["colour"].astype(np.int64) * before[-1] + place)
