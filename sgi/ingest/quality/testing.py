"""Slides in memory, for tests and measurements."""

from dataclasses import dataclass, field

import numpy as np

from sgi.ingest.quality.views import Image, Samples
from tiling.downsample import halve
from tiling.geometry import Size

_TILE = Size(256, 256)


@dataclass(frozen=True)
class MemoryLevel:
    """A level held in memory, which remembers what was read of it."""

    whole: Samples
    tile: Size = _TILE
    downsample: float = 1.0
    reads: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> Size:
        return Size(self.whole.shape[1], self.whole.shape[0])

    def pixels(self, column: int, row: int) -> Samples:
        self.reads.append((column, row))
        rows, columns = self.tile.rows, self.tile.columns
        part = self.whole[row * rows :, column * columns :][:rows, :columns]
        tile = np.full((rows, columns, part.shape[2]), np.iinfo(part.dtype).max, part.dtype)
        tile[: part.shape[0], : part.shape[1]] = part
        return tile


@dataclass(frozen=True)
class MemorySlide:
    """A slide held in memory."""

    levels: tuple[MemoryLevel, ...]
    pixel_spacing_mm: tuple[float, float] | None = None
    overview: Image | None = None


def build_levels(base: Image) -> tuple[MemoryLevel, ...]:
    """The base `(rows, columns, 3)` and the levels that ingest builds above it."""
    levels = [MemoryLevel(base)]
    while max(base.shape[:2]) > 512:
        base = halve(base)
        levels.append(MemoryLevel(base, downsample=levels[-1].downsample * 2))
    return tuple(levels)


def blur(image: Image, sigma: float) -> Image:
    """`(rows, columns, samples)` under a Gaussian of `sigma` pixels."""
    radius = int(3 * sigma + 1)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-(offsets**2) / (2 * sigma**2)).astype(np.float32)
    weights /= weights.sum()
    values = image.astype(np.float32)
    for axis in (0, 1):
        length = values.shape[axis]
        width = [(radius, radius) if side == axis else (0, 0) for side in range(3)]
        padded = np.pad(values, width, mode="edge")
        values = np.zeros_like(values)
        for start, weight in enumerate(weights):
            values += weight * np.take(padded, range(start, start + length), axis=axis)
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)
