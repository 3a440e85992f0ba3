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

from tiling.blank import background_of
from tiling.codecs import frames
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

    def test_paths_and_planes_are_named(self, reader: SlideReader) -> None:
        assert reader.optical_paths
        assert reader.focal_planes_um
        assert list(reader.focal_planes_um) == sorted(set(reader.focal_planes_um))

    def test_scenes_begin_with_the_slide_itself(self, reader: SlideReader) -> None:
        assert reader.scenes[0] is reader

    def test_every_corner_tile_is_a_whole_tile(self, reader: SlideReader) -> None:
        expected = reader.pixel_format
        for number, level in enumerate(reader.levels):
            last = level.grid.tiles
            for column in {0, last.columns - 1}:
                for row in {0, last.rows - 1}:
                    for path, plane in _layers(reader):
                        samples = reader.read_tile(number, column, row, path, plane)
                        assert samples.shape == (
                            level.tile.rows,
                            level.tile.columns,
                            expected.samples,
                        )
                        assert samples.dtype == expected.dtype
                        assert int(samples.max()) <= expected.brightest

    def test_it_is_blank_beyond_the_image(self, reader: SlideReader) -> None:
        for number, level in enumerate(reader.levels):
            column, row = level.grid.tiles.columns - 1, level.grid.tiles.rows - 1
            visible = level.grid.visible(column, row)
            for path, plane in _layers(reader):
                background = background_of(reader.pixel_format, reader.optical_paths[path])
                samples = reader.read_tile(number, column, row, path, plane)
                assert (samples[visible.rows :] == background).all()
                assert (samples[:, visible.columns :] == background).all()

    def test_there_are_no_tiles_outside_the_grid(self, reader: SlideReader) -> None:
        tiles = reader.levels[0].grid.tiles
        for column, row in ((-1, 0), (0, -1), (tiles.columns, 0), (0, tiles.rows)):
            with pytest.raises(IndexError):
                reader.read_tile(0, column, row)
            with pytest.raises(IndexError):
                reader.read_encoded_tile(0, column, row)

    def test_there_are_no_paths_and_planes_beyond_the_last(self, reader: SlideReader) -> None:
        for path, plane in ((len(reader.optical_paths), 0), (0, len(reader.focal_planes_um))):
            with pytest.raises(IndexError):
                reader.read_tile(0, 0, 0, path, plane)

    def test_encoded_tiles_are_what_the_level_says(self, reader: SlideReader) -> None:
        pixel_format = reader.pixel_format
        for number, level in enumerate(reader.levels):
            encoding, tile = level.encoding, level.tile
            if encoding is None:
                with pytest.raises(ValueError, match="only pixels"):
                    reader.read_encoded_tile(number, 0, 0)
                with pytest.raises(ValueError, match="only pixels"):
                    reader.encoded_tile_lengths(number)
                continue
            for path, plane in _layers(reader):
                lengths = reader.encoded_tile_lengths(number, path, plane)
                assert lengths.shape == (level.grid.tiles.area,)
                assert lengths.dtype == np.int64
                for column, row in _some_positions(reader, number):
                    stream = reader.read_encoded_tile(number, column, row, path, plane)
                    assert len(stream) == lengths[level.grid.frame_index(column, row)]
                    frames.check(stream, encoding, tile, pixel_format)
                    visible = level.grid.visible(column, row)
                    decoded = frames.decode(stream, encoding, tile, pixel_format)
                    read = reader.read_tile(number, column, row, path, plane)
                    np.testing.assert_array_equal(
                        decoded[: visible.rows, : visible.columns],
                        read[: visible.rows, : visible.columns],
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


def _layers(reader: SlideReader) -> list[tuple[int, int]]:
    """The first, the middle and the last `(path, plane)`."""
    planes = len(reader.focal_planes_um)
    layers = [(path, plane) for path in range(len(reader.optical_paths)) for plane in range(planes)]
    return sorted({layers[0], layers[len(layers) // 2], layers[-1]})


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
