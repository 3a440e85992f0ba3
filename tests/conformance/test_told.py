"""Others' readers, put before instances that were told anew: what passed before still passes."""

import io
import shutil
import subprocess
import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import pydicom
import pytest

from conformance.checkers import dciodvfy, read_highdicom, read_pydicom, read_wsidicom
from conformance.converted import ConvertedSlide, converted
from conformance.slides import TableSlide, own_slides
from conformance.table import verdict_of
from conformance.verdict import PASSES
from dicom.frame_index import FrameIndex
from dicom.models.told import Told, ToldCode, ToldGlass, ToldIdentifier, ToldPatient, ToldUids
from dicom.reidentify import told_header
from dicom.rejection import Rejection, rejection_note
from dicom.uids import derived_uid

INS = ToldIdentifier("279035121518989", "ASIP-SANTE-INS-NIR", "1.2.250.1.213.1.4.8")
TOLD = Told(
    glass=ToldGlass(
        "26P00123.A.01.01",
        "2.25.4711",
        block="26P00123.A.01",
        description="sein gauche, tumorectomie",
        site=ToldCode("80248007", "Breast structure", "SCT"),
        stains=(ToldCode("12710003", "Hematoxylin stain", "SCT"), ToldCode("SAF", "safran", "L")),
    ),
    accession_number="26P00123",
    case_known=True,
    study_date=date(2026, 6, 12),
    patient=ToldPatient(
        "PAT-TROIS^DOMINIQUE",
        "ÉLUARD^DOMINIQUE",
        ToldIdentifier("000003", "CHU-X"),
        (INS,),
        date(1979, 3, 2),
        "F",
    ),
)


class Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


def tell(slide: ConvertedSlide) -> None:
    """Every instance of the folder, in place."""
    root = uuid.uuid4()
    for path in slide.instances:
        data = path.read_bytes()
        first_frame, _ = FrameIndex.read(Bytes(data)).offset(0)
        uids = ToldUids("2.25.1", "2.25.2", derived_uid(root, path.stem))
        path.write_bytes(told_header(data[:first_frame], TOLD, uids) + data[first_frame:])


@pytest.mark.parametrize("number", range(4))
def test_every_reader_is_as_content_as_before(tmp_path: Path, number: int) -> None:
    drawn: TableSlide = list(own_slides(tmp_path))[number]
    checkers = (dciodvfy, read_pydicom, read_wsidicom, read_highdicom)
    with converted(drawn.open(), drawn.source) as slide:
        before = {checker.NAME: verdict_of(checker, slide) for checker in checkers}
        tell(slide)
        assert {checker.NAME: verdict_of(checker, slide) for checker in checkers} == before
        assert before["pydicom"] == PASSES
        said = pydicom.dcmread(slide.instances[0], stop_before_pixels=True)
        assert said.PatientName == "PAT-TROIS^DOMINIQUE"
        assert str(said.OtherPatientNames) == "ÉLUARD^DOMINIQUE"
        other = said.OtherPatientIDsSequence[0]
        assert (other.PatientID, other.IssuerOfPatientID) == (INS.value, INS.issuer)


def test_a_rejection_note_is_a_sound_key_object(tmp_path: Path) -> None:
    drawn = next(own_slides(tmp_path))
    with converted(drawn.open(), drawn.source) as slide:
        before = pydicom.dcmread(slide.instances[0], stop_before_pixels=True)
    note = rejection_note(
        before,
        ["2.25.5", "2.25.6"],
        Rejection.WRONG_PATIENT,
        series_uid="2.25.7",
        instance_uid="2.25.8",
        made_at=datetime(2026, 6, 12, 10, tzinfo=UTC),
    )
    read = pydicom.dcmread(io.BytesIO(note))
    assert read.ConceptNameCodeSequence[0].CodeMeaning == "Rejected for Patient Safety Reasons"
    assert [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in read.ContentSequence
    ] == ["2.25.5", "2.25.6"]
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not installed")
    path = tmp_path / "note.dcm"
    path.write_bytes(note)
    said = subprocess.run([program, path], capture_output=True, text=True, check=False)
    assert not [line for line in said.stderr.splitlines() if line.startswith("Error")]
