"""OME-TIFF: one or several images of any channels and focal planes, with their pyramids.

OME-XML, in the first description or in a `.companion.ome` beside the TIFFs, tells which directory
of which file is what. Images called label, macro or thumbnail go with the slides; every other is a
slide, and the first of several is the file's own. SubIFDs are levels; so are reduced copies in the
main chain, and further images that show the same extent of the same name in fewer pixels. A single
layer in JPEG tiles is handed on as it is.

A set of several files has one door: the companion, or else the file that holds its first plane.
Opening another says which that is, so that one slide does not come in twice.
"""

from pathlib import Path

from tiling import tiff
from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError
from tiling.formats.ome_tiff.files import FileSet, read_document
from tiling.formats.ome_tiff.scenes import read_scenes
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.source import FileSource
from tiling.tiff import Directory, TiffFile, is_tiff
from tiling.tiff_layers import bears_mark, open_scenes
from tiling.xml_tree import parse_root

NAME = "OME-TIFF"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a TIFF whose first description is OME-XML, and for OME-XML by itself."""
    if is_tiff(head):
        return Confidence.VENDOR if bears_mark(path, _has_mark) else Confidence.NONE
    begins = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    is_companion = begins.startswith(b"<") and _is_ome(begins.decode("utf-8", "replace"))
    return Confidence.VENDOR if is_companion else Confidence.NONE


def open_(path: Path, limits: Limits) -> SlideReader:
    """Open a file with the others of its set beside it.

    Raises IncompleteSlideError when one of them or a plane is missing, UnsupportedSlideError when
    no image is of a kind that is read, DamagedSlideError when they contradict each other.
    """
    sources: list[FileSource] = []
    try:
        document, main = read_document(path, limits, sources)
        files = FileSet(path, document, main, limits, sources)
        return open_scenes(NAME, path, sources, read_scenes(document, files, limits))
    except (ValueError, OverflowError, OSError) as error:
        _close(sources)
        raise DamagedSlideError(
            "The file's description contradicts itself; copy it again from the scanner."
        ) from error
    except BaseException:
        _close(sources)
        raise


def _is_ome(text: str) -> bool:
    root = parse_root(text)
    return root is not None and root.name == "OME"


def _has_mark(file: TiffFile, directory: Directory) -> bool:
    return _is_ome(file.text(directory, tiff.IMAGE_DESCRIPTION))


def _close(sources: list[FileSource]) -> None:
    for source in sources:
        source.close()
