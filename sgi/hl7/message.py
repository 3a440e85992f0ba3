"""Messages in ER7 form: bytes -> segments, fields, repetitions, components; and paths to values.

Written here because python-hl7 took 56 s and 2.2 GB for 4 MB of delimiters and lets IndexError out,
and hl7apy read 105 messages a second; this reads lazily what is asked for. Nothing is checked
against a version's tables: DPOW takes fields from later versions, and Z segments are usual.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sgi.hl7.batches import HEADER
from sgi.hl7.encodings import UNNAMED, Charset, charset_named, decode
from sgi.hl7.errors import (
    Location,
    MessageTooLargeError,
    SegmentSequenceError,
    UnreadableMessageError,
    WrongTypeError,
)
from sgi.hl7.escapes import Delimiters
from sgi.hl7.paths import Path, find, paths
from sgi.hl7.segments import NULL, Component, Field, Repetition, Segment

__all__ = [
    "Component",
    "Field",
    "Message",
    "Path",
    "Repetition",
    "Segment",
    "find",
    "parse_message",
    "paths",
]

_MOST_SEGMENTS = 20_000
_MOST_FIELDS = 1_000
"""Of one segment."""
_MOST_PARTS = 100_000
"""Repetitions, components and subcomponents of one segment."""
_LONGEST_HEADER = 8_192
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_SHOWN = re.compile(r"[!-~]")
_BOM = b"\xef\xbb\xbf"
_ANOTHER = re.compile(r"[\r\n][\s\x00\ufeff]{0,8}" + HEADER)


@dataclass(frozen=True)
class Message:
    """A whole message that was read."""

    segments_in_order: tuple[Segment, ...]
    delimiters: Delimiters
    charset: Charset
    """What the bytes were in."""

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments_in_order)

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments_in_order[0]

    def segments(self, name: str) -> list[Segment]:
        """All of one name, in order."""
        return [segment for segment in self.segments_in_order if segment.name == name]

    def segment(self, name: str) -> Segment | None:
        """The first of a name."""
        return next((s for s in self.segments_in_order if s.name == name), None)

    def required(self, name: str) -> Segment:
        """A segment that must be there; raises SegmentSequenceError."""
        found = self.segment(name)
        if found is None:
            raise SegmentSequenceError(
                f"The message has no {name} segment; it is required.", Location(name)
            )
        return found

    def only(self, name: str) -> Segment | None:
        """The one of a name, where two would be two messages; raises SegmentSequenceError."""
        found = self.segments(name)
        if len(found) > 1:
            raise SegmentSequenceError(
                f"A second {name} stands in the message; "
                "leave it out, or send it in a message of its own.",
                found[1].at(1),
            )
        return found[0] if found else None

    def groups(self, *starts: str) -> list[list[Segment]]:
        """Runs of segments that each begin at one of these names; what comes before is left out.

        `groups("ORC")` gives the orders, each with its OBR, SPM and OBX.
        """
        found: list[list[Segment]] = []
        for segment in self.segments_in_order:
            if segment.name in starts:
                found.append([segment])
            elif found:
                found[-1].append(segment)
        return found

    def value(self, path: str) -> str | None:
        """The first value that a path such as "SPM-2.2|SPM-2.1|OBR-13" finds."""
        return find(path, self.segments_in_order)

    @property
    def code(self) -> str:
        """MSH-9.1, such as "OML"; empty when there is none."""
        return self.header.value(9, 1) or ""

    @property
    def event(self) -> str:
        """MSH-9.2, such as "O21"; EVN-1 where only that has it."""
        return self.header.value(9, 2) or self.value("EVN-1") or ""

    @property
    def type(self) -> str:
        """Such as "OML^O21"."""
        return f"{self.code}^{self.event}" if self.event else self.code

    @property
    def control_id(self) -> str:
        """MSH-10; empty when there is none."""
        return self.header.value(10) or ""

    @property
    def sender(self) -> str:
        """MSH-3 and MSH-4 as `application|facility`."""
        return f"{self.header.value(3) or ''}|{self.header.value(4) or ''}"

    @property
    def profiles(self) -> list[str]:
        """MSH-21: the first component of each, such as "DPOW-SLIDE"."""
        found = (repetition.value() for repetition in self.header.field(21).repetitions)
        return [profile for profile in found if profile]


def parse_message(
    raw: bytes, *, unnamed: Sequence[Charset] = UNNAMED, in_spite: Charset | None = None
) -> Message:
    """Read one message, segments ended by CR, LF or CRLF.

    `unnamed` are the encodings tried where MSH-18 is empty; `in_spite` is one that holds whatever
    MSH-18 says. Raises UnreadableMessageError, MessageTooLargeError or WrongTypeError, and
    SegmentSequenceError where another message begins within it, since one answer would be taken
    for both; what is given back raises nothing for what it lacks.
    """
    raw = raw.removeprefix(_BOM).lstrip(b"\r\n\t ")
    delimiters = _delimiters(raw)
    said = in_spite or charset_named(_encoding_said(raw, delimiters))
    text, charset = decode(raw, said, unnamed)
    if _ANOTHER.search(text):
        raise _two_messages()
    segments: list[Segment] = []
    counts: dict[str, int] = {}
    for line in _lines(text, delimiters):
        name = line[:3]
        counts[name] = counts.get(name, 0) + 1
        if counts["MSH"] > 1:
            raise _two_messages()
        _check_size(line, name, delimiters)
        segments.append(Segment(name, line, counts[name], delimiters, charset.codec))
    return Message(tuple(segments), delimiters, charset)


def _two_messages() -> SegmentSequenceError:
    return SegmentSequenceError(
        "Another message begins within this one; send each in a frame of its own.",
        Location("MSH", 2),
    )


def _delimiters(raw: bytes) -> Delimiters:
    """MSH-1 and MSH-2; `#` as a fifth letter (v2.7) marks what was cut short."""
    if not raw.startswith(b"MSH"):
        raise UnreadableMessageError(
            "The message does not begin with MSH; send HL7 v2 in ER7 form.", Location("MSH")
        )
    separator = raw[3:4].decode("ascii", "replace")
    others = raw[4:16].decode("ascii", "replace").split(separator or " ")[0]
    letters = separator + others
    if not (
        len(others) in {4, 5}
        and len(set(letters)) == len(letters)
        and all(_SHOWN.fullmatch(letter) and not letter.isalnum() for letter in letters)
        and "." not in letters
        and '"' not in letters
    ):
        raise WrongTypeError(
            r"MSH-2 must hold four different delimiters, such as ^~\&.", Location("MSH", field=2)
        )
    return Delimiters(separator, others[0], others[1], others[2], others[3])


def _encoding_said(raw: bytes, delimiters: Delimiters) -> str:
    """MSH-18 as far as it is for the whole message: its first repetition."""
    line = re.split(rb"[\r\n]", raw[:_LONGEST_HEADER], maxsplit=1)[0].decode("latin-1")
    fields = line.split(delimiters.field)
    said = fields[17] if len(fields) > 17 else ""
    first = said.split(delimiters.repetition)[0].split(delimiters.component)[0].strip()
    return "" if first == NULL else first


def _lines(text: str, delimiters: Delimiters) -> Iterable[str]:
    """The segments: what does not begin as one goes on with the line before (a stray line end)."""
    text = text.rstrip("\r\n\t \x00")
    end = "\r" if "\r" in text else "\n"
    if text.count(end) >= _MOST_SEGMENTS:
        raise MessageTooLargeError(
            f"The message has more than {_MOST_SEGMENTS} segments; send it in several."
        )
    found: list[list[str]] = []
    for piece in text.split(end):
        line = piece.strip("\n")
        if found and not _begins(line, delimiters):
            found[-1].append(line)
        else:
            found.append([line])
    return ("\n".join(lines).rstrip("\n") if len(lines) > 1 else lines[0] for lines in found)


def _begins(line: str, delimiters: Delimiters) -> bool:
    return _SEGMENT.match(line) is not None and line[3:4] in {"", delimiters.field}


def _check_size(line: str, name: str, delimiters: Delimiters) -> None:
    parts = sum(
        line.count(letter)
        for letter in (delimiters.repetition, delimiters.component, delimiters.subcomponent)
    )
    if line.count(delimiters.field) > _MOST_FIELDS or parts > _MOST_PARTS:
        raise MessageTooLargeError(
            f"A segment {name} has too many fields or parts; send them in several.", Location(name)
        )
