"""Frames of every codec come back as the pixels that went in, and are handed on as they are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from dicom.formats import open_any
from dicom.source.testing import (
    JPEG_420,
    RGB_RAW,
    FramePosition,
    WrittenInstance,
    encode,
    instance_of,
    tiles_of,
    write,
)
from tiling.codecs import frames
from tiling.errors import UnsupportedSlideError
from tiling.geometry import Size
from tiling.slide import Codec, Colour, PixelFormat, Samples, SlideReader, TileEncoding
from tiling.testing import draw_pattern

TILE = Size(columns=64, rows=48)
COLOURS = draw_pattern(150, 100)
GREY8, GREY12, GREY16 = PixelFormat(1, 8), PixelFormat(1, 12), PixelFormat(1, 16)


def read_base(reader: SlideReader) -> Samples:
    level = reader.levels[0]
    whole = np.zeros(
        (level.size.rows, level.size.columns, reader.pixel_format.samples),
        reader.pixel_format.dtype,
    )
    for column, row in level.grid.positions():
        visible = level.grid.visible(column, row)
        top, left = row * level.tile.rows, column * level.tile.columns
        tile = reader.read_tile(0, column, row)[: visible.rows, : visible.columns]
        whole[top : top + visible.rows, left : left + visible.columns] = tile
    return whole


def grey(pixel_format: PixelFormat) -> Samples:
    values = COLOURS[:, :, :1].astype(np.uint32) * pixel_format.brightest // 255
    return values.astype(pixel_format.dtype)


def opened(path: Path, instance: WrittenInstance) -> SlideReader:
    return open_any(write(path / "slide", instance))


def assert_handed_on(reader: SlideReader, instance: WrittenInstance) -> None:
    """Every frame is there bit for bit, without its padding where its end has a mark."""
    lengths = reader.encoded_tile_lengths(0)
    for number, (column, row) in enumerate(reader.levels[0].grid.positions()):
        stream = reader.read_encoded_tile(0, column, row)
        expected = instance.frames[number]
        marked = expected.endswith(b"\xff\xd9") or instance.encoding.codec is Codec.RAW
        assert stream == (expected if marked else expected + bytes(len(expected) % 2))
        assert len(stream) == lengths[number]


LOSSLESS = [
    TileEncoding(Colour.RGB, codec=Codec.RAW),
    TileEncoding(Colour.RCT, codec=Codec.JPEG_2000_LOSSLESS),
    TileEncoding(Colour.RGB, codec=Codec.JPEG_2000_LOSSLESS),
    TileEncoding(Colour.RGB, codec=Codec.JPEG_LS_LOSSLESS),
    TileEncoding(Colour.RCT, codec=Codec.HTJ2K_LOSSLESS),
]
LOSSY = [
    TileEncoding(Colour.YCBCR, (2, 2)),
    TileEncoding(Colour.YCBCR, (2, 1)),
    TileEncoding(Colour.RGB),
    TileEncoding(Colour.ICT, codec=Codec.JPEG_2000),
    TileEncoding(Colour.RGB, codec=Codec.JPEG_LS),
    TileEncoding(Colour.ICT, codec=Codec.HTJ2K),
    TileEncoding(Colour.RGB, codec=Codec.JPEG_XL),
]


@pytest.mark.parametrize("encoding", LOSSLESS, ids=str)
def test_lossless_colours(tmp_path: Path, encoding: TileEncoding) -> None:
    instance = instance_of(COLOURS, TILE, encoding)
    reader = opened(tmp_path, instance)
    assert reader.levels[0].encoding == encoding
    np.testing.assert_array_equal(read_base(reader), COLOURS)
    assert_handed_on(reader, instance)


@pytest.mark.parametrize("encoding", LOSSY, ids=str)
def test_lossy_colours(tmp_path: Path, encoding: TileEncoding) -> None:
    instance = instance_of(COLOURS, TILE, encoding)
    reader = opened(tmp_path, instance)
    assert reader.levels[0].encoding == encoding
    assert np.abs(read_base(reader).astype(int) - COLOURS).mean() < 4
    assert_handed_on(reader, instance)


@pytest.mark.parametrize(
    "codec", [Codec.RAW, Codec.JPEG_2000_LOSSLESS, Codec.JPEG_LS_LOSSLESS, Codec.JPEG_LOSSLESS]
)
@pytest.mark.parametrize("pixel_format", [GREY8, GREY12, GREY16], ids=str)
def test_grey(tmp_path: Path, codec: Codec, pixel_format: PixelFormat) -> None:
    if codec in (Codec.JPEG_LS_LOSSLESS, Codec.JPEG_LOSSLESS) and pixel_format is GREY12:
        pytest.skip("no encoder of these for 12 bits is at hand")
    encoding = TileEncoding(Colour.GREY, codec=codec)
    samples = grey(pixel_format)
    instance = instance_of(samples, TILE, encoding, pixel_format)
    reader = opened(tmp_path, instance)
    assert reader.pixel_format == pixel_format
    np.testing.assert_array_equal(read_base(reader), samples)
    if pixel_format is GREY12:
        assert reader.levels[0].encoding is None, "its streams say 12 bits, where DICOM keeps 16"
    else:
        assert reader.levels[0].encoding == encoding
        assert_handed_on(reader, instance)


def test_grey_jpeg(tmp_path: Path) -> None:
    instance = instance_of(grey(GREY8), TILE, TileEncoding(Colour.GREY), GREY8)
    reader = opened(tmp_path, instance)
    assert reader.levels[0].encoding == TileEncoding(Colour.GREY)
    assert_handed_on(reader, instance)


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("marker", [b"\xff\xc0", b"\xff\xc1"], ids=["baseline", "extended"])
def test_extended_jpeg_says_itself_how_it_is_subsampled(
    tmp_path: Path, subsampling: tuple[int, int], marker: bytes
) -> None:
    encoding = TileEncoding(Colour.YCBCR, subsampling)
    made = instance_of(COLOURS, TILE, encoding)
    streams = [frame.replace(b"\xff\xc0", marker, 1) for frame in made.frames]
    extended = replace(made, frames=streams, transfer_syntax="1.2.840.10008.1.2.4.51")
    reader = opened(tmp_path, extended)
    assert reader.levels[0].encoding == replace(encoding, codec=Codec.JPEG_EXTENDED)
    assert np.abs(read_base(reader).astype(int) - COLOURS).mean() < 4
    assert_handed_on(reader, extended)


def test_blank_tiles_are_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = instance_of(COLOURS, TILE, JPEG_420)
    sparse = replace(
        whole, frames=whole.frames[:1], organization="TILED_SPARSE", positions=[FramePosition(1, 1)]
    )
    encode_frame, calls = frames.encode, []

    def counted(*how: Any) -> bytes:
        calls.append(how)
        return encode_frame(*how)

    monkeypatch.setattr("dicom.source.image.frames.encode", counted)
    reader = opened(tmp_path, sparse)
    blanks = [
        reader.read_encoded_tile(0, column, row)
        for column, row in reader.levels[0].grid.positions()
    ][1:]
    reader.encoded_tile_lengths(0)
    assert len(blanks) > 1
    assert len(set(blanks)) == len(calls) == 1


def test_run_lengths(tmp_path: Path) -> None:
    tiles = tiles_of(COLOURS, TILE)
    packed = [b"".join(_run_lengths(tile)) for tile in tiles]
    encoding = TileEncoding(Colour.RGB, codec=Codec.RLE)
    instance = WrittenInstance(packed, Size(150, 100), TILE, encoding)
    reader = opened(tmp_path, instance)
    np.testing.assert_array_equal(read_base(reader), COLOURS)
    assert reader.levels[0].encoding == encoding


def _run_lengths(tile: Samples) -> list[bytes]:
    """PS3.5 annex G: a header of offsets, then a PackBits segment for each byte of a pixel."""
    segments = []
    for plane in range(3):
        segment = bytes(imagecodecs.packbits_encode(tile[:, :, plane].tobytes()))
        segments.append(segment + bytes(len(segment) % 2))
    offsets = [3, 64, 64 + len(segments[0]), 64 + len(segments[0]) + len(segments[1])]
    header = b"".join(number.to_bytes(4, "little") for number in offsets).ljust(64, b"\0")
    return [header, *segments]


@pytest.mark.parametrize("bits", [8, 16])
def test_planes_of_colours_are_interleaved(tmp_path: Path, bits: int) -> None:
    pixel_format = PixelFormat(3, bits)
    colours = COLOURS.astype(pixel_format.dtype) * (257 if bits == 16 else 1)
    tiles = tiles_of(colours, TILE)
    apart = [np.ascontiguousarray(tile.transpose(2, 0, 1)).tobytes() for tile in tiles]
    instance = replace(
        instance_of(colours, TILE, RGB_RAW, pixel_format), frames=apart, planar_configuration=1
    )
    reader = opened(tmp_path, instance)
    np.testing.assert_array_equal(read_base(reader), colours)
    assert reader.levels[0].encoding == RGB_RAW
    assert reader.read_encoded_tile(0, 1, 0) == tiles[1].tobytes()


def test_implicit_representations(tmp_path: Path) -> None:
    instance = replace(instance_of(COLOURS, TILE), transfer_syntax="1.2.840.10008.1.2")
    reader = opened(tmp_path, instance)
    np.testing.assert_array_equal(read_base(reader), COLOURS)
    assert reader.levels[0].encoding == RGB_RAW
    assert reader.metadata.pixel_spacing_mm == (0.0005, 0.0005)


def test_inverted_grey_is_turned_round(tmp_path: Path) -> None:
    samples = grey(GREY16)
    inverted = np.asarray(65535 - samples, np.uint16)
    encoding = TileEncoding(Colour.GREY, codec=Codec.RAW)
    instance = replace(instance_of(inverted, TILE, encoding, GREY16), photometric="MONOCHROME1")
    reader = opened(tmp_path, instance)
    np.testing.assert_array_equal(read_base(reader), samples)
    assert reader.levels[0].encoding is None


def test_inverted_grey_jpeg(tmp_path: Path) -> None:
    instance = instance_of(255 - grey(GREY8), TILE, TileEncoding(Colour.GREY), GREY8)
    reader = opened(tmp_path, replace(instance, photometric="MONOCHROME1"))
    assert np.abs(read_base(reader).astype(int) - grey(GREY8)).mean() < 4
    assert reader.levels[0].encoding is None


def test_raw_ycbcr_is_made_rgb(tmp_path: Path) -> None:
    ycbcr = np.full((100, 150, 3), (76, 85, 255), np.uint8)
    instance = replace(instance_of(ycbcr, TILE), photometric="YBR_FULL")
    reader = opened(tmp_path, instance)
    assert np.abs(read_base(reader).astype(int) - (254, 0, 0)).max() <= 1
    assert reader.levels[0].encoding is None


def test_ycbcr_under_wavelets_is_told_as_the_transform_that_it_is(tmp_path: Path) -> None:
    ycbcr = np.full((48, 64, 3), (76, 85, 255), np.uint8)
    frame = bytes(imagecodecs.jpeg2k_encode(ycbcr, level=60, codecformat="j2k", mct=False))
    encoding = TileEncoding(Colour.ICT, codec=Codec.JPEG_2000)
    instance = WrittenInstance([frame], Size(64, 48), TILE, encoding, photometric="YBR_FULL")
    reader = opened(tmp_path, instance)
    assert reader.levels[0].encoding == encoding
    assert np.abs(read_base(reader).astype(int) - (254, 0, 0)).max() <= 2
    assert len(reader.read_encoded_tile(0, 0, 0)) == len(frame)


def test_rgb_that_is_ycbcr_is_told_by_its_frames(tmp_path: Path) -> None:
    instance = replace(instance_of(COLOURS, TILE, JPEG_420), photometric="RGB")
    reader = opened(tmp_path, instance)
    assert reader.levels[0].encoding == JPEG_420
    assert np.abs(read_base(reader).astype(int) - COLOURS).mean() < 4


def test_rgb_that_decoders_would_take_for_ycbcr_is_marked(tmp_path: Path) -> None:
    tiles = tiles_of(COLOURS, TILE)
    marked = [encode(tile, TileEncoding(Colour.RGB)) for tile in tiles]
    bare = [_without_adobe(frame) for frame in marked]
    instance = WrittenInstance(bare, Size(150, 100), TILE, TileEncoding(Colour.RGB))
    reader = opened(tmp_path, instance)
    assert reader.levels[0].encoding == TileEncoding(Colour.RGB)
    assert np.abs(read_base(reader).astype(int) - COLOURS).mean() < 4
    stream = reader.read_encoded_tile(0, 0, 0)
    assert stream.endswith(bare[0][2:])
    assert len(stream) == reader.encoded_tile_lengths(0)[0]


def _without_adobe(stream: bytes) -> bytes:
    """And with components called 1, 2 and 3: nothing in it says RGB any more."""
    at = stream.index(b"\xff\xee")
    length = int.from_bytes(stream[at + 2 : at + 4], "big")
    bare = bytearray(stream[:at] + stream[at + 2 + length :])
    for marker, first, step in ((b"\xff\xc0", 10, 3), (b"\xff\xda", 5, 2)):
        place = bare.index(marker)
        for number in range(3):
            bare[place + first + step * number] = number + 1
    return bytes(bare)


@pytest.mark.parametrize("table", ["basic", "empty", "extended"])
@pytest.mark.parametrize("fragments", [1, 3])
def test_fragments_and_tables_of_offsets(tmp_path: Path, table: str, fragments: int) -> None:
    if table == "extended" and fragments > 1:
        pytest.skip("each frame is one fragment where there is an extended table")
    instance = replace(instance_of(COLOURS, TILE, JPEG_420), table=table, fragments=fragments)
    reader = opened(tmp_path, instance)
    assert_handed_on(reader, instance)
    assert np.abs(read_base(reader).astype(int) - COLOURS).mean() < 4


def test_a_palette_is_refused(tmp_path: Path) -> None:
    instance = replace(
        instance_of(grey(GREY8), TILE, TileEncoding(Colour.GREY, codec=Codec.RAW), GREY8),
        photometric="PALETTE COLOR",
    )
    with pytest.raises(UnsupportedSlideError, match="palette"):
        opened(tmp_path, instance)


def test_film_is_refused(tmp_path: Path) -> None:
    instance = replace(
        instance_of(COLOURS, TILE, JPEG_420), transfer_syntax="1.2.840.10008.1.2.4.102"
    )
    with pytest.raises(UnsupportedSlideError, match="transfer syntax"):
        opened(tmp_path, instance)


def test_a_tile_that_is_missing_is_made_like_the_others() -> None:
    for encoding in (JPEG_420, RGB_RAW):
        blank = np.full((48, 64, 3), 255, np.uint8)
        stream = frames.encode(blank, encoding, PixelFormat(3, 8))
        decoded = frames.decode(stream, encoding, TILE, PixelFormat(3, 8))
        np.testing.assert_array_equal(decoded, blank)
