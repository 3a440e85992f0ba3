"""Hamamatsu VMS: slides written here, and the one that OpenSlide judges."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import openslide
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tiling.codecs import jpeg
from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, IncompleteSlideError, SlideTooLargeError, TilingError
from tiling.formats import hamamatsu
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.registry import open_slide
from tiling.slide import AssociatedKind, SlideReader
from tiling.testing import SlideReaderContract, draw_pattern

BASE = draw_pattern(1024 + 640, 1024 + 328)
"""Four parts: the left and upper ones hold whole tiles, as scanners write them."""
MARK = "[Virtual Microscope Specimen]"


def write_vms(folder: Path, *, restart: int = 16, changes: Mapping[str, str] | None = None) -> Path:
    """Write a slide of two by two parts; `changes` replaces lines of the index, or drops empty."""
    fields = {"NoLayers": "1", "NoJpegColumns": "2", "NoJpegRows": "2"}
    for row, top in enumerate((0, 1024)):
        for column, left in enumerate((0, 1024)):
            key = f"ImageFile({column},{row})" if column or row else "ImageFile"
            fields[key] = f"slide({column},{row}).jpg"
            part = BASE[top : top + 1024, left : left + 1024]
            Image.fromarray(part).save(
                folder / fields[key],
                quality=85,
                subsampling=0,
                restart_marker_blocks=restart,
            )
    Image.fromarray(draw_pattern(320, 110)).save(folder / "slide_macro.jpg")
    fields |= {
        "MacroImage": "slide_macro.jpg",
        "PhysicalWidth": "832000",
        "PhysicalHeight": "676000",
        "SourceLens": "20",
        "Reference": "26H00123-A1",
    }
    fields |= changes or {}
    path = folder / "slide.vms"
    lines = [MARK, *(f"{name}={value}" for name, value in fields.items() if value)]
    path.write_text("\r\n".join(lines), encoding="utf-8")
    return path


class TestWrittenSlide(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        reader = open_slide(write_vms(tmp_path))
        yield reader
        reader.close()

    def test_parts_are_one_level(self, reader: SlideReader) -> None:
        (level,) = reader.levels
        assert reader.format == "Hamamatsu VMS"
        assert level.size == Size(1664, 1352)
        assert level.tile == Size(512, 512)
        assert level.encoding is not None

    def test_its_metadata_are_told(self, reader: SlideReader) -> None:
        metadata = reader.metadata
        assert metadata.pixel_spacing_mm == (0.0005, 0.0005)
        assert metadata.objective_power == 20
        assert metadata.manufacturer == "Hamamatsu"
        assert metadata.scanned_at is None
        assert metadata.vendor["Reference"] == "26H00123-A1"
        assert set(reader.associated) == {AssociatedKind.OVERVIEW}


class TestSyntheticSlide(SlideReaderContract):
    @pytest.fixture
    def reader(self, shared_slides: Path) -> Iterator[SlideReader]:
        reader = open_slide(shared_slides / "synthetic" / "hamamatsu-vms" / "synth-20x.vms")
        yield reader
        reader.close()


def assert_same_as_openslide(path: Path) -> None:
    reader = open_slide(path)
    (level,) = reader.levels
    with openslide.OpenSlide(path) as judge:
        assert judge.level_dimensions[0] == (level.size.columns, level.size.rows)
        expected = np.asarray(
            judge.read_region((0, 0), 0, judge.level_dimensions[0]).convert("RGB")
        )
        for column, row in level.grid.positions():
            visible = level.grid.visible(column, row)
            top, left = row * level.tile.rows, column * level.tile.columns
            np.testing.assert_array_equal(
                reader.read_tile(0, column, row)[: visible.rows, : visible.columns],
                expected[top : top + visible.rows, left : left + visible.columns],
            )
        np.testing.assert_array_equal(
            reader.read_associated(AssociatedKind.OVERVIEW),
            np.asarray(judge.associated_images["macro"].convert("RGB")),
        )
    reader.close()


def test_the_synthetic_slide_looks_the_same_to_openslide(shared_slides: Path) -> None:
    assert_same_as_openslide(shared_slides / "synthetic" / "hamamatsu-vms" / "synth-20x.vms")


def test_pixels_are_those_of_the_parts(tmp_path: Path) -> None:
    reader = open_slide(write_vms(tmp_path))
    part = jpeg.decode((tmp_path / "slide(1,1).jpg").read_bytes())
    np.testing.assert_array_equal(reader.read_tile(0, 2, 2)[:328], part[:, :512])
    np.testing.assert_array_equal(reader.read_tile(0, 3, 2)[:328, :128], part[:, 512:])
    reader.close()


def test_parts_that_no_tile_divides_are_left_to_openslide(tmp_path: Path) -> None:
    path = write_vms(tmp_path, restart=7)
    assert hamamatsu.sniff(path, path.read_bytes()) is Confidence.NONE


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    path = write_vms(tmp_path)
    (tmp_path / "slide(1,1).jpg").unlink()
    with pytest.raises(IncompleteSlideError, match=r"slide\(1,1\).jpg"):
        open_slide(path)


@pytest.mark.parametrize("name", ["../slide(1,1).jpg", "/etc/passwd", "a\\b.jpg", "..", "."])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "slide"
    folder.mkdir()
    path = write_vms(folder, changes={"ImageFile(1,1)": name})
    with pytest.raises(DamagedSlideError, match="outside its folder"):
        open_slide(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path = write_vms(tmp_path)
    part = tmp_path / "slide(1,1).jpg"
    part.rename(tmp_path / "elsewhere.jpg")
    part.symlink_to(tmp_path / "elsewhere.jpg")
    with pytest.raises(IncompleteSlideError):
        open_slide(path)


def test_parts_that_do_not_fit_are_damaged(tmp_path: Path) -> None:
    path = write_vms(tmp_path, changes={"ImageFile(1,1)": "slide(0,0).jpg"})
    with pytest.raises(DamagedSlideError, match="fit together"):
        open_slide(path)


@pytest.mark.parametrize(
    "changes",
    [{"NoLayers": ""}, {"NoJpegColumns": "x"}, {"ImageFile(1,0)": ""}, {"NoJpegRows": "0"}],
)
def test_an_incomplete_index_is_damaged(tmp_path: Path, changes: dict[str, str]) -> None:
    with pytest.raises(DamagedSlideError):
        open_slide(write_vms(tmp_path, changes=changes))


def test_a_cut_part_says_so(tmp_path: Path) -> None:
    path = write_vms(tmp_path)
    part = tmp_path / "slide(0,0).jpg"
    part.write_bytes(part.read_bytes()[:20_000])
    reader = open_slide(path)
    with pytest.raises(DamagedSlideError):
        reader.encoded_tile_lengths(0)
    reader.close()


def test_what_an_index_asks_for_is_bounded(tmp_path: Path) -> None:
    path = write_vms(tmp_path)
    for limits in (
        Limits(level_pixels=1000),
        Limits(level_tiles=3),
        Limits(associated_pixels=100),
    ):
        with pytest.raises(SlideTooLargeError):
            open_slide(path, limits)


@given(data=st.data())
@settings(
    max_examples=150, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_mutated_slide_is_a_value_or_our_error(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "slide.vms"
    if not path.exists():
        write_vms(tmp_path)
        (tmp_path / "whole.vms").write_bytes(path.read_bytes())
        (tmp_path / "whole.jpg").write_bytes((tmp_path / "slide(0,0).jpg").read_bytes())
    for whole, mutated_path in (("whole.vms", path), ("whole.jpg", tmp_path / "slide(0,0).jpg")):
        mutated = bytearray((tmp_path / whole).read_bytes())
        for _ in range(data.draw(st.integers(0, 3))):
            place = data.draw(st.integers(0, min(900, len(mutated) - 1)))
            mutated[place] = data.draw(st.integers(0, 255))
        mutated_path.write_bytes(mutated)
    with suppress(TilingError):
        hamamatsu.sniff(path, path.read_bytes())
        reader = hamamatsu.open_(path, Limits())
        try:
            last = reader.levels[0].grid.tiles
            reader.encoded_tile_lengths(0)
            reader.read_tile(0, 0, 0)
            reader.read_tile(0, last.columns - 1, last.rows - 1)
        finally:
            reader.close()
