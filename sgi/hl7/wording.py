"""Statements in plain words, for people who try what a message would do."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import date, datetime
from typing import TYPE_CHECKING

from sgi.domain.case import Asset, AssetKind, CaseSaid, CaseState, Code, Priority
from sgi.domain.patient import Identifier, IdentifierKind, Identity, matricule_shown
from sgi.domain.words import Language
from sgi.hl7.statements import (
    AssetCancelled,
    AssetRecorded,
    CaseCancelled,
    CaseRecorded,
    IdentifierChanged,
    OrderAnswered,
    PatientSaid,
    PatientsLinked,
    PatientsMerged,
    ReportSaid,
    ReportStatus,
    SlideScanned,
    Statement,
    WorkOrderAccepted,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_FRENCH = Language.FRENCH

Detail = tuple[str, str]
"""The name of a part, as `Reading.places` has it, and what it says."""
Part = tuple[str, object]
_EMPTY = (None, "", ())


def headline(statement: Statement, language: Language) -> str:
    """What would be done, in one sentence."""
    words = _HEADLINES[type(statement)](statement)
    return words[0] if language is _FRENCH else words[1]


def details(statement: Statement, language: Language) -> list[Detail]:
    """Every part that is said, with what it says."""
    return [
        (part, _text(value, language)) for part, value in _said(statement) if value not in _EMPTY
    ]


def _said(statement: Statement) -> list[Part]:
    match statement:
        case PatientSaid(identity):
            return _identity(identity)
        case PatientsMerged(kept, gone):
            return [*_identity(kept), ("gone", gone)]
        case IdentifierChanged(new, old):
            return [*_identity(new), ("gone", old)]
        case CaseRecorded(case, patient):
            return [*_parts(case), ("patient", patient)]
        case AssetRecorded(asset) | AssetCancelled(asset):
            return _parts(asset)
        case WorkOrderAccepted(asset=asset):
            left_out = {"asset", "accession_number"} if asset else {"asset"}
            return [*_parts(statement, left_out), *(_parts(asset) if asset else [])]
        case ReportSaid():
            size = f"{statement.media_type}, {len(statement.content)} bytes"
            return [*_parts(statement, {"content", "media_type"}), ("content", size)]
        case _:
            return _parts(statement)


def _parts(said: "DataclassInstance", left_out: Iterable[str] = ()) -> list[Part]:
    names = [field.name for field in fields(said) if field.name not in left_out]
    return [(name, getattr(said, name)) for name in names]


def _text(value: object, language: Language) -> str:
    french = language is _FRENCH
    if isinstance(value, bool | AssetKind | Priority | CaseState | ReportStatus):
        words = _WORDS[value]
        return words[0] if french else words[1]
    match value:
        case Code():
            return f"{value.code} {value.text or ''}".strip()
        case tuple():
            return " + ".join(_text(one, language) for one in value)
        case datetime():
            return value.isoformat(" ", "minutes")
        case date():
            return value.isoformat()
        case Identifier():
            return _identifier(value)
    return str(value)


def _identity(identity: Identity) -> list[Part]:
    """The matricule only of an identity of which it may be shown."""
    shown = [i for i in identity.identifiers if i.kind is IdentifierKind.LOCAL]
    if matricule_shown(identity) and identity.ins is not None:
        shown.append(identity.ins)
    traits = identity.traits
    names = (traits.birth_name, traits.given_names or traits.first_given_name)
    used = (traits.used_name, traits.used_given_name)
    codes = (identity.status, *sorted(identity.attributes))
    return [
        ("identifiers", ", ".join(map(_identifier, shown))),
        ("names", " ".join(filter(None, names))),
        ("used_names", " ".join(filter(None, used))),
        ("birth_date", traits.birth_date),
        ("birth_place", traits.birth_place),
        ("sex", traits.sex),
        ("status", " ".join(code.value for code in codes if code)),
    ]


def _identifier(identifier: Identifier) -> str:
    where = "INS" if identifier.kind is IdentifierKind.INS else identifier.assigner
    return f"{identifier.value} ({where})" if where else identifier.value


def _identifiers(identifiers: Iterable[Identifier]) -> str:
    return ", ".join(map(_identifier, identifiers))


def _named(asset: Asset) -> tuple[str, str]:
    french, english = _KINDS[asset.kind]
    return f"{french} {asset.identifier}", f"{english} {asset.identifier}"


def _patient(statement: PatientSaid) -> tuple[str, str]:
    if statement.event == "order":
        return (
            "Patient : compléter ce qui est inconnu, ne rien remplacer.",
            "Patient: fill in what is unknown, replace nothing.",
        )
    return (
        f"Patient : enregistrer ce que dit l'administration ({statement.event}).",
        f"Patient: record what the administration says ({statement.event}).",
    )


def _link(statement: PatientsLinked) -> tuple[str, str]:
    one, other = _identifiers(statement.one), _identifiers(statement.other)
    if statement.linked:
        return f"Patients : relier {one} et {other}.", f"Patients: link {one} and {other}."
    return f"Patients : séparer {one} et {other}.", f"Patients: unlink {one} and {other}."


def _case(said: CaseSaid) -> tuple[str, str]:
    number = said.accession_number
    french, english = f"Cas {number} : créer ou mettre à jour", f"Case {number}: create or update"
    if said.state is not None:
        state = _STATES[said.state]
        return f"{french} ; il est {state[0]}.", f"{english}; it is {state[1]}."
    return f"{french}.", f"{english}."


def _accepted(statement: WorkOrderAccepted) -> tuple[str, str]:
    number = statement.placer_number
    return (
        f"Demande de travail {number} : acceptée par le laboratoire.",
        f"Work order {number}: accepted by the laboratory.",
    )


def _report(statement: ReportSaid) -> tuple[str, str]:
    french, english = _REPORTS[statement.status]
    number = statement.accession_number
    if number is None:
        return f"{french}.", f"{english}."
    return f"{french} (cas {number}).", f"{english} (case {number})."


def _answer(statement: OrderAnswered) -> tuple[str, str]:
    code = " ".join(filter(None, (statement.code, statement.order_control)))
    return (
        f"Réponse {code} à notre message {statement.control_id}.",
        f"Answer {code} to our message {statement.control_id}.",
    )


def _asset_recorded(statement: AssetRecorded) -> tuple[str, str]:
    french, english = _named(statement.asset)
    return f"{french} : créer ou mettre à jour.", f"{english}: create or update."


def _asset_cancelled(statement: AssetCancelled) -> tuple[str, str]:
    french, english = _named(statement.asset)
    return f"{french} : annuler.", f"{english}: cancel."


_HEADLINES: dict[type, Callable[..., tuple[str, str]]] = {
    PatientSaid: _patient,
    PatientsMerged: lambda said: (
        f"Patients : fusionner ; ne sert plus : {_identifiers(said.gone)}.",
        f"Patients: merge; not used any more: {_identifiers(said.gone)}.",
    ),
    IdentifierChanged: lambda said: (
        f"Patient : changer d'identifiant ; ne sert plus : {_identifiers(said.old)}.",
        f"Patient: change identifier; not used any more: {_identifiers(said.old)}.",
    ),
    PatientsLinked: _link,
    CaseRecorded: lambda said: _case(said.case),
    CaseCancelled: lambda said: (
        f"Cas {said.accession_number} : annuler.",
        f"Case {said.accession_number}: cancel.",
    ),
    AssetRecorded: _asset_recorded,
    AssetCancelled: _asset_cancelled,
    WorkOrderAccepted: _accepted,
    SlideScanned: lambda said: (
        f"Lame {said.identifier} : numérisée, dit le scanner.",
        f"Slide {said.identifier}: scanned, says the scanner.",
    ),
    ReportSaid: _report,
    OrderAnswered: _answer,
}

_KINDS: dict[object, tuple[str, str]] = {
    AssetKind.SPECIMEN: ("Prélèvement", "Specimen"),
    AssetKind.BLOCK: ("Bloc", "Block"),
    AssetKind.SLIDE: ("Lame", "Slide"),
}
_STATES: dict[object, tuple[str, str]] = {
    CaseState.RECEIVED: ("reçu", "received"),
    CaseState.IN_PROGRESS: ("en cours", "in progress"),
    CaseState.READY: ("prêt", "ready"),
    CaseState.READING: ("en lecture", "being read"),
    CaseState.REPORTED: ("avec un compte rendu provisoire", "reported, not final"),
    CaseState.SIGNED_OUT: ("validé", "signed out"),
    CaseState.CANCELLED: ("annulé", "cancelled"),
}
_REPORTS = {
    ReportStatus.FINAL: ("Compte rendu : joindre", "Report: attach"),
    ReportStatus.PRELIMINARY: (
        "Compte rendu provisoire : joindre",
        "Preliminary report: attach",
    ),
    ReportStatus.REPLACED: (
        "Compte rendu : remplacer le précédent",
        "Report: replace the one before",
    ),
    ReportStatus.DELETED: ("Compte rendu : retirer", "Report: withdraw"),
}
_WORDS: dict[object, tuple[str, str]] = {
    True: ("oui", "yes"),
    False: ("non", "no"),
    Priority.STAT: ("urgente", "stat"),
    Priority.ASAP: ("dès que possible", "as soon as possible"),
    Priority.ROUTINE: ("normale", "routine"),
    ReportStatus.FINAL: ("validé", "final"),
    ReportStatus.PRELIMINARY: ("provisoire", "preliminary"),
    ReportStatus.REPLACED: ("remplace le précédent", "replaces the one before"),
    ReportStatus.DELETED: ("retiré", "withdrawn"),
    **_KINDS,
    **_STATES,
}
