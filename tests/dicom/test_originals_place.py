"""What a DICOM file says of the glass, the light and the label outlives its conversion."""

import shutil
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom.codes import Code
from dicom.conversion import ConversionOptions, convert
from dicom.formats import open_any
from dicom.models import SlideIdentity
from dicom.source.testing import JPEG_420, instance_of, with_uid, write
from dicom.targets import DirectoryTarget
from tiling.geometry import Size
from tiling.pyramid import PyramidOptions, build_pyramid
from tiling.slide import Codec, Colour, PixelFormat, TileEncoding
from tiling.testing import draw_pattern

TAKEN_IN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TILE = Size(columns=64, rows=48)
BASE = draw_pattern(300, 200)
POLARIZED = Code("111748", "DCM", "Polarized light illumination")
DICIODVFY = shutil.which("dciodvfy")


def origin(x_mm: float, y_mm: float) -> list[pydicom.Dataset]:
    item = pydicom.Dataset()
    item.XOffsetInSlideCoordinateSystem = str(x_mm)
    item.YOffsetInSlideCoordinateSystem = str(y_mm)
    return [item]


def optics() -> list[pydicom.Dataset]:
    item = pydicom.Dataset()
    item.IlluminationTypeCodeSequence = [POLARIZED.item()]
    item.IlluminationColorCodeSequence = [Code("371251000", "SCT", "White").item()]
    item.LightPathFilterTypeStackCodeSequence = [Code("111608", "DCM", "Polarizing").item()]
    item.OpticalPathIdentifier = "pol"
    item.ObjectiveLensPower = "40"
    item.ObjectiveLensNumericalAperture = "0.75"
    item.CondenserLensPower = "1.5"
    return [item]


def facts(**changed: object) -> Mapping[str, object]:
    return {
        "ImageOrientationSlide": [-1, 0, 0, 0, -1, 0],
        "TotalPixelMatrixOriginSequence": origin(12.5, 7.25),
        "BurnedInAnnotation": "YES",
        "SpecimenLabelInImage": "YES",
        "ImagedVolumeDepth": 4.0,
        "ExtendedDepthOfField": "NO",
        "RecommendedAbsentPixelCIELabValue": [100, 2, 3],
        "LongitudinalTemporalInformationModified": "MODIFIED",
        "OpticalPathSequence": optics(),
        **changed,
    }


@pytest.fixture
def made(tmp_path: Path) -> Mapping[str, pydicom.Dataset]:
    """By name, the instances made of two levels, a label and an overview, with two levels built."""
    level = instance_of(BASE, TILE, JPEG_420)
    half = replace(instance_of(BASE[::2, ::2], TILE, JPEG_420), spacing_mm=0.001)
    whole = Size(columns=300, rows=200)
    label = replace(instance_of(BASE, whole), role="LABEL", spacing_mm=None)
    overview = replace(instance_of(BASE, whole), role="OVERVIEW", spacing_mm=0.05)
    instances = (
        replace(level, extra=facts()),
        replace(half, extra=facts(TotalPixelMatrixOriginSequence=origin(12.51, 7.255))),
        replace(label, extra=facts(BurnedInAnnotation="NO", ImagedVolumeDepth=0.0)),
        replace(overview, extra=facts(TotalPixelMatrixOriginSequence=origin(24, 50))),
    )
    source = tmp_path / "source"
    source.mkdir()
    for number, instance in enumerate(instances, start=1):
        write(source / f"{number}.dcm", with_uid(instance, number))
    return converted(source / "1.dcm", tmp_path)


def converted(path: Path, scratch: Path) -> Mapping[str, pydicom.Dataset]:
    target = scratch / "made"
    target.mkdir()
    reader = open_any(path)
    try:
        levels = build_pyramid(reader, scratch, PyramidOptions(top_pixels=40))
        options = ConversionOptions(taken_in_at=TAKEN_IN)
        convert(reader, levels, SlideIdentity(uuid.uuid4()), DirectoryTarget(target), options)
    finally:
        reader.close()
    return {path.stem: pydicom.dcmread(path) for path in target.iterdir()}


