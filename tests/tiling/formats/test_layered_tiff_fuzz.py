"""Changed bytes in TIFFs of channels and in grey: pixels, or one of our errors; one claim each."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling.confidence import Confidence
from tiling.errors import TilingError
from tiling.registry import known_formats, open_slide
from tiling.slide import SlideReader
from tiling.testing import draw_pattern

PIXELS = np.ascontiguousarray(np.moveaxis(draw_pattern(150, 130), -1, 0))
GREY: dict[str, Any] = {"photometric": "minisblack", "tile": (64, 64), "compression": "lzw"}


def write_pages(path: Path, pages: list[tuple[Any, str, dict[str, Any]]]) -> None:
    with tifffile.TiffWriter(path) as file:
        for pixels, description, said in pages:
            text = description.encode() or None
            file.write(pixels, description=text, metadata=None, **{**GREY, **said})


def qptiff(path: Path) -> None:
    def describe(kind: str, name: str) -> str:
        return (
            f"<PerkinElmer-QPI-ImageDescription><ImageType>{kind}</ImageType><Name>{name}</Name>"
            f"<Color>1,2,3</Color><Responsivity><Filter><FilterID>{name}_a:b / c:d</FilterID>"
            "</Filter></Responsivity></PerkinElmer-QPI-ImageDescription>"
        )

    pages = [(PIXELS[c], describe("FullResolution", f"c{c}"), {}) for c in range(2)]
    pages += [(PIXELS[c, ::2, ::2], describe("ReducedResolution", f"c{c}"), {}) for c in range(2)]
    write_pages(path, pages)


def leica(path: Path) -> None:
    dimensions = "".join(f'<dimension r="0" c="{c}" z="0" ifd="{c}"/>' for c in range(2))
    description = (
        '<scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">'
        '<collection sizeX="9" sizeY="9"><image><pixels>' + dimensions + "</pixels>"
        '<view sizeX="5" sizeY="5" offsetX="1" offsetY="1" spacingZ="4"/><scanSettings>'
        "<illuminationSettings><illuminationSource>fluorescence</illuminationSource>"
        '</illuminationSettings><channelSettings><channel index="0" name="a" rgb="#0000ff"/>'
        "</channelSettings></scanSettings></image></collection></scn>"
    )
    write_pages(path, [(PIXELS[0], description, {}), (PIXELS[1], "", {})])


def ome(path: Path) -> None:
    with tifffile.TiffWriter(path, ome=True) as file:
        said = {"axes": "CYX", "Channel": {"Name": list("abc"), "Color": [255, -1, 65535]}}
        file.write(PIXELS, metadata=said, **GREY)


def grey(path: Path) -> None:
    pixels = PIXELS[0].astype(np.uint16) * 200
    pages = [(pixels[::step, ::step], "", {"subfiletype": int(step > 1)}) for step in (1, 2, 4)]
    write_pages(path, pages)


def turned(path: Path) -> None:
    said = {"photometric": "rgb", "extratags": [(274, 3, 1, 6, True)]}
    write_pages(path, [(draw_pattern(150, 130), "", said)])


WRITERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "qptiff": (qptiff, "PerkinElmer QPTIFF"),
    "leica": (leica, "Leica SCN"),
    "ome": (ome, "OME-TIFF"),
    "grey": (grey, "Tiled TIFF"),
    "turned": (turned, "Tiled TIFF"),
}


@pytest.fixture(scope="module", params=sorted(WRITERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def whole(name: str, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp(name) / "whole.tif"
    WRITERS[name][0](path)
    return path.read_bytes()


def surest(path: Path) -> list[str]:
    """The formats that are surest of a file."""
    head = path.read_bytes()[:4096]
    claims = {known.NAME: known.sniff(path, head) for known in known_formats()}
    most = max(claims.values())
    return [each for each, claim in claims.items() if claim == most and most > Confidence.NONE]


def test_one_format_is_the_surest(name: str, whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "written.tif"
    path.write_bytes(whole)
    assert surest(path) == [WRITERS[name][1]]
    assert open_slide(path).format == WRITERS[name][1]


def test_no_two_formats_claim_a_shared_slide(shared_slides: Path) -> None:
    folders = ("ome-tiff", "ome-tiff/viv-multifile", "generic-tiff", "perkinelmer-qptiff", "bad")
    for folder in folders:
        for path in sorted((shared_slides / folder).iterdir()):
            if path.is_file() and path.stat().st_size:
                assert len(surest(path)) <= 1, path.name


def read_everything(reader: SlideReader) -> None:
    for number, level in enumerate(reader.levels):
        last = level.grid.tiles
        for column, row in {(0, 0), (last.columns - 1, last.rows - 1)}:
            with suppress(TilingError):
                reader.read_tile(number, column, row, len(reader.optical_paths) - 1)
    for kind in reader.associated:
        with suppress(TilingError):
            reader.read_associated(kind)


odd_words = st.sampled_from([b"0", b"-1", b"9e999", b"nan", b"99999", b'"', b"</", b"", b",", b"_"])
changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4) | odd_words),
    min_size=1,
    max_size=6,
)


@given(changed=changes, where=st.sampled_from(["anywhere", "words", "skeleton"]))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
def test_changed_bytes_are_pixels_or_our_error(
    whole: bytes, tmp_path: Path, changed: list[tuple[float, bytes]], where: str
) -> None:
    data = bytearray(whole)
    words = [match.end() for match in re.finditer(rb'[=>]"?(?=[\w.-])', whole)] or [0]
    first = int.from_bytes(whole[4:8], "little")
    for place, put_in in changed:
        spot = {
            "anywhere": int(place * len(data)),
            "words": words[int(place * len(words))],
            "skeleton": first + int(place * 260),
        }[where]
        data[spot : spot + len(put_in)] = put_in
    path = tmp_path / "changed.tif"
    path.write_bytes(bytes(data[: len(whole)]))
    with suppress(TilingError):
        reader = open_slide(path)
        read_everything(reader)
        reader.close()
