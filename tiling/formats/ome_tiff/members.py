"""Which files are of one set, for whoever gathers slides before any is opened."""

from dataclasses import dataclass
from pathlib import Path

from tiling import tiff
from tiling.errors import TilingError
from tiling.formats.ome_tiff.document import read_images
from tiling.formats.ome_tiff.own import OwnFile, is_plain
from tiling.formats.ome_tiff.places import read_places
from tiling.limits import Limits
from tiling.source import FileSource
from tiling.tiff import TiffFile, is_tiff
from tiling.xml_tree import Element, parse_root, parse_xml

_LIMITS = Limits(text_bytes=1 << 22)
"""Of a description that is read beside others' slides; a plane takes some 300 bytes of it."""


@dataclass(frozen=True, slots=True)
class Members:
    """The files of a set in one folder, by their plain names."""

    door: str
    """The one to be opened: it holds the first plane, or is the companion."""
    names: frozenset[str]
    """Every TIFF that the file names, and itself."""


def read_members(path: Path) -> Members | None:
    """What an OME-TIFF says of its set; None where it is alone, or cannot be read as it is now.

    Only the first directory is read, and of the document no more than a set can need. Names that
    lead into other folders make no set: opening the file tells what is wrong.
    """
    try:
        document = _read_document(path)
        members = _find_members(path, document) if document is not None else None
    except (TilingError, ValueError, OverflowError, OSError):
        return None
    if members is None or not all(map(is_plain, {members.door, *members.names})):
        return None
    return members if members.names | {members.door} != {path.name} else None


def _read_document(path: Path) -> Element | None:
    source = FileSource(path)
    try:
        if not is_tiff(source.read(0, min(4, source.size))):
            return None
        file = TiffFile(source, _LIMITS)
        first = next(file.directories(), None)
        text = file.text(first, tiff.IMAGE_DESCRIPTION) if first is not None else ""
        root = parse_root(text)
        return parse_xml(text) if root is not None and root.name == "OME" else None
    finally:
        source.close()


def _find_members(path: Path, document: Element) -> Members | None:
    binary = document.first("BinaryOnly")
    if binary is not None:
        return Members(binary.attributes.get("MetadataFile", ""), frozenset({path.name}))
    images, own = read_images(document), OwnFile.of(path, document)
    places = read_places(images)
    files = {(place.name, place.uuid) for at in places for place in at.values()}
    if len(files) == 1 and own.uuid is None:  # renamed, and has nothing else to be known by
        return None
    names = {path.name if own.is_meant(*file) else file[0] or "" for file in files}
    slides = [at for image, at in zip(images, places, strict=True) if image.kind is None]
    first = (slides or places)[0][0, 0]
    door = path.name if own.is_meant(first.name, first.uuid) else first.name or ""
    return Members(door, frozenset({path.name, *names}))
