"""What other systems ask to be shown, the links that they are given, and the way back, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.launch import names_of

_MOST_CASES = 50


@dataclass(frozen=True, slots=True)
class LaunchClient:
    """A system that may ask for links."""

    id: UUID
    establishment_id: UUID
    account_id: UUID
    """The guest's account that its links act with."""
    name: str


@dataclass(frozen=True, slots=True)
class TakenLink:
    """A link that somebody followed."""

    id: UUID
    establishment_id: UUID
    account_id: UUID
    case_id: UUID
    person: str
    """As the system names them; empty where it does not."""
    client_name: str
    taken: bool
    """False for one that was used before, or is too old."""


@dataclass(frozen=True, slots=True)
class SglLink:
    """How a case is opened in the laboratory's system."""

    name: str
    method: str
    """GET, with `{accession}` in the URL; POST, with a field of a form."""
    url: str
    field: str = ""


async def cases_by_number(connection: Connection, numbers: Sequence[str]) -> dict[str, UUID]:
    """Cases by accession number, of those that are there."""
    cursor = await connection.execute(
        "select accession_number, id from lab_case where accession_number = any(%s)",
        [list(numbers)],
    )
    return {row["accession_number"]: row["id"] for row in await cursor.fetchall()}


async def cases_by_study(connection: Connection, uids: Sequence[str]) -> dict[str, UUID]:
    """Cases by Study Instance UID: their own, or one that a slide of theirs says or said."""
    cursor = await connection.execute(
        """select study_uid as uid, id from lab_case where study_uid = any(%(uids)s)
           union all
           select s.told_study_uid, g.case_id from slide s join glass g on g.id = s.glass_id
           where s.told_study_uid = any(%(uids)s) and g.case_id is not null
           union all
           select s.study_uid, g.case_id from slide s join glass g on g.id = s.glass_id
           where s.study_uid = any(%(uids)s) and g.case_id is not null""",
        {"uids": list(uids)},
    )
    found: dict[str, UUID] = {}
    for row in await cursor.fetchall():
        found.setdefault(row["uid"], row["id"])
    return found


async def slide_of_study(connection: Connection, uid: str) -> UUID | None:
    """The newest slide of a study that is no case's: one that is not identified."""
    cursor = await connection.execute(
        """select id from slide where study_uid = %s and glass_id is null
           order by published_at desc limit 1""",
        [uid],
    )
    row = await cursor.fetchone()
    return None if row is None else row["id"]


async def patients_named(
    connection: Connection, value: str, assigners: frozenset[str]
) -> set[UUID]:
    """Living patients who bear an identifier; whoever assigned it where `assigners` is empty.

    An assigner may be told by any name under which messages named it, or its universal id alone.
    """
    cursor = await connection.execute(
        """select assigner from patient_assigner
           where oid = any(%(names)s) or namespace = any(%(names)s)""",
        {"names": list(assigners)},
    )
    kept = {row["assigner"] for row in await cursor.fetchall()}
    cursor = await connection.execute(
        """select i.assigner, coalesce(p.merged_into, p.id) as living
           from patient_identifier i join patient p on p.id = i.patient_id
           where i.value = %(value)s
           union all
           select ins_oid, coalesce(merged_into, id) from patient where ins_value = %(value)s
           limit 100""",
        {"value": value},
    )
    return {
        row["living"]
        for row in await cursor.fetchall()
        if not assigners or row["assigner"] in kept or assigners & names_of(row["assigner"])
    }


async def cases_of_patient(
    connection: Connection, patient_id: UUID, newest: int | None
) -> list[UUID]:
    """The newest first."""
    cursor = await connection.execute(
        """select c.id from lab_case c join patient p on p.id = c.patient_id
           where coalesce(p.merged_into, p.id) = %s and c.state <> 'cancelled'
             and p.id in (select id from patient where id = %s or merged_into = %s)
           order by c.received_at desc, c.id desc limit %s""",
        [patient_id, patient_id, patient_id, min(newest or _MOST_CASES, _MOST_CASES)],
    )
    return [row["id"] for row in await cursor.fetchall()]


async def add_client(
    connection: Connection,
    establishment_id: UUID,
    account_id: UUID,
    name: str,
    token_hash: bytes,
) -> UUID:
    """Raises psycopg.errors.UniqueViolation for a name that is taken."""
    cursor = await connection.execute(
        """insert into launch_client (establishment_id, account_id, name, token_hash)
           values (%s, %s, %s, %s) returning id""",
        [establishment_id, account_id, name, token_hash],
    )
    row = await cursor.fetchone()
    assert row is not None, "insert ... returning gives a row"  # noqa: S101 - for the type checker
    client_id: UUID = row["id"]
    return client_id


