"""Philips iSyntax: a slide of blank glass written here; no scanner's file was at hand."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling.confidence import Confidence
from tiling.errors import (
    DamagedSlideError,
    SlideTooLargeError,
    TilingError,
    UnsupportedSlideError,
)
from tiling.formats import philips_isyntax
from tiling.formats.philips_isyntax.testing import LABEL, MACRO, write_isyntax
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.registry import open_slide
from tiling.slide import AssociatedKind, SlideReader
from tiling.testing import SlideReaderContract


class TestBlankGlass(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        reader = open_slide(write_isyntax(tmp_path / "a.isyntax"))
        yield reader
        reader.close()

    def test_levels_halve(self, reader: SlideReader) -> None:
        assert reader.format == "Philips iSyntax"
        assert [level.size for level in reader.levels] == [
            Size(900, 700),
            Size(450, 350),
            Size(225, 175),
        ]
        assert [level.downsample for level in reader.levels] == [1, 2, 4]
        assert all(level.encoding is None and level.lossy for level in reader.levels)

    def test_its_metadata_are_told(self, reader: SlideReader) -> None:
        metadata = reader.metadata
        assert metadata.pixel_spacing_mm == pytest.approx((0.00026, 0.00025))
        assert metadata.scanned_at == datetime(2026, 3, 12, 10, 11, 12)  # noqa: DTZ001
        assert (metadata.manufacturer, metadata.model) == ("PHILIPS", "UFS Scanner")
        assert metadata.serial_number == "FMT0001"
        assert metadata.software == "1.8.6824 20180906_R51"
        assert metadata.barcode == "26H00123-A1"
        assert metadata.icc_profile is not None
        assert len(metadata.icc_profile) == 128
        assert metadata.vendor["PIM_DP_SCANNED_IMAGES[0].PIM_DP_IMAGE_TYPE"] == "WSI"

    def test_label_and_overview_are_in_the_header(self, reader: SlideReader) -> None:
        for kind, pixels in (AssociatedKind.LABEL, LABEL), (AssociatedKind.OVERVIEW, MACRO):
            seen = reader.read_associated(kind).astype(int)
            assert np.abs(seen - pixels).mean() < 8

    def test_empty_blocks_have_no_light(self, reader: SlideReader) -> None:
        assert not reader.read_tile(0, 0, 0).any()

    def test_a_closed_slide_has_no_tiles(self, reader: SlideReader) -> None:
        reader.close()
        with pytest.raises(ValueError, match="closed"):
            reader.read_tile(0, 0, 0)


def test_what_the_scanner_left_out_is_white(tmp_path: Path) -> None:
    path = write_isyntax(tmp_path / "a.isyntax", Size(2000, 700), blocks=False)
    reader = open_slide(path)
    last = reader.levels[0].grid.tiles
    assert not reader.read_tile(0, 0, 0).any()
    assert int(reader.read_tile(0, last.columns - 1, 0).min()) == 255
    reader.close()


def test_other_xml_is_not_claimed(tmp_path: Path) -> None:
    assert philips_isyntax.sniff(tmp_path, b"<?xml version='1.0'?><scn/>") is Confidence.NONE
    assert philips_isyntax.sniff(tmp_path, b'II*\0 ObjectType="DPUfsImport"') is Confidence.NONE
    assert philips_isyntax.sniff(tmp_path, b"") is Confidence.NONE


@pytest.fixture
def without_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that fails instead of crashing, where a file should not have come to it."""

    def refuse(*_: object) -> None:
        raise AssertionError("the decoder was asked")

    monkeypatch.setattr("tiling.formats.philips_isyntax.reader.ISyntax", refuse)


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: re.sub(old, new, raw, count=1, flags=re.DOTALL)


