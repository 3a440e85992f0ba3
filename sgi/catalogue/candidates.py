"""Glasses that a slide without one may be of, and what attaching it to each would mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.identification import glasses_of_label
from sgi.domain.identification import distance, variants

_MOST_NEWEST = 500
"""Glasses that wait for their scan, among which near codes and today's expected are looked for."""
_TODAY_H = 36
Why = Literal["named", "close", "same_case", "expected", "found"]
_RANK: dict[Why, int] = {"named": 0, "close": 1, "found": 2, "same_case": 3, "expected": 4}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A glass that a slide may be of, and what attaching it would mean."""

    glass_id: UUID
    identifier: str
    why: Why
    distance: int | None
    """Edits between its identifier and the code that is nearest."""
    is_living: bool
    case_id: UUID | None
    accession_number: str | None
    patient_id: UUID | None
    patient_name: str | None
    birth_date: Any
    sex: str | None
    stains: tuple[str, ...]
    scans: int
    """Images that it has already: the newest would be shown first."""
    rescan_asked: bool
    case_signed_out: bool
    completes_case: bool
    """True where it is the last that its case waits for."""


@dataclass(slots=True)
class _Found:
    why: dict[UUID, Why] = field(default_factory=dict)
    distances: dict[UUID, int] = field(default_factory=dict)

    def add(self, glass_id: UUID, why: Why, distance: int | None = None) -> None:
        known = self.why.get(glass_id)
        if known is None or _RANK[why] < _RANK[known]:
            self.why[glass_id] = why
        if distance is not None:
            self.distances[glass_id] = min(distance, self.distances.get(glass_id, distance))


async def likely(
    connection: Connection, slide_id: UUID, codes: Sequence[str], limit: int = 10
) -> list[Candidate]:
    """Glasses that the slide may be of, the likeliest first: named by its label; at one or two
    edits from a code; of the same case as those; expected and registered lately.
    """
    return await _told(connection, await _likely(connection, slide_id, codes), limit)


async def _likely(connection: Connection, slide_id: UUID, codes: Sequence[str]) -> _Found:
    found = _Found()
    for named in await glasses_of_label(connection, slide_id):
        found.add(named.id, "named", 0)
    await _close(connection, codes, found)
    await _of_same_cases(connection, found)
    return found


async def _close(connection: Connection, codes: Sequence[str], found: _Found) -> None:
    near = sorted({each for code in codes[:5] for each in variants(code)})
    if near:
        cursor = await connection.execute(
            "select id from glass where folded = any(%s) and cancelled_at is null limit 50", [near]
        )
        for row in await cursor.fetchall():
            found.add(row["id"], "close", 1)
    cursor = await connection.execute(
        """select g.id, g.folded,
                  g.created_at > now() - make_interval(hours => %s) as is_new
           from (select * from glass order by created_at desc limit %s) g
           where g.to_be_scanned and g.cancelled_at is null
             and not exists (select from slide s where s.glass_id = g.id)""",
        [_TODAY_H, _MOST_NEWEST],
    )
    for row in await cursor.fetchall():
        apart = [d for code in codes[:5] if (d := distance(code, row["folded"])) is not None]
        if apart and min(apart) > 0:
            found.add(row["id"], "close", min(apart))
        elif row["is_new"]:
            found.add(row["id"], "expected")


async def _of_same_cases(connection: Connection, found: _Found) -> None:
    likely = [each for each, why in found.why.items() if why in {"named", "close"}]
    cursor = await connection.execute(
        """select other.id from glass one join glass other on other.case_id = one.case_id
           where one.id = any(%s) and other.cancelled_at is null and other.to_be_scanned
             and not exists (select from slide s where s.glass_id = other.id)
           order by other.identifier limit 50""",
        [likely],
    )
    for row in await cursor.fetchall():
        found.add(row["id"], "same_case")


async def glasses_found(connection: Connection, text: str, limit: int = 20) -> list[Candidate]:
    """Glasses whose identifier begins with what a person typed, or whose case has that number."""
    found = _Found()
    cursor = await connection.execute(
        """with typed as (select upper(btrim(%(text)s)) as word)
           (select g.id from glass g, typed
            where g.folded >= typed.word and g.folded < typed.word || chr(1114111)
            order by g.folded limit %(limit)s)
           union
           (select g.id from lab_case c join glass g on g.case_id = c.id
            where c.accession_number = btrim(%(text)s) order by g.identifier limit %(limit)s)""",
        {"text": text, "limit": limit},
    )
    for row in await cursor.fetchall():
        found.add(row["id"], "found")
    return await _told(connection, found, limit)


async def of_glass(connection: Connection, glass_id: UUID) -> Candidate | None:
    """One that a person chose; None where there is no such glass."""
    found = _Found()
    found.add(glass_id, "found")
    told = await _told(connection, found, 1)
    return told[0] if told else None


async def _told(connection: Connection, found: _Found, limit: int) -> list[Candidate]:
    first = sorted(
        found.why, key=lambda each: (_RANK[found.why[each]], found.distances.get(each, 9))
    )
    kept = first[: limit * 3]
    cursor = await connection.execute(
        """select g.id, g.identifier, g.cancelled_at, g.case_id, g.stains, g.rescan_asked_at,
                  c.accession_number, coalesce(c.state = 'signed_out', false) as case_signed_out,
                  p.id as patient_id, p.birth_name, p.first_given_name,
                  p.used_name, p.birth_date, p.sex,
                  (select count(*) from slide s where s.glass_id = g.id) as scans,
                  not exists (
                      select from glass o where o.case_id = g.case_id and o.id <> g.id
                        and o.to_be_scanned and o.cancelled_at is null
                        and not exists (select from slide s where s.glass_id = o.id)) as is_last
           from glass g
               left join lab_case c on c.id = g.case_id
               left join patient gone on gone.id = c.patient_id
               left join patient p on p.id = coalesce(gone.merged_into, gone.id)
           where g.id = any(%s)""",
        [kept],
    )
    rows = {row["id"]: row for row in await cursor.fetchall()}
    told = [
        _candidate(rows[each], found.why[each], found.distances.get(each))
        for each in kept
        if each in rows
    ]
    return sorted(told, key=_likelihood)[:limit]


def _likelihood(each: Candidate) -> tuple[bool, int, int, str]:
    return (
        not each.is_living,
        _RANK[each.why],
        each.distance if each.distance is not None else 9,
        each.identifier,
    )


def _candidate(row: dict[str, Any], why: Why, apart: int | None) -> Candidate:
    names = [row["birth_name"], row["first_given_name"]]
    return Candidate(
        glass_id=row["id"],
        identifier=row["identifier"],
        why=why,
        distance=apart,
        is_living=row["cancelled_at"] is None,
        case_id=row["case_id"],
        accession_number=row["accession_number"],
        patient_id=row["patient_id"],
        patient_name=" ".join(name for name in names if name) or None,
        birth_date=row["birth_date"],
        sex=row["sex"],
        stains=tuple(each.get("text") or each.get("code", "") for each in row["stains"]),
        scans=row["scans"],
        rescan_asked=row["rescan_asked_at"] is not None,
        case_signed_out=row["case_signed_out"],
        completes_case=row["case_id"] is not None and row["is_last"] and row["scans"] == 0,
    )
