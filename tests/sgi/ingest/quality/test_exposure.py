import numpy as np
import pytest

from sgi.ingest.quality.exposure import measure_exposure


def test_shares_are_of_the_tissue_that_is_not_white() -> None:
    image = np.full((10, 10, 3), (200, 120, 170), np.uint8)
    image[0] = (255, 200, 230)
    image[1] = (0, 4, 6)
    image[2:4] = 255
    exposure = measure_exposure(image, np.ones((10, 10), np.bool_))
    assert exposure is not None
    assert exposure.over == pytest.approx(1 / 8)
    assert exposure.under == pytest.approx(1 / 8)


def test_without_tissue_there_is_no_answer() -> None:
    image = np.full((10, 10, 3), 255, np.uint8)
    assert measure_exposure(image, np.zeros((10, 10), np.bool_)) is None
    assert measure_exposure(image, np.ones((10, 10), np.bool_)) is None
