"""Hostile and damaged OME-TIFFs: pixels, or one of our errors; never anything else."""

import re
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling.errors import DamagedSlideError, SlideTooLargeError, TilingError
from tiling.formats import ome_tiff
from tiling.formats.ome_tiff.document import read_images
from tiling.formats.ome_tiff.members import read_members
from tiling.formats.ome_tiff.places import Steps, read_places
from tiling.limits import Limits
from tiling.registry import open_slide
from tiling.slide import SlideReader
from tiling.xml_tree import parse_xml

PIXELS = np.random.default_rng(3).integers(0, 60000, (2, 2, 90, 80)).astype(np.uint16)
WRITINGS = {
    "tiles": {"tile": (32, 32), "compression": "zlib"},
    "rows": {"rowsperstrip": 3},
    "one strip": {},
    "jpeg2000": {"tile": (32, 32), "compression": "jpeg2000"},
}


def write(path: Path, **said: object) -> Path:
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(
            PIXELS,
            subifds=1,
            metadata={"axes": "CZYX", "PhysicalSizeZ": 1.0},
            photometric="minisblack",
            **said,  # type: ignore[arg-type]
        )
        file.write(
            PIXELS[..., ::2, ::2],
            subfiletype=1,
            photometric="minisblack",
            **said,  # type: ignore[arg-type]
        )
    return path


def read_everything(reader: SlideReader) -> None:
    for scene in reader.scenes[:3]:
        for number, level in enumerate(scene.levels):
            last = level.grid.tiles
            for column, row in {(0, 0), (last.columns - 1, last.rows - 1)}:
                for path in {0, len(scene.optical_paths) - 1}:
                    with suppress(TilingError):
                        scene.read_tile(number, column, row, path, len(scene.focal_planes_um) - 1)
            if level.encoding and level.grid.tiles.area < 1000:
                with suppress(TilingError):
                    scene.encoded_tile_lengths(number)
        for kind in scene.associated:
            with suppress(TilingError):
                scene.read_associated(kind)


odd_words = st.sampled_from(
    [b"0", b"-1", b"9e999", b"1e-99", b"nan", b"99999", b"999999999", b'"', b"</", b"", b"..", b"Z"]
)
changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4) | odd_words),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module", params=sorted(WRITINGS))
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "whole.ome.tif"
    return write(path, **WRITINGS[request.param]).read_bytes()


@given(changed=changes, where=st.sampled_from(["anywhere", "words", "skeleton"]))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100
)
def test_changed_bytes_are_pixels_or_our_error(
    whole: bytes, tmp_path: Path, changed: list[tuple[float, bytes]], where: str
) -> None:
    data = bytearray(whole)
    words = [match.end() for match in re.finditer(rb'[=>]"?(?=[\w.-])', whole)]
    first = int.from_bytes(whole[4:8], "little")
    for place, put_in in changed:
        spot = {
            "anywhere": int(place * len(data)),
            "words": words[int(place * len(words))],
            "skeleton": first + int(place * 260),
        }[where]
        data[spot : spot + len(put_in)] = put_in
    path = tmp_path / "changed.ome.tif"
    path.write_bytes(bytes(data[: len(whole)]))
    with suppress(TilingError):
        reader = open_slide(path, candidates=[ome_tiff])  # type: ignore[list-item]
        read_everything(reader)
        reader.close()


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_file_cut_anywhere_is_refused(whole: bytes, tmp_path: Path, kept: float) -> None:
    path = tmp_path / "cut.ome.tif"
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(DamagedSlideError):
        open_slide(path)


@pytest.mark.parametrize(
    "limits",
    [Limits(level_pixels=1000), Limits(level_tiles=3), Limits(directories=3), Limits(text_bytes=9)],
    ids=str,
)
def test_limits_hold(tmp_path: Path, limits: Limits) -> None:
    with pytest.raises(SlideTooLargeError):
        open_slide(write(tmp_path / "written.ome.tif", tile=(32, 32)), limits)


def document(inside: str, pixels: str = 'SizeC="1" SizeZ="1" SizeT="1" Type="uint8"') -> str:
    return (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        f'<Pixels DimensionOrder="XYCZT" SizeX="9" SizeY="9" {pixels}>{inside}</Pixels>'
        "</Image></OME>"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<OME/>",
        "<OME",
        "<OME><Image/></OME>",
        document(""),
        document("<BinData>AAAA</BinData>"),
        document('<TiffData><UUID FileName="absent.tif">urn:uuid:1</UUID></TiffData>'),
        document("<TiffData><UUID>urn:uuid:1</UUID></TiffData>"),
        document('<TiffData IFD="-1"/>'),
        document('<TiffData IFD="99999999999"/>'),
        '<!DOCTYPE OME [<!ENTITY a "b">]>' + document(""),
        "<OME>" + "<Image><Pixels/></Image>" * 300 + "</OME>",
        "<OME>" * 500,
    ],
    ids=range(12),
)
def test_a_companion_alone_is_one_of_our_errors(tmp_path: Path, text: str) -> None:
    path = tmp_path / "alone.companion.ome"
    path.write_text(text)
    with pytest.raises(TilingError) as refusal:
        open_slide(path)
    assert str(tmp_path) not in str(refusal.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=8))
