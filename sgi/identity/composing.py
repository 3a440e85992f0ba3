"""What is to be told of a slide, from what the laboratory and the administration say now."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from dicom.models.told import Told, ToldCode, ToldGlass, ToldIdentifier, ToldPatient
from dicom.text import short_text
from dicom.uids import derived_uid
from sgi.catalogue import identities, patients
from sgi.catalogue.database import Connection
from sgi.catalogue.identities import GlassSaid
from sgi.domain.patient import INS_OIDS, Identifier, Patient, matricule_shown
from sgi.domain.slide import Slide
from sgi.stored.identity import Known, KnownIdentifier, KnownPatient

_LONGEST_ACCESSION = 16
_LONGEST_NAME = 64
_LONGEST_PART = 30
_SEXES = frozenset({"M", "F", "O"})
_INS_ISSUERS = {"INS-NIR": "ASIP-SANTE-INS-NIR", "INS-NIA": "ASIP-SANTE-INS-NIA"}
_NAME_SIGNS = str.maketrans(dict.fromkeys("^=\\", " "))


@dataclass(frozen=True, slots=True)
class Composed:
    """What a revision would say."""

    glass_id: UUID | None
    patient_id: UUID | None
    study_uid: str
    told: Told
    known: Known | None = None
    """What is told is made of it; what is told alone decides whether there is a new revision."""


async def compose(connection: Connection, slide: Slide) -> Composed:
    """Of a slide without a glass, nothing: its file's own words stand."""
    said = await identities.said_of_glass(connection, slide.id)
    if said is None:
        return Composed(None, None, slide.study_uid, Told())
    patient = None
    if said.patient_id is not None:
        patient = await patients.by_id(connection, said.patient_id)
    told = Told(
        glass=_glass(said),
        accession_number=_whole(said.accession_number, _LONGEST_ACCESSION),
        case_known=said.accession_number is not None,
        study_date=said.received_at and said.received_at.astimezone().date(),
        patient=None if patient is None else _patient(patient),
    )
    glass_id = UUID(said.glass["id"])
    study_uid = said.study_uid or slide.study_uid
    return Composed(glass_id, said.patient_id, study_uid, told, _known(said, patient))


def _known(said: GlassSaid, patient: Patient | None) -> Known:
    parent = said.glass["parent_identifier"]
    is_block = said.parent_kind == "block"
    return Known(
        glass=said.glass["identifier"],
        block=parent if is_block else None,
        specimen=said.part_identifier,
        accession_number=said.accession_number,
        received_at=said.received_at,
        patient=None if patient is None else _known_patient(patient),
    )


def _known_patient(patient: Patient) -> KnownPatient:
    return KnownPatient(
        identifiers=tuple(
            KnownIdentifier(kind=each.kind, assigner=each.assigner, value=each.value)
            for each in patient.identifiers
        ),
        **asdict(patient.traits),
        status=patient.status,
        attributes=patient.attributes,
    )


def _whole(identifier: str | None, limit: int = 64) -> str | None:
    """An identifier that DICOM can hold as it is; one cut short would name something else."""
    if identifier is None or identifier != short_text(identifier, limit):
        return None
    return identifier


def _glass(said: GlassSaid) -> ToldGlass | None:
    identifier = _whole(said.glass["identifier"])
    if identifier is None:
        return None
    block = said.glass["parent_identifier"] if said.parent_kind == "block" else None
    technique = said.glass["technique"]
    stains = said.glass["stains"] or ([technique] if technique else [])
    site = said.part_said.get("site")
    return ToldGlass(
        identifier=identifier,
        specimen_uid=derived_uid(UUID(said.glass["id"]), "specimen"),
        block=_whole(block),
        description=short_text(said.part_said.get("description")),
        site=None if site is None else _code(site),
        stains=tuple(each for each in map(_code, stains) if each is not None),
    )


def _code(said: Mapping[str, Any]) -> ToldCode | None:
    """None where neither a code nor words that DICOM can hold are said."""
    text = short_text(said.get("text"))
    code = _whole(said.get("code") or None, 16)
    if code is None:
        return None if text is None else ToldCode(text, text)
    return ToldCode(code, text, short_text(said.get("system"), 16))


def _patient(patient: Patient) -> ToldPatient:
    traits = patient.traits
    name = _name(traits.birth_name, traits.first_given_name or traits.given_names)
    used = _name(
        traits.used_name or traits.birth_name, traits.used_given_name or traits.first_given_name
    )
    local, ins = patient.local, patient.ins
    others = [_ins(ins)] if ins is not None and matricule_shown(patient) else []
    return ToldPatient(
        name=name or used,
        other_name=used if name and used != name else None,
        identifier=None if local is None else _local(local),
        others=tuple(each for each in others if each is not None),
        birth_date=traits.birth_date,
        sex=traits.sex if traits.sex in _SEXES else None,
    )


def _name(family: str | None, given: str | None) -> str | None:
    """`family^given`, each at most half of what a name holds."""
    parts = [
        short_text((part or "").translate(_NAME_SIGNS), _LONGEST_PART) or ""
        for part in (family, given)
    ]
    return "^".join(parts).rstrip("^")[:_LONGEST_NAME] or None


def _local(identifier: Identifier) -> ToldIdentifier | None:
    value = _whole(identifier.value)
    return None if value is None else ToldIdentifier(value, _whole(identifier.assigner))


def _ins(identifier: Identifier) -> ToldIdentifier | None:
    value = _whole(identifier.value)
    kind = INS_OIDS.get(identifier.assigner)
    if value is None or kind is None:
        return None
    issuer = next((to for name, to in _INS_ISSUERS.items() if kind.startswith(name)), None)
    return ToldIdentifier(value, issuer, identifier.assigner)
