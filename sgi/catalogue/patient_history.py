"""What was said of patients: put on record, and told again."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue.database import Connection
from sgi.catalogue.patient_belief import kin_ids, kin_of
from sgi.catalogue.patient_identifiers import Borne, borne_of, named
from sgi.domain.patient import (
    Identifier,
    Identity,
    IdentityStatus,
    Trait,
    contradicted,
)
from sgi.domain.portrait import GROUPS, deciding, document_of, others_of, portrait, traits_of


@dataclass(frozen=True, slots=True)
class Saying:
    """One account in a patient's history."""

    identifier: Identifier
    """Whom it was said of."""
    by_order: bool
    """It came with an order: the administration did not say it."""
    said: dict[str, Any]
    """By group, as `portrait.document_of` writes it."""
    believed: tuple[str, ...]
    """The groups that are taken from it now."""
    first_said_at: datetime
    first_source: str
    last_said_at: datetime
    last_source: str


@dataclass(frozen=True, slots=True)
class Step:
    """A merge, a change of identifier, a link or its end, in a patient's history."""

    kind: str
    """merge, change, link or unlink."""
    one: Identifier
    """Of a merge or change, what is not used any more."""
    other: Identifier
    said_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class History:
    """Everything on record of a patient, oldest first."""

    sayings: tuple[Saying, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An order that says something else than the administration, or an INS that somebody else has
    too: perhaps of another person.
    """

    source: str
    """The last that said so; empty of an INS."""
    said_at: datetime
    traits: tuple[Trait, ...]
    """Those among birth name, sex and birth date that differ; or the INS that is shared."""
    others: tuple[Identifier, ...]
    """Identifiers given with it that another living patient bears."""


async def hear(
    connection: Connection,
    establishment_id: UUID,
    borne: Borne,
    identity: Identity,
    *,
    by_order: bool,
    said_at: datetime,
    source: str,
) -> bool:
    """Put an account on record; False when nothing new is believed for it.

    Of what was said before, only since when and until when changes: that is all that decides.
    """
    said = document_of(identity, borne.identifier)
    if not said:
        return False
    sha256 = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()
    cursor = await connection.execute(
        """insert into patient_history as h
               (establishment_id, patient_id, identifier_id, by_order, said, said_sha256,
                first_said_at, first_source, last_said_at, last_source)
           values (%(establishment)s, %(patient)s, %(identifier)s, %(by_order)s, %(said)s,
                   %(sha256)s, %(at)s, %(source)s, %(at)s, %(source)s)
           on conflict (identifier_id, by_order, said_sha256) do update set
               first_said_at = least(h.first_said_at, %(at)s),
               first_source = case when %(at)s < h.first_said_at then %(source)s
                                   else h.first_source end,
               last_said_at = greatest(h.last_said_at, %(at)s),
               last_source = case when %(at)s > h.last_said_at then %(source)s
                                  else h.last_source end,
               rank = case when %(at)s > h.last_said_at then excluded.rank else h.rank end
               where %(at)s < h.first_said_at or %(at)s > h.last_said_at
           returning h.last_said_at = %(at)s as newer""",
        {
            "establishment": establishment_id,
            "patient": borne.patient_id,
            "identifier": borne.id,
            "by_order": by_order,
            "said": Jsonb(said),
            "sha256": sha256,
            "at": said_at,
            "source": source,
        },
    )
    row = await cursor.fetchone()
    return row is not None and bool(row["newer"])


async def history(connection: Connection, patient_id: UUID) -> History:
    """What was said of a patient under all their records, and how the records came together."""
    ids = await kin_ids(connection, [patient_id])
    kin = await kin_of(connection, ids)
    told = kin.of(kin.living(patient_id))
    accounts = [one.account(kin.leading) for one in told]
    decided = deciding(accounts)
    names = await _names(connection, ids)
    sayings = [
        _saying(
            one.row,
            names[one.row["identifier_id"]],
            tuple(group for group in GROUPS if decided.get(group) is account),
        )
        for one, account in zip(told, accounts, strict=True)
    ]
    cursor = await connection.execute(
        """select * from patient_link where one = any(%(ids)s) or other = any(%(ids)s)
           order by said_at, rank""",
        {"ids": [i for i in ids if kin.living(i) == kin.living(patient_id)]},
    )
    rows = await cursor.fetchall()
    first = await _first_names(connection, {row[end] for row in rows for end in ("one", "other")})
    steps = [
        Step(
            kind=row["kind"],
            one=first[row["one"]] if row["gone"] is None else names[row["gone"]],
            other=first[row["other"]] if row["kept"] is None else names[row["kept"]],
            said_at=row["said_at"],
            source=row["source"],
        )
        for row in rows
    ]
    return History(tuple(sorted(sayings, key=lambda said: said.first_said_at)), tuple(steps))


def _saying(row: dict[str, Any], identifier: Identifier, believed: tuple[str, ...]) -> Saying:
    return Saying(
        identifier=identifier,
        by_order=row["by_order"],
        said=row["said"],
        believed=believed,
        first_said_at=row["first_said_at"],
        first_source=row["first_source"],
        last_said_at=row["last_said_at"],
        last_source=row["last_source"],
    )


async def _names(connection: Connection, patient_ids: Collection[UUID]) -> dict[UUID, Identifier]:
    """Identifiers of records, by their own ids."""
    cursor = await connection.execute(
        "select * from patient_identifier where patient_id = any(%s)", [list(patient_ids)]
    )
    return {row["id"]: borne_of(row).identifier for row in await cursor.fetchall()}


async def _first_names(
    connection: Connection, patient_ids: Collection[UUID]
) -> dict[UUID, Identifier]:
    """Of each record, the identifier that it was made for."""
    cursor = await connection.execute(
        """select distinct on (patient_id) * from patient_identifier
           where patient_id = any(%s) order by patient_id, created_at, id""",
        [list(patient_ids)],
    )
    return {row["patient_id"]: borne_of(row).identifier for row in await cursor.fetchall()}


async def contradictions(connection: Connection, patient_id: UUID) -> list[Contradiction]:
    """The orders of a patient that do not fit what the administration says, newest first.

    They came under the patient's identifiers and were not believed: a person should make sure that
    they are not somebody else's.
    """
    kin = await kin_of(connection, await kin_ids(connection, [patient_id]))
    living = kin.living(patient_id)
    told = kin.of(living)
    official = [one.account(kin.leading) for one in told if not one.row["by_order"]]
    known = portrait(official).traits
    found = []
    for one in told:
        said = one.row["said"]
        traits = contradicted(traits_of(said), known) if one.row["by_order"] else ()
        others = [i for i in others_of(said) if await _is_anothers(connection, i, living)]
        if traits or others:
            row = one.row
            found.append(
                Contradiction(row["last_source"], row["last_said_at"], traits, tuple(others))
            )
    found += await _sharing_ins(connection, living)
    return sorted(found, key=lambda contradiction: contradiction.said_at, reverse=True)


async def _sharing_ins(connection: Connection, living: UUID) -> list[Contradiction]:
    """Others with the same INS, where both identities are qualified: one of them is not theirs."""
    cursor = await connection.execute(
        """select distinct on (other.id) i.kind, i.assigner, i.value, i.id, i.patient_id,
               i.retired_at, other.said_at
           from patient own join patient other
               on other.establishment_id = own.establishment_id and other.id <> own.id
               and other.ins_value = own.ins_value and other.ins_oid = own.ins_oid
               and other.merged_into is null and other.status = own.status
           join patient_identifier i on i.patient_id = other.id
           where own.id = %s and own.status = %s and other.said_at is not null
           order by other.id, i.created_at, i.id limit 10""",
        [living, IdentityStatus.QUALIFIED],
    )
    return [
        Contradiction("", row["said_at"], (Trait.INS,), (borne_of(row).identifier,))
        for row in await cursor.fetchall()
    ]


async def _is_anothers(connection: Connection, identifier: Identifier, living: UUID) -> bool:
    bears = await named(connection, identifier)
    return bears is not None and bears != living
