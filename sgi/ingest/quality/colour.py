"""Hue, saturation and value of RGB pixels."""

import numpy as np

from sgi.ingest.quality.views import Image, Map


def hue_saturation_value(image: Image) -> tuple[Map, Map, Map]:
    """Of `(rows, columns, 3)`, each as `(rows, columns)`.

    Hue in degrees from 0 (red) over 120 (green) and 240 (blue) to 360, 0 for grey; saturation from
    0 (grey) to 1; value is the largest sample, 0 to 255.
    """
    values = image.astype(np.float32)
    red, green, blue = (values[:, :, sample] for sample in range(3))
    high, low = values.max(axis=2), values.min(axis=2)
    tint = high - low
    span = np.maximum(tint, 1)
    sector = np.where(
        high == red,
        ((green - blue) / span) % 6,
        np.where(high == green, (blue - red) / span + 2, (red - green) / span + 4),
    )
    hue = np.where(tint > 0, sector * 60, 0).astype(np.float32)
    return hue, np.asarray(tint / np.maximum(high, 1), np.float32), high
