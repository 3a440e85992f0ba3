"""Let an original go once its slide is published: move it, keep it or delete it."""

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sgi.ingest.gather import DONE
from sgi.settings import Disposal


def release(paths: Sequence[Path], drop: Path, arrival_id: UUID, disposal: Disposal) -> None:
    """Carry out the setting for every file of a published slide; safe to run again.

    Files outside the drop folder are never touched. Moved files keep their place below
    `.done/`; where a name is taken there, they go into a folder of the arrival's id.
    """
    # The folder is asked where it really is: a link may lead anywhere.
    inside = [
        path
        for path in paths
        if path.is_relative_to(drop) and path.parent.resolve().is_relative_to(drop)
    ]
    if disposal is Disposal.KEEP or not inside:
        return
    if disposal is Disposal.DELETE:
        for path in inside:
            path.unlink(missing_ok=True)
    else:
        _move(inside, drop, arrival_id)
    _remove_empty_folders(inside, drop)


def _move(paths: Sequence[Path], drop: Path, arrival_id: UUID) -> None:
    done = drop / DONE
    own = done / str(arrival_id)
    # An earlier run of this same step may have chosen already: the slide stays together.
    taken = (done / path.relative_to(drop) for path in paths if path.exists())
    if own.exists() or any(path.exists() for path in taken):
        done = own
    for path in paths:
        if not path.exists():  # moved by an earlier run of this same step
            continue
        target = done / path.relative_to(drop)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        _sync(target.parent)


def _remove_empty_folders(paths: Sequence[Path], drop: Path) -> None:
    for folder in sorted({parent for path in paths for parent in path.parents}, reverse=True):
        if folder != drop and folder.is_relative_to(drop):
            with contextlib.suppress(OSError):  # not empty, or gone already
                folder.rmdir()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
