"""Olympus (Evident) VSI: an index, and beside it a folder with the tiles of every image.

    name.vsi                      a TIFF of thumbnails, and a tree of tags behind its header
    _name_/stack1/frame_t.ets     the tiles of the image that the tags number 1

A slide has one or several scans of tissue, which become scenes; pictures of the glass, which are
its overview and its label; and masks and focus maps, which are not kept. There is no public
specification. The structure is as Bio-Formats, slideio and bioio-vsi found it, and was checked
here against a scan of two channels and eleven planes in JPEG 2000, the directories of five more,
and the index of a bright-field slide of a VS120. JPEG tiles follow the same directories, but no
scanner's file with them was at hand; nor was one with PNG, bitmap or lossless JPEG tiles, with
several times, or with a label.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats.olympus import stack, tags
from tiling.formats.olympus.layout import read_layout
from tiling.formats.olympus.reader import OlympusSlide
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.source import FileSource

NAME = "Olympus VSI"

_TIFF = b"II*\0"


def sniff(path: Path, head: bytes) -> Confidence:  # noqa: ARG001  the head has the mark
    """VENDOR for a VSI, and for a stack of tiles without one, to say what to open instead."""
    is_index = head.startswith(_TIFF) and head[tags.FIRST_VOLUME :].startswith(tags.MARK)
    is_stack = head.startswith(stack.MARK)
    return Confidence.VENDOR if is_index or is_stack else Confidence.NONE


def open_(path: Path, limits: Limits) -> SlideReader:
    """Open a VSI with the stacks beside it.

    Raises IncompleteSlideError when one is missing, UnsupportedSlideError when there is no scan
    in them or they are in a way that nobody knows, DamagedSlideError when they contradict
    themselves.
    """
    sources: list[FileSource] = []
    try:
        _check_is_index(path)
        layout = read_layout(path, sources, limits)
    except (ValueError, OverflowError, OSError) as error:
        _close(sources)
        raise DamagedSlideError(
            "The slide's index contradicts itself; copy the whole slide again from the scanner."
        ) from error
    except BaseException:
        _close(sources)
        raise
    return OlympusSlide.of(NAME, path, layout, sources)


def _check_is_index(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(stack.MARK)) == stack.MARK:
            raise UnsupportedSlideError(
                "This is but the tiles of a slide; open the .vsi file beside their folder."
            )


def _close(sources: list[FileSource]) -> None:
    for source in sources:
        source.close()
