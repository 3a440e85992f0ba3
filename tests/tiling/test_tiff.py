"""Directories of TIFF files, whole, cut, looped and random."""

import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling import tiff
from tiling.errors import DamagedSlideError, SlideTooLargeError, TilingError
from tiling.limits import Limits
from tiling.source import FileSource
from tiling.testing import draw_pattern, write_generic_tiff


def read_all(path: Path, limits: Limits | None = None) -> list[int]:
    source = FileSource(path)
    try:
        file = tiff.TiffFile(source, limits or Limits())
        return [file.number(directory, tiff.IMAGE_WIDTH) for directory in file.directories()]
    finally:
        source.close()


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole.tif"
    write_generic_tiff(path, draw_pattern(300, 200))
    return path


def test_every_directory_is_found(whole: Path) -> None:
    assert read_all(whole) == [300, 150]


def test_a_cut_file_says_so(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    cut = tmp_path / "cut.tif"
    cut.write_bytes(data[: struct.unpack("<I", data[4:8])[0] + 6])
    with pytest.raises(DamagedSlideError, match="cut short"):
        read_all(cut)


def test_a_loop_says_so(tmp_path: Path) -> None:
    loop = tmp_path / "loop.tif"
    loop.write_bytes(b"II*\0" + struct.pack("<IHI", 8, 0, 8))
    with pytest.raises(DamagedSlideError, match="back to itself"):
        read_all(loop)


def test_too_many_directories_are_refused(whole: Path) -> None:
    with pytest.raises(SlideTooLargeError):
        read_all(whole, Limits(directories=1))


def test_a_field_with_too_many_values_is_refused(whole: Path) -> None:
    source = FileSource(whole)
    file = tiff.TiffFile(source, Limits(level_tiles=1))
    with pytest.raises(SlideTooLargeError):
        file.numbers(next(file.directories()), tiff.TILE_OFFSETS)
    source.close()


@given(data=st.binary(max_size=300), big=st.booleans(), little=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes_are_a_value_or_our_error(
    tmp_path: Path, data: bytes, big: bool, little: bool
) -> None:
    path = tmp_path / "random.tif"
    version = 43 if big else 42
    path.write_bytes(
        (b"II" if little else b"MM") + version.to_bytes(2, "little" if little else "big") + data
    )
    with suppress(TilingError):
        assert np.all(np.asarray(read_all(path)) >= 0)
