import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sgi.catalogue import arrivals
from sgi.catalogue.database import Database
from sgi.domain.arrival import (
    IN_WORK,
    STOPPED,
    ArrivalState,
    Fingerprint,
    FoundFile,
    Reason,
    ReasonCode,
)

BEING_WRITTEN = Reason(ReasonCode.BEING_WRITTEN)
PARTS = [FoundFile(Path("/drop/a.mrxs"), 1, 1), FoundFile(Path("/drop/a/1"), 2, 3)]
ENDED = {ArrivalState.PUBLISHED, ArrivalState.DUPLICATE, ArrivalState.VANISHED}


@pytest.fixture
def in_here(run: Any, database: Database, here: Any) -> Callable[..., Any]:
    """Calls a function of the catalogue in a transaction of its own."""

    async def call(function: Any, *arguments: Any) -> Any:
        async with database.transaction(here.id) as connection:
            return await function(connection, *arguments)

    return lambda *arguments: run(call(*arguments))


def test_every_state_is_waiting_in_work_stopped_or_ended() -> None:
    groups = [{ArrivalState.WAITING}, IN_WORK, STOPPED, ENDED]
    assert frozenset().union(*groups) == set(ArrivalState)
    assert sum(map(len, groups)) == len(ArrivalState)


@pytest.mark.parametrize(
    "name",
    [
        b"slide.svs",
        "😐 é.svs".encode(),
        b"two\nlines.svs",
        b"\xff\xfe.svs",
        b"a" * 250,
        b"'--;.svs",
    ],
)
def test_a_name_of_any_bytes(in_here: Any, here: Any, name: bytes) -> None:
    path = Path(os.fsdecode(b"/drop/" + name))
    seen = in_here(arrivals.observe, here.id, path, Fingerprint(5, 2**62), BEING_WRITTEN)
    assert seen.source_path == path
    assert seen.fingerprint == Fingerprint(5, 2**62)
    assert seen.file_name == name.decode(errors="replace")
    assert in_here(arrivals.live_at, path) == seen
    assert in_here(arrivals.latest_at, path) == seen
    assert in_here(arrivals.known, Path("/drop"), []) == {path: seen}
    assert in_here(arrivals.known, Path("/dro"), []) == {}
    assert in_here(arrivals.known, Path("/dro"), [path]) == {path: seen}
    assert in_here(arrivals.known, Path("/drop/sl%"), []) == {}
    parts = [FoundFile(path, 3, 2**62), FoundFile(path.parent / "Slidedat.ini", 4, 5)]
    assert in_here(arrivals.queue, seen.id, parts, os.urandom(32))
    queued = in_here(arrivals.by_id, seen.id)
    assert queued.parts == tuple(parts)
    assert queued.fingerprint == Fingerprint(7, 2**62)


def test_the_same_path_twice_is_one_row(in_here: Any, here: Any) -> None:
    path = Path("/drop/slide.svs")
    first = in_here(arrivals.observe, here.id, path, Fingerprint(1, 1), BEING_WRITTEN)
    again = in_here(arrivals.observe, here.id, path, Fingerprint(2, 2), BEING_WRITTEN)
    assert again.id == first.id
    assert again.slide_id == first.slide_id
    assert again.fingerprint == Fingerprint(2, 2)
    assert len(in_here(arrivals.newest, 10)) == 1


@pytest.mark.parametrize("state", ArrivalState)
def test_seen_again_in_every_state(
    in_here: Any, here: Any, arrive: Callable[..., Any], state: ArrivalState
) -> None:
    before = arrive(here, state)
    after = in_here(arrivals.observe, here.id, before.source_path, Fingerprint(9, 9), BEING_WRITTEN)
    if state in IN_WORK:
        assert after == before, "a job owns it"
    elif state in ENDED:
        assert after.id != before.id, "a new file under an old name is a new arrival"
        assert after.slide_id != before.slide_id
        assert in_here(arrivals.by_id, before.id) == before
    else:
        assert after.id == before.id
        assert (after.state, after.fingerprint) == (ArrivalState.WAITING, Fingerprint(9, 9))


