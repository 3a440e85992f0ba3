"""Hue, saturation and value of RGB pixels."""

from typing import TypeVar

import numpy as np

from sgi.ingest.quality.views import Image, Map

_Image = TypeVar("_Image", Image, Map)


def largest(image: _Image) -> _Image:
    """The largest sample of each pixel of `(rows, columns, 3)`.

    Three planes at once: numpy takes ten times as long to reduce an axis of three.
    """
    return np.maximum(np.maximum(image[:, :, 0], image[:, :, 1]), image[:, :, 2])


def smallest(image: _Image) -> _Image:
    """The smallest sample of each pixel of `(rows, columns, 3)`."""
    return np.minimum(np.minimum(image[:, :, 0], image[:, :, 1]), image[:, :, 2])


def hue_saturation_value(image: Image) -> tuple[Map, Map, Map]:
    """Of `(rows, columns, 3)`, each as `(rows, columns)`.

    Hue in degrees from 0 (red) over 120 (green) and 240 (blue) to 360, 0 for grey; saturation from
    0 (grey) to 1; value is the largest sample, 0 to 255.
    """
    values = image.astype(np.float32)
    red, green, blue = (values[:, :, sample] for sample in range(3))
    high, low = largest(values), smallest(values)
    tint = high - low
    span = np.maximum(tint, 1)
    sector = np.where(
        high == red,
        ((green - blue) / span) % 6,
        np.where(high == green, (blue - red) / span + 2, (red - green) / span + 4),
    )
    hue = np.where(tint > 0, sector * 60, 0).astype(np.float32)
    return hue, np.asarray(tint / np.maximum(high, 1), np.float32), high
