"""XML that a scanner wrote into its file, read without trusting it.

A document with a DOCTYPE is refused before it is parsed, so that there are no entities but XML's
own five and nothing is ever fetched; depth and number of elements are bounded, and the length is
by whoever read the text (`Limits.text_bytes`).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from tiling.errors import DamagedSlideError, SlideTooLargeError

MAX_DEPTH = 128
"""Elements inside each other; a microscope's beam path is told 65 deep."""
MAX_ELEMENTS = 1 << 18
"""Elements of one document; the longest description seen has some thousands."""
MAX_PATHS = 1 << 26
"""Characters of all paths of a flattened document, each of which repeats those above it."""

_ABSURD = "The slide's description is absurdly long; it is refused."
_DAMAGED = "The slide's description is no readable XML; copy the file again from the scanner."


@dataclass(slots=True)
class Element:
    """One element; names of elements and attributes stand without their namespace's prefix."""

    name: str
    attributes: Mapping[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""
    """The characters directly inside this element, without the space around them."""

    def all(self, *path: str) -> list["Element"]:
        """Every element at the end of a path of names, from this one's children downwards."""
        found = [self]
        for name in path:
            found = [child for element in found for child in element.children if child.name == name]
        return found

    def first(self, *path: str) -> "Element | None":
        return next(iter(self.all(*path)), None)

    def words(self, *path: str) -> str | None:
        """The text at the end of a path; None where there is none."""
        return next((element.text for element in self.all(*path) if element.text), None)


def parse_xml(text: str) -> Element:
    """The root of a document with everything below it.

    Raises DamagedSlideError when the text is not well-formed or has a DOCTYPE, SlideTooLargeError
    when it is absurdly deep or long.
    """
    builder = _Builder()
    _run(builder, text)
    if builder.root is None:
        raise DamagedSlideError(_DAMAGED)
    return builder.root


def parse_root(text: str) -> Element | None:
    """The first element alone, without reading on; None when the text does not begin as XML."""
    builder = _Builder(stops_at_root=True)
    try:
        _run(builder, text)
    except _RootFoundError:
        return builder.root
    except DamagedSlideError:
        pass
    return None


def flatten(root: Element) -> dict[str, str]:
    """Every text and attribute below the root, by its path: `image[1].device.model`.

    An index counts from 0 and stands only where several children have the same name. Raises
    SlideTooLargeError when the paths are absurdly long.
    """
    flattener = _Flattener()
    flattener.add(root, "")
    return flattener.flat


class _Flattener:
    """Puts the paths together, as long as there is room."""

    def __init__(self) -> None:
        self.flat: dict[str, str] = {}
        self._room = MAX_PATHS

    def add(self, element: Element, path: str) -> None:
        """Everything at and below an element, which is at that path."""
        for name, text in element.attributes.items():
            self.flat[self._join(path, name)] = text
        if element.text and path:
            self.flat[path] = element.text
        several = Counter(child.name for child in element.children)
        met: Counter[str] = Counter()
        for child in element.children:
            index = f"[{met[child.name]}]" if several[child.name] > 1 else ""
            met[child.name] += 1
            self.add(child, self._join(path, child.name + index))

    def _join(self, path: str, name: str) -> str:
        self._room -= len(path) + len(name)
        if self._room < 0:
            raise SlideTooLargeError(_ABSURD)
        return f"{path}.{name}" if path else name


class _RootFoundError(Exception):
    """The first element has been read."""


class _Builder:
    """Puts elements together as the parser meets them."""

    def __init__(self, *, stops_at_root: bool = False) -> None:
        self.root: Element | None = None
        self._stops_at_root = stops_at_root
        self._open: list[tuple[Element, list[str]]] = []
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise SlideTooLargeError(_ABSURD)
        element = Element(_bare(name), {_bare(key): text for key, text in attributes.items()})
        if self._open:
            self._open[-1][0].children.append(element)
        else:
            self.root = element
        if self._stops_at_root:
            raise _RootFoundError
        self._open.append((element, []))

    def characters(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, _name: str) -> None:
        element, pieces = self._open.pop()
        element.text = "".join(pieces).strip()


def _run(builder: _Builder, text: str) -> None:
    if "<!DOCTYPE" in text:
        raise DamagedSlideError(_DAMAGED)
    # The encoding that the text declares was that of the bytes, before they were decoded.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(text.strip().encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise DamagedSlideError(_DAMAGED) from error


def _bare(name: str) -> str:
    return name.rpartition(":")[2]
