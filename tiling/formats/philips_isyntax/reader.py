"""An open iSyntax slide: pixels by libisyntax, the rest by the header."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from isyntax import ISyntax
from numpy.typing import NDArray

from tiling.blank import white_tile
from tiling.described import DescribedSlide, Description
from tiling.errors import DamagedSlideError
from tiling.formats.philips_isyntax.header import Geometry
from tiling.geometry import Size
from tiling.jpeg_tiff.images import StreamImage
from tiling.slide import AssociatedKind, Level, Pixels, SlideMetadata

_TILE = Size(512, 512)
_KEPT_TILES = 320
"""Tiles of 256 x 256 whose coefficients the decoder keeps, 0.4 MB each: those of 2048 x 2048
pixels, which a pyramid reads one after the other, with their neighbours and parents.
"""


_Result = TypeVar("_Result")


class ISyntaxSlide(DescribedSlide):
    """Reads are one after the other, whoever asks."""

    def __init__(
        self,
        name: str,
        path: Path,
        geometry: Geometry,
        metadata: SlideMetadata,
        associated: Mapping[AssociatedKind, StreamImage],
    ) -> None:
        """Raises DamagedSlideError when the decoder does not see what the header says."""
        levels = tuple(
            Level(_level_size(geometry.size, level), _TILE, float(1 << level))
            for level in range(geometry.levels)
            if not level or min(geometry.size.columns, geometry.size.rows) >> level
        )
        sizes = {kind: image.size for kind, image in associated.items()}
        super().__init__(Description(name, metadata, levels, sizes))
        self._path = path
        self._associated = associated
        self._decoder = _in_decoder_thread(lambda: _open(path))
        seen = _in_decoder_thread(lambda: self._decoder.level_dimensions)[: len(levels)]
        if seen != [(level.size.columns, level.size.rows) for level in levels]:
            self.close()
            raise DamagedSlideError(_REFUSED)

    def read_tile(self, level: int, column: int, row: int, path: int = 0, plane: int = 0) -> Pixels:
        self.check_layer(path, plane)
        visible = self.levels[level].grid.visible(column, row)
        left, top = column * _TILE.columns, row * _TILE.rows
        seen = _in_decoder_thread(
            lambda: _read(self._decoder, left, top, visible.columns, visible.rows, level)
        )
        pixels = np.array(white_tile(_TILE))
        pixels[: visible.rows, : visible.columns] = seen[:, :, :3]
        return pixels

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        return self._associated[kind].read(self._path)

    def close(self) -> None:
        _in_decoder_thread(self._decoder.close)


def _level_size(base: Size, level: int) -> Size:
    return Size(max(1, base.columns >> level), max(1, base.rows >> level))


@cache
def _decoder_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "isyntax")


def _in_decoder_thread(call: Callable[[], _Result]) -> _Result:
    """The decoder keeps memory for the thread that it was first used in, and crashes in others."""
    return _decoder_thread().submit(call).result()


def _open(path: Path) -> ISyntax:
    file = path.open("rb")
    try:
        return ISyntax(file, path.stat().st_size, _KEPT_TILES)
    except Exception as error:
        file.close()
        raise DamagedSlideError(_REFUSED) from error


def _read(
    decoder: ISyntax, left: int, top: int, columns: int, rows: int, level: int
) -> NDArray[np.uint8]:
    if decoder.closed:
        raise ValueError("the slide is closed")
    try:
        return decoder.read_region(left, top, columns, rows, level)
    except Exception as error:
        raise DamagedSlideError(
            "A tile cannot be decoded; copy the file again from the scanner."
        ) from error


_REFUSED = "The slide's decoder does not accept the file; copy it again from the scanner."
