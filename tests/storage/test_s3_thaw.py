"""Freezing and thawing, against moto's S3 over loopback: it keeps GLACIER's rules."""

import dataclasses
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import (
    MemoryObjectStore,
    ObjectFrozenError,
    ObjectNotFoundError,
    S3ObjectStore,
    S3Options,
    StorageError,
    probe_s3,
)
from storage.errors import BucketNotFoundError, ObjectChangedError, StoreUnavailableError
from storage.locks import lockable
from storage.s3_sdk import sdk_client
from storage.s3_thaw import S3Thaw
from storage.thaw import Thaw, Thawable, thawable

MARKS = {"sgi-sha256": "ab" * 32}
DATA = b"packed levels"


@pytest.fixture
def archive_options(archive_endpoint: str) -> S3Options:
    """An empty bucket."""
    options = S3Options(
        bucket=f"archive-{uuid.uuid4()}",
        endpoint=archive_endpoint,
        access_key_id="id",
        secret_access_key="secret",
        storage_class="GLACIER",
    )
    sdk_client(options).create_bucket(Bucket=options.bucket)
    return options


@pytest.fixture
def store(archive_options: S3Options) -> S3ObjectStore:
    return S3ObjectStore(archive_options)


@pytest.fixture
def slowly() -> Iterator[None]:
    """What is asked for is thawed after it was looked at three times."""
    from moto.moto_api import state_manager

    state_manager.set_transition("s3::keyrestore", {"progression": "manual", "times": 3})
    yield
    state_manager.unset_transition("s3::keyrestore")


def archive_of(store: S3ObjectStore) -> Thawable:
    found = thawable(store)
    assert found is not None
    return found


def test_a_store_in_memory_has_none() -> None:
    assert thawable(MemoryObjectStore()) is None


def test_what_is_written_can_be_read_until_it_is_frozen(store: S3ObjectStore) -> None:
    archive = archive_of(store)
    assert archive.freezes()
    with store.open_write("a/one", content_type="application/dicom") as sink:
        sink.write(DATA)
    assert store.read("a/one") == DATA
    assert archive.state("a/one").thaw is Thaw.NEVER_FROZEN
    for _ in range(2):  # twice is once
        archive.freeze("a/one", MARKS)
        state = archive.state("a/one")
        assert (state.thaw, state.size_bytes, state.marks) == (Thaw.FROZEN, len(DATA), MARKS)
        assert not state.is_readable


def test_a_frozen_object_is_not_read_but_measured_listed_and_deleted(store: S3ObjectStore) -> None:
    store.put("a/one", DATA)
    archive_of(store).freeze("a/one", MARKS)
    for read in (
        lambda: store.read("a/one"),
        lambda: store.read_range("a/one", 0, 3),
        lambda: list(store.read_chunks("a/one")),
    ):
        with pytest.raises(ObjectFrozenError, match="must be thawed"):
            read()
    assert store.size("a/one") == len(DATA)
    assert [info.key for info in store.list("a/")] == ["a/one"]
    store.delete("a/one")
    assert list(store.list("a/")) == []


@pytest.mark.usefixtures("slowly")
def test_thawing_takes_its_time(store: S3ObjectStore) -> None:
    archive = archive_of(store)
    store.put("a/one", DATA)
    archive.freeze("a/one", MARKS)
    archive.thaw("a/one", 2)
    assert archive.state("a/one").thaw is Thaw.THAWING
    with pytest.raises(ObjectFrozenError):
        store.read("a/one")
    archive.thaw("a/one", 2)  # once more is the same request
    for _ in range(9):
        state = archive.state("a/one")
    assert (state.thaw, state.marks) == (Thaw.THAWED, MARKS)
    assert state.until
    assert timedelta(days=1.9) < state.until - datetime.now(UTC) < timedelta(days=2.1)
    assert store.read("a/one") == DATA
    archive.freeze("a/one", {})  # it is: the copy in the archive never went
    assert archive.state("a/one").marks == MARKS


def test_what_was_never_frozen_needs_no_thaw(store: S3ObjectStore) -> None:
    store.put("a/one", DATA)
    archive_of(store).thaw("a/one", 1)
    assert store.read("a/one") == DATA


def test_what_is_written_anew_is_not_frozen(store: S3ObjectStore) -> None:
    archive = archive_of(store)
    store.put("a/one", DATA)
    archive.freeze("a/one", MARKS)
    store.put("a/one", b"other")
    state = archive.state("a/one")
    assert (state.thaw, state.size_bytes, state.marks) == (Thaw.NEVER_FROZEN, 5, {})
    assert store.read("a/one") == b"other"


