"""Which files of a drop folder make one slide.

Most formats are one file. MIRAX is a file and the folder of its name, Hamamatsu VMS and VMU an
index and the images that begin with its name, Olympus VSI a file and its `_name_` folder, OME-Zarr
a folder. An OME companion and the TIFF files that it names are one slide; so are OME-TIFF files
that name each other, and the DICOM files of one series in one folder.
"""

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dicom.source.files import MARK_BYTES, first_facts, is_dicom
from sgi.domain.arrival import Fingerprint, FoundFile, fingerprint_of
from sgi.ingest.ome_sets import may_be_of_ome_set, ome_sets

DONE = ".done"
"""Where originals go in their drop folder; hidden, so that it is never gathered again."""

_LITTER = re.compile(
    r"(?i)^(\.|~)|\.(tmp|part|partial|crdownload|filepart|lock)$|^(thumbs\.db|desktop\.ini)$|~$"
)
_HEAD_BYTES = 65_536
_COMPANION_BYTES = 1 << 20
_MOST_NAMES = 1024
"""Of files that a companion names; a slide has 256."""
_REMEMBERED = 1000
"""Companions."""
_FILE_NAME = re.compile(rb"""\bFileName\s*=\s*["']([^"'<>&/\\]{1,255})["']""")
_DEEPEST = 8
"""Folders below the drop folder, and below a Zarr, that are looked into."""
_ZARR = ".zarr"
_ZARR_ROOTS = ("zarr.json", ".zgroup", ".zattrs")
_ZARR_DOCUMENTS = frozenset({".zgroup", ".zattrs", ".zarray", ".zmetadata"})
"""Of Zarr 2: no litter inside a Zarr, whatever their names begin with."""
_MOST_FILES = 100_000
"""Of a slide in chunks: each is asked for at every rescan, and is part of a row."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The files of one slide; `main` is the one that a reader opens, or the folder of all."""

    main: Path
    parts: tuple[FoundFile, ...]
    """Every file, `main` among them, sorted by path."""
    missing: str | None = None
    """What has to be there besides, in words; None when nothing is missing."""
    folder: Path | None = None
    """That the slide is known by, where its files are called alike in every slide."""

    @property
    def fingerprint(self) -> Fingerprint:
        return fingerprint_of(self.parts)

    @property
    def is_folder(self) -> bool:
        """Whether `main` is the folder of all the files."""
        return all(part.path != self.main for part in self.parts)


def is_litter(name: str) -> bool:
    """True for names that copying programs and desktops leave behind."""
    return _LITTER.search(name) is not None


