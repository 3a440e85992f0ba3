"""Several messages one after the other, as files and enhanced answers have them."""

import re

HEADER = r"MSH(?:\||([!-/:-@\[-`{-~])[^\w\s]{4,5}\1)"
"""How a message begins, by its delimiters: "MSH-2 lost" at the beginning of a line is a finding."""
_START = re.compile(rb"(?:\A|(?<=[\r\n]))" + HEADER.encode())
_ENVELOPE = re.compile(rb"[\r\n]+(?:FHS|BHS|BTS|FTS)[!-/:-@\[-`{-~]?[^\r\n]*(?=[\r\n]|\Z)")
_MARKS = bytes.maketrans(b"\x0b\x1c", b"\r\r")
_BOM = b"\xef\xbb\xbf"


def split_messages(raw: bytes) -> list[bytes]:
    """The messages, each from its MSH to its last segment; what else there is belongs to none.

    File and batch headers and trailers (FHS, BHS, BTS, FTS) are left out, and so are the VT and FS
    of what was written down as it came over MLLP. Without any MSH, all of it is one message.
    """
    text = raw.removeprefix(_BOM).translate(_MARKS)
    starts = [match.start() for match in _START.finditer(text)]
    if not starts:
        return [raw] if raw.strip() else []
    ends = [*starts[1:], len(text)]
    pieces = (text[start:end] for start, end in zip(starts, ends, strict=True))
    return [_ENVELOPE.sub(b"", piece).strip(b"\r\n\t ") + b"\r" for piece in pieces]
