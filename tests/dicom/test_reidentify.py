"""Headers told anew: what is replaced, what stays bit for bit, and what is refused."""

import io
import uuid
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom.conversion import convert
from dicom.errors import DicomError
from dicom.frame_index import FrameIndex
from dicom.models import SlideIdentity
from dicom.models.told import Told, ToldGlass, ToldIdentifier, ToldPatient, ToldUids
from dicom.reidentify import told_header
from dicom.testing import MemoryTarget
from dicom.web.document import read_document
from tiling.array_slide import ArraySlide
from tiling.pyramid import build_pyramid
from tiling.slide import OpticalPath

_OF_FRAMES = 0x7FDF0000
UIDS = ToldUids("2.25.1", "2.25.2", "2.25.3")
PATIENT = ToldPatient("A^B", None, ToldIdentifier("1", "X"), (), date(1980, 1, 2), "M")
GLASS = ToldGlass("26P1.A.1.1", "2.25.9")


class Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Of a small level, up to its first frame."""
    return stored(tmp_path_factory.mktemp("scratch"))[0]


def stored(scratch: Path) -> tuple[bytes, bytes]:
    pixels = np.arange(90 * 80 * 3, dtype=np.uint32).astype(np.uint8).reshape(1, 1, 90, 80, 3)
    target = MemoryTarget()
    reader = ArraySlide(pixels, [OpticalPath()], bits=8)
    convert(reader, build_pyramid(reader, scratch), SlideIdentity(uuid.uuid4()), target)
    data = bytes(target.instances["level-0"])
    first_frame, _ = FrameIndex.read(Bytes(data)).offset(0)
    return data[:first_frame], data[first_frame:]


def parsed(header: bytes) -> Any:
    return pydicom.dcmread(io.BytesIO(header), stop_before_pixels=True)


def with_elements(header: bytes, **values: Any) -> bytes:
    """The header with attributes that a scanner's own DICOM file may bring."""
    dataset = parsed(header)
    for tag in [tag for tag in dataset.keys() if tag >= _OF_FRAMES]:  # noqa: SIM118 - by tag
        del dataset[tag]
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset)
    tail = header[header.index(b"\xdf\x7f\x10\x00LO") :]
    return buffer.getvalue() + tail


def test_only_what_says_whose_it_is_changes(header: bytes) -> None:
    before, after = parsed(header), parsed(told_header(header, Told(GLASS), UIDS))
    changed = {e.keyword for e in after if before.get(e.tag) != e} | {
        e.keyword for e in before if e.tag not in after
    }
    assert changed == {
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "ContainerIdentifier",
        "SpecimenDescriptionSequence",
    }
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID == "2.25.3"


def test_the_frames_follow_where_the_index_says(tmp_path: Path) -> None:
    head, frames = stored(tmp_path)
    told = Told(GLASS, "26P1", True, date(2026, 1, 2), PATIENT)
    data = told_header(head, told, UIDS) + frames
    index, old = FrameIndex.read(Bytes(data)), FrameIndex.read(Bytes(head + frames))
    for number in range(len(old.offsets)):
        (at, length), (was, same) = index.offset(number), old.offset(number)
        assert (data[at : at + length], length) == ((head + frames)[was : was + same], same)
    assert read_document(Bytes(data))["00100020"]["Value"] == ["1"]


def test_a_known_case_leaves_nothing_that_the_file_said_of_a_patient(header: bytes) -> None:
    own = with_elements(
        header,
        PatientName="ANOTHER^ONE",
        PatientID="9",
        PatientAge="040Y",
        PatientComments="x",
        StudyDescription="y",
        AdmissionID="z",
        ReferringPhysicianName="DOCTOR^A",
        AccessionNumber="OLD",
    )
    told = parsed(told_header(own, Told(GLASS, "26P1", True, None, PATIENT), UIDS))
    text = str(told)
    for word in ("ANOTHER", "040Y", "DOCTOR", "OLD"):
        assert word not in text
    for keyword in ("PatientComments", "StudyDescription", "AdmissionID"):
        assert keyword not in told
    unknown = parsed(told_header(own, Told(GLASS, "26P1", True), UIDS))
    assert unknown.PatientName == ""
    assert unknown.PatientID == ""


def test_without_a_case_the_files_own_words_stand(header: bytes) -> None:
    own = with_elements(header, PatientName="ANOTHER^ONE", AccessionNumber="OLD")
    for told in (Told(), Told(GLASS)):
        said = parsed(told_header(own, told, UIDS))
        assert (said.PatientName, said.AccessionNumber) == ("ANOTHER^ONE", "OLD")


def test_telling_again_is_telling_once(header: bytes) -> None:
    told = Told(GLASS, "26P1", True, date(2026, 1, 2), PATIENT)
    once = told_header(header, told, UIDS)
    other = Told(ToldGlass("B", "2.25.8"), "26P2", True, None, ToldPatient("C^D"))
    assert told_header(told_header(header, other, UIDS), told, UIDS) == once


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ToldGlass("a\\b", "2.25.1"),
        lambda: ToldGlass("x" * 65, "2.25.1"),
        lambda: ToldIdentifier(""),
        lambda: Told(accession_number="x" * 17),
        lambda: ToldPatient(sex="X"),
        lambda: ToldPatient(name="A\nB"),
    ],
)
def test_what_dicom_could_only_hold_changed_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"must be|is M, F or O"):
        wrong()


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_headers_are_refused_or_told(header: bytes, data: st.DataObject) -> None:
    damaged = bytearray(header[: data.draw(st.integers(0, len(header)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DicomError):
        told_header(bytes(damaged), Told(GLASS, "26P1", True, None, PATIENT), UIDS)
