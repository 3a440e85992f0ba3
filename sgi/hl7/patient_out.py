"""PID of what we tell, as PAM-FR has it; the matricule goes only with a qualified identity."""

from collections.abc import Sequence

from sgi.domain.patient import Identifier, IdentifierKind, Patient, matricule_shown
from sgi.hl7.interface_out import Out
from sgi.hl7.writing import RepetitionOut, segment

_INS_NAMESPACES = {
    "1.2.250.1.213.1.4.8": "ASIP-SANTE-INS-NIR",
    "1.2.250.1.213.1.4.9": "ASIP-SANTE-INS-NIA",
    "1.2.250.1.213.1.4.10": "ASIP-SANTE-INS-NIR",
    "1.2.250.1.213.1.4.11": "ASIP-SANTE-INS-NIR",
}


def patient_segment(out: Out, patient: Patient | None) -> str:
    """PID; it is there even where nobody is known."""
    if patient is None:
        return segment("PID", {1: "1"})
    traits = patient.traits
    names: list[RepetitionOut] = []
    if traits.birth_name or traits.first_given_name:
        birth = (traits.birth_name, traits.first_given_name, traits.given_names)
        names.append((*birth, None, None, None, "L"))
    if traits.used_name or traits.used_given_name:
        names.append((traits.used_name, traits.used_given_name, None, None, None, None, "D"))
    place = traits.birth_place
    codes = [patient.status, *sorted(patient.attributes)]
    return segment(
        "PID",
        {
            1: "1",
            3: [_identifier(out, one) for one in _shown(patient)],
            5: names,
            7: traits.birth_date.strftime("%Y%m%d") if traits.birth_date else None,
            8: traits.sex,
            11: [(None, None, None, None, None, None, "BDL", None, place)] if place else None,
            30: {True: "Y", False: "N", None: None}[traits.died],
            32: [code.value for code in codes if code is not None],
        },
    )


def _shown(patient: Patient) -> Sequence[Identifier]:
    shown = matricule_shown(patient)
    return [one for one in patient.identifiers if one.kind is IdentifierKind.LOCAL or shown]


def _identifier(out: Out, one: Identifier) -> RepetitionOut:
    """A CX."""
    if one.kind is IdentifierKind.INS:
        authority = (_INS_NAMESPACES.get(one.assigner), one.assigner, "ISO")
        return (one.value, None, None, authority, "INS")
    if one.assigner.count("&") == 2:  # a namespace that several have here
        return (one.value, None, None, tuple(one.assigner.split("&")), "PI")
    known = out.authorities.get(one.assigner)
    assigner = (one.assigner, known.id, known.type) if known is not None else (one.assigner,)
    return (one.value, None, None, assigner, "PI")
