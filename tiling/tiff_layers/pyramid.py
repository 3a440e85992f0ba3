"""Which images are smaller copies of another."""

from collections.abc import Sequence

from tiling.geometry import Size

_LARGEST_ROUNDING = 2
"""Pixels by which a level may miss the base's shape, and still be a level of it."""


def has_shape_of(base: Size, size: Size) -> bool:
    """Whether a size is a scaled-down base, but for rounding."""
    columns = base.columns * size.rows / base.rows
    rows = base.rows * size.columns / base.columns
    misses = min(abs(columns - size.columns), abs(rows - size.rows))
    return size.area < base.area and misses <= _LARGEST_ROUNDING


def ordered_pyramid(base: Size, sizes: Sequence[Size]) -> list[int]:
    """The indices of those sizes that are levels above the base, the finest first.

    Of several of the same size the first counts.
    """
    finest_first = sorted(range(len(sizes)), key=lambda index: -sizes[index].area)
    chosen: list[int] = []
    finer = base
    for index in finest_first:
        size = sizes[index]
        is_coarser = size.columns <= finer.columns and size.rows <= finer.rows
        if has_shape_of(base, size) and is_coarser and size.area < finer.area:
            chosen.append(index)
            finer = size
    return chosen