WIDTH = rb"(UFS_IMAGE_DIMENSION_RANGE\"[^>]*>)1000 1 \d+"
HOSTILE: dict[str, tuple[Callable[[bytes], bytes], type[TilingError]]] = {
    "cut in its header": (lambda raw: raw[:3000], DamagedSlideError),
    "cut in its seek table": (lambda raw: raw[:-2000], DamagedSlideError),
    "no scan": (replaced(b">WSI<", b">ABC<"), UnsupportedSlideError),
    "no table": (replaced(b'Element="0x2014"', b'Element="0x2044"'), DamagedSlideError),
    "far too wide": (replaced(WIDTH, rb"\g<1>1000 1 900000000"), SlideTooLargeError),
    "no width": (replaced(WIDTH, rb"\g<1>1000 1 900"), DamagedSlideError),
    "a step of nothing": (replaced(WIDTH, rb"\g<1>1000 0 1941"), DamagedSlideError),
    "narrower than its blocks": (replaced(WIDTH, rb"\g<1>1000 1 1200"), DamagedSlideError),
    "too many levels": (replaced(b">0 1 2<(.*?)>0 1 2<", rb">0 1 2<\1>0 1 40<"),
                        DamagedSlideError),
    "another block": (replaced(b">0 1 127<", b">0 1 0<"), UnsupportedSlideError),
    "many blocks": (replaced(b">1000</", b">999999999</"), SlideTooLargeError),
    "other attributes": (replaced(b'Name="PIM_DP_IMAGE_TYPE" Group="0x301D"',
                                  b'Group="0x301D" Name="PIM_DP_IMAGE_TYPE"'), DamagedSlideError),
    "a list without space": (replaced(b'"IDataObjectArray">\n', b'"IDataObjectArray">'),
                             DamagedSlideError),
    "a table of another kind": (replaced(b'(0x2014"[^>]*>)....', rb"\1AAAA"), DamagedSlideError),
    "an entity": (replaced(b"<DataObject", b"<!DOCTYPE a [<!ENTITY b 'c'>]><DataObject"),
                  DamagedSlideError),
}  # fmt: skip


@pytest.mark.usefixtures("without_decoder")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_do_not_reach_the_decoder(tmp_path: Path, name: str) -> None:
    change, error = HOSTILE[name]
    path = write_isyntax(tmp_path / "a.isyntax")
    changed = change(path.read_bytes())
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    with pytest.raises(error):
        open_slide(path)


@pytest.mark.usefixtures("without_decoder")
def test_blocks_beyond_the_end_are_noticed(tmp_path: Path) -> None:
    path = write_isyntax(tmp_path / "a.isyntax")
    raw = bytearray(path.read_bytes())
    places = raw.index(b"\x04") + 1 + 8
    for value in (len(raw) + 1, (1 << 64) - 1):
        raw[places + 16 : places + 24] = value.to_bytes(8, "little")
        path.write_bytes(raw)
        with pytest.raises(DamagedSlideError):
            open_slide(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_isyntax(tmp_path_factory.mktemp("whole") / "a.isyntax", Size(300, 200))


@given(
    changes=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.binary(min_size=1, max_size=4)
            | st.sampled_from([b"99999", b"-1", b"<", b'"', b"\4"]),
        ),
        max_size=5,
    ),
    cut=st.none() | st.floats(0, 1),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80
)
def test_changed_bytes_are_accepted_or_our_error(
    monkeypatch: pytest.MonkeyPatch,
    whole: Path,
    changes: list[tuple[float, bytes]],
    cut: float | None,
) -> None:
    """The decoder is left out: it is C, and would take the tests with it."""
    monkeypatch.setattr(philips_isyntax, "ISyntaxSlide", lambda *_: None)
    raw = bytearray(whole.read_bytes())
    for place, new in changes:
        at = int(place * len(raw))
        raw[at : at + len(new)] = new
    path = whole.with_name("changed.isyntax")
    path.write_bytes(raw if cut is None else raw[: int(cut * len(raw))])
    with suppress(TilingError):
        philips_isyntax.open_(path, Limits())
