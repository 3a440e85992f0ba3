"""Random textures: smooth drift for shapes, and fibres that repeat without a seam."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""A smooth quantity `(rows, columns)`."""

Places = NDArray[np.floating[Any]]
"""One coordinate of many places, in pixels."""

FIBRE_SIDE = 1024
"""Side of a fibre texture in pixels; a power of two, so that coordinates wrap by masking."""


def drift(rng: np.random.Generator, shape: tuple[int, int], wavelength: float) -> Field:
    """Noise of mean 0 and deviation 1 that varies over about `wavelength` samples."""
    return _filtered(rng, shape, wavelength, wavelength)


def fibres(rng: np.random.Generator, length_px: float, width_px: float) -> Field:
    """A texture from 0 to 1 of strands along the columns axis; its edges meet."""
    noise = _filtered(rng, (FIBRE_SIDE, FIBRE_SIDE), width_px, length_px)
    return np.asarray(0.5 + 0.5 * np.tanh(0.9 * noise), np.float32)


def _filtered(
    rng: np.random.Generator, shape: tuple[int, int], across_rows: float, across_columns: float
) -> Field:
    """White noise through a Gaussian filter, in the frequency domain, where it is periodic."""
    frequencies = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    weight = np.exp(
        -2 * ((frequencies[0] * across_rows) ** 2 + (frequencies[1] * across_columns) ** 2)
    )
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * weight, s=shape)
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def step(values: Field, low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, smooth between (either way round)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
