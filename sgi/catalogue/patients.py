"""Patients: what is said of them is added to what is on record, and nothing on record is changed.

Every local identifier names one record, for ever; a record leads to the living patient. Hang things
on the record that `record` or `bearer` gives: then a merge that is corrected takes them along.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.patient_belief import refresh
from sgi.catalogue.patient_history import contradictions, hear, history
from sgi.catalogue.patient_identifiers import Borne, bearer, bearer_of, named
from sgi.catalogue.patient_leads import change_identifier, link, merge
from sgi.catalogue.patient_reading import by_id
from sgi.domain.patient import Identifier, Identity

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
