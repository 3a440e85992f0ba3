"""What a file said of itself, kept in memory as long as its slide is open."""

import pydicom

_BULK = frozenset({"ICCProfile", "OpticalPathSequence"})


def without_bulk(header: pydicom.Dataset) -> pydicom.Dataset:
    """The header but for colour profiles and palettes, which readers give by other ways."""
    kept = pydicom.Dataset()
    for element in header:
        if element.keyword not in _BULK:
            kept[element.tag] = element
    return kept
