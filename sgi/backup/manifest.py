"""A base backup compared with the list of its files that the server made of it.

PostgreSQL's manual, "Backup Manifest Format". Its own pg_verifybackup does the same, but ends
with a segmentation fault in the packages that the embedded PostgreSQL comes from.
"""

import hashlib
import json
from pathlib import Path

from sgi.engines.errors import EngineError

_NAME = "backup_manifest"
_CHECKSUM = b'"Manifest-Checksum"'
_ALGORITHM = "SHA256"


def check_base(base: Path) -> None:
    """Raises EngineError unless every file is there as it was sent, and the manifest is whole."""
    try:
        files = _files(base / _NAME)
        damaged = [path for path, said in files.items() if _sha256(base / path) != said]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineError(
            f"A backup of the database is not whole ({type(error).__name__}): it is made again."
        ) from error
    if damaged:
        raise EngineError(
            f"A backup of the database was damaged on its way ({len(damaged)} of {len(files)} "
            "files): check the disk that it is written to."
        )


def _files(manifest: Path) -> dict[str, str]:
    """SHA-256 of each file by its path; raises ValueError for a manifest that is not whole."""
    data = manifest.read_bytes()
    said = json.loads(data)
    covered = data[: data.rindex(_CHECKSUM)]
    if hashlib.sha256(covered).hexdigest() != said["Manifest-Checksum"]:
        raise ValueError("the manifest is not what was sent")
    files = {}
    for file in said["Files"]:
        if file["Checksum-Algorithm"] != _ALGORITHM:
            raise ValueError("a file has another kind of checksum")
        files[_path(file)] = file["Checksum"]
    return files


def _path(file: dict[str, str]) -> str:
    if "Encoded-Path" in file:  # of a name that is no UTF-8
        return bytes.fromhex(file["Encoded-Path"]).decode("utf-8", "surrogateescape")
    return file["Path"]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
