"""Light of several optical paths as one picture: each in its window and its colour, added up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling.slide import OpticalPath, Pixels, Samples

_DARKEST_SHARE, _BRIGHTEST_SHARE = 0.5, 99.8
"""Percentiles of a path's samples that are shown black and full."""
_COLOURS = (
    (0, 96, 255),
    (0, 255, 0),
    (255, 0, 0),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 0),
    (255, 128, 0),
    (255, 255, 255),
)
"""For paths whose file names no colour: the nuclear stain, usually first, in blue."""
_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Window:
    """The samples that are shown black and full: `darkest < brightest`."""

    darkest: int
    brightest: int

    def __post_init__(self) -> None:
        if not 0 <= self.darkest < self.brightest:
            raise ValueError(f"no window from {self.darkest} to {self.brightest}")

    def __str__(self) -> str:
        return f"{self.darkest}-{self.brightest}"

    def apply(self, samples: Samples) -> NDArray[np.uint8]:
        """Stretched to 0..255, cut off beyond the window; the same shape."""
        reach = self.brightest - self.darkest
        # A window may be asked for that lies beyond what the type can hold.
        most = np.iinfo(samples.dtype).max
        darkest, brightest = min(self.darkest, most), min(self.brightest, most)
        above = np.clip(samples, darkest, brightest) - samples.dtype.type(darkest)
        return np.asarray((above.astype(np.uint32) * 255 + reach // 2) // reach, np.uint8)


def window_of(samples: Samples) -> Window:
    """A window in which most of an image can be seen, whatever its few brightest pixels."""
    darkest, brightest = np.percentile(samples, (_DARKEST_SHARE, _BRIGHTEST_SHARE))
    return Window(int(darkest), max(int(np.ceil(brightest)), int(darkest) + 1))


def colours_of(paths: Sequence[OpticalPath]) -> list[tuple[int, int, int]]:
    """The colour of each path: the file's own, or one that is told apart from the others'."""
    if len(paths) == 1:
        return [paths[0].colour or _WHITE]
    return [path.colour or _COLOURS[i % len(_COLOURS)] for i, path in enumerate(paths)]


def composite(
    layers: Sequence[Samples], windows: Sequence[Window], colours: Sequence[tuple[int, int, int]]
) -> Pixels:
    """An RGB picture of layers `(rows, columns, 1)`, each tinted and all added up."""
    total = np.zeros((*layers[0].shape[:2], 3), np.uint32)
    for samples, window, colour in zip(layers, windows, colours, strict=True):
        total += window.apply(samples).astype(np.uint32) * np.array(colour, np.uint32)
    return np.asarray(np.minimum((total + 127) // 255, 255), np.uint8)
