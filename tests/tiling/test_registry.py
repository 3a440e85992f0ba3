"""The surest format opens the slide; what nobody recognises is explained as far as it can be."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tiling.confidence import Confidence
from tiling.errors import (
    AmbiguousFormatError,
    DamagedSlideError,
    IncompleteSlideError,
    TilingError,
    UnknownFormatError,
)
from tiling.limits import Limits
from tiling.pyramid import build_pyramid
from tiling.registry import Format, known_formats, open_slide
from tiling.testing import SvsOptions, draw_pattern, write_svs


def format_that_says(confidence: Confidence, opened: object) -> Format:
    return SimpleNamespace(  # type: ignore[return-value]  # a module in miniature
        NAME=f"{opened}", sniff=lambda path, head: confidence, open_=lambda path, limits: opened
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
    vendor = format_that_says(Confidence.VENDOR, "vendor")
    generic = format_that_says(Confidence.GENERIC, "generic")
    assert open_slide(text, candidates=[generic, vendor]) == "vendor"


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
