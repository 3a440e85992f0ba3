"""OME-TIFF files that name each other: several files of one slide without any companion."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sgi.domain.arrival import FoundFile
from tiling.formats.ome_tiff.members import Members, read_members

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

    A file belongs to a set only where it says so itself: nobody's slide is taken by being named.
    A file whose set's first one is not there is a set of its own, which waits.
    """
    said = {
        path: members
        for path, file in left.items()
        if may_be_of_ome_set(path) and (members := _members(file)) is not None
    }
    for path, members in said.items():
        door = path.with_name(members.door)
        if door == path:
            yield _gathered(path, members, said)
        elif door not in present:
            yield OmeSet(path, (path,), _not_there([members.door]))


def _gathered(main: Path, members: Members, said: Mapping[Path, Members]) -> OmeSet:
    named = sorted(main.with_name(name) for name in members.names)
    parts = tuple(path for path in named if path in said and said[path].door == main.name)
    absent = [path.name for path in named if path not in parts]
    return OmeSet(main, parts, _not_there(absent) if absent else None)


def _not_there(names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more} of the same slide is not there yet; copy all its files together."


@lru_cache(maxsize=_REMEMBERED)
def _members(file: FoundFile) -> Members | None:
    """Read once for as long as the file does not change: the folder is looked at all the time."""
    return read_members(file.path)
