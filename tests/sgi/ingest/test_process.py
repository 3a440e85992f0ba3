import asyncio
import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import psycopg_pool
import pytest

import storage.errors
import tiling.errors
from dicom.errors import DamagedInstanceError
from sgi import errors
from sgi.domain.arrival import ArrivalState, ReasonCode
from sgi.ingest import process as module
from sgi.ingest import verify as verification
from sgi.keeping.records import Records
from sgi.settings import Disposal
from sgi.stored.keys import frame_hashes_key, heat_map_key, instance_key, manifest_key

PUBLISHED, HELD = ArrivalState.PUBLISHED, ArrivalState.HELD


@pytest.fixture
def dropped(way_in: Any, svs: Path) -> Any:
    """A queued arrival of a good slide."""
    shutil.copy(svs, way_in.drop / "a.svs")
    way_in.settle()
    return way_in.arrival("a.svs")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    def fail(error: Exception) -> None:
        def convert(*_: object) -> None:
            raise error

        monkeypatch.setattr(module, "convert_and_upload", convert)

    return fail


def reason(arrival: Any) -> ReasonCode | None:
    return None if arrival.reason is None else arrival.reason.code


def test_from_file_to_slide(way_in: Any, dropped: Any, here: Any, audit_rows: Any) -> None:
    done = way_in.process(dropped)
    assert (done.state, done.progress, done.reason) == (PUBLISHED, 1, None)
    assert done.published_at
    assert done.released
    assert done.attempts == 1
    (slide,) = way_in.slides()
    assert slide.id == dropped.slide_id
    assert (slide.file_name, slide.facts.format) == ("a.svs", "Aperio SVS")
    assert slide.source_sha256 == dropped.sha256.hex()
    assert slide.source_size_bytes == dropped.fingerprint.size_bytes
    assert slide.levels[0].columns == 600
    assert slide.quality
    keys = {manifest_key(slide.id), heat_map_key(slide.id)}
    for stored in slide.instances:
        keys |= {
            instance_key(slide.id, stored.sop_uid),
            frame_hashes_key(slide.id, stored.sop_uid),
        }
        assert len(way_in.store.objects[frame_hashes_key(slide.id, stored.sop_uid)]) == (
            32 * stored.frames
        )
    assert set(way_in.store.objects) == keys
    assert (way_in.drop / ".done" / "a.svs").exists()
    assert not (way_in.drop / "a.svs").exists()
    (row,) = audit_rows(here)
    assert (row["action"], row["object_id"]) == ("publish_slide", slide.id)
    assert way_in.jobs(done) == []


def test_the_store_alone_tells_everything(way_in: Any, dropped: Any, here: Any) -> None:
    way_in.process(dropped)
    (slide,) = way_in.slides()
    told = json.loads(way_in.store.objects[manifest_key(slide.id)])
    stored = module.StoredSlide.model_validate(told).slide()
    assert (stored.establishment_id, stored.establishment_name) == (here.id, here.name)
    assert set(stored.instances) == set(slide.instances)
    published_at, instances = slide.published_at, slide.instances
    assert replace(stored, published_at=published_at, instances=instances) == slide


def test_published_once(way_in: Any, dropped: Any) -> None:
    first = way_in.process(dropped)
    before = dict(way_in.store.objects)
    assert way_in.process(dropped) == first
    assert way_in.store.objects == before
    assert len(way_in.slides()) == 1


def test_two_workers_that_both_believe_it_is_theirs(way_in: Any, dropped: Any) -> None:
    async def both() -> None:
        job = way_in.ingest.process, (way_in.establishment_id, dropped.id)
        await asyncio.gather(job[0](*job[1]), job[0](*job[1]))

    way_in.run(both())
    assert len(way_in.slides()) == 1
    assert way_in.arrival("a.svs").state is PUBLISHED
    assert len(way_in.query("select id from audit where action = 'publish_slide'")) == 1


def test_no_arrival_no_work(way_in: Any) -> None:
    way_in.run(way_in.ingest.process(way_in.establishment_id, uuid.uuid4()))
    assert way_in.store.objects == {}


