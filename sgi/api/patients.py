"""`/api/v1/patients/{id}`: who a patient is held to be, and everything that was said of them.

The matricule INS goes out only where the rules let it be shown. There is no search here: names do
not belong in addresses.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from sgi.api.services import actor_of, services_of, session_of
from sgi.catalogue import audit, patients
from sgi.catalogue.audit import Action
from sgi.catalogue.patient_history import Contradiction, History
from sgi.domain.datamatrix import (
    LONGEST_TEXT,
    Agreement,
    Whose,
    agreements,
    as_read,
    parse_datamatrix,
    whose,
)
from sgi.domain.patient import (
    DmpFeeding,
    DmpReading,
    Identifier,
    IdentifierKind,
    IdentityAttribute,
    IdentityStatus,
    Patient,
    Trait,
    is_of_test,
    matricule_shown,
)
from sgi.domain.portrait import RELIABILITY
from sgi.errors import NotFoundError

router = APIRouter(prefix="/api/v1", tags=["patients"])


class IdentifierOut(BaseModel):
    """A local identifier, and who gave it."""

    value: str
    assigner: str


class DmpOut(BaseModel):
    """What was said of the shared record."""

    state: str | None
    feeding: DmpFeeding | None
    reading: DmpReading | None


class ContradictionOut(BaseModel):
    """An order that says something else than the administration; perhaps of another person."""

    source: str
    """Interface and control id of the last message that said so."""
    said_at: datetime
    traits: list[Trait]
    others: list[IdentifierOut]
    """Given with it, and borne by other patients."""


class SayingOut(BaseModel):
    """What one account says; of those who say the same again, the first and the last."""

    identifier: str
    by_order: bool
    said: dict[str, Any]
    believed: list[str]
    """Which of it is taken for true now."""
    first_said_at: datetime
    first_source: str
    last_said_at: datetime
    last_source: str


class StepOut(BaseModel):
    """A merge (`one` into `other`), a change of identifier, a link or its end."""

    kind: str
    one: str
    other: str
    said_at: datetime
    source: str


class PatientOut(BaseModel):
    """A living patient; asked for by a record that was merged away, whom it leads to."""

    id: UUID
    identifiers: list[IdentifierOut]
    retired: list[IdentifierOut]
    birth_name: str | None
    first_given_name: str | None
    given_names: str | None
    used_name: str | None
    used_given_name: str | None
    sex: str | None
    birth_date: date | None
    birth_place: str | None
    died: bool | None
    status: IdentityStatus | None
    attributes: list[IdentityAttribute]
    matricule: str | None
    """Of a qualified identity alone."""
    matricule_oid: str | None
    is_test: bool
    """The matricule shown is nobody's: of test or demonstration."""
    dmp: DmpOut | None
    linked: list[UUID]
    contradictions: list[ContradictionOut]
    sayings: list[SayingOut]
    """Oldest first."""
    steps: list[StepOut]


class CompareIn(BaseModel):
    """An INS datamatrix as a reader types it: with its separators, others for them, or none."""

    code: str = Field(min_length=1, max_length=LONGEST_TEXT)


class ComparisonOut(BaseModel):
    """What a scanned code is to a patient; nothing that it says is repeated."""

    whose: Whose
    fields: dict[Trait, Agreement]


@router.post("/patients/{patient_id}/compare")
async def compare_patient(
    patient_id: UUID, body: CompareIn, request: Request, response: Response
) -> ComparisonOut:
    """Whether an INS datamatrix is the patient's, field by field; it changes nothing, and is put
    on record. 422 for what is no sound one.
    """
    scanned = parse_datamatrix(as_read(body.code))
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        patient = await patients.by_id(connection, patient_id)
        if patient is None:
            raise NotFoundError("There is no such patient.")
        verdict = whose(scanned, patient)
        await audit.record(
            connection,
            session.establishment_id,
            actor_of(request),
            Action.COMPARE_PATIENT,
            patient.id,
            verdict,
        )
    response.headers["Cache-Control"] = "no-store"
    return ComparisonOut(whose=verdict, fields=agreements(scanned, patient))


@router.get("/patients/{patient_id}")
async def get_patient(patient_id: UUID, request: Request, response: Response) -> PatientOut:
    """The patient with the history of every trait; each view is in the audit."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        patient = await patients.by_id(connection, patient_id)
        if patient is None:
            raise NotFoundError("There is no such patient.")
        history = await patients.history(connection, patient.id)
        contradictions = await patients.contradictions(connection, patient.id)
        await audit.record(
            connection,
            session.establishment_id,
            actor_of(request),
            Action.VIEW_PATIENT,
            patient.id,
        )
    response.headers["Cache-Control"] = "no-store"
    return _out(patient, history, contradictions)


def _out(patient: Patient, history: History, contradictions: list[Contradiction]) -> PatientOut:
    shown = patient.ins if matricule_shown(patient) else None
    traits = patient.traits
    return PatientOut(
        id=patient.id,
        identifiers=_identifiers(patient.identifiers),
        retired=_identifiers(patient.retired),
        birth_name=traits.birth_name,
        first_given_name=traits.first_given_name,
        given_names=traits.given_names,
        used_name=traits.used_name,
        used_given_name=traits.used_given_name,
        sex=traits.sex,
        birth_date=traits.birth_date,
        birth_place=traits.birth_place,
        died=traits.died,
        status=patient.status,
        attributes=sorted(patient.attributes),
        matricule=None if shown is None else shown.value,
        matricule_oid=None if shown is None else shown.assigner,
        is_test=shown is not None and is_of_test(shown),
        dmp=None
        if patient.dmp is None
        else DmpOut.model_validate(patient.dmp, from_attributes=True),
        linked=sorted(patient.linked),
        contradictions=[
            ContradictionOut(
                source=one.source,
                said_at=one.said_at,
                traits=list(one.traits),
                others=_identifiers(one.others),
            )
            for one in contradictions
        ],
        sayings=[
            SayingOut(
                identifier=_name(saying.identifier),
                by_order=saying.by_order,
                said=_shown(saying.said, shown),
                believed=list(saying.believed),
                first_said_at=saying.first_said_at,
                first_source=saying.first_source,
                last_said_at=saying.last_said_at,
                last_source=saying.last_source,
            )
            for saying in history.sayings
        ],
        steps=[
            StepOut(
                kind=step.kind,
                one=_name(step.one),
                other=_name(step.other),
                said_at=step.said_at,
                source=step.source,
            )
            for step in history.steps
        ],
    )


def _identifiers(identifiers: tuple[Identifier, ...]) -> list[IdentifierOut]:
    return [
        IdentifierOut(value=identifier.value, assigner=identifier.assigner)
        for identifier in identifiers
        if identifier.kind is IdentifierKind.LOCAL
    ]


def _name(identifier: Identifier) -> str:
    """An INS is not told: that it is one is enough to know which message it was."""
    return "INS" if identifier.kind is IdentifierKind.INS else identifier.value


def _shown(said: dict[str, Any], shown: Identifier | None) -> dict[str, Any]:
    """Without any matricule but the one that may be shown."""
    reliability = said.get(RELIABILITY)
    if reliability is None:
        return said
    ins = reliability["ins"]
    told = None if ins is None or shown is None or ins[0] != shown.value else shown.value
    return {**said, RELIABILITY: {**reliability, "ins": told, "has_ins": ins is not None}}
