import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.manifest import InstanceRecord, SlideManifest
from dicom.models import ImageRole
from tiling.geometry import Size
from tiling.pyramid import Origin

sizes = st.builds(Size, st.integers(1, 10**6), st.integers(1, 10**6))
records = st.builds(
    InstanceRecord,
    name=st.text(),
    sop_instance_uid=st.text(),
    role=st.sampled_from(ImageRole),
    level=st.none() | st.integers(0, 20),
    size=sizes,
    tile=sizes,
    downsample=st.none() | st.floats(1, 1e6),
    origin=st.none() | st.sampled_from(Origin),
    transfer_syntax_uid=st.text(),
    frames=st.integers(1),
    size_bytes=st.integers(0),
    sha256=st.text(),
    frames_sha256=st.text(),
    header_bytes=st.none() | st.integers(0),
    header_sha256=st.none() | st.text(),
)
manifests = st.builds(
    SlideManifest,
    slide_uuid=st.uuids(),
    study_uid=st.text(),
    series_uid=st.text(),
    frame_of_reference_uid=st.text(),
    pyramid_uid=st.text(),
    instances=st.lists(records, max_size=3).map(tuple),
    left_out=st.lists(st.sampled_from(["label", "overview", "thumbnail"])).map(tuple),
)


@given(manifests)
def test_json_and_back(manifest: SlideManifest) -> None:
    text = manifest.to_json()
    assert SlideManifest.from_json(text) == manifest
    assert SlideManifest.from_json(text).to_json() == text


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"version": 2}', '{"version": 1}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        SlideManifest.from_json(text)


def test_a_field_too_many_is_refused() -> None:
    manifest = SlideManifest(uuid.uuid4(), "1", "2", "3", "4", ())
    with pytest.raises(ValueError):
        SlideManifest.from_json(manifest.to_json().replace('"study_uid"', '"study"'))


def test_one_written_before_anything_was_left_out_is_read() -> None:
    manifest = SlideManifest(uuid.uuid4(), "1", "2", "3", "4", ())
    document = json.loads(manifest.to_json())
    del document["left_out"]
    assert SlideManifest.from_json(json.dumps(document)) == manifest


@given(manifests)
def test_one_written_before_headers_were_hashed_is_read(manifest: SlideManifest) -> None:
    document = json.loads(manifest.to_json())
    for item in document["instances"]:
        del item["header_bytes"], item["header_sha256"]
    found = SlideManifest.from_json(json.dumps(document))
    assert {record.header_sha256 for record in found.instances} <= {None}
