import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tiling.composite import Window, colours_of, composite, window_of
from tiling.slide import OpticalPath

windows = st.tuples(st.integers(0, 65534), st.integers(1, 65535)).map(
    lambda ends: Window(min(ends), max(ends[1], min(ends) + 1))
)
layers = arrays.arrays(np.uint16, (4, 5, 1))


@given(layers, windows)
def test_a_window_keeps_the_order_of_samples(samples: np.ndarray, window: Window) -> None:
    shown = window.apply(samples)
    order = np.argsort(samples, axis=None)
    assert (np.diff(shown.ravel()[order].astype(int)) >= 0).all()
    assert (shown[samples <= window.darkest] == 0).all()
    assert (shown[samples >= window.brightest] == 255).all()


@given(layers)
def test_any_image_has_a_window(samples: np.ndarray) -> None:
    window = window_of(samples)
    assert 0 <= window.darkest < window.brightest <= 65536


def test_paths_are_tinted_and_added() -> None:
    full, none = np.full((2, 2, 1), 255, np.uint8), np.zeros((2, 2, 1), np.uint8)
    window = Window(0, 255)
    picture = composite([full, full, none], [window] * 3, [(255, 0, 0), (0, 0, 255), (0, 255, 0)])
    assert (picture == (255, 0, 255)).all()


def test_light_that_adds_up_beyond_full_stays_full() -> None:
    full = np.full((1, 1, 1), 255, np.uint8)
    assert (composite([full, full], [Window(0, 255)] * 2, [(200, 0, 0)] * 2) == (255, 0, 0)).all()


def test_the_files_own_colours_come_first_and_the_others_differ() -> None:
    colours = colours_of([OpticalPath(), OpticalPath(colour=(1, 2, 3)), OpticalPath()])
    assert colours[1] == (1, 2, 3)
    assert len(set(colours)) == 3
    assert colours_of([OpticalPath()]) == [(255, 255, 255)]


def test_a_window_needs_a_reach() -> None:
    with pytest.raises(ValueError, match="no window"):
        Window(5, 5)


@given(arrays.arrays(np.uint8, (2, 2, 1)), windows)
def test_a_window_beyond_the_type_is_dark_or_full(samples: np.ndarray, window: Window) -> None:
    shown = window.apply(samples)
    assert (shown[samples <= window.darkest] == 0).all()
    assert (shown[samples >= window.brightest] == 255).all()
