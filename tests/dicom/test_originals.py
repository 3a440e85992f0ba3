"""Attributes of a DICOM file in the instances that are made of it."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest

from dicom.conversion import ConversionOptions, convert
from dicom.formats import open_any
from dicom.frame_index import FrameIndex
from dicom.models import SlideIdentity
from dicom.targets import DirectoryTarget
from dicom.testing import MemorySource
from tiling.pyramid import PyramidOptions, build_pyramid

TAKEN_IN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def again(converted: object, tmp_path: Path) -> tuple[Path, Path]:
    """A converted slide, with what its maker alone knows, converted once more."""
    source = tmp_path / "source"
    source.mkdir()
    for path in converted.paths:  # type: ignore[attr-defined] - of the conftest's own class
        dataset = pydicom.dcmread(path)
        dataset.InstitutionName = "Laboratoire d'essai"
        dataset.save_as(source / path.name)
    reader = open_any(source / "level-0.dcm")
    target = tmp_path / "again"
    try:
        levels = build_pyramid(reader, tmp_path, PyramidOptions(top_pixels=60))
        options = ConversionOptions(taken_in_at=TAKEN_IN)
        convert(reader, levels, SlideIdentity(uuid.uuid4()), DirectoryTarget(target), options)
    finally:
        reader.close()
    return source, target


def test_what_the_file_said_is_kept(again: tuple[Path, Path]) -> None:
    before, after = (pydicom.dcmread(folder / "level-0.dcm") for folder in again)
    assert after.InstitutionName == "Laboratoire d'essai"
    for keyword in ("PatientName", "PatientID", "AccessionNumber", "ContainerIdentifier"):
        assert after[keyword] == before[keyword]
    assert after.SOPInstanceUID != before.SOPInstanceUID
    replaced = after.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert replaced.SOPInstanceUID == before.SOPInstanceUID


def test_what_was_padded_here_before_is_listed_once(again: tuple[Path, Path]) -> None:
    for path in again[1].glob("*.dcm"):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        index = FrameIndex.read(MemorySource(path.read_bytes()))
        assert len(index.offsets) == header.NumberOfFrames


def test_frames_are_kept_as_they_came(again: tuple[Path, Path]) -> None:
    before, after = (pydicom.dcmread(folder / "level-0.dcm") for folder in again)
    frames = [
        list(pydicom.encaps.generate_frames(d.PixelData, number_of_frames=d.NumberOfFrames))
        for d in (before, after)
    ]
    assert frames[0] == frames[1]
    assert before.LossyImageCompression == after.LossyImageCompression == "01"
