import numpy as np
import pytest

from sgi.ingest.quality.ink import ink_mask


@pytest.mark.parametrize(
    "ink", [(30, 50, 170), (20, 130, 70), (25, 25, 30), (205, 25, 40), (0, 140, 160)]
)
def test_a_stroke_is_ink_and_what_is_beside_it_not(ink: tuple[int, int, int]) -> None:
    image = np.full((120, 200, 3), 240, np.uint8)
    image[40:60] = ink
    mask = ink_mask(image, 240)
    assert mask[44:56].all()
    assert not mask[:38].any()
    assert not mask[62:].any()


@pytest.mark.parametrize(
    "stain",
    [(215, 150, 190), (110, 70, 150), (200, 60, 110), (130, 80, 40), (170, 185, 215), (90, 40, 80)],
    ids=["eosin", "haematoxylin", "dense eosin", "DAB", "counterstain", "fold"],
)
def test_stained_tissue_is_not_ink(stain: tuple[int, int, int]) -> None:
    image = np.full((60, 60, 3), stain, np.uint8)
    assert not ink_mask(image, 240).any()


def test_rough_places_are_not_ink() -> None:
    rng = np.random.default_rng(5)
    image = np.array(((25, 25, 30), (200, 190, 210)), np.uint8)[rng.integers(0, 2, (80, 80))]
    assert not ink_mask(image, 240).any()


def test_tissue_under_a_dim_lamp_is_not_black_ink() -> None:
    image = np.full((60, 60, 3), (62, 44, 55), np.uint8)
    assert not ink_mask(image, 72).any()
