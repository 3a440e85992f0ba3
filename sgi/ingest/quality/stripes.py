"""Stripes: steps of brightness along whole rows or columns, where strips or tiles were joined."""

import numpy as np

from sgi.ingest.quality.views import Grey, Mask

_REACH = 2
"""Pixels on either side that are compared."""
_CLIP = 12
"""Grey levels: a larger difference is an outline in the tissue, and counts as this much."""
_LEAST_PIXELS = 120
_LEAST_LENGTH = 0.2
"""Pixels, and share of its length across the image, in which a line must lie on its ground."""
_DISTINCT = 7.0
"""How many times the usual step of the other lines a step must be."""
_CERTAIN = 12.0
"""How many times its own standard error, as if all pixels were independent, a step must be."""
_LEAST_STEP = 1.0
"""Grey levels: smaller steps are rounding."""
_BORDER = 8
"""Pixels at the image's edges in which no stripe is sought."""
_ROUNDING = 1 / 6
"""Variance that rounding to whole grey levels gives a difference."""
_WHITE = 253
_BLACK = 8


def stripe_step(image: Grey, *grounds: Mask) -> float:
    """The largest step of brightness along a row or a column, in grey levels; 0 if there is none.

    Each of the `grounds`, tissue and glass, has the size of `image` and is looked at by itself:
    the outline of tissue is no stripe.
    """
    return max(
        _largest(grey, inside)
        for ground in grounds
        for grey, inside in ((image, ground), (image.T, ground.T))
    )


def _largest(grey: Grey, inside: Mask) -> float:
    """The largest distinct step between neighbouring columns, over the pixels `inside`."""
    if grey.shape[1] < 4 * _BORDER:
        return 0.0
    usable = inside & (grey < _WHITE) & (grey > _BLACK)
    both = usable[:, : -2 * _REACH] & usable[:, 2 * _REACH :]
    change = grey[:, 2 * _REACH :].astype(np.int16) - grey[:, : -2 * _REACH]
    clipped = np.clip(change, -_CLIP, _CLIP) * both
    counts = np.maximum(both.sum(axis=0), 1)
    steps = clipped.sum(axis=0, dtype=np.int64) / counts
    squares = (clipped * clipped).sum(axis=0, dtype=np.int64) / counts
    error = np.sqrt(np.maximum(squares - steps * steps, _ROUNDING) / counts)
    known = counts >= max(_LEAST_PIXELS, _LEAST_LENGTH * grey.shape[0])
    known[:_BORDER] = known[-_BORDER:] = False
    if not known.any():
        return 0.0
    size = np.abs(steps)
    usual = 1.4826 * float(np.median(size[known]))
    least = np.maximum(np.maximum(_CERTAIN * error, _DISTINCT * usual), _LEAST_STEP)
    return float(size[known & (size >= least)].max(initial=0.0))
