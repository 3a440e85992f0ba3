"""Tissue on the overview: not the label, the holder or what the scanner drew."""

import numpy as np

from sgi.ingest.quality.boxes import box_mean, shrink
from sgi.ingest.quality.colour import hue_saturation_value
from sgi.ingest.quality.tissue import map_tissue
from sgi.ingest.quality.views import Image, Map, Mask

_SIDE = 512
"""Pixels of the longer side at which an overview is looked at."""
_HUES = (245.0, 410.0)
"""Degrees: violet over red to brown and yellow. Boxes that scanners draw are green or blue."""
_PURE = 0.6
"""Saturation from which a colour is printed or drawn: a thin section lets white light through."""
_MARGIN = 0.02
"""Share of the shorter side along the edges that is holder, not glass."""
_LABEL = 0.36
"""Share of the longer side that a label may cover, at one end: 26 of 76 mm."""
_PRINTED = 0.02
"""Share of an end, and of each column of it, that is dark and grey where a label lies."""
_BLACK = 110
"""Brightest sample of what is dark."""
_GREY = 0.4
"""Saturation of what is grey."""


def overview_density(image: Image) -> Map:
    """How dense tissue is at each place of an overview, 0 where there is none.

    The longer side of the result has at most `_SIDE` pixels.
    """
    small = shrink(image[:, :, :3], max(1, -(-max(image.shape[:2]) // _SIDE)))
    seen = map_tissue(small)
    hue, saturation, value = hue_saturation_value(small)
    stained = (hue - _HUES[0]) % 360 <= _HUES[1] - _HUES[0]
    tissue = seen.tissue & stained & (saturation < _PURE)
    tissue &= box_mean(tissue, 1) > 0.5
    _clear_edges(tissue)
    _clear_label(tissue, (value < _BLACK) & (saturation < _GREY))
    return np.where(tissue, seen.absorption, 0).astype(np.float32)


def _clear_edges(tissue: Mask) -> None:
    margin = max(1, round(_MARGIN * min(tissue.shape)))
    for side in (tissue, tissue.T):
        side[:margin] = False
        side[-margin:] = False


def _clear_label(tissue: Mask, printed: Mask) -> None:
    """Nothing is tissue at the end of the glass where dark grey print is, if at either."""
    if tissue.shape[0] > tissue.shape[1]:
        tissue, printed = tissue.T, printed.T
    end = round(_LABEL * tissue.shape[1])
    first, last = printed[:, :end], printed[:, : -end - 1 : -1]
    label, zone = max((first, tissue), (last, tissue[:, ::-1]), key=lambda side: side[0].mean())
    if label.mean() >= _PRINTED:
        columns = np.flatnonzero(label.mean(axis=0) >= _PRINTED)
        zone[:, : columns[-1] + 1 + round(_MARGIN * tissue.shape[0])] = False
