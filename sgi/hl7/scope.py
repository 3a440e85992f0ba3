"""What one part of a message says: values with the place that each was read from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sgi.domain.case import Code
from sgi.hl7.errors import Location, WrongTypeError
from sgi.hl7.interface import AssetWord, Interface
from sgi.hl7.message import Path, Repetition, Segment
from sgi.hl7.times import is_likely, parse_time

LONGEST_TEXT = 20_000
LONGEST_NUMBER = 200
"""Characters of an identifier: what is indexed has a bound, which messages must not meet."""
_LONGEST_CODE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A value, where it stands, and the repetition that it is part of."""

    value: str
    location: Location
    repetition: Repetition


@dataclass(slots=True)
class Scope:
    """Segments that belong together, such as those of one order and one of its specimens."""

    interface: Interface
    segments: Sequence[Segment]
    notes: list[str]
    """What was left aside, one sentence each."""
    places: dict[str, Location] = field(default_factory=dict)
    """Where each thing was read."""

    @property
    def zone(self) -> ZoneInfo:
        return self.interface.timezone

    def within(self, segments: Iterable[Segment]) -> "Scope":
        """Some of its segments: what is read of them is remembered here."""
        return Scope(self.interface, tuple(segments), self.notes, self.places)

    def segment(self, name: str) -> Segment | None:
        return next((one for one in self.segments if one.name == name), None)

    def all(self, name: str) -> list[Segment]:
        return [one for one in self.segments if one.name == name]

    def note(self, words: str) -> None:
        """Once, however often it is met."""
        if words not in self.notes:
            self.notes.append(words)

    def every(self, paths: Iterable[Path]) -> Iterable[Found]:
        """What stands at any of the paths, in their order."""
        for path in paths:
            for segment in self.segments:
                value = path.value_of(segment)
                if value is not None:
                    repetition = segment.field(path.field).repetition(path.repetition)
                    yield Found(value, path.location(segment), repetition)

    def first(self, paths: Iterable[Path], what: str) -> Found | None:
        """The first of them, which is remembered as the place of `what`."""
        found = next(iter(self.every(paths)), None)
        if found is not None:
            self.places[what] = found.location
        return found

    def text(self, paths: Iterable[Path], what: str) -> str | None:
        """A number or a name of any form, but no longer than others' systems have them."""
        found = self.first(paths, what)
        if found is None:
            return None
        return self.bounded(found.value, found.location, LONGEST_NUMBER)

    def bounded(self, text: str, location: Location, most: int = LONGEST_TEXT) -> str:
        """The text; raises WrongTypeError where it is longer than is kept."""
        if len(text) > most:
            raise WrongTypeError(f"{location} has more than {most} characters.", location)
        return text

    def name(
        self, paths: Iterable[Path], word: AssetWord | None, what: str, *, strict: bool = True
    ) -> str | None:
        """An identifier (of a case where `word` is None): the first that looks like one.

        Raises WrongTypeError where something stands there that is none, if it is read strictly.
        """
        refused: Location | None = None
        for found in self.every(paths):
            identifier = self.interface.identifier(word, found.value)
            if identifier is not None:
                self.places[what] = found.location
                return identifier
            refused = refused or found.location
        if refused is not None and strict:
            raise WrongTypeError(
                f"{refused} is no identifier as this interface has them.",
                refused,
            )
        return None

    def moment(self, segment: Segment, number: int, what: str) -> datetime | None:
        """A field of type TS, DTM or DR; None, and a note, where it cannot be. Raises
        WrongTypeError for what is no time.
        """
        value = segment.value(number)
        if value is None:
            return None
        location = segment.at(number)
        moment = parse_time(value, self.zone, location)
        if moment is None:
            self.note(f"{location} has no day; it was left aside.")
            return None
        if not is_likely(moment):
            self.note(f"{location} is before 1970 or far ahead; it was left aside.")
            return None
        self.places[what] = location
        return moment

    def code(self, segment: Segment, number: int, what: str) -> Code | None:
        """A field of type CE or CWE; a text without a code stands for itself."""
        code = self.code_in(segment.field(number).first, segment.at(number))
        if code is not None:
            self.places[what] = segment.at(number)
        return code

    def code_in(self, repetition: Repetition, location: Location) -> Code | None:
        """The code that a repetition has, or its alternate, or its text."""
        for at in (1, 4):
            code, text = repetition.value(at), repetition.value(at + 1)
            if code or text:
                return Code(
                    self.bounded(code or text or "", location, _LONGEST_CODE),
                    self.bounded(text, location, _LONGEST_CODE) if text else None,
                    repetition.value(at + 2),
                )
        text = repetition.value(9)
        return Code(self.bounded(text, location, _LONGEST_CODE), text) if text else None

    def codes_said(self, paths: Iterable[Path]) -> set[str]:
        """Code and text of every coded field that the paths lead to."""
        said = (found.repetition.value(at) for found in self.every(paths) for at in (1, 2))
        return {value for value in said if value}
