"""Whose a stored slide is said to be, by the laboratory, after it was stored."""

from dataclasses import dataclass
from datetime import date

from dicom.text import require_text


@dataclass(frozen=True, slots=True)
class ToldCode:
    """A coded word; `system` is "SCT" for SNOMED CT, whatever the laboratory said otherwise."""

    code: str
    text: str | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class ToldIdentifier:
    """One of a patient's identifiers and who gave it (PS3.3 C.7.1.1)."""

    value: str
    issuer: str | None = None
    oid: str | None = None
    """The issuer's, where it has one: an INS is told by it."""

    def __post_init__(self) -> None:
        require_text("patient identifier", self.value, 64)
        require_text("issuer of a patient identifier", self.issuer, 64)


@dataclass(frozen=True, slots=True)
class ToldPatient:
    """A patient; None where the laboratory does not say."""

    name: str | None = None
    """Birth name and first given name in DICOM's form, `family^given`."""
    other_name: str | None = None
    """The name in use, likewise, where it is another."""
    identifier: ToldIdentifier | None = None
    others: tuple[ToldIdentifier, ...] = ()
    """Such as an INS that may be shown."""
    birth_date: date | None = None
    sex: str | None = None
    """"M", "F" or "O"."""

    def __post_init__(self) -> None:
        require_text("patient's name", self.name, 324)
        require_text("patient's other name", self.other_name, 324)
        if self.sex not in {None, "M", "F", "O"}:
            raise ValueError("a patient's sex is M, F or O")


@dataclass(frozen=True, slots=True)
class ToldGlass:
    """A glass slide: its label's text, the block that it is cut from, how it is stained."""

    identifier: str
    specimen_uid: str
    """The same in every scan of the glass."""
    block: str | None = None
    description: str | None = None
    site: ToldCode | None = None
    stains: tuple[ToldCode, ...] = ()

    def __post_init__(self) -> None:
        require_text("container identifier", self.identifier, 64)
        require_text("block identifier", self.block, 64)
        require_text("specimen description", self.description, 64)


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a slide as a whole; all None: nothing, the file's own words stand."""

    glass: ToldGlass | None = None
    accession_number: str | None = None
    case_known: bool = False
    """True where the case is: then nothing that the file said of a patient stands."""
    study_date: date | None = None
    patient: ToldPatient | None = None

    def __post_init__(self) -> None:
        require_text("accession number", self.accession_number, 16)


@dataclass(frozen=True, slots=True)
class ToldUids:
    """What one instance is called by from now on."""

    study: str
    series: str
    instance: str
