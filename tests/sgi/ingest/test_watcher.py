import asyncio
import os
import shutil
import traceback
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dicom.source.testing import SERIES, instance_of, with_uid, write
from sgi.domain.arrival import ArrivalState, ReasonCode
from sgi.errors import SgiError, UnreadableFileError
from sgi.ingest import watcher as module
from sgi.settings import Disposal
from tiling.geometry import Size
from tiling.testing import draw_pattern

WAITING, QUEUED, HELD = ArrivalState.WAITING, ArrivalState.QUEUED, ArrivalState.HELD


def put(way_in: Any, name: str, content: bytes | None = None) -> Path:
    path: Path = way_in.drop / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(uuid.uuid4().bytes if content is None else content)
    return path


def reason(arrival: Any) -> ReasonCode | None:
    return None if arrival.reason is None else arrival.reason.code


def become(way_in: Any, arrival: Any, state: ArrivalState) -> None:
    way_in.query("update arrival set state = %s where id = %s", state, arrival.id)


def test_a_quiet_file_is_queued_once(way_in: Any) -> None:
    put(way_in, "a.svs")
    way_in.settle()
    arrival = way_in.arrival("a.svs")
    assert arrival.state is QUEUED
    assert arrival.sha256
    assert len(way_in.jobs(arrival)) == 1
    way_in.settle()
    assert way_in.arrival("a.svs") == arrival
    assert len(way_in.jobs(arrival)) == 1


def test_a_file_that_grows_waits(way_in: Any) -> None:
    way_in = way_in.with_settings(quiet_s=0.2)
    path = put(way_in, "a.svs")
    for length in range(1, 6):
        path.write_bytes(b"x" * length)
        assert way_in.scan(), "it has to be looked at again soon"
        arrival = way_in.arrival("a.svs")
        assert (arrival.state, reason(arrival)) == (WAITING, ReasonCode.BEING_WRITTEN)
        assert arrival.fingerprint.size_bytes == length
    way_in.run(asyncio.sleep(0.25))
    assert not way_in.scan()
    assert way_in.arrival("a.svs").state is QUEUED
    assert len(way_in.all_arrivals()) == 1


def test_a_reserved_file_waits_longer(way_in: Any) -> None:
    way_in = way_in.with_settings(quiet_s=0.05)
    put(way_in, "a.svs", bytes(8192))
    way_in.scan()
    way_in.run(asyncio.sleep(0.1))
    assert way_in.scan()
    assert way_in.arrival("a.svs").state is WAITING
    way_in.run(asyncio.sleep(0.6))
    way_in.scan()
    assert way_in.arrival("a.svs").state is QUEUED


def test_a_file_that_vanishes(way_in: Any) -> None:
    way_in = way_in.with_settings(quiet_s=60)
    path = put(way_in, "a.svs")
    way_in.scan()
    path.unlink()
    way_in.scan()
    arrival = way_in.arrival("a.svs")
    assert (arrival.state, reason(arrival)) == (ArrivalState.VANISHED, ReasonCode.VANISHED)
    put(way_in, "a.svs")
    way_in.scan()
    again = way_in.arrival("a.svs")
    assert again.id != arrival.id
    assert again.state is WAITING


