"""Hamamatsu NDPI: files written here, and those that OpenSlide judges."""

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import openslide
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tiling.codecs import jpeg
from tiling.confidence import Confidence
from tiling.downsample import halve
from tiling.errors import DamagedSlideError, SlideTooLargeError, TilingError
from tiling.formats import hamamatsu
from tiling.formats.hamamatsu.ndpi import parse_properties
from tiling.formats.hamamatsu.planes import LEVELS_NOT_KEPT, PLANES_NOT_KEPT
from tiling.formats.hamamatsu.recent import Recent
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.pyramid import Origin, build_pyramid
from tiling.registry import open_slide
from tiling.slide import (
    AssociatedKind,
    Colour,
    Illumination,
    OpticalPath,
    Pixels,
    SlideReader,
    TileEncoding,
)
from tiling.testing import SlideReaderContract, draw_pattern

FOUR_GIB = 1 << 32


@dataclass(frozen=True)
class NdpiImage:
    """One image of an NDPI, as `write_ndpi` takes it."""

    pixels: Pixels
    lens: float = 20
    z_nm: float = 0
    restart: int = 0
    """MCUs between restart markers; 0 for none."""
    options: dict[str, object] = field(default_factory=lambda: {"subsampling": 0})
    """Of Pillow's JPEG encoder."""
    table: bool = True
    """Whether the restart segments are listed."""
    zero_size: bool = False
    """Whether the stream says 0 x 0, as those beyond 65,500 pixels do."""

    def encode(self) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(self.pixels).save(
            buffer, "JPEG", quality=85, restart_marker_blocks=self.restart, **self.options
        )
        stream = buffer.getvalue()
        if self.zero_size:
            rows, columns = self.pixels.shape[:2]
            stated = struct.pack(">HH", rows, columns)
            stream = stream.replace(b"\x08" + stated, b"\x08" + bytes(4), 1)
        return stream


def restart_starts(stream: bytes) -> list[int]:
    """Where entropy-coded data begins anew; found byte by byte, unlike the reader does."""
    scan = stream.index(b"\xff\xda")
    first = scan + 2 + int.from_bytes(stream[scan + 2 : scan + 4], "big")
    return [
        first,
        *(
            at + 2
            for at in range(first, len(stream) - 1)
            if stream[at] == 0xFF and 0xD0 <= stream[at + 1] <= 0xD7
        ),
    ]


def write_ndpi(
    path: Path,
    images: Sequence[NdpiImage],
    *,
    gap: int = 0,
    more: Mapping[int, tuple[int, Sequence[float] | bytes]] = MappingProxyType({}),
    told: bytes = b"",
) -> None:
    """Write an NDPI; everything after its first 12 bytes comes `gap` bytes later (sparse).

    `more` are fields of each image, `told` more properties.
    """
    properties = b"Product=NanoZoomer-TEST\r\nNDP.S/N=000123\r\nVersion=1\r\nVersion=2\r\n"
    properties += told + b"\0"
    with path.open("wb") as file:
        file.write(b"II*\0" + bytes(8))
        link = 4
        file.seek(12 + gap)
        for image in images:
            stream = image.encode()
            offset = file.tell()
            file.write(stream)
            tags: dict[int, tuple[int, Sequence[float] | bytes]] = {
                256: (4, [image.pixels.shape[1]]),
                257: (4, [image.pixels.shape[0]]),
                258: (3, [8, 8, 8]),
                259: (3, [7]),
                271: (2, b"Hamamatsu\0"),
                272: (2, b"C9600-12\0"),
                273: (4, [offset]),
                279: (4, [len(stream)]),
                282: (5, [20_000_000, 1000]),
                283: (5, [40_000_000, 1000]),
                296: (3, [3]),
                306: (2, b"2024:02:29 13:14:15\0"),
                65420: (4, [1]),
                65421: (11, [image.lens]),
                65424: (9 if isinstance(image.z_nm, int) else 11, [image.z_nm]),
                65442: (2, b"950291\0"),
                65449: (2, properties),
                **more,
            }
            if image.restart and image.table:
                tags[65426] = (4, restart_starts(stream))
            entries, uppers = b"", b""
            for tag, (kind, values) in sorted(tags.items()):
                entry, upper = _entry(file, tag, kind, values)
                entries, uppers = entries + entry, uppers + upper
            directory = file.tell()
            file.write(struct.pack("<H", len(tags)) + entries + bytes(8) + uppers)
            end = file.tell()
            file.seek(link)
            file.write(struct.pack("<Q", directory))
            link = directory + 2 + len(entries)
            file.seek(end)


