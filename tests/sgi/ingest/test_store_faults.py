"""Every operation of the way in, and every way in which a store fails: a slide is published whole
or not at all, and comes in by itself once the store is well again."""

import dataclasses
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sgi.domain.arrival import ArrivalState
from sgi.engines import EmbeddedSeaweed
from sgi.ingest.process import Ingest
from sgi.stored.keys import frame_hashes_key, instance_key
from storage import S3ObjectStore, S3Options
from storage.faults import Fault, FaultyProxy, Kind, faulty_proxy

PART_BYTES = 5 << 20
OPERATIONS = {
    "put hashes": ("PUT", ".sha256"),
    "put the manifest": ("PUT", "manifest.json"),
    "put an instance": ("PUT", ".dcm"),
    "read": ("GET", ".dcm"),
    "head": ("HEAD", ".dcm"),
}
FAULTS = {
    "500": Fault(Kind.STATUS, status=500, code="InternalError"),
    "503": Fault(Kind.STATUS, status=503),
    "429": Fault(Kind.STATUS, status=429),
    "403": Fault(Kind.STATUS, status=403, code="RequestTimeTooSkewed"),
    "404": Fault(Kind.STATUS, status=404, code="NoSuchKey"),
    "507": Fault(Kind.STATUS, status=507, code="InsufficientStorage"),
    "stall": Fault(Kind.STALL),
    "reset": Fault(Kind.RESET),
    "after effect": Fault(Kind.AFTER_EFFECT),
    "truncated": Fault(Kind.TRUNCATE, body_bytes=7),
    "short": Fault(Kind.SHORT, body_bytes=7),
    "flipped answer": Fault(Kind.FLIP_ANSWER),
    "flipped request": Fault(Kind.FLIP_REQUEST),
    "error as 200": Fault(Kind.ERROR_AS_OK, code="InternalError"),
    "trickle": Fault(Kind.TRICKLE, bytes_per_s=64),
}


@pytest.fixture(scope="module")
def s3_options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    engine = EmbeddedSeaweed(tmp_path_factory.mktemp("seaweed"))
    found = engine.start()
    S3ObjectStore(found).put("first", b"")  # the engine makes its volumes
    yield found
    engine.stop()


@pytest.fixture
def proxy(s3_options: S3Options) -> Iterator[FaultyProxy]:
    assert s3_options.endpoint
    with faulty_proxy(s3_options.endpoint) as proxy:
        yield proxy


@pytest.fixture
def faulty(way_in: Any, s3_options: S3Options, proxy: FaultyProxy) -> Any:
    """The way in, its store behind the proxy, with little patience."""
    way_in.store = S3ObjectStore(
        dataclasses.replace(
            s3_options,
            endpoint=proxy.endpoint,
            part_size_bytes=PART_BYTES,
            read_timeout_s=0.5,
            write_timeout_s=1.0,
            retries=1,
            retry_s=0.5,
        )
    )
    way_in.ingest = Ingest(way_in.settings, way_in.database, way_in.store, way_in.ingest.cancelled)
    return way_in


@pytest.mark.parametrize("fault", FAULTS)
def test_an_instance_that_fails_once(
    faulty: Any, s3_options: S3Options, proxy: FaultyProxy, svs: Path, fault: str
) -> None:
    method, target = OPERATIONS["put an instance"]
    proxy.faults = [
        dataclasses.replace(FAULTS[fault], method=method, target_contains=target, times=1)
    ]
    take_in(faulty, s3_options, svs, proxy)


@pytest.mark.parametrize("fault", ["503", "after effect", "flipped answer"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_that_fails_for_good(
    faulty: Any,
    s3_options: S3Options,
    proxy: FaultyProxy,
    svs: Path,
    operation: str,
    fault: str,
) -> None:
    method, target = OPERATIONS[operation]
    proxy.faults = [dataclasses.replace(FAULTS[fault], method=method, target_contains=target)]
    take_in(faulty, s3_options, svs, proxy)


def take_in(faulty: Any, s3_options: S3Options, svs: Path, proxy: FaultyProxy) -> None:
    """Whole or not at all, and whole once the store is well."""
    shutil.copy(svs, faulty.drop / "a.svs")
    faulty.settle()
    first = faulty.process(faulty.arrival("a.svs"))
    assert_sound(faulty, s3_options)
    if first.state is not ArrivalState.PUBLISHED:
        assert first.state is ArrivalState.RETRYING, (first.state, first.reason)
        assert (faulty.drop / "a.svs").exists()
    proxy.faults = []
    last = first if first.state is ArrivalState.PUBLISHED else faulty.process(first)
    assert last.state is ArrivalState.PUBLISHED, last.reason
    assert_sound(faulty, s3_options)
    assert len(faulty.slides()) == 1


def assert_sound(faulty: Any, s3_options: S3Options) -> None:
    """What is published can be read, whole, past the proxy."""
    store = S3ObjectStore(s3_options)
    for slide in faulty.slides():
        for stored in slide.instances:
            data = store.read(instance_key(slide.id, stored.sop_uid))
            assert hashlib.sha256(data).hexdigest() == stored.sha256
            hashes = store.read(frame_hashes_key(slide.id, stored.sop_uid))
            assert len(hashes) == 32 * stored.frames
