"""Rectangles of an image are what the whole image has there, whichever way it lies."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import PixelFormat, Samples
from tiling.source import FileSource
from tiling.tiff_layers import LayeredTiff, Plane, Upright, has_shape_of, ordered_pyramid
from tiling.tiff_layers.kept import KeptPieces
from tiling.tiff_layers.planes import PlaneOfRows

NOISE = np.random.default_rng(7).integers(0, 1 << 16, (90, 70)).astype(np.uint16)
WRITINGS = [
    {"rowsperstrip": 1},
    {"rowsperstrip": 7},
    {},
    {"byteorder": ">"},
    {"photometric": "miniswhite"},
    {"rowsperstrip": 16, "compression": "lzw"},
    {"compression": "zlib", "predictor": True, "byteorder": ">"},
    {"tile": (32, 16), "compression": "zstd"},
    {"tile": (64, 64)},
]


class ArrayPlane:
    """An image in memory, as the file has it."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    @property
    def size(self) -> Size:
        return Size(self._samples.shape[1], self._samples.shape[0])

    @property
    def pixel_format(self) -> PixelFormat:
        return PixelFormat(1, 16)

    @property
    def lossy(self) -> bool:
        return False

    def cut(self, left: int, top: int, size: Size, background: int) -> Samples:
        return self._samples[top : top + size.rows, left : left + size.columns]


def upright(stored: Samples, orientation: int) -> Samples:
    """By the definition of each number: where the first row and the first column are seen."""
    turned = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
        8: lambda a: np.rot90(a, 1),
    }
    return turned[orientation](stored)  # type: ignore[no-any-return, no-untyped-call]


def written(path: Path, samples: Samples, said: dict[str, object]) -> Plane:
    said = {**said}
    byteorder = said.pop("byteorder", "<")
    photometric = said.pop("photometric", "minisblack")
    stored = 65535 - samples if photometric == "miniswhite" else samples
    with tifffile.TiffWriter(path, byteorder=byteorder) as file:  # type: ignore[arg-type]
        file.write(stored, photometric=photometric, metadata=None, **said)  # type: ignore[arg-type]
    source = FileSource(path)
    file = LayeredTiff(path, source, Limits(), KeptPieces())
    return file.grey_layer(file.directories[0]).plane


@given(data=st.data(), orientation=st.integers(1, 8), rows=st.integers(1, 9))
def test_a_turned_image_is_turned_in_every_part(
    data: st.DataObject, orientation: int, rows: int
) -> None:
    stored = NOISE[:rows, :6, None]
    whole = upright(stored, orientation)
    plane = Upright(ArrayPlane(stored), orientation)
    assert (plane.size.rows, plane.size.columns) == whole.shape[:2]
    left, top = (data.draw(st.integers(0, side - 1)) for side in whole.shape[1::-1])
    size = Size(
        data.draw(st.integers(1, whole.shape[1] - left)),
        data.draw(st.integers(1, whole.shape[0] - top)),
    )
    expected = whole[top : top + size.rows, left : left + size.columns]
    np.testing.assert_array_equal(plane.cut(left, top, size, 0), expected)


@pytest.mark.parametrize("said", WRITINGS, ids=str)
@given(
    left=st.integers(0, 69),
    top=st.integers(0, 89),
    columns=st.integers(1, 70),
    rows=st.integers(1, 90),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15
)
def test_every_way_of_writing_gives_the_same(
    said: dict[str, object], left: int, top: int, columns: int, rows: int, tmp_path: Path
) -> None:
    plane = written(tmp_path / "image.tif", NOISE, said)
    size = Size(min(columns, 70 - left), min(rows, 90 - top))
    found = plane.cut(left, top, size, 0)
    assert found.dtype == np.uint16
    expected = NOISE[top : top + size.rows, left : left + size.columns, None]
    np.testing.assert_array_equal(found, expected)


def test_a_single_plain_strip_may_be_of_any_size(tmp_path: Path) -> None:
    """No more of it is read than is asked for, so no tile limit is in the way."""
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, NOISE, photometric="minisblack", metadata=None)
    source = FileSource(path)
    file = LayeredTiff(path, source, Limits(tile_pixels=16), KeptPieces())
    assert isinstance(file.grey_layer(file.directories[0]).plane, PlaneOfRows)


def test_pieces_are_kept_as_long_as_there_is_room() -> None:
    kept = KeptPieces(most_bytes=100)
    made: list[int] = []

    def piece(number: int) -> Samples:
        made.append(number)
        return np.full((40, 1, 1), number, np.uint8)

    for number in (1, 2, 1, 3, 1, 2):
        found = kept.get(number, lambda number=number: piece(number))  # type: ignore[misc]
        assert found is not None
        assert (found == number).all()
    assert made == [1, 2, 3, 2]
    assert kept.get("large", lambda: np.zeros((101, 1, 1), np.uint8)) is not None
    assert kept.get("absent", lambda: None) is None


def test_levels_are_smaller_copies_of_the_base() -> None:
    base = Size(1000, 700)
    sizes = [Size(250, 175), Size(500, 350), Size(300, 300), Size(1000, 700), Size(500, 350)]
    assert ordered_pyramid(base, sizes) == [1, 0]
    assert has_shape_of(base, Size(333, 233))
    assert not has_shape_of(base, base)
