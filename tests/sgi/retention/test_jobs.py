"""The jobs of retention under a real worker: none ever stands in another's way for long."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue import attachments, holds, patient_days
from sgi.catalogue.database import Database
from sgi.domain.identification import How
from sgi.domain.retention import DestructionState, kept_until
from sgi.domain.slide import Slide
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import KEEPING_QUEUE, open_queue
from sgi.jobs.retention import defer_protection, protect_again
from sgi.retention import tasks
from sgi.retention.tasks import register, resume
from sgi.settings import Settings
from sgi.stored.keys import slide_folder
from sgi.stores import Stores
from storage.errors import StoreRefusedError, StoreUnavailableError
from storage.memory import MemoryObjectStore


@pytest.fixture
def keeping(url: str, settings: Settings, database: Database) -> Keeping:
    """With a queue that nobody else has left anything in."""
    with psycopg.connect(url) as owner:
        owner.execute("delete from procrastinate_jobs")
    return Keeping(settings, database, Stores(MemoryObjectStore()))


@pytest.fixture
def work_off(run: Any, url: str, keeping: Keeping) -> Callable[[], None]:
    """A worker works at all that is due, and ends."""

    async def work() -> None:
        queue = open_queue(url)
        async with queue.open_async():
            register(queue, keeping)
            queue.periodic_registry.periodic_tasks.clear()
            await queue.run_worker_async(
                queues=[KEEPING_QUEUE],
                wait=False,
                install_signal_handlers=False,
                listen_notify=False,
            )

    return lambda: run(work())


@pytest.fixture
def waiting(url: str, slide: Slide) -> Callable[[], list[Any]]:
    """The slide's jobs that nobody works at: task, lock, and how long they are still to wait."""

    def read() -> list[Any]:
        with psycopg.connect(url) as owner:
            return owner.execute(
                """select task_name, lock, scheduled_at - now() from procrastinate_jobs
                   where status = 'todo' and lock like %s order by id""",
                [f"%{slide.id}"],
            ).fetchall()

    return read


