"""The header of a CDA R2 document: what it is, what it replaces, which order it fulfils."""

import re
from dataclasses import dataclass

from sgi.domain.case import Code
from tiling.errors import TilingError
from tiling.xml_tree import Element, parse_xml

_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,100}encoding=["']([A-Za-z0-9._-]{1,40})["']""")
_LONGEST_TITLE = 300
_ROOT = "ClinicalDocument"


@dataclass(frozen=True, slots=True)
class ClinicalDocument:
    """None where the document is silent."""

    document_id: str | None
    replaces: str | None
    """The id of the document that this one replaces."""
    code: Code | None
    title: str | None
    accession_number: str | None


def read_cda(content: bytes) -> ClinicalDocument | None:
    """None for what is no CDA that can be read."""
    root = _root(content)
    if root is None or root.name != _ROOT:
        return None
    title = root.words("title")
    related = [
        one
        for one in root.all("relatedDocument")
        if one.attributes.get("typeCode", "RPLC") == "RPLC"
    ]
    parents = [parent for one in related for parent in one.all("parentDocument", "id")]
    return ClinicalDocument(
        document_id=_id(root.first("id")),
        replaces=_id(parents[0]) if parents else None,
        code=_code(root.first("code")),
        title=title[:_LONGEST_TITLE] if title else None,
        accession_number=_accession_number(root),
    )


def _root(content: bytes) -> Element | None:
    declared = _ENCODING.match(content.removeprefix(b"\xef\xbb\xbf"))
    encoding = declared[1].decode() if declared else "utf-8"
    try:
        return parse_xml(content.decode(encoding).removeprefix("\ufeff"))
    except (TilingError, UnicodeDecodeError, LookupError):
        return None


def _id(element: Element | None) -> str | None:
    """An II: its root, and its extension where it has one."""
    if element is None:
        return None
    parts = [element.attributes.get("root"), element.attributes.get("extension")]
    return "^".join(part for part in parts if part)[:_LONGEST_TITLE] or None


def _code(element: Element | None) -> Code | None:
    code = element.attributes.get("code") if element is not None else None
    if element is None or not code:
        return None
    return Code(
        code, element.attributes.get("displayName"), element.attributes.get("codeSystemName")
    )


def _accession_number(root: Element) -> str | None:
    """Of DICOM PS3.20: an element of another name space within the order."""
    for order in root.all("inFulfillmentOf", "order"):
        for number in order.all("accessionNumber"):
            extension = number.attributes.get("extension")
            if extension:
                return extension
    return None
