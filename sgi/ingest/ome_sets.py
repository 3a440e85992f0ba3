"""OME-TIFF files that name each other: several files of one slide without any companion."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sgi.domain.arrival import FoundFile
from tiling.formats.ome_tiff.members import Members, NamedFile, read_members

_NAME = re.compile(r"(?i)\.ome\.(tiff?|tf[28]|btf)$")
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class OmeSet:
    """The files of a set that are there; `main` is the one to be opened."""

    main: Path
    parts: tuple[Path, ...]
    """Sorted, `main` among them."""
    missing: str | None


def may_be_of_ome_set(path: Path) -> bool:
    """By its name: a folder may hold thousands of files of other kinds."""
    return _NAME.search(path.name) is not None


def ome_sets(left: Mapping[Path, FoundFile], present: Collection[Path]) -> Iterator[OmeSet]:
    """The sets among the files that are `left` of those that are `present`.

    A file belongs to a set where it says so itself, or is an OME-TIFF by its name and says nothing
    at all: nobody's slide is taken by being named. A file whose set's first one is not there is a
    set of its own, which waits; so is one that cannot be read now.
    """
    said: dict[Path, Members] = {}
    for path, file in left.items():
        if may_be_of_ome_set(path):
            try:
                members = _members(file)
            except OSError:
                yield OmeSet(path, (path,), _not_readable(path))
            else:
                said |= {} if members is None else {path: members}
    yield from _Sets(said, present).found()


class _Sets:
    """Puts together what the files of all folders say."""

    def __init__(self, said: Mapping[Path, Members], present: Collection[Path]) -> None:
        self._said = said
        self._present = present
        self._by_uuid: dict[tuple[Path, str], list[Path]] = {}
        for path, members in said.items():
            if members.own.uuid is not None:
                self._by_uuid.setdefault((path.parent, members.own.uuid), []).append(path)
        self._doors = {
            path: self._door(path, members)
            for path, members in said.items()
            if not members.says_nothing
        }

    def found(self) -> Iterator[OmeSet]:
        taken: set[Path] = set()
        for path, door in sorted(self._doors.items()):
            if door == path:
                gathered = self._gathered(path, taken)
                taken.update(gathered.parts)
                yield gathered
            elif door not in self._present:
                yield OmeSet(path, (path,), _not_there([door.name]))

    def _door(self, path: Path, members: Members) -> Path:
        """Where the door of a file's set should be: by its name, or once renamed by its UUID."""
        door = self._named(path, members, members.door)
        if door in self._present:
            return door
        renamed = self._by_uuid.get((path.parent, members.door.uuid or ""), [])
        return renamed[0] if len(renamed) == 1 else door

    def _named(self, path: Path, members: Members, file: NamedFile) -> Path:
        """The path of a file that another names, as its reader would look for it."""
        is_own = members.own.is_meant(*file, self._is_there)
        return path if is_own else path.with_name(file.name or "")

    def _is_there(self, path: Path, name: str) -> bool:
        return path.with_name(name) in self._present

    def _gathered(self, main: Path, taken: Collection[Path]) -> OmeSet:
        members = self._said[main]
        named = sorted({main, *(self._named(main, members, file) for file in members.files)})
        parts = tuple(path for path in named if path not in taken and self._is_of(path, main))
        lacking = [path.name for path in named if path not in parts]
        if not lacking:
            return OmeSet(main, parts, None)
        gone = [path.name for path in named if path not in self._present]
        return OmeSet(main, parts, _not_there(gone) if gone else _of_another(lacking))

    def _is_of(self, path: Path, main: Path) -> bool:
        """Whether a file says that it is of the set of `main`, or says nothing."""
        says_nothing = path in self._said and self._said[path].says_nothing
        return says_nothing or self._doors.get(path) == main


def _not_there(names: Sequence[str]) -> str:
    return f"{_some(names)} of the same slide is not there yet; copy all its files together."


def _of_another(names: Sequence[str]) -> str:
    return (
        f"{_some(names)} is there, but does not say that it is of this slide; "
        "export the slide again, and copy all its files together."
    )


def _not_readable(path: Path) -> str:
    return (
        f"{path.name} cannot be read now; it is tried again. "
        "See that its folder is reachable, and that reading it is allowed."
    )


def _some(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]


@lru_cache(maxsize=_REMEMBERED)
def _members(file: FoundFile) -> Members | None:
    """Read once for as long as the file does not change: the folder is looked at all the time."""
    return read_members(file.path)