def test_a_file_that_vanishes_while_it_is_hashed(
    way_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(way_in, "a.svs")
    hollow = module.looks_hollow

    def vanish(main: Path) -> bool:
        found = hollow(main)
        path.unlink()
        return found

    monkeypatch.setattr(module, "looks_hollow", vanish)
    way_in.settle()
    assert way_in.arrival("a.svs").state is ArrivalState.VANISHED


def test_a_file_that_changes_while_it_is_hashed(
    way_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(way_in, "a.svs", b"before")
    content_hash = module.content_hash

    def change(*arguments: Any) -> bytes:
        found = content_hash(*arguments)
        put(way_in, "a.svs", b"after, and longer")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(module, "content_hash", change)
        assert way_in.scan()
        assert way_in.scan()
    assert way_in.arrival("a.svs").state is WAITING
    way_in.settle()
    arrival = way_in.arrival("a.svs")
    assert arrival.state is QUEUED
    assert arrival.fingerprint.size_bytes == len(b"after, and longer")


def test_mirax_before_its_folder(way_in: Any) -> None:
    put(way_in, "a.mrxs")
    way_in.settle()
    arrival = way_in.arrival("a.mrxs")
    assert (arrival.state, reason(arrival)) == (WAITING, ReasonCode.COMPANION_MISSING)
    put(way_in, "a/Slidedat.ini")
    put(way_in, "a/Data0000.dat")
    way_in.settle()
    assert way_in.arrival("a.mrxs").id == arrival.id
    assert way_in.arrival("a.mrxs").state is QUEUED
    assert set(way_in.arrivals()) == {"a.mrxs"}


def put_instance(way_in: Any, name: str, number: int, series: str = SERIES) -> None:
    path = way_in.drop / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image = instance_of(draw_pattern(64, 64), Size(64, 64))
    write(path, replace(with_uid(image, number), series=series))


def test_a_slide_of_several_files_has_the_name_of_its_folder(way_in: Any) -> None:
    put_instance(way_in, "Lame 7/level-0.dcm", 1)
    way_in.settle()
    arrival = way_in.arrival("Lame 7/level-0.dcm")
    assert arrival.file_name == "level-0.dcm"
    become(way_in, arrival, WAITING)
    put_instance(way_in, "Lame 7/level-1.dcm", 2)
    put_instance(way_in, "Lame 8/level-0.dcm", 3, SERIES + ".4")
    way_in.settle()
    assert {arrival.state for arrival in way_in.all_arrivals()} == {QUEUED}
    shown = {arrival.file_name for arrival in way_in.all_arrivals()}
    assert shown == {"Lame 7", "level-0.dcm"}


def test_the_drop_folder_is_no_slides_name(way_in: Any) -> None:
    put_instance(way_in, "1_0", 1)
    put_instance(way_in, "2_0", 2)
    way_in.settle()
    (arrival,) = way_in.all_arrivals()
    assert arrival.file_name in {"1_0", "2_0"}


def test_a_companion_before_its_main_file(way_in: Any) -> None:
    way_in = way_in.with_settings(quiet_s=60)
    put(way_in, "b.jpg")  # nobody knows yet that it is part of something
    way_in.scan()
    assert way_in.arrival("b.jpg").state is WAITING
    put(way_in, "b.vms")
    way_in.scan()
    jpg = way_in.arrival("b.jpg")
    assert (jpg.state, reason(jpg)) == (ArrivalState.VANISHED, ReasonCode.PART_OF_ANOTHER)
    assert way_in.arrival("b.vms").state is WAITING


def test_the_same_content_twice_at_once(way_in: Any) -> None:
    put(way_in, "a.svs", b"same")
    put(way_in, "b.svs", b"same")
    way_in.settle()
    found = way_in.arrivals()
    assert found["a.svs"].state is QUEUED
    assert found["b.svs"].state is WAITING
    assert reason(found["b.svs"]) is ReasonCode.SAME_CONTENT_IN_WORK
    become(way_in, found["a.svs"], ArrivalState.PUBLISHED)
    way_in.settle()
    second = way_in.arrival("b.svs")
    assert second.state is ArrivalState.DUPLICATE
    assert second.reason.detail == str(found["a.svs"].slide_id)
    assert way_in.jobs(second) == []


def test_a_twin_that_fails_makes_room(way_in: Any) -> None:
    put(way_in, "a.svs", b"same")
    put(way_in, "b.svs", b"same")
    way_in.settle()
    become(way_in, way_in.arrival("a.svs"), HELD)
    way_in.settle()
    assert way_in.arrival("b.svs").state is QUEUED


@pytest.mark.parametrize("state", [HELD, ArrivalState.QUARANTINED])
def test_what_stopped_is_left_alone_until_it_changes(way_in: Any, state: ArrivalState) -> None:
    put(way_in, "a.svs", b"damaged")
    way_in.settle()
    arrival = way_in.arrival("a.svs")
    become(way_in, arrival, state)
    way_in.settle()
    assert way_in.arrival("a.svs").state is state
    put(way_in, "a.svs", b"copied again")
    way_in.settle()
    again = way_in.arrival("a.svs")
    assert again.id == arrival.id
    assert again.slide_id == arrival.slide_id
    assert again.state is QUEUED
    assert again.sha256 != arrival.sha256


def test_what_stopped_is_taken_again_when_a_person_asks(way_in: Any) -> None:
    put(way_in, "a.svs")
    way_in.settle()
    arrival = way_in.arrival("a.svs")
    become(way_in, arrival, HELD)
    way_in.finish_jobs(arrival)
    way_in.settle()

    async def ask() -> bool:
        async with way_in.database.transaction(way_in.establishment_id) as connection:
            return await module.arrivals.look_again(connection, arrival.id)

    assert way_in.run(ask())
    way_in.settle()
    assert way_in.arrival("a.svs").state is QUEUED
    assert len(way_in.jobs(arrival)) == 1


@pytest.mark.parametrize("originals", Disposal)
def test_what_is_published_is_not_taken_again(way_in: Any, originals: Disposal) -> None:
    way_in = way_in.with_settings(originals=originals)
    put(way_in, "a.svs")
    way_in.settle()
    become(way_in, way_in.arrival("a.svs"), ArrivalState.PUBLISHED)
    way_in.settle()
    assert len(way_in.all_arrivals()) == 1, "also before it is released, also when it is kept"
    put(way_in, "a.svs", b"another slide under the same name")
    way_in.settle()
    assert len(way_in.all_arrivals()) == 1, "not while the first is being released"
    way_in.query("update arrival set released = true")
    way_in.settle()
    assert len(way_in.all_arrivals()) == 2
    assert way_in.arrival("a.svs").state is QUEUED


def test_what_was_destroyed_is_held_for_a_person(way_in: Any) -> None:
    content = uuid.uuid4().bytes
    put(way_in, "a.svs", content)
    way_in.settle()
    sha256 = way_in.arrival("a.svs").sha256
    way_in.query(
        """insert into destruction (establishment_id, slide_id, arrival_id, scene, source_sha256,
               source_size_bytes, study_uid, series_uid, published_at, kept_until, state, ground,
               reason, asked_by, asked_name, asked_session, approved_by, approved_name,
               approved_session, approved_at, not_before, began_at)
           select establishment_id, slide_id, id, 0, sha256, 1, '', '', now(), now(),
               'destroying', 'test', 'x', id, 'a', id, slide_id, 'b', slide_id, now(), now(),
               '2046-05-04' from arrival where sha256 = %s""",
        sha256,
    )
    way_in.query("update arrival set state = 'vanished' where sha256 = %s", sha256)
    put(way_in, "again.svs", content)
    way_in.settle()
    arrival = way_in.arrival("again.svs")
    assert (arrival.state, reason(arrival)) == (HELD, ReasonCode.WAS_DESTROYED)
    assert "destroyed on 2046-05-04" in (arrival.reason.detail or "")
    assert (way_in.drop / "again.svs").exists()
    assert way_in.jobs(arrival) == []
    way_in.settle()
    assert way_in.arrival("again.svs") == arrival, "until the file is taken away"


def test_what_a_job_owns_is_left_to_it(way_in: Any) -> None:
    path = put(way_in, "a.svs")
    way_in.settle()
    for state in (QUEUED, ArrivalState.CONVERTING, ArrivalState.VERIFYING, ArrivalState.RETRYING):
        become(way_in, way_in.arrival("a.svs"), state)
        put(way_in, "a.svs")
        way_in.settle()
        assert way_in.arrival("a.svs").state is state
    path.unlink()
    way_in.settle()
    assert way_in.arrival("a.svs").state is ArrivalState.RETRYING


def test_a_file_that_cannot_be_read(way_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(way_in, "a.svs")
    put(way_in, "b.svs")

    def unreadable(main: Path, parts: Any) -> bytes:
        if main.name == "a.svs":
            raise UnreadableFileError("The file cannot be read; give the service access.")
        return os.urandom(32)

    monkeypatch.setattr(module, "content_hash", unreadable)
    way_in.settle()
    arrival = way_in.arrival("a.svs")
    assert (arrival.state, reason(arrival)) == (HELD, ReasonCode.UNREADABLE)
    assert way_in.arrival("b.svs").state is QUEUED, "the next good file goes through"


def test_names_of_any_bytes(way_in: Any) -> None:
    names = ["😐 é.svs", "two\nlines.svs", os.fsdecode(b"\xff\xfe.svs"), "-rf.svs", "a" * 200]
    for name in names:
        put(way_in, name)
    way_in.settle()
    found = way_in.arrivals()
    assert set(found) == set(names)
    assert {arrival.state for arrival in found.values()} == {QUEUED}
    assert found["😐 é.svs"].file_name == "😐 é.svs"


def test_an_empty_folder_and_one_full_of_litter(way_in: Any) -> None:
    assert not way_in.scan()
    put(way_in, ".a.svs.part")
    put(way_in, "Thumbs.db")
    put(way_in, ".done/old.svs")
    os.mkfifo(way_in.drop / "pipe.svs")
    (way_in.drop / "link.svs").symlink_to("/etc/passwd")
    assert not way_in.scan()
    assert way_in.arrivals() == {}


def test_a_share_that_is_away_ends_nothing(way_in: Any) -> None:
    put(way_in, "a.mrxs")
    way_in.settle()
    away = way_in.drop.with_name("away")
    way_in.drop.rename(away)
    with pytest.raises(FileNotFoundError):
        way_in.scan()
    assert way_in.arrival("a.mrxs").state is WAITING
    shutil.copytree(away, way_in.drop)
    way_in.settle()
    assert way_in.arrival("a.mrxs").state is WAITING


def test_two_watchers_of_one_folder(way_in: Any) -> None:
    other = way_in.with_settings()
    for number in range(5):
        put(way_in, f"{number}.svs")

    async def both() -> None:
        for _ in range(4):
            await asyncio.gather(way_in.watcher.scan(), other.watcher.scan())

    way_in.run(both())
    found = way_in.all_arrivals()
    assert [arrival.state for arrival in found] == [QUEUED] * 5
    for arrival in found:
        assert len(way_in.jobs(arrival)) == 1


def test_it_watches_until_it_is_stopped(way_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    way_in = way_in.with_settings(rescan_s=60)
    monkeypatch.setattr(module, "_PENDING_PAUSE_S", 0.02)
    scan = way_in.watcher.scan
    failures: list[Exception] = [psycopg.OperationalError("away"), OSError("away")]

    async def failing() -> bool:
        if failures:
            way_in.watcher._changed.set()
            raise failures.pop()
        return await scan()

    monkeypatch.setattr(way_in.watcher, "scan", failing)

    async def watch() -> None:
        running = asyncio.ensure_future(way_in.watcher.run())
        await asyncio.sleep(0.5)  # until the events flow
        assert not failures
        put(way_in, "a.svs")
        for _ in range(500):
            await asyncio.sleep(0.02)
            async with way_in.database.transaction(way_in.establishment_id) as connection:
                found = await module.arrivals.newest(connection, 1)
            if found and found[0].state is QUEUED:
                break
        else:
            pytest.fail("an event was not enough")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    way_in.run(watch())


MIRAX = ("a.mrxs", "a/Data0000.dat", "a/Data0001.dat", "a/Slidedat.ini")


@pytest.mark.parametrize("state", [ArrivalState.PUBLISHED, ArrivalState.DUPLICATE])
@pytest.mark.parametrize("moved", range(1, len(MIRAX)))
def test_a_folder_that_is_half_moved_is_no_second_arrival(
    way_in: Any, state: ArrivalState, moved: int
) -> None:
    paths = sorted(put(way_in, name) for name in MIRAX)  # the order they are moved in
    way_in.settle()
    become(way_in, way_in.arrival("a.mrxs"), state)
    for path in paths[:moved]:
        path.unlink()
    put(way_in, "b.svs")
    way_in.settle()
    assert set(way_in.arrivals()) == {"a.mrxs", "b.svs"}
    assert way_in.arrival("b.svs").state is QUEUED
    assert way_in.arrival("a.mrxs").state is state


def test_a_folder_that_is_moved_while_it_is_looked_at(
    way_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = sorted(put(way_in, name) for name in MIRAX)  # the order they are moved in
    way_in.settle()
    arrival = way_in.arrival("a.mrxs")
    become(way_in, arrival, ArrivalState.VERIFYING)
    walk = module.walk

    def racing(folder: Path) -> Any:
        """It is published before the folder is read, and released after."""
        with psycopg.connect(way_in.database._url) as connection:
            connection.execute(
                "update arrival set state = 'published', released = true where id = %s",
                [arrival.id],
            )
        for path in paths[:2]:
            path.unlink()
        return walk(folder)

    monkeypatch.setattr(module, "walk", racing)
    way_in.scan()
    assert len(way_in.all_arrivals()) == 1


def test_a_file_name_that_is_no_text_stops_nothing(
    way_in: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    way_in = way_in.with_settings(rescan_s=0.2)
    monkeypatch.setattr(module, "_PENDING_PAUSE_S", 0.02)
    before, after = os.fsdecode(b"secret\xff.svs"), "after.svs"

    async def watch() -> None:
        running = asyncio.ensure_future(way_in.watcher.run())
        for name in (before, after):
            await asyncio.sleep(0.5)
            put(way_in, name)
        for _ in range(500):
            await asyncio.sleep(0.02)
            assert not running.done(), "it was killed by a name"
            async with way_in.database.transaction(way_in.establishment_id) as connection:
                found = await module.arrivals.newest(connection, 5)
            if [arrival.state for arrival in found] == [QUEUED, QUEUED]:
                break
        else:
            pytest.fail("one of them was not taken")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    way_in.run(watch())
    assert "WatchfilesRustInternalError" in caplog.text
    assert "secret" not in caplog.text


def test_what_ends_the_watcher_is_told_without_a_file_name(
    settings: Any, url: str, here: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> bool:
        raise ValueError("secret.svs")

    monkeypatch.setattr(module.Watcher, "scan", fail)
    with pytest.raises(SgiError, match="ValueError") as caught:
        run(module.watch_drop_folder(settings, url))
    told = "".join(traceback.format_exception(caught.value))
    assert "secret" not in told
