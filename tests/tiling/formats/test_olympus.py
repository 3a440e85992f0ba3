"""Olympus VSI: slides written here, a microscope's own, and directories without their tiles."""

import json
import struct
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling.confidence import Confidence
from tiling.errors import (
    DamagedSlideError,
    IncompleteSlideError,
    SlideTooLargeError,
    TilingError,
    UnsupportedSlideError,
)
from tiling.formats import olympus
from tiling.formats.olympus import testing as written
from tiling.formats.olympus.tags import Field, read_tags
from tiling.formats.olympus.testing import TILE, WrittenImage, encode_volume, write_vsi
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.registry import open_slide
from tiling.slide import (
    COUNTED_FOCAL_PLANES,
    NOT_KEPT,
    RGB8,
    AssociatedKind,
    Codec,
    Colour,
    Illumination,
    OpticalPath,
    PixelFormat,
    SlideReader,
)
from tiling.source import FileSource
from tiling.testing import SlideReaderContract, draw_pattern

BASE = draw_pattern(700, 500)
LABEL = draw_pattern(60, 50)
CAMERA = np.asarray(draw_pattern(300, 260)[:, :, :1], np.uint16) * 200
"""What a grey camera of 16 bits sees."""


def stack_of(path: Path, number: int = 1) -> Path:
    return path.with_name(f"_{path.stem}_") / f"stack{number}" / "frame_t_0.ets"


def write_bright_field(folder: Path) -> Path:
    """Two scans, the larger one second and with a hole; an overview, a label, a mask."""
    images = [
        WrittenImage([[draw_pattern(300, 200)]], stack=10001, name="20x first"),
        WrittenImage([[BASE]], stack=10004, left_out=frozenset({(0, 1, 2)})),
        WrittenImage([[draw_pattern(400, 150)]], name="Overview", kind=1, levels=2),
        WrittenImage([[LABEL]], stack=2, name="Label", in_directory=0),
        WrittenImage([[LABEL]], stack=10000, name="Sample Mask", kind=2, in_directory=0),
    ]
    return write_vsi(folder / "bright.vsi", images, thumbnail=LABEL)


def write_fluorescence(folder: Path, **said: object) -> Path:
    """Two channels in three planes that were taken downwards."""
    planes = [[CAMERA + 1000 * (3 * path + plane) for plane in range(3)] for path in range(2)]
    said = {"channels": ("DAPI", "FITC"), "z_step_um": -1.5, **said}
    image = WrittenImage(planes, compression=written.JPEG_2000, levels=2, **said)  # type: ignore[arg-type]
    return write_vsi(folder / "dark.vsi", [image])