@pytest.mark.parametrize("originals", [Disposal.KEEP, Disposal.DELETE])
def test_the_original_is_kept_or_deleted(way_in: Any, svs: Path, originals: Disposal) -> None:
    way_in = way_in.with_settings(originals=originals)
    shutil.copy(svs, way_in.drop / "a.svs")
    done = way_in.take_in("a.svs")
    assert done.released
    assert (way_in.drop / "a.svs").exists() == (originals is Disposal.KEEP)
    assert not (way_in.drop / ".done").exists()
    way_in.settle()
    assert len(way_in.all_arrivals()) == 1


def test_a_file_changed_since_it_was_hashed(way_in: Any, dropped: Any) -> None:
    (way_in.drop / "a.svs").write_bytes(b"something else")
    done = way_in.process(dropped)
    assert (done.state, reason(done)) == (ArrivalState.WAITING, ReasonCode.CHANGED)
    assert way_in.store.objects == {}
    assert way_in.jobs(done) == []
    way_in.settle()
    assert way_in.arrival("a.svs").state is ArrivalState.QUEUED
    assert way_in.arrival("a.svs").sha256 != dropped.sha256


def test_a_file_changed_while_it_was_read(
    way_in: Any, dropped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = module.convert_and_upload

    def slow(source: Path, *rest: Any) -> Any:
        found = convert(source, *rest)
        with source.open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr(module, "convert_and_upload", slow)
    done = way_in.process(dropped)
    assert (done.state, reason(done)) == (ArrivalState.WAITING, ReasonCode.CHANGED)
    assert way_in.store.objects == {}
    assert way_in.slides() == []
    assert (way_in.drop / "a.svs").exists()


def test_a_file_that_went_away(way_in: Any, dropped: Any) -> None:
    (way_in.drop / "a.svs").unlink()
    done = way_in.process(dropped)
    assert (done.state, reason(done)) == (ArrivalState.VANISHED, ReasonCode.VANISHED)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (storage.errors.StoreUnavailableError("x"), ReasonCode.STORE_UNAVAILABLE),
        (storage.errors.StoreFullError("x"), ReasonCode.STORE_FULL),
        (storage.errors.StoreRefusedError("x"), ReasonCode.STORE_REFUSED),
        (storage.errors.BucketNotFoundError("x"), ReasonCode.STORE_MISSING),
        (errors.DiskFullError("x"), ReasonCode.DISK_FULL),
        (OSError(28, "No space left on device"), ReasonCode.DISK_FULL),
        (errors.ConversionCancelledError("x"), ReasonCode.INTERRUPTED),
        (psycopg.OperationalError("x"), ReasonCode.INTERRUPTED),
        (psycopg_pool.PoolTimeout("x"), ReasonCode.INTERRUPTED),
    ],
)
def test_what_is_not_the_files_fault_is_tried_again_by_itself(
    way_in: Any, dropped: Any, failing: Any, error: Exception, code: ReasonCode
) -> None:
    failing(error)
    done = dropped
    for attempt in (1, 2, 3, 4):
        done = way_in.process(done)
        assert (done.state, reason(done)) == (ArrivalState.RETRYING, code)
        assert done.attempts == attempt
        (job,) = way_in.jobs(done)
        pause = job["scheduled_at"] - datetime.now(UTC)
        expected = timedelta(seconds=5 * 2 ** (attempt - 1))
        assert expected - timedelta(seconds=5) < pause <= expected
    assert (way_in.drop / "a.svs").exists()
    assert way_in.slides() == []


def test_a_store_that_recovers(way_in: Any, dropped: Any) -> None:
    way_in.store.fail(storage.errors.StoreUnavailableError("The store fails."), 50_000)
    stopped = way_in.process(dropped)
    assert stopped.state is ArrivalState.RETRYING
    assert stopped.reason.detail is None, "the store's own words may name its address"
    way_in.store.fail(None)
    assert way_in.process(stopped).state is PUBLISHED
    assert len(way_in.slides()) == 1