def test_a_protection_that_waits_for_its_store_holds_up_no_destruction(
    run: Any,
    database: Database,
    keeping: Keeping,
    work_off: Callable[[], None],
    waiting: Callable[[], list[Any]],
    slide: Slide,
    approve: Any,
    here: Any,
    state_of: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def protect(*_: object) -> None:
        raise StoreUnavailableError("It does not answer.")

    async def defer() -> None:
        async with database.transaction(here.id) as connection:
            await defer_protection(connection, here.id, slide.id)

    monkeypatch.setattr(tasks, "protect_slide", protect)
    run(defer())
    work_off()
    ((name, _, pause),) = waiting()
    assert name == "sgi.protect_slide"
    assert pause < timedelta(minutes=6)
    approved = approve(slide)
    run(resume(keeping))
    work_off()
    assert state_of(here.id, approved.id).state is DestructionState.DONE


def test_a_new_protection_does_not_wait_behind_an_older_one_that_waits(
    run: Any,
    database: Database,
    work_off: Callable[[], None],
    slide: Slide,
    here: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[object] = []

    async def protect(*_: object) -> None:
        tried.append(None)
        if len(tried) == 1:
            raise StoreUnavailableError("It does not answer.")

    async def defer() -> None:
        async with database.transaction(here.id) as connection:
            await defer_protection(connection, here.id, slide.id)

    monkeypatch.setattr(tasks, "protect_slide", protect)
    run(defer())
    work_off()
    assert len(tried) == 1, "the next try waits"
    for _ in range(3):
        run(defer())
    work_off()
    assert len(tried) == 2, "it does no longer, and is the one for all"


def test_a_store_that_is_away_keeps_a_hold_off_no_other(
    run: Any,
    database: Database,
    settings: Any,
    slide: Slide,
    here: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stores = Stores(MemoryObjectStore(), MemoryObjectStore(), MemoryObjectStore())
    put: list[tuple[str, object]] = []

    def hold(store: object, *_: object, **__: object) -> int:
        put.append(("hold", store))
        if store is stores.cold:
            raise StoreUnavailableError("It does not answer.")
        return 1

    def retain(store: object, *_: object) -> int:
        put.append(("retain", store))
        return 1

    monkeypatch.setattr(tasks, "hold_objects", hold)
    monkeypatch.setattr(tasks, "retain_objects", retain)
    with pytest.raises(StoreUnavailableError):
        run(tasks.protect_slide(Keeping(settings, database, stores), here.id, slide.id))
    assert put == [
        ("hold", stores.warm),
        ("hold", stores.cold),
        ("hold", stores.second),
        ("retain", stores.cold),
    ]


def test_what_is_not_due_has_no_job(
    run: Any, keeping: Keeping, waiting: Callable[[], list[Any]], slide: Slide, approve: Any
) -> None:
    approve(slide, timedelta(days=7))
    run(resume(keeping))
    assert waiting() == []


def test_what_appears_after_a_hold_is_held_too(
    run: Any,
    database: Database,
    keeping: Keeping,
    waiting: Callable[[], list[Any]],
    slide: Slide,
    here: Any,
) -> None:
    async def appear() -> None:
        async with database.transaction(here.id) as connection:
            await protect_again(connection, here.id, slide.id)

    async def hold() -> None:
        async with database.transaction(here.id) as connection:
            await holds.place(connection, here.id, slide.id, "a lawsuit", "somebody")

    run(appear())
    assert waiting() == [], "nothing holds it"
    run(hold())
    run(appear())
    assert [name for name, *_ in waiting()] == ["sgi.protect_slide"]


def test_the_last_look_is_found_again_until_it_succeeds(
    run: Any,
    url: str,
    keeping: Keeping,
    work_off: Callable[[], None],
    waiting: Callable[[], list[Any]],
    slide: Slide,
    approve: Any,
    here: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    approved = approve(slide)
    run(resume(keeping))
    work_off()
    assert waiting() == [], "nothing waits a day in the queue"
    run(resume(keeping))
    assert waiting() == [], "not on the same day"
    with psycopg.connect(url) as owner:
        owner.execute("set session_replication_role = replica")  # past the triggers
        owner.execute(
            "update destruction set done_at = now() - interval '25 hours' where id = %s",
            [approved.id],
        )
    came_back = f"{slide_folder(slide.id)}1.2.3.dcm"
    warm = keeping.stores.warm
    warm.put(came_back, b"a copy was under way")
    with monkeypatch.context() as patch:
        patch.setattr(warm, "delete", refuse)
        run(resume(keeping))
        work_off()
    assert [info.key for info in warm.list(slide_folder(slide.id))] == [came_back]
    run(resume(keeping))
    assert [name for name, *_ in waiting()] == ["sgi.destroy_slide"], "found again"
    work_off()
    assert list(warm.list(slide_folder(slide.id))) == []
    run(resume(keeping))
    assert waiting() == []


def test_what_stops_a_destruction_is_told_until_it_goes_on(
    run: Any,
    keeping: Keeping,
    work_off: Callable[[], None],
    slide: Slide,
    approve: Any,
    here: Any,
    state_of: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    approved = approve(slide)
    keeping.stores.warm.put(f"{slide_folder(slide.id)}1.2.3.dcm", b"pixels")
    with monkeypatch.context() as patch:
        patch.setattr(keeping.stores.warm, "delete", refuse)
        run(resume(keeping))
        work_off()
    stopped = state_of(here.id, approved.id)
    assert stopped.state is DestructionState.DESTROYING
    assert stopped.failure == "The store refused: look at its rights."
    run(resume(keeping))
    work_off()
    ended = state_of(here.id, approved.id)
    assert (ended.state, ended.failure) == (DestructionState.DONE, None)


def refuse(key: str) -> None:
    raise StoreRefusedError("The store refused: look at its rights.")


def test_what_is_said_of_the_patient_prolongs_the_locks_of_cold_slides(
    run: Any,
    database: Database,
    keeping: Keeping,
    slide: Slide,
    here: Any,
    url: str,
    laboratory: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Any] = []
    cold = MemoryObjectStore()
    with psycopg.connect(url) as owner:  # the job is everybody's
        owner.execute("delete from retention_due")
    monkeypatch.setattr(tasks, "retain_objects", lambda *args: told.append(args) or 1)
    keeping = replace(keeping, stores=replace(keeping.stores, cold=cold))
    lab = laboratory(here)
    patient_id = lab.patient()
    lab.case("05P1", patient_id)
    glass_id = lab.asset("05P1.A", accession_number="05P1")
    lab.do(lambda c: attachments.attach(c, here.id, slide.id, glass_id, How.PERSON))
    run(tasks.prolong(keeping))
    assert told == [], "a warm one has no lock"
    with psycopg.connect(url) as owner:
        owner.execute(
            "update instance set tier = 'cold', cold_size_bytes = 1 where slide_id = %s", [slide.id]
        )
    today = datetime.now(UTC).date()
    lab.do(lambda c: patient_days.hear(c, here.id, patient_id, stay=today))

    def refuse(*_: object) -> int:
        raise StoreUnavailableError("away")

    with monkeypatch.context() as away:
        away.setattr(tasks, "retain_objects", refuse)
        with pytest.raises(StoreUnavailableError):
            run(tasks.prolong(keeping))
    run(tasks.prolong(keeping))
    assert told == [(cold, slide.id, kept_until(today, 20))]
    run(tasks.prolong(keeping))
    lab.case("26P2", patient_id)
    assert len(told) == 1, "nobody said anything"
    run(tasks.prolong(keeping))
    assert len(told) == 2