@pytest.mark.parametrize("state", ArrivalState)
def test_only_what_waits_is_queued(
    in_here: Any, here: Any, arrive: Callable[..., Any], state: ArrivalState
) -> None:
    arrival = arrive(here, state)
    queued = in_here(arrivals.queue, arrival.id, PARTS, os.urandom(32))
    assert queued == (state is ArrivalState.WAITING)
    after = in_here(arrivals.by_id, arrival.id)
    assert after.state is (ArrivalState.QUEUED if queued else state)


@pytest.mark.parametrize("state", ArrivalState)
def test_only_what_is_in_work_advances_and_is_published(
    in_here: Any, here: Any, arrive: Callable[..., Any], state: ArrivalState
) -> None:
    arrival = arrive(here, state)
    advanced = in_here(arrivals.advance, arrival.id, ArrivalState.VERIFYING, 0.9)
    assert advanced == (state in IN_WORK)
    assert in_here(arrivals.mark_published, arrival.id) == (state in IN_WORK)
    assert not in_here(arrivals.mark_published, arrival.id), "twice"


@pytest.mark.parametrize("state", ArrivalState)
def test_nothing_stops_what_is_published(
    in_here: Any, here: Any, arrive: Callable[..., Any], state: ArrivalState
) -> None:
    arrival = arrive(here, state)
    reason = Reason(ReasonCode.INTERNAL, "detail")
    in_here(arrivals.stop, arrival.id, ArrivalState.HELD, reason)
    after = in_here(arrivals.by_id, arrival.id)
    if state in {ArrivalState.PUBLISHED, ArrivalState.DUPLICATE}:
        assert after == arrival
    else:
        assert (after.state, after.reason) == (ArrivalState.HELD, reason)


@pytest.mark.parametrize("state", ArrivalState)
def test_a_person_can_ask_again_for_what_stopped(
    in_here: Any, here: Any, arrive: Callable[..., Any], state: ArrivalState
) -> None:
    arrival = arrive(here, state)
    assert in_here(arrivals.look_again, arrival.id) == (state in STOPPED)
    after = in_here(arrivals.by_id, arrival.id)
    assert after.state is (ArrivalState.WAITING if state in STOPPED else state)


def test_attempts_count_conversions(in_here: Any, here: Any, arrive: Callable[..., Any]) -> None:
    arrival = arrive(here)
    in_here(arrivals.queue, arrival.id, PARTS, os.urandom(32))
    for attempt in (1, 2, 3):
        for progress in (0.0, 0.3, 0.6):
            in_here(arrivals.advance, arrival.id, ArrivalState.CONVERTING, progress)
        in_here(arrivals.advance, arrival.id, ArrivalState.VERIFYING, 0.9)
        assert in_here(arrivals.by_id, arrival.id).attempts == attempt
        in_here(arrivals.stop, arrival.id, ArrivalState.RETRYING, Reason(ReasonCode.DISK_FULL))


@pytest.mark.parametrize("state", sorted(IN_WORK | {ArrivalState.PUBLISHED}))
def test_the_same_content_twice_is_refused(
    in_here: Any, run: Any, database: Database, here: Any, arrive: Any, state: ArrivalState
) -> None:
    content = os.urandom(32)
    first, second = arrive(here), arrive(here)
    assert in_here(arrivals.queue, first.id, PARTS, content)

    async def become() -> None:
        async with database.transaction(here.id) as connection:
            await connection.execute(
                "update arrival set state = %s where id = %s", [state, first.id]
            )

    run(become())
    assert in_here(arrivals.content_in_use, content).id == first.id
    with pytest.raises(psycopg.errors.UniqueViolation):
        in_here(arrivals.queue, second.id, PARTS, content)
    in_here(arrivals.mark_duplicate, second.id, PARTS, content, first.slide_id)
    after = in_here(arrivals.by_id, second.id)
    assert after.state is ArrivalState.DUPLICATE
    assert after.reason == Reason(ReasonCode.ALREADY_A_SLIDE, str(first.slide_id))


