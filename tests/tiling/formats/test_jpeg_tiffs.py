"""The TIFF family: every vendor's slide keeps the reader's promises and OpenSlide's pixels."""

from collections.abc import Callable, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tiling.confidence import Confidence
from tiling.errors import (
    DamagedSlideError,
    IncompleteSlideError,
    TilingError,
    UnsupportedSlideError,
)
from tiling.jpeg_tiff.testing import assert_same_as_openslide
from tiling.limits import Limits
from tiling.pyramid import Origin, build_pyramid
from tiling.registry import open_slide
from tiling.slide import RGB8, AssociatedKind, Colour, SlideReader, TileEncoding
from tiling.testing import SlideReaderContract

MakeSlide = Callable[..., Path]
MODULES = {
    "generic": "generic_tiff",
    "huron": "huron",
    "leica": "leica",
    "ome": "ome_tiff",
    "philips": "philips",
    "qptiff": "qptiff",
    "trestle": "trestle",
    "ventana": "ventana",
}
"""Each vendor's fixture, and the module that reads it."""


def module_of(vendor: str):  # type: ignore[no-untyped-def]
    return import_module(f"tiling.formats.{MODULES[vendor]}")


def sniffed(vendor: str, path: Path) -> Confidence:
    confidence: Confidence = module_of(vendor).sniff(path, path.read_bytes()[:4096])
    return confidence


@pytest.fixture(params=sorted(MODULES))
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(vendor: str, request: pytest.FixtureRequest) -> MakeSlide:
    found: MakeSlide = request.getfixturevalue(vendor)
    return found


class TestWrittenSlide(SlideReaderContract):
    @pytest.fixture
    def reader(self, vendor: str, make: MakeSlide) -> Iterator[SlideReader]:
        reader = open_slide(make())
        assert reader.format == module_of(vendor).NAME
        yield reader
        reader.close()

    def test_every_tile_passes_through(self, reader: SlideReader, tmp_path: Path) -> None:
        levels = build_pyramid(reader, tmp_path)
        assert len(reader.levels) >= 3
        for level in levels[: len(reader.levels)]:
            assert level.origin is Origin.PASSED_THROUGH
            assert [len(frame) for frame in level.frames()] == level.frame_lengths.tolist()


def test_only_its_own_reader_claims_it(vendor: str, make: MakeSlide) -> None:
    path = make()
    claims = {name for name in MODULES if sniffed(name, path) is not Confidence.NONE}
    assert claims == {vendor}


def test_a_file_cut_anywhere_is_refused(vendor: str, make: MakeSlide, tmp_path: Path) -> None:
    data = make().read_bytes()
    for kept in (0.02, 0.3, 0.6, 0.9, 0.99):
        cut = tmp_path / "cut.tif"
        cut.write_bytes(data[: int(len(data) * kept)])
        with pytest.raises(DamagedSlideError):
            open_slide(cut)


def test_limits_hold(vendor: str, make: MakeSlide) -> None:
    path = make()
    for limits in (Limits(level_pixels=1000), Limits(level_tiles=3), Limits(tile_pixels=100)):
        with pytest.raises(TilingError):
            open_slide(path, limits)


@pytest.mark.parametrize("name", ["huron", "philips", "qptiff", "trestle", "generic"])
def test_openslide_sees_the_same(name: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(name)()
    reader = open_slide(path)
    if name == "qptiff":  # OpenSlide takes it for a TIFF of nobody's, without a label
        reader = _WithoutAssociated(reader)
    assert_same_as_openslide(reader, path)


class _WithoutAssociated:
    def __init__(self, reader: SlideReader) -> None:
        self._reader = reader
        self.associated: dict[AssociatedKind, object] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)


@pytest.mark.parametrize(
    "name",
    ["generic-jpeg.tiff", "philips.tiff", "../generic-tiff/OrthancLogoJpeg.tiff"],
)
def test_openslide_sees_the_same_in_shared_slides(shared_slides: Path, name: str) -> None:
    path = shared_slides / "synthetic" / name
    reader = open_slide(path)
    assert all(level.encoding for level in reader.levels)
    assert_same_as_openslide(reader, path)


def assert_levels_are_the_files(path: Path, reader: SlideReader) -> None:
    """The base and its SubIFDs, as tifffile decodes them."""
    with tifffile.TiffFile(path) as file:
        for number, page in enumerate(file.series[0].levels):
            expected = page.asarray()
            level = reader.levels[number]
            assert expected.shape == (level.size.rows, level.size.columns, 3)
            for column, row in level.grid.positions():
                visible = level.grid.visible(column, row)
                top, left = row * level.tile.rows, column * level.tile.columns
                np.testing.assert_array_equal(
                    reader.read_tile(number, column, row)[: visible.rows, : visible.columns],
                    expected[top : top + visible.rows, left : left + visible.columns],
                )


