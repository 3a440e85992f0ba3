"""What a converting child's end means: the error that it told, or its death without a word."""

import errno
import logging
import signal
import subprocess

from pydantic import BaseModel

import dicom.errors
import tiling.errors
from dicom.errors import DicomError
from sgi import errors
from tiling.errors import TilingError

_log = logging.getLogger(__name__)


class ToldError(BaseModel):
    """An error as the child tells it."""

    errors: list[str]
    """Names of its class and of those above it, nearest first."""
    errno: int | None
    message: str
    where: str = ""
    """The line of code that failed."""


def told_error(told: ToldError) -> Exception:
    """The child's error as one of ours; its sentence is kept only where it was written for people.

    Unknown classes are defects of a reader: the file is set aside as one that breaks readers.
    """
    names = told.errors
    if "MemoryError" in names:
        return errors.ConversionMemoryError("Reading the file took too much memory.")
    if told.errno in {errno.ENOSPC, errno.EDQUOT}:
        return errors.DiskFullError("The disk of the server is full; free some space.")
    if "FileNotFoundError" in names:
        return errors.VanishedError("The file went away while it was being read; drop it again.")
    if "PermissionError" in names:
        return errors.UnreadableFileError("The file cannot be read; give the service access.")
    for name in names:
        kind = getattr(tiling.errors, name, None) or getattr(dicom.errors, name, None)
        if isinstance(kind, type) and issubclass(kind, (TilingError, DicomError)):
            return kind(told.message[:500])
    _log.error("a reader failed with %s at %s", names[:1], told.where[:300])
    return errors.ConversionCrashedError(
        "The file made its reader fail; copy it again from the scanner."
    )


def death_of(child: subprocess.Popen[bytes]) -> Exception:
    """Why a child died without a word."""
    try:
        code = child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        code = None
    if code == -signal.SIGXCPU:
        return errors.ConversionTimeoutError("Reading the file took too long.")
    return errors.ConversionCrashedError(
        "The file made its reader fail; copy it again from the scanner."
    )