def walk(folder: Path, depth: int = _DEEPEST, *, within_zarr: bool = False) -> Iterator[FoundFile]:
    """Every regular file below a folder; links, devices, pipes and litter are passed over.

    So is what cannot be looked at now. Raises OSError when that is the folder itself.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if is_litter(entry.name) and not (within_zarr and entry.name in _ZARR_DOCUMENTS):
            continue
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(facts.st_mode) and depth > 0:
            enters_zarr = not within_zarr and _is_zarr(Path(entry.path))
            left = _DEEPEST if enters_zarr else depth - 1
            with contextlib.suppress(OSError):
                yield from walk(Path(entry.path), left, within_zarr=within_zarr or enters_zarr)
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
    """The SeriesInstanceUID of a DICOM file that begins with `head`.

    None where it is no DICOM file, or one that names no series and so is alone.
    """
    facts = first_facts(head)
    return (facts.series_uid or None) if facts else None


def read_head(path: Path) -> bytes:
    """The first 64 KiB of a DICOM file; empty of any other, and when it cannot be read now."""
    try:
        with path.open("rb") as file:
            head = file.read(MARK_BYTES)
            return head + file.read(_HEAD_BYTES - len(head)) if is_dicom(head) else b""
    except OSError:
        return b""


def gather(
    files: Sequence[FoundFile], head_of: Callable[[Path], bytes] = read_head
) -> list[Candidate]:
    """Group files into slides; a file is part of one candidate at most.

    Companions that came before their main file belong to none yet.
    `head_of` gives the first bytes of a file where it is DICOM; it is asked for every file that
    belongs to no other, since DICOM files have any suffix, or what looks like one.
    """
    left = {file.path: file for file in files}
    candidates = _zarrs(left)
    for take in _OF_SEVERAL:
        mains = [path for path in left if path.suffix.lower() in take.suffixes]
        mains.sort(key=lambda path: (-len(path.stem), path))  # the closest name first
        candidates += [take.candidate(path, left) for path in mains if path in left]
    _leave_early_companions(left)
    for found in list(ome_sets(left, {file.path for file in files})):
        parts = tuple(left.pop(path) for path in found.parts)
        candidates.append(Candidate(found.main, parts, found.missing))
    candidates.extend(_dicom_series(left, head_of))
    candidates.extend(Candidate(path, (file,)) for path, file in left.items())
    return sorted(candidates, key=lambda candidate: candidate.main)


def candidate_at(main: Path) -> Candidate | None:
    """The slide that a main file is the way into, as its folder is now; None when it is gone."""
    if is_zarr_folder(main):
        inside = {file.path: file for file in walk(main, within_zarr=True)}
        return next((candidate for candidate in _zarrs(inside) if candidate.main == main), None)
    of_several = frozenset().union(*(take.suffixes for take in _OF_SEVERAL))
    is_of_several = main.suffix.lower() in of_several or may_be_of_ome_set(main)
    if is_of_several or series_uid(read_head(main)) is not None:
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
    belongs: Callable[[FoundFile, Path], bool]
    """Told the main file, and another."""
    missing: str

    def candidate(self, main: Path, left: dict[Path, FoundFile]) -> Candidate:
        """Take the main file and its companions out of `left`."""
        found = left[main]
        companions = [path for path in left if path != main and self.belongs(found, path)]
        parts = tuple(left.pop(path) for path in sorted([main, *companions]))
        return Candidate(main, parts, None if companions else self.missing)


_mirax = _Companions(
    frozenset({".mrxs"}),
    lambda main, path: main.path.with_suffix("") in path.parents,
    "The folder with the same name as the .mrxs file is not there yet; copy it beside the file.",
)
_HAMAMATSU_IMAGES = frozenset({".jpg", ".jpeg", ".ngr", ".opt"})
_hamamatsu = _Companions(
    frozenset({".vms", ".vmu"}),
    lambda main, path: (
        path.parent == main.path.parent
        and path.suffix.lower() in _HAMAMATSU_IMAGES
        and path.name.startswith(tuple(main.path.stem + mark for mark in "(_."))
    ),
    "The image files that begin with the name of the index are not there yet; copy them beside it.",
)
_olympus = _Companions(
    frozenset({".vsi"}),
    lambda main, path: main.path.with_name(f"_{main.path.stem}_") in path.parents,
    "The folder named like the .vsi file between underscores is not there yet; "
    "copy it beside the file.",
)


_ome_companion = _Companions(
    frozenset({".ome"}),
    lambda main, path: path.parent == main.path.parent and path.name in _named_files(main),
    "The TIFF files that the .companion.ome file names are not there yet; copy them beside it.",
)
_OF_SEVERAL = (_mirax, _hamamatsu, _olympus, _ome_companion)


def _named_files(companion: FoundFile) -> frozenset[str]:
    """The files that an OME companion names; none while it cannot be read."""
    try:
        return _read_names(companion)
    except OSError:
        return frozenset()


@lru_cache(maxsize=_REMEMBERED)
def _read_names(companion: FoundFile) -> frozenset[str]:
    """Read once for as long as the file does not change; raises OSError, which is forgotten."""
    names: set[str] = set()
    for name in _FILE_NAME.finditer(_read_companion(companion.path)):
        names.add(name[1].decode("utf-8", "replace"))
        if len(names) >= _MOST_NAMES:
            break
    return frozenset(names)


def _read_companion(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_COMPANION_BYTES)


def is_zarr_folder(path: Path) -> bool:
    """Whether a path is a folder that may be an OME-Zarr."""
    return _is_zarr(path) and path.is_dir() and not path.is_symlink()


def _is_zarr(folder: Path) -> bool:
    return folder.suffix.lower() == _ZARR


def _zarrs(left: dict[Path, FoundFile]) -> list[Candidate]:
    """Take each Zarr out of `left`, with all below it: the outermost where one lies in another."""
    parts: dict[Path, list[FoundFile]] = {}
    for path in sorted(left):
        root = next(filter(_is_zarr, reversed(path.parents)), None)
        if root is not None:
            parts.setdefault(root, []).append(left.pop(path))
    return [
        Candidate(root, tuple(found), _missing_of_zarr(root, found))
        for root, found in parts.items()
    ]


def _missing_of_zarr(root: Path, parts: Sequence[FoundFile]) -> str | None:
    if len(parts) > _MOST_FILES:
        return (
            f"The folder holds more than {_MOST_FILES} files; write the slide in shards, "
            "or pack it as .zarr.zip."
        )
    if {part.path for part in parts}.isdisjoint(root / name for name in _ZARR_ROOTS):
        return "The folder's zarr.json or .zattrs is not there yet; copy the whole folder."
    return None


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
        uid = series_uid(head_of(path))
        if uid is not None:
            series.setdefault((path.parent, uid), []).append(path)
    for paths in series.values():
        parts = tuple(left.pop(path) for path in sorted(paths))
        # The largest file holds the base: the surest for a reader to begin with.
        main = max(parts, key=lambda part: part.size_bytes).path
        yield Candidate(main, parts, folder=main.parent if len(parts) > 1 else None)
