"""Transactions: they begin in one trip, and pass over connections that were lost in the pool."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sgi.catalogue import cases
from sgi.catalogue.database import Connection, Database
from sgi.errors import BusyError


@pytest.fixture
def opened(url: str, here: Any) -> Any:
    """A pool of its own, of two connections."""

    @asynccontextmanager
    async def opening() -> AsyncIterator[Database]:
        async with Database(url, size=2) as database:
            yield database

    return opening


async def asked(connection: Connection, question: str) -> Any:
    cursor = await connection.execute(question.encode())
    row = await cursor.fetchone()
    assert row is not None
    return next(iter(row.values()))


async def lose(database: Database, url: str, establishment: Any) -> None:
    """Every connection of the pool ends while it lies there."""
    async with AsyncExitStack() as stack:
        pids = [
            await asked(
                await stack.enter_async_context(database.transaction(establishment.id)),
                "select pg_backend_pid()",
            )
            for _ in range(2)
        ]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
        for pid in pids:
            await owner.execute("select pg_terminate_backend(%s, 5000)", [pid])


def test_connections_that_were_lost_are_passed_over(
    run: Any, url: str, opened: Any, here: Any
) -> None:
    async def after_all_were_lost() -> list[UUID]:
        async with opened() as database:
            await lose(database, url, here)
            found = []
            for _ in range(2):
                async with database.transaction(here.id) as connection:
                    named = await asked(connection, "select current_setting('sgi.establishment')")
                    found.append(UUID(named))
            return found

    assert run(after_all_were_lost()) == [here.id] * 2


def test_what_fails_is_undone_and_the_connection_serves_again(
    run: Any, opened: Any, here: Any
) -> None:
    async def fail(database: Database) -> None:
        async with database.transaction(here.id) as connection:
            await cases.ensure(connection, here.id, "26P1", datetime.now(UTC))
            await connection.execute("select 1 / 0")

    async def act() -> tuple[int, str]:
        async with opened() as database:
            with pytest.raises(psycopg.errors.DivisionByZero):
                await fail(database)
            async with database.transaction(here.id) as connection:
                left = await asked(connection, "select count(*) from lab_case")
            async with database.anonymous() as connection:
                nobody = await asked(
                    connection, "select coalesce(current_setting('sgi.establishment', true), '')"
                )
            return left, nobody

    assert run(act()) == (0, "")


def test_a_connection_that_nobody_waits_for_any_more_goes_back(
    run: Any, opened: Any, here: Any
) -> None:
    async def act() -> None:
        async with opened() as database:

            async def wait() -> None:
                async with database.transaction(here.id) as connection:
                    await connection.execute("select pg_sleep(20)")

            for _ in range(3):
                waiting = asyncio.create_task(wait())
                await asyncio.sleep(0.05)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            async with AsyncExitStack() as stack:
                for _ in range(2):
                    await stack.enter_async_context(database.transaction(here.id))

    run(act())


def test_a_turn_waits_for_who_has_its_locks(run: Any, opened: Any, here: Any) -> None:
    order = []

    async def act() -> None:
        async with opened() as database:

            async def second() -> None:
                async with database.turn(here.id, [9, -3, 7]) as connection:
                    order.append("second")
                    named = await asked(connection, "select current_setting('sgi.establishment')")
                    assert UUID(named) == here.id

            async with database.turn(here.id, [7, 7, -3]):
                waiting = asyncio.create_task(second())
                await asyncio.sleep(0.2)
                order.append("first")
            await waiting

    run(act())
    assert order == ["first", "second"]


def test_a_turn_that_does_not_come_says_so_and_leaves_nothing(
    run: Any, opened: Any, here: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def act() -> int:
        async with opened() as database, database.turn(here.id, [1]):
            async with database.anonymous() as hasty:
                await hasty.execute("set session statement_timeout = '100ms'")
            with pytest.raises(BusyError):
                async with database.turn(here.id, [1]):
                    pass
            async with database.transaction(here.id) as connection:
                return int(await asked(connection, "select 1"))

    assert run(act()) == 1
    assert not caplog.records
