"""CZI files that lie: pixels, or one of our errors, and never much memory."""

import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling.codecs import jpeg
from tiling.errors import (
    DamagedSlideError,
    IncompleteSlideError,
    SlideTooLargeError,
    TilingError,
)
from tiling.formats import zeiss
from tiling.formats.zeiss import directory, mosaic, scene
from tiling.formats.zeiss.testing import (
    JPEG,
    JPEG_XR,
    UNCOMPRESSED,
    ZSTD,
    ZSTD_WITH_HEADER,
    WrittenAttachment,
    WrittenSubblock,
    make_czi,
    pack_samples,
    write_czi,
)
from tiling.limits import Limits
from tiling.registry import open_slide
from tiling.slide import SlideReader
from tiling.testing import draw_pattern

PIXELS = draw_pattern(60, 40)
PLAIN = WrittenSubblock(PIXELS)


def open_written(path: Path, *subblocks: WrittenSubblock, **said: object) -> SlideReader:
    write_czi(path / "slide.czi", subblocks, **said)  # type: ignore[arg-type]
    return open_slide(path / "slide.czi", candidates=[zeiss])


def change(path: Path, edit: Callable[[bytearray], None]) -> SlideReader:
    """Open a plain file with some bytes changed."""
    label = WrittenAttachment("Label", "CZI", make_czi([PLAIN]))
    write_czi(path / "slide.czi", [PLAIN, PLAIN], attachments=[label])
    data = bytearray((path / "slide.czi").read_bytes())
    edit(data)
    (path / "slide.czi").write_bytes(data)
    return open_slide(path / "slide.czi", candidates=[zeiss])


def put(data: bytearray, segment: bytes, place: int, layout: str, value: int) -> None:
    """Change a number, by its place from the beginning of the first segment of a name."""
    struct.pack_into(layout, data, data.index(segment.ljust(16, b"\0")) + place, value)


def test_a_file_still_being_written_is_incomplete(tmp_path: Path) -> None:
    with pytest.raises(IncompleteSlideError, match="finished"):
        open_written(tmp_path, PLAIN, unfinished=0xFFFF)
    with pytest.raises(IncompleteSlideError, match="finished"):
        change(tmp_path, lambda data: put(data, b"ZISRAWFILE", 84, "<q", 0))


@pytest.mark.parametrize(
    ("segment", "place", "layout", "value"),
    [
        (b"ZISRAWFILE", 84, "<q", 32),
        (b"ZISRAWFILE", 84, "<q", -5),
        (b"ZISRAWFILE", 84, "<q", 1 << 60),
        (b"ZISRAWFILE", 92, "<q", 1 << 40),
        (b"ZISRAWFILE", 104, "<q", 544),
        (b"ZISRAWDIRECTORY", 32, "<i", 0),
        (b"ZISRAWDIRECTORY", 32, "<i", 3),
        (b"ZISRAWDIRECTORY", 24, "<q", -1),
        (b"ZISRAWDIRECTORY", 24, "<q", 170),
        (b"ZISRAWDIRECTORY", 160 + 28, "<i", 1),
        (b"ZISRAWDIRECTORY", 160 + 28, "<i", 1 << 30),
        (b"ZISRAWDIRECTORY", 160 + 6, "<q", -1),
        (b"ZISRAWDIRECTORY", 160 + 6, "<q", 1 << 40),
        (b"ZISRAWDIRECTORY", 160 + 32 + 8, "<i", -3),
        (b"ZISRAWDIRECTORY", 160 + 32 + 8, "<i", 0),
        (b"ZISRAWDIRECTORY", 160 + 32 + 0, "<i", ord("Q")),
        (b"ZISRAWATTDIR", 32, "<i", -1),
        (b"ZISRAWATTDIR", 32, "<i", 4000),
        (b"ZISRAWATTACH", 32, "<q", 1 << 50),
        (b"ZISRAWATTACH", 32, "<q", -1),
        (b"ZISRAWATTACH", 0, "<i", 0),
    ],
)
def test_a_corrupt_skeleton_is_damaged(
    tmp_path: Path, segment: bytes, place: int, layout: str, value: int
) -> None:
    with pytest.raises(DamagedSlideError):
        change(tmp_path, lambda data: put(data, segment, place, layout, value))


