"""QPTIFFs of several channels: each page is its channel, at every level."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats.qptiff.channels import optical_path
from tiling.registry import open_slide
from tiling.slide import AssociatedKind, Illumination, Samples, SlideReader
from tiling.testing import SlideReaderContract, draw_pattern
from tiling.xml_tree import parse_xml

NAMES = ("DAPI", "Opal 570", "Opal 690")
FILTERS = "Semrock:EM-453/571 Emission / Semrock:EX-391/538 Excitation"
LABEL, OVERVIEW, THUMBNAIL = draw_pattern(90, 80), draw_pattern(240, 90), draw_pattern(120, 100)


def profile() -> str:
    """Two dyes behind the same pair of filters, told apart by their bands."""

    def fixed(kind: str, bands: Sequence[tuple[float, float]]) -> str:
        part = {"Emission": "EM-453/571 Emission", "Excitation": "EX-391/538 Excitation"}[kind]
        told = "".join(
            f"<TransmissionBands-i><Min>{low}</Min><Max>{high}</Max></TransmissionBands-i>"
            for low, high in bands
        )
        return (
            f"<{kind}Filter><BandNames><BandNames-i>DAPI</BandNames-i>"
            "<BandNames-i>Opal 570</BandNames-i></BandNames>"
            f"<FixedFilter><Manufacturer>Semrock</Manufacturer><PartNumber>{part}</PartNumber>"
            f"<TransmissionBands>{told}</TransmissionBands></FixedFilter></{kind}Filter>"
        )

    pairs = "".join(
        f"<ScanBands-i><ExcitedFilterPair><BandIndex>{index}</BandIndex><FilterPair>"
        + fixed("Emission", [(438, 468), (510, 720)])
        + fixed("Excitation", [(375, 407), (526, 551)])
        + "</FilterPair></ExcitedFilterPair></ScanBands-i>"
        for index in range(2)
    )
    return f"<ScanProfile><root><ScanBands>{pairs}</ScanBands></root></ScanProfile>"


def describe(kind: str, name: str = "", more: str = "") -> str:
    channel = (
        f"<Name>{name}</Name><Color>0,128,255</Color><ExposureTime>{len(name)}</ExposureTime>"
        f"<Responsivity><Filter><Name>{name}</Name><FilterID>{name}_{FILTERS}</FilterID>"
        "</Filter></Responsivity>"
        if name
        else ""
    )
    return (
        '<?xml version="1.0" encoding="utf-16"?><PerkinElmer-QPI-ImageDescription>'
        f"<ImageType>{kind}</ImageType><Objective>20x</Objective><Barcode>A-1</Barcode>"
        f"{channel}{more}</PerkinElmer-QPI-ImageDescription>"
    )


def layers(dtype: Any = np.uint8) -> Samples:
    drawn = np.moveaxis(draw_pattern(700, 600), -1, 0).astype(dtype)
    return np.ascontiguousarray(drawn * (200 if dtype == np.uint16 else 1))


def write(
    path: Path,
    pixels: Samples,
    *,
    reduced_names: Sequence[str] = NAMES,
    left_out: int = 0,
    **said: Any,
) -> Path:
    options = {"photometric": "minisblack", "compression": "lzw", "tile": (128, 128), **said}
    with tifffile.TiffWriter(path) as file:

        def page(image: Any, text: str, **more: Any) -> None:
            file.write(image, description=text.encode(), metadata=None, **{**options, **more})

        scale = {"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}
        colours = {"photometric": "rgb", "tile": None, "rowsperstrip": 16}
        for number, name in enumerate(NAMES):
            more = profile() if number == 0 else f"<Biomarker>CD{number}</Biomarker>"
            page(pixels[number], describe("FullResolution", name, more), **scale)
        page(THUMBNAIL, describe("Thumbnail"), **colours)
        for step in (2, 4):
            for number, name in list(enumerate(reduced_names))[left_out:]:
                text = describe("ReducedResolution", name)
                page(pixels[number, ::step, ::step], text, subfiletype=1)
        page(OVERVIEW, describe("Overview"), **colours)
        page(LABEL, describe("Label"), **colours)
    return path


class TestChannels(SlideReaderContract):
    @pytest.fixture(params=[np.uint8, np.uint16], ids=["8 bits", "16 bits"])
    def pixels(self, request: pytest.FixtureRequest) -> Samples:
        return layers(request.param)

    @pytest.fixture
    def reader(self, tmp_path: Path, pixels: Samples) -> Iterator[SlideReader]:
        reader = open_slide(write(tmp_path / "written.qptiff", pixels))
        assert reader.format == "PerkinElmer QPTIFF"
        yield reader
        reader.close()

    def test_every_page_is_its_channel(self, reader: SlideReader, pixels: Samples) -> None:
        assert [level.size.columns for level in reader.levels] == [700, 350, 175]
        for level, step in enumerate((1, 2, 4)):
            for path in range(3):
                expected = pixels[path, ::step, ::step][:512, :512]
                found = reader.read_tile(level, 0, 0, path)[
                    : expected.shape[0], : expected.shape[1], 0
                ]
                np.testing.assert_array_equal(found, expected)
            assert not reader.levels[level].lossy

    def test_channels_are_told(self, reader: SlideReader) -> None:
        dapi, first, second = reader.optical_paths
        assert (dapi.name, first.name, second.name) == ("DAPI", "CD1 (Opal 570)", "CD2 (Opal 690)")
        assert dapi.colour == (0, 128, 255)
        assert dapi.illumination is Illumination.FLUORESCENCE
        assert (dapi.excitation_nm, dapi.emission_nm) == (391, 453)
        # A filter that lets everything through from 510 nm on has no middle.
        assert (first.excitation_nm, first.emission_nm) == (538.5, None)
        assert (second.excitation_nm, second.emission_nm) == (None, None)

    def test_the_rest_is_told(self, reader: SlideReader) -> None:
        metadata = reader.metadata
        assert metadata.pixel_spacing_mm == pytest.approx((0.0005, 0.0005))
        assert metadata.objective_power == 20
        assert metadata.barcode == "A-1"
        assert metadata.vendor["ExposureTime"] == "4"
        assert metadata.vendor["channel[1].ExposureTime"] == "8"
        np.testing.assert_array_equal(reader.read_associated(AssociatedKind.LABEL), LABEL)
        np.testing.assert_array_equal(reader.read_associated(AssociatedKind.OVERVIEW), OVERVIEW)


def test_strips_are_read(tmp_path: Path) -> None:
    pixels = layers()
    path = write(tmp_path / "written.qptiff", pixels, tile=None, rowsperstrip=16)
    found = open_slide(path).read_tile(0, 1, 0, 2)[:512, :188, 0]
    np.testing.assert_array_equal(found, pixels[2, :512, 512:])


def test_several_images_of_colours_are_optical_paths(tmp_path: Path) -> None:
    colours = draw_pattern(700, 600)
    pixels = np.stack([colours, 255 - colours, colours[::-1]])
    path = write(tmp_path / "written.qptiff", pixels, photometric="rgb")
    reader = open_slide(path)
    assert (reader.pixel_format.samples, len(reader.levels)) == (3, 3)
    assert [each.name for each in reader.optical_paths] == list(NAMES)
    assert {each.illumination for each in reader.optical_paths} == {Illumination.BRIGHTFIELD}
    np.testing.assert_array_equal(reader.read_tile(0, 0, 0, 1), 255 - colours[:512, :512])
    reader.close()


def test_a_level_without_all_channels_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "written.qptiff", layers(), left_out=1)
    assert len(open_slide(path).levels) == 1


def test_channels_in_another_order_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "written.qptiff", layers(), reduced_names=NAMES[::-1])
    with pytest.raises(DamagedSlideError, match="order"):
        open_slide(path)


def test_unmixed_components_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "written.qptiff", layers(np.float32))  # type: ignore[arg-type]
    with pytest.raises(UnsupportedSlideError):
        open_slide(path)


@pytest.mark.parametrize(
    ("said", "colour"),
    [("0,0,255", (0, 0, 255)), ("0, 9 ,255", (0, 9, 255)), ("0,0,0", None), ("1,2", None),
     ("1,2,256", None), ("1,2,-3", None), ("", None), ("a,b,c", None)],
)  # fmt: skip
def test_colours(said: str, colour: tuple[int, int, int] | None) -> None:
    described = parse_xml(f"<Image><Color>{said}</Color></Image>")
    assert optical_path(described, None).colour == colour


def test_a_shared_slide_is_as_tifffile_has_it(shared_slides: Path) -> None:
    path = shared_slides / "perkinelmer-qptiff" / "small_vectra.qptiff"
    reader = open_slide(path)
    assert [each.name for each in reader.optical_paths] == ["DAPI", "FITC", "Cy3"]
    assert [each.excitation_nm for each in reader.optical_paths] == [391, 480, 545]
    assert [each.emission_nm for each in reader.optical_paths] == [453, None, None]
    assert set(reader.associated) == set(AssociatedKind)
    for number in range(3):
        expected = tifffile.imread(path, key=number)
        for column, row in reader.levels[0].grid.positions():
            seen = reader.levels[0].grid.visible(column, row)
            part = expected[row * 512 :, column * 512 :][: seen.rows, : seen.columns]
            tile = reader.read_tile(0, column, row, number)
            np.testing.assert_array_equal(tile[: seen.rows, : seen.columns, 0], part)
    kinds = (AssociatedKind.THUMBNAIL, AssociatedKind.OVERVIEW, AssociatedKind.LABEL)
    for number, kind in enumerate(kinds, start=3):
        expected = tifffile.imread(path, key=number)
        np.testing.assert_array_equal(reader.read_associated(kind), expected)
