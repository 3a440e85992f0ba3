"""What is written is what other people's libraries read: zarr-python, TensorStore, ome-zarr-models.

Pixels are compared with the slide's own, every one.
"""

import json
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ome_zarr_models.v05.image import Image

from tiling.downsample import halve
from tiling.errors import DamagedSlideError, IncompleteSlideError
from tiling.geometry import Size
from tiling.omezarr.writer import WriteOptions, write_omezarr
from tiling.registry import open_slide
from tiling.slide import RGB8, Illumination, OpticalPath, PixelFormat

Keep = Callable[[str, bytes], None]
CHANNELS = [
    OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255)),
    OpticalPath("Cy5", Illumination.FLUORESCENCE, (255, 0, 0)),
]
PICTURES = [OpticalPath("H&E"), OpticalPath("Polarised")]
GREY16 = PixelFormat(1, 16)


def read_by_zarr(folder: Path, level: int) -> Any:
    return zarr.open_array(folder / str(level), mode="r")[:]


def read_by_tensorstore(folder: Path, level: int) -> Any:
    store = {"driver": "file", "path": str(folder / str(level))}
    return tensorstore.open({"driver": "zarr3", "kvstore": store}).result().read().result()


def expected(slide: Any, level: int) -> Any:
    """A level's array, with an axis of planes, out of what was drawn."""
    layers = slide.drawn[level]
    if slide.pixel_format.samples == 3:
        paths = [np.stack([np.moveaxis(plane, -1, 0) for plane in path], axis=1) for path in layers]
        return np.concatenate(paths)
    return np.stack([np.stack([plane[:, :, 0] for plane in path]) for path in layers])


@pytest.mark.parametrize("read", [read_by_zarr, read_by_tensorstore])
@pytest.mark.parametrize(
    "slide_of",
    [
        {},
        {"levels": 2, "tile": (48, 80)},
        {"levels": 2, "paths": PICTURES, "planes_um": (0.0, 2.0)},
        {"pixel_format": GREY16, "paths": CHANNELS},
        {"pixel_format": GREY16, "paths": CHANNELS, "planes_um": (0.0, 1.0, 2.0)},
        {"pixel_format": PixelFormat(1, 8), "columns": 64, "rows": 64},
        {"tile": (1024, 1024), "columns": 1500},
        {"tile": (31, 17), "columns": 77, "rows": 90},
    ],
    ids=str,
)
def test_others_read_every_pixel(
    drawn: Callable[..., Any],
    keep: Keep,
    folder: Path,
    slide_of: dict[str, Any],
    read: Callable[[Path, int], Any],
    tmp_path: Path,
) -> None:
    slide = drawn(**slide_of)
    options = WriteOptions(shard_pixels=200, top_pixels=100)
    write_omezarr(slide, "drawn", keep, tmp_path, options)
    while max(slide.drawn[-1][0][0].shape) > 100:
        slide.drawn.append([[halve(plane) for plane in path] for path in slide.drawn[-1]])
    for level in range(len(slide.drawn)):
        pixels = expected(slide, level)
        if len(slide.focal_planes_um) == 1:
            pixels = pixels[:, 0]
        np.testing.assert_array_equal(read(folder, level), pixels)
    assert not (folder / str(len(slide.drawn))).exists()


def test_the_model_of_the_field_takes_it(
    drawn: Callable[..., Any], keep: Keep, folder: Path, tmp_path: Path
) -> None:
    slide = drawn(planes_um=(0.0, 1.5), pixel_format=GREY16, paths=CHANNELS)
    write_omezarr(slide, "drawn", keep, tmp_path, WriteOptions(top_pixels=100))
    image = Image.from_zarr(zarr.open_group(folder, mode="r"))
    assert [axis.name for axis in image.attributes.ome.multiscales[0].axes] == ["c", "z", "y", "x"]
    assert len(image.attributes.ome.multiscales[0].datasets) == 3


def test_several_pictures_come_back(
    drawn: Callable[..., Any], keep: Keep, folder: Path, tmp_path: Path
) -> None:
    slide = drawn(paths=PICTURES, tile=(512, 512))
    write_omezarr(slide, "drawn", keep, tmp_path)
    read = open_slide(folder)
    assert (read.pixel_format, list(read.optical_paths)) == (RGB8, PICTURES)
    for path in (0, 1):
        np.testing.assert_array_equal(read.read_tile(0, 0, 0, path), slide.read_tile(0, 0, 0, path))
    read.close()


def test_blank_glass_takes_no_room(
    drawn: Callable[..., Any], keep: Keep, folder: Path, tmp_path: Path
) -> None:
    slide = drawn(columns=500, rows=500)
    slide.drawn[0][0][0][:] = 255
    slide.drawn[0][0][0][400:, 400:] = 7
    write_omezarr(slide, "drawn", keep, tmp_path, WriteOptions(shard_pixels=128))
    shards = [path.relative_to(folder) for path in folder.rglob("c/*/*/*") if path.is_file()]
    assert Path("0/c/0/0/0") not in shards
    assert Path("0/c/0/3/3") in shards
    np.testing.assert_array_equal(read_by_zarr(folder, 0), expected(slide, 0)[:, 0])