@pytest.mark.parametrize(
    ("place", "layout", "value"),
    [(32, "<i", -1), (32, "<i", 1 << 30), (40, "<q", -1), (40, "<q", 5), (0, "<i", 0)],
)
def test_a_corrupt_subblock_fails_alone(
    tmp_path: Path, place: int, layout: str, value: int
) -> None:
    reader = change(tmp_path, lambda data: put(data, b"ZISRAWSUBBLOCK", place, layout, value))
    with pytest.raises(DamagedSlideError):
        reader.read_tile(0, 0, 0)
    reader.close()


@pytest.mark.parametrize("compression", [JPEG, JPEG_XR, ZSTD, ZSTD_WITH_HEADER])
@pytest.mark.parametrize("kept", [0, 1, 2, 40, -1])
def test_pixels_cut_short_are_damaged(tmp_path: Path, compression: int, kept: int) -> None:
    data = pack_samples(PIXELS, compression)[:kept]
    reader = open_written(tmp_path, replace(PLAIN, compression=compression, data=data))
    with pytest.raises(DamagedSlideError):
        reader.read_tile(0, 0, 0)
    reader.close()


@pytest.mark.parametrize("compression", [JPEG, JPEG_XR, ZSTD, ZSTD_WITH_HEADER])
def test_pixels_of_another_size_are_damaged(tmp_path: Path, compression: int) -> None:
    for larger in (draw_pattern(70, 40), draw_pattern(60, 37)):
        data = pack_samples(larger, compression)
        reader = open_written(tmp_path, replace(PLAIN, compression=compression, data=data))
        with pytest.raises(DamagedSlideError):
            reader.read_tile(0, 0, 0)
        reader.close()


def test_far_too_many_subblocks_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "MOST_SUBBLOCKS", 2)
    open_written(tmp_path, PLAIN, PLAIN).close()
    with pytest.raises(SlideTooLargeError, match="absurdly many"):
        open_written(tmp_path, PLAIN, PLAIN, PLAIN)


@pytest.mark.parametrize(
    ("bound", "places"),
    [("_MOST_SCENES", "S"), ("_MOST_LAYERS", "C"), ("_MOST_LAYERS", "Z")],
)
def test_far_too_many_scenes_and_layers_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, places: str
) -> None:
    monkeypatch.setattr(scene, bound, 2)
    shots = [replace(PLAIN, places={places: number}) for number in range(3)]
    open_written(tmp_path, *shots[:2]).close()
    with pytest.raises(SlideTooLargeError, match="absurdly many"):
        open_written(tmp_path, *shots)


def test_images_at_the_ends_of_the_world_are_too_large(tmp_path: Path) -> None:
    far = (1 << 31) - 100
    with pytest.raises(SlideTooLargeError):
        open_written(tmp_path, replace(PLAIN, x=-far, y=-far), replace(PLAIN, x=far, y=far))


def test_a_compressed_image_larger_than_any_cameras_is_refused(tmp_path: Path) -> None:
    write_czi(tmp_path / "a.czi", [replace(PLAIN, compression=ZSTD)])
    reader = open_slide(tmp_path / "a.czi", Limits(tile_pixels=512 * 512), [zeiss])
    reader.close()
    wide = WrittenSubblock(np.zeros((1, 1 << 21, 1), np.uint8), compression=ZSTD)
    write_czi(tmp_path / "b.czi", [wide])
    reader = open_slide(tmp_path / "b.czi", Limits(tile_pixels=512 * 512), [zeiss])
    with pytest.raises(SlideTooLargeError):
        reader.read_tile(0, 0, 0)
    reader.close()


