"""Patients: what is said of them is added to what is on record, and nothing on record is changed.

Every local identifier names one record, for ever; a record leads to the living patient. Hang things
on the record that `record` or `bearer` gives: then a merge that is corrected takes them along.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.patient_belief import refresh
from sgi.catalogue.patient_history import contradictions, hear, history
from sgi.catalogue.patient_identifiers import Borne, bearer, bearer_of, made, named
from sgi.catalogue.patient_reading import by_id
from sgi.domain.patient import Identifier, Identity
from sgi.errors import IdentityConflictError

__all__ = [
    "bearer",
    "by_id",
    "change_identifier",
    "contradictions",
    "history",
    "link",
    "merge",
    "named",
    "record",
]


async def record(
    connection: Connection,
    establishment_id: UUID,
    identity: Identity,
    *,
    said_at: datetime,
    source: str,
    only_fill: bool = False,
    on_record: Mapping[Identifier, Borne] | None = None,
) -> UUID:
    """Add what is said of a patient, who is made when nobody knew them; the id of their record.

    The record is the one that the identifier names, living or not. With `only_fill` it was said by
    an order: it fills in what the administration has not said, and adds no identifier. `on_record`
    is as `bearer_of` has it.

    Raises IdentityConflictError for somebody without any identifier.
    """
    borne = await bearer_of(
        connection, establishment_id, identity, adding=not only_fill, on_record=on_record
    )
    heard = await hear(
        connection,
        establishment_id,
        borne,
        identity,
        by_order=only_fill,
        said_at=said_at,
        source=source,
    )
    if heard:
        await refresh(connection, [borne.patient_id])
    return borne.patient_id


async def merge(
    connection: Connection,
    establishment_id: UUID,
    kept: Identity,
    gone: Identifier,
    *,
    said_at: datetime,
    source: str,
) -> UUID:
    """A40: whom `gone` named is the same person as `kept`; the id of the record of who is kept.

    Either may be new here. Raises IdentityConflictError when both are one identifier.
    """
    kept = _without(kept, gone)
    return await _lead(
        connection, establishment_id, "merge", kept, gone, said_at=said_at, source=source
    )


async def change_identifier(
    connection: Connection,
    establishment_id: UUID,
    new: Identity,
    old: Identifier,
    *,
    said_at: datetime,
    source: str,
) -> UUID:
    """A47: the patient bears `new` in place of `old`; the id of the record of `new`.

    Raises IdentityConflictError when another patient bore `new` already: that would be a merge.
    """
    new = _without(new, old)
    if await _is_anothers(connection, new, old, said_at):
        raise IdentityConflictError(
            "Another patient bears the new identifier; merge the two (A40) if they are one person."
        )
    return await _lead(
        connection, establishment_id, "change", new, old, said_at=said_at, source=source
    )


async def link(
    connection: Connection,
    establishment_id: UUID,
    one: Identifier,
    other: Identifier,
    *,
    linked: bool,
    said_at: datetime,
    source: str,
) -> None:
    """A24 or A37: somebody holds the two for one person, or does not any more; both stay two.

    Raises IdentityConflictError when both are one record.
    """
    ends = [await made(connection, establishment_id, identifier) for identifier in (one, other)]
    records = [end.patient_id for end in ends]
    if records[0] == records[1]:
        raise IdentityConflictError("A patient cannot be linked with itself; name the other one.")
    await connection.execute(
        """insert into patient_link (establishment_id, kind, one, other, said_at, source)
           values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
        [establishment_id, "link" if linked else "unlink", *sorted(records), said_at, source],
    )


def _without(identity: Identity, gone: Identifier) -> Identity:
    """Some systems still list what is gone among the others."""
    if gone == (identity.local or identity.ins):
        raise IdentityConflictError(
            "The identifier that goes and the one that stays are the same; name the other one."
        )
    return replace(identity, identifiers=tuple(i for i in identity.identifiers if i != gone))


async def _lead(
    connection: Connection,
    establishment_id: UUID,
    kind: str,
    kept: Identity,
    gone: Identifier,
    *,
    said_at: datetime,
    source: str,
) -> UUID:
    ended = await made(connection, establishment_id, gone)
    patient_id = await record(connection, establishment_id, kept, said_at=said_at, source=source)
    if patient_id == ended.patient_id:  # one record under several identifiers is one already
        return patient_id
    cursor = await connection.execute(
        """insert into patient_link (establishment_id, kind, one, other, gone, said_at, source)
           values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
        [establishment_id, kind, ended.patient_id, patient_id, ended.id, said_at, source],
    )
    if cursor.rowcount:
        await refresh(connection, [ended.patient_id, patient_id])
    return patient_id


async def _is_anothers(
    connection: Connection, new: Identity, old: Identifier, said_at: datetime
) -> bool:
    """Whether both were known for two before; what is only known since then came out of order."""
    local = new.local
    if local is None:
        return False
    cursor = await connection.execute(
        """select from patient_identifier o
               join patient op on op.id = o.patient_id
               join patient_identifier n
                   on n.kind = %(kind)s and n.assigner = %(assigner)s and n.value = %(value)s
               join patient np on np.id = n.patient_id
           where o.kind = %(old_kind)s and o.assigner = %(old_assigner)s and o.value = %(old)s
             and coalesce(op.merged_into, op.id) <> coalesce(np.merged_into, np.id)
             and exists (select from patient_history
                         where patient_id = o.patient_id and first_said_at <= %(said_at)s)
             and exists (select from patient_history
                         where patient_id = n.patient_id and first_said_at <= %(said_at)s)
             and not exists (select from patient_link
                             where one = o.patient_id and other = n.patient_id
                               and kind = 'change' and said_at = %(said_at)s)""",
        {
            "kind": local.kind,
            "assigner": local.assigner,
            "value": local.value,
            "old_kind": old.kind,
            "old_assigner": old.assigner,
            "old": old.value,
            "said_at": said_at,
        },
    )
    return await cursor.fetchone() is not None
