"""A pen's ink on the glass: smooth strokes of colours that stained tissue does not have."""

import numpy as np

from sgi.ingest.quality.boxes import box_mean, luma
from sgi.ingest.quality.colour import hue_saturation_value
from sgi.ingest.quality.views import Image, Map, Mask

_SATURATED = 0.45
"""(Largest - smallest) / largest sample, from which a colour may be ink."""
_DEEP_RED = 0.75
"""The same for red, which eosin and blood have too."""
_HUES = ((75.0, 250.0, _SATURATED), (352.0, 368.0, _DEEP_RED))
"""Degrees: from green over cyan to blue; red. Haematoxylin lies above, DAB and eosin around."""
_LEAST_COLOUR = 40
"""Grey level of the largest sample from which a colour can be told."""
_BLACK_VALUE = 70
_BLACK_TINT = 22
"""Grey levels: what is darker, with channels closer than this, is black ink."""
_ROUGHNESS = 9.0
"""Grey levels: standard deviation within 5 x 5 pixels above which it is tissue after all."""


def ink_mask(image: Image, light: float) -> Mask:
    """Where a small RGB image shows ink, `(rows, columns)`; thin lines are left out.

    `light` is the brightness of empty glass, 0 to 255: under a dim lamp everything is darker.
    """
    hue, saturation, high = hue_saturation_value(image)
    tint = saturation * high
    coloured = np.zeros(hue.shape, np.bool_)
    for start, stop, saturated in _HUES:
        inside = (hue - start) % 360 <= stop - start
        coloured |= inside & (saturation >= saturated)
    dim = light / 255
    coloured &= high >= _LEAST_COLOUR * dim
    black = (high <= _BLACK_VALUE * dim) & (tint <= _BLACK_TINT * dim) & (high > 0)
    ink = (coloured | black) & (_roughness(image) <= _ROUGHNESS)
    return ink & (box_mean(ink, 1) > 0.5)


def _roughness(image: Image) -> Map:
    grey = luma(image).astype(np.float32)
    mean = box_mean(grey, 2)
    return np.asarray(np.sqrt(np.maximum(box_mean(grey * grey, 2) - mean * mean, 0)))
