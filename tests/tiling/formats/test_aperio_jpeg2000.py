"""Aperio slides in JPEG 2000: written here, synthetic ones, and OpenSlide's judgement of both."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import imagecodecs
import numpy as np
import openslide
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tiling.blank import white_tile
from tiling.codecs import codestream, jpeg
from tiling.codecs.testing import encode_ycbcr
from tiling.confidence import Confidence
from tiling.downsample import halve
from tiling.errors import TilingError
from tiling.formats import aperio
from tiling.geometry import Size, TileGrid
from tiling.pyramid import Origin, PyramidOptions, build_pyramid
from tiling.registry import open_slide
from tiling.slide import NOT_KEPT, Codec, Colour, Pixels, SlideReader, TileEncoding
from tiling.testing import SlideReaderContract, draw_pattern

TILE = Size(128, 128)
BASE = draw_pattern(300, 280)
YCBCR, RGB, JPEG = 33003, 33005, 7
ICT = TileEncoding(Colour.ICT, codec=Codec.JPEG_2000)

Encode = Callable[[Pixels], bytes]


def kakadu(**how: object) -> Encode:
    options = {"codecformat": "j2k", "reversible": False, **how}
    return lambda tile: bytes(imagecodecs.jpeg2k_encode(tile, 0, **options))


WAYS: dict[str, tuple[int, Encode, TileEncoding | None]] = {
    "whole chroma": (YCBCR, encode_ycbcr, ICT),
    "halved chroma": (YCBCR, lambda tile: encode_ycbcr(tile, (2, 1)), None),
    "irreversible": (RGB, kakadu(), ICT),
    "reversible": (
        RGB,
        kakadu(reversible=True),
        TileEncoding(Colour.RCT, codec=Codec.JPEG_2000_LOSSLESS),
    ),
    "untransformed": (RGB, kakadu(mct=False), TileEncoding(Colour.RGB, codec=Codec.JPEG_2000)),
    "boxed": (RGB, kakadu(codecformat="jp2"), None),
}


def write(
    path: Path,
    ways: Sequence[tuple[int, Encode]],
    left_out: frozenset[tuple[int, int, int]] = frozenset(),
) -> Path:
    """A level for each way, each half as large as the one before."""
    pixels = BASE
    with tifffile.TiffWriter(path) as file:
        for number, (compression, encode) in enumerate(ways):
            rows, columns = pixels.shape[:2]
            grid = TileGrid(Size(columns, rows), TILE)

            def tiles(number: int = number, pixels: Pixels = pixels, grid: TileGrid = grid,
                      encode: Encode = encode) -> Iterator[bytes]:  # fmt: skip
                for column, row in grid.positions():
                    whole = np.array(white_tile(TILE))
                    y, x = row * TILE.rows, column * TILE.columns
                    part = pixels[y : y + TILE.rows, x : x + TILE.columns]
                    whole[: part.shape[0], : part.shape[1]] = part
                    yield b"" if (number, column, row) in left_out else encode(whole)

            file.write(
                tiles(), shape=pixels.shape, dtype=np.uint8, tile=(TILE.rows, TILE.columns),
                photometric="rgb", compression=compression, metadata=None, software=False,
                compressionargs={"outcolorspace": "rgb"} if compression == JPEG else None,
                description="Aperio Image Library v12\r\n300x280 (128x128)|AppMag = 20|MPP = 0.5",
            )  # fmt: skip
            if number == 0:
                file.write(halve(halve(BASE)), photometric="rgb", metadata=None, software=False)
            pixels = halve(pixels)
    return path


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def written(way: str, tmp_path: Path) -> Path:
    compression, encode, _ = WAYS[way]
    return write(tmp_path / "written.svs", [(compression, encode)] * 2)


class TestWrittenSlide(SlideReaderContract):
    @pytest.fixture
    def reader(self, written: Path) -> Iterator[SlideReader]:
        reader = open_slide(written)
        assert reader.format == aperio.NAME
        yield reader
        reader.close()

    def test_its_encoding_is_told(self, reader: SlideReader, way: str) -> None:
        expected = WAYS[way][2]
        assert {level.encoding for level in reader.levels} == {expected}
        assert (NOT_KEPT in reader.metadata.vendor) == (expected is None)


class TestSyntheticSlide(SlideReaderContract):
    @pytest.fixture(params=["33003", "33005"])
    def reader(self, shared_slides: Path, request: pytest.FixtureRequest) -> Iterator[SlideReader]:
        reader = open_slide(shared_slides / "synthetic" / f"aperio-{request.param}.svs")
        assert reader.format == aperio.NAME
        assert {level.encoding for level in reader.levels} == {ICT}
        yield reader
        reader.close()


def differences(path: Path, levels: Sequence[int]) -> NDArray[np.int64]:
    """How many samples differ from OpenSlide's by 0, 1, 2… grey levels."""
    counted = np.zeros(256, np.int64)
    reader = open_slide(path)
    with openslide.OpenSlide(path) as judge:
        for number in levels:
            level = reader.levels[number]
            size = (level.size.columns, level.size.rows)
            whole = np.asarray(judge.read_region((0, 0), number, size))[:, :, :3].astype(int)
            for column, row in level.grid.positions():
                visible = level.grid.visible(column, row)
                y, x = row * level.tile.rows, column * level.tile.columns
                found = reader.read_tile(number, column, row)[: visible.rows, : visible.columns]
                expected = whole[y : y + visible.rows, x : x + visible.columns]
                counted += np.bincount(np.abs(found - expected).ravel(), minlength=256)
    reader.close()
    return counted


