"""OME-Zarr 0.4 and 0.5, in a folder or in a zip archive: pixels alone.

One image, or the series of a `bioformats2raw.layout`: pictures of the glass named like a label or
a macro go with the slide, every other series is a scene. Channels are the colours of RGB pictures
where they are shown as such (`multiscales.Image.pictures`), and optical paths of light else.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.errors import TilingError
from tiling.formats.ome_zarr.archive import MAGIC
from tiling.formats.ome_zarr.files import Files, Folder, Zip
from tiling.formats.ome_zarr.groups import ROOTS
from tiling.formats.ome_zarr.reader import open_scenes
from tiling.limits import Limits
from tiling.slide import SlideReader

NAME = "OME-Zarr"

_ZIPPED = (".zarr.zip", ".ozx")


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a folder that is the root of a Zarr, and for an archive that holds one."""
    if not head:
        is_root = path.is_dir() and any((path / name).is_file() for name in ROOTS)
        return Confidence.VENDOR if is_root else Confidence.NONE
    if not head.startswith(MAGIC):
        return Confidence.NONE
    if path.name.lower().endswith(_ZIPPED):
        return Confidence.VENDOR
    return Confidence.VENDOR if _holds_zarr(path) else Confidence.NONE


def open_(path: Path, limits: Limits) -> SlideReader:
    """Open the first image; raises a TilingError that says what is wrong with it."""
    files: Files = Folder(path) if path.is_dir() else Zip(path)
    try:
        return open_scenes(files, NAME, limits)
    except BaseException:
        files.close()
        raise


def _holds_zarr(path: Path) -> bool:
    try:
        archive = Zip(path)
    except TilingError:
        return False
    try:
        return any(archive.size(name) is not None for name in ROOTS)
    finally:
        archive.close()
