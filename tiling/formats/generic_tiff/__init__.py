"""TIFF of nobody in particular: a tiled image in RGB or grey, with its pyramid.

The first directory is the base; its levels are the other directories that call themselves reduced,
or hang from the base as SubIFDs. JPEG tiles in colours are handed on as they are, all others read
in 8 or 16 bits whatever compressed them, and an image on its side is turned upright. Whether
somebody's mark is in the file is asked of OpenSlide, which knows more of them than there are
readers here: a vendor's file that its own reader left alone (overlapping tiles, several areas)
must not come in by this door. Palettes, inks, opacity and other images besides the base are left to
OpenSlide, but for those that it would show wrongly: they are claimed, and refused with a reason.
"""

from pathlib import Path

import openslide

from tiling.confidence import Confidence
from tiling.errors import TilingError, UnsupportedSlideError
from tiling.formats.generic_tiff.layout import is_nobodys, misleads, read_scene
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.source import FileSource
from tiling.tiff import TiffFile, is_tiff
from tiling.tiff_layers import LayeredTiff, open_layered
from tiling.tiff_layers.kept import KeptPieces

NAME = "Tiled TIFF"

_NOBODYS = {None, "generic-tiff"}
"""What OpenSlide calls a file without a mark: None where it cannot read it."""


def sniff(path: Path, head: bytes) -> Confidence:
    """STRUCTURE for a tiled image without any vendor's mark."""
    if not is_tiff(head) or not _is_claimed(path):
        return Confidence.NONE
    if openslide.OpenSlide.detect_format(path) not in _NOBODYS:
        return Confidence.NONE
    return Confidence.STRUCTURE


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_layered(path, limits, NAME, lambda file: [read_scene(file)])


def _is_claimed(path: Path) -> bool:
    """Whether a file is read here, or refused here for want of a true picture.

    One that is damaged is claimed too, and opening it says what is broken.
    """
    source = FileSource(path)
    # Without a readable directory nobody's mark is found, and OpenSlide would show what is left.
    is_ours = True
    try:
        skeleton = TiffFile(source, Limits())
        first = next(skeleton.directories(), None)
        is_ours = first is not None and is_nobodys(skeleton, first)
        return is_ours and _is_shown_here(LayeredTiff(path, source, Limits(), KeptPieces()))
    except (TilingError, ValueError, OverflowError):
        return is_ours
    finally:
        source.close()


def _is_shown_here(file: LayeredTiff) -> bool:
    try:
        read_scene(file)
    except UnsupportedSlideError:
        return misleads(file)
    return True