def test_what_the_store_gives_back_is_not_what_was_written(
    way_in: Any, dropped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = way_in.store.put

    def rot(key: str, data: bytes, **options: Any) -> None:
        middle = len(data) // 2
        write(key, data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])

    with monkeypatch.context() as patch:
        patch.setattr(way_in.store, "put", rot)
        done = dropped
        for _ in range(2):
            done = way_in.process(done)
            assert (done.state, reason(done)) == (ArrivalState.RETRYING, ReasonCode.NOT_VERIFIED)
            assert len(way_in.jobs(done)) == 1
        done = way_in.process(done)
        assert (done.state, reason(done)) == (HELD, ReasonCode.NOT_VERIFIED)
        assert way_in.jobs(done) == []
        assert way_in.store.objects == {}, "what was uploaded of it is of no use"
    assert way_in.slides() == []
    assert (way_in.drop / "a.svs").exists(), "the only good copy"


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (ZeroDivisionError("secret"), HELD, ReasonCode.INTERNAL),
        (OSError(5, "Input/output error"), HELD, ReasonCode.INTERNAL),
        (tiling.errors.UnknownFormatError("No."), HELD, ReasonCode.UNKNOWN_FORMAT),
        (tiling.errors.DamagedSlideError("No."), ArrivalState.QUARANTINED, ReasonCode.DAMAGED),
        (errors.ConversionCrashedError("No."), ArrivalState.QUARANTINED, ReasonCode.READER_CRASHED),
    ],
)
def test_what_needs_a_person(
    way_in: Any,
    dropped: Any,
    failing: Any,
    error: Exception,
    state: ArrivalState,
    code: ReasonCode,
) -> None:
    failing(error)
    done = way_in.process(dropped)
    assert (done.state, reason(done)) == (state, code)
    assert done.reason.detail in {None, "No."}, "only what was written for people is told"
    assert way_in.jobs(done) == []
    way_in.settle()
    assert way_in.arrival("a.svs").state is state
    assert (way_in.drop / "a.svs").exists()


