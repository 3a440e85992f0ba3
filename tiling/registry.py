"""From a path to an open slide, by what is in the file.

A format is a module of `tiling.formats`, found by its place there, with three names: `NAME` for
people, `sniff(path, head)` and `open_(path, limits)`. Nothing else lists them.
"""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Protocol, cast

from tiling import formats
from tiling.confidence import Confidence
from tiling.errors import (
    AmbiguousFormatError,
    DamagedSlideError,
    IncompleteSlideError,
    SlideTooLargeError,
    UnknownFormatError,
)
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.source import FileSource
from tiling.tiff import TiffFile, is_tiff

__all__ = ["Confidence", "Format", "Limits", "known_formats", "open_slide"]

HEAD_BYTES = 4096
"""How much of a file's beginning every format is shown, in bytes."""
_USUAL_LIMITS = Limits()


class Format(Protocol):
    """What a module of `tiling.formats` offers."""

    NAME: str
    """The format's name for people."""

    def sniff(self, path: Path, head: bytes) -> Confidence:
        """How sure the format is of the file that begins with `head`; raises no TilingError.

        `head` is empty where the path is a folder: it is of few formats.

        A file that carries the format's mark and is damaged is still the format's: `open_` says
        what is wrong with it.
        """

    def open_(self, path: Path, limits: Limits) -> SlideReader:
        """Open the slide; raises a TilingError that says what is wrong with it."""


@cache
def known_formats() -> tuple[Format, ...]:
    """Every module of `tiling.formats`, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(formats.__path__))
    return tuple(
        cast("Format", importlib.import_module(f"{formats.__name__}.{name}")) for name in names
    )


def open_slide(
    path: Path, limits: Limits = _USUAL_LIMITS, candidates: Iterable[Format] | None = None
) -> SlideReader:
    """Open a slide, a file or a folder, with the format that is surest of it.

    Raises UnknownFormatError when none is, AmbiguousFormatError when two are equally sure,
    DamagedSlideError when the file is recognisably broken, SlideTooLargeError when it is far too
    short for its pixels or holds more than is stored of one slide, and what the format raises.
    """
    head = _read_head(path)
    chosen = known_formats() if candidates is None else tuple(candidates)
    answers = [(candidate.sniff(path, head), candidate) for candidate in chosen]
    best = max((confidence for confidence, _ in answers), default=Confidence.NONE)
    if best is Confidence.NONE:
        if not head:
            raise IncompleteSlideError(
                "This folder is no slide; choose the file in it that the scanner wrote."
            )
        _explain_damage(path, head, limits)
        if is_tiff(head):
            raise UnknownFormatError(
                "No reader recognises this TIFF: its image is not in tiles, or not in grey or red, "
                "green and blue; export it as a tiled pyramid."
            )
        raise UnknownFormatError(
            "No reader recognises this file; check that it is a slide as its scanner wrote it."
        )
    winners = [candidate for confidence, candidate in answers if confidence == best]
    if len(winners) > 1:
        names = " and ".join(winner.NAME for winner in winners)
        raise AmbiguousFormatError(
            f"The file could be {names}; report it, since only one of them can be right."
        )
    reader = winners[0].open_(path, limits)
    try:
        _check_stored(reader, limits)
        # A TIFF has its tiles within itself; of other formats the file may be but an index.
        if is_tiff(head):
            for level in reader.levels:
                limits.check_bytes(level.size, path.stat().st_size)
    except SlideTooLargeError:
        reader.close()
        raise
    return reader


def _check_stored(reader: SlideReader, limits: Limits) -> None:
    """Raise SlideTooLargeError for more than can be stored, before any work is done."""
    limits.check_scenes(len(reader.scenes))
    for scene in reader.scenes:
        paths, planes = len(scene.optical_paths), len(scene.focal_planes_um)
        limits.check_layers(paths, planes)
        for level in scene.levels:
            limits.check_frames(level.grid.tiles.area * paths * planes)


def _read_head(path: Path) -> bytes:
    """The beginning of a file; empty for a folder alone."""
    if path.is_dir():
        return b""
    if path.exists() and not path.is_file():  # a pipe would never end, nor begin
        raise UnknownFormatError("This is no regular file; give the slide's own file.")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError as error:
        raise IncompleteSlideError(
            "There is no slide file here; check that it was copied."
        ) from error
    if not head:
        raise DamagedSlideError("The file is empty; copy it again from the scanner.")
    return head


def _explain_damage(path: Path, head: bytes, limits: Limits) -> None:
    """Raise DamagedSlideError when an unrecognised file is a TIFF whose skeleton is broken.

    The mark of most scanners lies in a TIFF directory, often at the very end of the file: a file
    cut short has lost its mark, and "unknown" would hide why.
    """
    if not is_tiff(head):
        return
    source = FileSource(path)
    try:
        for _ in TiffFile(source, limits).directories():
            pass
    finally:
        source.close()
