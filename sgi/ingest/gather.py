"""Which files of a drop folder make one slide.

Most formats are one file. MIRAX is a file and the folder of its name, Hamamatsu VMS and VMU an
index and the images that begin with its name, Olympus VSI a file and its `_name_` folder, and
the DICOM files of one series in one folder are one slide.
"""

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sgi.domain.arrival import Fingerprint, FoundFile, fingerprint_of

DONE = ".done"
"""Where originals go in their drop folder; hidden, so that it is never gathered again."""

_LITTER = re.compile(
    r"(?i)^(\.|~)|\.(tmp|part|partial|crdownload|filepart|lock)$|^(thumbs\.db|desktop\.ini)$|~$"
)
_HEAD_BYTES = 65_536
_DEEPEST = 8
"""Folders below the drop folder that are looked into."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The files of one slide; `main` is the one that a reader opens."""

    main: Path
    parts: tuple[FoundFile, ...]
    """Every file, `main` among them, sorted by path."""
    missing: str | None = None
    """What has to be there besides, in words; None when nothing is missing."""

    @property
    def fingerprint(self) -> Fingerprint:
        return fingerprint_of(self.parts)


def is_litter(name: str) -> bool:
    """True for names that copying programs and desktops leave behind."""
    return _LITTER.search(name) is not None


def walk(folder: Path, depth: int = _DEEPEST) -> Iterator[FoundFile]:
    """Every regular file below a folder; links, devices, pipes and litter are passed over.

    So is what cannot be looked at now. Raises OSError when that is the folder itself.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if is_litter(entry.name):
            continue
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(facts.st_mode) and depth > 0:
            with contextlib.suppress(OSError):
                yield from walk(Path(entry.path), depth - 1)
        elif stat.S_ISREG(facts.st_mode):
            yield FoundFile(Path(entry.path), facts.st_size, facts.st_mtime_ns)


def is_as_found(part: FoundFile) -> bool:
    """Whether a file is still there, and is still the regular file that was found."""
    try:
        facts = part.path.lstat()
    except OSError:
        return False
    same = (facts.st_size, facts.st_mtime_ns) == (part.size_bytes, part.modified_ns)
    return same and stat.S_ISREG(facts.st_mode)


def series_uid(head: bytes) -> str | None:
    """The SeriesInstanceUID in the first bytes of a DICOM file with explicit VR (PS3.10)."""
    if head[128:132] != b"DICM":
        return None
    start = head.find(b"\x20\x00\x0e\x00UI")
    if start < 0:
        return "unknown"
    length = int.from_bytes(head[start + 6 : start + 8], "little")
    return head[start + 8 : start + 8 + length].rstrip(b"\0 ").decode("ascii", "replace")


def read_head(path: Path) -> bytes:
    """The first 64 KiB of a file; empty when it cannot be read now."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""


def gather(
    files: Sequence[FoundFile], head_of: Callable[[Path], bytes] = read_head
) -> list[Candidate]:
    """Group files into slides; a file is part of one candidate at most.

    Companions that came before their main file belong to none yet.
    `head_of` gives the first bytes of a file; it is asked only for files that may be DICOM.
    """
    left = {file.path: file for file in files}
    candidates: list[Candidate] = []
    for take in (_mirax, _hamamatsu, _olympus):
        mains = [path for path in left if path.suffix.lower() in take.suffixes]
        mains.sort(key=lambda path: (-len(path.stem), path))  # the closest name first
        candidates += [take.candidate(path, left) for path in mains if path in left]
    _leave_early_companions(left)
    candidates.extend(_dicom_series(left, head_of))
    candidates.extend(Candidate(path, (file,)) for path, file in left.items())
    return sorted(candidates, key=lambda candidate: candidate.main)


def candidate_at(main: Path) -> Candidate | None:
    """The slide that a main file is the way into, as its folder is now; None when it is gone."""
    companions = {".dcm", ""}.union(*(take.suffixes for take in (_mirax, _hamamatsu, _olympus)))
    if main.suffix.lower() in companions:
        try:
            near = gather(list(walk(main.parent)))
        except FileNotFoundError:
            return None
        return next((candidate for candidate in near if candidate.main == main), None)
    try:
        facts = main.lstat()
    except OSError:
        return None
    return Candidate(main, (FoundFile(main, facts.st_size, facts.st_mtime_ns),))


@dataclass(frozen=True, slots=True)
class _Companions:
    """A format of several files: its suffixes, and which other files belong to the main one."""

    suffixes: frozenset[str]
    belongs: Callable[[Path, Path], bool]
    missing: str

    def candidate(self, main: Path, left: dict[Path, FoundFile]) -> Candidate:
        """Take the main file and its companions out of `left`."""
        companions = [path for path in left if path != main and self.belongs(main, path)]
        parts = tuple(left.pop(path) for path in sorted([main, *companions]))
        return Candidate(main, parts, None if companions else self.missing)


_mirax = _Companions(
    frozenset({".mrxs"}),
    lambda main, path: main.with_suffix("") in path.parents,
    "The folder with the same name as the .mrxs file is not there yet; copy it beside the file.",
)
_HAMAMATSU_IMAGES = frozenset({".jpg", ".jpeg", ".ngr", ".opt"})
_hamamatsu = _Companions(
    frozenset({".vms", ".vmu"}),
    lambda main, path: (
        path.parent == main.parent
        and path.suffix.lower() in _HAMAMATSU_IMAGES
        and path.name.startswith(tuple(main.stem + mark for mark in "(_."))
    ),
    "The image files that begin with the name of the index are not there yet; copy them beside it.",
)
_olympus = _Companions(
    frozenset({".vsi"}),
    lambda main, path: main.with_name(f"_{main.stem}_") in path.parents,
    "The folder named like the .vsi file between underscores is not there yet; "
    "copy it beside the file.",
)


def _leave_early_companions(left: dict[Path, FoundFile]) -> None:
    """Pass over the insides of a MIRAX or VSI folder whose main file is still to come."""
    mirax = {path.parent for path in left if path.name.lower() == "slidedat.ini"}
    for path in list(left):
        if mirax & set(path.parents) or path.suffix.lower() == ".ets":
            del left[path]


def _dicom_series(
    left: dict[Path, FoundFile], head_of: Callable[[Path], bytes]
) -> Iterator[Candidate]:
    series: dict[tuple[Path, str], list[Path]] = {}
    for path in left:
        if path.suffix.lower() in {"", ".dcm"}:
            uid = series_uid(head_of(path))
            if uid is not None:
                series.setdefault((path.parent, uid), []).append(path)
    for paths in series.values():
        parts = tuple(left.pop(path) for path in sorted(paths))
        # The largest file holds the base: the surest for a reader to begin with.
        yield Candidate(max(parts, key=lambda part: part.size_bytes).path, parts)
