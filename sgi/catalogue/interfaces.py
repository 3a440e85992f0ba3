"""Interfaces as their processes say they are: what the outbox and the health page ask for."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.outbox_turns import waits_here
from sgi.domain.interface import PROCESS_SILENT_S, Interface, NoticeKind, Traffic
from sgi.errors import ConflictError, NotFoundError

_REMOVED = "Its interface was removed."


async def register(
    connection: Connection,
    establishment_id: UUID,
    name: str,
    kind: str,
    port: int | None,
    sends: Collection[NoticeKind],
) -> None:
    """An interface is served, as its file says now: a sign of life too."""
    await connection.execute(
        """insert into interface (establishment_id, name, kind, port, sends)
           values (%s, %s, %s, %s, %s)
           on conflict (establishment_id, name) do update
           set kind = excluded.kind, port = excluded.port, sends = excluded.sends, seen_at = now()
        """,
        [establishment_id, name, kind, port, sorted(sends)],
    )


async def told(connection: Connection) -> frozenset[NoticeKind]:
    """What at least one interface of the establishment tells the laboratory."""
    cursor = await connection.execute("select distinct unnest(sends) as kind from interface")
    return frozenset(NoticeKind(row["kind"]) for row in await cursor.fetchall())


async def remove(connection: Connection, name: str) -> None:
    """Forget one that nobody serves any more; what it was still to tell is given up.

    Its messages stay, and it is here again as soon as a process serves it. Raises NotFoundError
    where there is none of the name, ConflictError for one whose process gives signs of life.
    """
    cursor = await connection.execute(
        """with known as (select * from interface where name = %(name)s for update),
           gone as (delete from interface i using known
                    where i.establishment_id = known.establishment_id and i.name = known.name
                        and known.seen_at < now() - %(silent)s
                    returning i.name)
           select exists (select from known) as known, exists (select from gone) as gone""",
        {"name": name, "silent": timedelta(seconds=PROCESS_SILENT_S)},
    )
    row = await cursor.fetchone()
    if row is None or not row["known"]:
        raise NotFoundError("There is no such interface.")
    if not row["gone"]:
        raise ConflictError("The interface runs; remove its file and start sgi hl7 again first.")
    await connection.execute(
        """update outbox set state = 'given_up', last_error = %s, ended_at = now()
           where interface = %s and state in ('waiting', 'sent', 'refused', 'dead')""",
        [_REMOVED, name],
    )


async def all_(connection: Connection) -> list[tuple[Interface, Traffic]]:
    """Every interface of the establishment with what went through it, by name."""
    cursor = await connection.execute(
        f"""select i.*, last_in.received_at as last_in_at, last_out.received_at as last_out_at,
               refused.n as refused_today, coalesce(waiting.n, 0) as backlog,
               oldest.created_at as oldest_at, coalesce(stopped.n, 0) as stopped
           from interface i
           left join lateral (
               select received_at from message m where m.establishment_id = i.establishment_id
                   and m.interface = i.name and m.direction = 'in'
               order by received_at desc limit 1) last_in on true
           left join lateral (
               select received_at from message m where m.establishment_id = i.establishment_id
                   and m.interface = i.name and m.direction = 'out'
               order by received_at desc limit 1) last_out on true
           left join lateral (
               select count(*) as n from message m where m.establishment_id = i.establishment_id
                   and m.interface = i.name and m.outcome = 'refused'
                   and m.received_at > now() - interval '1 day') refused on true
           left join lateral (
               select count(*) as n from outbox o
               where o.establishment_id = i.establishment_id and o.interface = i.name
                   and o.state in ('waiting', 'sent')) waiting on true
           left join lateral (
               select o.created_at from outbox o
               where o.establishment_id = i.establishment_id and o.interface = i.name
                   and o.state in ('waiting', 'sent') and not {waits_here("o")}
               order by o.number limit 1) oldest on true
           left join lateral (
               select count(*) as n from outbox o
               where o.establishment_id = i.establishment_id and o.interface = i.name
                   and o.state in ('refused', 'dead')) stopped on true
           order by i.name"""  # noqa: S608 - our own text
    )
    return [(_interface(row), _traffic(row)) for row in await cursor.fetchall()]


async def now(connection: Connection) -> datetime:
    """The database's clock, by which signs of life are told."""
    cursor = await connection.execute("select now() as now")
    row = await cursor.fetchone()
    assert row is not None, "select gives a row"  # noqa: S101 - for the checker
    at: datetime = row["now"]
    return at


async def figures(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Of all establishments together, numbers alone, for a monitor that is nobody's."""
    messages = await connection.execute("select * from message_figures()")
    notices = await connection.execute("select * from outbox_figures()")
    return {"messages": await messages.fetchall(), "notices": await notices.fetchall()}


def _interface(row: dict[str, Any]) -> Interface:
    return Interface(
        name=row["name"],
        kind=row["kind"],
        port=row["port"],
        sends=frozenset(NoticeKind(kind) for kind in row["sends"]),
        seen_at=row["seen_at"],
    )


def _traffic(row: dict[str, Any]) -> Traffic:
    return Traffic(
        last_in_at=row["last_in_at"],
        last_out_at=row["last_out_at"],
        refused_today=row["refused_today"],
        backlog=row["backlog"],
        oldest_at=row["oldest_at"],
        stopped=row["stopped"],
    )
