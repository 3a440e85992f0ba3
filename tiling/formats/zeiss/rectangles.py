"""Many rectangles at once: which of them lie in an area, and what they leave free."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of an image in its pixels, half-open."""

    left: int
    top: int
    right: int
    bottom: int

    def within(self, other: "Rectangle") -> "Rectangle":
        """What both have in common; they must touch."""
        return Rectangle(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )


@dataclass(frozen=True, slots=True)
class Rectangles:
    """Half-open, each array of shape `(rectangles,)`."""

    left: Numbers
    top: Numbers
    right: Numbers
    bottom: Numbers

    def __getitem__(self, index: int) -> Rectangle:
        return Rectangle(
            int(self.left[index]),
            int(self.top[index]),
            int(self.right[index]),
            int(self.bottom[index]),
        )

    def touching(self, area: Rectangle) -> Numbers:
        """Indices, rising, of those that have a pixel of the area."""
        return np.flatnonzero(
            (self.left < area.right)
            & (self.right > area.left)
            & (self.top < area.bottom)
            & (self.bottom > area.top)
        )

    def cover(self, area: Rectangle) -> NDArray[np.bool_]:
        """Which pixels of the area lie in any of them, `(rows, columns)`."""
        covered = np.zeros((area.bottom - area.top, area.right - area.left), np.bool_)
        touching = self.touching(area)
        sides = zip(
            (np.maximum(self.left[touching], area.left) - area.left).tolist(),
            (np.maximum(self.top[touching], area.top) - area.top).tolist(),
            (self.right[touching] - area.left).tolist(),
            (self.bottom[touching] - area.top).tolist(),
            strict=True,
        )
        for left, top, right, bottom in sides:
            covered[top:bottom, left:right] = True
        return covered

    def shrunk(self, factor: int) -> "Rectangles":
        """In pixels `factor` times as large: all that have a part of them."""
        return Rectangles(
            self.left // factor,
            self.top // factor,
            -(-self.right // factor),
            -(-self.bottom // factor),
        )

    def sampled(self, step: int, margin: int = 0) -> "Rectangles":
        """In cells of `step` pixels: those whose centre is no further away than `margin`."""
        before = step // 2
        return Rectangles(
            -((before + margin - self.left) // step),
            -((before + margin - self.top) // step),
            -((before - margin - self.right) // step),
            -((before - margin - self.bottom) // step),
        )
