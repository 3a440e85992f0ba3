"""The case of a slide as it was known when the slide was told, for a catalogue that was lost.

What a rebuild finds beside a slide names its glass, case and patient by the ids that they had. They
are made again under these, said at the moment of the telling: what the laboratory says of later
moments wins, what it says again of earlier ones changes nothing.
"""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from dicom.models.told import ToldCode
from sgi.catalogue import cases, patients, specimens
from sgi.catalogue.database import Connection
from sgi.domain.case import Asset, AssetKind, CaseSaid, Code
from sgi.domain.patient import Identifier, Identity, Traits
from sgi.errors import ConflictError
from sgi.stored.identity import Known, KnownPatient, StoredIdentity

_SOURCE = "sgi rebuild"


async def is_lost(connection: Connection, stored: StoredIdentity) -> bool:
    """Whether the glass that a slide was told of is not in the catalogue."""
    if stored.glass_id is None or stored.known is None:
        return False
    cursor = await connection.execute(
        "select from glass where id = %s or identifier = %s",
        [stored.glass_id, stored.known.glass],
    )
    return await cursor.fetchone() is None


async def was_taken_away(
    connection: Connection, slide_id: UUID, stored: StoredIdentity | None
) -> bool:
    """Whether a slide was last told to have no glass, and the catalogue does not know of any.

    Somebody had taken it away from one, which its label may still name: a person decides anew.
    """
    if stored is None or stored.glass_id is not None:
        return False
    cursor = await connection.execute("select from attachment where slide_id = %s", [slide_id])
    return await cursor.fetchone() is None


async def recall(connection: Connection, establishment_id: UUID, stored: StoredIdentity) -> None:
    """Make glass, case and patient as they were known; whatever of them is there stays as it is.

    Whoever asks has the locks of their names. Raises ConflictError where the case is another
    patient's by now, which a person must look at; what else the catalogue refuses, an SgiError; and
    psycopg's errors for values that no row takes.
    """
    known = stored.known
    if known is None or stored.glass_id is None:
        return
    said_at = min(stored.made_at, datetime.now(UTC))
    if known.accession_number is not None:
        await _recall_case(connection, establishment_id, known.accession_number, stored, said_at)
    await connection.execute(
        """insert into glass (id, establishment_id, identifier, said_at)
           values (%s, %s, %s, %s) on conflict do nothing""",
        [stored.glass_id, establishment_id, known.glass, said_at],
    )
    for asset in _assets(known, stored):
        await specimens.record_asset(
            connection, establishment_id, asset, said_at=said_at, source=_SOURCE
        )


async def _recall_case(
    connection: Connection,
    establishment_id: UUID,
    accession_number: str,
    stored: StoredIdentity,
    said_at: datetime,
) -> None:
    known = stored.known
    assert known is not None  # noqa: S101 - for the type checker
    patient_id = None
    if known.patient is not None and known.patient.identifiers and stored.patient_id is not None:
        patient_id = await _recall_patient(
            connection, establishment_id, stored.patient_id, known.patient, said_at
        )
    cursor = await connection.execute(
        """insert into lab_case
               (id, establishment_id, accession_number, study_uid, received_at, said_at)
           values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
        [
            uuid4(),
            establishment_id,
            accession_number,
            stored.study_uid,
            known.received_at or said_at,
            said_at,
        ],
    )
    if not cursor.rowcount:
        await _require_same_patient(connection, accession_number, patient_id)
        return
    said = CaseSaid(accession_number, received_at=known.received_at)
    await cases.record_case(
        connection, establishment_id, said, patient_id, said_at=said_at, source=_SOURCE
    )


async def _require_same_patient(
    connection: Connection, accession_number: str, patient_id: UUID | None
) -> None:
    """Raises ConflictError for a case that is there and is known to be another patient's."""
    cursor = await connection.execute(
        """select from lab_case c join patient p on p.id = c.patient_id, patient o
           where c.accession_number = %s and o.id = %s
             and coalesce(o.merged_into, o.id) <> coalesce(p.merged_into, p.id)""",
        [accession_number, patient_id],
    )
    if await cursor.fetchone() is not None:
        raise ConflictError("The case is another patient's by now; look at both first.")


async def _recall_patient(
    connection: Connection,
    establishment_id: UUID,
    patient_id: UUID,
    known: KnownPatient,
    said_at: datetime,
) -> UUID:
    identifiers = tuple(
        Identifier(each.value, each.assigner, each.kind) for each in known.identifiers
    )
    for identifier in identifiers:
        bearer = await patients.bearer(connection, identifier)
        if bearer is not None:
            return bearer
    cursor = await connection.execute(
        """with made as (
               insert into patient (id, establishment_id) values (%(id)s, %(establishment)s)
               on conflict do nothing returning id)
           insert into patient_identifier
               (establishment_id, patient_id, kind, assigner, value)
           select %(establishment)s, id, %(kind)s, %(assigner)s, %(value)s from made""",
        {
            "id": patient_id,
            "establishment": establishment_id,
            "kind": identifiers[0].kind,
            "assigner": identifiers[0].assigner,
            "value": identifiers[0].value,
        },
    )
    if not cursor.rowcount:
        raise ConflictError("The patient is known by other identifiers; look at both first.")
    traits = Traits(**known.model_dump(include=set(Traits.__slots__)))
    identity = Identity(identifiers, traits, known.status, known.attributes)
    return await patients.record(
        connection, establishment_id, identity, said_at=said_at, source=_SOURCE
    )


def _assets(known: Known, stored: StoredIdentity) -> list[Asset]:
    """The specimen, the block and the glass, each with what was told of it."""
    told = stored.told.glass
    found = []
    if known.specimen is not None:
        found.append(
            Asset(
                AssetKind.SPECIMEN,
                known.specimen,
                known.accession_number,
                site=None if told is None or told.site is None else _code(told.site),
                description=None if told is None else told.description,
            )
        )
    if known.block is not None:
        found.append(
            Asset(AssetKind.BLOCK, known.block, known.accession_number, parent=known.specimen)
        )
    stains = () if told is None else tuple(map(_code, told.stains))
    parent = known.block or known.specimen
    found.append(
        Asset(AssetKind.SLIDE, known.glass, known.accession_number, parent=parent, stains=stains)
    )
    return found


def _code(told: ToldCode) -> Code:
    return Code(told.code, told.text, told.system)
