"""Which focal planes a slide has, and which of its images make levels of all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tiling.formats.hamamatsu.levels import StoredLevel

PLANES_NOT_KEPT = (
    "Focal planes that have no image like the others' at full resolution are not kept."
)
LEVELS_NOT_KEPT = "Resolutions that not all focal planes have alike are not kept but made anew."

_Image = TypeVar("_Image")


@dataclass(frozen=True, slots=True)
class StoredStack:
    """A pyramid in one or more focal planes."""

    heights_um: tuple[float, ...]
    """Of the planes, rising."""
    levels: tuple[tuple[StoredLevel, ...], ...]
    """Of each level its planes, which are alike but for their bytes."""
    not_kept: tuple[str, ...]
    """What the file holds beyond that: sentences."""


def store_stack(
    sizes: Sequence[Mapping[float, _Image]], store: Callable[[_Image], StoredLevel]
) -> StoredStack:
    """The levels in those planes that have a base like that of the plane nearest to 0.

    `sizes` are the images of each size, from the largest downwards, by the height of their plane
    in micrometres. A smaller size is a level where every plane has it, and all alike.
    """
    base, *smaller = sizes
    stored = {height: store(base[height]) for height in sorted(base)}
    alike = stored[nearest(base, 0)].level
    heights = [height for height in stored if stored[height].level == alike]
    levels = [tuple(stored[height] for height in heights)]
    for size in smaller:
        # A lone plane is one, whatever height each of its images gives.
        wanted = heights if len(heights) > 1 else [nearest(size, heights[0])]
        if size.keys() >= set(wanted):
            planes = tuple(store(size[height]) for height in wanted)
            if all(plane.level == planes[0].level for plane in planes):
                levels.append(planes)
    told = (
        (PLANES_NOT_KEPT, any(_holds_more(size, heights) for size in sizes)),
        (LEVELS_NOT_KEPT, len(levels) < len(sizes)),
    )
    return StoredStack(
        tuple(heights), tuple(levels), tuple(sentence for sentence, holds in told if holds)
    )


def nearest(size: Mapping[float, _Image], height: float) -> float:
    """The plane that is nearest to a height; of two the lower one."""
    return min(sorted(size), key=lambda other: abs(other - height))


def _holds_more(size: Mapping[float, _Image], heights: Sequence[float]) -> bool:
    """Whether one size has images in other planes than those that are kept."""
    return bool(size.keys() - set(heights)) if len(heights) > 1 else len(size) > 1
