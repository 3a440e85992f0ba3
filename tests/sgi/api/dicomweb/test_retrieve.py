"""WADO-RS: the bytes that were written, in the forms that are asked for, and nothing damaged."""

import io
from collections.abc import Callable
from email import message_from_bytes, policy
from hashlib import sha256
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest

from dicom.srgb import SRGB_PROFILE
from sgi.domain.slide import Slide
from sgi.stored.keys import instance_key

Get = Callable[..., Any]
FrameOf = Callable[[int, int], bytes]
IN_PARTS = 'multipart/related; type="application/dicom"; transfer-syntax=*'
BASELINE = "1.2.840.10008.1.2.4.50"


def parts(answer: Any) -> list[tuple[str, bytes]]:
    """Content type and bytes of each part, as a mail parser reads them."""
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + answer.content, policy=policy.HTTP)
    assert message.get_content_type() == "multipart/related"
    return [
        (str(part["Content-Type"]).replace('"', ""), part.get_payload(decode=True))
        for part in message.iter_parts()  # type: ignore[attr-defined] # of policies newer than its type
    ]


def test_an_instance_is_the_stored_object(
    get: Get, slide: Slide, store: Any, series_path: str
) -> None:
    for stored in slide.instances:
        whole = store.objects[instance_key(slide.id, stored.sop_uid)]
        path = f"{series_path}/instances/{stored.sop_uid}"
        media_type = f"application/dicom; transfer-syntax={stored.transfer_syntax}"
        for accept in (None, IN_PARTS, "multipart/related"):
            assert parts(get(path, accept)) == [(media_type, whole)]
        alone = get(path, "application/dicom")
        assert alone.content == whole
        assert alone.headers["content-type"] == media_type
        assert sha256(alone.content).hexdigest() == stored.sha256


def test_series_and_study_are_all_their_instances(
    get: Get, here: Any, slide: Slide, series_path: str
) -> None:
    expected = {stored.sha256 for stored in slide.instances}
    for path in (series_path, f"/studies/{slide.study_uid}"):
        found = parts(get(path, IN_PARTS))
        assert {sha256(body).hexdigest() for _, body in found} == expected


def test_a_transfer_syntax_that_is_not_the_stored_one(get: Get, base_path: str) -> None:
    accept = 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1'
    assert get(base_path, accept).status_code == 406
    accept = f'multipart/related; type="application/dicom"; transfer-syntax={BASELINE}'
    assert get(base_path, accept).status_code == 200


def test_one_frame_alone(get: Get, base_path: str, frame_of: FrameOf) -> None:
    for accept in (
        None,
        "*/*",
        "image/jpeg",
        "image/webp,image/*",
        f"image/jpeg;transfer-syntax={BASELINE}",
    ):
        answer = get(f"{base_path}/frames/3", accept)
        assert answer.content == frame_of(0, 2)
        assert answer.headers["content-type"] == f"image/jpeg; transfer-syntax={BASELINE}"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["vary"] == "Cookie, Accept"


def test_a_frame_that_the_client_has(web: Any, client: Any, get: Get, base_path: str) -> None:
    etag = get(f"{base_path}/frames/1", "image/jpeg").headers["etag"]
    path = f"/dicomweb{base_path}/frames/1"
    again = web.get(client, path, headers={"if-none-match": etag, "accept": "image/jpeg"})
    assert (again.status_code, again.content) == (304, b"")
    other = {"if-none-match": etag, "accept": "application/octet-stream"}
    assert web.get(client, path, headers=other).status_code == 200


def test_lists_come_in_their_order(get: Get, base_path: str, frame_of: FrameOf) -> None:
    found = parts(get(f"{base_path}/frames/4,2,2,20", 'multipart/related; type="image/jpeg"'))
    assert [body for _, body in found] == [frame_of(0, index) for index in (3, 1, 1, 19)]
    assert {kind for kind, _ in found} == {f"image/jpeg; transfer-syntax={BASELINE}"}
    found = parts(get(f"{base_path}/frames/1", "multipart/related"))
    assert [body for _, body in found] == [frame_of(0, 0)]


