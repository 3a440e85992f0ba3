"""What the slide's own file said is kept beside what is written anew."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom.dataset import build_dataset
from dicom.models import Equipment, ImageDescription, ImageRole, Optics, SlideIdentity
from dicom.modules.original import keep_original
from dicom.source import DicomSlide, open_
from dicom.targets import DirectoryTarget
from dicom.writer import write_instance
from tiling.geometry import Size
from tiling.limits import Limits

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
DICIODVFY = shutil.which("dciodvfy")

Make = Callable[..., pydicom.Dataset]


@pytest.fixture
def fresh() -> Make:
    def make(identity: SlideIdentity) -> pydicom.Dataset:
        image = ImageDescription(
            ImageRole.VOLUME,
            "1.2.3",
            1,
            Size(columns=16, rows=16),
            Size(columns=16, rows=16),
            pixel_spacing_mm=(1.0, 1.0),
        )
        return build_dataset(identity, Equipment(manufacturer="New"), Optics(), image)

    return make


def original(**attributes: object) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    dataset.SOPInstanceUID = "1.9.1"
    dataset.StudyInstanceUID = "1.9.2"
    dataset.Rows = 512
    dataset.Manufacturer = "Old"
    dataset.NumberOfFrames = 7
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def test_what_is_lacking_is_added(fresh: Make, bare_identity: SlideIdentity) -> None:
    new = fresh(bare_identity)
    keep_original(new, original(AcquisitionDuration=3.5, StudyDescription="Biopsy"))
    assert (new.AcquisitionDuration, new.StudyDescription) == (3.5, "Biopsy")
    assert (new.Rows, new.Manufacturer, new.SOPInstanceUID) == (16, "New", "1.2.3")
    assert new.StudyInstanceUID == bare_identity.study_uid
    assert "OriginalAttributesSequence" not in new


def test_nothing_of_the_old_image_comes_along(fresh: Make, bare_identity: SlideIdentity) -> None:
    old = original(
        ConcatenationUID="1.9.3",
        SmallestImagePixelValue=3,
        PerFrameFunctionalGroupsSequence=[pydicom.Dataset()],
        SourceImageSequence=[pydicom.Dataset()],
    )
    new = fresh(bare_identity)
    before = set(new.keys())
    keep_original(new, old)
    assert set(new.keys()) == before


def test_a_patient_whom_nobody_names_here_is_kept(
    fresh: Make, bare_identity: SlideIdentity
) -> None:
    new = fresh(bare_identity)
    keep_original(new, original(PatientName="A^B", PatientID="7", PatientAge="041Y"))
    assert (new.PatientName, new.PatientID, new.PatientAge) == ("A^B", "7", "041Y")


def test_two_patients_are_never_mixed(fresh: Make, identity: SlideIdentity) -> None:
    new = fresh(identity)
    keep_original(new, original(PatientName="A^B", PatientAge="041Y"), WHEN)
    assert new.PatientName == identity.patient.name
    assert "PatientAge" not in new
    (item,) = new.OriginalAttributesSequence
    assert item.ModifiedAttributesSequence[0].PatientName == "A^B"


def test_what_was_replaced_is_recorded(fresh: Make, bare_identity: SlideIdentity) -> None:
    new = fresh(bare_identity)
    earlier = pydicom.Dataset()
    earlier.ModifyingSystem = "Another"
    keep_original(new, original(OriginalAttributesSequence=[earlier]), WHEN)
    first, second = new.OriginalAttributesSequence
    assert first.ModifyingSystem == "Another"
    replaced = second.ModifiedAttributesSequence[0]
    assert (replaced.SOPInstanceUID, replaced.Manufacturer) == ("1.9.1", "Old")
    assert (replaced.Rows, replaced.NumberOfFrames) == (512, 7)
    assert second.AttributeModificationDateTime == "20260301120000+0000"


def test_equipment_of_before_comes_first(fresh: Make, bare_identity: SlideIdentity) -> None:
    station = pydicom.Dataset()
    station.Manufacturer = "Before"
    new = fresh(bare_identity)
    keep_original(new, original(ContributingEquipmentSequence=[station]))
    assert [item.Manufacturer for item in new.ContributingEquipmentSequence] == ["Before", "SGI"]


def test_private_elements_with_their_creator(fresh: Make, bare_identity: SlideIdentity) -> None:
    old = original()
    block = old.private_block(0x0009, "MAKER", create=True)
    block.add_new(1, "LO", "a word")
    old.add_new(0x000B1101, "LO", "nobody's")
    new = fresh(bare_identity)
    keep_original(new, old)
    assert new.private_block(0x0009, "MAKER")[1].value == "a word"
    assert 0x000B1101 not in new


def test_private_elements_of_a_block_that_is_taken(
    fresh: Make, bare_identity: SlideIdentity
) -> None:
    old = original()
    old.private_block(0x0009, "MAKER", create=True).add_new(1, "LO", "a word")
    new = fresh(bare_identity)
    new.private_block(0x0009, "OURS", create=True).add_new(2, "LO", "another")
    keep_original(new, old)
    assert 0x00091001 not in new
    assert new[0x00090010].value == "OURS"


@pytest.mark.skipif(DICIODVFY is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize(
    "name", ["synthetic/dicom/tiled-sparse/level-0.dcm", "synthetic/dicom/z-stack/level-0.dcm"]
)
def test_dciodvfy_finds_no_error(
    fresh: Make, identity: SlideIdentity, shared_slides: Path, tmp_path: Path, name: str
) -> None:
    reader = open_(shared_slides / name, Limits())
    assert isinstance(reader, DicomSlide)
    new = fresh(identity)
    keep_original(new, reader.original[0].header, WHEN)
    frame = bytes(16 * 16 * 3)
    with DirectoryTarget(tmp_path).open("level-0", "1.2.3") as sink:
        write_instance(sink, new, np.array([len(frame)]), [frame])
    (path,) = tmp_path.iterdir()
    result = subprocess.run(
        [str(DICIODVFY), str(path)], capture_output=True, text=True, check=False
    )
    report = result.stdout + result.stderr
    assert "VLWholeSlideMicroscopyImage" in report
    assert "Error" not in report, report
