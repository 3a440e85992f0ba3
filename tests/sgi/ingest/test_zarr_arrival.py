"""A folder of chunks goes the whole way in, and its original goes out as one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sgi.domain.arrival import ArrivalState, ReasonCode
from tiling.array_slide import ArraySlide
from tiling.omezarr.writer import WriteOptions, write_omezarr
from tiling.slide import OpticalPath
from tiling.testing import draw_pattern


@pytest.fixture
def dropped(way_in: Any, tmp_path: Path) -> Path:
    folder: Path = way_in.drop / "case/slide.ome.zarr"
    reader = ArraySlide(draw_pattern(700, 600)[None, None], [OpticalPath()])

    def write(key: str, data: bytes) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    write_omezarr(reader, "slide", write, tmp_path, WriteOptions(top_pixels=512))
    return folder


def test_from_folder_to_slide(way_in: Any, dropped: Path) -> None:
    parts = sorted(path for path in dropped.rglob("*") if path.is_file())
    done = way_in.take_in("case/slide.ome.zarr")
    assert (done.state, done.reason) == (ArrivalState.PUBLISHED, None)
    assert [part.path for part in done.parts] == parts
    assert len(way_in.all_arrivals()) == 1
    (slide,) = way_in.slides()
    assert (slide.file_name, slide.facts.format) == ("slide.ome.zarr", "OME-Zarr")
    assert np.prod([slide.levels[0].columns, slide.levels[0].rows]) == 700 * 600
    assert not dropped.exists()
    released = way_in.drop / ".done/case/slide.ome.zarr"
    assert len([path for path in released.rglob("*") if path.is_file()]) == len(parts)


def test_a_folder_that_is_still_being_copied_waits(way_in: Any, dropped: Path) -> None:
    document = (dropped / "zarr.json").read_bytes()
    (dropped / "zarr.json").unlink()
    way_in.settle()
    waiting = way_in.arrival("case/slide.ome.zarr")
    assert waiting.state is ArrivalState.WAITING
    assert waiting.reason.code is ReasonCode.COMPANION_MISSING
    (dropped / "zarr.json").write_bytes(document)
    way_in.settle()
    assert way_in.arrival("case/slide.ome.zarr").state is ArrivalState.QUEUED