class TestLeica:
    def test_the_area_is_the_slide(self, leica: MakeSlide) -> None:
        path = leica()
        # 500, 1000 and 2000 nm a pixel, from 400000, 1500000 nm on.
        assert_same_as_openslide(open_slide(path), path, corners=[(800, 3000)] * 3)

    def test_a_shared_slide(self, shared_slides: Path) -> None:
        path = shared_slides / "synthetic" / "leica.scn"
        reader = open_slide(path)
        assert reader.format == "Leica SCN"
        # Its coarsest level has 7998.4 nm a pixel: OpenSlide puts the area at pixel 500, 1875.
        ratio = 16.026818512523569
        corners = [(8016, 30060), (8016, 30060), (int(500 * ratio) + 1, int(1875 * ratio) + 1)]
        assert_same_as_openslide(reader, path, corners=corners)

    def test_its_metadata_are_told(self, leica: MakeSlide) -> None:
        metadata = open_slide(leica()).metadata
        assert metadata.pixel_spacing_mm == pytest.approx((0.0005, 0.0005))
        assert metadata.objective_power == 20
        assert metadata.model == "Leica SCN400"
        assert metadata.scanned_at is not None
        assert metadata.scanned_at.isoformat() == "2026-03-12T10:11:12.500000+00:00"
        assert metadata.vendor["collection.image[1].view.offsetX"] == "400000"

    @pytest.mark.parametrize(
        "glass",
        [{"areas": 2}, {"areas": 0}],
    )
    def test_what_has_to_be_joined_is_left_to_another(
        self, leica: MakeSlide, glass: dict[str, object]
    ) -> None:
        assert sniffed("leica", leica(**glass)) is Confidence.NONE

    def test_several_areas_are_still_shown(self, leica: MakeSlide) -> None:
        reader = open_slide(leica(areas=2))
        assert reader.format == "leica (OpenSlide)"
        assert reader.levels[0].encoding is None

    def test_a_doctype_is_refused(self, leica: MakeSlide, tmp_path: Path) -> None:
        data = leica(extra="<!-- room for more -->").read_bytes()
        hostile = tmp_path / "hostile.scn"
        hostile.write_bytes(data.replace(b"<!-- room for more", b"<!DOCTYPE for more"))
        assert sniffed("leica", hostile) is Confidence.NONE


class TestPhilips:
    def test_images_in_the_xml_are_found(self, philips: MakeSlide) -> None:
        path = philips(in_xml=True)
        reader = open_slide(path)
        assert set(reader.associated) == {AssociatedKind.LABEL, AssociatedKind.OVERVIEW}
        assert_same_as_openslide(reader, path)
        assert not any("IMAGE_DATA" in name for name in reader.metadata.vendor)

    def test_padding_is_not_the_slide(self, philips: MakeSlide) -> None:
        sizes = [(lv.size.columns, lv.size.rows) for lv in open_slide(philips()).levels]
        assert sizes == [(768, 640), (384, 320), (192, 160), (96, 80)]

    def test_its_metadata_are_told(self, philips: MakeSlide) -> None:
        metadata = open_slide(philips()).metadata
        assert metadata.pixel_spacing_mm == (0.00025, 0.00026)
        assert metadata.objective_power == 40
        assert metadata.scanned_at == datetime(2026, 3, 12, 10, 11, 12)  # noqa: DTZ001  none given
        assert (metadata.manufacturer, metadata.serial_number) == ("PHILIPS", "FMT0001")
        assert metadata.software == "1.6.6186 20150402"

    def test_tiles_left_out_are_white_at_the_base_and_mended_above(
        self, philips: MakeSlide
    ) -> None:
        whole = open_slide(philips())
        mended_tile = whole.read_tile(1, 1, 0).astype(int)
        path = philips(left_out=[(0, 5, 4), (1, 1, 0), (3, 0, 0)])
        reader = open_slide(path)
        assert (reader.read_tile(0, 5, 4) > 250).all()
        assert np.abs(reader.read_tile(1, 1, 0) - mended_tile).mean() < 6
        assert_same_as_openslide(reader, path)
        for number, level in enumerate(reader.levels):
            lengths = reader.encoded_tile_lengths(number).tolist()
            tiles = [reader.read_encoded_tile(number, *at) for at in level.grid.positions()]
            assert lengths == [len(tile) for tile in tiles]

    def test_several_scans_are_left_to_another(self, philips: MakeSlide) -> None:
        assert sniffed("philips", philips(scans=2)) is Confidence.NONE


