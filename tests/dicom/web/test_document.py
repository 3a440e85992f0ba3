"""Headers as DICOM JSON: what pydicom would say of them, and no more than the bytes hold."""

import io
import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom.conversion import convert
from dicom.errors import DicomError
from dicom.models import SlideIdentity
from dicom.testing import MemoryTarget
from dicom.web.document import find_bulk, located, read_document
from tiling.array_slide import ArraySlide
from tiling.pyramid import build_pyramid
from tiling.slide import Illumination, OpticalPath


class Bytes:
    """An object in memory that counts how much of it is read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.read_bytes = data, 0

    def read(self, offset: int, length: int) -> bytes:
        found = self.data[offset : offset + length]
        self.read_bytes += len(found)
        return found


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Of light in two paths and planes: palettes, profiles, sequences."""
    path = OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255), 358.0, 461.0)
    pixels = np.arange(2 * 2 * 90 * 80, dtype=np.uint16).reshape(2, 2, 90, 80, 1)
    reader = ArraySlide(pixels, [path, path], (0.0, 1.0), bits=16)
    target = MemoryTarget()
    scratch: Path = tmp_path_factory.mktemp("scratch")
    convert(reader, build_pyramid(reader, scratch), SlideIdentity(uuid.UUID(int=7)), target)
    return [bytes(data) for data in target.instances.values()]


def with_values(**said: Any) -> bytes:
    """A small file with these attributes before its pixels."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.6"
    dataset.SOPInstanceUID = "1.2.3"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in said.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue() + b"\xe0\x7f\x10\x00OB\x00\x00\x02\x00\x00\x00ab"


def test_the_document_is_the_header(instances: list[bytes]) -> None:
    for data in instances:
        source = Bytes(data)
        document = read_document(source)
        json.dumps(document, allow_nan=False)

        def fetch(tag: str, vr: str, uri: str, source: Bytes = source) -> bytes:
            place = find_bulk(source, uri.removeprefix("bulkdata/"))
            if place is None:
                assert uri == "bulkdata/7FE00010"
                return b""
            return source.read(place.offset, place.length)

        found = pydicom.Dataset.from_json(document, bulk_data_uri_handler=fetch)
        written = pydicom.dcmread(io.BytesIO(data))
        assert found.PixelData == b""
        del found.PixelData
        for element in [each for each in written if each.tag.group >= 0x7FDF]:
            del written[element.tag]
        assert found == written


def test_large_values_are_not_read() -> None:
    data = with_values(OpticalPathSequence=[profile_of(5 << 20)])
    source = Bytes(data)
    told = read_document(source)["00480105"]["Value"][0]["00282000"]
    assert told == {"vr": "OB", "BulkDataURI": "bulkdata/00480105.1.00282000"}
    assert source.read_bytes < 1 << 20
    place = find_bulk(Bytes(data), "00480105.1.00282000")
    assert place is not None
    assert place.length == 5 << 20
    at = f"http://here/{told['BulkDataURI']}"
    assert located({"00282000": told}, "http://here")["00282000"]["BulkDataURI"] == at


def profile_of(length: int) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.ICCProfile = bytes(length)
    return item


def test_values_by_their_representation() -> None:
    document = read_document(
        Bytes(
            with_values(
                PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
                PatientID=" 12 ",
                ImageType=["ORIGINAL", "", "VOLUME"],
                InstanceNumber=7,
                PixelSpacing=["0.00025", "1e-3"],
                ImageComments="two\\words ",
                FrameIncrementPointer=0x00181063,
                ImagedVolumeWidth=15.5,
                Rows=512,
                StudyDate="",
                AcquisitionContextSequence=[],
            )
        )
    )
    assert document["00100010"]["Value"] == [
        {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}
    ]
    assert document["00100020"]["Value"] == ["12"]
    assert document["00080008"]["Value"] == ["ORIGINAL", None, "VOLUME"]
    assert document["00200013"]["Value"] == [7]
    assert document["00280030"]["Value"] == [0.00025, 0.001]
    assert document["00204000"]["Value"] == ["two\\words"]
    assert document["00280009"]["Value"] == ["00181063"]
    assert document["00480001"]["Value"] == [15.5]
    assert document["00280010"]["Value"] == [512]
    assert document["00080020"] == {"vr": "DA"}
    assert document["00400555"] == {"vr": "SQ"}


def test_sequences_without_end_of_their_own() -> None:
    dataset = pydicom.dcmread(io.BytesIO(with_values()), force=True)
    dataset.SpecimenDescriptionSequence = [pydicom.Dataset(), pydicom.Dataset()]
    for item in dataset.SpecimenDescriptionSequence:
        item.SpecimenIdentifier = "S"
        item.SpecimenPreparationSequence = [pydicom.Dataset()]
        item.is_undefined_length_sequence_item = True
        item["SpecimenPreparationSequence"].is_undefined_length = True
    dataset["SpecimenDescriptionSequence"].is_undefined_length = True
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset)
    found = read_document(Bytes(file.getvalue()))["00400560"]["Value"]
    assert [item["00400551"]["Value"] for item in found] == [["S"], ["S"]]
    assert found[0]["00400610"] == {"vr": "SQ", "Value": [{}]}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_are_a_document_or_an_error(
    instances: list[bytes], drawn: st.DataObject
) -> None:
    data = bytearray(instances[-1][:6000])
    for _ in range(drawn.draw(st.integers(1, 6))):
        data[drawn.draw(st.integers(0, len(data) - 1))] = drawn.draw(st.integers(0, 255))
    try:
        document = read_document(Bytes(bytes(data[: drawn.draw(st.integers(0, len(data)))])))
    except DicomError:
        return
    json.dumps(document, allow_nan=False)


@given(st.text("0123456789ABCDEF.", max_size=60))
def test_any_path_is_a_place_or_none(path: str) -> None:
    find_bulk(Bytes(with_values(Rows=3)), path)
