"""A patient as the establishment's administration knows them: identifiers, traits, how reliable.

Fields and statuses follow the RNIV (référentiel national d'identitovigilance) and PAM-FR 2.11.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

INS_OIDS = {
    "1.2.250.1.213.1.4.8": "INS-NIR",
    "1.2.250.1.213.1.4.9": "INS-NIA",
    "1.2.250.1.213.1.4.10": "INS-NIR of test",
    "1.2.250.1.213.1.4.11": "INS-NIR of demonstration",
}
"""Where an INS comes from; every other root is no INS."""


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


@dataclass(frozen=True, slots=True)
class Identity:
    """All that one message says of a patient."""

    identifiers: tuple[Identifier, ...]
    traits: Traits = Traits()
    status: IdentityStatus | None = None
    attributes: frozenset[IdentityAttribute] = frozenset()

    @property
    def local(self) -> Identifier | None:
        """The IPP that names the patient here."""
        return next((i for i in self.identifiers if i.kind is IdentifierKind.LOCAL), None)

    @property
    def ins(self) -> Identifier | None:
        return next((i for i in self.identifiers if i.kind is IdentifierKind.INS), None)