def test_of_a_wide_uncompressed_image_only_a_part_is_read(tmp_path: Path) -> None:
    wide = np.zeros((300, 1 << 17, 1), np.uint8)
    wide[:, 1000:1100] = PIXELS[0, 0, 0]
    reader = open_written(tmp_path, WrittenSubblock(wide))
    np.testing.assert_array_equal(reader.read_tile(0, 1, 0)[:300], wide[:, 512:1024])
    np.testing.assert_array_equal(reader.read_tile(0, 2, 0)[:300], wide[:, 1024:1536])
    reader.close()


def test_images_piled_up_are_refused(tmp_path: Path) -> None:
    """The directory may name the same bytes as often as it likes."""
    dot = WrittenSubblock(np.zeros((1, 1, 1), np.uint8), compression=ZSTD, data=b"\0")
    pile = [dot for _ in range(30)]
    write_czi(tmp_path / "slide.czi", pile)
    data = bytearray((tmp_path / "slide.czi").read_bytes())
    start = data.index(b"ZISRAWDIRECTORY") + 160
    for number in range(30):
        for axis in range(2):
            at = start + number * 72 + 32 + axis * 20
            struct.pack_into("<i4xi", data, at + 8, 4000, 4000)
            struct.pack_into("<i", data, at + 16, 4000)
    (tmp_path / "slide.czi").write_bytes(data)
    reader = open_slide(tmp_path / "slide.czi", candidates=[zeiss])
    with pytest.raises(SlideTooLargeError, match="over each other"):
        reader.read_tile(0, 0, 0)
    reader.close()


def test_very_many_small_images_under_a_tile_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mosaic, "_MOST_SUBBLOCKS", 2)
    for count in (2, 3):
        reader = open_written(tmp_path, *[PLAIN] * count)
        if count == 2:
            reader.read_tile(0, 0, 0)
        else:
            with pytest.raises(SlideTooLargeError, match="over each other"):
                reader.read_tile(0, 0, 0)
        reader.close()


def test_the_same_bytes_named_as_two_kinds_are_two_images(tmp_path: Path) -> None:
    """The cache is not fooled: one of them is what it says, the other is damaged."""
    colour = WrittenSubblock(PIXELS, 0, 0, {"C": 0}, compression=ZSTD)
    grey = WrittenSubblock(PIXELS[:, :, :1], 0, 0, {"C": 1}, compression=ZSTD)
    write_czi(tmp_path / "slide.czi", [colour, grey])
    data = bytearray((tmp_path / "slide.czi").read_bytes())
    start = data.index(b"ZISRAWDIRECTORY") + 160
    data[start + 92 + 6 : start + 92 + 14] = data[start + 6 : start + 14]
    (tmp_path / "slide.czi").write_bytes(data)
    first, second = open_slide(tmp_path / "slide.czi", candidates=[zeiss]).scenes
    np.testing.assert_array_equal(first.read_tile(0, 0, 0)[:40, :60], PIXELS)
    with pytest.raises(DamagedSlideError):
        second.read_tile(0, 0, 0)
    first.close()


def test_descriptions_and_attached_images_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "slide.czi"
    label = WrittenAttachment("Label", "JPG", jpeg.encode(draw_pattern(90, 80)))
    write_czi(path, [PLAIN], document=f"<a>{'x' * 500}</a>", attachments=[label])
    open_slide(path, candidates=[zeiss]).close()
    for limits in (Limits(text_bytes=500), Limits(associated_pixels=7000), Limits(level_pixels=9)):
        with pytest.raises(TilingError):
            open_slide(path, limits, [zeiss])


def test_a_broken_description_is_damaged(tmp_path: Path) -> None:
    for document in ("<a>", "", "<!DOCTYPE a><a/>"):
        with pytest.raises(DamagedSlideError):
            open_written(tmp_path, PLAIN, document=document)


