"""A patient as the establishment's administration knows them: identifiers, traits, how reliable.

Fields and statuses follow the RNIV (référentiel national d'identitovigilance) and PAM-FR 2.11.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sgi.domain.folding import plain

INS_OIDS = {
    "1.2.250.1.213.1.4.8": "INS-NIR",
    "1.2.250.1.213.1.4.9": "INS-NIA",
    "1.2.250.1.213.1.4.10": "INS-NIR of test",
    "1.2.250.1.213.1.4.11": "INS-NIR of demonstration",
}
"""Where an INS comes from; every other root is no INS."""

TEST_OIDS = frozenset({"1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"})
"""Of people who do not exist."""

OBSOLETE_OID = "1.2.250.1.213.1.4.2"
"""INS-C: computed from a card, and wrong for too many."""


class IdentityStatus(StrEnum):
    """How far an identity is proved (RNIV), by HL7 table 0445 in France."""

    PROVISIONAL = "PROV"
    RETRIEVED = "RECUP"
    """The INSi teleservice was called."""
    VALIDATED = "VALI"
    """An identity document was seen."""
    QUALIFIED = "QUAL"
    """Both: the only one whose matricule may be shown to others and sent on."""


class IdentityAttribute(StrEnum):
    """A doubt that goes with a status (RNIV)."""

    HOMONYM = "HOMA"
    DOUBTFUL = "DOUT"
    FICTITIOUS = "FICT"


class IdentifierKind(StrEnum):
    """CX.5, for the identifiers that decide who a patient is."""

    LOCAL = "PI"
    """The IPP: unique within its assigner."""
    INS = "INS"


@dataclass(frozen=True, slots=True)
class Identifier:
    """One of a patient's identifiers; `assigner` and `value` are opaque."""

    value: str
    assigner: str
    """The namespace of CX.4, such as the establishment's; for an INS, its OID."""
    kind: IdentifierKind = IdentifierKind.LOCAL
    oid: str | None = field(default=None, compare=False)
    """The universal id that came with the namespace of an IPP; what is on record has `assigner`
    made of both."""


@dataclass(frozen=True, slots=True)
class Traits:
    """Who a person is; None where nobody said."""

    birth_name: str | None = None
    first_given_name: str | None = None
    """First of the given names at birth."""
    given_names: str | None = None
    """Given names at birth, in order, separated by spaces."""
    used_name: str | None = None
    used_given_name: str | None = None
    sex: str | None = None
    """"M", "F", "O" or "U"."""
    birth_date: date | None = None
    birth_place: str | None = None
    """INSEE code of the commune, or 99 and the country's: 5 characters."""
    died: bool | None = None


class DmpFeeding(StrEnum):
    """ZFA-9: whether documents may go into the patient's shared record (DMP)."""

    NOT_OPPOSED = "INO"
    OPPOSED = "IO"
    NOT_ASKED = "NA"


class DmpReading(StrEnum):
    """ZFA-11: whether the shared record may be read."""

    CONSENTED = "IC"
    REFUSED = "INC"
    NOT_ASKED = "NA"


@dataclass(frozen=True, slots=True)
class Dmp:
    """What the administration says of the patient's shared record (ZFA of PAM-FR)."""

    state: str | None = None
    """ZFA-1, such as "ACTIF"."""
    feeding: DmpFeeding | None = None
    reading: DmpReading | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """All that one message says of a patient."""

    identifiers: tuple[Identifier, ...]
    traits: Traits = Traits()
    status: IdentityStatus | None = None
    attributes: frozenset[IdentityAttribute] = frozenset()
    dmp: Dmp | None = None

    @property
    def local(self) -> Identifier | None:
        """The IPP that names the patient here."""
        return next((i for i in self.identifiers if i.kind is IdentifierKind.LOCAL), None)

    @property
    def ins(self) -> Identifier | None:
        return next((i for i in self.identifiers if i.kind is IdentifierKind.INS), None)


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom the establishment knows: what is believed of them now."""

    id: UUID
    identifiers: tuple[Identifier, ...]
    """Those that name them now, then the INS: of who was kept first, else as they were heard."""
    traits: Traits = Traits()
    status: IdentityStatus | None = None
    attributes: frozenset[IdentityAttribute] = frozenset()
    dmp: Dmp | None = None
    retired: tuple[Identifier, ...] = ()
    """Merged away, or changed for others: they still lead here."""
    linked: frozenset[UUID] = frozenset()
    """Other living patients whom somebody holds for the same person."""
    said_at: datetime | None = None
    """Of the newest that changed anything; None of one who was only named."""

    @property
    def local(self) -> Identifier | None:
        """The IPP that names the patient here."""
        return next((i for i in self.identifiers if i.kind is IdentifierKind.LOCAL), None)

    @property
    def ins(self) -> Identifier | None:
        """As it was said, whether or not it may be shown."""
        return next((i for i in self.identifiers if i.kind is IdentifierKind.INS), None)


DOUBTS = frozenset({IdentityAttribute.DOUBTFUL, IdentityAttribute.FICTITIOUS})
"""Attributes that allow no status but provisional (RNIV)."""

UNUSABLE = frozenset({"USUR", "INVA", "ANOM", "COLP", "COLV"})
"""Of table 0445: usurped, invalid, anonymous, or (perhaps) two people's. What is proved of such an
identity is not this patient's."""


