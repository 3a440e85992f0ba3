import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.geometry import Size
from tiling.omezarr.keys import ChunkPlace, DocumentPlace, chunk_key, parse_key
from tiling.omezarr.multiscale import Multiscale
from tiling.slide import RGB8, Level, OpticalPath, PixelFormat

LEVELS = [Level(Size(1000, 700), Size(256, 128), 1.0), Level(Size(500, 350), Size(256, 128), 2.0)]
FLAT = Multiscale("a", LEVELS, RGB8)
DEEP = Multiscale("a", LEVELS, PixelFormat(1, 16), [OpticalPath()] * 3, (0.0, 1.0))


def test_documents() -> None:
    assert parse_key(FLAT, "zarr.json") == DocumentPlace(None)
    assert parse_key(FLAT, "1/zarr.json") == DocumentPlace(1)


def test_chunks() -> None:
    assert parse_key(FLAT, "0/c/0/5/3") == ChunkPlace(0, column=3, row=5)
    pictures = Multiscale("a", LEVELS, RGB8, [OpticalPath()] * 2)
    assert parse_key(pictures, "0/c/1/5/3") == ChunkPlace(0, column=3, row=5, path=1)
    assert parse_key(DEEP, "1/c/2/1/0/1") == ChunkPlace(1, column=1, row=0, path=2, plane=1)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "zarr.json/",
        "/zarr.json",
        ".zattrs",
        ".zgroup",
        "c/0/0/0",
        "2/zarr.json",
        "-1/zarr.json",
        "00/zarr.json",
        "0",
        "0/",
        "0/c",
        "0/c/0/0",
        "0/c/0/0/0/0",
        "0/c/1/0/0",
        "0/c/0/6/0",
        "0/c/0/0/4",
        "0/c/0/0/-1",
        "0/c/0/0/+1",
        "0/c/0/0/01",
        "0/c/0/0/1.0",
        "0/c/0/0/ 1",
        "0/c/0/0/١",
        "0/c/0/0/²",
        "0/c/0/0/" + "9" * 5000,
        "0/c/0/0/1\n",
        "0/c/../c/0/0/0",
        "0//c/0/0/0",
        "0/C/0/0/0",
        "0/c/0/0/0\0",
    ],
)
def test_every_other_key_stands_for_nothing(key: str) -> None:
    with pytest.raises(KeyError):
        parse_key(FLAT, key)


@given(st.text(alphabet="0123456789c/.zarjson-", max_size=20))
def test_a_key_is_the_only_one_of_its_place(key: str) -> None:
    for image in (FLAT, DEEP):
        try:
            place = parse_key(image, key)
        except KeyError:
            continue
        if isinstance(place, ChunkPlace):
            assert chunk_key(image, place) == key
            assert (place.column, place.row) in image.levels[place.level].grid


@given(
    st.builds(
        ChunkPlace,
        st.just(1),
        column=st.integers(0, 1),
        row=st.integers(0, 2),
        path=st.integers(0, 2),
        plane=st.integers(0, 1),
    )
)
def test_keys_are_read_as_they_are_written(place: ChunkPlace) -> None:
    assert parse_key(DEEP, chunk_key(DEEP, place)) == place
