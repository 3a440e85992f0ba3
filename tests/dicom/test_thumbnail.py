import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom.thumbnail import build_thumbnail
from tiling.geometry import Size
from tiling.slide import Colour, OpticalPath, Pixels, TileEncoding

RGB = TileEncoding(Colour.RGB)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(columns=st.integers(1, 150), rows=st.integers(1, 150), longest=st.integers(1, 160))
def test_blocks_are_averaged_across_tiles(
    level_of: object, columns: int, rows: int, longest: int
) -> None:
    # Arrange: colours that JPEG keeps, one half dark
    assert callable(level_of)
    pixels: Pixels = np.full((rows, columns, 3), 200, np.uint8)
    pixels[:, : columns // 2] = 40
    # Act
    thumbnail = build_thumbnail(
        level_of(pixels, TileEncoding(Colour.RGB)), [OpticalPath()], longest
    )
    # Assert
    block = max(1, -(-max(columns, rows) // longest))
    assert thumbnail.shape == (-(-rows // block), -(-columns // block), 3)
    expected = np.stack(
        [pixels[:, x : x + block].mean(axis=(0, 1)) for x in range(0, columns, block)]
    )
    assert np.abs(thumbnail.astype(float) - expected[None]).max() < 25


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
def test_colours_are_right(level_of: object, subsampling: tuple[int, int]) -> None:
    assert callable(level_of)
    pixels: Pixels = np.full((60, 90, 3), (180, 40, 90), np.uint8)
    thumbnail = build_thumbnail(
        level_of(pixels, TileEncoding(Colour.YCBCR, subsampling)), [OpticalPath()], 9
    )
    assert Size(thumbnail.shape[1], thumbnail.shape[0]) == Size(9, 6)
    # The outer tiles are white beyond the image, which chroma subsampling lets bleed in a little.
    assert np.abs(thumbnail.astype(int) - (180, 40, 90)).max() < 20