def matricule_shown(patient: Patient | Identity) -> bool:
    """Whether the matricule may be shown and sent on: of a qualified identity without doubt."""
    ins = patient.ins
    return (
        patient.status is IdentityStatus.QUALIFIED
        and ins is not None
        and ins.assigner in INS_OIDS
        and not patient.attributes & DOUBTS
    )


def is_of_test(identifier: Identifier) -> bool:
    """Whether it is the INS of somebody who does not exist: shown as such wherever it is shown."""
    return identifier.kind is IdentifierKind.INS and identifier.assigner in TEST_OIDS


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far an identity may be believed, and what of the codes could not be."""

    status: IdentityStatus | None
    attributes: frozenset[IdentityAttribute] = frozenset()
    notes: tuple[str, ...] = field(default=())


def reliability(codes: Iterable[str], ins: Identifier | None) -> Reliability:
    """Status and attributes by the codes of PID-32 (table 0445) and the INS that came with them.

    A validated identity that comes with an INS is a qualified one: French systems say VALI there.
    Codes of the table that say nothing of the status are passed over.
    """
    said = set(codes)
    attributes = frozenset(a for a in IdentityAttribute if a in said)
    proved = next((s for s in _HIGHEST_FIRST if s in said), None)
    if attributes & DOUBTS or UNUSABLE & said:
        sentence = DOUBT_SENTENCE if attributes & DOUBTS else UNUSABLE_SENTENCE
        note = () if proved is None else (sentence,)
        return Reliability(IdentityStatus.PROVISIONAL, attributes, note)
    if proved in {IdentityStatus.QUALIFIED, IdentityStatus.VALIDATED}:
        if ins is not None and ins.assigner in INS_OIDS:
            return Reliability(IdentityStatus.QUALIFIED, attributes)
        note = (NO_INS_SENTENCE,) if proved is IdentityStatus.QUALIFIED else ()
        return Reliability(IdentityStatus.VALIDATED, attributes, note)
    if proved is None and IdentityStatus.PROVISIONAL in said:
        return Reliability(IdentityStatus.PROVISIONAL, attributes)
    return Reliability(proved, attributes)


DOUBT_SENTENCE = (
    "A doubtful or fictitious identity is provisional, whatever else is said of it; it is kept so."
)
UNUSABLE_SENTENCE = (
    "A usurped, invalid, anonymous or shared identity is provisional, whatever else is said of it."
)
NO_INS_SENTENCE = "An identity without an INS is not qualified; it is kept as validated."

_HIGHEST_FIRST = (IdentityStatus.QUALIFIED, IdentityStatus.VALIDATED, IdentityStatus.RETRIEVED)


class Trait(StrEnum):
    """What two accounts of one person can differ in, and make a person doubt that it is one."""

    BIRTH_NAME = "birth_name"
    FIRST_GIVEN_NAME = "first_given_name"
    GIVEN_NAMES = "given_names"
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    BIRTH_PLACE = "birth_place"
    INS = "ins"


def differences(said: Traits, known: Traits) -> tuple[Trait, ...]:
    """The strict traits in which two accounts differ; what either leaves open is no difference.

    Names are compared without case, accents, hyphens and apostrophes.
    """
    return tuple(
        trait
        for trait in Trait
        if trait is not Trait.INS
        and (one := getattr(said, trait)) is not None
        and (other := getattr(known, trait)) is not None
        and folded(str(one)) != folded(str(other))
    )


_LASTING = frozenset({Trait.BIRTH_NAME, Trait.SEX, Trait.BIRTH_DATE})


def contradicted(said: Traits, known: Traits) -> tuple[Trait, ...]:
    """Of the differences those in which a person does not change: another value means another
    person, or an error.
    """
    return tuple(trait for trait in differences(said, known) if trait in _LASTING)


def folded(text: str) -> str:
    """A name as it is compared: plain capitals and digits, one blank between words."""
    return " ".join(re.findall(r"[a-z0-9]+", plain(text))).upper()
