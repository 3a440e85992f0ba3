"""What of MSH an answer needs, even of a message that cannot be read."""

from collections.abc import Sequence
from dataclasses import dataclass

from sgi.hl7.encodings import Charset, charset_named, encode
from sgi.hl7.errors import MessageError
from sgi.hl7.escapes import unescape
from sgi.hl7.message import Message, parse_message
from sgi.hl7.mllp import HEAD_BYTES

_LONGEST = 250
"""Letters of a value that is sent back; standards have 20 to 227."""
_MOST_PARTS = 6

Parts = tuple[str, ...]
"""The components of a field."""


@dataclass(frozen=True, slots=True)
class Header:
    """MSH of a message that is to be answered; empty where it says nothing."""

    sender: tuple[Parts, Parts]
    receiver: tuple[Parts, Parts]
    code: str
    event: str
    control_id: str
    processing: str
    version: Parts
    accept: str
    """MSH-15: AL, NE, ER or SU."""
    application: str
    """MSH-16."""
    country: str
    encoding: str
    """MSH-18 of the answer: as it was, where that is known here."""
    charset: Charset
    french: bool
    """MSH-19, or MSH-17 where that says nothing: in which language people there read."""

    @property
    def enhanced(self) -> bool:
        """The sender says which acknowledgements it wants."""
        return bool(self.accept or self.application)

    def is_before(self, version: str) -> bool:
        """Whether MSH-12 names an older version, such as 2.3.1 for "2.5"; unknown is not."""
        return any(self.version) and _numbers(self.version[0]) < _numbers(version)

    def write(self, segments: Sequence[str]) -> bytes:
        """An answer's bytes, in the encoding in which the message came."""
        return encode("".join(f"{line}\r" for line in segments), self.charset)


_NOTHING = Header(
    ((), ()), ((), ()), "", "", "", "", (), "", "", "", "", Charset.UTF_8, french=False
)


def header_of(asked: Message | bytes) -> Header:
    """The header; an empty one where there is none that can be read, not even in part."""
    if isinstance(asked, bytes):
        first = asked[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf\r\n\t ").replace(b"\n", b"\r")
        try:
            # Latin-9 has a letter for every byte: what MSH-18 says may be what is wrong.
            message = parse_message(first.split(b"\r", 1)[0], in_spite=Charset.LATIN_9)
        except MessageError:
            return _NOTHING
        said = _raw(message, 18)
        try:
            return _read(message, said, charset_named(said) or Charset.UTF_8)
        except MessageError:  # in an encoding that is not known here, nothing could be said
            return _read(message, Charset.ASCII, Charset.ASCII)
    return _read(asked, _raw(asked, 18), asked.charset)


def _read(message: Message, encoding: str, charset: Charset) -> Header:
    type_ = message.header.field(9).first
    country = (message.header.value(17) or "")[:3]
    language = (message.header.value(19) or country)[:2]
    return Header(
        sender=(_parts(message, 3), _parts(message, 4)),
        receiver=(_parts(message, 5), _parts(message, 6)),
        code=(type_.value(1) or "")[:3],
        event=(type_.value(2) or "")[:3],
        control_id=_text(message, 10),
        processing=(message.header.value(11) or "")[:1],
        version=_parts(message, 12),
        accept=message.header.value(15) or "",
        application=message.header.value(16) or "",
        country=country,
        encoding=encoding,
        charset=charset,
        french=language.upper() == "FR",
    )


def _text(message: Message, number: int) -> str:
    """Nothing is trimmed: the sender compares it with what it sent."""
    raw = _raw(message, number)
    return unescape(raw, message.delimiters, message.charset.codec)[:_LONGEST]


def _parts(message: Message, number: int) -> Parts:
    components = message.header.field(number).first.components[:_MOST_PARTS]
    codec = message.charset.codec
    return tuple(unescape(one.raw, message.delimiters, codec)[:_LONGEST] for one in components)


def _raw(message: Message, number: int) -> str:
    return message.header.field(number).first.raw


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split("."))
