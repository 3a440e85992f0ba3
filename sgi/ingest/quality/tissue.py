"""Where there is tissue: darker than the glass, and not in the grey of shadows and dust."""

from dataclasses import dataclass

import numpy as np

from sgi.ingest.quality.boxes import box_mean, luma
from sgi.ingest.quality.colour import largest, smallest
from sgi.ingest.quality.ink import ink_mask
from sgi.ingest.quality.views import Grey, Image, Map, Mask

_GLASS_LUMA = 110
"""Grey level that glass has at least, also under a dim lamp."""
_GLASS_TINT = 40
"""The most by which the channels of glass differ, in grey levels."""
_GLASS_SHARE = 0.01
"""Share of an image that glass must fill to be measured in it."""
_UNSEEN_GLASS = 245
"""Grey level of glass where none is seen."""
_BRIGHTEST = 99.5
"""Percentile of an image that stands for its light where no glass is seen."""
_LUMA = np.array((0.25, 0.5, 0.25), np.float32)
_DARK_FIELD = 24
"""Grey level of the middle pixel below which an image is fluorescence, bright on black."""
_LEAST_ABSORPTION = 14.0
_MOST_ABSORPTION = 32.0
"""Grey levels by which tissue is darker than glass in the channel that it absorbs most: the
bounds of the threshold, which is sought between them."""
_LEAST_TINT = 6.0
"""Grey levels by which the channels' absorptions differ in tissue."""
_BLACK = 24
"""Grey level below which nothing was photographed."""
_FLUORESCENCE = 12
"""Grey levels above the ground that are tissue in fluorescence."""


@dataclass(frozen=True, slots=True)
class TissueMap:
    """What a small image of a slide, `(rows, columns)`, shows at each place."""

    tissue: Mask
    ink: Mask
    """Where there is a pen's ink, which is not tissue."""
    absorption: Map
    """Grey levels darker than glass, in the channel that absorbs most."""
    light: float | None
    """Brightness of empty glass, 0 to 255, or of the brightest place where nothing is as bright as
    glass; None when no glass is seen in a bright image, and in a dark field."""
    dark_field: bool
    """Whether tissue is bright on black."""


def map_tissue(image: Image) -> TissueMap:
    """Part a small image, each pixel about the mean of many, into tissue, ink and the rest."""
    grey = luma(image)
    if image.shape[2] < 3 or np.median(grey) < _DARK_FIELD:
        return _map_fluorescence(grey)
    glass = _glass_colour(image)
    ground = np.full(3, _UNSEEN_GLASS, np.float32) if glass is None else glass
    absorbed = np.maximum(ground - image, 0)
    absorption = largest(absorbed)
    tint = absorption - smallest(absorbed)
    light = _light(grey, glass)
    ink = ink_mask(image, 255 if light is None else light)
    seen = (largest(image) >= _BLACK) & (tint >= _LEAST_TINT)
    tissue = seen & ~ink & (absorption >= _threshold(absorption[seen]))
    return TissueMap(
        _without_specks(tissue),
        ink,
        absorption,
        light,
        dark_field=False,
    )


def _map_fluorescence(grey: Map | Image) -> TissueMap:
    ground = float(np.percentile(grey, 10))
    signal = np.maximum(grey.astype(np.float32) - ground, 0)
    tissue = _without_specks(box_mean(signal, 1) >= _FLUORESCENCE)
    return TissueMap(tissue, np.zeros_like(tissue), signal, None, dark_field=True)


def _glass_colour(image: Image) -> Map | None:
    """The commonest bright colour `(3,)`, in grey levels; None when little is bright."""
    grey = luma(image)
    low = smallest(image)
    tint = largest(image) - low
    # 255 in every channel is what scanners write where they did not scan.
    bright = (grey >= _GLASS_LUMA) & (tint <= _GLASS_TINT)
    scanned = bright & (low < 255)
    if scanned.sum() >= _GLASS_SHARE * grey.size:
        bright = scanned
    elif bright.sum() < _GLASS_SHARE * grey.size:
        return None
    counts = np.bincount(grey[bright], minlength=256)
    near = np.convolve(counts, np.ones(7), mode="same")
    # Of two peaks the brighter one is glass: the other is pale tissue.
    mode = int(np.flatnonzero(near >= near.max() / 3)[-1]) if near.max() else 255
    chosen = bright & (np.abs(grey.astype(np.int16) - mode) <= 4)
    if not chosen.any():
        return None
    return np.asarray(np.median(image[chosen], axis=0), np.float32)


def _light(grey: Grey, glass: Map | None) -> float | None:
    if glass is not None:
        return float(glass @ _LUMA)
    brightest = float(np.percentile(grey, _BRIGHTEST))
    return brightest if brightest < _GLASS_LUMA else None


def _threshold(absorption: Map) -> float:
    """Otsu's threshold between two classes of values, within the bounds for tissue."""
    counts = np.bincount(np.clip(absorption, 0, 255).astype(np.uint8), minlength=256)
    levels = np.arange(256)
    below, total = np.cumsum(counts), counts.sum()
    sums = np.cumsum(counts * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (sums[-1] * below - sums * total) ** 2 / (below * (total - below))
    best = int(np.argmax(np.nan_to_num(between, posinf=0.0)))
    return float(np.clip(best, _LEAST_ABSORPTION, _MOST_ABSORPTION))


def _without_specks(mask: Mask) -> Mask:
    """The mask by majority of each pixel's neighbourhood: no dust, and no pinholes."""
    return box_mean(mask, 1) > 0.5
