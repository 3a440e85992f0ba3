"""Which optical paths and focal planes of a level are those of its base."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from dicom.source.image import Image
from dicom.source.original import path_items
from dicom.source.part import text_of

_SAME_HEIGHT = 0.05
"""Part of the distance of two planes by which heights of one plane may differ."""


def layered_like(image: Image, base: Image) -> Image | None:
    """The same with the paths and planes of its base in their order; None where one lacks.

    Paths go by their identifiers or descriptions, planes by their heights; and either by their
    order only where nothing says which is which. A channel under another's name is worse than
    a level that is made anew.
    """
    paths, planes = _paths(image, base), _planes(image, base)
    if paths is None or planes is None:
        return None
    return replace(
        image,
        path_identifiers=base.path_identifiers,
        heights_um=base.heights_um,
        numbers=np.ascontiguousarray(image.numbers[paths][:, planes]),
    )


def _paths(image: Image, base: Image) -> list[int] | None:
    own, wanted = image.path_identifiers, base.path_identifiers
    own_names, wanted_names = _descriptions(image), _descriptions(base)
    coloured = base.pixel_format.samples > 1
    if set(wanted) <= set(own):
        found = [own.index(identifier) for identifier in wanted]
        named = [(own_names[index], name) for index, name in zip(found, wanted_names, strict=True)]
        contradicted = any(a and b and a != b for a, b in named)
        # The one view in colours may be described anew at each magnification.
        return None if contradicted and not (coloured and len(wanted) == 1) else found
    if set(wanted) & set(own):
        return None
    return _by_names(
        [name or _telling(identifier) for name, identifier in zip(own_names, own, strict=True)],
        [name or _telling(name_) for name, name_ in zip(wanted_names, wanted, strict=True)],
        coloured=coloured,
    )


def _by_names(
    own: Sequence[str | None], wanted: Sequence[str | None], *, coloured: bool
) -> list[int] | None:
    unnamed = own.count(None) + wanted.count(None)
    if unnamed == 0:
        distinct = len(set(own)) == len(own)
        return (
            [own.index(name) for name in wanted] if distinct and set(wanted) <= set(own) else None
        )
    if len(own) != len(wanted):
        return None
    only_view = coloured and len(wanted) == 1
    return list(range(len(own))) if only_view or unnamed == len(own) + len(wanted) else None


def _planes(image: Image, base: Image) -> list[int] | None:
    own, wanted = np.array(image.heights_um), np.array(base.heights_um)
    in_order = list(range(len(own))) if len(own) == len(wanted) else None
    if not (image.heights_known and base.heights_known):
        return in_order
    steps = [upper - lower for heights in (own, wanted) for lower, upper in pairwise(heights)]
    allowed = _SAME_HEIGHT * min(steps, default=1.0)
    apart = np.abs(own[None, :] - wanted[:, None])
    same = apart.min(axis=1) <= allowed
    if same.all():
        return [int(index) for index in apart.argmin(axis=1)]
    if same.any() or in_order is None:
        return None
    # Heights from another zero, as of levels without a Z Offset: the same distances.
    moved = np.abs((own - own[0]) - (wanted - wanted[0])) <= allowed
    return in_order if moved.all() else None


def _descriptions(image: Image) -> list[str | None]:
    described = (
        None if item is None else text_of(item, "OpticalPathDescription")
        for item in path_items(image)
    )
    return [None if text is None else text.casefold() for text in described]


def _telling(identifier: str) -> str | None:
    """An identifier that is a name; None of one that is a number or the like."""
    return identifier.casefold() if any(map(str.isalpha, identifier)) else None
