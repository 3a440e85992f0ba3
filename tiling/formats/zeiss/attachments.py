"""Label, overview and thumbnail: images attached to a CZI, each a JPEG or a CZI of its own."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tiling.codecs import jpeg
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats.zeiss.container import ATTACHMENT, ATTACHMENTS, Container
from tiling.formats.zeiss.directory import read_directory
from tiling.formats.zeiss.pixels import SubblockPixels
from tiling.formats.zeiss.rectangles import Rectangle
from tiling.formats.zeiss.scene import Scene, find_scenes
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import AssociatedKind, Pixels

_KINDS = {
    "Label": AssociatedKind.LABEL,
    "SlidePreview": AssociatedKind.OVERVIEW,
    "Thumbnail": AssociatedKind.THUMBNAIL,
}
_ENTRY = struct.Struct("<2s10xqi16x8s80s")
_DIRECTORY_BYTES = 256
_HEADER_BYTES = 256
_MOST_ATTACHMENTS = 4096
_WHITE = 255


class Attached(Protocol):
    """An attached image, measured but not read."""

    @property
    def size(self) -> Size: ...

    def read(self) -> Pixels:
        """`(rows, columns, 3)`; raises DamagedSlideError."""


def find_images(
    container: Container, position: int, limits: Limits
) -> tuple[Mapping[AssociatedKind, Attached], tuple[str, ...]]:
    """The attached images, and a sentence for each that cannot be read here.

    Raises DamagedSlideError when one is broken, SlideTooLargeError when one is too large.
    """
    found: dict[AssociatedKind, Attached] = {}
    not_kept: list[str] = []
    if not position:
        return found, ()
    (count,) = struct.unpack("<i", container.payload(position, ATTACHMENTS, 4))
    if not 0 <= count <= _MOST_ATTACHMENTS:
        raise DamagedSlideError("The file's attachments are corrupt; copy it again.")
    length = _DIRECTORY_BYTES + count * _ENTRY.size
    entries = container.payload(position, ATTACHMENTS, length)[_DIRECTORY_BYTES:]
    for _, place, part, kind, name in _ENTRY.iter_unpack(entries):
        wanted = _KINDS.get(name.partition(b"\0")[0].decode("latin-1"))
        if wanted is None or wanted in found:
            continue
        try:
            found[wanted] = _open(container, place, kind.partition(b"\0")[0], part, limits)
        except UnsupportedSlideError:
            not_kept.append(f"The {wanted} is of a kind that cannot be read.")
    return found, tuple(not_kept)


def _open(container: Container, place: int, kind: bytes, part: int, limits: Limits) -> Attached:
    if part or kind not in (b"JPG", b"CZI"):
        raise UnsupportedSlideError("An attached image is of an unknown kind.")
    (length,) = struct.unpack("<q", container.payload(place, ATTACHMENT, 8))
    inside = container.within(place + 32 + _HEADER_BYTES, length)
    image = _AttachedJpeg(inside, limits) if kind == b"JPG" else _AttachedCzi(inside, limits)
    limits.check_associated(image.size)
    return image


class _AttachedJpeg:
    """A JPEG stream."""

    def __init__(self, container: Container, limits: Limits) -> None:
        # A byte a pixel is far more than any camera's JPEG takes.
        if container.size > limits.associated_pixels:
            raise DamagedSlideError("An attached image is absurdly long; copy the file again.")
        self._container = container
        self.size = jpeg.parse_frame_header(self._stream()).size

    def read(self) -> Pixels:
        return jpeg.decode(self._stream())

    def _stream(self) -> bytes:
        return self._container.read(0, self._container.size)


@dataclass(frozen=True, slots=True, init=False)
class _AttachedCzi:
    """The first image of a CZI within the CZI."""

    size: Size
    _scene: Scene
    _container: Container
    _limits: Limits

    def __init__(self, container: Container, limits: Limits) -> None:
        scene = find_scenes(read_directory(container, container.positions().subblocks))[0]
        object.__setattr__(self, "_scene", scene)
        object.__setattr__(self, "size", scene.levels[0].level.size)
        object.__setattr__(self, "_container", container)
        object.__setattr__(self, "_limits", limits)

    def read(self) -> Pixels:
        form, base = self._scene.pixel_format, self._scene.levels[0]
        shape = (self.size.rows, self.size.columns, form.samples)
        canvas = np.full(shape, form.brightest, form.dtype)
        mosaic = base.mosaics[min(base.mosaics)]
        # Each of its images is needed once, so that none is kept beyond this.
        subblocks = SubblockPixels(self._container, self._limits, kept_bytes=0)
        mosaic.paint(canvas, Rectangle(0, 0, self.size.columns, self.size.rows), subblocks)
        pixels = np.asarray(canvas >> 8 if form.bits > 8 else canvas, np.uint8)
        return np.repeat(pixels, 3, axis=2) if form.samples == 1 else pixels