def whole_file(path: Path) -> bytes:
    """One image of each compression, with a pyramid, focal planes, scenes and attachments."""
    shots = [
        WrittenSubblock(PIXELS, 50 * number, 0, {"C": 0, "S": 0, "M": number}, compression=kind)
        for number, kind in enumerate((UNCOMPRESSED, JPEG, JPEG_XR, ZSTD, ZSTD_WITH_HEADER))
    ]
    shots.append(WrittenSubblock(PIXELS[:20, :60], 0, 0, {"C": 0, "S": 0}, 2, (260, 40)))
    shots += [
        WrittenSubblock(
            np.asarray(PIXELS[:, :, :1] * np.uint16(9)), 0, 90, {"C": 1, "S": 1, "Z": z},
            compression=ZSTD_WITH_HEADER,
        )
        for z in (0, 1)
    ]  # fmt: skip
    attachments = [
        WrittenAttachment("Label", "CZI", make_czi([PLAIN])),
        WrittenAttachment("SlidePreview", "JPG", jpeg.encode(PIXELS)),
    ]
    document = (
        "<ImageDocument><Metadata><Scaling><Items>"
        '<Distance Id="X"><Value>2E-7</Value></Distance><Distance Id="Y"><Value>2E-7</Value>'
        '</Distance><Distance Id="Z"><Value>1E-6</Value></Distance></Items></Scaling>'
        "<Information><Image><AcquisitionDateAndTime>2026-03-12T10:11:12Z"
        '</AcquisitionDateAndTime><Dimensions><Channels><Channel Id="Channel:1"><Color>#FF00A1FF'
        "</Color></Channel></Channels></Dimensions></Image></Information></Metadata>"
        "</ImageDocument>"
    )
    write_czi(path, shots, document=document, attachments=attachments)
    return path.read_bytes()


def read_everything(reader: SlideReader) -> None:
    for one in reader.scenes:
        for number, level in enumerate(one.levels):
            last = level.grid.tiles
            for column, row in {(0, 0), (last.columns - 1, last.rows - 1)}:
                for path in range(len(one.optical_paths)):
                    with suppress(TilingError):
                        one.read_tile(number, column, row, path, len(one.focal_planes_um) - 1)
    for kind in reader.associated:
        with suppress(TilingError):
            reader.read_associated(kind)


numbers = st.sampled_from([0, 1, 2, 40, 255, 256, 1 << 16, (1 << 31) - 1, -1, -(1 << 31)]).map(
    lambda number: struct.pack("<i", number)
)
changes = st.lists(
    st.tuples(
        st.sampled_from(
            [b"ZISRAWFILE", b"ZISRAWSUBBLOCK", b"ZISRAWDIRECTORY", b"ZISRAWMETADATA",
             b"ZISRAWATTDIR", b"ZISRAWATTACH", b"WMPHOTO", b"\xff\xd8"]
        ),
        st.integers(0, 3),
        st.integers(0, 400) | st.integers(0, 60).map(lambda number: 4 * number),
        st.binary(min_size=1, max_size=4) | numbers,
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


@given(changed=changes, kept=st.none() | st.floats(0, 1))
@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_changed_file_is_pixels_or_our_error(
    tmp_path: Path, changed: list[tuple[bytes, int, int, bytes]], kept: float | None
) -> None:
    whole = tmp_path / "whole.czi"
    data = bytearray(whole.read_bytes() if whole.exists() else whole_file(whole))
    for segment, which, offset, put_in in changed:
        place = -1
        for _ in range(which + 1):
            place = data.find(segment, place + 1)
        spot = max(place, 0) + offset
        data[spot : spot + len(put_in)] = put_in
    path = tmp_path / "changed.czi"
    path.write_bytes(data if kept is None else data[: int(kept * len(data))])
    with suppress(TilingError):
        reader = zeiss.open_(path, Limits())
        read_everything(reader)
        reader.close()
