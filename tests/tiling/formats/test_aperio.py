"""Aperio slides: those that are written here, and those that OpenSlide judges."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import openslide
import pytest

from tiling.codecs import jpeg
from tiling.errors import SlideTooLargeError
from tiling.formats import aperio
from tiling.formats.aperio.description import parse_description
from tiling.geometry import Size
from tiling.jpeg_tiff.testing import assert_same_as_openslide
from tiling.limits import Limits
from tiling.registry import open_slide
from tiling.slide import AssociatedKind, Colour, SlideReader, TileEncoding
from tiling.testing import SlideReaderContract, SvsOptions, draw_pattern, write_svs

ENCODINGS = [
    TileEncoding(Colour.YCBCR, (2, 1)),
    TileEncoding(Colour.YCBCR, (2, 2)),
    TileEncoding(Colour.RGB),
]


@pytest.fixture(params=ENCODINGS, ids=lambda encoding: f"{encoding.colour}-{encoding.subsampling}")
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "written.svs"
    write_svs(
        path,
        draw_pattern(1203, 871),
        SvsOptions(
            encoding=request.param,
            label=draw_pattern(120, 90),
            overview=draw_pattern(320, 110),
            thumbnail=draw_pattern(256, 185),
            icc_profile=b"a profile of colours",
            fields={"ScanScope ID": "SS1234", "Date": "02/29/24", "Time": "13:14:15"},
        ),
    )
    return path


class TestWrittenSlide(SlideReaderContract):
    @pytest.fixture
    def reader(self, written: Path) -> Iterator[SlideReader]:
        reader = open_slide(written)
        yield reader
        reader.close()

    def test_its_encoding_is_told(
        self, reader: SlideReader, request: pytest.FixtureRequest
    ) -> None:
        encoding = request.node.callspec.params["written"]
        assert {level.encoding for level in reader.levels} == {encoding}

    def test_its_metadata_are_told(self, reader: SlideReader) -> None:
        metadata = reader.metadata
        assert metadata.pixel_spacing_mm == (0.0005, 0.0005)
        assert metadata.objective_power == 20
        assert metadata.serial_number == "SS1234"
        assert metadata.scanned_at == datetime(2024, 2, 29, 13, 14, 15)  # noqa: DTZ001  none given
        assert metadata.manufacturer == "Aperio"
        assert metadata.icc_profile == b"a profile of colours"


class TestRealSlide(SlideReaderContract):
    @pytest.fixture(params=["aperio/CMU-1-Small-Region.svs", "synthetic/aperio-jpeg.svs"])
    def reader(self, shared_slides: Path, request: pytest.FixtureRequest) -> Iterator[SlideReader]:
        reader = open_slide(shared_slides / request.param)
        assert reader.format == aperio.NAME
        yield reader
        reader.close()


def test_a_written_slide_looks_the_same_to_openslide(written: Path) -> None:
    assert_same_as_openslide(open_slide(written), written)


def test_associated_images_come_back_in_their_colours(written: Path) -> None:
    reader = open_slide(written)
    for kind, given, error in (
        (AssociatedKind.LABEL, draw_pattern(120, 90), 0),
        (AssociatedKind.OVERVIEW, draw_pattern(320, 110), 3),
        (AssociatedKind.THUMBNAIL, draw_pattern(256, 185), 3),
    ):
        assert np.abs(reader.read_associated(kind).astype(int) - given).mean() <= error
    reader.close()


@pytest.mark.parametrize(
    "name",
    [
        "aperio/CMU-1-Small-Region.svs",
        "aperio/small.svs",
        "aperio/😐.svs",
        "synthetic/aperio-jpeg.svs",
    ],
)
def test_a_real_slide_looks_the_same_to_openslide(shared_slides: Path, name: str) -> None:
    reader = open_slide(shared_slides / name)
    assert reader.format == aperio.NAME
    assert_same_as_openslide(reader, shared_slides / name)
    with openslide.OpenSlide(shared_slides / name) as judge:
        assert [level.downsample for level in reader.levels] == list(judge.level_downsamples)


def test_the_zone_of_a_scan_is_kept(shared_slides: Path) -> None:
    metadata = open_slide(shared_slides / "synthetic" / "aperio-jpeg.svs").metadata
    assert metadata.scanned_at == datetime(
        2026, 3, 12, 10, 11, 12, tzinfo=timezone(timedelta(hours=1))
    )
    assert metadata.vendor["Barcode"] == "26H00123-A1"


def test_tiles_left_out_are_white_at_the_base_and_mended_above(tmp_path: Path) -> None:
    path = tmp_path / "holes.svs"
    base = draw_pattern(1600, 1200)
    whole = tmp_path / "whole.svs"
    write_svs(whole, base)
    write_svs(path, base, SvsOptions(left_out=frozenset({(0, 2, 2), (1, 0, 0)})))
    reader, complete = open_slide(path), open_slide(whole)
    assert (reader.read_tile(0, 2, 2) > 250).all()
    mended = reader.read_tile(1, 0, 0).astype(int)
    there = np.ones((256, 256), bool)
    there[128:192, 128:192] = False  # where the base has its own hole
    assert np.abs(mended - complete.read_tile(1, 0, 0))[there].mean() < 6
    for number, level in enumerate(reader.levels):
        lengths = reader.encoded_tile_lengths(number)
        for index, (column, row) in enumerate(level.grid.positions()):
            stream = reader.read_encoded_tile(number, column, row)
            assert len(stream) == lengths[index]
            assert level.encoding is not None
            jpeg.check_frame(stream, level.tile, level.encoding)


def test_what_a_header_asks_for_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "large.svs"
    write_svs(path, draw_pattern(700, 700))
    for limits in (Limits(level_pixels=1000), Limits(level_tiles=3), Limits(tile_pixels=100)):
        with pytest.raises(SlideTooLargeError):
            open_slide(path, limits)
    with_label = tmp_path / "label.svs"
    write_svs(with_label, draw_pattern(64, 64), SvsOptions(label=draw_pattern(99, 99)))
    with pytest.raises(SlideTooLargeError):
        open_slide(with_label, Limits(associated_pixels=99 * 98))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Aperio|Date = 02/29/24|Time = 01:02:03|Time Zone = GMT+00:00",
         datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)),
        ("Aperio|Date = 02/29/2024|Time = 01:02:03|Time Zone = GMT-0500",
         datetime(2024, 2, 29, 1, 2, 3, tzinfo=timezone(timedelta(hours=-5)))),
        ("Aperio|Date = 31/31/24|Time = 01:02:03", None),
        ("Aperio|Time = 01:02:03", None),
    ],
)  # fmt: skip
def test_dates_are_read_or_left_out(text: str, expected: datetime | None) -> None:
    assert parse_description(text, None).scanned_at == expected


@pytest.mark.parametrize("text", ["", "Aperio", "Aperio|||=|MPP = nan|AppMag = -3|MPP = inf"])
def test_odd_descriptions_are_no_guess(text: str) -> None:
    metadata = parse_description(text, None)
    assert metadata.pixel_spacing_mm is None
    assert metadata.objective_power is None


def test_a_leica_scanner_is_known(tmp_path: Path) -> None:
    text = "Aperio Leica Biosystems GT450 v1.0.1 \r\n1x1|ScannerType = GT450|ScanScope ID = 7"
    metadata = parse_description(text, None)
    assert (metadata.manufacturer, metadata.model) == ("Leica Biosystems", "GT450")


def test_lengths_are_known_without_reading_the_tiles(tmp_path: Path) -> None:
    path = tmp_path / "many.svs"
    write_svs(path, np.full((800, 800, 3), 200, np.uint8), SvsOptions(tile=16, factors=(1,)))
    reader = open_slide(path)
    assert reader.levels[0].grid.tiles == Size(50, 50)
    assert reader.encoded_tile_lengths(0).shape == (2500,)