def test_a_large_object_is_frozen_in_parts(
    store: S3ObjectStore, archive_options: S3Options
) -> None:
    data = random.Random(7).randbytes((11 << 20) + 3)
    with store.open_write("a/large", content_type="application/dicom") as sink:
        sink.write(data)
    archive = S3Thaw(archive_options, copy_bytes=5 << 20)
    archive.freeze("a/large", MARKS)
    state = archive.state("a/large")
    assert (state.thaw, state.size_bytes, state.marks) == (Thaw.FROZEN, len(data), MARKS)
    archive.thaw("a/large", 1)
    assert store.read("a/large") == data
    told = sdk_client(archive_options).head_object(Bucket=archive_options.bucket, Key="a/large")
    assert (told["ContentType"], told["StorageClass"]) == ("application/dicom", "GLACIER")


def test_a_copy_in_parts_that_fails_leaves_the_object_and_no_upload(
    store: S3ObjectStore, archive_options: S3Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("a/large", bytes(11 << 20))
    archive = S3Thaw(archive_options, copy_bytes=5 << 20)

    def failed(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(archive._copying, "complete_multipart_upload", failed)
    with pytest.raises(KeyboardInterrupt):
        archive.freeze("a/large", MARKS)
    assert archive.state("a/large").thaw is Thaw.NEVER_FROZEN
    locks = lockable(store)
    assert locks
    assert locks.end_uploads("a/") == 0


def test_former_versions_of_the_same_bytes_are_not_kept(
    store: S3ObjectStore, archive_options: S3Options
) -> None:
    boto = sdk_client(archive_options)
    boto.put_bucket_versioning(
        Bucket=archive_options.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    store.put("a/one", b"something else")
    store.put("a/one", DATA)
    store.put("a/one2", DATA)
    store.put("a/one2", DATA)
    archive_of(store).freeze("a/one", MARKS)
    locks = lockable(store)
    assert locks
    sizes = sorted((v.key, v.size_bytes) for v in locks.versions("a/"))
    left = [("a/one", len(DATA)), ("a/one", 14), ("a/one2", len(DATA)), ("a/one2", len(DATA))]
    assert sizes == sorted(left)
    assert archive_of(store).state("a/one").thaw is Thaw.FROZEN


def test_what_is_not_there(store: S3ObjectStore, archive_options: S3Options) -> None:
    archive = archive_of(store)
    with pytest.raises(ObjectNotFoundError):
        archive.state("a/none")
    with pytest.raises(ObjectNotFoundError):
        archive.freeze("a/none", MARKS)
    with pytest.raises(ObjectNotFoundError):
        archive.thaw("a/none", 1)
    nowhere = dataclasses.replace(archive_options, bucket=f"none-{uuid.uuid4()}")
    with pytest.raises((BucketNotFoundError, ObjectNotFoundError)):
        S3Thaw(nowhere).thaw("a/one", 1)


def test_an_object_that_is_replaced_meanwhile(
    store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("a/one", DATA)
    archive: Any = archive_of(store)
    head = archive._head

    def outdated(key: str) -> Any:
        return head(key) | {"ETag": '"of another"'}

    monkeypatch.setattr(archive, "_head", outdated)
    refuse_if_replaced(archive, monkeypatch)
    with pytest.raises(ObjectChangedError):
        archive.freeze("a/one", MARKS)
    assert store.read("a/one") == DATA


def refuse_if_replaced(archive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As S3 does; moto does not compare this header."""
    from botocore.exceptions import ClientError

    def copy_object(**asked: Any) -> None:
        assert asked["CopySourceIfMatch"] == '"of another"'
        raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "CopyObject")

    monkeypatch.setattr(archive._copying, "copy_object", copy_object)


def test_a_bucket_of_a_readable_class_freezes_nothing(archive_options: S3Options) -> None:
    store = S3ObjectStore(dataclasses.replace(archive_options, storage_class="GLACIER_IR"))
    store.put("a/one", DATA)
    archive = archive_of(store)
    assert not archive.freezes()
    assert archive.state("a/one").thaw is Thaw.NEVER_FROZEN
    with pytest.raises(StorageError, match="none is set"):
        archive.freeze("a/one", MARKS)


def test_a_store_that_is_away(archive_options: S3Options) -> None:
    away = dataclasses.replace(
        archive_options, endpoint="http://127.0.0.1:9", retries=0, read_timeout_s=1
    )
    with pytest.raises(StoreUnavailableError):
        S3Thaw(away).state("a/one")


def test_the_probe_tries_the_class(archive_options: S3Options, store: S3ObjectStore) -> None:
    site = probe_s3.S3Site.of(archive_options, "probe/one/")
    assert probe_s3.storage_class(site) == "GLACIER"
    assert list(store.list()) == []


def test_the_real_thing_in_seaweed_is_never_frozen(s3_store: S3ObjectStore) -> None:
    s3_store.put("a/one", DATA)
    archive = archive_of(s3_store)
    assert not archive.freezes()
    state = archive.state("a/one")
    assert (state.thaw, state.size_bytes, state.marks) == (Thaw.NEVER_FROZEN, len(DATA), {})
