"""What every reader must pass, shipped so that a reader from outside can be held to it too.

class TestMyFormat(SlideReaderContract):
    @pytest.fixture
    def reader(self, my_file): return open_slide(my_file)
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tiling.codecs import jpeg
from tiling.downsample import halve
from tiling.slide import Pixels, SlideReader
from tiling.svs import SvsOptions, write_svs

__all__ = [
    "SlideReaderContract",
    "SvsOptions",
    "draw_pattern",
    "write_generic_tiff",
    "write_svs",
]


class SlideReaderContract:
    """The promises of `SlideReader`, as tests; a subclass overrides the fixture `reader`."""

    @pytest.fixture
    def reader(self) -> SlideReader:
        raise NotImplementedError

    def test_it_names_its_format(self, reader: SlideReader) -> None:
        assert reader.format

    def test_levels_grow_coarser_from_the_base(self, reader: SlideReader) -> None:
        assert reader.levels
        assert reader.levels[0].downsample == 1
        for finer, coarser in zip(reader.levels, reader.levels[1:], strict=False):
            assert coarser.downsample > finer.downsample
            assert coarser.size.area < finer.size.area

    def test_every_corner_tile_is_a_whole_rgb_tile(self, reader: SlideReader) -> None:
        for number, level in enumerate(reader.levels):
            last = level.grid.tiles
            for column in {0, last.columns - 1}:
                for row in {0, last.rows - 1}:
                    pixels = reader.read_tile(number, column, row)
                    assert pixels.shape == (level.tile.rows, level.tile.columns, 3)
                    assert pixels.dtype == np.uint8

    def test_it_is_white_beyond_the_image(self, reader: SlideReader) -> None:
        for number, level in enumerate(reader.levels):
            column, row = level.grid.tiles.columns - 1, level.grid.tiles.rows - 1
            visible = level.grid.visible(column, row)
            pixels = reader.read_tile(number, column, row)
            assert (pixels[visible.rows :] == 255).all()
            assert (pixels[:, visible.columns :] == 255).all()

    def test_there_are_no_tiles_outside_the_grid(self, reader: SlideReader) -> None:
        tiles = reader.levels[0].grid.tiles
        for column, row in ((-1, 0), (0, -1), (tiles.columns, 0), (0, tiles.rows)):
            with pytest.raises(IndexError):
                reader.read_tile(0, column, row)
            with pytest.raises(IndexError):
                reader.read_encoded_tile(0, column, row)

    def test_encoded_tiles_are_what_the_level_says(self, reader: SlideReader) -> None:
        for number, level in enumerate(reader.levels):
            if level.encoding is None:
                with pytest.raises(ValueError, match="no compressed tiles"):
                    reader.read_encoded_tile(number, 0, 0)
                with pytest.raises(ValueError, match="no compressed tiles"):
                    reader.encoded_tile_lengths(number)
                continue
            lengths = reader.encoded_tile_lengths(number)
            assert lengths.shape == (level.grid.tiles.area,)
            assert lengths.dtype == np.int64
            for column, row in _some_positions(reader, number):
                stream = reader.read_encoded_tile(number, column, row)
                assert len(stream) == lengths[level.grid.frame_index(column, row)]
                jpeg.check_frame(stream, level.tile, level.encoding)
                visible = level.grid.visible(column, row)
                np.testing.assert_array_equal(
                    jpeg.decode(stream)[: visible.rows, : visible.columns],
                    reader.read_tile(number, column, row)[: visible.rows, : visible.columns],
                )

    def test_threads_read_the_same_as_one(self, reader: SlideReader) -> None:
        positions = _some_positions(reader, 0)
        alone = [reader.read_tile(0, *position) for position in positions]
        with ThreadPoolExecutor(8) as pool:
            together = list(
                pool.map(lambda position: reader.read_tile(0, *position), positions * 4)
            )
        for index, pixels in enumerate(together):
            np.testing.assert_array_equal(pixels, alone[index % len(alone)])

    def test_associated_images_have_the_size_they_announce(self, reader: SlideReader) -> None:
        for kind, size in reader.associated.items():
            pixels = reader.read_associated(kind)
            assert pixels.shape == (size.rows, size.columns, 3)
            assert pixels.dtype == np.uint8


def _some_positions(reader: SlideReader, level: int) -> list[tuple[int, int]]:
    """At most a dozen places spread over a level."""
    positions = list(reader.levels[level].grid.positions())
    return positions[:: max(1, len(positions) // 12)]


def draw_pattern(columns: int, rows: int) -> Pixels:
    """An image `(rows, columns, 3)` in which no two tiles are alike and no part is flat."""
    y, x = np.mgrid[:rows, :columns]
    red = 128 + 90 * np.sin(x / 37) * np.cos(y / 53)
    green = 128 + 90 * np.sin((x + 2 * y) / 61)
    blue = 255 * (x * rows + y * columns) / (2 * rows * columns)
    return np.asarray(np.stack((red, green, blue), axis=-1), np.uint8)


def write_generic_tiff(path: Path, base: Pixels, *, tile: int = 256, levels: int = 2) -> None:
    """A tiled pyramid without any vendor's mark, losslessly compressed."""
    with tifffile.TiffWriter(path) as file:
        for number in range(levels):
            file.write(
                base,
                tile=(tile, tile),
                photometric="rgb",
                compression="zlib",
                subfiletype=1 if number else 0,
                metadata=None,
            )
            base = halve(base)
