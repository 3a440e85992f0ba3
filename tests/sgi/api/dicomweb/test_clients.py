"""dicomweb-client, pydicom and wsidicom find, read and see what was written."""

import io
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from pydicom.dataset import Dataset
from wsidicom import WsiDicom, WsiDicomWebClient

from sgi.domain.slide import Slide
from sgi.stored.keys import instance_key

FrameOf = Callable[[int, int], bytes]


def test_dicomweb_client_finds_study_series_and_instances(
    dicomweb: DICOMwebClient, slide: Slide
) -> None:
    (study,) = map(Dataset.from_json, dicomweb.search_for_studies())
    assert study.StudyInstanceUID == slide.study_uid
    assert study.ModalitiesInStudy == "SM"
    assert study.NumberOfStudyRelatedSeries == 1
    assert study.NumberOfStudyRelatedInstances == len(slide.instances)
    (series,) = map(Dataset.from_json, dicomweb.search_for_series(slide.study_uid))
    assert series.SeriesInstanceUID == slide.series_uid
    assert series.Modality == "SM"
    found = dicomweb.search_for_instances(slide.study_uid, slide.series_uid)
    uids = {Dataset.from_json(each).SOPInstanceUID for each in found}
    assert uids == {stored.sop_uid for stored in slide.instances}


def test_metadata_are_those_of_the_file(dicomweb: DICOMwebClient, slide: Slide, store: Any) -> None:
    told = dicomweb.retrieve_series_metadata(slide.study_uid, slide.series_uid)
    assert len(told) == len(slide.instances)
    for each in told:
        found = Dataset.from_json(each, bulk_data_uri_handler=dicomweb_bulk(dicomweb))
        key = instance_key(slide.id, found.SOPInstanceUID)
        written = pydicom.dcmread(io.BytesIO(store.objects[key]), stop_before_pixels=True)
        del found.AvailableTransferSyntaxUID, found.PixelData
        for element in [e for e in written if e.tag.group >= 0x7FDF]:
            del written[element.tag]
        assert found == written


def dicomweb_bulk(dicomweb: DICOMwebClient) -> Callable[..., Any]:
    def fetch(tag: str, vr: str, uri: str) -> Any:
        if uri.endswith("7FE00010"):
            return b""
        (data,) = dicomweb.retrieve_bulkdata(uri)
        return bytes(data)

    return fetch


def test_whole_instances_come_as_they_are_stored(
    dicomweb: DICOMwebClient, slide: Slide, store: Any, session: requests.Session
) -> None:
    for found in dicomweb.iter_series(slide.study_uid, slide.series_uid):
        stored = next(i for i in slide.instances if i.sop_uid == found.SOPInstanceUID)
        assert found.file_meta.TransferSyntaxUID == stored.transfer_syntax
        assert len(found.PixelData) > 0
    one = slide.levels[1]
    found = dicomweb.retrieve_instance(slide.study_uid, slide.series_uid, one.sop_uid)
    assert found.NumberOfFrames == one.frames


def test_frames_singly_and_in_lists(
    dicomweb: DICOMwebClient, slide: Slide, frame_of: FrameOf
) -> None:
    uids = (slide.study_uid, slide.series_uid, slide.levels[0].sop_uid)
    wanted = [5, 1, 1, 3]
    for media_types in (
        None,
        ("image/jpeg",),
        (("image/jpeg", "1.2.840.10008.1.2.4.50"),),
        ("image/jls", "image/jpeg", "application/octet-stream"),
    ):
        found = dicomweb.retrieve_instance_frames(*uids, wanted, media_types=media_types)
        assert list(map(bytes, found)) == [frame_of(0, number - 1) for number in wanted]


def test_frames_uncompressed_for_a_client_that_takes_nothing_else(
    dicomweb: DICOMwebClient, slide: Slide, frame_of: FrameOf
) -> None:
    uids = (slide.study_uid, slide.series_uid, slide.levels[0].sop_uid)
    found = dicomweb.retrieve_instance_frames(*uids, [2, 1], ("application/octet-stream",))
    for data, index in zip(found, (1, 0), strict=True):
        pixels = np.frombuffer(data, np.uint8).reshape(128, 128, 3)
        expected = imagecodecs.jpeg_decode(frame_of(0, index))
        np.testing.assert_array_equal(pixels, expected)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_wsidicom_sees_the_slide(
    web: Any, session: requests.Session, slide: Slide, pixels: Any
) -> None:
    client = WsiDicomWebClient.create_client(web.base_url + "/dicomweb", auth=session)
    with WsiDicom.open_web(client, slide.study_uid, slide.series_uid) as opened:
        sizes = [(level.size.width, level.size.height) for level in opened.levels]
        assert sizes[0] == (600, 420)
        seen = np.asarray(opened.read_region((100, 60), 0, (300, 200)).convert("RGB"), int)
        assert np.abs(seen - pixels[60:260, 100:400]).mean() < 4
        # Their pixels it cannot take from dicomweb-client, whose frames are no bytes.
        assert len(opened.labels) == len(opened.overviews) == 1
