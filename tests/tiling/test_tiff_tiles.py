"""Tiles and strips of TIFF as samples, judged by tifffile."""

import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tiling.errors import SlideTooLargeError, TilingError, UnsupportedSlideError
from tiling.limits import Limits
from tiling.slide import Colour
from tiling.source import FileSource
from tiling.testing import draw_pattern
from tiling.tiff import TiffFile
from tiling.tiff_tiles import TiffTiles

RGB = draw_pattern(200, 150)
GREY16 = RGB[:, :, 0].astype(np.uint16) * 257
STACK = np.stack([GREY16, GREY16[::-1], GREY16[:, ::-1] // 3, GREY16 // 2])

WAYS: list[tuple[NDArray[np.generic], dict[str, object]]] = [
    (RGB, {"photometric": "rgb"}),
    (RGB, {"photometric": "rgb", "compression": "zlib", "predictor": True}),
    (RGB, {"photometric": "rgb", "compression": "zstd"}),
    (np.moveaxis(RGB, -1, 0), {"photometric": "rgb", "compression": "lzw",
                               "planarconfig": "separate"}),
    (RGB, {"photometric": "rgb", "compression": "packbits"}),
    (RGB, {"photometric": "rgb", "compression": "jpeg2000"}),
    (RGB[:, :, 0], {"photometric": "minisblack", "compression": "jpeg"}),
    (GREY16, {"photometric": "minisblack", "compression": "lzw", "predictor": True}),
    (GREY16, {"photometric": "minisblack", "compression": "zlib", "byteorder": ">",
              "predictor": True}),
    (GREY16, {"photometric": "minisblack", "compression": "jpeg2000"}),
    (GREY16, {"photometric": "minisblack", "byteorder": ">"}),
    (np.moveaxis(STACK, 0, -1), {"photometric": "minisblack", "planarconfig": "contig",
                                 "compression": "zlib"}),
    (STACK, {"photometric": "minisblack", "planarconfig": "separate", "compression": "zstd"}),
]  # fmt: skip


def write(path: Path, pixels: NDArray[np.generic], how: dict[str, object], *, tiled: bool) -> Path:
    how = dict(how)
    cut = {"tile": (64, 48)} if tiled else {"rowsperstrip": 40}
    with tifffile.TiffWriter(path, byteorder=how.pop("byteorder", "<")) as file:  # type: ignore[arg-type]
        file.write(pixels, metadata=None, **cut, **how)  # type: ignore[arg-type]
    return path


def open_first(path: Path, limits: Limits | None = None) -> TiffTiles:
    limits = limits or Limits()
    source = FileSource(path)
    file = TiffFile(source, limits)
    return TiffTiles.of(file, source, limits, next(file.directories()))


def read_whole(tiles: TiffTiles) -> NDArray[np.generic]:
    grid = tiles.grid
    across, down = grid.tiles.columns, grid.tiles.rows
    shape = (down * grid.tile.rows, across * grid.tile.columns, tiles.samples)
    whole = np.zeros(shape, tiles.dtype)
    for column, row in grid.positions():
        found = tiles.read(column, row)
        assert found is not None
        y, x = row * grid.tile.rows, column * grid.tile.columns
        whole[y : y + grid.tile.rows, x : x + grid.tile.columns] = found
    return whole[: grid.image.rows, : grid.image.columns]


@pytest.mark.parametrize("tiled", [True, False], ids=["tiles", "strips"])
@pytest.mark.parametrize(
    ("pixels", "how"),
    WAYS,
    ids=lambda way: "-".join(map(str, way.values())) if isinstance(way, dict) else "",
)
def test_samples_are_those_of_tifffile(
    tmp_path: Path, pixels: NDArray[np.generic], how: dict[str, object], tiled: bool
) -> None:
    path = write(tmp_path / "way.tif", pixels, how, tiled=tiled)
    tiles = open_first(path)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0].aspage()
        expected = page.asarray()
        if page.planarconfig == 2:
            expected = np.moveaxis(expected, 0, -1)
    whole = read_whole(tiles)
    np.testing.assert_array_equal(whole, expected.reshape(whole.shape))
    assert tiles.lossy == ("jpeg" in str(how.get("compression")))
    assert tiles.colour is (Colour.RGB if how["photometric"] == "rgb" else Colour.GREY)


def test_jpeg_in_ycbcr_comes_back_as_rgb(tmp_path: Path) -> None:
    how = {"photometric": "rgb", "compression": "jpeg", "subsampling": (1, 1)}
    whole = read_whole(open_first(write(tmp_path / "colour.tif", RGB, how, tiled=True)))
    assert np.abs(whole.astype(int) - RGB).max() < 12


def test_white_on_black_is_turned_round(tmp_path: Path) -> None:
    path = write(tmp_path / "white.tif", GREY16, {"photometric": "miniswhite"}, tiled=True)
    np.testing.assert_array_equal(read_whole(open_first(path))[:, :, 0], 65535 - GREY16)


def test_a_tile_that_was_left_out_is_none(tmp_path: Path) -> None:
    path = tmp_path / "holes.tif"
    with tifffile.TiffWriter(path) as file:
        tiles = (b"" if n == 1 else bytes(64 * 64) for n in range(4))
        file.write(tiles, shape=(128, 128), dtype=np.uint8, tile=(64, 64), compression="zlib",
                   metadata=None)  # fmt: skip
    found = open_first(path)
    assert found.read(1, 0) is None
    assert not found.is_there(1, 0)
    with pytest.raises(IndexError):
        found.read(2, 0)


@pytest.mark.parametrize(
    ("pixels", "how"),
    [
        (RGB[:, :, 0].astype(np.float32), {"photometric": "minisblack"}),
        (RGB[:, :, 0].astype(np.int16), {"photometric": "minisblack"}),
        (RGB[:, :, 0], {"photometric": "palette", "colormap": np.zeros((3, 256), np.uint16)}),
        (RGB, {"photometric": "rgb", "compression": "webp"}),
        (RGB, {"photometric": "ycbcr"}),
    ],
)
def test_what_is_not_read_is_said(
    tmp_path: Path, pixels: NDArray[np.generic], how: dict[str, object]
) -> None:
    path = write(tmp_path / "odd.tif", pixels, how, tiled=True)
    with pytest.raises(UnsupportedSlideError):
        open_first(path)


def test_a_strip_as_large_as_a_slide_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "strip.tif"
    tifffile.imwrite(path, GREY16, metadata=None)
    with pytest.raises(SlideTooLargeError):
        open_first(path, Limits(tile_pixels=1000))


def test_a_tile_that_unpacks_to_too_much_is_damaged(tmp_path: Path) -> None:
    """A megabyte of zeros where a tile has four kilobytes."""

    path = tmp_path / "bomb.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(iter([zlib.compress(bytes(1 << 20))]), shape=(64, 64), dtype=np.uint8,
                   tile=(64, 64), compression="zlib", metadata=None)  # fmt: skip
    with pytest.raises(TilingError):
        open_first(path).read(0, 0)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300
)
@given(
    number=st.integers(0, len(WAYS) - 1),
    tiled=st.booleans(),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=3)), max_size=6
    ),
)
def test_changed_bytes_are_samples_or_our_error(
    tmp_path: Path, number: int, tiled: bool, changes: list[tuple[float, bytes]]
) -> None:
    path = tmp_path / "changed.tif"
    data = bytearray(write(path, *WAYS[number], tiled=tiled).read_bytes())
    for place, put_in in changes:
        at = int(place * len(data))
        data[at : at + len(put_in)] = put_in
    path.write_bytes(data)
    with suppress(TilingError):
        tiles = open_first(path)
        for column, row in list(tiles.grid.positions())[:8]:
            samples = tiles.read(column, row)
            if samples is not None:
                assert samples.shape[2] == tiles.samples
                assert samples.dtype == tiles.dtype
