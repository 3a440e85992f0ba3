r"""The XML header of an iSyntax file, and what it may ask of the decoder.

    XML, "\r\n\x04" | seek table: where each block of coefficients lies | blocks

The decoder is C and reads the header again by itself: attributes by their order, lists into
tables of a fixed length, numbers unasked. So the header is held to the form that it has in
scanners' files before the decoder sees it.
"""

import re
from dataclasses import dataclass

from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.source import FileSource
from tiling.xml_tree import Element, parse_xml

MARK = b'ObjectType="DPUfsImport"'
BLOCK = 128
"""Side of a block of coefficients; the inverse transform makes tiles of twice that."""
CLUSTERED = 100
"""From this version of the data model on, blocks are told of in clusters."""

_END = b"\x04"
_CHUNK_BYTES = 1 << 20
_MOST_BYTES = 1 << 28
"""The table of a slide's blocks takes nearly all of this."""
_TABLE = re.compile(rb'<Attribute [^<>]{0,400}Element="0x2014"[^<>]{0,400}>')
_ATTRIBUTES = {"Attribute": ["Name", "Group", "Element", "PMSVR"], "DataObject": ["ObjectType"]}
_CRAMPED = re.compile(rb'"IDataObjectArray">(?!\s)')
"""A list that begins at once: the decoder learns of what it is from the space before it."""
_DEEPEST = 14
_LONGEST_NAME = 200
_MOST_OBJECTS = {
    "DPScannedImage": 8,
    "UFSImageBlockHeaderTemplate": 63,
    "UFSImageClusterHeaderTemplate": 7,
    "UFSImageValidDataEnvelope": 15,
}
"""Of the whole header."""
_MOST_IN_A_LIST = {"UFSImageBlockHeader": 69, "UFSImageOppExtremeVertex": 63}
_MOST_LEVELS = 12
_MOST_TILES = 1 << 22
"""Of the base; the decoder keeps a record of each."""
_MOST_BLOCKS = 1 << 24
_PADDING = 3
"""Pixels that the transform adds on every side of every level."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """What the header says of the scan's pixels."""

    size: Size
    padded: Size
    """With what the transform adds."""
    offset: tuple[int, int]
    levels: int

    def tiles(self, level: int) -> Size:
        """The decoder's grid of tiles; the coarsest level's is whole, and each doubles it."""
        step = BLOCK << self.levels
        across, down = -(-self.padded.columns // step), -(-self.padded.rows // step)
        doubled = self.levels - 1 - level
        return Size(across << doubled, down << doubled)


@dataclass(frozen=True, slots=True)
class Header:
    """What is in the file before its blocks."""

    document: Element
    """Without the table of blocks."""
    scan: Element
    geometry: Geometry
    table: bytes | None
    """The table of blocks, in base64; clusters are told of otherwise."""
    data_at: int
    """Where the seek table begins."""


def read_header(source: FileSource, limits: Limits) -> Header:
    """Read and check the header.

    Raises DamagedSlideError when it is cut short or is not of the form it should have,
    UnsupportedSlideError without just one scan, SlideTooLargeError beyond the limits.
    """
    raw = _read_xml(source)
    rest, table = _take_table(raw)
    if len(rest) > limits.text_bytes:
        raise SlideTooLargeError("The slide's header is absurdly long; it is refused.")
    document = parse_xml(rest.decode("utf-8", "replace"))
    _check_form(document)
    if _CRAMPED.search(rest):
        raise DamagedSlideError(CORRUPT)
    scans = [
        image
        for image in objects(document, "PIM_DP_SCANNED_IMAGES")
        if words(image, "PIM_DP_IMAGE_TYPE") == "WSI"
    ]
    if len(scans) != 1:
        raise UnsupportedSlideError("The file holds no scan, or several; export one of them.")
    if table is None and data_model(document) < CLUSTERED:
        raise DamagedSlideError(CORRUPT)
    return Header(document, scans[0], _geometry(scans[0], limits), table, len(raw) + 1)


def data_model(document: Element) -> int:
    """The major version, 5 of the first kind of file and 100 of the second."""
    version = words(document, "PIM_DP_UFS_INTERFACE_VERSION") or ""
    match = re.match(r"\d{1,4}", version)
    return int(match[0]) if match else 0


def words(element: Element, name: str) -> str | None:
    """A named value of a DataObject; None where it is not told."""
    named = (a for a in element.all("Attribute") if a.attributes.get("Name") == name)
    return next((attribute.text for attribute in named if attribute.text), None)


def objects(element: Element, name: str) -> list[Element]:
    """The DataObjects of a named list."""
    named = (a for a in element.all("Attribute") if a.attributes.get("Name") == name)
    return [item for attribute in named for item in attribute.all("Array", "DataObject")]


def _read_xml(source: FileSource) -> bytes:
    """Everything before the end mark."""
    pieces: list[bytes] = []
    for at in range(0, min(source.size, _MOST_BYTES), _CHUNK_BYTES):
        piece = source.read(at, min(_CHUNK_BYTES, source.size - at))
        end = piece.find(_END)
        if end >= 0:
            return b"".join([*pieces, piece[:end]])
        pieces.append(piece)
    if source.size > _MOST_BYTES:
        raise SlideTooLargeError("The slide's header is absurdly long; it is refused.")
    raise DamagedSlideError(
        "The file is cut short within its header; copy it again from the scanner."
    )


def _take_table(raw: bytes) -> tuple[bytes, bytes | None]:
    """The header without the table of blocks, and the table."""
    # Some scanners fill up the header with zeros.
    raw = raw.rstrip(b"\0\r\n")
    found = _TABLE.search(raw)
    if found is None:
        return raw, None
    end = raw.find(b"<", found.end())
    if end < 0 or _TABLE.search(raw, end):
        raise DamagedSlideError(CORRUPT)
    return raw[: found.end()] + raw[end:], raw[found.end() : end]


def _check_form(document: Element) -> None:
    """Raise DamagedSlideError where the decoder would misread the header or overrun a table."""
    counts = dict.fromkeys(_MOST_OBJECTS, 0)
    pending = [(document, 1)]
    while pending:
        element, depth = pending.pop()
        names = list(element.attributes)
        expected = _ATTRIBUTES.get(element.name, [])
        longest = max(map(len, element.attributes.values()), default=0)
        if names != expected or longest > _LONGEST_NAME or depth > _DEEPEST:
            raise DamagedSlideError(CORRUPT)
        kinds = [child.attributes.get("ObjectType", "") for child in element.children]
        if any(kinds.count(kind) > most for kind, most in _MOST_IN_A_LIST.items()):
            raise DamagedSlideError(CORRUPT)
        for kind in counts:
            counts[kind] += kinds.count(kind)
        pending.extend((child, depth + 1) for child in element.children)
    if any(counts[kind] > most for kind, most in _MOST_OBJECTS.items()):
        raise DamagedSlideError(CORRUPT)


def _geometry(scan: Element, limits: Limits) -> Geometry:
    general = objects(scan, "UFS_IMAGE_GENERAL_HEADERS")
    templates = objects(scan, "UFS_IMAGE_BLOCK_HEADER_TEMPLATES")
    if len(general) != 1 or not templates:
        raise DamagedSlideError(CORRUPT)
    if not (words(general[0], "UFS_IMAGE_NUMBER_OF_BLOCKS") or "0").isdecimal() or (
        int(words(general[0], "UFS_IMAGE_NUMBER_OF_BLOCKS") or "0") > _MOST_BLOCKS
    ):
        raise SlideTooLargeError("The slide announces more blocks than any scan; it is refused.")
    for template in templates:
        across, down, *_ = _ranges(template)
        if (across[1], down[1]) != (BLOCK, BLOCK):
            raise UnsupportedSlideError("The slide is compressed in blocks of an unknown size.")
    (left, columns), (top, rows), _, (_, levels), *_ = _ranges(general[0])
    padding = (_PADDING << levels) - _PADDING if 0 < levels <= _MOST_LEVELS else 0
    if not padding or min(columns, rows) <= 2 * padding or max(columns, rows) >= 1 << 30:
        raise DamagedSlideError(CORRUPT)
    size = Size(columns - 2 * padding, rows - 2 * padding)
    geometry = Geometry(size, Size(columns, rows), (left, top), levels)
    limits.check_level(size, Size(2 * BLOCK, 2 * BLOCK))
    if geometry.tiles(0).area > _MOST_TILES:
        raise SlideTooLargeError("The slide announces more tiles than any scan; it is refused.")
    return geometry


def _ranges(element: Element) -> list[tuple[int, int]]:
    """Where each of the five dimensions starts, and how many steps it has."""
    ranges = []
    for item in objects(element, "UFS_IMAGE_DIMENSION_RANGES"):
        text = words(item, "UFS_IMAGE_DIMENSION_RANGE") or ""
        match = re.fullmatch(r"\s*(-?\d{1,9})\s+(\d{1,9})\s+(-?\d{1,9})\s*", text)
        if match is None or not int(match[2]):
            raise DamagedSlideError(CORRUPT)
        start, step, end = (int(number) for number in match.groups())
        ranges.append((start, (end + step - start) // step))
    if len(ranges) != 5:
        raise DamagedSlideError(CORRUPT)
    return ranges


CORRUPT = "The slide's header is corrupt; copy the file again from the scanner."
