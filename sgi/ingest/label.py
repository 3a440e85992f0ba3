"""What the label of an open slide says to a machine."""

from contextlib import suppress

from sgi.ingest.barcodes import read_barcodes
from tiling.errors import TilingError
from tiling.slide import AssociatedKind, SlideReader

_WHERE = (AssociatedKind.LABEL, AssociatedKind.OVERVIEW)
"""Scanners that keep no label of its own photograph it with the whole glass."""


def barcodes_of(reader: SlideReader) -> list[str]:
    """The scanner's own reading first, then what we read; no code twice.

    An image that is broken or shows none gives none: the slide is worth more than its label.
    """
    found = [reader.metadata.barcode] if reader.metadata.barcode else []
    kind = next((kind for kind in _WHERE if kind in reader.associated), None)
    if kind is not None:
        with suppress(TilingError):
            found += [code.text for code in read_barcodes(reader.read_associated(kind))]
    return list(dict.fromkeys(found))
