"""What the files of a slide are: their content as one SHA-256."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sgi.domain.arrival import FoundFile
from sgi.errors import UnreadableFileError, VanishedError
from sgi.ingest.stability import is_hollow

_EDGE = 4096


def content_hash(main: Path, parts: Sequence[FoundFile]) -> bytes:
    """SHA-256 of one file, or of the sorted list of names and hashes where there are several.

    Names are relative to the main file's folder, or to the folder that is the slide, so that a
    second copy elsewhere has the same hash. Raises VanishedError or UnreadableFileError.
    """
    if len(parts) == 1:
        return _file_hash(parts[0].path)
    whole = hashlib.sha256()
    is_folder = all(main in part.path.parents for part in parts)
    folder = main if is_folder else main.parent
    for part in sorted(parts, key=lambda part: part.path):
        name = part.path.relative_to(folder)
        whole.update(bytes(name) + b"\0" + _file_hash(part.path))
    return whole.digest()


def _file_hash(path: Path) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            return hashlib.file_digest(file, "sha256").digest()
    except FileNotFoundError as error:
        raise VanishedError("The file went away; drop it again.") from error
    except OSError as error:
        raise UnreadableFileError("The file cannot be read; give the service access.") from error


def looks_hollow(path: Path) -> bool:
    """True when a file's first or last 4 KiB are all zero; raises as `content_hash` does."""
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(_EDGE)
            file.seek(max(0, path.stat().st_size - _EDGE))
            return is_hollow(head, file.read(_EDGE))
    except FileNotFoundError as error:
        raise VanishedError("The file went away; drop it again.") from error
    except OSError as error:
        raise UnreadableFileError("The file cannot be read; give the service access.") from error
