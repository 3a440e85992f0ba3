"""Which files are of one set, for whoever gathers slides before any is opened.

That happens for every file of a folder, and outside the confined process in which slides are read:
a document gets few bytes and few steps, and one that asks for more tells nothing of its set.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from tiling import tiff
from tiling.errors import IncompleteSlideError, TilingError
from tiling.formats.ome_tiff.document import read_images
from tiling.formats.ome_tiff.own import OwnFile, is_plain
from tiling.formats.ome_tiff.places import Steps, read_places
from tiling.limits import Limits
from tiling.source import FileSource
from tiling.tiff import TiffFile, is_tiff
from tiling.xml_tree import Element, parse_root, parse_xml

_LIMITS = Limits(text_bytes=1 << 20)
"""A plane takes some 400 bytes of the description, and a slide has 1000 planes at most."""
_MOST_MARKS = {"<": 1 << 14, "=": 1 << 15}
"""How often XML's marks may be met: before tags, of which a plane takes five, and in attributes, of
which it takes up to fifteen. To count them costs nothing beside taking them apart.
"""
_MOST_STEPS = 1 << 14
_MOST_FILES = 256
"""Of one set, as when it is opened."""


class NamedFile(NamedTuple):
    """A file as a document names it: by a plain name, a UUID, or both; by neither, itself."""

    name: str | None
    uuid: str | None


@dataclass(frozen=True, slots=True)
class Members:
    """What a file says of its set, whichever files are there."""

    own: OwnFile
    door: NamedFile
    """The one to be opened: it holds the first plane, or is the companion."""
    files: frozenset[NamedFile]
    """Every TIFF that the file names, of those that hold a plane of the first time."""

    @property
    def says_nothing(self) -> bool:
        """Whether it is a TIFF without OME-XML."""
        return not self.files

    @classmethod
    def of_nothing(cls, path: Path) -> Self:
        """What a TIFF without OME-XML says."""
        own = OwnFile(path, None, is_of_several=False)
        return cls(own, NamedFile(None, None), frozenset())


def read_members(path: Path) -> Members | None:
    """What an OME-TIFF says of its set; None where it is alone, or is not understood.

    Only the first directory is read, and of the document no more than a set can need. Names that
    lead into other folders make no set: opening the file tells what is wrong. Raises OSError when
    the file cannot be read now.
    """
    try:
        source = FileSource(path)
    except IncompleteSlideError as error:
        raise FileNotFoundError(path.name) from error
    try:
        text = _read_text(source)
        if text is None or any(text.count(mark) > most for mark, most in _MOST_MARKS.items()):
            return None
        root = parse_root(text)
        if root is None or root.name != "OME":
            return Members.of_nothing(path)
        return _find_members(path, parse_xml(text))
    except (TilingError, ValueError, OverflowError):
        return None
    finally:
        source.close()


def _read_text(source: FileSource) -> str | None:
    """The first description of a TIFF; None of other files."""
    if not is_tiff(source.read(0, min(4, source.size))):
        return None
    file = TiffFile(source, _LIMITS)
    first = next(file.directories(), None)
    return file.text(first, tiff.IMAGE_DESCRIPTION) if first is not None else None


def _find_members(path: Path, document: Element) -> Members | None:
    own = OwnFile.of(path, document)
    binary = document.first("BinaryOnly")
    if binary is not None:
        door = NamedFile(binary.attributes.get("MetadataFile", ""), None)
        itself = NamedFile(path.name, own.uuid)
        return Members(own, door, frozenset({itself})) if _is_plain(door) else None
    steps = Steps(_MOST_STEPS)
    for pixels in document.all("Image", "Pixels"):
        # No more than five digits are needed to see that it is too many.
        steps.take(int(f"0{pixels.attributes.get('SizeC', '')[:5]}"))
    images = read_images(document)
    places = read_places(images, steps)
    files = frozenset(NamedFile(place.name, place.uuid) for at in places for place in at.values())
    if len(files) > _MOST_FILES or not all(map(_is_plain, files)):
        return None
    if len(files) == 1 and (own.uuid is None or own.is_meant(*next(iter(files)), _nowhere)):
        return None  # alone; renamed perhaps, and with nothing else to be known by
    slides = [at for image, at in zip(images, places, strict=True) if image.kind is None]
    first = (slides or places)[0][0, 0]
    return Members(own, NamedFile(first.name, first.uuid), files)


def _is_plain(file: NamedFile) -> bool:
    """Whether a name is that of a file in the same folder, or none is needed."""
    return file == (None, None) if file.name is None else is_plain(file.name)


def _nowhere(_path: Path, _name: str) -> bool:
    return False