def test_content_of_a_held_file_may_come_again(in_here: Any, here: Any, arrive: Any) -> None:
    content = os.urandom(32)
    first, second = arrive(here), arrive(here)
    in_here(arrivals.queue, first.id, PARTS, content)
    in_here(arrivals.stop, first.id, ArrivalState.HELD, Reason(ReasonCode.INTERNAL))
    assert in_here(arrivals.content_in_use, content) is None
    assert in_here(arrivals.queue, second.id, PARTS, content)


def test_the_list_has_the_newest_and_all_that_needs_somebody(
    in_here: Any, here: Any, arrive: Any
) -> None:
    held = arrive(here, ArrivalState.HELD)
    waiting = arrive(here)
    published = [arrive(here, ArrivalState.PUBLISHED) for _ in range(3)]
    found = [arrival.id for arrival in in_here(arrivals.newest, 2)]
    assert found == [published[2].id, published[1].id, waiting.id, held.id]


def test_explaining_is_silent_when_nothing_changed(
    in_here: Any, run: Any, database: Database, here: Any, arrive: Any
) -> None:
    arrival = arrive(here)

    async def touched() -> Any:
        async with database.transaction(here.id) as connection:
            cursor = await connection.execute(
                "select updated_at from arrival where id = %s", [arrival.id]
            )
            row = await cursor.fetchone()
            assert row
            return row["updated_at"]

    missing = Reason(ReasonCode.COMPANION_MISSING, "a folder")
    before = run(touched())
    in_here(arrivals.explain, arrival.id, missing)
    after = run(touched())
    assert after > before
    in_here(arrivals.explain, arrival.id, missing)
    assert run(touched()) == after
    assert in_here(arrivals.by_id, arrival.id).reason == missing


def test_nothing_is_there_for_an_unknown_id(in_here: Any) -> None:
    unknown = uuid.uuid4()
    assert in_here(arrivals.by_id, unknown) is None
    assert not in_here(arrivals.look_again, unknown)
    assert not in_here(arrivals.advance, unknown, ArrivalState.CONVERTING, 0.0)
    assert not in_here(arrivals.mark_published, unknown)


def test_what_ended_is_read_only_when_it_is_asked_for(in_here: Any, here: Any, arrive: Any) -> None:
    found = {state: arrive(here, state, path=Path(f"/drop/{state}")) for state in ArrivalState}
    live = {found[state].source_path: found[state] for state in set(ArrivalState) - ENDED}
    assert in_here(arrivals.known, Path("/drop"), []) == live
    asked = found[ArrivalState.PUBLISHED]
    more = live | {asked.source_path: asked}
    assert in_here(arrivals.known, Path("/drop"), [asked.source_path, Path("/no")]) == more


def test_the_newest_arrival_of_a_path_is_known(in_here: Any, here: Any, arrive: Any) -> None:
    path = Path("/drop/a.svs")
    arrive(here, ArrivalState.PUBLISHED, path=path)
    newer = arrive(here, ArrivalState.VANISHED, path=path)
    assert in_here(arrivals.known, Path("/drop"), [path]) == {path: newer}


@pytest.mark.parametrize("state", ArrivalState)
def test_files_are_owned_until_they_are_released(
    in_here: Any, here: Any, arrive: Any, state: ArrivalState
) -> None:
    arrival = arrive(here)
    in_here(arrivals.queue, arrival.id, PARTS, os.urandom(32))
    in_here(become, arrival.id, state)
    owned = state in IN_WORK | {ArrivalState.PUBLISHED, ArrivalState.DUPLICATE}
    assert in_here(arrivals.owned_files) == ({part.path for part in PARTS} if owned else set())
    if state in ENDED:
        in_here(arrivals.mark_released, arrival.id)
        assert in_here(arrivals.owned_files) == set()


async def become(connection: Any, arrival_id: uuid.UUID, state: ArrivalState) -> None:
    await connection.execute("update arrival set state = %s where id = %s", [state, arrival_id])