def place(dataset: pydicom.Dataset) -> tuple[list[float], tuple[float, float]]:
    (item,) = dataset.TotalPixelMatrixOriginSequence
    return list(dataset.ImageOrientationSlide), (
        float(item.XOffsetInSlideCoordinateSystem),
        float(item.YOffsetInSlideCoordinateSystem),
    )


def replaced(dataset: pydicom.Dataset) -> pydicom.Dataset:
    return dataset.OriginalAttributesSequence[-1].ModifiedAttributesSequence[0]


def test_every_image_stays_where_it_lies_on_the_glass(
    made: Mapping[str, pydicom.Dataset],
) -> None:
    turned = [-1, 0, 0, 0, -1, 0]
    assert place(made["level-0"]) == (turned, (12.5, 7.25))
    assert place(made["level-1"]) == (turned, (12.51, 7.255)), "a level's own"
    assert place(made["level-2"]) == (turned, (12.5, 7.25)), "a built level's is the base's"
    assert place(made["thumbnail"]) == (turned, (12.5, 7.25))
    assert place(made["label"]) == (turned, (12.5, 7.25))
    assert place(made["overview"]) == (turned, (24.0, 50.0))


def test_depth_and_scale_are_the_files(made: Mapping[str, pydicom.Dataset]) -> None:
    for name in ("level-0", "level-1", "level-2", "overview"):
        assert made[name].ImagedVolumeDepth == 4.0
    assert made["level-0"].RecommendedAbsentPixelCIELabValue == [100, 2, 3]
    measures = made["overview"].SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.PixelSpacing == [0.05, 0.05]


def test_what_is_burned_in_is_never_denied(made: Mapping[str, pydicom.Dataset]) -> None:
    for dataset in made.values():
        assert dataset.BurnedInAnnotation == "YES"
        assert dataset.LongitudinalTemporalInformationModified == "MODIFIED"
    assert replaced(made["label"]).BurnedInAnnotation == "NO"
    assert "BurnedInAnnotation" not in replaced(made["level-0"])


@pytest.mark.parametrize("name", ["level-0", "level-1", "level-2", "overview", "label"])
def test_the_light_is_the_files(made: Mapping[str, pydicom.Dataset], name: str) -> None:
    (path,) = made[name].OpticalPathSequence
    (wanted,) = optics()
    for element in wanted:
        if element.keyword != "OpticalPathIdentifier":
            assert path[element.tag] == element
    (group,) = made[name].SharedFunctionalGroupsSequence
    (said,) = group.OpticalPathIdentificationSequence
    assert path.OpticalPathIdentifier == said.OpticalPathIdentifier
    assert path.ColorSpace == "SRGB", "for there is no profile in the file"


def test_what_is_described_anew_is_recorded(made: Mapping[str, pydicom.Dataset]) -> None:
    before = replaced(made["level-0"])
    assert "ImageType" not in before, "it is the same"
    assert replaced(made["level-1"]).ImageType == ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    assert before.SpecimenLabelInImage == "YES", "which the standard forbids of a level"
    assert before.OpticalPathSequence[0].OpticalPathIdentifier == "pol"
    assert "SharedFunctionalGroupsSequence" in before
    for keyword in ("ImageOrientationSlide", "TotalPixelMatrixOriginSequence", "Rows"):
        assert keyword not in before
    assert "Rows" not in replaced(made["level-2"]), "a built level is no instance of the file"


