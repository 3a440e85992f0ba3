"""Philips iSyntax, through libisyntax: the pixels of a wavelet codec that no other format has.

Nothing in the file is a frame that could be handed on, so that every tile is given as pixels. The
decoder is C, made for files of its scanner: what can be asked of the header, the table of blocks
and the places that they name is asked here first. The blocks themselves cannot be judged without
decoding them, so a hostile one meets the decoder; slides are converted in a process of their own,
confined, that may end without harm. Files of the second kind (data model 100 and later) tell of
their blocks in clusters, which are not asked about.

No scanner's file was at hand. What is proved here was proved with a file of blank glass that is
written for the tests: how the header is read, that the decoder finds the same sizes, levels and
tiles, and that what the scanner left out is white. Whether tissue looks as it should is the word of
libisyntax's own tests, against the vendor's.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError
from tiling.formats.philips_isyntax.blocks import check_blocks
from tiling.formats.philips_isyntax.header import MARK, Header, read_header
from tiling.formats.philips_isyntax.metadata import read_associated, read_metadata
from tiling.formats.philips_isyntax.reader import ISyntaxSlide
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.source import FileSource

NAME = "Philips iSyntax"

_BOM = b"\xef\xbb\xbf"


def sniff(path: Path, head: bytes) -> Confidence:  # noqa: ARG001  the head has the mark
    """VENDOR for a file whose XML begins as a slide's."""
    begins = head.removeprefix(_BOM).lstrip().startswith(b"<")
    return Confidence.VENDOR if begins and MARK in head else Confidence.NONE


def open_(path: Path, limits: Limits) -> SlideReader:
    """Check what can be checked, then open the decoder.

    Raises DamagedSlideError, UnsupportedSlideError and SlideTooLargeError as its parts do.
    """
    try:
        header = _checked_header(path, limits)
        metadata, associated = read_metadata(header), read_associated(header, limits)
        return ISyntaxSlide(NAME, path, header.geometry, metadata, associated)
    except (ValueError, OverflowError) as error:
        raise DamagedSlideError(
            "The slide's header contradicts itself; copy the file again from the scanner."
        ) from error


def _checked_header(path: Path, limits: Limits) -> Header:
    source = FileSource(path)
    try:
        header = read_header(source, limits)
        limits.check_bytes(header.geometry.size, source.size)
        if header.table is not None:
            check_blocks(source, header.table, header.data_at, header.geometry)
    finally:
        source.close()
    return header
