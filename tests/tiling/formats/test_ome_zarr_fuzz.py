"""Changed bytes in any file of an OME-Zarr: pixels, or one of our errors; never anything else."""

import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling.errors import TilingError
from tiling.formats import ome_zarr
from tiling.limits import Limits
from tiling.testing import draw_pattern

SETTINGS = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
AXES = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space"} for n in "yx")]
WORDS = [
    b"0", b"-1", b"1e999", b"NaN", b"null", b"true", b"[]", b"{}", b'"x"', b'"../.."', b'"|O"',
    b"99999999999999999999", b"4294967296", b'"gzip"', b'"sharding_indexed"', b'"transpose"',
]  # fmt: skip

Write = Callable[[Path], None]


def image(version: str) -> dict[str, object]:
    scale = [{"type": "scale", "scale": [1, 0.5, 0.5]}]
    dataset = {"path": "0", "coordinateTransformations": scale}
    channels = [{"label": "DAPI", "color": "0000FF"}] * 3
    multiscale = {"version": version, "axes": AXES, "datasets": [dataset]}
    return {"multiscales": [multiscale], "omero": {"channels": channels}}


def write_v2(folder: Path) -> None:
    group = zarr.open_group(folder, mode="w", zarr_format=2)
    group.attrs.update(image("0.4"))
    group.create_array("0", data=pixels(), chunks=(1, 32, 32), fill_value=0)


def write_v3(folder: Path) -> None:
    group = zarr.open_group(folder, mode="w", zarr_format=3)
    group.attrs["ome"] = {"version": "0.5", **image("0.5")}
    codecs = [zarr.codecs.BloscCodec(), zarr.codecs.Crc32cCodec()]
    group.create_array(
        "0", data=pixels(), chunks=(1, 32, 32), shards=(3, 64, 64), compressors=codecs
    )


def pixels() -> np.ndarray:
    return np.moveaxis(draw_pattern(90, 70), -1, 0)


@pytest.fixture(scope="module", params=[write_v2, write_v3])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "whole.zarr"
    request.param(folder)
    return folder


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def read_everything(path: Path) -> None:
    """Nothing but a TilingError may come of it."""
    with suppress(TilingError):
        reader = ome_zarr.open_(path, Limits())
        try:
            for number, level in enumerate(reader.levels):
                last = level.grid.tiles
                for column, row in {(0, 0), (last.columns - 1, last.rows - 1)}:
                    with suppress(TilingError):
                        tile = reader.read_tile(number, column, row)
                        assert tile.shape == (512, 512, reader.pixel_format.samples)
                        assert tile.dtype == reader.pixel_format.dtype
        finally:
            reader.close()


def change(data: bytes, at: float, new: bytes, *, insert: bool) -> bytes:
    place = int(at * len(data))
    return data[:place] + new + data[place + (0 if insert else len(new)) :]


@given(
    file=st.integers(0, 99),
    changes=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.binary(min_size=1, max_size=4) | st.sampled_from(WORDS),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
)
@SETTINGS
def test_changed_bytes(
    whole: Path,
    tmp_path_factory: pytest.TempPathFactory,
    file: int,
    changes: list[tuple[float, bytes, bool]],
) -> None:
    folder = tmp_path_factory.mktemp("changed") / "changed.zarr"
    shutil.copytree(whole, folder)
    files = files_of(folder)
    path = files[file % len(files)]
    data = path.read_bytes()
    for at, new, insert in changes:
        data = change(data, at, new, insert=insert)
    path.write_bytes(data)
    read_everything(folder)
    shutil.rmtree(folder)


@given(file=st.integers(0, 99), word=st.integers(0, 999), new=st.sampled_from(WORDS))
@SETTINGS
def test_other_words_in_a_document(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, file: int, word: int, new: bytes
) -> None:
    """Documents that are JSON still, with another value somewhere."""
    folder = tmp_path_factory.mktemp("words") / "words.zarr"
    shutil.copytree(whole, folder)
    documents = [path for path in files_of(folder) if path.name.startswith((".z", "zarr"))]
    path = documents[file % len(documents)]
    lines = path.read_bytes().splitlines(keepends=True)
    at = word % len(lines)
    key, colon, value = lines[at].partition(b": ")
    comma = b"," if value.rstrip().endswith(b",") else b""
    opened = value.rstrip(b"\n, ") in (b"[", b"{")
    if colon and not opened:
        lines[at] = key + colon + new + comma + b"\n"
    elif not opened and not lines[at].strip().startswith((b"]", b"}", b"[", b"{")):
        lines[at] = new + (b"," if lines[at].rstrip().endswith(b",") else b"") + b"\n"
    path.write_bytes(b"".join(lines))
    read_everything(folder)
    shutil.rmtree(folder)


@given(file=st.integers(0, 99), kept=st.floats(0, 1, exclude_max=True))
@SETTINGS
def test_files_cut_short(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, file: int, kept: float
) -> None:
    folder = tmp_path_factory.mktemp("short") / "short.zarr"
    shutil.copytree(whole, folder)
    files = files_of(folder)
    path = files[file % len(files)]
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    read_everything(folder)
    shutil.rmtree(folder)


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def archive(request: pytest.FixtureRequest, whole: Path, tmp_path: Path) -> Path:
    path = tmp_path / "whole.zarr.zip"
    with zipfile.ZipFile(path, "w", request.param) as made:
        for file in files_of(whole):
            made.write(file, str(file.relative_to(whole)))
    return path


@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)),
        min_size=1,
        max_size=4,
    ),
    in_directory=st.booleans(),
    kept=st.just(1.0) | st.floats(0, 1),
)
@SETTINGS
def test_changed_archives(
    archive: Path, changes: list[tuple[float, bytes]], in_directory: bool, kept: float
) -> None:
    data = archive.read_bytes()
    directory = data.find(b"PK\x01\x02") if in_directory else 0
    for at, new in changes:
        data = data[:directory] + change(data[directory:], at, new, insert=False)
    path = archive.with_name("changed.zarr.zip")
    path.write_bytes(data[: int(kept * len(data))])
    ome_zarr.sniff(path, data[:64])
    read_everything(path)