class TestTrestle:
    def test_overlaps_are_left_to_another(self, trestle: MakeSlide) -> None:
        path = trestle("16 0 0 0 0 0")
        assert sniffed("trestle", path) is Confidence.NONE
        assert open_slide(path).format == "trestle (OpenSlide)"

    def test_its_metadata_are_told(self, trestle: MakeSlide) -> None:
        metadata = open_slide(trestle()).metadata
        assert metadata.pixel_spacing_mm == (0.00025, 0.0005)
        assert metadata.objective_power == 20
        assert metadata.vendor["Background Color"] == "FFFFFF"


class TestHuron:
    def test_its_metadata_are_told(self, huron: MakeSlide) -> None:
        metadata = open_slide(huron()).metadata
        assert metadata.pixel_spacing_mm == pytest.approx((0.0005, 0.0004))
        assert (metadata.manufacturer, metadata.model) == ("Huron Digital Pathology", "LE180")
        assert metadata.vendor == {"Filter": "none", "Stain": "H&E"}


class TestQptiff:
    def test_several_colour_images_are_handed_on(self, qptiff: MakeSlide) -> None:
        reader = open_slide(qptiff(channels=3))
        assert (reader.pixel_format, len(reader.optical_paths)) == (RGB8, 3)
        SlideReaderContract().test_encoded_tiles_are_what_the_level_says(reader)
        assert reader.levels[0].encoding is not None

    def test_strips_are_read(self, qptiff: MakeSlide) -> None:
        path = qptiff(tile=None)
        reader = open_slide(path)
        assert reader.format == "PerkinElmer QPTIFF"
        assert reader.levels[0].encoding is None
        assert not reader.levels[0].lossy
        expected = tifffile.imread(path, key=0)
        np.testing.assert_array_equal(reader.read_tile(0, 0, 0), expected[:512, :512])

    def test_its_metadata_and_images_are_told(self, qptiff: MakeSlide) -> None:
        reader = open_slide(qptiff())
        assert set(reader.associated) == set(AssociatedKind)
        assert reader.metadata.pixel_spacing_mm == pytest.approx((0.0005, 0.0005))
        assert reader.metadata.objective_power == 20
        assert reader.metadata.software == "PhenoImager 2.0"
        assert reader.metadata.manufacturer is None


class TestOme:
    def test_sub_directories_are_levels(self, ome: MakeSlide) -> None:
        path = ome()
        reader = open_slide(path)
        assert [lv.size.columns for lv in reader.levels] == [700, 350, 175]
        assert_levels_are_the_files(path, reader)

    @pytest.mark.parametrize(
        "name",
        ["synthetic/brightfield.ome.tif", "ome-tiff/OS-1-detail.ome.tif",
         "ome-tiff/OS-2-ndpi.ome.tif", "ome-tiff/OS-2-vsi.ome.tif"],
    )  # fmt: skip
    def test_shared_slides(self, shared_slides: Path, name: str) -> None:
        reader = open_slide(shared_slides / name)
        assert reader.format == "OME-TIFF"
        assert reader.metadata.pixel_spacing_mm is not None
        assert_levels_are_the_files(shared_slides / name, reader)

    def test_its_metadata_are_told(self, ome: MakeSlide) -> None:
        reader = open_slide(ome())
        metadata = reader.metadata
        assert set(reader.associated) == {AssociatedKind.LABEL, AssociatedKind.OVERVIEW}
        assert metadata.pixel_spacing_mm == pytest.approx((0.00026, 0.00025))
        assert metadata.objective_power == 40
        assert (metadata.manufacturer, metadata.model) == ("Maker", "Scan 1")
        assert metadata.scanned_at == datetime(2026, 3, 12, 10, 11, 12)  # noqa: DTZ001  none given

    def test_chroma_gives_away_what_is_called_rgb(self, ome: MakeSlide) -> None:
        path = ome(photometric="rgb", shares_tables=False)
        reader = open_slide(path)
        assert reader.levels[0].encoding == TileEncoding(Colour.YCBCR, (2, 2))
        assert np.abs(reader.read_tile(0, 0, 0).astype(int)).mean() > 0
        assert_levels_are_the_files(path, reader)

    @pytest.mark.parametrize(
        ("said", "error"),
        [
            ({"pixels": ('SizeZ="1"', 'SizeZ="2"')}, IncompleteSlideError),
            ({"pixels": ('SizeC="3"', 'SizeC="2"')}, DamagedSlideError),
            ({"pixels": ('SizeC="3"', 'SizeC="3x"')}, DamagedSlideError),
            ({"pixels": ('Type="uint8"', 'Type="uint16"')}, DamagedSlideError),
            ({"pixels": ('Type="uint8"', 'Type="int8"')}, UnsupportedSlideError),
            ({"pixels": ('DimensionOrder="XYCZT"', 'DimensionOrder="ZXYCT"')}, DamagedSlideError),
            ({"uuid": "urn:uuid:elsewhere"}, IncompleteSlideError),
            ({"first": '<Image Name="second section"/>'}, DamagedSlideError),
            ({"fields": [(274, 3, 1, 6)]}, UnsupportedSlideError),
        ],
    )
    def test_other_shapes_are_claimed_and_refused(
        self, ome: MakeSlide, said: dict[str, object], error: type[TilingError]
    ) -> None:
        path = ome(**said)
        assert sniffed("ome", path) is Confidence.VENDOR
        assert sniffed("generic", path) is Confidence.NONE
        with pytest.raises(error):
            open_slide(path)

    def test_only_the_first_time_is_kept(self, ome: MakeSlide) -> None:
        reader = open_slide(ome(pixels=('SizeT="1"', 'SizeT="2"')))
        assert reader.metadata.not_kept == ("Only the first of several times is kept.",)
        assert reader.levels[0].encoding is not None


