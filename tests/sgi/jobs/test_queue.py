import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sgi.catalogue.database import Database
from sgi.jobs.queue import INGEST_QUEUE, PROCESS_ARRIVAL, defer_processing


@pytest.fixture
def jobs(run: Any, database: Database, here: Any) -> Any:
    """The jobs of an arrival."""

    async def read(arrival_id: uuid.UUID) -> list[Any]:
        async with database.transaction(here.id) as connection:
            cursor = await connection.execute(
                "select * from procrastinate_jobs where args ->> 'arrival_id' = %s",
                [str(arrival_id)],
            )
            return await cursor.fetchall()

    return lambda arrival_id: run(read(arrival_id))


def test_a_job_is_there_once_its_transaction_is(
    run: Any, database: Database, here: Any, jobs: Any
) -> None:
    arrival_id = uuid.uuid4()

    async def defer(*, fail: bool) -> None:
        async with database.transaction(here.id) as connection:
            await defer_processing(connection, here.id, arrival_id)
            if fail:
                raise InterruptedError

    with pytest.raises(InterruptedError):
        run(defer(fail=True))
    assert jobs(arrival_id) == []
    run(defer(fail=False))
    (job,) = jobs(arrival_id)
    assert (job["queue_name"], job["task_name"]) == (INGEST_QUEUE, PROCESS_ARRIVAL)
    assert job["args"] == {"arrival_id": str(arrival_id), "establishment_id": str(here.id)}
    assert job["lock"] == str(arrival_id), "two jobs of one arrival could run at once"
    assert (job["status"], job["scheduled_at"]) == ("todo", None)


def test_a_delayed_job(run: Any, database: Database, here: Any, jobs: Any) -> None:
    arrival_id = uuid.uuid4()

    async def defer() -> None:
        async with database.transaction(here.id) as connection:
            await defer_processing(connection, here.id, arrival_id, timedelta(minutes=3))

    before = datetime.now(UTC)
    run(defer())
    (job,) = jobs(arrival_id)
    assert timedelta(seconds=170) < job["scheduled_at"] - before < timedelta(seconds=190)
