"""A slide that is stored as an OME-Zarr too, read out of the bucket by zarr-python."""

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import zarr

from sgi.domain.arrival import ArrivalState
from sgi.errors import SgiError
from sgi.stored.keys import omezarr_key, slide_folder
from tiling.registry import open_slide

ID = UUID(int=5)


def test_it_lies_beside_the_slide(way_in: Any, svs: Path, store: Any, tmp_path: Path) -> None:
    way_in = way_in.with_settings(ome_zarr=True)
    shutil.copy(svs, way_in.drop / "a.svs")
    done = way_in.take_in("a.svs")
    assert done.state is ArrivalState.PUBLISHED
    beginning = slide_folder(done.slide_id) + "ome.zarr/"
    for key, data in store.objects.items():
        if key.startswith(beginning):
            path = tmp_path / "out.zarr" / key.removeprefix(beginning)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    group = zarr.open_group(tmp_path / "out.zarr", mode="r")
    multiscale = group.attrs["ome"]["multiscales"][0]  # type: ignore[index,call-overload]
    assert multiscale["name"] == str(done.slide_id), "a file's name may tell of a patient"
    reader = open_slide(svs)
    tile = reader.read_tile(0, 1, 1)
    rows, columns = tile.shape[:2]
    base = group["0"][:, rows : 2 * rows, columns : 2 * columns]  # type: ignore[index]
    np.testing.assert_array_equal(np.moveaxis(np.asarray(base), 0, -1), tile)
    reader.close()


def test_it_is_not_stored_unless_asked_for(way_in: Any, svs: Path, store: Any) -> None:
    shutil.copy(svs, way_in.drop / "a.svs")
    assert way_in.take_in("a.svs").state is ArrivalState.PUBLISHED
    assert not [key for key in store.objects if "zarr" in key]


@pytest.mark.parametrize("key", ["zarr.json", "0/zarr.json", "12/c/0/3/4", "0/c/1/2/30/4"])
def test_its_keys(key: str) -> None:
    assert omezarr_key(ID, key) == f"slides/{ID}/ome.zarr/{key}"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/zarr.json",
        "../zarr.json",
        "0/c/../1/2",
        "0/c/0/1",
        "a/c/0/1/2",
        "zarr.json\n",
        "0/c/0/0/0/0/0",
    ],
)
def test_keys_that_a_child_may_not_ask_for(key: str) -> None:
    with pytest.raises(SgiError):
        omezarr_key(ID, key)
