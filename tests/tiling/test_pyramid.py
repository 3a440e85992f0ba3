"""Levels passed through bit for bit, levels re-encoded, and levels built by halving."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tiling.array_slide import ArraySlide
from tiling.codecs import jpeg, jpeg_ls
from tiling.codecs.jpeg import JpegOptions
from tiling.downsample import halve
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.pyramid import EncodedLevel, Origin, PyramidOptions, build_pyramid
from tiling.registry import open_slide
from tiling.slide import (
    Codec,
    Colour,
    Level,
    OpticalPath,
    Pixels,
    SlideReader,
    TileEncoding,
)
from tiling.testing import SvsOptions, draw_pattern, write_generic_tiff, write_svs


@pytest.fixture
def svs(tmp_path: Path) -> SlideReader:
    path = tmp_path / "slide.svs"
    write_svs(path, draw_pattern(2101, 1499), SvsOptions(factors=(1, 2)))
    return open_slide(path)


def mosaic(level: EncodedLevel) -> Pixels:
    """The whole level, put together from its decoded frames."""
    columns = -(-level.size.columns // level.tile.columns)
    tiles = [jpeg.decode(frame) for frame in level.frames()]
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    return np.asarray(np.vstack(rows)[: level.size.rows, : level.size.columns])


def test_levels_of_the_file_pass_through_and_the_rest_is_built(
    svs: SlideReader, tmp_path: Path
) -> None:
    levels = build_pyramid(svs, tmp_path)
    assert [level.origin for level in levels] == [
        Origin.PASSED_THROUGH,
        Origin.PASSED_THROUGH,
        Origin.BUILT,
        Origin.BUILT,
    ]
    assert [level.size for level in levels[1:]] == [
        Size(1051, 750),
        Size(526, 375),
        Size(263, 188),
    ]
    assert [round(level.downsample) for level in levels] == [1, 2, 4, 8]


def test_passed_frames_are_the_readers_bytes(svs: SlideReader, tmp_path: Path) -> None:
    level = build_pyramid(svs, tmp_path)[0]
    grid = svs.levels[0].grid
    expected = [svs.read_encoded_tile(0, *position) for position in grid.positions()]
    assert list(level.frames()) == expected
    assert list(level.frames()) == expected, "frames can be iterated again"


def test_lengths_are_known_and_true(svs: SlideReader, tmp_path: Path) -> None:
    for level in build_pyramid(svs, tmp_path):
        assert level.frame_lengths.tolist() == [len(frame) for frame in level.frames()]
        for frame in level.frames():
            jpeg.check_frame(frame, level.tile, level.encoding)


def test_a_built_level_is_the_exact_half_but_for_its_own_jpeg(
    svs: SlideReader, tmp_path: Path
) -> None:
    options = PyramidOptions(JpegOptions(quality=100, subsampling=(1, 1)))
    levels = build_pyramid(svs, tmp_path, options)
    for finer, built in pairwise(levels[1:]):
        difference = mosaic(built).astype(int) - halve(mosaic(finer))
        assert np.abs(difference).max() <= 4


def test_a_slide_without_jpeg_is_re_encoded(tmp_path: Path) -> None:
    base = draw_pattern(1300, 1100)
    write_generic_tiff(tmp_path / "slide.tif", base)
    levels = build_pyramid(open_slide(tmp_path / "slide.tif"), tmp_path)
    assert [level.origin for level in levels[:3]] == [
        Origin.RE_ENCODED,
        Origin.BUILT,
        Origin.BUILT,
    ]
    assert np.abs(mosaic(levels[0]).astype(int) - base).mean() < 2


@pytest.mark.parametrize(
    ("lossy", "asked", "subsampling", "same_as"),
    [(False, 75, (1, 1), 90), (False, 95, (1, 1), 95), (True, 75, (2, 1), 75)],
)
def test_colours_that_had_lost_nothing_lose_little(
    tmp_path: Path, *, lossy: bool, asked: int, subsampling: tuple[int, int], same_as: int
) -> None:
    base = draw_pattern(700, 600)
    slide = ArraySlide(base[None, None], [OpticalPath()], lossy=lossy)
    levels = build_pyramid(slide, tmp_path, PyramidOptions(JpegOptions(quality=asked)))
    encoding = TileEncoding(Colour.YCBCR, subsampling)
    assert {level.encoding for level in levels} == {encoding}
    assert levels[0].frame(0) == jpeg.encode(base[:512, :512], encoding, same_as)


def test_levels_above_one_that_is_passed_on_without_loss_lose_little(tmp_path: Path) -> None:
    path = tmp_path / "slide.ome.tif"
    options = {"photometric": "rgb", "tile": (256, 256), "compression": "jpeg2000"}
    tifffile.imwrite(path, draw_pattern(700, 600), **options, metadata={"axes": "YXS"})
    base, above = build_pyramid(open_slide(path), tmp_path)
    assert base.encoding.codec.is_lossless
    assert above.encoding == TileEncoding(Colour.YCBCR, (1, 1))


def test_progress_counts_every_tile_made(tmp_path: Path) -> None:
    write_generic_tiff(tmp_path / "slide.tif", draw_pattern(1300, 1100))
    calls: list[tuple[int, int]] = []
    levels = build_pyramid(
        open_slide(tmp_path / "slide.tif"),
        tmp_path,
        progress=lambda done, total: calls.append((done, total)),
    )
    made = sum(level.frame_lengths.size for level in levels)
    assert calls == [(done, made) for done in range(1, made + 1)]


def test_nothing_is_left_in_the_scratch_folder(svs: SlideReader, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    levels = build_pyramid(svs, scratch)
    assert list(scratch.iterdir()) == []
    assert next(levels[-1].frames())


def test_a_rotten_tile_is_noticed_while_it_streams(tmp_path: Path) -> None:
    path = tmp_path / "slide.svs"
    write_svs(path, draw_pattern(600, 600), SvsOptions(factors=(1,)))
    data = bytearray(path.read_bytes())
    tile = open_slide(path).read_encoded_tile(0, 1, 1)
    start = data.index(tile[-200:])
    data[start + 198 : start + 200] = b"\0\1"
    path.write_bytes(bytes(data))
    level = build_pyramid(open_slide(path), tmp_path, PyramidOptions(top_pixels=1000))[0]
    with pytest.raises(DamagedSlideError):
        list(level.frames())


def test_memory_does_not_grow_with_the_slide(tmp_path: Path) -> None:
    path = tmp_path / "slide.svs"
    write_svs(path, draw_pattern(3200, 2400), SvsOptions(factors=(1,), tile=128))
    reader = open_slide(path)
    tracemalloc.start()
    build_pyramid(reader, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 << 20, "23 MB of pixels went through"


def test_blank_glass_is_stored_once(tmp_path: Path) -> None:
    write_generic_tiff(tmp_path / "slide.tif", np.full((2048, 2048, 3), 255, np.uint8), levels=1)
    levels = build_pyramid(open_slide(tmp_path / "slide.tif"), tmp_path)
    assert len(set(levels[0].frames())) == 1


def test_a_full_disk_is_told_as_it_is(svs: SlideReader) -> None:
    """/dev/full is not a folder: any OSError of the scratch folder comes out untouched."""
    with pytest.raises(OSError):
        build_pyramid(svs, Path("/dev/full"))


def test_levels_of_pixels_are_built_from_pixels(tmp_path: Path) -> None:
    """Not from the frames of the level below, nor read from the file only to be compressed."""
    base = draw_pattern(2600, 2100)
    write_generic_tiff(tmp_path / "slide.tif", base, levels=3)
    options = PyramidOptions(JpegOptions(quality=100, subsampling=(1, 1)))
    levels = build_pyramid(open_slide(tmp_path / "slide.tif"), tmp_path, options)
    assert [level.from_pixels for level in levels] == [False, True, False, True]
    expected = base
    for level in levels[:2]:
        assert np.abs(mosaic(level).astype(int) - expected).max() <= 4
        expected = halve(expected)


def test_the_pyramid_is_the_same_whatever_the_threads(tmp_path: Path) -> None:
    write_generic_tiff(tmp_path / "slide.tif", draw_pattern(2600, 2100))
    reader = open_slide(tmp_path / "slide.tif")
    one, three = (
        build_pyramid(reader, tmp_path, PyramidOptions(workers=workers)) for workers in (1, 3)
    )
    for alone, shared in zip(one, three, strict=True):
        assert list(alone.frames()) == list(shared.frames())


class TwelveBits(ArraySlide):
    """Light of fewer bits than its type has, in tiles that could be handed on."""

    @property
    def levels(self) -> Sequence[Level]:
        encoding = TileEncoding(Colour.GREY, codec=Codec.JPEG_2000_LOSSLESS)
        return [replace(level, encoding=encoding) for level in super().levels]


def test_streams_that_say_fewer_bits_than_dicom_keeps_are_made_anew(tmp_path: Path) -> None:
    pixels = draw_pattern(100, 80)[None, None, :, :, :1].astype(np.uint16) * 16
    slide = TwelveBits(pixels, [OpticalPath()], bits=12, tile=Size(64, 64))
    base = build_pyramid(slide, tmp_path)[0]
    assert base.origin is Origin.RE_ENCODED
    assert {jpeg_ls.parse_header(frame).announced.bits for frame in base.frames()} == {16}
    np.testing.assert_array_equal(base.pixels(1, 0), slide.read_tile(0, 1, 0))
