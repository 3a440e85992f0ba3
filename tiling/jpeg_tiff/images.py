"""Labels, overviews and thumbnails: where each lies, and how it is unpacked when asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import tifffile

from tiling.codecs import jpeg
from tiling.codecs.segments import parse_frame_header
from tiling.errors import DamagedSlideError, TilingError
from tiling.geometry import Size
from tiling.slide import AssociatedKind, Pixels

_SEPARATE_PLANES = 2
"""PlanarConfiguration of images that keep each colour by itself."""


class AssociatedImage(Protocol):
    """An associated image that has not been unpacked."""

    @property
    def size(self) -> Size: ...

    def read(self, path: Path) -> Pixels:
        """The pixels `(rows, columns, 3)`; may raise anything when the bytes are damaged."""


def unpack(image: AssociatedImage, kind: AssociatedKind, path: Path) -> Pixels:
    """The pixels of an image of that kind, `(rows, columns, 3)` of the size that it announces.

    Raises a TilingError, DamagedSlideError where it cannot be decoded or is another image.
    """
    try:
        pixels = image.read(path)
    except TilingError:
        raise
    except Exception as error:
        raise DamagedSlideError(
            f"The slide's {kind} cannot be decoded; copy the file again from the scanner."
        ) from error
    if pixels.shape != (image.size.rows, image.size.columns, 3) or pixels.dtype != np.uint8:
        raise DamagedSlideError(
            f"The slide's {kind} is not the image it says it is; copy the file again."
        )
    return pixels


@dataclass(frozen=True, slots=True)
class DirectoryImage:
    """A directory of the slide's file, in strips or tiles and whatever compression."""

    index: int
    size: Size

    def read(self, path: Path) -> Pixels:
        with tifffile.TiffFile(path) as file:
            page = file.pages[self.index].aspage()
            pixels: Pixels = np.asarray(page.asarray())
            if page.planarconfig == _SEPARATE_PLANES and pixels.ndim == 3:
                pixels = np.moveaxis(pixels, 0, -1)
        return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


@dataclass(frozen=True, slots=True)
class StreamImage:
    """A JPEG image that the file keeps elsewhere than in a directory of its own."""

    stream: bytes
    size: Size

    @classmethod
    def of(cls, stream: bytes) -> "StreamImage | None":
        """The image that a stream holds; None when it is no JPEG."""
        try:
            return cls(stream, parse_frame_header(stream).size)
        except DamagedSlideError:
            return None

    def read(self, path: Path) -> Pixels:  # noqa: ARG002  the bytes are here already
        return jpeg.decode(self.stream)
