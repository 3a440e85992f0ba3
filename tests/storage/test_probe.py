"""A sound store passes; one that breaks a single promise is found out by it, and left tidy."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from storage import (
    BucketNotFoundError,
    MemoryObjectStore,
    ObjectInfo,
    RangeError,
    S3ObjectStore,
    S3Options,
    StorageError,
    StoreRefusedError,
    StoreUnavailableError,
)
from storage import probe as probing
from storage.faults import Fault, FaultyProxy, Kind
from storage.probe import FOLDER, Finding, Need, Result, probe
from storage.probe_checks import NotOfferedError, UnmetError
from storage.probe_s3 import S3Site


def failed(findings: list[Finding]) -> set[str]:
    return {finding.promise for finding in findings if finding.result is Result.FAILED}


def promise_of(ask: Callable[..., Any]) -> str:
    checks = (*probing.OF_ANY_STORE, *probing.OF_S3, *probing.OF_A_CLASS, *probing.THOROUGH)
    return next(check.promise for check in checks if check.ask is ask)


class Stale(MemoryObjectStore):
    """Whole reads come from a cache that nobody empties."""

    def read(self, key: str, **options: Any) -> bytes:
        self._read: dict[str, bytes]
        first: dict[str, bytes] = self.__dict__.setdefault("_first", {})
        return first.setdefault(key, super().read(key, **options))


class StaleRanges(MemoryObjectStore):
    def read_range(self, key: str, offset: int, length: int) -> bytes:
        first: dict[Any, bytes] = self.__dict__.setdefault("_first", {})
        return first.setdefault((key, offset), super().read_range(key, offset, length))


class Moved(MemoryObjectStore):
    def read_range(self, key: str, offset: int, length: int) -> bytes:
        return super().read_range(key, max(0, offset - 1), length)


class Generous(MemoryObjectStore):
    """Beyond the end it gives what there is."""

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        try:
            return super().read_range(key, offset, length)
        except RangeError:
            return self.read(key)[offset : offset + length]


class Truncating(MemoryObjectStore):
    def put(self, key: str, data: bytes, **options: Any) -> None:
        super().put(key, data[:50_000], **options)


class LateList(MemoryObjectStore):
    """The last object that was written is not listed yet."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        found = list(super().list(prefix))
        yield from (found[:-1] if len(found) > 1 else found)


class ShortList(MemoryObjectStore):
    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        yield from list(super().list(prefix))[:1000]


