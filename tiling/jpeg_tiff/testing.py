"""Writes JPEG-tiled TIFF files directory by directory, and holds a reader to OpenSlide's pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import tifffile

from tiling.blank import white_tile
from tiling.codecs import jpeg
from tiling.codecs.segments import parse_frame_header
from tiling.geometry import Size, TileGrid
from tiling.slide import AssociatedKind, Colour, Pixels, SlideReader, TileEncoding
from tiling.svs import abbreviate

_NAMES = {
    AssociatedKind.LABEL: "label",
    AssociatedKind.OVERVIEW: "macro",
    AssociatedKind.THUMBNAIL: "thumbnail",
}
_YCBCR_420 = TileEncoding(Colour.YCBCR, (2, 2))


@dataclass(frozen=True, slots=True)
class WrittenImage:
    """One directory: an image, and what is said of it."""

    pixels: Pixels
    tile: int | None = 256
    """Side of a tile, in pixels; None for an image in strips."""
    encoding: TileEncoding = _YCBCR_420
    """Of tiles; strips are LZW."""
    shares_tables: bool = True
    """Whether the tables stand in the directory, and the tiles bear no colour marker."""
    photometric: str = ""
    """What the directory says of the colour, where that is not what the encoding says."""
    size: Size | None = None
    """What the directory says of the size, where that is not the pixels'."""
    left_out: frozenset[tuple[int, int]] = frozenset()
    """Tiles of no bytes, as `(column, row)`."""
    description: str = ""
    reduced: int = 0
    """NewSubfileType."""
    software: str = ""
    per_mm: tuple[float, float] | None = None
    """Pixels a millimetre, across and down."""
    resolution: tuple[float, float] | None = None
    """The resolution fields as they are, without a unit."""
    icc_profile: bytes | None = None
    fields: Sequence[tuple[int, int, int, object]] = ()
    """More fields: tag, type, count and value."""
    below: Sequence["WrittenImage"] = ()
    """What hangs from this directory as SubIFDs."""


def write_jpeg_tiff(path: Path, images: Sequence[WrittenImage], *, big: bool = False) -> None:
    """Write the images as the directories of one file."""
    with tifffile.TiffWriter(path, bigtiff=big) as file:
        for image in images:
            _write(file, image)
            for sub_image in image.below:
                _write(file, sub_image)


def _write(file: tifffile.TiffWriter, image: WrittenImage) -> None:
    per_cm = (image.per_mm[0] * 10, image.per_mm[1] * 10) if image.per_mm else None
    size = image.size or Size(image.pixels.shape[1], image.pixels.shape[0])
    said: dict[str, Any] = {
        "description": image.description.encode() or None,
        "metadata": None,
        "software": image.software or False,
        "subfiletype": image.reduced,
        "resolution": per_cm or image.resolution,
        "resolutionunit": "CENTIMETER" if per_cm else "NONE",
        "iccprofile": image.icc_profile,
        "subifds": len(image.below) or None,
        "extratags": [(*each, True) for each in image.fields],
    }
    if image.tile is None:
        file.write(image.pixels, photometric="rgb", compression="lzw", rowsperstrip=16, **said)
        return
    tables, tiles = _encode(image, size, image.tile)
    colour = image.photometric or image.encoding.colour.value
    grey = image.encoding.colour is Colour.GREY
    file.write(
        tiles,
        shape=(size.rows, size.columns) if grey else (size.rows, size.columns, 3),
        dtype=np.uint8,
        tile=(image.tile, image.tile),
        compression="jpeg",
        compressionargs={"outcolorspace": colour},
        photometric="minisblack" if grey else colour,
        subsampling=image.encoding.subsampling if colour == "ycbcr" else None,
        jpegtables=tables,
        **said,
    )


def _encode(image: WrittenImage, size: Size, side: int) -> tuple[bytes | None, Iterator[bytes]]:
    """The shared tables, and each tile of the padded pixels."""
    grid = TileGrid(size, Size(side, side))

    def encode(position: tuple[int, int]) -> bytes:
        if position in image.left_out:
            return b""
        left, top = position[0] * side, position[1] * side
        whole = np.array(white_tile(grid.tile))
        part = image.pixels[top : top + side, left : left + side]
        whole[: part.shape[0], : part.shape[1]] = part
        stream = jpeg.encode(whole, image.encoding, 85)
        return abbreviate(stream)[1] if image.shares_tables else stream

    sample = jpeg.encode(white_tile(grid.tile), image.encoding, 85)
    assert parse_frame_header(sample).decoded_as is image.encoding.colour
    tables = abbreviate(sample)[0] if image.shares_tables else None
    return tables, map(encode, grid.positions())


def assert_same_as_openslide(
    reader: SlideReader,
    path: Path,
    *,
    levels: int | None = None,
    corners: Sequence[tuple[int, int]] | None = None,
) -> None:
    """Every pixel that OpenSlide has, and every associated image, is the same here.

    `levels` is how many of them OpenSlide knows, all by default. `corners` says for each level
    where the reader's upper left lies, in base pixels; without it the levels have to be as large.
    """
    with openslide.OpenSlide(path) as judge:
        known = len(reader.levels) if levels is None else levels
        assert judge.level_count == known
        for number, level in enumerate(reader.levels[:known]):
            size = (level.size.columns, level.size.rows)
            if corners is None:
                assert judge.level_dimensions[number] == size
            # OpenSlide places regions by base pixels, so whole levels are compared: no rounding.
            corner = corners[number] if corners else (0, 0)
            whole = np.asarray(judge.read_region(corner, number, size))
            for column, row in level.grid.positions():
                visible = level.grid.visible(column, row)
                top, left = row * level.tile.rows, column * level.tile.columns
                expected = whole[top : top + visible.rows, left : left + visible.columns]
                there = expected[:, :, 3] == 255
                found = reader.read_tile(number, column, row)[: visible.rows, : visible.columns]
                np.testing.assert_array_equal(found[there], expected[:, :, :3][there])
        names = {_NAMES[kind] for kind in reader.associated}
        assert names == set(judge.associated_images)
        for kind in reader.associated:
            image = judge.associated_images[_NAMES[kind]].convert("RGB")
            np.testing.assert_array_equal(reader.read_associated(kind), np.asarray(image))
