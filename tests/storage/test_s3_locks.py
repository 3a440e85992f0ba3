"""Versions and object lock, in buckets of the embedded SeaweedFS: one with them, one without."""

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from storage import MemoryObjectStore, S3ObjectStore, S3Options, StoreRefusedError
from storage.errors import BucketNotFoundError, StoreUnavailableError
from storage.locks import Lockable, ObjectVersion, lockable

SOON = timedelta(days=2)


@pytest.fixture
def locked_options(s3_options: S3Options) -> S3Options:
    """A bucket with object lock, and so with versions."""
    name = f"locked-{uuid.uuid4()}"
    client(s3_options).create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return dataclasses.replace(s3_options, bucket=name)


def client(options: S3Options) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=options.endpoint,
        region_name=options.region,
        aws_access_key_id=options.access_key_id,
        aws_secret_access_key=options.secret_access_key,
    )


@pytest.fixture
def store(locked_options: S3Options) -> S3ObjectStore:
    return S3ObjectStore(locked_options)


def locks_of(store: S3ObjectStore) -> Lockable:
    found = lockable(store)
    assert found is not None
    return found


def versions(store: S3ObjectStore, prefix: str = "a/") -> list[ObjectVersion]:
    return list(locks_of(store).versions(prefix))


def test_a_plain_bucket_offers_neither(s3_store: S3ObjectStore) -> None:
    locks = locks_of(s3_store)
    assert not locks.is_versioned()
    assert not locks.offers_lock()
    assert locks.end_uploads("a/") == 0


def test_a_store_in_memory_has_none() -> None:
    assert lockable(MemoryObjectStore()) is None


def test_what_was_replaced_and_deleted_is_still_there(store: S3ObjectStore) -> None:
    locks = locks_of(store)
    assert locks.is_versioned()
    assert locks.offers_lock()
    store.put("a/one", b"first")
    store.put("a/one", b"second!")
    store.put("b/other", b"")
    store.delete("a/one")
    assert list(store.list("a/")) == [], "as far as a listing tells"
    found = versions(store)
    assert sorted(version.size_bytes for version in found) == [0, 5, 7]
    assert [version.is_marker for version in found].count(True) == 1
    for version in found:
        locks.delete_version(version)
    assert versions(store) == []
    for version in found:  # once more: nothing to do
        locks.delete_version(version)
    assert len(versions(store, "b/")) == 1


def test_a_held_version_is_deleted_by_nobody_until_it_is_let_go(store: S3ObjectStore) -> None:
    locks = locks_of(store)
    store.put("a/one", b"evidence")
    (version,) = versions(store)
    locks.hold(version, on=True)
    with pytest.raises(StoreRefusedError):
        locks.delete_version(version)
    assert store.read("a/one") == b"evidence"
    locks.hold(version, on=False)
    locks.delete_version(version)
    assert versions(store) == []


def test_a_retention_is_passed_only_on_purpose(
    store: S3ObjectStore, locked_options: S3Options
) -> None:
    locks = locks_of(store)
    store.put("a/one", b"kept")
    (version,) = versions(store)
    locks.retain(version, datetime.now(UTC) + SOON)
    place = {"Bucket": locked_options.bucket, "Key": "a/one", "VersionId": version.version}
    anybody = client(locked_options)
    told = anybody.get_object_retention(**place)["Retention"]
    assert told["Mode"] == "GOVERNANCE"
    with pytest.raises(anybody.exceptions.ClientError, match="AccessDenied"):
        anybody.delete_object(**place)
    store.delete("a/one")
    assert not all(found.is_marker for found in versions(store)), "hidden, not gone"
    for found in versions(store):
        locks.delete_version(found)
    assert versions(store) == []


def test_a_retention_is_read_and_only_ever_prolonged(store: S3ObjectStore) -> None:
    locks = locks_of(store)
    store.put("a/one", b"kept")
    (version,) = versions(store)
    assert locks.retained_until(version) is None
    end = datetime.now(UTC).replace(microsecond=0) + SOON
    for until in (end, 2 * SOON + end):
        locks.retain(version, until)
        assert locks.retained_until(version) == until
    with pytest.raises(StoreRefusedError):
        locks.retain(version, end)
    assert locks.retained_until(version) == 2 * SOON + end
    locks.delete_version(version)
    assert locks.retained_until(version) is None, "it is gone"


def test_an_upload_that_was_cut_short_is_given_up(
    store: S3ObjectStore, locked_options: S3Options
) -> None:
    boto = client(locked_options)
    begun = boto.create_multipart_upload(Bucket=locked_options.bucket, Key="a/one")
    boto.upload_part(
        Bucket=locked_options.bucket,
        Key="a/one",
        UploadId=begun["UploadId"],
        PartNumber=1,
        Body=b"pixels",
    )
    assert locks_of(store).end_uploads("a/") == 1
    assert locks_of(store).end_uploads("a/") == 0
    assert "Uploads" not in boto.list_multipart_uploads(Bucket=locked_options.bucket)


def test_a_store_that_is_away_is_said_to_be(s3_options: S3Options) -> None:
    away = dataclasses.replace(
        s3_options, endpoint="http://127.0.0.1:9", retries=0, read_timeout_s=1
    )
    with pytest.raises(StoreUnavailableError):
        locks_of(S3ObjectStore(away)).is_versioned()
    nowhere = dataclasses.replace(s3_options, bucket=f"none-{uuid.uuid4()}")
    with pytest.raises((BucketNotFoundError, StoreUnavailableError)):
        list(locks_of(S3ObjectStore(nowhere)).versions("a/"))
    stranger = dataclasses.replace(s3_options, secret_access_key="wrong")
    with pytest.raises(StoreRefusedError):
        locks_of(S3ObjectStore(stranger)).is_versioned()
