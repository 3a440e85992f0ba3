"""What a store that answers badly does to us: the right error, soon, and nothing half-visible."""

import asyncio
import dataclasses
import urllib.request

import pytest

from storage import (
    CorruptObjectError,
    ObjectNotFoundError,
    S3ObjectStore,
    S3Options,
    StorageError,
    StoreFullError,
    StoreRefusedError,
    StoreUnavailableError,
)
from storage.faults import Fault, FaultyProxy, Kind

PART_BYTES = 5 * 1024 * 1024
LARGE = b"0123456789abcdef" * (PART_BYTES // 16 * 3)


@pytest.fixture
def store(s3_store: S3ObjectStore, s3_options: S3Options, proxy: FaultyProxy) -> S3ObjectStore:
    """The emptied bucket, through the proxy, by a client with little patience."""
    # The engine's first write makes its volumes, which may take longer than that.
    s3_store.put("first", b"bytes")
    s3_store.delete("first")
    return S3ObjectStore(
        dataclasses.replace(
            s3_options,
            endpoint=proxy.endpoint,
            part_size_bytes=PART_BYTES,
            read_timeout_s=0.5,
            write_timeout_s=1.0,
            retries=2,
            retry_s=1.0,
        )
    )


def test_the_proxy_is_transparent(
    s3_store: S3ObjectStore, s3_options: S3Options, proxy: FaultyProxy
) -> None:
    store = S3ObjectStore(
        dataclasses.replace(s3_options, endpoint=proxy.endpoint, part_size_bytes=PART_BYTES)
    )
    with store.open_write("folder/b") as sink:
        sink.write(LARGE)
    assert b"".join(store.read_chunks("folder/b", PART_BYTES)) == LARGE
    assert proxy.requests[0] == "POST /sgi/folder/b?uploads="


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_an_answer_that_passes_is_not_noticed(
    store: S3ObjectStore, proxy: FaultyProxy, status: int
) -> None:
    store.put("a", b"bytes")
    proxy.faults = [Fault(Kind.STATUS, status=status, times=2)]
    assert store.read("a") == b"bytes"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(Kind.STATUS, status=500, code="InternalError"), StoreUnavailableError),
        (Fault(Kind.STATUS, status=503), StoreUnavailableError),
        (Fault(Kind.STATUS, status=507, code="InsufficientStorage"), StoreFullError),
        (Fault(Kind.STATUS, status=403, code="AccessDenied"), StoreRefusedError),
        (Fault(Kind.STATUS, status=401, code="Unauthorized"), StoreRefusedError),
        (Fault(Kind.STATUS, status=404, code="NoSuchKey"), ObjectNotFoundError),
        (Fault(Kind.STATUS, status=400, code="InvalidArgument"), StorageError),
        (Fault(Kind.STATUS, status=400, code="BadDigest"), CorruptObjectError),
        (Fault(Kind.STALL), StoreUnavailableError),
        (Fault(Kind.RESET), StoreUnavailableError),
        (Fault(Kind.TRUNCATE, body_bytes=3), StoreUnavailableError),
        (Fault(Kind.TRUNCATE, body_bytes=0), StoreUnavailableError),
    ],
)
def test_each_failure_has_its_error_and_ends(
    store: S3ObjectStore, proxy: FaultyProxy, fault: Fault, expected: type[StorageError]
) -> None:
    store.put("a", b"bytes" * 100)
    proxy.faults = [fault]
    for ask in (
        lambda: store.read("a"),
        lambda: store.read_range("a", 0, 10),
        lambda: asyncio.run(store.read_range_async("a", 0, 10)),
    ):
        with pytest.raises(expected) as caught:
            ask()
        assert type(caught.value) is expected
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Kind.STATUS, method="POST", target_contains="uploads", status=503),
        Fault(Kind.STATUS, method="PUT", target_contains="partNumber", status=500),
        Fault(Kind.STATUS, method="PUT", target_contains="partNumber=2", status=507, code="Full"),
        Fault(Kind.RESET, method="PUT", target_contains="partNumber=3"),
        Fault(Kind.STALL, method="PUT", target_contains="partNumber=2"),
        Fault(Kind.STATUS, method="POST", target_contains="uploadId", status=500),
    ],
)
def test_a_failed_upload_never_appears(
    store: S3ObjectStore,
    s3_store: S3ObjectStore,
    proxy: FaultyProxy,
    s3_options: S3Options,
    fault: Fault,
) -> None:
    s3_store.put("kept", b"before")
    proxy.faults = [fault]
    expected = (StoreUnavailableError, StoreFullError)
    with pytest.raises(expected), store.open_write("kept") as sink:
        sink.write(LARGE)
    assert s3_store.read("kept") == b"before"
    assert [info.key for info in s3_store.list()] == ["kept"]


def test_an_abandoned_upload_is_aborted_at_the_store(
    store: S3ObjectStore, proxy: FaultyProxy
) -> None:
    with pytest.raises(ZeroDivisionError), store.open_write("a") as sink:  # noqa: PT012
        sink.write(LARGE)
        raise ZeroDivisionError
    assert any(request.startswith("DELETE /sgi/a?uploadId=") for request in proxy.requests)


def test_an_abort_that_fails_does_not_hide_the_first_error(
    store: S3ObjectStore, proxy: FaultyProxy
) -> None:
    proxy.faults = [Fault(Kind.STATUS, method="DELETE", status=500)]
    with pytest.raises(ZeroDivisionError), store.open_write("a") as sink:  # noqa: PT012
        sink.write(LARGE)
        raise ZeroDivisionError


def test_an_object_replaced_while_read_is_an_error(store: S3ObjectStore) -> None:
    store.put("a", b"first" * 4)
    chunks = store.read_chunks("a", 10)
    assert next(chunks) == b"firstfirst"
    store.put("a", b"other" * 4)
    with pytest.raises(StorageError, match="replaced"):
        next(chunks)


def test_the_proxy_counts(proxy: FaultyProxy) -> None:
    proxy.faults = [Fault(Kind.STATUS, status=418, skip=1, times=1)]
    statuses = []
    for _ in range(3):
        try:
            urllib.request.urlopen(proxy.endpoint, timeout=5).close()
        except urllib.error.HTTPError as error:
            statuses.append(error.code)
            error.close()
    assert statuses == [403, 418, 403]