class TestVentana:
    def test_the_area_is_the_slide(self, ventana: MakeSlide) -> None:
        path = ventana()
        assert_same_as_openslide(open_slide(path), path, corners=[(200, 0)] * 3)

    def test_a_tiff_without_joints(self, ventana: MakeSlide) -> None:
        path = ventana(joins=False)
        assert_same_as_openslide(open_slide(path), path)

    @pytest.mark.parametrize("said", [{"overlap": 16}, {"areas": 2}])
    def test_what_has_to_be_stitched_is_left_to_another(
        self, ventana: MakeSlide, said: dict[str, object]
    ) -> None:
        path = ventana(**said)
        assert sniffed("ventana", path) is Confidence.NONE
        assert open_slide(path).format == "ventana (OpenSlide)"

    def test_a_shared_slide_with_overlaps(self, shared_slides: Path) -> None:
        reader = open_slide(shared_slides / "synthetic" / "ventana.bif")
        assert reader.levels[0].encoding is None

    def test_its_metadata_are_told(self, ventana: MakeSlide) -> None:
        metadata = open_slide(ventana()).metadata
        assert metadata.pixel_spacing_mm == (0.00025, 0.00025)
        assert metadata.objective_power == 40
        assert (metadata.model, metadata.serial_number) == ("VENTANA DP 200", "2000515")


class TestGeneric:
    def test_sub_directories_are_levels(self, generic: MakeSlide) -> None:
        path = generic(below=True)
        reader = open_slide(path)
        assert [lv.size.columns for lv in reader.levels] == [700, 350, 175]
        assert_levels_are_the_files(path, reader)

    def test_its_metadata_are_told(self, generic: MakeSlide) -> None:
        metadata = open_slide(generic(software="vips", icc_profile=b"a profile")).metadata
        assert metadata.pixel_spacing_mm == pytest.approx((0.0005, 0.00025))
        assert metadata.software == "vips"
        assert metadata.icc_profile == b"a profile"
        assert metadata.manufacturer is None
        assert open_slide(generic(per_mm=None)).metadata.pixel_spacing_mm is None

    @pytest.mark.parametrize(
        "said",
        [
            {"reduced": False},
        ],
    )
    def test_other_shapes_are_left_to_another(
        self, generic: MakeSlide, said: dict[str, object]
    ) -> None:
        path = generic(**said)
        assert sniffed("generic", path) is Confidence.NONE
        assert open_slide(path).format == "generic-tiff (OpenSlide)"

    @pytest.mark.parametrize(
        "encoding",
        [TileEncoding(Colour.RGB), TileEncoding(Colour.YCBCR, (2, 1)), TileEncoding(Colour.YCBCR)],
        ids=str,
    )
    @pytest.mark.parametrize("shares_tables", [True, False])
    def test_every_encoding_passes_through(
        self, generic: MakeSlide, encoding: TileEncoding, *, shares_tables: bool
    ) -> None:
        path = generic(encoding=encoding, shares_tables=shares_tables)
        reader = open_slide(path)
        assert {level.encoding for level in reader.levels} == {encoding}
        assert_same_as_openslide(reader, path)
