"""The pool of connections, and the wall: every transaction names its establishment.

Every connection works as the role `sgi_app`, which owns nothing, so row-level security holds
whoever logged in. Outside `transaction` no establishment is set and no tenant row is visible.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self
from uuid import UUID

from psycopg import AsyncConnection, OperationalError, sql
from psycopg.errors import QueryCanceled
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from sgi.errors import BusyError

Connection = AsyncConnection[DictRow]

_OPEN = b"begin; select set_config('sgi.establishment', '%s', true)"
_DURABLE = b"""; select set_config('synchronous_commit',
    coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), true)"""
_TURN = b"; select pg_advisory_xact_lock(key) from unnest('{%s}'::bigint[]) as key"


class Database:
    """An open catalogue; use it as an asynchronous context manager.

    `url` is a PostgreSQL connection string; `size` the largest number of connections. `plans_once`
    is for who asks the same few questions by key all day: each is planned once and not anew for
    what it is asked with, which costs messages a third of the database's time.
    """

    def __init__(self, url: str, size: int = 8, *, plans_once: bool = False) -> None:
        self._url = url
        self._size = size
        self._plans_once = plans_once
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[DictRow],
            # Transactions begin with the statement that opens them, see `_begun`.
            kwargs={"row_factory": dict_row, "application_name": "sgi", "autocommit": True},
            configure=self._work_as_application,
            min_size=1,
            max_size=size,
            timeout=10,
            open=False,
        )

    async def _work_as_application(self, connection: Connection) -> None:
        await connection.execute("set role sgi_app")
        await connection.execute("set statement_timeout = '30s'")
        if self._plans_once:
            await connection.execute("set plan_cache_mode = force_generic_plan")

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=True, timeout=30)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self, establishment_id: UUID) -> AsyncIterator[Connection]:
        """One transaction that sees and writes the rows of one establishment only."""
        async with self._open(_OPEN % establishment_id.hex.encode()) as connection:
            yield connection

    @asynccontextmanager
    async def turn(self, establishment_id: UUID, locks: Iterable[int]) -> AsyncIterator[Connection]:
        """As `transaction`, once nobody else has any of these locks: they are its own to the end.

        They are taken at once and in order, so that nobody waits for somebody who waits for them.
        What it commits is durable, however the database is set. Raises BusyError where others have
        held one for too long.
        """
        numbers = b",".join(b"%d" % each for each in sorted(set(locks)))
        opening = _OPEN % establishment_id.hex.encode() + _DURABLE + _TURN % numbers
        async with self._open(opening) as connection:
            yield connection

    @asynccontextmanager
    async def anonymous(self) -> AsyncIterator[Connection]:
        """One transaction before the establishment is known: only the door functions answer."""
        async with self._open(b"begin") as connection:
            yield connection

    @asynccontextmanager
    async def _open(self, opening: bytes) -> AsyncIterator[Connection]:
        connection = await self._begun(opening)
        try:
            async with connection:  # commits or rolls back, and leaves it open for the pool
                yield connection
        finally:
            await self._pool.putconn(connection)

    async def _begun(self, opening: bytes) -> Connection:
        """A connection in a transaction; those that were lost in the pool are passed over.

        One trip to the database finds out, begins and names the establishment.
        """
        for spare in reversed(range(self._size + 1)):
            connection = await self._pool.getconn()
            try:
                await connection.execute(opening, prepare=False)
            except BaseException as error:
                is_lost = isinstance(error, OperationalError) and connection.closed
                await self._returned(connection)
                if isinstance(error, QueryCanceled):
                    raise BusyError("Others held the same for too long; try again.") from error
                if not (is_lost and spare):
                    raise
            else:
                return connection
        raise AssertionError("the last either begins or raises")

    async def _returned(self, connection: Connection) -> None:
        """To the pool, out of the transaction that did not begin whole."""
        try:
            if not connection.closed:
                await connection.rollback()
        finally:
            await self._pool.putconn(connection)

    async def listen(self, *channels: str) -> AsyncIterator[tuple[str, str]]:
        """Yield `(channel, payload)` of every notification, on a connection of its own.

        The first pair is `("", "")`: from then on nothing is missed. Ends with
        `psycopg.OperationalError` when the connection is lost.
        """
        connection = await AsyncConnection.connect(
            self._url, autocommit=True, application_name="sgi-listen"
        )
        async with connection:
            for channel in channels:
                await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            yield "", ""
            async for notification in connection.notifies():
                yield notification.channel, notification.payload