async def disable_client(connection: Connection, name: str) -> UUID | None:
    """Its token, its links and its guests' sessions end; returns its account's id."""
    cursor = await connection.execute(
        """update launch_client set disabled_at = now()
           where name = %s and disabled_at is null returning account_id""",
        [name],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    await connection.execute(
        "update account set disabled_at = now() where id = %s", [row["account_id"]]
    )
    account_id: UUID = row["account_id"]
    return account_id


async def client_of(connection: Connection, token_hash: bytes) -> LaunchClient | None:
    """Before its establishment is known."""
    cursor = await connection.execute("select * from launch_client_of(%s)", [token_hash])
    row = await cursor.fetchone()
    return None if row is None else LaunchClient(**row)


async def waiting_links(connection: Connection, client_id: UUID) -> int:
    """How many of its links may still be used."""
    cursor = await connection.execute(
        """select count(*) as n from launch_link
           where client_id = %s and used_at is null and expires_at > now()""",
        [client_id],
    )
    row = await cursor.fetchone()
    return 0 if row is None else row["n"]


async def add_link(
    connection: Connection,
    client: LaunchClient,
    case_id: UUID,
    person: str,
    token_hash: bytes,
    life: timedelta,
) -> tuple[UUID, datetime]:
    """Its id, and until when it may be used."""
    cursor = await connection.execute(
        """insert into launch_link
               (establishment_id, client_id, case_id, person, token_hash, expires_at)
           values (%s, %s, %s, %s, %s, now() + %s) returning id, expires_at""",
        [client.establishment_id, client.id, case_id, person, token_hash, life],
    )
    row = await cursor.fetchone()
    assert row is not None, "insert ... returning gives a row"  # noqa: S101 - for the type checker
    return row["id"], row["expires_at"]


async def take_link(connection: Connection, token_hash: bytes, address: str) -> TakenLink | None:
    """The link of a token, used from now on; before its establishment is known."""
    cursor = await connection.execute(
        "select * from take_launch_link(%s, %s)", [token_hash, address]
    )
    row = await cursor.fetchone()
    return None if row is None else TakenLink(**row)


async def open_guest_session(
    connection: Connection,
    link: TakenLink,
    token_hash: bytes,
    csrf_token: str,
    lifetime: timedelta,
) -> UUID:
    """A session of the link's guest, for its case alone."""
    name = f"{link.person} ({link.client_name})" if link.person else link.client_name
    cursor = await connection.execute(
        """insert into session (token_hash, account_id, establishment_id, csrf_token, expires_at,
               case_id, guest_name)
           values (%s, %s, %s, %s, now() + %s, %s, %s) returning id""",
        [
            token_hash,
            link.account_id,
            link.establishment_id,
            csrf_token,
            lifetime,
            link.case_id,
            name,
        ],
    )
    row = await cursor.fetchone()
    assert row is not None, "insert ... returning gives a row"  # noqa: S101 - for the type checker
    session_id: UUID = row["id"]
    await connection.execute(
        "update launch_link set session_id = %s where id = %s", [session_id, link.id]
    )
    return session_id


async def is_of_case(connection: Connection, slide_id: UUID, case_id: UUID) -> bool:
    """Whether a slide is known to be of a case."""
    cursor = await connection.execute(
        """select 1 from slide s join glass g on g.id = s.glass_id
           where s.id = %s and g.case_id = %s""",
        [slide_id, case_id],
    )
    return await cursor.fetchone() is not None


async def sgl_links(connection: Connection) -> list[SglLink]:
    """The establishment's, by name."""
    cursor = await connection.execute("select * from sgl_link order by name")
    return [
        SglLink(row["name"], row["method"], row["url"], row["field"])
        for row in await cursor.fetchall()
    ]


async def set_sgl_link(connection: Connection, establishment_id: UUID, link: SglLink) -> None:
    """In place of the one of its name."""
    await connection.execute(
        """insert into sgl_link (establishment_id, name, method, url, field)
           values (%s, %s, %s, %s, %s)
           on conflict (establishment_id, name) do update
           set method = excluded.method, url = excluded.url, field = excluded.field,
               changed_at = now()""",
        [establishment_id, link.name, link.method, link.url, link.field],
    )


async def remove_sgl_link(connection: Connection, name: str) -> bool:
    cursor = await connection.execute("delete from sgl_link where name = %s", [name])
    return cursor.rowcount == 1
