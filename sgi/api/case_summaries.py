"""What lists tell of a case: whose it is, of whom, where it stands."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from sgi.catalogue.worklists import Line, ListedPatient
from sgi.domain.case import CaseState, Priority
from sgi.domain.patient import Patient, matricule_shown


class PatientOut(BaseModel):
    """Who a case is of: the strict traits, and how far the identity is proved."""

    id: UUID
    birth_name: str | None
    first_given_name: str | None
    given_names: str | None = None
    used_name: str | None
    used_given_name: str | None
    sex: str | None
    birth_date: date | None
    ipp: str | None
    status: str | None
    """"PROV", "RECUP", "VALI" or "QUAL"."""
    attributes: list[str]
    """Of "HOMA", "DOUT", "FICT"."""
    matricule: str | None = None
    """The INS, of a qualified identity alone, and not in lists."""


class WorkerOut(BaseModel):
    """An account or a group."""

    id: UUID
    name: str


class CaseSummary(BaseModel):
    """A case in a list."""

    id: UUID
    accession_number: str
    state: CaseState
    priority: Priority
    extemporane: bool
    patient: PatientOut | None
    organs: list[str]
    stains: list[str]
    expected: int
    """Slides that are to be scanned."""
    scanned: int
    rescans: int
    orders: int
    """Work that the laboratory has not done yet."""
    received_at: datetime
    due_at: datetime
    held_at: datetime | None
    hold_reason: str | None
    pathologist: WorkerOut | None
    group: WorkerOut | None


def listed_patient_out(patient: ListedPatient | None) -> PatientOut | None:
    if patient is None:
        return None
    return PatientOut(
        id=patient.id,
        birth_name=patient.birth_name,
        first_given_name=patient.first_given_name,
        used_name=patient.used_name,
        used_given_name=patient.used_given_name,
        sex=patient.sex,
        birth_date=patient.birth_date,
        ipp=patient.local_identifier,
        status=patient.status,
        attributes=list(patient.attributes),
    )


def patient_out(patient: Patient | None) -> PatientOut | None:
    if patient is None:
        return None
    traits, local, ins = patient.traits, patient.local, patient.ins
    return PatientOut(
        id=patient.id,
        birth_name=traits.birth_name,
        first_given_name=traits.first_given_name,
        given_names=traits.given_names,
        used_name=traits.used_name,
        used_given_name=traits.used_given_name,
        sex=traits.sex,
        birth_date=traits.birth_date,
        ipp=None if local is None else local.value,
        status=patient.status,
        attributes=sorted(patient.attributes),
        matricule=ins.value if ins is not None and matricule_shown(patient) else None,
    )


def summary(line: Line, patient: PatientOut | None) -> dict[str, object]:
    """The fields of CaseSummary."""
    case = line.case
    same = ("id", "accession_number", "state", "priority", "extemporane", "expected", "scanned")
    times = ("rescans", "orders", "received_at", "due_at", "held_at", "hold_reason")
    return {
        **{name: getattr(case, name) for name in (*same, *times)},
        "patient": patient,
        "organs": list(case.organs),
        "stains": list(case.stains),
        "pathologist": _worker(case.account_id, line.account_name),
        "group": _worker(case.group_id, line.group_name),
    }


def _worker(known_id: UUID | None, name: str | None) -> WorkerOut | None:
    return None if known_id is None or name is None else WorkerOut(id=known_id, name=name)
