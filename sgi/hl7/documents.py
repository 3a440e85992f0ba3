"""Documents within a message: an OBX of type ED holds one, lines of TX or FT are one together.

What a document is, is told by how it begins, never by what is said of it: it is shown to people.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sgi.hl7.errors import CardinalityError, Location, MissingFieldError, WrongTypeError
from sgi.hl7.message import Segment

PDF = "application/pdf"
XML = "text/xml"
TEXT = "text/plain"
HTML = "text/html"
XHTML = "application/xhtml+xml"
SVG = "image/svg+xml"
_BOM = b"\xef\xbb\xbf"
_ROOT = re.compile(
    rb"""(?:\xef\xbb\xbf)?+
    (?: \s++ | <\?(?s:.*?)\?> | <!--(?s:.*?)--> | <!doctype [^\[>]*+ (?: \[ [^\]]*+ \] \s*+ )? > )*+
    < (?: [\w.-]++ : )? (?P<root> [\w.-]++ )""",
    re.VERBOSE | re.IGNORECASE,
)
_HTML_ROOTS = {b"html", b"head", b"body"}
_MOST_PROLOGUE = 4096
"""What comes before the root of markup, in bytes."""
_MAGIC = (
    (b"%PDF-", PDF),
    (b"{\\rtf", "application/rtf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n", "image/png"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"PK\x03\x04", "application/zip"),
)
_MAIL = "CORPSMAIL"
_MAIL_SUBJECT = "XDM/"
_LINES = {"TX", "FT"}
_MOST_DOCUMENTS = 50
"""Of one order."""


@dataclass(frozen=True, slots=True)
class Document:
    """One, whole."""

    segment: Segment
    """Its OBX, or the first of its lines."""
    media_type: str
    content: bytes


def documents_in(segments: Sequence[Segment]) -> list[Document]:
    """Every document among the OBX of an order; the words of a mail that goes with it are none.

    Raises WrongTypeError for what cannot be decoded, CardinalityError for more than are taken.
    """
    observations = [segment for segment in segments if segment.name == "OBX"]
    embedded = [one for one in observations if one.value(2) == "ED" and not _is_mail(one)]
    if len(embedded) > _MOST_DOCUMENTS:
        place = embedded[_MOST_DOCUMENTS].at(2)
        raise CardinalityError(f"{place} is one document too many; send them in several.", place)
    if embedded:
        return [_embedded(one) for one in embedded]
    lines = [one for one in observations if one.value(2) in _LINES]
    text = "\n".join(line.field(5).text or "" for line in lines)
    return [Document(lines[0], TEXT, text.encode())] if text.strip() else []


def _is_mail(segment: Segment) -> bool:
    code, text = segment.value(3) or "", segment.value(3, 2) or ""
    return code.startswith(_MAIL) or _MAIL_SUBJECT in text


def _embedded(segment: Segment) -> Document:
    """ED: source, type, subtype, encoding, data; some send the data alone."""
    first, place = segment.field(5).first, segment.at(5)
    alone = len(first.components) == 1
    data = first.value(1 if alone else 5) or ""
    encoding = "Base64" if alone else (first.value(4) or "A")
    content = _decoded(data, encoding, place)
    return Document(segment, media_type_of(content), content)


def _decoded(data: str, encoding: str, place: Location) -> bytes:
    match encoding.casefold():
        case "base64":
            return _base64(data, place)
        case "hex":
            try:
                return bytes.fromhex(data)
            except ValueError as error:
                raise WrongTypeError(f"{place} is not in hexadecimal as it says.", place) from error
        case "a":
            return data.encode()
    raise WrongTypeError(f"{place} is in an encoding that is not Base64, Hex or A.", place)


def _base64(data: str, place: Location) -> bytes:
    """Line ends within it and a missing end are forgiven: the samples of authorities have them."""
    letters = "".join(data.split()).rstrip("=")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WrongTypeError(
            f"{place} is not in Base64 as it says; send it again.", place
        ) from error


def media_type_of(content: bytes) -> str:
    """By how it begins."""
    head = content[:64].removeprefix(_BOM).lstrip()
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head.startswith(b"<"):
        return _of_markup(content)
    try:
        content.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return TEXT


def _of_markup(content: bytes) -> str:
    """By its root, which the prologue may come before."""
    found = _ROOT.match(content[:_MOST_PROLOGUE])
    root = found["root"].lower() if found else b""
    if root == b"svg":
        return SVG
    if root in _HTML_ROOTS:
        is_xml = content.removeprefix(_BOM).lstrip().startswith(b"<?xml")
        return XHTML if is_xml else HTML
    return XML


def required(document: Document) -> Document:
    """Not empty; raises MissingFieldError."""
    if not document.content.strip():
        place = document.segment.at(5)
        raise MissingFieldError(f"{place} holds no document.", place)
    return document
