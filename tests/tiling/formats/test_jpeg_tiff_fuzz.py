"""Changed bytes in every vendor's slide: pixels, or one of our errors; never anything else."""

import re
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling.confidence import Confidence
from tiling.errors import TilingError
from tiling.registry import Format, open_slide
from tiling.slide import SlideReader
from tiling.testing import draw_pattern, write_svs

MODULES = {
    "aperio": "aperio",
    "generic": "generic_tiff",
    "huron": "huron",
    "leica": "leica",
    "ome": "ome_tiff",
    "philips": "philips",
    "qptiff": "qptiff",
    "trestle": "trestle",
    "ventana": "ventana",
}


@pytest.fixture
def aperio(tmp_path: Path) -> Callable[[], Path]:
    def make() -> Path:
        path = tmp_path / "written.svs"
        write_svs(path, draw_pattern(400, 300))
        return path

    return make


@pytest.fixture(params=sorted(MODULES))
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def whole(vendor: str, request: pytest.FixtureRequest) -> bytes:
    path: Path = request.getfixturevalue(vendor)()
    return path.read_bytes()


def read_everything(reader: SlideReader) -> None:
    for number, level in enumerate(reader.levels):
        last = level.grid.tiles
        for column, row in {(0, 0), (last.columns - 1, last.rows - 1)}:
            with suppress(TilingError):
                reader.read_tile(number, column, row)
        if level.grid.tiles.area < 1000:
            with suppress(TilingError):
                reader.encoded_tile_lengths(number)
    for kind in reader.associated:
        with suppress(TilingError):
            reader.read_associated(kind)


odd_words = st.sampled_from([b"0", b"-1", b"9e999", b"1e-99", b"nan", b"99999", b'"', b"</", b""])
changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4) | odd_words),
    min_size=1,
    max_size=6,
)


@given(changed=changes, in_words=st.booleans())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
def test_changed_bytes_are_pixels_or_our_error(
    vendor: str,
    whole: bytes,
    tmp_path: Path,
    changed: list[tuple[float, bytes]],
    in_words: bool,
) -> None:
    """Half of the changes go into the descriptions, which are few of the bytes."""
    data = bytearray(whole)
    words = [match.end() for match in re.finditer(rb'[=>]"?(?=[\w.-])', whole)]
    for place, put_in in changed:
        spot = words[int(place * len(words))] if in_words else int(place * len(data))
        data[spot : spot + len(put_in)] = put_in
    path = tmp_path / "changed.tif"
    path.write_bytes(bytes(data[: len(whole)]))
    module: Format = import_module(f"tiling.formats.{MODULES[vendor]}")  # type: ignore[assignment]
    if module.sniff(path, path.read_bytes()[:4096]) is Confidence.NONE:
        return
    with suppress(TilingError):
        reader = open_slide(path, candidates=[module])
        read_everything(reader)
        reader.close()
