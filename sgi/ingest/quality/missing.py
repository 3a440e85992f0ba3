"""Tissue that the overview shows and the scan does not hold."""

from dataclasses import dataclass

import numpy as np

from sgi.ingest.quality.boxes import box_mean, resize
from sgi.ingest.quality.place import Place, find_place
from sgi.ingest.quality.views import Map

_KNOWN = ((0.66, 0.09), (0.85, 0.05))
"""Correlation, and lead over any place elsewhere, from which the scan's place is known: a scan that
lacks a part agrees less, but nowhere else; what is not on the overview agrees here and there."""
_LEAST_TISSUE = 50
"""Pixels of tissue that an overview must show to be compared."""
_TOLERANCE = 0.03
"""Share of the scan's shorter side by which both outlines may differ."""
_FAINT = 0.1
"""Share of a reduced pixel that tissue must fill to count as scanned."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Shares of the overview's tissue, 0 to 1."""

    outside: float
    """Beyond the area that was scanned."""
    inside: float
    """Within that area, where the scan shows none."""
    agreement: float
    """Correlation of scan and overview where they overlap, up to 1."""


def compare(scan: Map, overview: Map) -> Missing | None:
    """Lay the tissue density of the scan over that of the overview.

    None when the overview shows hardly any tissue, or where the scan lies on it cannot be told.
    """
    tissue = overview > 0
    if tissue.sum() < _LEAST_TISSUE:
        return None
    place = find_place(scan, overview)
    if place is None or not _is_known(place):
        return None
    height, width = overview.shape
    top, left = round(place.top * height), round(place.left * width)
    rows = min(max(1, round(place.rows * height)), height - top)
    columns = min(max(1, round(place.columns * width)), width - left)
    scanned = np.rot90((scan > 0).astype(np.float32), place.quarter_turns)
    radius = max(1, round(_TOLERANCE * min(rows, columns)))
    found = box_mean(resize(scanned, rows, columns) >= _FAINT, radius) > 0
    window = (slice(top, top + rows), slice(left, left + columns))
    inside = int((tissue[window] & ~found).sum())
    # The scan's own border is as uncertain as any outline.
    around = (
        slice(max(0, top - radius), top + rows + radius),
        slice(max(0, left - radius), left + columns + radius),
    )
    outside = int(tissue.sum() - tissue[around].sum())
    total = int(tissue.sum())
    return Missing(outside / total, inside / total, place.agreement)


def _is_known(place: Place) -> bool:
    return any(place.agreement >= agreement and place.lead >= lead for agreement, lead in _KNOWN)
