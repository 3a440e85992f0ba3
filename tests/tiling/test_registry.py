"""The surest format opens the slide; what nobody recognises is explained as far as it can be."""

import struct
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tiling.array_slide import ArraySlide
from tiling.codecs import jpeg
from tiling.confidence import Confidence
from tiling.errors import (
    AmbiguousFormatError,
    DamagedSlideError,
    IncompleteSlideError,
    SlideTooLargeError,
    TilingError,
    UnknownFormatError,
)
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.pyramid import build_pyramid
from tiling.registry import Format, known_formats, open_slide
from tiling.slide import OpticalPath, SlideReader
from tiling.testing import SvsOptions, draw_pattern, write_svs


def format_that_says(confidence: Confidence, opened: object) -> Format:
    return SimpleNamespace(  # type: ignore[return-value]  # a module in miniature
        NAME=f"{opened}", sniff=lambda path, head: confidence, open_=lambda path, limits: opened
    )


def drawn(planes: int = 1, side: int = 16) -> ArraySlide:
    """A slide that takes no memory, in tiles of 16 x 16."""
    nothing = np.broadcast_to(np.uint8(0), (1, planes, side, side, 3))
    return ArraySlide(
        nothing, [OpticalPath()], [float(z) for z in range(planes)], tile=Size(16, 16)
    )


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "notes.svs"
    path.write_text("a report that somebody renamed")
    return path


def test_every_module_of_formats_offers_the_interface() -> None:
    names = [known.NAME for known in known_formats()]
    assert len(names) == len(set(names))
    assert {"Aperio SVS", "Leica SCN", "OME-TIFF", "OpenSlide", "Tiled TIFF"} <= set(names)
    for known in known_formats():
        assert callable(known.sniff)
        assert callable(known.open_)


def test_the_surest_opens(text: Path) -> None:
    slide = drawn()
    vendor = format_that_says(Confidence.VENDOR, slide)
    generic = format_that_says(Confidence.GENERIC, "generic")
    assert open_slide(text, candidates=[generic, vendor]) is slide


def test_two_equally_sure_are_ambiguous(text: Path) -> None:
    twins = [format_that_says(Confidence.VENDOR, name) for name in ("one", "two")]
    with pytest.raises(AmbiguousFormatError, match="one and two"):
        open_slide(text, candidates=twins)


def test_text_is_unknown_whatever_its_suffix(text: Path) -> None:
    with pytest.raises(UnknownFormatError):
        open_slide(text)


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty.svs").touch()
    with pytest.raises(DamagedSlideError, match="empty"):
        open_slide(tmp_path / "empty.svs")


def test_an_absent_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(IncompleteSlideError):
        open_slide(tmp_path / "absent.svs")


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_slide_cut_anywhere_is_refused_at_open(tmp_path: Path, kept: float) -> None:
    whole = tmp_path / "whole.svs"
    write_svs(whole, draw_pattern(1200, 900), SvsOptions(label=draw_pattern(90, 90)))
    data = whole.read_bytes()
    cut = tmp_path / "cut.svs"
    cut.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(DamagedSlideError) as refusal:
        open_slide(cut)
    assert_is_one_sentence_for_people(refusal.value, cut)


