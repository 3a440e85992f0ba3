"""The focal planes of a slide from the lowest upwards, by heights that may not be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tiling.slide import COUNTED_FOCAL_PLANES

FARTHEST_UM = 1e6
"""A metre: no plane of a slide lies as far from another, or from where heights are counted."""


@dataclass(frozen=True, slots=True)
class FocalPlanes:
    """Every plane of a slide, none left out."""

    numbers: tuple[int, ...]
    """Which of the file's planes each is, from 0 in the file's order."""
    heights_um: tuple[float, ...]
    """Rising."""
    not_kept: tuple[str, ...] = ()
    """The sentence that the planes are counted, where they are."""


def order_planes(count: int, heights_um: Sequence[float] | None) -> FocalPlanes:
    """Order `count` planes by the heights that the file tells, which rise or fall.

    Planes are counted, as if each were a micrometre above the one before, where heights are not
    told of all, are farther away than any slide, or go up and down: they would be invented.
    """
    numbers = tuple(range(count))
    if count == 1:
        return FocalPlanes(numbers, (0.0,))
    if heights_um is None or len(heights_um) != count or not _go_one_way(heights_um):
        heights = tuple(float(number) for number in numbers)
        return FocalPlanes(numbers, heights, (COUNTED_FOCAL_PLANES,))
    if heights_um[0] > heights_um[-1]:
        return FocalPlanes(numbers[::-1], tuple(heights_um[::-1]))
    return FocalPlanes(numbers, tuple(heights_um))


def _go_one_way(heights_um: Sequence[float]) -> bool:
    rises = {upper > lower for lower, upper in pairwise(heights_um)}
    apart = all(upper != lower for lower, upper in pairwise(heights_um))
    return apart and len(rises) == 1 and all(abs(height) <= FARTHEST_UM for height in heights_um)