class TestBrightField(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        reader = open_slide(write_bright_field(tmp_path))
        yield reader
        reader.close()

    def test_the_largest_scan_is_the_slide(self, reader: SlideReader) -> None:
        assert reader.format == "Olympus VSI"
        assert [level.size for level in reader.levels] == [
            Size(700, 500),
            Size(350, 250),
            Size(175, 125),
        ]
        assert [level.downsample for level in reader.levels] == [1, 2, 4]
        assert all(level.encoding and level.tile == Size(TILE, TILE) for level in reader.levels)
        assert reader.pixel_format == RGB8
        assert [scene.levels[0].size for scene in reader.scenes] == [Size(700, 500), Size(300, 200)]
        assert reader.scenes[1].metadata.vendor["2005.2030"] == "20x first"

    def test_pixels_are_where_they_belong(self, reader: SlideReader) -> None:
        tile = reader.read_tile(0, 2, 1).astype(int)
        scanned = BASE[TILE : 2 * TILE, 2 * TILE : 3 * TILE].astype(int)
        assert np.abs(tile - scanned).mean() < 4

    def test_its_tiles_are_the_scanners(self, reader: SlideReader, tmp_path: Path) -> None:
        stream = reader.read_encoded_tile(0, 3, 2)
        assert stream in stack_of(tmp_path / "bright.vsi", 10004).read_bytes()

    def test_what_the_scanner_left_out_is_white(self, reader: SlideReader) -> None:
        assert int(reader.read_tile(0, 1, 2).min()) >= 254
        assert int(reader.read_tile(0, 2, 2).min()) < 200

    def test_its_metadata_are_told(self, reader: SlideReader) -> None:
        metadata = reader.metadata
        assert metadata.pixel_spacing_mm == pytest.approx((0.00026, 0.00025))
        assert metadata.objective_power == 20
        assert metadata.scanned_at == datetime(2026, 3, 12, 10, 11, 11, tzinfo=UTC)
        assert (metadata.manufacturer, metadata.model) == ("Olympus", "VS200")
        assert metadata.software == "VS-ASW 2.9"
        assert metadata.barcode == "26H00123-A1"
        assert "masks" in metadata.vendor[NOT_KEPT].casefold()

    def test_label_and_overview_are_beside_it(self, reader: SlideReader) -> None:
        assert reader.associated == {
            AssociatedKind.LABEL: Size(60, 50),
            AssociatedKind.OVERVIEW: Size(400, 150),
        }
        np.testing.assert_array_equal(reader.read_associated(AssociatedKind.LABEL), LABEL)
        overview = reader.read_associated(AssociatedKind.OVERVIEW).astype(int)
        assert np.abs(overview - draw_pattern(400, 150)).mean() < 5


class TestSecondScene(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        first = open_slide(write_bright_field(tmp_path))
        yield first.scenes[1]
        first.close()


class TestFluorescence(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        reader = open_slide(write_fluorescence(tmp_path))
        yield reader
        reader.close()

    def test_channels_are_optical_paths(self, reader: SlideReader) -> None:
        assert reader.pixel_format == PixelFormat(samples=1, bits=16)
        dark = Illumination.FLUORESCENCE
        assert list(reader.optical_paths) == [
            OpticalPath("DAPI", dark, (0, 128, 255), emission_nm=400),
            OpticalPath("FITC", dark, (0, 128, 255), emission_nm=401),
        ]

    def test_planes_rise(self, reader: SlideReader) -> None:
        assert list(reader.focal_planes_um) == [-1.5, 0, 1.5]
        for path, plane in ((0, 0), (0, 2), (1, 1)):
            taken = CAMERA[:TILE, :TILE] + 1000 * (3 * path + 2 - plane)
            np.testing.assert_array_equal(reader.read_tile(0, 0, 0, path, plane), taken)

    def test_codestreams_are_handed_on(self, reader: SlideReader) -> None:
        encoding = reader.levels[0].encoding
        assert encoding is not None
        assert (encoding.colour, encoding.codec) == (Colour.GREY, Codec.JPEG_2000_LOSSLESS)


class TestLeftOutInTheDark(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        reader = open_slide(write_fluorescence(tmp_path, left_out=frozenset({(0, 0, 0)})))
        yield reader
        reader.close()

    def test_it_is_black(self, reader: SlideReader) -> None:
        assert reader.levels[0].encoding is not None
        assert not reader.read_tile(0, 0, 0, 1, 1).any()


class TestMicroscope(SlideReaderContract):
    """A spinning disk's stack: one tile of JPEG 2000 for each of two channels in eleven planes."""

    @pytest.fixture
    def path(self, shared_slides: Path) -> Path:
        return shared_slides / "olympus-vsi/vsi-ets-test-jpg2k.vsi"

    @pytest.fixture
    def reader(self, path: Path) -> Iterator[SlideReader]:
        reader = open_slide(path)
        yield reader
        reader.close()

    def test_its_tags_are_told(self, reader: SlideReader) -> None:
        assert [path.name for path in reader.optical_paths] == ["C405", "C488"]
        assert [path.emission_nm for path in reader.optical_paths] == [455, 518]
        assert [path.colour for path in reader.optical_paths] == [(0, 0, 255), (0, 255, 2)]
        assert list(reader.focal_planes_um) == list(range(-5, 6))
        metadata = reader.metadata
        assert metadata.pixel_spacing_mm == pytest.approx((0.108333e-3, 0.108333e-3), rel=1e-4)
        assert metadata.objective_power == 60
        assert metadata.scanned_at == datetime(2021, 5, 31, 14, 58, 55, tzinfo=UTC)
        assert metadata.model == "IX83 P2ZF"
        assert metadata.software == "OLYMPUS cellSens Dimension 3.1"
        assert metadata.barcode is None
        assert not metadata.not_kept

    def test_its_codestreams_are_handed_on(self, reader: SlideReader, path: Path) -> None:
        (level,) = reader.levels
        assert level.size == level.tile == Size(1645, 1682)
        assert level.encoding is not None
        assert (level.encoding.colour, level.encoding.codec) == (Colour.GREY, Codec.JPEG_2000)
        stream = reader.read_encoded_tile(0, 0, 0, 1, 10)
        assert stream in stack_of(path).read_bytes()
        np.testing.assert_array_equal(
            imagecodecs.jpeg2k_decode(stream), reader.read_tile(0, 0, 0, 1, 10)[:, :, 0]
        )


def materialise(fixture: Path, folder: Path) -> Path:
    """A slide of which only the headers and the directory are there; the tiles are holes."""
    path = folder / "anon.vsi"
    path.write_bytes((fixture / "anon.vsi").read_bytes())
    kept = (fixture / "_anon_/stack1/frame_t_0.ets.skel").read_bytes()
    length, pieces = struct.unpack_from("<QI", kept, 8)
    at = 20
    stack_of(path).parent.mkdir(parents=True)
    with stack_of(path).open("wb") as file:
        file.truncate(length)
        for _ in range(pieces):
            offset, count = struct.unpack_from("<QI", kept, at)
            file.seek(offset)
            file.write(kept[at + 12 : at + 12 + count])
            at += 12 + count
    return path


@pytest.mark.parametrize("name", ["single-plane", "czt-z-up", "tzc-z-down"])
def test_directories_of_stacks_are_read(shared_slides: Path, tmp_path: Path, name: str) -> None:
    folder = shared_slides / "olympus-vsi/bioio-anonymised"
    expected = json.loads((folder / "expected.json").read_text())[name]["vsi"]
    reader = open_slide(materialise(folder / name, tmp_path))
    assert len(reader.optical_paths) == expected["sizes"]["c"]
    assert len(reader.focal_planes_um) == expected["sizes"]["z"]
    emissions = [path.emission_nm for path in reader.optical_paths]
    assert emissions == expected["emission_wavelengths_nm"]
    spacing_um = [1000 * spacing for spacing in reader.metadata.pixel_spacing_mm or ()]
    assert spacing_um == expected["pixel_size_um"]
    assert reader.pixel_format.dtype().dtype.name == expected["dtype"]
    assert len(reader.levels) == expected["n_levels"]
    if expected["z_step_um"]:
        steps = set(np.diff(reader.focal_planes_um))
        assert steps == {abs(expected["z_step_um"])}
    assert not reader.read_tile(0, 0, 0, 3, len(reader.focal_planes_um) - 1).any()
    reader.close()


@pytest.mark.parametrize(("name", "margin"), [("stitched-origin-1", 1), ("stitched-origin-15", 15)])
def test_a_stitched_scan_keeps_its_margin(
    shared_slides: Path, tmp_path: Path, name: str, margin: int
) -> None:
    folder = shared_slides / "olympus-vsi/bioio-anonymised"
    expected = json.loads((folder / "expected.json").read_text())[name]["stitched"]
    reader = open_slide(materialise(folder / name, tmp_path))
    rows, columns = expected["shape_yx"]
    assert reader.levels[0].size == Size(columns + margin, rows + 1)
    assert len(reader.levels) == expected["stored_levels"]
    assert len(reader.focal_planes_um) == expected["sizes"]["z"]
    assert len(reader.optical_paths) == expected["sizes"]["c"]
    reader.close()


def test_the_margin_of_a_level_is_rounded_up(tmp_path: Path) -> None:
    image = WrittenImage([[BASE]], origin=(-15, -1))
    reader = open_slide(write_vsi(tmp_path / "a.vsi", [image]))
    assert [level.size for level in reader.levels] == [
        Size(715, 501),
        Size(358, 251),
        Size(179, 126),
    ]
    reader.close()


@pytest.mark.parametrize(
    ("compression", "pixels"),
    [
        (written.RAW, BASE),
        (written.RAW, CAMERA),
        (written.PNG, BASE),
        (written.PNG, CAMERA),
        (written.BMP, BASE),
        (written.JPEG_LOSSLESS, CAMERA),
        (written.JPEG_LOSSLESS, BASE[:, :, :1]),
        (written.JPEG_2000, BASE[:, :, 1:2]),
    ],
)
def test_lossless_tiles_give_the_very_pixels(
    tmp_path: Path, compression: int, pixels: np.ndarray
) -> None:
    image = WrittenImage([[pixels]], compression=compression, levels=1)
    reader = open_slide(write_vsi(tmp_path / "a.vsi", [image]))
    (level,) = reader.levels
    assert (level.encoding is not None) == (compression == written.JPEG_2000)
    assert level.lossy == (compression == written.JPEG_2000)
    np.testing.assert_array_equal(
        reader.read_tile(0, 1, 1), pixels[TILE : 2 * TILE, TILE : 2 * TILE]
    )
    reader.close()


def test_grey_jpeg_has_one_sample(tmp_path: Path) -> None:
    image = WrittenImage([[BASE[:, :, :1]]], levels=1)
    reader = open_slide(write_vsi(tmp_path / "a.vsi", [image]))
    tile = reader.read_tile(0, 0, 0).astype(int)
    assert tile.shape == (TILE, TILE, 1)
    assert np.abs(tile - BASE[:TILE, :TILE, :1]).mean() < 3
    reader.close()


def test_blue_may_come_first(tmp_path: Path) -> None:
    image = WrittenImage([[BASE]], compression=written.RAW, blue_first=True, levels=1)
    reader = open_slide(write_vsi(tmp_path / "a.vsi", [image]))
    np.testing.assert_array_equal(reader.read_tile(0, 0, 0), BASE[:TILE, :TILE])
    reader.close()


def test_large_tiles_are_cut_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiling.formats.olympus.levels._TILE", 100)
    hole = frozenset({(0, 1, 1)})
    image = WrittenImage([[CAMERA]], compression=written.RAW, levels=1, left_out=hole)
    reader = open_slide(write_vsi(tmp_path / "a.vsi", [image]))
    assert reader.levels[0].tile == Size(100, 100)
    seen = np.vstack([np.hstack([reader.read_tile(0, c, r) for c in range(3)]) for r in range(3)])
    scanned = CAMERA.copy()
    scanned[TILE : 2 * TILE, TILE : 2 * TILE] = 0
    np.testing.assert_array_equal(seen[:260], scanned)
    assert not seen[260:].any()
    reader.close()


def test_only_the_first_of_several_times_is_kept(tmp_path: Path) -> None:
    path = write_fluorescence(tmp_path, z_step_um=None, z_axis=2)
    reader = open_slide(path)
    assert list(reader.focal_planes_um) == [0]
    np.testing.assert_array_equal(reader.read_tile(0, 0, 0), CAMERA[:TILE, :TILE])
    assert reader.metadata.not_kept == ("Only the first of several times is kept.",)
    reader.close()


def test_planes_without_heights_are_counted(tmp_path: Path) -> None:
    reader = open_slide(write_fluorescence(tmp_path, z_step_um=None))
    assert list(reader.focal_planes_um) == [0, 1, 2]
    for plane in range(3):
        taken = CAMERA[:TILE, :TILE] + 1000 * plane
        np.testing.assert_array_equal(reader.read_tile(0, 0, 0, 0, plane), taken)
    assert reader.metadata.not_kept == (COUNTED_FOCAL_PLANES,)
    reader.close()


def test_channels_of_colours_are_optical_paths(tmp_path: Path) -> None:
    image = WrittenImage([[BASE], [255 - BASE]], channels=("BF", "POL"))
    reader = open_slide(write_vsi(tmp_path / "bright.vsi", [image]))
    assert [path.name for path in reader.optical_paths] == ["BF", "POL"]
    assert reader.optical_paths[1].illumination is Illumination.BRIGHTFIELD
    seen = reader.read_tile(0, 0, 0, 1).astype(int)
    assert np.abs(seen - (255 - BASE[:TILE, :TILE])).max() < 8
    reader.close()


def test_axes_of_unknown_meaning_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedSlideError, match="unknown way"):
        open_slide(write_fluorescence(tmp_path, z_axis=77))


def test_the_photograph_of_the_glass_goes_before_the_scan_in_low_power(tmp_path: Path) -> None:
    images = [
        WrittenImage([[BASE]]),
        WrittenImage([[draw_pattern(200, 100)]], stack=2, name="Overview", kind=1),
        WrittenImage([[draw_pattern(300, 120)]], stack=3, name="Macro image", kind=256),
    ]
    reader = open_slide(write_vsi(tmp_path / "a.vsi", images))
    assert reader.associated == {AssociatedKind.OVERVIEW: Size(300, 120)}
    reader.close()


def test_a_missing_stack_is_missed(tmp_path: Path) -> None:
    path = write_bright_field(tmp_path)
    for number in (10004, 10001, 1):
        moved = stack_of(path, number)
        away = moved.rename(tmp_path / "away")
        with pytest.raises(IncompleteSlideError, match="missing"):
            open_slide(path)
        away.rename(moved)
    open_slide(path).close()


def test_the_real_one_without_its_stacks(shared_slides: Path) -> None:
    path = shared_slides / "bad/olympus-vsi-missing-ets/Image_Mouse13_PB_H7.vsi"
    with pytest.raises(IncompleteSlideError, match="between underscores"):
        open_slide(path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    path = write_bright_field(tmp_path)
    real = stack_of(path, 10004).rename(tmp_path / "elsewhere")
    stack_of(path, 10004).symlink_to(real)
    with pytest.raises(IncompleteSlideError):
        open_slide(path)


def test_of_several_stacks_the_one_of_the_size_is_it(tmp_path: Path) -> None:
    path = write_fluorescence(tmp_path)
    other = write_vsi(tmp_path / "b.vsi", [WrittenImage([[BASE]])])
    stack_of(other).rename(stack_of(path).with_name("frame_t.ets"))
    reader = open_slide(path)
    assert reader.levels[0].size == Size(300, 260)
    reader.close()


def test_a_stack_alone_says_what_to_open(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedSlideError, match=r"\.vsi"):
        open_slide(stack_of(write_fluorescence(tmp_path)))


def test_an_image_within_the_file_is_no_scan(tmp_path: Path) -> None:
    image = WrittenImage([[LABEL]], in_directory=0)
    with pytest.raises(UnsupportedSlideError, match="no scan"):
        open_slide(write_vsi(tmp_path / "a.vsi", [image], thumbnail=LABEL))


def test_other_tiffs_are_not_claimed(tmp_path: Path) -> None:
    assert olympus.sniff(tmp_path, b"II*\0" + bytes(60)) is Confidence.NONE
    assert olympus.sniff(tmp_path, b"MM\0*\0\0\0\x08\x18\0IS") is Confidence.NONE
    assert olympus.sniff(tmp_path, b"") is Confidence.NONE


def test_a_stack_cut_short_is_damaged(tmp_path: Path) -> None:
    path = write_bright_field(tmp_path)
    stack = stack_of(path, 10004)
    stack.write_bytes(stack.read_bytes()[:-7])
    with pytest.raises(DamagedSlideError):
        open_slide(path)


def test_absurd_sizes_are_refused(tmp_path: Path) -> None:
    path = write_bright_field(tmp_path)
    stack = stack_of(path, 10004)
    raw = bytearray(stack.read_bytes())
    raw[64 + 28 : 64 + 36] = struct.pack("<2i", 1 << 20, 1 << 20)  # the tile
    stack.write_bytes(raw)
    with pytest.raises(SlideTooLargeError):
        open_slide(path)
    raw[64 + 28 : 64 + 36] = struct.pack("<2i", TILE, TILE)
    raw[40:44] = b"\xff\xff\xff\xff"  # the number of tiles
    stack.write_bytes(raw)
    with pytest.raises(SlideTooLargeError):
        open_slide(path)


def test_a_tree_of_tags_that_returns_to_itself_ends(tmp_path: Path) -> None:
    volume = bytearray(encode_volume([Field(1, value=(1,)), Field(2, value=(2,))]))
    struct.pack_into("<I", volume, 24 + 8, 24)
    path = tmp_path / "a.vsi"
    path.write_bytes(b"II*\0" + bytes(4) + volume)
    with pytest.raises(DamagedSlideError):
        open_slide(path)


values = (
    st.text(
        st.characters(min_codepoint=33, max_codepoint=0xD7FF, exclude_categories=("Cs", "Zs")),
        min_size=1,
        max_size=9,
    ).filter(lambda text: text == text.strip())
    | st.lists(st.integers(-(1 << 31), (1 << 31) - 1), min_size=1, max_size=5).map(tuple)
    | st.lists(st.floats(allow_nan=False), min_size=1, max_size=5).map(tuple)
)
places = {"tag": st.integers(0, (1 << 31) - 1), "index": st.none() | st.integers(0, 1 << 20)}
fields = st.recursive(
    st.builds(Field, **places, value=values),
    lambda below: st.builds(Field, **places, fields=st.lists(below, max_size=4).map(tuple)),
    max_leaves=12,
)


@given(told=st.lists(fields, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_tags_are_read_as_they_were_written(tmp_path: Path, told: list[Field]) -> None:
    path = tmp_path / "tags"
    path.write_bytes(bytes(8) + encode_volume(told))
    source = FileSource(path)
    assert read_tags(source).fields == tuple(told)
    source.close()


def read_everything(reader: SlideReader) -> None:
    for scene in reader.scenes:
        for number, level in enumerate(scene.levels):
            last = level.grid.tiles
            for path in range(len(scene.optical_paths))[:3]:
                with suppress(TilingError):
                    scene.read_tile(number, 0, 0, path)
                with suppress(TilingError):
                    scene.read_tile(number, last.columns - 1, last.rows - 1, path)
            if level.encoding and level.grid.tiles.area < 1000:
                with suppress(TilingError):
                    scene.encoded_tile_lengths(number)
                with suppress(TilingError):
                    scene.read_encoded_tile(number, 0, 0)
    for kind in reader.associated:
        with suppress(TilingError):
            reader.read_associated(kind)


@pytest.fixture(scope="module", params=["bright", "dark"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return write_bright_field(folder) if request.param == "bright" else write_fluorescence(folder)


@given(
    # The headers and the end, which is the directory, as often as the tiles between them.
    changes=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.sampled_from([0.02, 0.2, 1.0]),
            st.booleans(),
            st.binary(min_size=1, max_size=4),
        ),
        max_size=5,
    ),
    in_index=st.booleans(),
    cut=st.none() | st.floats(0, 1),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80
)
def test_changed_bytes_are_pixels_or_our_error(
    whole: Path,
    changes: list[tuple[float, float, bool, bytes]],
    in_index: bool,
    cut: float | None,
) -> None:
    stack = max(whole.parent.glob("_*_/*/*.ets"), key=lambda path: path.stat().st_size)
    changed = whole if in_index else stack
    kept = changed.read_bytes()
    raw = bytearray(kept)
    for place, part, from_end, new in changes:
        at = int(place * part * len(raw))
        at = len(raw) - 1 - at if from_end else at
        raw[at : at + len(new)] = new
    try:
        changed.write_bytes(raw if cut is None else raw[: int(cut * len(raw))])
        with suppress(TilingError):
            reader = olympus.open_(whole, Limits())
            read_everything(reader)
            reader.close()
    finally:
        changed.write_bytes(kept)
