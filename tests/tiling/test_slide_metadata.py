"""What cannot be is not known, whichever reader found it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.focal_planes import order_planes
from tiling.formats.aperio.description import parse_description
from tiling.slide import COUNTED_FOCAL_PLANES, OpticalPath, SlideMetadata


@pytest.mark.parametrize(
    ("spacing", "kept"),
    [
        ((0.00025, 0.00026), True),
        ((1.0, 1.0), True),
        ((1e-6, 1e-6), True),
        ((1e-303, 1e-303), False),
        ((0.00025, 1e-9), False),
        ((1e300, 1e300), False),
        ((0.0, 0.00025), False),
        ((-0.00025, 0.00025), False),
        ((math.nan, 0.00025), False),
        ((math.inf, 0.00025), False),
    ],
)
def test_impossible_scales_are_absent(spacing: tuple[float, float], *, kept: bool) -> None:
    assert SlideMetadata(pixel_spacing_mm=spacing).pixel_spacing_mm == (spacing if kept else None)


@pytest.mark.parametrize(
    ("power", "kept"),
    [(20.0, True), (0.5, True), (150.0, True), (1e300, False), (1e-300, False), (0.0, False),
     (math.nan, False)],
)  # fmt: skip
def test_impossible_objectives_are_absent(power: float, *, kept: bool) -> None:
    assert SlideMetadata(objective_power=power).objective_power == (power if kept else None)


@pytest.mark.parametrize(
    ("wavelength", "kept"), [(455.0, True), (1e300, False), (-3.0, False), (70_000.0, False)]
)
def test_impossible_wavelengths_are_absent(wavelength: float, *, kept: bool) -> None:
    path = OpticalPath("DAPI", excitation_nm=wavelength, emission_nm=wavelength)
    assert path.excitation_nm == path.emission_nm == (wavelength if kept else None)


def test_an_aperio_file_of_absurd_numbers_has_no_scale() -> None:
    said = parse_description("Aperio|MPP = 1e-300|AppMag = 1e300", None)
    assert (said.pixel_spacing_mm, said.objective_power) == (None, None)
    assert said.vendor["MPP"] == "1e-300"


def test_planes_at_impossible_heights_are_counted() -> None:
    assert order_planes(2, [0, 1e300]).not_kept == (COUNTED_FOCAL_PLANES,)


@given(st.floats(), st.floats())
def test_any_scale_is_a_distance_or_none(down: float, across: float) -> None:
    kept = SlideMetadata(pixel_spacing_mm=(down, across)).pixel_spacing_mm
    assert kept is None or (np.float32(np.asarray(kept)) > 0).all()
