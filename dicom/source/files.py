"""The files of a slide: DICOM instances of one series in one folder, whatever they are called."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from dicom.elements import ElementWalker
from dicom.errors import DicomError
from dicom.header import is_explicit, read_meta
from dicom.window import Window
from tiling.errors import UnsupportedSlideError
from tiling.source import FileSource

MARK_BYTES = 132
_HEADS = (4096, 65536)
"""How much of a file is read to know its series: the second where the first is not enough."""
_MOST_FILES = 16384
"""Files of a folder that are looked at."""
_MOST_INSTANCES = 512
"""Files of one slide, each of which stays open; levels cut into parts have a few dozen."""
_HEAD_ELEMENTS = 5000

_IMAGE_TYPE = 0x00080008
_SOP_CLASS = 0x00080016
_SERIES = 0x0020000E


class PathSource:
    """A file as a `dicom.ports.ByteSource`: fewer bytes at its end, instead of an error."""

    def __init__(self, path: Path) -> None:
        self._file = FileSource(path)

    @property
    def size_bytes(self) -> int:
        return self._file.size

    def read(self, offset: int, length: int) -> bytes:
        return self._file.read(offset, max(0, min(length, self._file.size - offset)))

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True)
class FirstFacts:
    """What the first elements of a file say."""

    series_uid: str
    is_slide: bool
    """Whether it is a VL Whole Slide Microscopy Image (PS3.3 A.32.8)."""
    role: str
    """Image Type value 3: VOLUME where nothing is said."""


def is_dicom(head: bytes) -> bool:
    """Whether a file of that beginning has DICOM's mark (PS3.10 7.1)."""
    return head[128:MARK_BYTES] == b"DICM"


def first_facts(head: bytes) -> FirstFacts | None:
    """What a file that begins with `head` is; None where it is no DICOM file of a series.

    64 KiB are enough of any slide.
    """
    if not is_dicom(head):
        return None
    window = Window(_Bytes(head))
    walker = ElementWalker(window, _HEAD_ELEMENTS)
    values: dict[int, str] = {}
    try:
        syntax, start = read_meta(window, walker)
        for element in walker.elements(start, explicit=is_explicit(syntax)):
            if element.tag in (_IMAGE_TYPE, _SOP_CLASS, _SERIES):
                value = window.read(element.offset, element.length)
                values[element.tag] = value.decode("ascii", "replace").strip(" \0")
            if element.tag >= _SERIES:
                break
    except DicomError:
        return None
    role = values.get(_IMAGE_TYPE, "").split("\\")[2:3]
    return FirstFacts(
        values.get(_SERIES, ""),
        values.get(_SOP_CLASS) == VLWholeSlideMicroscopyImageStorage,
        role[0].strip() if role else "VOLUME",
    )


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a slide."""

    path: Path
    role: str
    """Image Type value 3."""


def members_beside(path: Path) -> list[Member]:
    """The slide's files: those of the same folder and series as `path`, which comes first.

    Links, devices, hidden files and what cannot be read now are passed over. A file that names no
    series is a slide alone. Raises UnsupportedSlideError for more files than a slide has.
    """
    own = _facts_of(path)
    if own is None or not own.series_uid:
        return [Member(path, "VOLUME")]
    found = []
    for other in _files(path.parent):
        facts = _facts_of(other) if other.name != path.name else None
        if facts is not None and facts.series_uid == own.series_uid and facts.is_slide:
            found.append(Member(other, facts.role))
        if len(found) >= _MOST_INSTANCES:
            raise UnsupportedSlideError(
                f"The series has more than {_MOST_INSTANCES} files in this folder; "
                "export the slide in fewer."
            )
    found.sort(key=lambda member: member.path.name)
    return [Member(path, own.role if own.is_slide else "VOLUME"), *found]


def _facts_of(path: Path) -> FirstFacts | None:
    try:
        with path.open("rb") as file:
            head = file.read(_HEADS[0])
            if not is_dicom(head):
                return None
            return first_facts(head) or first_facts(head + file.read(_HEADS[1] - len(head)))
    except OSError:
        return None


def _files(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number >= _MOST_FILES:
                raise UnsupportedSlideError(
                    f"The folder of the slide has more than {_MOST_FILES} files; "
                    "put the slide into a folder of its own."
                )
            try:
                regular = stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)
            except OSError:
                continue
            if regular and not entry.name.startswith((".", "~")):
                yield Path(entry.path)


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]
