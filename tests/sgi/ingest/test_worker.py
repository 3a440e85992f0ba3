import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sgi.domain.arrival import ArrivalState
from sgi.ingest import worker as module
from sgi.ingest.worker import reconcile
from sgi.stores import Stores
from sgi.worker import work as work_off


@pytest.fixture
def queued(way_in: Any, svs: Path) -> Any:
    shutil.copy(svs, way_in.drop / "a.svs")
    way_in.settle()
    return way_in.arrival("a.svs")


def put_right(way_in: Any, queue: Any) -> None:
    way_in.run(reconcile(way_in.ingest, queue.job_manager))


@pytest.mark.parametrize("status", ["failed", "succeeded", "aborted", "cancelled"])
@pytest.mark.parametrize("state", [ArrivalState.CONVERTING, ArrivalState.RETRYING])
def test_an_arrival_without_a_living_job_gets_one(
    way_in: Any, queue: Any, queued: Any, status: str, state: ArrivalState
) -> None:
    way_in.finish_jobs(queued, status)
    way_in.query("update arrival set state = %s where id = %s", state, queued.id)
    put_right(way_in, queue)
    assert len(way_in.jobs(queued)) == 1
    put_right(way_in, queue)
    assert len(way_in.jobs(queued)) == 1, "it has one now"


def test_an_arrival_with_a_job_keeps_it(way_in: Any, queue: Any, queued: Any) -> None:
    before = way_in.jobs(queued)
    put_right(way_in, queue)
    assert way_in.jobs(queued) == before


def test_what_waits_or_ended_needs_no_job(way_in: Any, queue: Any, queued: Any) -> None:
    way_in.finish_jobs(queued)
    for state in set(ArrivalState) - set(module.arrivals.IN_WORK):
        way_in.query(
            "update arrival set state = %s, released = true where id = %s", state, queued.id
        )
        put_right(way_in, queue)
        assert way_in.jobs(queued) == []


def owner(url: str, statement: str, *values: object) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode(), values)


def test_the_job_of_a_dead_worker_is_taken_over(
    way_in: Any, queue: Any, queued: Any, url: str
) -> None:
    for heartbeat, status in (("1 second", "doing"), ("1 hour", "todo")):
        owner(
            url,
            """with dead as (insert into procrastinate_workers (last_heartbeat)
                             values (now() - %s::interval) returning id)
               update procrastinate_jobs set status = 'doing', worker_id = (select id from dead)
               where lock = %s""",
            heartbeat,
            str(queued.id),
        )
        put_right(way_in, queue)
        (job,) = way_in.jobs(queued)
        assert job["status"] == status, heartbeat


def test_the_job_of_a_worker_that_was_swept_away_is_taken_over(
    way_in: Any, queue: Any, queued: Any, url: str
) -> None:
    owner(
        url,
        "update procrastinate_jobs set status = 'doing', worker_id = null where lock = %s",
        str(queued.id),
    )
    put_right(way_in, queue)
    (job,) = way_in.jobs(queued)
    assert job["status"] == "todo"


def test_originals_of_a_worker_that_died_after_publishing_are_released(
    way_in: Any, queue: Any, queued: Any
) -> None:
    way_in.query("update arrival set state = 'published' where id = %s", queued.id)
    put_right(way_in, queue)
    assert way_in.arrival("a.svs").released
    assert (way_in.drop / ".done" / "a.svs").exists()


def test_a_duplicate_is_released_too(way_in: Any, queue: Any, queued: Any) -> None:
    way_in.query("update arrival set state = 'published', released = true")
    shutil.copy(way_in.drop / "a.svs", way_in.drop / "b.svs")
    way_in.settle()
    assert way_in.arrival("b.svs").state is ArrivalState.DUPLICATE
    put_right(way_in, queue)
    assert (way_in.drop / ".done" / "b.svs").exists()
    assert (way_in.drop / "a.svs").exists()


def test_it_works_the_queue_off_until_it_is_stopped(
    way_in: Any, queued: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only this arrival: the other tests have left jobs behind.
    owner(
        url,
        "update procrastinate_jobs set status = 'cancelled' where status = 'todo' and lock <> %s",
        str(queued.id),
    )
    left = way_in.settings.work / f"conversion-{2**22 + 1}-left"
    (left / "deep").mkdir(parents=True)
    living = way_in.settings.work / f"conversion-{os.getpid()}-living"
    living.mkdir()

    async def work() -> None:
        working = asyncio.ensure_future(work_off(way_in.settings, url, Stores(way_in.store)))
        for _ in range(400):
            await asyncio.sleep(0.05)
            async with way_in.database.transaction(way_in.establishment_id) as connection:
                found = await module.arrivals.by_id(connection, queued.id)
            if found and found.released:
                break
        else:
            pytest.fail("nothing was done")
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(working, 20)

    before = signal.getsignal(signal.SIGTERM)
    try:
        way_in.run(work())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert way_in.arrival("a.svs").state is ArrivalState.PUBLISHED
    assert not left.exists(), "a dead worker's scratch files fill the disk"
    assert living.exists(), "another worker's scratch files"
