"""Interfaces and what went through them, by numbers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sgi.catalogue import interfaces, messages
from sgi.catalogue.database import Connection, Database
from sgi.catalogue.messages import MessageKeys, ToKeep
from sgi.domain.interface import Direction, NoticeKind, Outcome

SENDS = frozenset({NoticeKind.IMAGE, NoticeKind.CASE})


async def keep(
    connection: Connection, establishment: Any, raw: bytes, direction: Direction, outcome: Outcome
) -> None:
    message = ToKeep("sgl", direction, raw, MessageKeys("C"), outcome)
    await messages.keep(connection, establishment.id, message)


def test_an_interface_is_what_its_process_said_last(
    run: Any, database: Database, here: Any, there: Any
) -> None:
    async def register() -> list[Any]:
        async with database.transaction(there.id) as connection:
            await interfaces.register(connection, there.id, "sgl", "mllp", 1, SENDS)
        async with database.transaction(here.id) as connection:
            assert await interfaces.all_(connection) == []
            await interfaces.register(connection, here.id, "sgl", "mllp", 2575, SENDS)
            await interfaces.register(connection, here.id, "sgl", "mllp", 2576, ())
            await interfaces.register(connection, here.id, "a", "files", None, SENDS)
            return await interfaces.all_(connection)

    (first, traffic), (second, _) = run(register())
    assert (first.name, first.kind, first.port, first.sends) == ("a", "files", None, SENDS)
    assert (second.name, second.port, second.sends) == ("sgl", 2576, frozenset())
    assert abs(datetime.now(UTC) - first.seen_at) < timedelta(minutes=1)
    assert (traffic.last_in_at, traffic.last_out_at) == (None, None)
    assert (traffic.refused_today, traffic.backlog, traffic.oldest_at) == (0, 0, None)


def test_what_went_through_is_counted(run: Any, database: Database, here: Any) -> None:
    async def fill() -> tuple[Any, Any]:
        async with database.transaction(here.id) as connection:
            await interfaces.register(connection, here.id, "sgl", "mllp", 2575, SENDS)
            await keep(connection, here, b"1", Direction.IN, Outcome.APPLIED)
            await keep(connection, here, b"2", Direction.IN, Outcome.REFUSED)
            await keep(connection, here, b"3", Direction.OUT, Outcome.REFUSED)
            for state in ("waiting", "sent", "refused", "dead", "accepted", "given_up"):
                await connection.execute(
                    """insert into outbox (establishment_id, interface, kind, case_id, state)
                       values (%s, 'sgl', 'ORU', gen_random_uuid(), %s)""",
                    [here.id, state],
                )
            figures = await interfaces.figures(connection)
            ((_, traffic),) = await interfaces.all_(connection)
            return traffic, figures

    traffic, figures = run(fill())
    assert traffic.last_in_at < traffic.last_out_at
    assert (traffic.refused_today, traffic.backlog, traffic.stopped) == (2, 2, 2)
    assert traffic.oldest_at is not None
    assert {"in", "out"} <= {row["direction"] for row in figures["messages"]}
    assert {"waiting", "sent", "refused", "dead"} == {row["state"] for row in figures["notices"]}


def test_only_what_could_be_told_is_behind(run: Any, database: Database, here: Any) -> None:
    """What waits for the laboratory's word of a slide is no sign that it does not answer."""

    async def fill() -> list[Any]:
        found = []
        async with database.transaction(here.id) as connection:
            await interfaces.register(connection, here.id, "sgl", "mllp", 2575, SENDS)
            lone, ready = uuid4(), uuid4()
            for glass_id, days, error in (
                (lone, 3, "The laboratory has not said which case the slide is of."),
                (lone, 2, None),  # behind it
                (ready, 1, None),
            ):
                await connection.execute(
                    """insert into outbox (establishment_id, interface, kind, glass_id, slide_id,
                           is_available, last_error, created_at)
                       values (%s, 'sgl', 'LAB-104', %s, gen_random_uuid(), false, %s,
                           now() - make_interval(days => %s))""",
                    [here.id, glass_id, error, days],
                )
                found += await interfaces.all_(connection)
            found.append((None, await interfaces.now(connection)))
        return [traffic for _, traffic in found]

    held, both, behind, now = run(fill())
    assert (held.oldest_at, held.backlog) == (None, 1)
    assert (both.oldest_at, both.backlog) == (None, 2)
    assert (behind.oldest_at, behind.backlog) == (now - timedelta(days=1), 3)