class Undeleting(MemoryObjectStore):
    """Deleted objects are not listed, but still given."""

    def delete(self, key: str) -> None:
        self.__dict__.setdefault("_gone", set()).add(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        gone = self.__dict__.get("_gone", ())
        yield from (info for info in super().list(prefix) if info.key not in gone)


class Inventing(MemoryObjectStore):
    def read(self, key: str, **options: Any) -> bytes:
        return super().read(key, **options) if key in self._objects else b""


class Mixing(MemoryObjectStore):
    """Pieces are read one by one, whatever became of the object."""

    def read_chunks(self, key: str, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
        for offset in range(0, self.size(key), chunk_bytes):
            yield self.read(key)[offset : offset + chunk_bytes]


class HalfDone(MemoryObjectStore):
    """What was sent of an upload stays, when the rest never comes."""

    @contextmanager
    def open_write(self, key: str, **options: Any) -> Iterator[Any]:
        kept: Any = None
        try:
            with super().open_write(key, **options) as sink:
                kept = sink
                yield sink
        except BaseException:
            self.put(key, kept.buffer.getvalue())
            raise


checks, on_s3 = probing.probe_checks, probing.probe_s3


@pytest.mark.parametrize(
    ("store", "broken"),
    [
        (Stale(), checks.overwrite),
        (StaleRanges(), checks.overwrite),
        (Moved(), checks.ranges),
        (Generous(), checks.ranges),
        (Truncating(), checks.put_and_read),
        (LateList(), checks.listing),
        (ShortList(), checks.long_listing),
        (Undeleting(), checks.deletion),
        (Inventing(), checks.absent),
        (Mixing(), checks.replaced),
        (HalfDone(), checks.broken_off),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_a_broken_promise_is_found(store: MemoryObjectStore, broken: Callable[..., Any]) -> None:
    findings = probe(store, thorough=True)
    assert promise_of(broken) in failed(findings)
    told = next(finding for finding in findings if finding.promise == promise_of(broken))
    assert told.forbids_use
    assert told.says.endswith(".")


def test_a_sound_store_passes_and_is_left_as_it_was() -> None:
    store = MemoryObjectStore()
    store.put("slides/a", b"bytes")
    told: list[Finding] = []
    findings = probe(store, thorough=True, tell=told.append)
    assert {finding.result for finding in findings} == {Result.PASSED}
    assert told == findings
    assert [info.key for info in store.list()] == ["slides/a"]


def test_nothing_is_left_by_a_probe_that_is_interrupted() -> None:
    store = MemoryObjectStore()

    def interrupt(finding: Finding) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        probe(store, tell=interrupt)
    assert not list(store.list())


def test_what_a_killed_probe_left_is_removed_a_day_later() -> None:
    store = MemoryObjectStore()
    old, others = f"{FOLDER}{uuid4()}/small", f"{FOLDER}integrity"
    for key in (old, others, f"{FOLDER}{uuid4()}/at-work"):
        store.put(key, b"bytes")
    for key in (old, others):
        store._modified[key] = datetime.now(UTC) - timedelta(days=2)
    probe(store)
    left = {info.key for info in store.list()}
    assert others in left
    assert old not in left
    assert len(left) == 2


def test_what_cannot_be_removed_is_told(caplog: pytest.LogCaptureFixture) -> None:
    class Keeping(MemoryObjectStore):
        def delete(self, key: str) -> None:
            raise StoreRefusedError("The object store refused deleting.")

    findings = probe(Keeping())
    assert promise_of(checks.deletion) in failed(findings)
    assert "delete it by hand" in caplog.text


def test_a_store_that_goes_away_is_not_called_unsafe() -> None:
    class Away(MemoryObjectStore):
        def read(self, key: str, **options: Any) -> bytes:
            raise StoreUnavailableError("The object store was not available.")

    with pytest.raises(StoreUnavailableError):
        probe(Away())


# From here on: a real bucket.


@pytest.fixture
def here(s3_store: S3ObjectStore, s3_options: S3Options, proxy: FaultyProxy) -> S3Site:
    s3_store.put("first", b"bytes")
    s3_store.delete("first")
    options = dataclasses.replace(s3_options, endpoint=proxy.endpoint, read_timeout_s=5)
    return S3Site.of(options, "probe/")


def test_the_embedded_store_passes(s3_store: S3ObjectStore) -> None:
    findings = probe(s3_store)
    assert not failed(findings)
    assert len(findings) >= 20
    absent = {finding.promise for finding in findings if finding.result is Result.ABSENT}
    assert absent == {
        promise_of(on_s3.versions),
        promise_of(on_s3.object_lock),
    }
    assert not list(s3_store.list())


def test_a_storage_class_that_the_store_accepts(
    s3_store: S3ObjectStore, s3_options: S3Options
) -> None:
    options = dataclasses.replace(s3_options, storage_class="STANDARD_IA")
    findings = probe(S3ObjectStore(options))
    told = {finding.promise: finding for finding in findings}
    assert told[promise_of(on_s3.storage_class)].says == "STANDARD_IA"
    assert not failed(findings)


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        (Fault(Kind.STALE, "GET", "/replaced"), checks.overwrite),
        (Fault(Kind.MOVED, "GET", "/ranges"), checks.ranges),
        (Fault(Kind.SHORT, "GET", "/parts", body_bytes=1000), checks.in_parts),
        (Fault(Kind.TRUNCATE, "GET", "/small", body_bytes=1000), checks.put_and_read),
        (Fault(Kind.FLIP_ANSWER, "GET", "/small"), checks.put_and_read),
        (Fault(Kind.STALE, "GET", "listed"), checks.listing),
        (Fault(Kind.STALE, "GET", "/deleted/object"), checks.deletion),
        (Fault(Kind.STATUS, "GET", "/never", status=403, code="AccessDenied"), checks.absent),
        (Fault(Kind.STATUS, "PUT", "partNumber", status=501, code="None"), checks.in_parts),
        (Fault(Kind.STALE, "GET", "uploads"), on_s3.unfinished_uploads),
        (Fault(Kind.STATUS, "GET", "/secret", status=200, code=""), on_s3.closed_to_strangers),
        (Fault(Kind.STATUS, "HEAD", "/typed", status=200), on_s3.content_type),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_promise_that_is_broken_on_the_line(
    here: S3Site, proxy: FaultyProxy, fault: Fault, broken: Callable[[Any], str]
) -> None:
    broken(here)
    proxy.faults = [fault]
    with pytest.raises((UnmetError, StorageError)) as caught:
        broken(dataclasses.replace(here, folder="probe/again/"))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("date", "error"),
    [
        ("Sat, 01 Jan 2000 00:00:00 GMT", UnmetError),
        ("yesterday", NotOfferedError),
        (None, NotOfferedError),
    ],
)
def test_clocks(here: S3Site, date: str | None, error: type[Exception]) -> None:
    headers = {} if date is None else {"date": date}
    answer = {"ResponseMetadata": {"HTTPHeaders": headers}}
    told = SimpleNamespace(head_bucket=lambda **_: answer)
    with pytest.raises(error):
        on_s3.clock(dataclasses.replace(here, sdk=told))


def test_uploads_that_are_not_compared(here: S3Site) -> None:
    exceptions = SimpleNamespace(ClientError=ValueError)
    told = SimpleNamespace(put_object=lambda **_: None, exceptions=exceptions)
    with pytest.raises(UnmetError):
        on_s3.damaged_upload(dataclasses.replace(here, sdk=told))


def test_one_broken_promise_leaves_the_others(
    here: S3Site, s3_store: S3ObjectStore, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "OF_S3", ())
    proxy.faults = [Fault(Kind.STALE, "GET", "/replaced")]
    assert failed(probe(S3ObjectStore(here.options))) == {promise_of(checks.overwrite)}
    assert not list(s3_store.list())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"bucket": "not-there"}, BucketNotFoundError),
        ({"secret_access_key": "wrong"}, StoreRefusedError),
        ({"endpoint": "http://127.0.0.1:9"}, StoreUnavailableError),
    ],
)
def test_a_store_that_cannot_be_asked(
    s3_options: S3Options, change: dict[str, str], expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        probe(S3ObjectStore(dataclasses.replace(s3_options, **change)))  # type: ignore[arg-type]


def test_useful_promises_forbid_nothing() -> None:
    assert not Finding("a", Need.USEFUL, Result.FAILED).forbids_use
    assert not Finding("a", Need.NEEDED, Result.ABSENT).forbids_use
    assert FOLDER.endswith("/")