def test_a_written_slide_looks_the_same_to_openslide(written: Path, way: str) -> None:
    """Kakadu's exactly; Matrox's but for the rounding of YCbCr, which each decoder does its way."""
    if way == "boxed":
        pytest.skip("OpenSlide reads no boxes")
    counted = differences(written, [0, 1])
    largest = {"whole chroma": 2, "halved chroma": 3}.get(way, 0)
    assert counted[largest + 1 :].sum() == 0
    if way == "whole chroma":
        assert counted[2] < 0.01 * counted.sum()


def test_a_synthetic_slide_in_rgb_looks_the_same_to_openslide(shared_slides: Path) -> None:
    assert differences(shared_slides / "synthetic" / "aperio-33005.svs", [1, 2])[1:].sum() == 0


def test_a_synthetic_slide_in_ycbcr_looks_the_same_to_openslide(shared_slides: Path) -> None:
    """But for the pixels whose YCbCr overshot: OpenSlide cuts it off, the transform cuts RGB."""
    counted = differences(shared_slides / "synthetic" / "aperio-33003.svs", [1, 2])
    assert counted[2:].sum() < 0.005 * counted.sum()
    assert counted[3:].sum() < 0.0005 * counted.sum()


def test_tiles_are_handed_on_but_for_a_byte_of_the_header(tmp_path: Path) -> None:
    for name, changes in (("whole chroma", 1), ("irreversible", 0), ("reversible", 0)):
        compression, encode, _ = WAYS[name]
        path = write(tmp_path / f"{changes}.svs", [(compression, encode)])
        reader = open_slide(path)
        stored = encode(BASE[: TILE.rows, : TILE.columns])
        handed = reader.read_encoded_tile(0, 0, 0)
        changed = [at for at in range(len(stored)) if stored[at] != handed[at]]
        assert len(stored) == len(handed)
        assert changed == [codestream.parse_header(stored).transform_at][:changes]


def test_each_level_is_handed_on_as_far_as_it_can_be(tmp_path: Path) -> None:
    as_jpeg = TileEncoding(Colour.RGB)
    ways = [WAYS["halved chroma"][:2], (JPEG, lambda tile: jpeg.encode(tile, as_jpeg)),
            WAYS["irreversible"][:2]]  # fmt: skip
    reader = open_slide(write(tmp_path / "mixed.svs", ways))
    assert [level.encoding for level in reader.levels] == [None, as_jpeg, ICT]
    levels = build_pyramid(reader, tmp_path, PyramidOptions(top_pixels=64))
    assert [level.origin for level in levels] == [
        Origin.RE_ENCODED, Origin.PASSED_THROUGH, Origin.PASSED_THROUGH, Origin.BUILT,
    ]  # fmt: skip
    for level in levels:
        assert [len(frame) for frame in level.frames()] == level.frame_lengths.tolist()


@pytest.mark.parametrize("name", ["whole chroma", "halved chroma", "reversible"])
def test_tiles_left_out_are_mended(tmp_path: Path, name: str) -> None:
    whole = open_slide(write(tmp_path / "whole.svs", [WAYS[name][:2]] * 2))
    holes = frozenset({(0, 1, 1), (1, 0, 0)})
    reader = open_slide(write(tmp_path / "holes.svs", [WAYS[name][:2]] * 2, holes))
    assert (reader.read_tile(0, 1, 1) > 250).all()
    mended = reader.read_tile(1, 0, 0).astype(int)
    assert np.abs(mended - whole.read_tile(1, 0, 0))[:64, :64].mean() < 4
    if reader.levels[1].encoding is not None:
        assert len(reader.read_encoded_tile(1, 0, 0)) == reader.encoded_tile_lengths(1)[0]


@pytest.mark.parametrize(
    "encode",
    [lambda tile: encode_ycbcr(tile, transform=True), lambda tile: encode_ycbcr(tile, (1, 2))],
    ids=["two transforms", "chroma halved downwards"],
)
def test_odd_streams_are_left_to_another_reader(tmp_path: Path, encode: Encode) -> None:
    path = write(tmp_path / "odd.svs", [(YCBCR, encode)])
    assert aperio.sniff(path, path.read_bytes()[:64]) is Confidence.NONE


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)),
        min_size=1,
        max_size=8,
    )
)
def test_changed_bytes_are_pixels_or_our_error(
    written: Path, changes: list[tuple[float, bytes]]
) -> None:
    original = written.with_name("original")
    if not original.exists():
        original.write_bytes(written.read_bytes())
    data = bytearray(original.read_bytes())
    for place, put_in in changes:
        at = int(place * len(data))
        data[at : at + len(put_in)] = put_in
    written.write_bytes(data)
    if aperio.sniff(written, bytes(data[:64])) is Confidence.NONE:
        return
    with suppress(TilingError):
        reader = open_slide(written, candidates=[aperio])  # type: ignore[list-item]
        for number, level in enumerate(reader.levels):
            for column, row in list(level.grid.positions())[:6]:
                with suppress(TilingError):
                    reader.read_tile(number, column, row)
        reader.close()
