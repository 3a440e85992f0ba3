"""Values of JSON documents that nobody vouches for: what they should be, or DamagedSlideError."""

import json
import math
from collections.abc import Mapping, Sequence
from itertools import islice

from tiling.errors import DamagedSlideError
from tiling.formats.ome_zarr.files import Files

_LONGEST_DOCUMENT = 1 << 22
"""Bytes; a document is a few thousand long, and takes twenty times its length once parsed."""
_MOST_VALUES = 5000
_DEEPEST = 12
_LONGEST_NAME = 100
DAMAGED = "The slide's description is damaged; copy the slide again from where it was written."

Mapped = Mapping[str, object]


def read_document(files: Files, name: str) -> Mapped | None:
    """A JSON object; None when there is no such file."""
    data = files.read(name, _LONGEST_DOCUMENT)
    if data is None:
        return None
    try:
        return mapping(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise DamagedSlideError(DAMAGED) from error


def mapping(value: object) -> Mapped:
    if not isinstance(value, dict):
        raise DamagedSlideError(DAMAGED)
    return value


def sequence(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise DamagedSlideError(DAMAGED)
    return value


def text(value: object) -> str:
    if not isinstance(value, str):
        raise DamagedSlideError(DAMAGED)
    return value


def integer(value: object, least: int, most: int) -> int:
    """Also a number without a fraction that is written with one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise DamagedSlideError(DAMAGED)
    return value


def integers(value: object, count: int | None, least: int, most: int) -> tuple[int, ...]:
    """`count` of them where that is known."""
    found = tuple(integer(one, least, most) for one in sequence(value))
    if count is not None and len(found) != count:
        raise DamagedSlideError(DAMAGED)
    return found


def number(value: object) -> float:
    """A finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise DamagedSlideError(DAMAGED)
    try:
        found = float(value)
    except OverflowError as error:
        raise DamagedSlideError(DAMAGED) from error
    if not math.isfinite(found):
        raise DamagedSlideError(DAMAGED)
    return found


def optional_mapping(value: object) -> Mapped:
    """Empty for what is no object: such values are for display."""
    return value if isinstance(value, dict) else {}


def flatten(document: Mapped) -> dict[str, str]:
    """The values of a document by their path: `multiscales[0].axes[1].unit`.

    Those too deep, and those beyond as many as a person reads, are left out.
    """
    flat: dict[str, str] = {}
    left: list[tuple[str, object, int]] = [("", document, 0)]
    while left and len(flat) < _MOST_VALUES:
        path, value, depth = left.pop()
        if isinstance(value, dict | list):
            if depth < _DEEPEST:
                below = _below(path, value)
                left += [(name, one, depth + 1) for name, one in reversed(below)]
        elif value is not None:
            flat[path] = str(value)
    return flat


def _below(path: str, value: dict[object, object] | list[object]) -> list[tuple[str, object]]:
    if isinstance(value, list):
        return [(f"{path}[{index}]", one) for index, one in enumerate(value[:_MOST_VALUES])]
    members = islice(value.items(), _MOST_VALUES)
    dot = "." if path else ""
    return [(f"{path}{dot}{str(key)[:_LONGEST_NAME]}", one) for key, one in members]