def test_a_place_that_is_none_gives_way(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    bad = pydicom.Dataset()
    bad.XOffsetInSlideCoordinateSystem = "1"
    broken = facts(
        ImageOrientationSlide=[0, 0, 0, 0, 0, 0],
        TotalPixelMatrixOriginSequence=[bad],
        ImagedVolumeDepth=0.0,
    )
    write(source / "1.dcm", replace(instance_of(BASE, TILE, JPEG_420), extra=broken))
    base = converted(source / "1.dcm", tmp_path)["level-0"]
    assert list(base.ImageOrientationSlide) == [0, -1, 0, -1, 0, 0]
    assert "YOffsetInSlideCoordinateSystem" in base.TotalPixelMatrixOriginSequence[0]
    assert base.ImagedVolumeDepth == 1.0
    before = replaced(base)
    assert before.ImageOrientationSlide == [0] * 6
    assert before.TotalPixelMatrixOriginSequence[0] == bad


@pytest.mark.skipif(DICIODVFY is None, reason="dciodvfy (dicom3tools) is not installed")
def test_dciodvfy_finds_no_error(made: Mapping[str, pydicom.Dataset]) -> None:
    for dataset in made.values():
        result = subprocess.run(
            [str(DICIODVFY), str(dataset.filename)], capture_output=True, text=True, check=False
        )
        report = result.stdout + result.stderr
        assert "Error" not in report, report


def palette(bits: int) -> list[pydicom.Dataset]:
    item = pydicom.Dataset()
    for name, last in (("Red", 0), ("Green", 128), ("Blue", 255)):
        ramp = np.linspace(0, last * (257 if bits == 16 else 1), 256)
        setattr(item, f"{name}PaletteColorLookupTableDescriptor", [256, 0, bits])
        data = np.rint(ramp).astype("<u2" if bits == 16 else "u1").tobytes()
        setattr(item, f"{name}PaletteColorLookupTableData", data)
    return [item]


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_has_16_bits(tmp_path: Path, bits: int) -> None:
    (path,) = optics()
    path.PaletteColorLookupTableSequence = palette(bits)
    source = tmp_path / "source"
    source.mkdir()
    grey = TileEncoding(Colour.GREY, codec=Codec.RAW)
    instance = instance_of(BASE[:, :, :1], TILE, grey, PixelFormat(1, 8))
    write(source / "1.dcm", replace(instance, extra={"OpticalPathSequence": [path]}))
    made = converted(source / "1.dcm", tmp_path)
    item = made["level-0"].OpticalPathSequence[0].PaletteColorLookupTableSequence[0]
    assert item.GreenPaletteColorLookupTableDescriptor == [256, 0, 16]
    assert item.GreenPaletteColorLookupTableData[-1] == 128
    assert "PaletteColorLookupTableSequence" not in made["thumbnail"].OpticalPathSequence[0]
    assert made["thumbnail"].OpticalPathSequence[0].ObjectiveLensNumericalAperture == 0.75


def test_sequences_that_are_none_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "1.dcm", replace(instance_of(BASE, TILE, JPEG_420), extra=facts()))
    data = path.read_bytes()
    for tag in (b"\x48\x00\x05\x01", b"\x48\x00\x08\x00", b"\x00\x52\x29\x92"):
        assert tag + b"SQ" in data
        data = data.replace(tag + b"SQ", tag + b"UT")
    path.write_bytes(data)
    base = converted(path, tmp_path)["level-0"]
    assert list(base.ImageOrientationSlide) == [-1, 0, 0, 0, -1, 0]
    assert base.OpticalPathSequence[0].OpticalPathIdentifier == "1"


@pytest.mark.parametrize(
    "turned", [(-1, 0, 0, 0, -1, 0), (0, -1, 0, -1, 0, 0), (1, 0, 0, 0, -1, 0)]
)
def test_no_stand_in_for_a_place_is_negative(tmp_path: Path, turned: tuple[int, ...]) -> None:
    source = tmp_path / "source"
    source.mkdir()
    extra = {"ImageOrientationSlide": list(turned)}
    write(source / "1.dcm", replace(instance_of(BASE, TILE, JPEG_420), extra=extra))
    base = converted(source / "1.dcm", tmp_path)["level-0"]
    found, (x_mm, y_mm) = place(base)
    assert found == list(turned)
    for along, down in ((0, 0), (0.15, 0), (0, 0.1), (0.15, 0.1)):
        assert x_mm + along * turned[0] + down * turned[3] >= -1e-9
        assert y_mm + along * turned[1] + down * turned[4] >= -1e-9