def test_uncompressed_samples(get: Get, base_path: str, frame_of: FrameOf) -> None:
    pixels = imagecodecs.jpeg_decode(frame_of(0, 0))
    alone = get(f"{base_path}/frames/1", "application/octet-stream")
    assert alone.content == pixels.tobytes()
    ((kind, body),) = parts(
        get(f"{base_path}/frames/1", 'multipart/related; type="application/octet-stream"')
    )
    assert body == pixels.tobytes()
    assert kind == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    any_syntax = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
    ((kind, body),) = parts(get(f"{base_path}/frames/1", any_syntax))
    assert body == frame_of(0, 0), "as it is stored, wherever that is taken"


@pytest.mark.parametrize(
    ("frames", "accept", "status"),
    [
        ("0", None, 400),
        ("1,x", None, 400),
        ("21", None, 404),
        ("999999999", None, 404),
        (",".join(["1"] * 1001), None, 413),
        ("1,2", "image/jpeg", 406),
        ("1", "image/png", 406),
        ("1", "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.70", 406),
        ("1", "video/mp4", 406),
    ],
)
def test_frames_that_cannot_be_had(
    get: Get, base_path: str, frames: str, accept: str | None, status: int
) -> None:
    answer = get(f"{base_path}/frames/{frames}", accept)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize("uid", ["x", "1.2", "1.2.3' or 1", "9" * 65, "%2e%2e"])
def test_uids_that_are_nobodys(get: Get, slide: Slide, series_path: str, uid: str) -> None:
    study = f"/studies/{slide.study_uid}"
    for path in (
        f"/studies/{uid}",
        f"/studies/{uid}/metadata",
        f"/studies/{uid}/series/{slide.series_uid}/metadata",
        f"{study}/series/{uid}",
        f"{study}/series/{uid}/metadata",
        f"{series_path}/instances/{uid}",
        f"{series_path}/instances/{uid}/metadata",
        f"{series_path}/instances/{uid}/frames/1",
    ):
        assert get(path).status_code == 404, path


def test_a_damaged_frame_is_never_sent(
    get: Get, base_path: str, series_path: str, rot: Callable[[int, int], None], frame_of: FrameOf
) -> None:
    damaged, whole = frame_of(0, 1), frame_of(0, 0)
    rot(0, 1)
    assert get(f"{base_path}/frames/2", "image/jpeg").status_code == 500
    assert get(f"{base_path}/frames/1", "image/jpeg").content == whole
    assert get(f"{base_path}/frames/2,1", "multipart/related").status_code == 500
    for path in (base_path, f"{base_path}/frames/1,2", series_path):
        try:
            answer = get(path, "multipart/related")
        except Exception as broken_off:  # noqa: F841 - the connection broke off
            continue
        assert answer.status_code == 500 or (
            len(answer.content) < int(answer.headers["content-length"])
        )
        assert damaged[:-1] not in answer.content


def test_a_damaged_header_is_never_received_whole(
    get: Get, slide: Slide, store: Any, base_path: str
) -> None:
    get(f"{base_path}/frames/1")
    key = instance_key(slide.id, slide.levels[0].sop_uid)
    data = bytearray(store.objects[key])
    at = data.index(b"SM")
    data[at] ^= 1
    store.objects[key] = bytes(data)
    try:
        answer = get(base_path, "application/dicom")
    except Exception:
        return
    assert answer.status_code == 500 or (
        len(answer.content) < int(answer.headers["content-length"])
    )


def test_bulk_data_are_where_metadata_say(
    web: Any, client: Any, get: Get, slide: Slide, series_path: str, store: Any
) -> None:
    for told in get(f"{series_path}/metadata").json():
        uri = told["00480105"]["Value"][0]["00282000"]["BulkDataURI"]
        alone = web.get(client, uri, headers={"accept": "application/octet-stream"})
        assert alone.content.rstrip(b"\0") == SRGB_PROFILE.rstrip(b"\0")
        ((kind, body),) = parts(web.get(client, uri, headers={"accept": "multipart/related"}))
        assert (kind, body) == ("application/octet-stream", alone.content)
        uri = told["7FE00010"]["BulkDataURI"]
        sop_uid = told["00080018"]["Value"][0]
        dataset = pydicom.dcmread(io.BytesIO(store.objects[instance_key(slide.id, sop_uid)]))
        found = parts(web.get(client, uri, headers={"accept": "multipart/related"}))
        assert len(found) == dataset.NumberOfFrames


