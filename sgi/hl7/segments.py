"""The parts of a message: segments, fields, repetitions, components. What is not there is empty."""

from dataclasses import dataclass
from functools import cached_property

from sgi.hl7.errors import Location, MissingFieldError
from sgi.hl7.escapes import Delimiters, unescape

NULL = '""'
"""What was known is to be forgotten."""


@dataclass(frozen=True, slots=True)
class Component:
    """One component, or what is left of a field that has none."""

    raw: str
    delimiters: Delimiters
    codec: str

    def subcomponent(self, number: int) -> str | None:
        """The text of subcomponent `number` (from 1); None when empty or not there."""
        parts = self.raw.split(self.delimiters.subcomponent)
        return self._text(parts[number - 1]) if 0 < number <= len(parts) else None

    @property
    def value(self) -> str | None:
        """The text of the first subcomponent: what stands there when somebody sends more parts."""
        return self.subcomponent(1)

    def _text(self, part: str) -> str | None:
        if part in {"", NULL}:
            return None
        return unescape(part, self.delimiters, self.codec).strip() or None


@dataclass(frozen=True, slots=True)
class Repetition:
    """One occurrence of a field."""

    raw: str
    delimiters: Delimiters
    codec: str

    @property
    def components(self) -> list[Component]:
        parts = self.raw.split(self.delimiters.component)
        return [Component(part, self.delimiters, self.codec) for part in parts]

    def component(self, number: int) -> Component:
        """Component `number` (from 1); an empty one when it is not there."""
        parts = self.raw.split(self.delimiters.component)
        part = parts[number - 1] if 0 < number <= len(parts) else ""
        return Component(part, self.delimiters, self.codec)

    def value(self, component: int = 1, subcomponent: int = 1) -> str | None:
        return self.component(component).subcomponent(subcomponent)

    @property
    def text(self) -> str | None:
        """All of it as one text, delimiters as they stand: for TX and FT, where `^` is a letter."""
        if self.raw in {"", NULL}:
            return None
        return unescape(self.raw, self.delimiters, self.codec) or None


@dataclass(frozen=True, slots=True)
class Field:
    """A field with its repetitions; one that is not there is like an empty one."""

    raw: str
    delimiters: Delimiters
    codec: str
    location: Location
    whole: bool = False
    """MSH-1 and MSH-2: delimiters, not delimited."""

    def __bool__(self) -> bool:
        """Whether anything stands in it."""
        return self.raw != ""

    @property
    def null(self) -> bool:
        """Whether it is `""`: what was known of it is to be forgotten. Its value is None."""
        return self.raw == NULL

    @property
    def repetitions(self) -> list[Repetition]:
        """Those that are not empty, in order."""
        parts = [self.raw] if self.whole else self.raw.split(self.delimiters.repetition)
        return [Repetition(part, self.delimiters, self.codec) for part in parts if part]

    @property
    def first(self) -> Repetition:
        """The first repetition; an empty one when there is none."""
        return self.repetition(1)

    def repetition(self, number: int) -> Repetition:
        """Repetition `number` (from 1), counted as it was sent; an empty one when not there."""
        parts = [self.raw] if self.whole else self.raw.split(self.delimiters.repetition)
        part = parts[number - 1] if 0 < number <= len(parts) else ""
        return Repetition(part, self.delimiters, self.codec)

    @property
    def value(self) -> str | None:
        """Of the first repetition, first component, first subcomponent: what is mostly meant."""
        return self.raw or None if self.whole else self.first.value()

    def component(self, number: int) -> str | None:
        """Of the first repetition."""
        return self.first.value(number)

    @property
    def text(self) -> str | None:
        """The whole field as one text, lines of its repetitions below each other."""
        lines = [repetition.text or "" for repetition in self.repetitions]
        return "\n".join(lines) or None


@dataclass(frozen=True)
class Segment:
    """One segment; its fields are numbered as in the standard, MSH-1 being the separator."""

    name: str
    raw: str
    sequence: int
    """Which of the message's segments of this name, from 1."""
    delimiters: Delimiters
    codec: str

    @cached_property
    def _fields(self) -> list[str]:
        parts = self.raw.split(self.delimiters.field)
        if self.name == "MSH":
            parts.insert(1, self.delimiters.field)
        return parts

    def field(self, number: int) -> Field:
        """Field `number` (from 1); an empty one when it is not there."""
        fields = self._fields
        raw = fields[number] if 0 < number < len(fields) else ""
        whole = self.name == "MSH" and number <= 2
        place = Location(self.name, self.sequence, number)
        return Field(raw, self.delimiters, self.codec, place, whole)

    def __len__(self) -> int:
        """How many fields were sent."""
        return len(self._fields) - 1

    def value(self, field: int, component: int = 1, subcomponent: int = 1) -> str | None:
        """Of the first repetition; None when empty or not there."""
        return self.field(field).first.value(component, subcomponent)

    def required(self, field: int, component: int = 1) -> str:
        """A value that must be there; raises MissingFieldError with its place."""
        value = self.value(field, component)
        if value is None:
            place = self.at(field, component=component if component > 1 else None)
            raise MissingFieldError(f"{place} is empty; it is required.", place)
        return value

    def at(
        self, field: int, component: int | None = None, repetition: int | None = None
    ) -> Location:
        """The place of a field, for an error about it."""
        return Location(self.name, self.sequence, field, repetition, component)
