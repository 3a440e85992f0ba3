"""What an interface is and what its messages mean: the keys of its file, see `interfaces`."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from sgi.domain.case import CaseState, Priority
from sgi.domain.patient_codes import is_patient_code
from sgi.hl7.encodings import Charset
from sgi.hl7.events import EVENTS
from sgi.hl7.interface_out import CodeWord, Out, Table
from sgi.hl7.interface_read import AssetWord, Paths, Patterns, Read

__all__ = ["LONGEST_IDENTIFIER", "AssetWord", "Interface", "InterfaceKind", "Read"]

LONGEST_IDENTIFIER = 100


class InterfaceKind(StrEnum):
    """How messages come."""

    MLLP = "mllp"
    FILES = "files"


class Sender(Table):
    """Who may send; empty: whoever reaches the port."""

    applications: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()


def _several(value: Any) -> Any:
    if isinstance(value, dict):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


CodeWords = Annotated[tuple[CodeWord, ...], BeforeValidator(_several), Field(min_length=1)]


_MESSAGE = re.compile(r"[A-Z][A-Z0-9]{2}(\^[A-Z][A-Z0-9]{2})?")


class Codes(Table):
    """The laboratory's codes; one that is not listed is taken as the message has it."""

    stains: dict[str, CodeWords] = Field(default_factory=dict)
    """One code may be several stains."""
    techniques: dict[str, CodeWord] = Field(default_factory=dict)
    sites: dict[str, CodeWord] = Field(default_factory=dict)
    containers: dict[str, AssetWord] = Field(default_factory=dict)
    priorities: dict[str, Priority] = Field(default_factory=dict)
    states: dict[str, CaseState] = Field(default_factory=dict)
    """Of a case, by ORC-25 or else ORC-5."""

    @field_validator("*")
    @classmethod
    def _named(cls, table: dict[str, Any]) -> dict[str, Any]:
        if any(not code.strip() for code in table):
            raise ValueError("there is an empty code, which no message has; take it out")
        return table


class Extemporane(Table):
    """An order is a frozen section where one of the fields has one of the values."""

    fields: Paths = ()
    values: tuple[str, ...] = ()


class Scanner(Table):
    """What OBR-4 (either of its first two components) says in an OUL^R21."""

    scanned: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    """Told for information: nothing is done."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for word in self.scanned:
            if word in self.status:
                raise ValueError(f"{word} says both; take it out of one")
        return self


class Events(Table):
    """Which messages are taken, among those that `docs/hl7-specification.md` lists."""

    take: tuple[str, ...] = ()
    """Such as "OML^O21" or "ADT"; none: all."""
    ignore: tuple[str, ...] = ()
    """Answered AA, and nothing is done."""
    processing: tuple[Literal["P", "T", "D"], ...] = Field(default=("P",), min_length=1)
    """MSH-11 (table 0103): production, training, debugging."""

    @field_validator("ignore")
    @classmethod
    def _written(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """Of any message there is: those that are not understood are what is ignored."""
        for name in names:
            if not _MESSAGE.fullmatch(name):
                raise ValueError(f"{name} is no message; write it as ADT or OML^O21")
        return names

    @model_validator(mode="after")
    def _known(self) -> Self:
        types = {event.partition("^")[0] for event in EVENTS}
        for name in self.take:
            if name not in EVENTS and name not in types:
                raise ValueError(f"{name} is not among the messages that can be taken")
            if {name, name.partition("^")[0]} & set(self.ignore):
                raise ValueError(f"{name} is among those that are ignored, too; take it out of one")
        return self


class Patients(Table):
    """How identities are read."""

    assigner: str = Field(default="", max_length=180)
    """Of an IPP that comes without one (CX.4)."""
    test_ins: bool = False
    """True takes the INS of test and demonstration for true ones."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("it is no time zone; one is Europe/Paris") from error
    return name


class Interface(Table):
    """One interface with another system, of one establishment."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9-]{0,39}$")
    kind: InterfaceKind = InterfaceKind.MLLP
    host: str | None = Field(default=None, max_length=253)
    """Where MLLP listens; none: where the settings say."""
    port: int | None = Field(default=None, ge=0, le=65535)
    folder: Path | None = None
    """Of an interface of files: where they are dropped; none for one in the data folder."""
    establishment: str = ""
    """Its name; empty for the first."""
    zone: Annotated[str, AfterValidator(_zone)] = "Europe/Paris"
    """Of times that come without one."""
    encodings: tuple[Charset, ...] = Field(
        default=(Charset.UTF_8, Charset.LATIN_9), min_length=1, max_length=3
    )
    """Tried in turn where MSH-18 is empty."""
    encoding_always: Charset | None = None
    """Of a sender whose MSH-18 is wrong: what its bytes are in whatever it says."""
    application_acknowledgement: bool = True
    """False answers `ACK` to everything; True `ORL^O22` to `OML^O21`."""
    sender: Sender = Sender()
    events: Events = Events()
    read: Read
    patterns: Patterns = Patterns()
    codes: Codes = Codes()
    extemporane: Extemporane = Extemporane()
    scanner: Scanner = Scanner()
    patients: Patients = Patients()
    pathologist_roles: tuple[str, ...] = ("PI",)
    """Which PRT-4 is the reading pathologist (table 0912)."""
    out: Out = Out()

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        other = InterfaceKind.MLLP if self.kind is InterfaceKind.FILES else InterfaceKind.FILES
        for key in ("folder",) if other is InterfaceKind.FILES else ("host", "port"):
            if getattr(self, key) is not None:
                raise ValueError(f'{key} goes with kind = "{other}"; take one of them out')
        return self

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def identifier(self, word: AssetWord | None, text: str) -> str | None:
        """What a barcode or a field says, without what is around it; None where it is no
        identifier of such a thing (of a case: None). A patient's code is none.
        """
        found = self._identifier(word, text)
        return None if found is None or is_patient_code(found) else found

    def _identifier(self, word: AssetWord | None, text: str) -> str | None:
        text = text.strip()
        if not text or len(text) > LONGEST_IDENTIFIER or not text.isprintable():
            return None
        pattern: re.Pattern[str] | None = getattr(self.patterns, word or "case")
        if pattern is None:
            return text
        match = pattern.fullmatch(text)
        if match is None:
            return None
        return (match["id"] if "id" in pattern.groupindex else text) or None

    def slide_identifier(self, barcode: str) -> str | None:
        """What a slide's barcode says, as the laboratory's messages have it."""
        return self.identifier(AssetWord.SLIDE, barcode)
