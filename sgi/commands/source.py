"""What `sgi convert` and `sgi info` are pointed at: a slide's file, or the folder that holds it."""

from contextlib import suppress
from pathlib import Path

from dicom.formats import open_any
from dicom.source.files import first_facts
from sgi.errors import ConflictError
from sgi.ingest.gather import gather, read_head, walk
from tiling.errors import TilingError, UnknownFormatError
from tiling.slide import SlideReader


def open_source(path: Path) -> SlideReader:
    """Open a file, or the one slide of a folder, which is how DICOM exports come.

    Files that are no slides may lie beside it. Raises what `open_any` raises, and ConflictError
    for a folder with several slides.
    """
    try:
        return open_any(path)
    except TilingError:
        found = _slides_in(path) if path.is_dir() else []
        if not found:
            raise
    if len(found) > 1:
        for reader in found:
            reader.close()
        raise ConflictError(f"There are several slides in {path}; choose a file of one of them.")
    return found[0]


def _slides_in(folder: Path) -> list[SlideReader]:
    """Open, and no more than two: which is too many already."""
    found: list[SlideReader] = []
    try:
        for candidate in gather(list(walk(folder))):
            if len(found) > 1:
                break
            if _is_other_dicom(candidate.main):
                continue
            with suppress(UnknownFormatError):
                found.append(open_any(candidate.main))
    except TilingError as error:
        for reader in found:
            reader.close()
        name = candidate.main.relative_to(folder)
        raise type(error)(f"{name}: {error}") from error
    return found


def _is_other_dicom(path: Path) -> bool:
    """Of an export, what is no slide: its DICOMDIR, notes, reports."""
    head = read_head(path)
    facts = first_facts(head)
    return bool(head) and (facts is None or not facts.is_slide)
