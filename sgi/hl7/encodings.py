"""MSH-18 (table 0211): which bytes are which letters, among the encodings met in France."""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from sgi.hl7.errors import Location, UnreadableMessageError

_PLACE = Location("MSH", field=18)


class Charset(StrEnum):
    """An encoding, by its name in table 0211."""

    UTF_8 = "UNICODE UTF-8"
    LATIN_1 = "8859/1"
    """Read as Windows-1252, which is what systems that say so write: no message holds C1 codes."""
    LATIN_9 = "8859/15"
    ASCII = "ASCII"
    """Read as `UNNAMED`, of which it is a part: those who say so are often wrong."""

    @property
    def codec(self) -> str:
        """What Python calls it, for writing."""
        return _CODECS[self]


_CODECS = {
    Charset.UTF_8: "utf-8",
    Charset.LATIN_1: "iso8859-1",
    Charset.LATIN_9: "iso8859-15",
    Charset.ASCII: "ascii",
}

UNNAMED = (Charset.UTF_8, Charset.LATIN_9)
"""Tried in turn where MSH-18 is empty; any bytes are letters in the last."""

_BY_NAME = {
    **dict.fromkeys(("UNICODEUTF8", "UTF8", "UNICODE"), Charset.UTF_8),
    **dict.fromkeys(("88591", "ISO88591", "LATIN1", "WINDOWS1252", "CP1252"), Charset.LATIN_1),
    **dict.fromkeys(("885915", "ISO885915", "LATIN9"), Charset.LATIN_9),
    **dict.fromkeys(("ASCII", "USASCII"), Charset.ASCII),
}
_C1 = re.compile("[\x80-\x9f]")
_WINDOWS = {
    code: letter
    for code in range(0x80, 0xA0)
    if (letter := bytes([code]).decode("cp1252", "ignore"))
}


def charset_named(name: str) -> Charset | None:
    """The encoding of a value of MSH-18; None for an empty one.

    Raises UnreadableMessageError for one that is not known here.
    """
    if not name:
        return None
    found = _BY_NAME.get(re.sub(r"[ _/.-]", "", name).upper())
    if found is None:
        raise UnreadableMessageError(
            "MSH-18 names an encoding that is not read here; use UNICODE UTF-8, 8859/15 or 8859/1.",
            _PLACE,
        )
    return found


def decode(
    raw: bytes, said: Charset | None, unnamed: Sequence[Charset] = UNNAMED
) -> tuple[str, Charset]:
    """The text, and the encoding that it was in: `said`, or the first of `unnamed` that fits.

    Raises UnreadableMessageError when the bytes are not in it: names are never guessed at.
    """
    candidates = unnamed if said in {None, Charset.ASCII} else (said,)
    for charset in candidates:
        if charset is not None:
            try:
                text = raw.decode(charset.codec)
            except UnicodeDecodeError:
                continue
            if charset is Charset.LATIN_1 and _C1.search(text):
                text = text.translate(_WINDOWS)
            return text, charset
    raise UnreadableMessageError(
        "The message is not in the encoding that MSH-18 names; set the sender's encoding right.",
        _PLACE,
    )


def encode(text: str, charset: Charset) -> bytes:
    """The bytes; letters that the encoding lacks lose their accents, or become "?"."""
    try:
        return text.encode(charset.codec)
    except UnicodeEncodeError:
        return "".join(_nearest(letter, charset.codec) for letter in text).encode(charset.codec)


def _nearest(letter: str, codec: str) -> str:
    for spelling in (letter, _PLAIN.get(letter, ""), unicodedata.normalize("NFKD", letter)):
        kept = "".join(part for part in spelling if not unicodedata.combining(part))
        if kept and _fits(kept, codec):
            return kept
    return "?"


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


_PLAIN = {
    "œ": "oe",
    "Œ": "OE",
    "æ": "ae",
    "Æ": "AE",
    "ß": "ss",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "€": "EUR",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "«": '"',
    "»": '"',
    "–": "-",
    "—": "-",
    "−": "-",
    "\u2011": "-",
}
