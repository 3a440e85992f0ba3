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
    model_validator,
)

from sgi.domain.case import AssetKind, CaseState, Priority
from sgi.hl7.encodings import Charset
from sgi.hl7.errors import MessageError
from sgi.hl7.events import EVENTS
from sgi.hl7.interface_out import CodeWord, Out, Table
from sgi.hl7.message import Path as FieldPath
from sgi.hl7.message import paths

LONGEST_IDENTIFIER = 100


class InterfaceKind(StrEnum):
    """How messages come."""

    MLLP = "mllp"
    FILES = "files"


class AssetWord(StrEnum):
    """What integrators call the things that a case is made of."""

    SPECIMEN = "specimen"
    BLOCK = "block"
    SLIDE = "slide"

    @property
    def kind(self) -> AssetKind:
        return AssetKind[self.name]


class Sender(Table):
    """Who may send; empty: whoever reaches the port."""

    applications: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()


def _paths(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return paths(value) if value.strip() else ()
    except MessageError as error:
        raise ValueError(str(error)) from error


Paths = Annotated[tuple[FieldPath, ...], BeforeValidator(_paths)]
"""Alternatives, as "SPM-2.2|SPM-2.1|OBR-13": the first that holds something counts; none: nothing
is read."""


class Read(Table):
    """Where things stand in the messages of this interface."""

    case: Paths
    """The accession number."""
    placer: Paths
    filler: Paths
    specimen: Paths
    block: Paths
    slide: Paths
    """What its barcode says."""
    parent: Paths
    """Beside an SPM; elsewhere a slide's is the block of the same order, a block's the specimen."""
    container: Paths
    """What kind of thing an SPM tells of, by the table `containers`."""
    otherwise: AssetWord | None = None
    """What an SPM tells of that does not say it; none: such a message is refused."""
    priority: Paths
    service: Paths
    """What was ordered; a coded field."""
    stain: Paths = ()
    """A coded field where a slide's stain stands, beside the OBX of DPOW."""
    clinical: Paths
    pathologist: Paths
    visit: Paths
    scanned: Paths
    """Of a scanner's message, the slide."""
    report_case: Paths
    """Of a report, the accession number."""


def _pattern(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return re.compile(value)
    except re.error as error:
        raise ValueError(f"it is no regular expression ({error})") from error


Pattern = Annotated[re.Pattern[str] | None, BeforeValidator(_pattern)]


class Patterns(Table):
    """How identifiers look, whole; with a group `id`, that is the identifier. None: any text."""

    case: Pattern = None
    specimen: Pattern = None
    block: Pattern = None
    slide: Pattern = None


def _several(value: Any) -> Any:
    if isinstance(value, dict):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


CodeWords = Annotated[tuple[CodeWord, ...], BeforeValidator(_several), Field(min_length=1)]


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


class Extemporane(Table):
    """An order is a frozen section where one of the fields has one of the values."""

    fields: Paths = ()
    values: tuple[str, ...] = ()


class Scanner(Table):
    """What OBR-4 (either of its first two components) says in an OUL^R21."""

    scanned: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    """Told for information: nothing is done."""


class Events(Table):
    """Which messages are taken, among those that `docs/hl7-specification.md` lists."""

    take: tuple[str, ...] = ()
    """Such as "OML^O21" or "ADT"; none: all."""
    ignore: tuple[str, ...] = ()
    """Answered AA, and nothing is done."""
    processing: tuple[Literal["P", "T", "D"], ...] = Field(default=("P",), min_length=1)
    """MSH-11 (table 0103): production, training, debugging."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        types = {event.partition("^")[0] for event in EVENTS}
        for name in self.take:
            if name not in EVENTS and name not in types:
                raise ValueError(f"{name} is not among the messages that can be taken")
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

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def identifier(self, word: AssetWord | None, text: str) -> str | None:
        """What a barcode or a field says, without what is around it; None where it is no
        identifier of such a thing (of a case: None).
        """
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