def test_publishing_is_all_or_nothing(
    way_in: Any, dropped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(module.audit, "record", refuse)
        done = way_in.process(dropped)
    assert (done.state, reason(done)) == (HELD, ReasonCode.INTERNAL)
    assert way_in.slides() == []
    assert (way_in.drop / "a.svs").exists()


def test_an_original_that_cannot_be_moved_is_moved_later(
    way_in: Any, dropped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(13, "closed")

    with monkeypatch.context() as patch:
        patch.setattr(module, "release", closed)
        done = way_in.process(dropped)
    assert done.state is PUBLISHED
    assert not done.released
    way_in.run(way_in.ingest.release(way_in.establishment_id, done.id))
    assert way_in.arrival("a.svs").released
    assert (way_in.drop / ".done" / "a.svs").exists()


def test_another_file_in_the_place_of_the_original_is_not_touched(
    way_in: Any, dropped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module.Ingest, "release", killed_before)
        way_in.process(dropped)
    (way_in.drop / "a.svs").write_bytes(b"the next slide")
    way_in.run(way_in.ingest.release(way_in.establishment_id, dropped.id))
    assert (way_in.drop / "a.svs").read_bytes() == b"the next slide"
    assert not (way_in.drop / ".done").exists()


async def killed_before(*_: object) -> None:
    """In the place of the step that a dead worker never came to."""


@pytest.mark.parametrize("state", sorted(set(ArrivalState) - {PUBLISHED, ArrivalState.DUPLICATE}))
def test_nothing_is_released_before_it_is_published(
    way_in: Any, dropped: Any, state: ArrivalState
) -> None:
    way_in.query("update arrival set state = %s where id = %s", state, dropped.id)
    way_in.run(way_in.ingest.release(way_in.establishment_id, dropped.id))
    assert (way_in.drop / "a.svs").exists()
    assert not way_in.arrival("a.svs").released


def test_progress_is_told_while_it_works(
    way_in: Any, dropped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = module.convert_and_upload
    monkeypatch.setattr(module, "_TELL_EVERY_S", 0.02)
    seen: list[tuple[str, float]] = []

    def slow(*arguments: Any) -> Any:
        progress = arguments[5]
        for share in (0.25, 0.5):
            progress(share)
            time.sleep(0.2)
            with psycopg.connect(way_in.database._url) as connection:
                row = connection.execute(
                    "select state, progress from arrival where id = %s", [dropped.id]
                ).fetchone()
            assert row
            seen.append((row[0], round(row[1], 2)))
        return convert(*arguments)

    monkeypatch.setattr(module, "convert_and_upload", slow)
    assert way_in.process(dropped).state is PUBLISHED
    assert seen == [("converting", 0.2), ("converting", 0.4)]


def test_a_slide_of_several_files(way_in: Any, bad_slides: Path) -> None:
    synthetic = bad_slides.parent / "synthetic"
    for path in synthetic.glob("mirax*"):
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, way_in.drop / path.name)
    done = way_in.take_in("mirax.mrxs")
    assert done.state is PUBLISHED, done.reason
    assert {p.name for p in (way_in.drop / ".done").iterdir()} == {"mirax", "mirax.mrxs"}
    assert [p.name for p in way_in.drop.iterdir()] == [".done"]


MIRAX = ("a.mrxs", "a/Data0000.dat", "a/Data0001.dat", "a/Slidedat.ini")


@pytest.fixture
def several(way_in: Any) -> Any:
    """A published arrival of several files, not released yet."""
    (way_in.drop / "a").mkdir()
    for name in MIRAX:
        (way_in.drop / name).write_bytes(uuid.uuid4().bytes)
    way_in.settle()
    arrival = way_in.arrival("a.mrxs")
    way_in.query("update arrival set state = 'published' where id = %s", arrival.id)
    return arrival


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("moves", range(len(MIRAX)))
def test_a_release_killed_between_two_moves_goes_on(
    way_in: Any, several: Any, monkeypatch: pytest.MonkeyPatch, moves: int, taken: bool
) -> None:
    done = way_in.drop / ".done"
    if taken:
        done.mkdir()
        (done / "a.mrxs").write_bytes(b"an older slide of this name")
    move = shutil.move
    left = [None] * moves

    def killed(*arguments: Any) -> None:
        if not left:
            raise OSError("killed")
        left.pop()
        move(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("sgi.ingest.release.shutil.move", killed)
        way_in.run(way_in.ingest.release(way_in.establishment_id, several.id))
    assert not way_in.arrival("a.mrxs").released
    way_in.settle()
    way_in.run(way_in.ingest.release(way_in.establishment_id, several.id))
    assert way_in.arrival("a.mrxs").released
    assert files(done / str(several.id) if taken else done) == set(MIRAX)
    assert [path.name for path in way_in.drop.iterdir()] == [".done"]
    way_in.settle()
    assert len(way_in.all_arrivals()) == 1


@pytest.mark.parametrize("originals", [Disposal.MOVE, Disposal.DELETE])
def test_a_file_that_took_the_place_of_a_part_is_not_touched(
    way_in: Any, several: Any, originals: Disposal
) -> None:
    way_in = way_in.with_settings(originals=originals)
    (way_in.drop / MIRAX[1]).write_bytes(b"new")
    (way_in.drop / MIRAX[2]).unlink()
    (way_in.drop / MIRAX[2]).symlink_to(way_in.drop / MIRAX[1])
    (way_in.drop / "a" / "other").write_bytes(b"never seen")
    way_in.run(way_in.ingest.release(way_in.establishment_id, several.id))
    assert (way_in.drop / MIRAX[1]).read_bytes() == b"new"
    assert (way_in.drop / MIRAX[2]).is_symlink()
    assert (way_in.drop / "a" / "other").exists()
    assert not (way_in.drop / MIRAX[0]).exists()
    assert not (way_in.drop / MIRAX[3]).exists()


def test_a_header_that_the_store_altered_is_never_published(
    way_in: Any, dropped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = verification.verify_instance

    def altered(store: Any, key: str, *rest: Any) -> None:
        data = way_in.store.objects[key]
        at = data.find(b"\x28\x00\x30\x00DS")
        if at >= 0:  # else an associated image without a scale
            spacing = at + 11
            way_in.store.objects[key] = data[:spacing] + b"7" + data[spacing + 1 :]
        verify(store, key, *rest)

    monkeypatch.setattr(verification, "verify_instance", altered)
    done = way_in.process(dropped)
    assert (done.state, reason(done)) == (ArrivalState.RETRYING, ReasonCode.NOT_VERIFIED)


def test_a_published_slide_is_found_by_dicomweb_at_once_and_its_header_proved(
    way_in: Any, dropped: Any, url: str
) -> None:
    assert way_in.process(dropped).state is ArrivalState.PUBLISHED
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select on_record from slide where id = %s", [dropped.slide_id]
        ).fetchall()
        rows = connection.execute(
            "select sop_uid, header_bytes, header_sha256 from instance where slide_id = %s",
            [dropped.slide_id],
        ).fetchall()
    assert found == [(True,)]
    manifest = json.loads(
        json.loads(way_in.store.objects[manifest_key(dropped.slide_id)])["manifest"]
    )
    told = {
        (each["sop_instance_uid"], each["header_bytes"], bytes.fromhex(each["header_sha256"]))
        for each in manifest["instances"]
    }
    assert set(rows) == told
    for sop_uid, length, sha256 in rows:
        data = way_in.store.objects[instance_key(dropped.slide_id, sop_uid)]
        assert hashlib.sha256(data[:length]).digest() == sha256


def test_a_reader_that_lies_about_a_header_publishes_nothing(
    way_in: Any, dropped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = verification.Verification.finish

    def lie(self: Any, progress: Any) -> Any:
        headers = finish(self, progress)
        key = next(iter(headers))
        return headers | {key: verification.ReadHeader(headers[key].size_bytes, "0" * 64)}

    monkeypatch.setattr(verification.Verification, "finish", lie)
    done = way_in.process(dropped)
    assert (done.state, reason(done)) == (ArrivalState.RETRYING, ReasonCode.NOT_VERIFIED)


def test_a_slide_whose_header_cannot_be_told_is_published_all_the_same(
    way_in: Any, dropped: Any, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    async def fail(*_: Any) -> None:
        raise DamagedInstanceError("No.")

    monkeypatch.setattr(Records, "put", fail)
    assert way_in.process(dropped).state is ArrivalState.PUBLISHED
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select on_record from slide where id = %s", [dropped.slide_id]
        ).fetchall()
    assert found == [(False,)]


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (tiling.errors.UnknownFormatError("No."), False),
        (tiling.errors.DamagedSlideError("No."), False),
        (errors.ChangedError("No."), False),
        (errors.VanishedError("No."), False),
        (errors.DiskFullError("No."), True),
    ],
)
def test_what_was_uploaded_of_no_slide_is_deleted(
    way_in: Any, dropped: Any, failing: Any, error: Exception, kept: bool
) -> None:
    failing(error)
    others = {f"slides/{uuid.uuid4()}/1.2.dcm": b"another's"}
    ours = {f"slides/{dropped.slide_id}/1.{n}.dcm": b"" for n in range(3)}
    way_in.store.objects |= others | ours
    way_in.process(dropped)
    assert way_in.store.objects == (others | ours if kept else others)


def test_what_is_published_is_never_deleted(way_in: Any, dropped: Any) -> None:
    done = way_in.process(dropped)
    before = dict(way_in.store.objects)
    way_in.run(way_in.ingest._stop(done, errors.VanishedError("No.")))
    assert way_in.store.objects == before
    assert way_in.arrival("a.svs").state is PUBLISHED


def test_a_store_that_deletes_nothing_is_not_fatal(
    way_in: Any, dropped: Any, failing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise storage.errors.StoreRefusedError("No.")

    failing(tiling.errors.DamagedSlideError("No."))
    way_in.store.objects[f"slides/{dropped.slide_id}/1.dcm"] = b""
    monkeypatch.setattr(way_in.store, "delete", refuse)
    assert way_in.process(dropped).state is ArrivalState.QUARANTINED


def test_a_defect_is_logged_by_its_place_without_a_file_name(
    way_in: Any, dropped: Any, failing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    failing(ZeroDivisionError("secret.svs"))
    way_in.process(dropped)
    assert "test_process.py" in caplog.text
    assert "secret" not in caplog.text
