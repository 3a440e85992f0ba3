"""From a mark in the first directory to an open slide of layers."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tiling.errors import DamagedSlideError, TilingError
from tiling.jpeg_tiff import Layout
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.source import FileSource
from tiling.tiff import Directory, TiffFile
from tiling.tiff_layers.directories import LayeredTiff
from tiling.tiff_layers.kept import KeptPieces
from tiling.tiff_layers.slide import Scene, open_scenes

HasMark = Callable[[TiffFile, Directory], bool]
"""Whether the first directory of a file is of a format; may raise any TilingError."""
ReadScenes = Callable[[LayeredTiff], Sequence[Scene | Layout]]
"""Finds every slide of a file, at least one."""


def bears_mark(path: Path, has_mark: HasMark) -> bool:
    """Whether a TIFF is of a format; False where its first directory cannot be read."""
    source = FileSource(path)
    try:
        file = TiffFile(source, Limits())
        first = next(file.directories(), None)
        return first is not None and has_mark(file, first)
    except (TilingError, ValueError):
        return False
    finally:
        source.close()


def open_layered(path: Path, limits: Limits, name: str, read_scenes: ReadScenes) -> SlideReader:
    """Open every slide of a TIFF.

    Raises UnsupportedSlideError for what is not read, DamagedSlideError where the file
    contradicts itself, SlideTooLargeError beyond the limits.
    """
    source = FileSource(path)
    try:
        scenes = read_scenes(LayeredTiff(path, source, limits, KeptPieces()))
        return open_scenes(name, path, [source], scenes)
    except (ValueError, OverflowError) as error:
        source.close()
        raise DamagedSlideError(
            "The file's directory contradicts itself; copy it again from the scanner."
        ) from error
    except BaseException:
        source.close()
        raise
