"""The scanner's own files of a destroyed slide, where the SGI has put them away. Blocking."""

import contextlib
import os
from pathlib import Path
from uuid import UUID

from sgi.catalogue.destructions import OriginalFiles
from sgi.stored.retention import Originals

DONE = ".done"


def end_originals(files: OriginalFiles, drop: Path) -> Originals:
    """Delete those that lie in the drop folder's `.done/` as they were when they were hashed.

    Files that are still where the scanner put them are not ours to delete: the watcher holds them
    for a person. Safe to run again.
    """
    if files.in_use:
        return Originals(deleted=0, left_in_place=0, still_in_use=True)
    drop = drop.resolve()
    deleted = left = 0
    for arrival_id, stored, size, modified_ns in zip(
        files.arrivals, files.paths, files.sizes, files.modified_ns, strict=True
    ):
        path = Path(os.fsdecode(stored))
        if os.path.lexists(path):
            left += 1
        for place in _places(path, drop, arrival_id):
            if not _is_inside(place, drop / DONE) or not place.is_file():
                continue
            found = place.lstat()
            if (found.st_size, found.st_mtime_ns) == (size, modified_ns):
                place.unlink()
                deleted += 1
                _remove_empty_folders(place, drop / DONE)
                break
    return Originals(deleted=deleted, left_in_place=left, still_in_use=False)


def _places(path: Path, drop: Path, arrival_id: UUID) -> list[Path]:
    """Where `sgi.ingest.release` may have moved it."""
    if not path.is_relative_to(drop):
        return []
    inside = path.relative_to(drop)
    return [drop / DONE / str(arrival_id) / inside, drop / DONE / inside]


def _is_inside(path: Path, folder: Path) -> bool:
    """Where it really is: a link may lead anywhere."""
    return not path.is_symlink() and path.parent.resolve().is_relative_to(folder)


def _remove_empty_folders(path: Path, done: Path) -> None:
    for folder in path.parents:
        if folder == done:
            return
        with contextlib.suppress(OSError):  # not empty
            folder.rmdir()