def test_the_groups_document_comes_last_and_progress_is_told(
    drawn: Callable[..., Any], tmp_path: Path
) -> None:
    keys: list[str] = []
    told: list[tuple[int, int]] = []
    write_omezarr(
        drawn(),
        "drawn",
        lambda key, _: keys.append(key),
        tmp_path,
        WriteOptions(top_pixels=200),
        lambda *done: told.append(done),
    )
    assert keys[-1] == "zarr.json"
    assert "zarr.json" not in keys[:-1]
    assert told == [(n, 20 + 6) for n in range(1, 27)]


def test_what_the_place_raises_ends_it(drawn: Callable[..., Any], tmp_path: Path) -> None:
    def full(key: str, data: bytes) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        write_omezarr(drawn(), "drawn", full, tmp_path)


@given(
    columns=st.integers(1, 90),
    rows=st.integers(1, 90),
    tile=st.tuples(st.integers(5, 40), st.integers(5, 40)),
    shard=st.integers(1, 100),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
def test_any_size_comes_back(
    drawn: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
    columns: int,
    rows: int,
    tile: tuple[int, int],
    shard: int,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    slide = drawn(columns=columns, rows=rows, tile=tile)

    def write(key: str, data: bytes) -> None:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)

    options = WriteOptions(shard_pixels=shard, top_pixels=30)
    write_omezarr(slide, "drawn", write, folder, options)
    np.testing.assert_array_equal(read_by_zarr(folder, 0), expected(slide, 0)[:, 0])
    ome = json.loads((folder / "zarr.json").read_bytes())["attributes"]["ome"]
    top = read_by_zarr(folder, len(ome["multiscales"][0]["datasets"]) - 1)
    assert max(top.shape[1:]) <= 30


def test_memory_is_bounded_by_a_shard(drawn: Callable[..., Any], tmp_path: Path) -> None:
    slide = drawn(columns=4000, rows=2000, tile=(256, 256))
    tracemalloc.start()
    try:
        write_omezarr(
            slide, "drawn", lambda *_: None, tmp_path, WriteOptions(shard_pixels=512, workers=1)
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 << 20, "the base alone has 24 MB"


def test_a_scanners_slide(shared_slides: Path, keep: Keep, folder: Path, tmp_path: Path) -> None:
    reader = open_slide(shared_slides / "aperio/CMU-1-Small-Region.svs")
    write_omezarr(reader, "CMU-1", keep, tmp_path)
    base = read_by_tensorstore(folder, 0)
    assert reader.pixel_format == RGB8
    for column, row in reader.levels[0].grid.positions():
        visible = reader.levels[0].grid.visible(column, row)
        tile = reader.read_tile(0, column, row)[: visible.rows, : visible.columns]
        found = base[:, row * 240 : row * 240 + 240, column * 240 : column * 240 + 240]
        np.testing.assert_array_equal(np.moveaxis(found, 0, -1), tile)
    written = open_slide(folder)
    assert [level.size for level in written.levels][:2] == [Size(2220, 2967), Size(1110, 1484)]
    reader.close()


def test_a_changed_bit_is_noticed(
    drawn: Callable[..., Any], keep: Keep, folder: Path, tmp_path: Path
) -> None:
    """Also where it unpacks to pixels: noise is stored as it is."""
    write_omezarr(drawn(columns=64, rows=64), "drawn", keep, tmp_path)
    shard = folder / "0/c/0/0/0"
    data = bytearray(shard.read_bytes())
    data[5000] ^= 1
    shard.write_bytes(data)
    with (
        closing(open_slide(folder)) as read,
        pytest.raises(DamagedSlideError, match="copy the slide again"),
    ):
        read.read_tile(0, 0, 0)
    with pytest.raises(ValueError, match="checksum"):
        read_by_zarr(folder, 0)


def test_a_missing_shard_is_noticed(
    drawn: Callable[..., Any], keep: Keep, folder: Path, tmp_path: Path
) -> None:
    slide = drawn(columns=200, rows=200)
    slide.drawn[0][0][0][:128, :128] = 255
    write_omezarr(slide, "drawn", keep, tmp_path, WriteOptions(shard_pixels=128))
    assert not (folder / "0/c/0/0/0").exists(), "blank"
    with closing(open_slide(folder)) as read:
        assert read.metadata.not_kept == ()
    (folder / "0/c/0/1/1").unlink()
    with pytest.raises(IncompleteSlideError, match="whole folder"):
        open_slide(folder)
