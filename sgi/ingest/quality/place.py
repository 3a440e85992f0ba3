"""Where the scanned area lies on the overview: found by correlation, or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sgi.ingest.quality.boxes import integral, resize, window_sums
from sgi.ingest.quality.views import Map

_COARSE_SIDE = 160
"""Pixels of the overview's longer side while every place is tried."""
_FINE_SIDE = 426
"""Pixels of the overview's longer side while the best places are made exact."""
_SMALLEST = 0.05
"""Share of the overview's longer side that the scan's longer side is at least."""
_STEP = 1.05
"""Ratio between the sizes that are tried."""
_KEPT = 6
"""Places that are made exact."""
_LEAST_SIDE = 6
"""Pixels: a smaller scan on the overview says nothing."""
_FLAT = 1e-3
"""Share of the overview's variance that a window must have."""


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the overview, and how the scan must be turned to lie there."""

    top: float
    left: float
    rows: float
    columns: float
    """In shares of the overview's height and width, half-open."""
    quarter_turns: int
    """Counter-clockwise turns of the scan by 90 degrees."""
    agreement: float
    """Correlation of both images within the rectangle, up to 1."""
    lead: float = 0.0
    """By how much it agrees better than any place elsewhere that was tried."""


def find_place(scan: Map, overview: Map) -> Place | None:
    """The place where `scan` agrees best with `overview`, both tissue densities.

    The scan may be turned by quarters and drawn at any one scale. None when either
    shows nothing. Whether the agreement is good enough is for the caller to say.
    """
    if np.ptp(scan) == 0 or np.ptp(overview) == 0:
        return None
    coarse = _drawn(overview, _COARSE_SIDE)
    found: list[Place] = []
    for turns in range(4):
        turned = np.rot90(scan, turns)
        for columns, rows in _sizes(turned.shape, coarse.shape):
            found.append(_best(turned, coarse, rows, columns, turns))
    found.sort(key=lambda place: -place.agreement)
    fine = _drawn(overview, _FINE_SIDE)
    exact = [_refined(scan, fine, place) for place in _apart(found)]
    best = max(exact, key=lambda place: place.agreement, default=None)
    if best is None:
        return None
    rivals = (place.agreement for place in (*exact, *found) if not _overlap(place, best))
    return replace(best, lead=best.agreement - max(rivals, default=-1.0))


def _drawn(values: Map, side: int) -> Map:
    """`values` with its longer side reduced to `side` pixels."""
    scale = min(1.0, side / max(values.shape))
    rows, columns = (max(1, round(length * scale)) for length in values.shape)
    return resize(values, rows, columns)


def _sizes(scan: tuple[int, ...], overview: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """The `(columns, rows)` that the scan may have on the overview, from the largest."""
    scale = min(overview[0] / scan[0], overview[1] / scan[1])
    least = max(_SMALLEST * max(overview), _LEAST_SIDE)
    while scale * max(scan) >= least:
        rows, columns = round(scan[0] * scale), round(scan[1] * scale)
        if min(rows, columns) >= _LEAST_SIDE // 2:
            yield columns, rows
        scale /= _STEP


def _best(scan: Map, overview: Map, rows: int, columns: int, turns: int) -> Place:
    """The best place for the scan drawn at that size."""
    agreement = _correlation(resize(scan, rows, columns), overview)
    top, left = np.unravel_index(int(np.argmax(agreement)), agreement.shape)
    best = float(agreement[top, left])
    height, width = overview.shape
    return Place(
        float(top / height), float(left / width), rows / height, columns / width, turns, best
    )


def _correlation(pattern: Map, image: Map) -> Map:
    """Pearson's correlation of `pattern` with every window of `image` of its size."""
    centred = pattern - pattern.mean()
    strength = float((centred * centred).sum())
    rows, columns = pattern.shape
    spectrum = np.fft.rfft2(image) * np.conj(np.fft.rfft2(centred, image.shape))
    products = np.fft.irfft2(spectrum, image.shape)
    products = products[: image.shape[0] - rows + 1, : image.shape[1] - columns + 1]
    sums = window_sums(integral(image), rows, columns)
    squares = window_sums(integral(image * image), rows, columns)
    spread = squares - sums * sums / pattern.size
    least = _FLAT * float(image.var()) * pattern.size
    known = (spread > least) & (strength > 0)
    return np.where(
        known, products / np.sqrt(np.where(known, spread * max(strength, 1e-12), 1)), -1
    ).astype(np.float32)


def _apart(places: list[Place]) -> list[Place]:
    """The first `_KEPT` that differ in orientation, or clearly in place or in size."""
    kept: list[Place] = []
    for place in places:
        if not any(_alike(place, other) for other in kept):
            kept.append(place)
        if len(kept) == _KEPT:
            break
    return kept


def _alike(one: Place, other: Place) -> bool:
    same = one.quarter_turns == other.quarter_turns
    near = abs(one.left - other.left) < 0.05 and abs(one.top - other.top) < 0.05
    return same and near and 0.8 < one.columns / other.columns < 1.25


def _overlap(one: Place, other: Place) -> bool:
    """Whether the rectangles share more than half of the area that they cover together."""
    rows = min(one.top + one.rows, other.top + other.rows) - max(one.top, other.top)
    columns = min(one.left + one.columns, other.left + other.columns) - max(one.left, other.left)
    shared = max(rows, 0) * max(columns, 0)
    together = one.rows * one.columns + other.rows * other.columns - shared
    return shared > together / 2


def _refined(scan: Map, overview: Map, place: Place) -> Place:
    """The best place near a coarse one, on the finer overview."""
    turned = np.rot90(scan, place.quarter_turns)
    height, width = overview.shape
    margin = 0.04
    top, left = int(max(0, place.top - margin) * height), int(max(0, place.left - margin) * width)
    bottom = int(np.ceil(min(1, place.top + place.rows + margin) * height))
    right = int(np.ceil(min(1, place.left + place.columns + margin) * width))
    part = overview[top:bottom, left:right]
    best = place
    best_agreement = -1.0
    for step in np.linspace(-0.05, 0.05, 11):
        columns = round(place.columns * width * (1 + step))
        rows = round(columns * turned.shape[0] / turned.shape[1])
        if not (_LEAST_SIDE // 2 <= rows <= part.shape[0]):
            continue
        if not (_LEAST_SIDE // 2 <= columns <= part.shape[1]):
            continue
        found = _best(turned, part, rows, columns, place.quarter_turns)
        if found.agreement > best_agreement:
            best_agreement = found.agreement
            best = Place(
                (top + found.top * part.shape[0]) / height,
                (left + found.left * part.shape[1]) / width,
                rows / height,
                columns / width,
                place.quarter_turns,
                found.agreement,
            )
    return best