def test_bulk_data_of_a_damaged_header_are_never_sent(
    get: Get, slide: Slide, series_path: str, store: Any
) -> None:
    coarsest = slide.levels[-1]
    element = "00480105.1.00282000"
    path = f"{series_path}/instances/{coarsest.sop_uid}/bulkdata/{element}"
    assert get(path, "application/octet-stream").status_code == 200
    key = instance_key(slide.id, coarsest.sop_uid)
    data = bytearray(store.objects[key])
    data[data.index(b"acsp") + 40] ^= 1  # within the profile
    store.objects[key] = bytes(data)
    assert get(path, "application/octet-stream").status_code == 500


@pytest.mark.parametrize(
    ("element", "status"),
    [
        ("00480105", 404),
        ("00480105.1", 404),
        ("00480105.2.00282000", 404),
        ("00480105.0.00282000", 404),
        ("00100010.1.00282000", 404),
        ("7FE00001", 404),
        ("x", 404),
        ("00480105.1." * 20 + "00282000", 404),
        ("00080016", 200),
    ],
)
def test_bulk_data_that_are_none(get: Get, base_path: str, element: str, status: int) -> None:
    answer = get(f"{base_path}/bulkdata/{element}", "application/octet-stream")
    assert answer.status_code == status


def test_head_is_answered_without_reading_frames(
    web: Any, client: Any, get: Get, store: Any, base_path: str, slide: Slide
) -> None:
    get(f"{base_path}/frames/1")
    store.reads = 0
    answer = web.run(client.head("/dicomweb" + base_path, headers={"accept": "application/dicom"}))
    assert answer.headers["content-length"] == str(slide.levels[0].size_bytes)
    assert (answer.content, store.reads) == (b"", 0)


def test_each_session_is_on_record_once(
    web: Any, here: Any, client: Any, get: Get, slide: Slide, base_path: str, audit_rows: Any
) -> None:
    study = f"/studies/{slide.study_uid}"
    get(f"{study}/thumbnail")
    assert [row for row in audit_rows(here) if row["action"] == "view_slide"] == []
    for path in (f"{base_path}/frames/1", f"{base_path}/metadata", study, f"{base_path}/rendered"):
        assert get(path).status_code == 200
    (row,) = (row for row in audit_rows(here) if row["action"] == "view_slide")
    assert row["object_id"] == slide.id
    web.get(web.signed_in(here), f"/dicomweb{base_path}/metadata")
    assert len([row for row in audit_rows(here) if row["action"] == "view_slide"]) == 2


def test_every_frame_of_light_in_16_bits(
    web: Any, here: Any, client: Any, store: Any, publish_reader: Callable[..., Slide]
) -> None:
    from tiling.array_slide import ArraySlide
    from tiling.slide import Illumination, OpticalPath

    values = np.random.default_rng(3).integers(0, 65535, (2, 2, 90, 80, 1), np.uint16)
    path = OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255))
    light = publish_reader(here, store, ArraySlide(values, [path, path], (0.0, 1.0), bits=16))
    base = light.levels[0]
    at = f"/dicomweb/studies/{light.study_uid}/series/{light.series_uid}/instances/{base.sop_uid}"
    raw = web.get(client, f"{at}/frames/1", headers={"accept": "application/octet-stream"})
    tile = np.frombuffer(raw.content, "<u2").reshape(base.tile_rows, base.tile_columns)
    np.testing.assert_array_equal(tile[:90, :80], values[0, 0, :, :, 0])
    stored = web.get(client, f"{at}/frames/2", headers={"accept": "image/jls"})
    assert imagecodecs.jpegls_decode(stored.content).dtype == np.uint16
    shown = web.get(client, f"{at}/frames/1/rendered?window=32768,65536,linear")
    picture = imagecodecs.jpeg_decode(shown.content)[:90, :80]
    assert np.abs(picture.astype(int) - (values[0, 0, :, :, 0] >> 8)).mean() < 6
