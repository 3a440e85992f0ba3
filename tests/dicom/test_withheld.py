"""Words that whoever converts withholds are in no instance, whatever attribute they came in."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataelem import DataElement

from dicom.conversion import ConversionOptions, convert
from dicom.formats import open_any
from dicom.models import SlideIdentity
from dicom.placeholders import UNKNOWN
from dicom.targets import DirectoryTarget
from dicom.withheld import without_withheld
from tiling.pyramid import PyramidOptions, build_pyramid

SECRET = "TOP-SECRET"


def withholds(words: str, *, of_patient: bool) -> bool:
    return SECRET in words and not (of_patient and words == SECRET)


@pytest.fixture
def converted_again(converted: Any, tmp_path: Path) -> Callable[..., list[pydicom.Dataset]]:
    """A converted slide, changed as scanners may write it, converted once more."""

    def make(change: Callable[[pydicom.Dataset], None]) -> list[pydicom.Dataset]:
        source = tmp_path / "source"
        source.mkdir()
        for path in converted.paths:
            dataset = pydicom.dcmread(path)
            change(dataset)
            dataset.save_as(source / path.name)
        target = tmp_path / "again"
        options = ConversionOptions(
            taken_in_at=datetime(2026, 1, 2, tzinfo=UTC), withholds=withholds
        )
        reader = open_any(source / "level-0.dcm")
        try:
            levels = build_pyramid(reader, tmp_path, PyramidOptions(top_pixels=60))
            convert(reader, levels, SlideIdentity(uuid.uuid4()), DirectoryTarget(target), options)
        finally:
            reader.close()
        for path in target.iterdir():
            assert SECRET.encode() not in path.read_bytes(), path.name
        return [pydicom.dcmread(path) for path in sorted(target.glob("*.dcm"))]

    return make


def test_of_the_glass_and_its_label(
    converted_again: Callable[..., list[pydicom.Dataset]],
) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.BarcodeValue = dataset.ContainerIdentifier = SECRET
        dataset.LabelText = f"one\r\n{SECRET}"
        item = dataset.SpecimenDescriptionSequence[0]
        item.SpecimenIdentifier = item.SpecimenShortDescription = SECRET
        item.SpecimenDetailedDescription = f"read: {SECRET}"

    for made in converted_again(change):
        assert (made.ContainerIdentifier, made.get("BarcodeValue") or "") == (UNKNOWN, "")
        assert made.SpecimenDescriptionSequence[0].SpecimenIdentifier == UNKNOWN


def test_of_anything_else(converted_again: Callable[..., list[pydicom.Dataset]]) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.PatientID, dataset.PatientComments = "IPP1", f"was {SECRET}"
        dataset.AccessionNumber = dataset.StudyID = dataset.InstitutionName = SECRET
        dataset.ImageComments = dataset.SeriesDescription = SECRET
        dataset.OpticalPathSequence[0].OpticalPathDescription = SECRET
        earlier = pydicom.Dataset()
        earlier.BarcodeValue = SECRET
        item = pydicom.Dataset()
        item.ModifiedAttributesSequence = [earlier]
        dataset.OriginalAttributesSequence = [item]
        block = dataset.private_block(0x0099, "MAKER", create=True)
        block.add_new(1, "LO", SECRET)
        block.add_new(2, "OB", b"\0" + SECRET.encode() + b"\0")
        block.add_new(3, "LO", "kept")

    for made in converted_again(change):
        assert made.PatientID == "IPP1"
        assert made.OpticalPathSequence[0].OpticalPathIdentifier
        assert made.private_block(0x0099, "MAKER")[3].value == "kept"


def test_who_the_patient_is_may_be_said_where_that_belongs() -> None:
    said = pydicom.Dataset()
    said.PatientID, said.AccessionNumber = SECRET, SECRET
    said.StudyInstanceUID = "1.2.3"
    said[0x00280010] = DataElement(0x00280010, "US", 7)
    kept = without_withheld(said, withholds)
    assert [element.keyword for element in kept] == ["PatientID", "StudyInstanceUID", "Rows"]
