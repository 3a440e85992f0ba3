"""From a vendor's mark and its reading of the directories to a claim, and to an open slide."""

from collections.abc import Callable
from pathlib import Path

from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, TilingError, UnsupportedSlideError
from tiling.jpeg_tiff.directories import JpegTiff, Layout
from tiling.jpeg_tiff.slide import JpegTiffSlide
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.source import FileSource
from tiling.tiff import Directory, TiffFile, is_tiff

HasMark = Callable[[TiffFile, Directory], bool]
"""Whether the first directory of a file bears the vendor's mark."""
ReadLayout = Callable[[JpegTiff], Layout]
"""Finds everything; raises UnsupportedSlideError for what another reader had better open."""


def claim(path: Path, head: bytes, has_mark: HasMark, read_layout: ReadLayout) -> Confidence:
    """VENDOR for a file with the mark whose every tile can be handed on.

    A file with the mark that is damaged is claimed too, and opening it says what is broken.
    """
    if not is_tiff(head):
        return Confidence.NONE
    source = FileSource(path)
    marked = False
    try:
        tiff = TiffFile(source, Limits())
        first = next(tiff.directories(), None)
        marked = first is not None and has_mark(tiff, first)
        if marked:
            read_layout(JpegTiff(path, source, Limits()))
    except UnsupportedSlideError:
        return Confidence.NONE
    except (TilingError, ValueError):
        pass
    finally:
        source.close()
    return Confidence.VENDOR if marked else Confidence.NONE


def open_claimed(path: Path, limits: Limits, name: str, read_layout: ReadLayout) -> SlideReader:
    """Open a slide; raises DamagedSlideError when any tile lies beyond the file's end."""
    source = FileSource(path)
    try:
        layout = read_layout(JpegTiff(path, source, limits))
        for image in layout.associated.values():
            limits.check_associated(image.size)
        return JpegTiffSlide(name, path, source, layout)
    except ValueError as error:
        source.close()
        raise DamagedSlideError(
            "The file's directory contradicts itself; copy it again from the scanner."
        ) from error
    except TilingError:
        source.close()
        raise
