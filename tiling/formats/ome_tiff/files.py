"""The files of a set: the main one, and those beside it that its description names."""

import filecmp
from pathlib import Path

from tiling.errors import (
    DamagedSlideError,
    IncompleteSlideError,
    SlideTooLargeError,
    UnsupportedSlideError,
)
from tiling.formats.ome_tiff.own import OwnFile, is_beside, is_plain
from tiling.limits import Limits
from tiling.source import FileSource
from tiling.tiff import is_tiff
from tiling.tiff_layers import LayeredTiff
from tiling.tiff_layers.kept import KeptPieces
from tiling.xml_tree import Element, parse_root, parse_xml

_MOST_FILES = 256
"""Of one set, since all stay open."""


def read_document(
    path: Path, limits: Limits, sources: list[FileSource]
) -> tuple[Element, LayeredTiff | None]:
    """The description, and the TIFF that it lies in; None for a companion file.

    Raises UnsupportedSlideError for a TIFF whose description is in a companion, which is opened
    instead, and IncompleteSlideError when that is not there.
    """
    source = FileSource(path)
    sources.append(source)
    if not is_tiff(source.read(0, min(4, source.size))):
        if source.size > limits.text_bytes:
            raise SlideTooLargeError("The file holds an absurdly long text; it is refused.")
        text = source.read(0, source.size).decode("utf-8-sig", "replace")
        return parse_xml(text), None
    file = LayeredTiff(path, source, limits, KeptPieces())
    if not file.directories:
        raise DamagedSlideError("The file holds no image; copy it again from the scanner.")
    document = parse_xml(file.description(file.directories[0]))
    binary = document.first("BinaryOnly")
    if binary is not None:
        _raise_for_part(path, binary.attributes.get("MetadataFile", ""))
    return document, file


def _raise_for_part(path: Path, main: str) -> None:
    """A part of a set was opened, not its main file."""
    if is_beside(path, main):
        raise UnsupportedSlideError(
            f"This is but a part of a slide; open {main} beside it, which is the whole."
        )
    name = main if is_plain(main) else "The main file of the set"
    raise IncompleteSlideError(
        f"{name} is missing, and this file is but a part of its slide; copy all files together."
    )


class FileSet:
    """Opens each file of a set once."""

    def __init__(
        self,
        path: Path,
        document: Element,
        main: LayeredTiff | None,
        limits: Limits,
        sources: list[FileSource],
    ) -> None:
        self._own = OwnFile.of(path, document)
        self.main = main
        self._limits = limits
        self._sources = sources
        self._kept = KeptPieces()
        self._beside: dict[str, LayeredTiff] = {}

    @property
    def is_anonymous(self) -> bool:
        """Whether the main file is a TIFF that has no UUID of its own."""
        return self.main is not None and self._own.uuid is None

    def get(self, name: str | None, uuid: str | None) -> LayeredTiff:
        """The file of that name and UUID; the main one where neither tells of another.

        The UUID goes before the name, since people rename files. Raises IncompleteSlideError when
        the file is not there or is another, UnsupportedSlideError when it is not in the folder.
        """
        if self.main is not None and self._own.is_meant(name, uuid):
            return self.main
        if name is None:
            raise IncompleteSlideError(
                "A file of the set is missing, and is not named; copy all files together."
            )
        if name not in self._beside:
            self._beside[name] = self._open(name, uuid)
        return self._beside[name]

    def check_is_door(self, name: str | None, uuid: str | None) -> None:
        """Raise unless the set's first plane is in this file, or this is a companion."""
        if self.main is not None and not self._own.is_meant(name, uuid):
            _raise_for_part(self._own.path, name or "")

    def _open(self, name: str, uuid: str | None) -> LayeredTiff:
        if len(self._beside) >= _MOST_FILES:
            raise SlideTooLargeError("The slide is in more files than are read; export it as one.")
        if not is_plain(name):
            raise UnsupportedSlideError(
                "A file of the set is in another folder; export the slide as one file."
            )
        path = self._own.path.with_name(name)
        if not is_beside(self._own.path, name):
            raise IncompleteSlideError(
                f"{name} is missing beside the slide; copy all files of the set together."
            )
        source = FileSource(path)
        self._sources.append(source)
        file = LayeredTiff(path, source, self._limits, self._kept)
        root = parse_root(file.description(file.directories[0])) if file.directories else None
        own = root.attributes.get("UUID") if root is not None else None
        if uuid is not None and own not in (None, uuid) and not self._has_the_same_xml(own, path):
            raise IncompleteSlideError(
                f"{name} beside the slide is of another one; copy all files of the set together."
            )
        return file

    def _has_the_same_xml(self, uuid: str | None, path: Path) -> bool:
        """Whether a file bears the main one's UUID, as some programs write it, without being that
        file once more.
        """
        same = self.main is not None and uuid == self._own.uuid
        return same and not filecmp.cmp(self._own.path, path, shallow=False)