def _entry(
    file: io.BufferedWriter, tag: int, kind: int, values: Sequence[float] | bytes
) -> tuple[bytes, bytes]:
    """A directory entry and the upper half of its value; long values go to the file."""
    if isinstance(values, bytes):
        raw, count = values, len(values)
    else:
        letter = {3: "H", 4: "I", 5: "I", 9: "i", 11: "f"}[kind]
        lone = len(values) == 1 and kind == 4
        raw = (
            struct.pack("<Q", *values)[:8]
            if lone
            else struct.pack(f"<{len(values)}{letter}", *values)
        )
        count = len(values) // 2 if kind == 5 else len(values)
        if lone:
            return struct.pack("<HHI", tag, kind, 1) + raw[:4], raw[4:]
    if len(raw) > 4:
        place = file.tell()
        file.write(raw)
        raw = struct.pack("<Q", place)
    raw = raw.ljust(8, b"\0")
    return struct.pack("<HHI", tag, kind, count) + raw[:4], raw[4:]


CODINGS = {
    "444": ({"subsampling": 0}, 10, TileEncoding(Colour.YCBCR, (1, 1))),
    "422": ({"subsampling": 1}, 5, TileEncoding(Colour.YCBCR, (2, 1))),
    "420": ({"subsampling": 2}, 5, TileEncoding(Colour.YCBCR, (2, 2))),
    "rgb": ({"keep_rgb": True}, 10, TileEncoding(Colour.RGB, (1, 1))),
    "own tables": ({"subsampling": 0, "optimize": True}, 10, TileEncoding(Colour.YCBCR, (1, 1))),
}
"""Options of the encoder, MCUs in 80 pixels, and what the level must say."""

BASE = draw_pattern(1037, 1091)
"""13 restart segments of 80 pixels across, the last one cut; no tile divides them."""


def images_of(coding: str) -> list[NdpiImage]:
    options, restart, _ = CODINGS[coding]
    half = halve(BASE)
    return [
        NdpiImage(BASE, 20, restart=restart, options=options),
        NdpiImage(half, 10, options=options),
        NdpiImage(draw_pattern(320, 110), -1),
        NdpiImage(draw_pattern(64, 32), -2),
    ]


