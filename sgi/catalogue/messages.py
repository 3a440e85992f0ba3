"""Messages as rows: kept whole as they came and went, each with what came of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue.database import Connection
from sgi.catalogue.kept_messages import Kept
from sgi.domain.interface import Direction, Outcome

_LONGEST = 200
"""Characters of what a message says of itself that are kept to be searched; it is kept whole."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a message changed: codes and ids, never what a field held."""

    what: str
    """Such as "patient.recorded"."""
    id: UUID | None = None
    detail: str | None = None
    """An identifier of the laboratory's, such as a slide's; never a name."""

    def json(self) -> dict[str, str]:
        told = {"what": self.what}
        if self.id is not None:
            told["id"] = str(self.id)
        if self.detail is not None:
            told["detail"] = self.detail
        return told


@dataclass(frozen=True, slots=True)
class MessageKeys:
    """What a message says of itself; empty where it could not be read."""

    control_id: str = ""
    sender: str = ""
    """MSH-3 and MSH-4, as `application|facility`."""
    type: str = ""
    """MSH-9 as `OML^O21`."""
    said_at: datetime | None = None
    accession_number: str | None = None
    patient_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Same:
    """What came last of the very same bytes: what was done, else why they were last refused."""

    id: UUID
    outcome: Outcome
    answer: bytes | None
    error: str | None
    root: UUID
    """Its row when it first came."""


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of a message when it comes."""

    same: Same | None = None
    """It came already, byte for byte."""
    reuses_control_id: bool = False
    """Another one came under its control id."""


async def find_same(
    connection: Connection, interface: str, raw: bytes, said: MessageKeys
) -> Before:
    """What came before it; whoever asks has the lock of the message."""
    digest = hashlib.sha256(raw).digest()
    cursor = await connection.execute(
        """with first as (
               select id, outcome, answer, error from message
               where interface = %(interface)s and raw_sha256 = %(digest)s and direction = 'in'
                 and replay_of is null)
           (select id, outcome, answer, error, root, true as is_same from (
                select id, outcome, answer, error, replay_of as root, received_at from message
                where replay_of = (select id from first where outcome = 'refused')
                union all
                select id, outcome, answer, error, id, null from first) known
            order by outcome = 'refused', received_at desc nulls last limit 1)
           union all
           (select id, outcome, null, null, null, false from message
            where %(control_id)s <> '' and interface = %(interface)s and sender = %(sender)s
              and control_id = %(control_id)s and raw_sha256 <> %(digest)s and direction = 'in'
            limit 1)""",
        {
            "digest": digest,
            "interface": interface,
            "sender": _kept_text(said.sender),
            "control_id": _kept_text(said.control_id),
        },
    )
    same, reused = None, False
    for row in await cursor.fetchall():
        if row["is_same"]:
            outcome = Outcome(row["outcome"])
            same = Same(row["id"], outcome, row["answer"], row["error"], row["root"])
        else:
            reused = True
    return Before(same, reused)


async def overtaken(connection: Connection, kept: Kept, said: MessageKeys) -> bool:
    """Whether another one about the same case or patient, true at the same time, came later."""
    cursor = await connection.execute(
        """select exists (
               select from message m
               where m.direction = 'in' and m.id <> %(id)s and m.replay_of is null
                 and m.outcome in ('applied', 'unchanged')
                 and m.received_at > %(received_at)s and m.said_at = %(said_at)s
                 and (m.accession_number = %(accession_number)s or m.patient_id = %(patient_id)s))
               as is_so""",
        {
            "id": kept.id,
            "received_at": kept.received_at,
            "said_at": said.said_at,
            "accession_number": said.accession_number,
            "patient_id": kept.patient_id,
        },
    )
    row = await cursor.fetchone()
    return row is not None and bool(row["is_so"])


@dataclass(frozen=True, slots=True)
class ToKeep:
    """A message as it is written down."""

    interface: str
    direction: Direction
    raw: bytes
    said: MessageKeys
    outcome: Outcome
    answer: bytes | None = None
    error: str | None = None
    changes: Sequence[Change] = field(default=())
    replay_of: UUID | None = None
    reuses_control_id: bool = False


async def keep(connection: Connection, establishment_id: UUID, message: ToKeep) -> UUID:
    """Write a message down, in the transaction of what it changes.

    Raises psycopg.errors.UniqueViolation for one that came before, unless it is a replay.
    """
    said = message.said
    cursor = await connection.execute(
        """insert into message (establishment_id, interface, direction, said_at, control_id,
               sender, type, raw, raw_sha256, outcome, answer, error, changes, accession_number,
               patient_id, replay_of, reuses_control_id)
           values (%s, %s, %s, %s, %s, %s, %s, %b, %b, %s, %b, %s, %s, %s, %s, %s, %s)
           returning id""",
        [
            establishment_id,
            message.interface,
            message.direction,
            said.said_at,
            _kept_text(said.control_id),
            _kept_text(said.sender),
            _kept_text(said.type),
            message.raw,
            hashlib.sha256(message.raw).digest(),
            message.outcome,
            message.answer,
            message.error,
            Jsonb([change.json() for change in message.changes]),
            None if said.accession_number is None else _kept_text(said.accession_number),
            said.patient_id,
            message.replay_of,
            message.reuses_control_id,
        ],
    )
    row = await cursor.fetchone()
    assert row is not None, "insert ... returning gives a row"  # noqa: S101 - for the checker
    kept: UUID = row["id"]
    return kept


def _kept_text(text: str) -> str:
    return text[:_LONGEST].replace("\0", "\ufffd")


async def count_repeat(connection: Connection, message_id: UUID) -> None:
    """It came again, and was answered as it was."""
    await connection.execute(
        """update message set repeats = repeats + 1, repeated_at = clock_timestamp()
           where id = %s""",
        [message_id],
    )


async def set_answer(
    connection: Connection,
    message_id: UUID,
    outcome: Outcome,
    answer: bytes | None,
    error: str | None = None,
) -> None:
    """What the other side answered to one of ours."""
    await connection.execute(
        "update message set outcome = %s, answer = %s, error = %s where id = %s",
        [outcome, answer, error, message_id],
    )
