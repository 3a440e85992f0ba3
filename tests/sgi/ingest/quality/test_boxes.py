import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sgi.ingest.quality.boxes import (
    box_mean,
    integral,
    luma,
    resize,
    shrink,
    sums_between,
    window_sums,
)

shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))
maps = arrays.arrays(np.float32, shapes, elements=st.floats(0, 255, width=16))
images = shapes.flatmap(lambda shape: arrays.arrays(np.uint8, (*shape, 3)))


@given(images)
def test_luma_is_exact(image: np.ndarray) -> None:
    wide = image.astype(int)
    assert (luma(image) == (wide[..., 0] + 2 * wide[..., 1] + wide[..., 2]) // 4).all()


@given(images, st.integers(1, 30))
def test_shrinking_takes_the_mean_of_whole_boxes(image: np.ndarray, factor: int) -> None:
    small = shrink(image, factor)
    for row in range(small.shape[0]):
        for column in range(small.shape[1]):
            box = image[row * factor :, column * factor :][:factor, :factor]
            assert abs(small[row, column] - box.mean(axis=(0, 1))).max() <= 0.51


@given(maps, shapes)
def test_resizing_keeps_the_mean(values: np.ndarray, shape: tuple[int, int]) -> None:
    resized = resize(values, *shape)
    assert resized.shape == shape
    assert float(resized.mean()) == pytest.approx(float(values.mean()), abs=1e-2)


@given(maps, st.lists(st.floats(-5, 40), min_size=2, max_size=6))
def test_sums_between_edges_add_up(values: np.ndarray, edges: list[float]) -> None:
    rising = np.array(sorted(edges))
    across = np.array([0.0, values.shape[1]])
    parts = sums_between(values, rising, across)
    whole = sums_between(values, rising[[0, -1]], across)
    assert float(parts.sum()) == pytest.approx(float(whole.sum()), abs=1e-2)


@given(maps, st.integers(0, 4))
def test_box_mean_is_the_mean_of_what_is_there(values: np.ndarray, radius: int) -> None:
    means = box_mean(values, radius)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            top, left = max(0, row - radius), max(0, column - radius)
            box = values[top : row + radius + 1, left : column + radius + 1]
            assert means[row, column] == pytest.approx(box.mean(), abs=1e-2)


@given(maps, st.data())
def test_window_sums(values: np.ndarray, data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, values.shape[0]))
    columns = data.draw(st.integers(1, values.shape[1]))
    sums = window_sums(integral(values), rows, columns)
    assert sums.shape == (values.shape[0] - rows + 1, values.shape[1] - columns + 1)
    assert sums[0, 0] == pytest.approx(float(values[:rows, :columns].sum()), abs=1e-2)
    assert sums[-1, -1] == pytest.approx(float(values[-rows:, -columns:].sum()), abs=1e-2)