def test_whoever_asks_for_members_gets_names_or_none(
    tmp_path: Path, changes: list[tuple[int, int]]
) -> None:
    told = "".join(
        f'<TiffData FirstC="{n}"><UUID FileName="{n}.ome.tif">urn:{n}</UUID></TiffData>'
        for n in range(2)
    )
    path = tmp_path / "0.ome.tif"
    xml = document(told, 'SizeC="2" SizeZ="1" SizeT="1" Type="uint8"')
    tifffile.imwrite(path, np.zeros((9, 9), np.uint8), description=xml, metadata=None)
    whole = bytearray(path.read_bytes())
    for place, value in changes:
        whole[place % len(whole)] = value
    path.write_bytes(whole)
    members = read_members(path)
    if members is not None:
        assert not any(set(file.name or "") & set("/\\\0") for file in members.files)


PLANES = '<Image><Pixels DimensionOrder="XYZCT" SizeZ="4000">'
TOLD = '<TiffData PlaneCount="4000"/>'
WORDS = " ".join(f'a{number}=""' for number in range(40_000))
A_SET = "".join(
    f'<TiffData FirstC="{n}" IFD="0"><UUID FileName="{n}.ome.tif"/></TiffData>' for n in range(2)
)


@pytest.mark.parametrize(
    ("more", "is_read"),
    [
        ("", True),
        (f"{PLANES}{TOLD}</Pixels></Image>", True),
        (f"{PLANES}{TOLD * 9}</Pixels></Image>", False),
        (f"{PLANES}{TOLD}</Pixels></Image>" * 9, False),
        ('<Image><Pixels SizeC="4000"/></Image>' * 9, False),
        ('<Image><Pixels SizeC="9999999999999"/></Image>', False),
        ("<a/>" * 30_000, False),
        (f"<a {WORDS}/>", False),
        (f"<!--{' ' * (1 << 20)}-->", False),
        (A_SET.replace("<T", "<Image><Pixels><T", 1) + "</Pixels></Image>", True),
    ],
    ids=["", "few", "planes", "images", "channels", "number", "tags", "words", "bytes", "more"],
)
def test_whoever_gathers_gives_a_document_little_time(
    tmp_path: Path, more: str, *, is_read: bool
) -> None:
    """It is read beside others' slides, in a process that is not confined."""
    path = tmp_path / "0.ome.tif"
    text = document(A_SET, 'SizeC="2" SizeZ="1"').replace("</OME>", f"{more}</OME>")
    tifffile.imwrite(path, np.zeros((9, 9), np.uint8), description=text, metadata=None)
    assert (read_members(path) is not None) is is_read


def test_a_set_has_no_more_files_than_are_opened(tmp_path: Path) -> None:
    told = "".join(
        f'<TiffData FirstZ="{n}" IFD="0"><UUID FileName="{n}.ome.tif"/></TiffData>'
        for n in range(300)
    )
    path = tmp_path / "0.ome.tif"
    for planes, is_read in ((256, True), (300, False)):
        text = document(told, f'SizeC="1" SizeZ="{planes}"')
        tifffile.imwrite(path, np.zeros((9, 9), np.uint8), description=text, metadata=None)
        assert (read_members(path) is not None) is is_read


def test_all_images_of_a_document_have_one_budget() -> None:
    said = 'DimensionOrder="XYZCT" SizeC="1" SizeZ="100"'
    image = f'<Image><Pixels {said}><TiffData PlaneCount="100"/></Pixels></Image>'
    images = read_images(parse_xml(f"<OME>{image * 9}</OME>"))
    assert len(read_places(images[:2], Steps(500))) == 2
    with pytest.raises(SlideTooLargeError, match="absurdly many planes"):
        read_places(images, Steps(500))


def test_many_files_are_refused(tmp_path: Path) -> None:
    for number in range(300):
        tifffile.imwrite(tmp_path / f"{number}.tif", np.zeros((9, 9), np.uint8))
    told = "".join(
        f'<TiffData FirstZ="{n}" IFD="0"><UUID FileName="{n}.tif">urn:uuid:{n}</UUID></TiffData>'
        for n in range(300)
    )
    path = tmp_path / "many.companion.ome"
    path.write_text(document(told, 'SizeC="1" SizeZ="300" SizeT="1" Type="uint8"'))
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(SlideTooLargeError):
        open_slide(path)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_the_same_table_for_every_plane_takes_no_memory(tmp_path: Path) -> None:
    """Thousands of directories may lead to one long table of tiles."""
    planes, tiles, side = 100, 1 << 14, 1 << 11
    told = "".join(f'<TiffData FirstZ="{n}" IFD="{n}"/>' for n in range(planes))
    said = f'SizeC="1" SizeZ="{planes}" SizeT="1" Type="uint8" PhysicalSizeZ="1"'
    sides = f'SizeX="{side}" SizeY="{side}"'
    xml = document(told, said).replace('SizeX="9" SizeY="9"', sides).encode()
    table, text = 8, 8 + 4 * tiles
    first = text + len(xml)
    fields = [
        (256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (270, 2, len(xml), text), (277, 3, 1, 1), (322, 4, 1, 16), (323, 4, 1, 16),
        (324, 4, tiles, table), (325, 4, tiles, table),
    ]  # fmt: skip
    directory = struct.pack("<H", len(fields)) + b"".join(
        struct.pack("<HHII", *field) for field in fields
    )
    path = tmp_path / "repeated.ome.tif"
    with path.open("wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, first))
        file.write(np.full(tiles, 256, "<u4").tobytes() + xml)
        for plane in range(planes):
            after = first + (plane + 1) * (len(directory) + 4)
            file.write(directory + struct.pack("<I", after if plane + 1 < planes else 0))
    assert len(open_slide(path).focal_planes_um) == planes
    with pytest.raises(SlideTooLargeError):
        open_slide(path, Limits(level_tiles=10 * tiles))