def write_one_tile_repeated(path: Path, side: int, tile: int) -> None:
    """A TIFF of `side` x `side` pixels all of whose tiles are the same bytes."""
    stream = jpeg.encode(np.full((tile, tile, 3), 200, np.uint8))
    tiles = (-(-side // tile)) ** 2
    fields = [
        (256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, 7), (262, 3, 1, 6),
        (277, 3, 1, 3), (322, 4, 1, tile), (323, 4, 1, tile),
        (324, 4, tiles, 8 + len(stream)), (325, 4, tiles, 8 + len(stream) + 4 * tiles),
    ]  # fmt: skip
    bits = 8 + len(stream) + 8 * tiles
    fields[2] = (258, 3, 3, bits)
    with path.open("wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, bits + 6) + stream)
        file.write(np.full(tiles, 8, "<u4").tobytes())
        file.write(np.full(tiles, len(stream), "<u4").tobytes())
        file.write(struct.pack("<3H", 8, 8, 8) + struct.pack("<H", len(fields)))
        for field in fields:
            file.write(struct.pack("<HHII", *field))
        file.write(bytes(4))


def test_pixels_without_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    write_one_tile_repeated(path, 1_000_000, 1024)
    assert path.stat().st_size < 15_000_000
    with pytest.raises(SlideTooLargeError) as refusal:
        open_slide(path)
    assert_is_one_sentence_for_people(refusal.value, path)


def test_blank_tiles_may_share_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "blank.tif"
    write_one_tile_repeated(path, 20_000, 1024)
    assert open_slide(path).levels[0].size == Size(20_000, 20_000)


@pytest.mark.parametrize(
    ("slide", "limits"),
    [
        (drawn(planes=1001), Limits()),
        (drawn(planes=3, side=16_000), Limits()),
        (drawn(planes=3, side=32), Limits(level_frames=11)),
    ],
)
def test_more_than_is_stored_of_one_slide_is_refused_at_open(
    text: Path, slide: ArraySlide, limits: Limits
) -> None:
    closed: list[bool] = []
    slide.close = lambda: closed.append(True)  # type: ignore[method-assign]
    with pytest.raises(SlideTooLargeError) as refusal:
        open_slide(text, limits, [format_that_says(Confidence.VENDOR, slide)])
    assert_is_one_sentence_for_people(refusal.value, text)
    assert closed


def test_as_much_as_is_stored_is_not_refused(text: Path) -> None:
    for slide in (drawn(planes=1000), drawn(planes=3, side=32)):
        known = format_that_says(Confidence.VENDOR, slide)
        assert open_slide(text, Limits(level_frames=12_000), [known]) is slide


def test_a_second_scene_counts_as_well(text: Path) -> None:
    class TwoScenes(ArraySlide):
        @property
        def scenes(self) -> Sequence[SlideReader]:
            return (self, drawn(planes=1001))

    slide = TwoScenes(np.zeros((1, 1, 9, 9, 3), np.uint8), [OpticalPath()])
    for limits in (Limits(), Limits(layers=5000, scenes=1)):
        with pytest.raises(SlideTooLargeError):
            open_slide(text, limits, [format_that_says(Confidence.VENDOR, slide)])


@pytest.mark.parametrize(
    ("side", "file_bytes", "refused"),
    [
        (1 << 18, 1, False),  # a sparse canvas below the floor
        (1 << 19, 1 << 27, False),  # a large slide with a byte for 2048 pixels
        (1 << 19, (1 << 27) - 1, True),
    ],
)
def test_a_level_is_bounded_by_its_files_bytes(
    side: int, file_bytes: int, *, refused: bool
) -> None:
    if refused:
        with pytest.raises(SlideTooLargeError):
            Limits().check_bytes(Size(side, side), file_bytes)
    else:
        Limits().check_bytes(Size(side, side), file_bytes)


def assert_is_one_sentence_for_people(error: TilingError, path: Path) -> None:
    message = str(error)
    assert message.endswith(".")
    assert ". " not in message
    assert str(path.parent) not in message
    assert path.name not in message


BAD = [
    "bitrot.svs",
    "dicom-not-wsi.dcm",
    "dicom-truncated.dcm",
    "empty.svs",
    "ifd-loop.tiff",
    "mirax-missing-dat/mirax.mrxs",
    "mirax-no-folder/mirax.mrxs",
    "olympus-vsi-missing-ets/Image_Mouse13_PB_H7.vsi",
    "text-renamed.svs",
    "truncated-half.svs",
    "truncated.jpg",
    "truncated.ndpi",
    "unopenable.tiff",
    "unreadable.svs",
    "zero_gi.tif",
]
WORSE_THAN_UNKNOWN = {
    "bitrot.svs": DamagedSlideError,
    "dicom-truncated.dcm": DamagedSlideError,
    "ifd-loop.tiff": DamagedSlideError,
    "truncated-half.svs": DamagedSlideError,
    "truncated.ndpi": DamagedSlideError,
    "unreadable.svs": DamagedSlideError,
    "mirax-missing-dat/mirax.mrxs": IncompleteSlideError,
    "mirax-no-folder/mirax.mrxs": IncompleteSlideError,
    "olympus-vsi-missing-ets/Image_Mouse13_PB_H7.vsi": IncompleteSlideError,
}
"""Broken slides of which more can be said than that nobody knows them."""


@pytest.mark.parametrize("name", BAD)
def test_every_broken_slide_is_refused_in_one_sentence(
    shared_slides: Path, tmp_path: Path, name: str
) -> None:
    path = shared_slides / "bad" / name
    with pytest.raises(WORSE_THAN_UNKNOWN.get(name, TilingError)) as refusal:
        build_pyramid(open_slide(path, Limits()), tmp_path)
    if name.startswith("mirax"):
        assert "the same name as the .mrxs file" in str(refusal.value)
    else:
        assert_is_one_sentence_for_people(refusal.value, path)


def test_the_list_of_broken_slides_is_complete(shared_slides: Path) -> None:
    folder = shared_slides / "bad"
    companions = {"Index.dat", "Slidedat.ini"}
    found = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in companions
    }
    assert found == set(BAD)