@pytest.fixture(params=list(CODINGS))
def coding(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def written(coding: str, tmp_path: Path) -> Path:
    path = tmp_path / "written.ndpi"
    write_ndpi(path, images_of(coding))
    return path


class TestWrittenSlide(SlideReaderContract):
    @pytest.fixture
    def reader(self, written: Path) -> Iterator[SlideReader]:
        reader = open_slide(written)
        yield reader
        reader.close()

    def test_its_encoding_is_told(self, reader: SlideReader, coding: str) -> None:
        assert {level.encoding for level in reader.levels} == {CODINGS[coding][2]}

    def test_tiles_are_a_few_segments(self, reader: SlideReader) -> None:
        base, half = reader.levels
        assert base.tile.columns == 560  # 7 of 80 pixels: one segment more than the image has
        assert half.tile == half.size == Size(519, 546)

    def test_its_metadata_are_told(self, reader: SlideReader) -> None:
        metadata = reader.metadata
        assert reader.format == "Hamamatsu NDPI"
        assert metadata.pixel_spacing_mm == (0.00025, 0.0005)
        assert metadata.objective_power == 20
        assert (metadata.manufacturer, metadata.model) == ("Hamamatsu", "C9600-12")
        assert metadata.serial_number == "950291"
        assert metadata.scanned_at == datetime(2024, 2, 29, 13, 14, 15)  # noqa: DTZ001  none given
        assert metadata.vendor["Product"] == "NanoZoomer-TEST"
        assert metadata.vendor["Version (2)"] == "2"
        assert metadata.vendor["SourceLens"] == "20"

    def test_there_is_an_overview_and_no_label(self, reader: SlideReader) -> None:
        assert set(reader.associated) == {AssociatedKind.OVERVIEW}


class TestRealSlide(SlideReaderContract):
    @pytest.fixture(
        params=[
            "hamamatsu-ndpi/test3-DAPI-2-(387).ndpi",
            "synthetic/hamamatsu.ndpi",
            "synthetic/hamamatsu-zstack.ndpi",
        ]
    )
    def reader(self, shared_slides: Path, request: pytest.FixtureRequest) -> Iterator[SlideReader]:
        reader = open_slide(shared_slides / request.param)
        assert reader.format == "Hamamatsu NDPI"
        yield reader
        reader.close()

    def test_every_level_passes_through(self, reader: SlideReader) -> None:
        assert all(level.encoding is not None for level in reader.levels)


def whole_level(reader: SlideReader, number: int, plane: int = 0) -> Pixels:
    level = reader.levels[number]
    whole = np.zeros((level.size.rows, level.size.columns, 3), np.uint8)
    for column, row in level.grid.positions():
        visible = level.grid.visible(column, row)
        top, left = row * level.tile.rows, column * level.tile.columns
        whole[top : top + visible.rows, left : left + visible.columns] = reader.read_tile(
            number, column, row, plane=plane
        )[: visible.rows, : visible.columns]
    return whole


def entropy_coded(stream: bytes) -> list[bytes]:
    """The restart segments of a stream, without markers."""
    starts = restart_starts(stream)
    ends = [start - 2 for start in starts[1:]] + [stream.rindex(b"\xff\xd9")]
    return [stream[start:end] for start, end in zip(starts, ends, strict=True)]


def test_entropy_coded_bytes_are_the_files(written: Path, coding: str) -> None:
    given_segments = entropy_coded(images_of(coding)[0].encode())
    with open_slide_closing(written) as reader:
        level = reader.levels[0]
        mcu_rows = 16 if coding == "420" else 8
        down = level.tile.rows // mcu_rows
        blanks = set()
        for column, row in level.grid.positions():
            found = entropy_coded(reader.read_encoded_tile(0, column, row))
            assert len(found) == 7 * down
            for index, segment in enumerate(found):
                x, y = column * 7 + index % 7, row * down + index // 7
                if x < 13 and y < -(-level.size.rows // mcu_rows):
                    assert segment == given_segments[y * 13 + x]
                else:
                    blanks.add(segment)
        assert len(blanks) == 1


class open_slide_closing:  # noqa: N801
    """An open slide as a context."""

    def __init__(self, path: Path) -> None:
        self.reader = open_slide(path)

    def __enter__(self) -> SlideReader:
        return self.reader

    def __exit__(self, *_: object) -> None:
        self.reader.close()


def test_pixels_are_those_of_the_whole_image(written: Path, coding: str) -> None:
    """Chroma is interpolated across pixels that a tile's decoder does not see: only there, and
    only where chroma is coarser than luma, may a pixel beside a tile's edge differ."""
    expected = jpeg.decode(images_of(coding)[0].encode()).astype(int)
    with open_slide_closing(written) as reader:
        tile = reader.levels[0].tile
        difference = np.abs(whole_level(reader, 0) - expected).max(axis=2)
    if coding in {"422", "420"}:
        y, x = np.mgrid[: difference.shape[0], : difference.shape[1]]
        beside_edge = ((x + 1) % tile.columns <= 1) | ((y + 1) % tile.rows <= 1)
        # White blocks begin 3 pixels beyond the image, too far to be mixed in.
        assert difference[beside_edge].max() <= 12
        difference[beside_edge] = 0
    assert difference.max() == 0


def test_padding_is_white(written: Path, coding: str) -> None:
    with open_slide_closing(written) as reader:
        last = reader.levels[0].grid.tiles
        stream = reader.read_encoded_tile(0, last.columns - 1, last.rows - 1)
    assert (jpeg.decode(stream)[:, -60:] >= 250).all()
    assert (jpeg.decode(stream)[-6:] >= 250).all()


def test_other_decoders_agree(written: Path) -> None:
    with open_slide_closing(written) as reader:
        for column, row in reader.levels[0].grid.positions():
            stream = reader.read_encoded_tile(0, column, row)
            image = Image.open(io.BytesIO(stream))
            image.load()
            difference = np.asarray(image.convert("RGB")).astype(int) - jpeg.decode(stream)
            assert np.abs(difference).max() <= 1


def assert_same_as_openslide(path: Path, *, borders: int) -> None:
    """Equal, except for `borders` levels where OpenSlide's own tiles (restart segments) meet.

    At the corners and in the middle of each level: OpenSlide is slow with segments of 8 rows. It
    shows the plane at 0 alone.
    """
    with open_slide_closing(path) as reader, openslide.OpenSlide(path) as judge:
        plane = reader.focal_planes_um.index(0.0)
        for number, level in enumerate(reader.levels):
            theirs = list(judge.level_dimensions).index((level.size.columns, level.size.rows))
            assert level.downsample == judge.level_downsamples[theirs]
            last = level.grid.tiles.columns - 1, level.grid.tiles.rows - 1
            middle = (last[0] // 2, last[1] // 2)
            for column, row in {(0, 0), (last[0], 0), (0, last[1]), last, middle}:
                visible = level.grid.visible(column, row)
                left, top = column * level.tile.columns, row * level.tile.rows
                place = left * round(level.downsample), top * round(level.downsample)
                expected = judge.read_region(place, theirs, (visible.columns, visible.rows))
                found = reader.read_tile(number, column, row, plane=plane)
                found = found[: visible.rows, : visible.columns]
                difference = np.abs(found.astype(int) - np.asarray(expected)[:, :, :3]).max(axis=2)
                assert difference.max() <= borders
                if borders:
                    columns = int(judge.properties[f"openslide.level[{theirs}].tile-width"])
                    rows = int(judge.properties[f"openslide.level[{theirs}].tile-height"])
                    y, x = np.mgrid[: visible.rows, : visible.columns]
                    inside = ((x + 1) % columns > 1) & ((y + 1) % rows > 1)
                    assert difference[inside].max() == 0
        assert set(judge.associated_images) == {"macro"}
        np.testing.assert_array_equal(
            reader.read_associated(AssociatedKind.OVERVIEW),
            np.asarray(judge.associated_images["macro"].convert("RGB")),
        )


@pytest.mark.parametrize("coding", [name for name in CODINGS if name != "420"])
def test_a_written_slide_looks_the_same_to_openslide(coding: str, tmp_path: Path) -> None:
    """Of whole MCUs, as scanners write: OpenSlide shifts the rows of others, and reads no 4:2:0.

    The right edge meets white blocks, whose chroma is mixed into the last pixel.
    """
    path = tmp_path / "whole.ndpi"
    base = draw_pattern(1040, 1104)
    images = [replace(image, pixels=base) for image in images_of(coding)[:1]]
    write_ndpi(path, images + images_of(coding)[2:])
    assert_same_as_openslide(path, borders=40 if coding == "422" else 0)


@pytest.mark.parametrize(
    "name",
    [
        "hamamatsu-ndpi/test3-DAPI-2-(387).ndpi",
        "synthetic/hamamatsu.ndpi",
        "synthetic/hamamatsu-zstack.ndpi",
    ],
)
def test_a_real_slide_looks_the_same_to_openslide(shared_slides: Path, name: str) -> None:
    assert_same_as_openslide(shared_slides / name, borders=0)


@pytest.mark.parametrize("change", ["table", "zero_size"])
def test_what_a_stream_does_not_say_is_found(tmp_path: Path, change: str) -> None:
    """Without a table of restarts they are searched for; without a size the directory has it."""
    path, plain = tmp_path / "changed.ndpi", tmp_path / "plain.ndpi"
    image = NdpiImage(BASE, restart=10)
    write_ndpi(plain, [image])
    write_ndpi(path, [replace(image, **{change: change == "zero_size"})])
    with open_slide_closing(path) as reader, open_slide_closing(plain) as expected:
        assert reader.read_encoded_tile(0, 1, 1) == expected.read_encoded_tile(0, 1, 1)
        np.testing.assert_array_equal(
            reader.encoded_tile_lengths(0), expected.encoded_tile_lengths(0)
        )


def test_a_wrong_table_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "wrong.ndpi"
    image = NdpiImage(BASE, restart=10)
    write_ndpi(path, [image])
    data = path.read_bytes()
    listed = struct.pack("<3I", *restart_starts(image.encode())[:3])
    assert data.count(listed) == 1
    path.write_bytes(data.replace(listed, struct.pack("<3I", 700, 701, 705)))
    with open_slide_closing(path) as reader:
        np.testing.assert_array_equal(whole_level(reader, 0), jpeg.decode(image.encode()))


def test_beyond_4_gib_offsets_have_an_upper_half(tmp_path: Path) -> None:
    near, far = tmp_path / "near.ndpi", tmp_path / "far.ndpi"
    write_ndpi(near, images_of("444"))
    write_ndpi(far, images_of("444"), gap=FOUR_GIB + 4096)
    with open_slide_closing(far) as reader, open_slide_closing(near) as expected:
        assert reader.metadata == expected.metadata
        assert reader.levels == expected.levels
        for number in range(2):
            np.testing.assert_array_equal(
                whole_level(reader, number), whole_level(expected, number)
            )
    with far.open("r+b") as file:
        file.truncate(FOUR_GIB + 5000)
    with pytest.raises(DamagedSlideError, match="cut short"):
        open_slide(far)


def stack_of(heights_nm: Sequence[float], base: Pixels, **said: object) -> list[NdpiImage]:
    """The same image in several planes, each a little darker than the one before."""
    return [
        NdpiImage(base // (index + 1), z_nm=z_nm, **said) for index, z_nm in enumerate(heights_nm)
    ]


HEIGHTS_NM = (500, -1500, 0)
STACK = [
    *stack_of(HEIGHTS_NM, BASE, restart=10),
    *stack_of(HEIGHTS_NM, halve(BASE), lens=10),
    NdpiImage(draw_pattern(320, 110), -1),
]


class TestWrittenStack(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        write_ndpi(tmp_path / "stack.ndpi", STACK)
        reader = open_slide(tmp_path / "stack.ndpi")
        yield reader
        reader.close()

    def test_planes_rise_whatever_their_order_in_the_file(self, reader: SlideReader) -> None:
        assert reader.focal_planes_um == (-1.5, 0.0, 0.5)
        for plane, image in enumerate((STACK[1], STACK[2], STACK[0])):
            expected = jpeg.decode(image.encode())
            np.testing.assert_array_equal(whole_level(reader, 0, plane), expected)

    def test_every_plane_passes_through(self, reader: SlideReader, tmp_path: Path) -> None:
        assert reader.metadata.not_kept == ()
        levels = build_pyramid(reader, tmp_path)
        assert [level.origin for level in levels] == [
            Origin.PASSED_THROUGH,
            Origin.PASSED_THROUGH,
            Origin.BUILT,
        ]
        for level in levels:
            assert level.order.focal_planes == 3
            assert [len(frame) for frame in level.frames()] == level.frame_lengths.tolist()

    def test_the_properties_are_those_of_the_plane_nearest_to_0(self, reader: SlideReader) -> None:
        assert reader.metadata.vendor["ZOffsetFromSlideCentre"] == "0"

    @pytest.mark.parametrize("plane", [-1, 3])
    def test_there_is_no_plane_outside(self, reader: SlideReader, plane: int) -> None:
        with pytest.raises(IndexError):
            reader.read_encoded_tile(0, 0, 0, 0, plane)
        with pytest.raises(IndexError):
            reader.encoded_tile_lengths(0, 0, plane)
        with pytest.raises(IndexError):
            reader.read_tile(0, 0, 0, 1)


def test_planes_beyond_4_gib(tmp_path: Path) -> None:
    near, far = tmp_path / "near.ndpi", tmp_path / "far.ndpi"
    write_ndpi(near, STACK)
    write_ndpi(far, STACK, gap=FOUR_GIB + 4096)
    with open_slide_closing(far) as reader, open_slide_closing(near) as expected:
        assert reader.focal_planes_um == expected.focal_planes_um
        for plane in range(3):
            assert reader.read_encoded_tile(0, 1, 1, 0, plane) == expected.read_encoded_tile(
                0, 1, 1, 0, plane
            )


def test_every_plane_of_the_vendors_layout_is_as_tifffile_has_it(shared_slides: Path) -> None:
    path = shared_slides / "synthetic" / "hamamatsu-zstack.ndpi"
    with open_slide_closing(path) as reader, tifffile.TiffFile(path) as judge:
        assert reader.focal_planes_um == (-2.0, 0.0, 2.0)
        assert reader.metadata.not_kept == ()
        for number, level in enumerate(reader.levels):
            for plane, height_um in enumerate(reader.focal_planes_um):
                (page,) = (
                    page
                    for page in judge.pages
                    if page.shape[:2] == (level.size.rows, level.size.columns)
                    and page.tags[65424].value == 1000 * height_um
                )
                np.testing.assert_array_equal(whole_level(reader, number, plane), page.asarray())


SMALL = draw_pattern(640, 512)
HALF = halve(SMALL)
RESTARTED: dict[str, object] = {"restart": 16}


@pytest.mark.parametrize(
    ("images", "heights_um", "levels", "not_kept"),
    [
        (
            [*stack_of((-2000, 0, 2000), SMALL, **RESTARTED), *stack_of((0, 2000), HALF, lens=10)],
            (-2.0, 0.0, 2.0),
            1,
            (LEVELS_NOT_KEPT,),
        ),
        (
            [*stack_of((-2000, 100), SMALL, **RESTARTED), *stack_of((-2000, 100, 9), HALF)],
            (-2.0, 0.1),
            2,
            (PLANES_NOT_KEPT,),
        ),
        (
            [
                *stack_of((0, 100), SMALL, **RESTARTED),
                NdpiImage(SMALL, z_nm=300, restart=20, options={"subsampling": 1}),
            ],
            (0.0, 0.1),
            1,
            (PLANES_NOT_KEPT,),
        ),
        (
            [
                *stack_of((0, 100), SMALL, **RESTARTED),
                NdpiImage(HALF, z_nm=0),
                NdpiImage(HALF, z_nm=100, options={"subsampling": 1}),
            ],
            (0.0, 0.1),
            1,
            (LEVELS_NOT_KEPT,),
        ),
        ([NdpiImage(SMALL, z_nm=7000), NdpiImage(HALF, 10)], (7.0,), 2, ()),
        (
            [NdpiImage(SMALL, z_nm=7000), *stack_of((0, 7000), HALF, lens=10)],
            (7.0,),
            2,
            (PLANES_NOT_KEPT,),
        ),
        ([NdpiImage(SMALL), NdpiImage(SMALL // 2)], (0.0,), 1, ()),
    ],
    ids=[
        "a level lacks a plane",
        "a plane lacks the base",
        "another coding of the base",
        "another coding of a level",
        "heights differ by level",
        "one plane and a coarse stack",
        "twice the same plane",
    ],
)
def test_only_what_all_planes_have_is_kept(
    tmp_path: Path,
    images: list[NdpiImage],
    heights_um: tuple[float, ...],
    levels: int,
    not_kept: tuple[str, ...],
) -> None:
    path = tmp_path / "uneven.ndpi"
    write_ndpi(path, images)
    with open_slide_closing(path) as reader:
        assert reader.focal_planes_um == heights_um
        assert len(reader.levels) == levels
        assert reader.metadata.not_kept == not_kept
        for number in range(levels):
            for plane in range(len(heights_um)):
                assert reader.read_encoded_tile(number, 0, 0, 0, plane)


def test_an_impossible_height_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.ndpi"
    write_ndpi(path, [NdpiImage(SMALL, z_nm=float("nan"))])
    with pytest.raises(DamagedSlideError, match="height"):
        open_slide(path)


def test_what_was_read_last_is_kept_within_a_bound() -> None:
    recent, made = Recent(25), []

    def get(key: int) -> bytes:
        return recent.get(key, lambda: made.append(key) or bytes(10))

    for key in (1, 2, 1, 3, 1, 2):
        assert get(key) == bytes(10)
    assert made == [1, 2, 3, 2]
    assert len(recent.get("large", lambda: bytes(99))) == 99
    assert len(recent.get("large", bytes)) == 99


def test_a_slide_of_one_plane_lacks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plane.ndpi"
    write_ndpi(path, [NdpiImage(draw_pattern(640, 512), restart=16)])
    with open_slide_closing(path) as reader:
        assert reader.metadata.not_kept == ()
        assert "sgi.not_kept" not in reader.metadata.vendor


def test_what_cannot_be_cut_is_decoded(tmp_path: Path) -> None:
    """A large image without restarts has only pixels; its neighbour still passes through."""
    path = tmp_path / "mixed.ndpi"
    base, half = draw_pattern(3200, 2048), draw_pattern(1600, 1500)
    write_ndpi(path, [NdpiImage(base, restart=16), NdpiImage(half, 10, restart=7)])
    with open_slide_closing(path) as reader:
        assert [level.encoding is None for level in reader.levels] == [False, True]
        np.testing.assert_array_equal(
            whole_level(reader, 1), jpeg.decode(NdpiImage(half, restart=7).encode())
        )
        levels = build_pyramid(reader, tmp_path)
        assert [level.origin for level in levels[:3]] == [
            Origin.PASSED_THROUGH,
            Origin.RE_ENCODED,
            Origin.BUILT,
        ]
        for level in levels:
            assert [len(frame) for frame in level.frames()] == level.frame_lengths.tolist()


def test_a_base_too_large_to_decode_is_left_to_openslide(tmp_path: Path) -> None:
    path = tmp_path / "large.ndpi"
    write_ndpi(path, [NdpiImage(np.full((4200, 4200, 3), 230, np.uint8))])
    assert hamamatsu.sniff(path, path.read_bytes()[:4096]) is Confidence.NONE
    with open_slide_closing(path) as reader:
        assert reader.format == "hamamatsu (OpenSlide)"


def test_another_tiff_is_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "slide.ndpi"
    Image.fromarray(draw_pattern(64, 64)).save(path, "TIFF")
    assert hamamatsu.sniff(path, path.read_bytes()[:4096]) is Confidence.NONE


def test_a_cut_file_says_so(shared_slides: Path, written: Path) -> None:
    with pytest.raises(DamagedSlideError, match="cut short"):
        open_slide(shared_slides / "bad" / "truncated.ndpi")
    data = written.read_bytes()
    written.write_bytes(data[: len(data) * 3 // 4])
    with pytest.raises(DamagedSlideError, match="cut short"):
        open_slide(written)


def test_what_a_header_asks_for_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "slide.ndpi"
    write_ndpi(path, images_of("444"))
    for limits in (
        Limits(level_pixels=1000),
        Limits(level_tiles=3),
        Limits(tile_pixels=100),
        Limits(associated_pixels=320 * 109),
        Limits(directories=2),
        Limits(text_bytes=20),
    ):
        with pytest.raises(SlideTooLargeError):
            open_slide(path, limits).close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a=1\r\nb=\r\nc", {"a": "1", "b": "", "c": ""}),
        ("a=1=2\n;a=3", {"a": "1=2", "a (2)": "3"}),
    ],
)
def test_properties_are_kept_whole(text: str, expected: dict[str, str]) -> None:
    assert parse_properties(text) == expected


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("small") / "small.ndpi"
    write_ndpi(
        path,
        [
            NdpiImage(draw_pattern(72, 40), restart=3),
            NdpiImage(draw_pattern(72, 40) // 2, restart=3, z_nm=900),
            NdpiImage(draw_pattern(36, 20), 10),
            NdpiImage(draw_pattern(16, 16), -1),
        ],
    )
    return path.read_bytes()


@given(data=st.data())
@settings(
    max_examples=300, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_mutated_file_is_a_value_or_our_error(
    small: bytes, tmp_path: Path, data: st.DataObject
) -> None:
    mutated = bytearray(small)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutated) - 1))
        mutated[place] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 255])))
    cut = data.draw(st.one_of(st.just(len(mutated)), st.integers(0, len(mutated))))
    path = tmp_path / "mutated.ndpi"
    path.write_bytes(mutated[:cut])
    read_everything(path)


def read_everything(path: Path) -> None:
    """Open by way of the format alone, and ask for a little of all that a slide offers."""
    with suppress(TilingError):
        hamamatsu.sniff(path, path.read_bytes()[:4096])
        reader = hamamatsu.open_(path, Limits())
        try:
            for number, level in enumerate(reader.levels):
                last = level.grid.tiles
                with suppress(TilingError):
                    reader.read_tile(number, 0, 0)
                    plane = len(reader.focal_planes_um) - 1
                    reader.read_tile(number, last.columns - 1, last.rows - 1, plane=plane)
                if level.encoding is not None:
                    with suppress(TilingError):
                        assert reader.encoded_tile_lengths(number).min() > 0
            for kind in reader.associated:
                with suppress(TilingError):
                    reader.read_associated(kind)
        finally:
            reader.close()


def test_fluorescence_is_told_with_its_wavelengths_and_its_focus(tmp_path: Path) -> None:
    path = tmp_path / "dark.ndpi"
    more = {65434: (2, b"DAPI\0"), 65451: (4, [455]), 65458: (4, [0])}
    told = b"Name=DAPI\r\nExcitationWaveLength=387\r\nEmissionWaveLength=455\r\n"
    write_ndpi(path, images_of("444"), more=more, told=told)
    reader = open_slide(path)
    dapi = OpticalPath("DAPI", Illumination.FLUORESCENCE, None, 387, 455)
    assert (reader.optical_paths, reader.metadata.focus_method) == ((dapi,), "MANUAL")
    reader.close()


def test_a_real_slide_in_fluorescence_is_told_as_such(shared_slides: Path) -> None:
    reader = open_slide(shared_slides / "hamamatsu-ndpi/test3-DAPI-2-(387).ndpi")
    dapi = OpticalPath("DAPI 2 (387)", Illumination.FLUORESCENCE, None, 387, 455)
    assert (reader.optical_paths, reader.metadata.focus_method) == ((dapi,), "MANUAL")
    reader.close()
