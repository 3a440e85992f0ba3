"""Zeiss CZI: written here of every kind, and compared with what was put in and with OpenSlide."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import openslide
import pytest

from tiling.codecs import jpeg
from tiling.confidence import Confidence
from tiling.downsample import halve
from tiling.errors import UnsupportedSlideError
from tiling.formats import zeiss
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
    unpacked,
    write_czi,
)
from tiling.geometry import Size
from tiling.registry import open_slide
from tiling.slide import (
    COUNTED_FOCAL_PLANES,
    NOT_KEPT,
    RGB8,
    AssociatedKind,
    Illumination,
    PixelFormat,
    Samples,
    SlideReader,
)
from tiling.testing import SlideReaderContract, draw_pattern

BASE = draw_pattern(1300, 900)
CAMERA = Size(400, 300)
STEP = Size(360, 270)
"""How far the camera moves: its images overlap by a tenth."""

INFORMATION = """<?xml version="1.0" encoding="utf-8"?><ImageDocument><Metadata><Information>
<Application><Name>ZEN slidescan</Name><Version>3.5.1</Version></Application>
<Image><SizeX>1300</SizeX><AcquisitionDateAndTime>2026-03-12T10:11:12.1234567Z
</AcquisitionDateAndTime><Dimensions><Channels>{told}</Channels>{depth}
<S><Scenes><Scene Index="0" Name="left"/><Scene Index="3" Name="right"/></Scenes></S></Dimensions>
<ObjectiveSettings><ObjectiveRef Id="Objective:2"/></ObjectiveSettings>
<MicroscopeRef Id="Microscope:1"/></Image>
<Instrument><Microscopes><Microscope Id="Microscope:1" Name="Axioscan 7"><Manufacturer>
<SerialNumber>4661000123</SerialNumber></Manufacturer></Microscope></Microscopes>
<Objectives><Objective Id="Objective:1"><NominalMagnification>5</NominalMagnification></Objective>
<Objective Id="Objective:2"><NominalMagnification>20</NominalMagnification></Objective>
</Objectives></Instrument></Information>
<Scaling><Items><Distance Id="X"><Value>2.2E-07</Value></Distance>
<Distance Id="Y"><Value>2.3E-07</Value></Distance>{scaling}</Items></Scaling>
<DisplaySetting><Channels>{shown}</Channels></DisplaySetting>
<AttachmentInfos><AttachmentInfo><Label><Barcodes><Barcode><Content>26H00123-A1</Content></Barcode>
</Barcodes></Label></AttachmentInfo></AttachmentInfos></Metadata></ImageDocument>"""
DEPTH = '<Distance Id="Z"><Value>1.5E-06</Value></Distance>'
FLUORESCENCE = (
    '<Channel Id="Channel:0" Name="DAPI"><ExcitationWavelength>353</ExcitationWavelength>'
    "<EmissionWavelength>465</EmissionWavelength><ContrastMethod>Fluorescence</ContrastMethod>"
    '<Color>#FF0000FF</Color></Channel><Channel Id="Channel:1"><Color>#00FF00</Color></Channel>'
)
SHOWN = (
    '<Channel Id="Channel:0"><Color>#FF00A1FF</Color></Channel>'
    '<Channel Id="odd" Name="GFP"><ColorMode>None</ColorMode><Color>#FF00FF00</Color></Channel>'
)


def describe(told: str = "", shown: str = "", scaling: str = DEPTH, depth: str = "") -> str:
    return INFORMATION.format(told=told, shown=shown, scaling=scaling, depth=depth)


def photograph(
    image: Samples,
    *,
    x: int = 0,
    y: int = 0,
    compression: int = UNCOMPRESSED,
    **places: int,
) -> tuple[list[WrittenSubblock], Samples]:
    """An image as overlapping camera images, each a little brighter than the one before, written
    in an order that is not theirs; and what they look like laid on each other.
    """
    composed = np.zeros_like(image)
    shots = []
    for number, (top, left) in enumerate(
        (top, left)
        for top in range(0, image.shape[0] - CAMERA.rows + STEP.rows, STEP.rows)
        for left in range(0, image.shape[1] - CAMERA.columns + STEP.columns, STEP.columns)
    ):
        seen = image[top : top + CAMERA.rows, left : left + CAMERA.columns]
        shot = np.asarray(seen // 2 + number, image.dtype)
        area = composed[top : top + CAMERA.rows, left : left + CAMERA.columns]
        area[:] = unpacked(shot, compression)
        shots.append(
            WrittenSubblock(
                shot, x + left, y + top, {"C": 0, **places, "M": number}, compression=compression
            )
        )
    return shots[1::2] + shots[::2], composed


def reduce(image: Samples, factor: int, x: int = 0, y: int = 0, **places: int) -> WrittenSubblock:
    for _ in range(factor.bit_length() - 1):
        image = halve(image)
    size = (image.shape[1] * factor, image.shape[0] * factor)
    return WrittenSubblock(image, x, y, {"C": 0, **places}, factor, size)


def read_level(reader: SlideReader, number: int = 0, path: int = 0, plane: int = 0) -> Samples:
    level = reader.levels[number]
    shape = (level.size.rows, level.size.columns, reader.pixel_format.samples)
    image = np.zeros(shape, reader.pixel_format.dtype)
    for column, row in level.grid.positions():
        seen = level.grid.visible(column, row)
        top, left = row * level.tile.rows, column * level.tile.columns
        image[top : top + seen.rows, left : left + seen.columns] = reader.read_tile(
            number, column, row, path, plane
        )[: seen.rows, : seen.columns]
    return image


class TestBrightField(SlideReaderContract):
    """A mosaic with a pyramid, label, overview and thumbnail, far from the glass's corner."""

    label, overview = draw_pattern(90, 80), draw_pattern(240, 90)
    composed = photograph(BASE)[1]

    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        path = tmp_path / "slide.czi"
        shots, composed = photograph(BASE, x=-500, y=70_000, S=0)
        pyramid = [reduce(composed, factor, -500, 70_000, S=0) for factor in (2, 4)]
        label = make_czi([WrittenSubblock(self.label, 7, 9, {"C": 0})])
        attachments = [
            WrittenAttachment("Label", "CZI", label),
            WrittenAttachment("SlidePreview", "JPG", jpeg.encode(self.overview)),
            WrittenAttachment("Thumbnail", "JPG", jpeg.encode(draw_pattern(120, 100))),
            WrittenAttachment("TimeStamps", "CZTIMS", b"of no use"),
        ]
        told = '<Channel Id="Channel:0" Name="TL Brightfield"/>'
        write_czi(path, [*pyramid, *shots], document=describe(told), attachments=attachments)
        reader = open_slide(path, candidates=[zeiss])
        yield reader
        reader.close()

    def test_higher_numbers_lie_above(self, reader: SlideReader) -> None:
        np.testing.assert_array_equal(read_level(reader), self.composed)

    def test_levels_are_the_files(self, reader: SlideReader) -> None:
        sizes = [level.size for level in reader.levels]
        assert sizes == [Size(1300, 900), Size(650, 450), Size(325, 225)]
        np.testing.assert_array_equal(read_level(reader, 2), halve(halve(self.composed)))
        assert not any(level.encoding for level in reader.levels)

    def test_its_metadata_are_told(self, reader: SlideReader) -> None:
        metadata = reader.metadata
        assert metadata.pixel_spacing_mm == (0.00023, 0.00022)
        assert metadata.objective_power == 20
        assert metadata.scanned_at == datetime(2026, 3, 12, 10, 11, 12, 123456, UTC)
        assert metadata.manufacturer == "Zeiss"
        assert metadata.model == "Axioscan 7"
        assert metadata.serial_number == "4661000123"
        assert metadata.software == "ZEN slidescan 3.5.1"
        assert metadata.barcode == "26H00123-A1"
        assert metadata.not_kept == ()
        assert metadata.vendor["Metadata.Information.Image.SizeX"] == "1300"
        assert "sgi.scene" not in metadata.vendor
        assert reader.optical_paths[0].name == "TL Brightfield"

    def test_attached_images_are_read(self, reader: SlideReader) -> None:
        assert set(reader.associated) == set(AssociatedKind)
        np.testing.assert_array_equal(reader.read_associated(AssociatedKind.LABEL), self.label)
        np.testing.assert_array_equal(
            reader.read_associated(AssociatedKind.OVERVIEW), jpeg.decode(jpeg.encode(self.overview))
        )


class TestFluorescence(SlideReaderContract):
    """Two channels of 14 bits in three focal planes, with a pyramid that lacks one of them."""

    @staticmethod
    def light(channel: int, plane: int) -> Samples:
        grey = BASE[:, :, channel : channel + 1].astype(np.uint16)
        return np.asarray(grey * 60 + 5 * plane, np.uint16)

    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        path = tmp_path / "slide.czi"
        subblocks = []
        for channel in (0, 1):
            for plane in (4, 5, 6):
                shots, composed = photograph(
                    self.light(channel, plane), C=channel, Z=plane, compression=ZSTD_WITH_HEADER
                )
                subblocks += shots
                subblocks.append(reduce(composed, 2, C=channel, Z=plane))
                if (channel, plane) != (1, 5):
                    subblocks.append(reduce(composed, 4, C=channel, Z=plane))
        write_czi(path, subblocks, document=describe(FLUORESCENCE, SHOWN))
        reader = open_slide(path, candidates=[zeiss])
        yield reader
        reader.close()

    def test_each_channel_and_plane_has_its_own(self, reader: SlideReader) -> None:
        assert reader.pixel_format == PixelFormat(1, 16)
        for path in (0, 1):
            for plane in (0, 1, 2):
                _, composed = photograph(self.light(path, 4 + plane))
                np.testing.assert_array_equal(read_level(reader, 0, path, plane), composed)
        assert len(reader.levels) == 2

    def test_planes_have_heights(self, reader: SlideReader) -> None:
        assert reader.focal_planes_um == pytest.approx((6.0, 7.5, 9.0))

    def test_channels_are_optical_paths(self, reader: SlideReader) -> None:
        dapi, gfp = reader.optical_paths
        assert (dapi.name, dapi.colour) == ("DAPI", (0, 161, 255))
        assert (dapi.excitation_nm, dapi.emission_nm) == (353, 465)
        assert dapi.illumination is Illumination.FLUORESCENCE
        assert (gfp.name, gfp.colour, gfp.emission_nm) == ("GFP", None, None)
        with pytest.raises(IndexError):
            reader.read_tile(0, 0, 0, -1)


class TestScenes(SlideReaderContract):
    """Two areas of the glass, whose surroundings overlap; a pyramid for one of them."""

    left, right = BASE[:600, :700], BASE[200:800, 500:1300, :]

    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        path = tmp_path / "slide.czi"
        subblocks = [
            *photograph(self.left, S=0)[0],
            *photograph(self.right, x=600, y=500, S=3, compression=JPEG_XR)[0],
            reduce(photograph(self.right)[1], 2, 600, 500, S=3),
            # An overview of all of the glass belongs to none of its areas.
            WrittenSubblock(halve(halve(BASE)), 0, 0, {"C": 0}, 4),
        ]
        thumbnail = WrittenAttachment("Thumbnail", "JPG", jpeg.encode(draw_pattern(120, 100)))
        write_czi(path, subblocks, document=describe(), attachments=[thumbnail])
        reader = open_slide(path, candidates=[zeiss])
        yield reader
        reader.close()

    def test_each_is_a_slide(self, reader: SlideReader) -> None:
        first, second = reader.scenes
        assert list(second.scenes) == [second, first]
        np.testing.assert_array_equal(read_level(first), photograph(self.left)[1])
        np.testing.assert_array_equal(read_level(second), photograph(self.right)[1])
        assert (len(first.levels), len(second.levels)) == (1, 2)

    def test_each_is_named(self, reader: SlideReader) -> None:
        names = [scene.metadata.vendor["sgi.scene"] for scene in reader.scenes]
        assert names == ["left", "right"]

    def test_what_shows_the_whole_file_is_none_of_its_slides(self, reader: SlideReader) -> None:
        assert not any(scene.associated for scene in reader.scenes)


class TestSyntheticSlide(SlideReaderContract):
    @pytest.fixture
    def reader(self, shared_slides: Path) -> Iterator[SlideReader]:
        reader = open_slide(shared_slides / "synthetic" / "zeiss-zstd0.czi", candidates=[zeiss])
        yield reader
        reader.close()


def test_the_synthetic_slide_looks_the_same_to_openslide(shared_slides: Path) -> None:
    path = shared_slides / "synthetic" / "zeiss-zstd0.czi"
    reader = open_slide(path, candidates=[zeiss])
    with openslide.OpenSlide(path) as judge:
        for region, scene in enumerate(reader.scenes):
            x, y = (int(judge.properties[f"openslide.region[{region}].{axis}"]) for axis in "xy")
            assert [level.downsample for level in scene.levels] == list(judge.level_downsamples)
            for number, level in enumerate(scene.levels):
                size = (level.size.columns, level.size.rows)
                expected = np.asarray(judge.read_region((x, y), number, size))
                assert (expected[:, :, 3] == 255).all()
                np.testing.assert_array_equal(read_level(scene, number), expected[:, :, :3])
        for kind, name in ((AssociatedKind.LABEL, "label"), (AssociatedKind.OVERVIEW, "macro")):
            expected = np.asarray(judge.associated_images[name].convert("RGB"))
            np.testing.assert_array_equal(reader.read_associated(kind), expected)
    reader.close()


KINDS = {
    "grey": BASE[:, :, 1:2],
    "deep grey": np.asarray(BASE[:, :, 1:2].astype(np.uint16) * 200 + 3, np.uint16),
    "colour": BASE,
    "deep colour": np.asarray(BASE.astype(np.uint16) * 251 + 7, np.uint16),
}


EVERY = [
    (kind, compression)
    for kind, image in KINDS.items()
    for compression in (UNCOMPRESSED, JPEG, JPEG_XR, ZSTD, ZSTD_WITH_HEADER)
    if compression != JPEG or image.dtype == np.uint8
]


@pytest.mark.parametrize(("kind", "compression"), EVERY)
def test_every_compression_of_every_kind(tmp_path: Path, kind: str, compression: int) -> None:
    image = KINDS[kind][:420, :610]
    shots, composed = photograph(image, compression=compression)
    write_czi(tmp_path / "slide.czi", shots)
    reader = open_slide(tmp_path / "slide.czi", candidates=[zeiss])
    seen = np.zeros(image.shape[:2], np.bool_)
    for shot in shots:
        rows, columns = shot.samples.shape[:2]
        seen[shot.y : shot.y + rows, shot.x : shot.x + columns] = True
    assert reader.pixel_format == PixelFormat(image.shape[2], 8 * image.itemsize)
    np.testing.assert_array_equal(read_level(reader)[seen], composed[seen])
    reader.close()


@pytest.mark.parametrize("kind", ["colour", "deep colour"])
@pytest.mark.parametrize("compression", [UNCOMPRESSED, ZSTD, ZSTD_WITH_HEADER])
def test_openslide_sees_the_same(tmp_path: Path, kind: str, compression: int) -> None:
    """Which shows of 16 bits the upper ones, and lays lower camera images above higher ones, other
    than Zeiss's own library: so only what a single one shows is compared.
    """
    image = KINDS[kind][:600, :800]
    shots, _ = photograph(image, compression=compression)
    document = describe().replace("</SizeX>", "</SizeX><SizeY>600</SizeY>")
    none = WrittenAttachment("TimeStamps", "CZTIMS", b"")
    write_czi(tmp_path / "slide.czi", shots, document=document, attachments=[none])
    reader = open_slide(tmp_path / "slide.czi", candidates=[zeiss])
    ours = read_level(reader)
    with openslide.OpenSlide(tmp_path / "slide.czi") as judge:
        expected = np.asarray(judge.read_region((0, 0), 0, (ours.shape[1], ours.shape[0])))
    shown = np.zeros(expected.shape[:2], np.uint8)
    for shot in shots:
        rows, columns = shot.samples.shape[:2]
        shown[shot.y : shot.y + rows, shot.x : shot.x + columns] += 1
    seen = shown == 1
    assert ((expected[:, :, 3] == 255) == (shown > 0)).all()
    assert seen.mean() > 0.5
    np.testing.assert_array_equal(
        (ours if ours.dtype == np.uint8 else ours >> 8)[seen], expected[seen][:, :3]
    )
    reader.close()


def test_the_order_of_colours_in_jpeg_xr_is_the_images_own(tmp_path: Path) -> None:
    """The directory before an image may ask for blue first; the image itself knows better."""
    blue_first = bytearray(pack_samples(BASE[:60, :80], JPEG_XR))
    assert blue_first[23] == 0x0D
    blue_first[23] = 0x0C
    shot = WrittenSubblock(BASE[:60, :80], compression=JPEG_XR, data=bytes(blue_first))
    write_czi(tmp_path / "slide.czi", [shot])
    reader = open_slide(tmp_path / "slide.czi", candidates=[zeiss])
    np.testing.assert_array_equal(read_level(reader), BASE[:60, :80])
    reader.close()


def open_written(path: Path, subblocks: list[WrittenSubblock], document: str = "") -> SlideReader:
    write_czi(path / "slide.czi", subblocks, document=document or describe())
    return open_slide(path / "slide.czi", candidates=[zeiss])


def test_glass_between_camera_images_is_blank(tmp_path: Path) -> None:
    """In all levels alike, whatever the pyramid's writer put there."""
    shots = [
        WrittenSubblock(BASE[:200, :200], 0, 0, {"M": 0}),
        WrittenSubblock(BASE[:200, :200], 300, 200, {"M": 1}),
    ]
    black = np.zeros((200, 250, 3), np.uint8)
    reader = open_written(tmp_path, [*shots, WrittenSubblock(black, 0, 0, {}, 2)])
    assert (read_level(reader)[:200, 200:] == 255).all()
    coarser = read_level(reader, 1)
    assert (coarser[:100, 100:] == 255).all()
    assert (coarser[:100, :100] == 0).all()
    reader.close()


def test_a_level_with_a_hole_is_left_to_be_built(tmp_path: Path) -> None:
    shots, composed = photograph(BASE)
    halves = [
        WrittenSubblock(halve(composed[:, :600]), 0, 0, {"C": 0}, 2),
        WrittenSubblock(halve(composed[:400, 600:]), 600, 0, {"C": 0}, 2),
    ]
    reader = open_written(tmp_path, [*shots, *halves, reduce(composed, 4)])
    assert [level.downsample for level in reader.levels] == [1, 4]
    reader.close()


def test_a_file_of_coarser_images_alone_has_their_spacing(tmp_path: Path) -> None:
    reader = open_written(tmp_path, [reduce(BASE, 2), reduce(BASE, 4)])
    assert [level.downsample for level in reader.levels] == [1, 2]
    assert reader.metadata.pixel_spacing_mm == (0.00046, 0.00044)
    reader.close()


def test_colour_and_fluorescence_of_one_area_are_two_slides(tmp_path: Path) -> None:
    grey = BASE[:100, :100, :1]
    reader = open_written(
        tmp_path,
        [
            WrittenSubblock(grey, 0, 0, {"C": 0}),
            WrittenSubblock(np.asarray(grey * np.uint16(300)), 0, 0, {"C": 2}),
            WrittenSubblock(BASE[:100, :100], 0, 0, {"C": 1}),
        ],
    )
    fluorescence, colour = reader.scenes
    assert (len(fluorescence.optical_paths), fluorescence.pixel_format.bits) == (2, 16)
    np.testing.assert_array_equal(read_level(fluorescence, 0, 0), grey)
    np.testing.assert_array_equal(read_level(colour), BASE[:100, :100])
    reader.close()


def test_channels_in_colours_are_the_paths_of_one_slide(tmp_path: Path) -> None:
    usual = BASE[:100, :100]
    shots = [
        WrittenSubblock(usual, 0, 0, {"C": 0}),
        WrittenSubblock(255 - usual, 0, 0, {"C": 1}),
    ]
    reader = open_written(tmp_path, shots)
    assert len(reader.scenes) == 1
    assert (reader.pixel_format, len(reader.optical_paths)) == (RGB8, 2)
    np.testing.assert_array_equal(read_level(reader, 0, 0), usual)
    np.testing.assert_array_equal(read_level(reader, 0, 1), 255 - usual)
    reader.close()


def test_only_the_first_time_and_phase_are_kept(tmp_path: Path) -> None:
    shots = [
        WrittenSubblock(np.asarray(BASE[:50, :50, :1] // 4 + 10 * time + phase), 0, 0,
                        {"T": time, "H": phase})
        for time in (2, 1) for phase in (0, 1)
    ]  # fmt: skip
    reader = open_written(tmp_path, shots)
    np.testing.assert_array_equal(read_level(reader), BASE[:50, :50, :1] // 4 + 10)
    assert len(reader.metadata.not_kept) == 2
    assert "point in time" in reader.metadata.vendor[NOT_KEPT]
    reader.close()


def test_planes_at_unknown_distances_are_counted(tmp_path: Path) -> None:
    shots = [
        WrittenSubblock(np.asarray(BASE[:50, :50, :1] // 4 + 9 * z), places={"Z": z})
        for z in (3, 4, 6)
    ]
    reader = open_written(tmp_path, shots, describe(scaling=""))
    assert reader.focal_planes_um == (0.0, 1.0, 2.0)
    np.testing.assert_array_equal(read_level(reader, 0, 0, 2), BASE[:50, :50, :1] // 4 + 54)
    assert reader.metadata.not_kept == (COUNTED_FOCAL_PLANES,)
    reader.close()


def test_planes_counted_downwards_rise(tmp_path: Path) -> None:
    shots = [WrittenSubblock(np.full((9, 9, 1), z, np.uint8), places={"Z": z}) for z in range(3)]
    depth = "<Z><Positions><Interval><Increment>-2</Increment></Interval></Positions></Z>"
    reader = open_written(tmp_path, shots, describe(depth=depth))
    assert reader.focal_planes_um == (-4.0, -2.0, 0.0)
    assert [int(read_level(reader, 0, 0, plane)[0, 0, 0]) for plane in range(3)] == [2, 1, 0]
    reader.close()


@pytest.mark.parametrize(
    ("method", "light", "beyond"),
    [
        ("Fluorescence", Illumination.FLUORESCENCE, 0),
        ("Brightfield", Illumination.BRIGHTFIELD, 255),
        ("Unknown", Illumination.FLUORESCENCE, 0),
    ],
)
def test_grey_may_be_light_through_the_tissue(
    tmp_path: Path, method: str, light: Illumination, beyond: int
) -> None:
    told = f'<Channel Id="Channel:0"><ContrastMethod>{method}</ContrastMethod></Channel>'
    reader = open_written(tmp_path, [WrittenSubblock(BASE[:9, :9, :1])], describe(told))
    assert reader.optical_paths[0].illumination is light
    assert int(reader.read_tile(0, 0, 0)[20, 20, 0]) == beyond
    reader.close()


@pytest.mark.parametrize("compression", [UNCOMPRESSED, JPEG_XR, ZSTD])
def test_an_image_without_its_last_row_is_read(tmp_path: Path, compression: int) -> None:
    """Some writers round the size of a coarser image up, and its pixels down."""
    shot = WrittenSubblock(
        BASE[:50, :60],
        compression=compression,
        data=pack_samples(BASE[:49, :60], compression),
    )
    reader = open_written(tmp_path, [shot])
    level = read_level(reader)
    np.testing.assert_array_equal(level[:49], BASE[:49, :60])
    assert (level[49] == 255).all()
    reader.close()


def test_a_file_without_description_is_pixels(tmp_path: Path) -> None:
    reader = open_written(tmp_path, [WrittenSubblock(BASE[:9, :9])], "<ImageDocument/>")
    metadata = reader.metadata
    assert (metadata.manufacturer, metadata.pixel_spacing_mm, metadata.scanned_at) == (None,) * 3
    assert metadata.vendor == {}
    reader.close()


def test_the_documents_own_date_is_not_the_scans(tmp_path: Path) -> None:
    document = (
        "<ImageDocument><Metadata><Information><Document><CreationDate>2026-01-01T00:00:00Z"
        "</CreationDate></Document><Image><Dimensions><T><StartTime>0001-01-01T00:00:00"
        "</StartTime></T></Dimensions></Image></Information></Metadata></ImageDocument>"
    )
    reader = open_written(tmp_path, [WrittenSubblock(BASE[:9, :9])], document)
    assert reader.metadata.scanned_at is None
    reader.close()


def test_positions_beyond_four_gibibytes(tmp_path: Path) -> None:
    path = tmp_path / "slide.czi"
    shots, composed = photograph(BASE[:300, :760])
    label = WrittenAttachment("Label", "JPG", jpeg.encode(draw_pattern(90, 80)))
    write_czi(path, shots, attachments=[label], hole=5 << 30)
    reader = open_slide(path, candidates=[zeiss])
    np.testing.assert_array_equal(read_level(reader), composed)
    assert reader.read_associated(AssociatedKind.LABEL).shape == (80, 90, 3)
    reader.close()


def test_an_attachment_of_an_unknown_kind_is_told(tmp_path: Path) -> None:
    deep = make_czi([WrittenSubblock(BASE[:9, :9], pixel_type=8)])
    for kind, data in (("ZIP", b"PK"), ("CZI", deep)):
        path = tmp_path / f"{kind}.czi"
        label = WrittenAttachment("Label", kind, data)
        write_czi(path, [WrittenSubblock(BASE[:9, :9])], attachments=[label])
        reader = open_slide(path, candidates=[zeiss])
        assert not reader.associated
        assert "label" in reader.metadata.not_kept[0]
        reader.close()


def test_a_grey_label_of_16_bits_becomes_colours(tmp_path: Path) -> None:
    grey = np.asarray(BASE[:60, :50, :1].astype(np.uint16) * 256, np.uint16)
    label = WrittenAttachment("Label", "CZI", make_czi([WrittenSubblock(grey)]))
    write_czi(tmp_path / "a.czi", [WrittenSubblock(BASE[:9, :9])], attachments=[label])
    reader = open_slide(tmp_path / "a.czi", candidates=[zeiss])
    expected = np.repeat(BASE[:60, :50, :1], 3, axis=2)
    np.testing.assert_array_equal(reader.read_associated(AssociatedKind.LABEL), expected)
    reader.close()


def test_it_is_surer_than_the_fallback(tmp_path: Path) -> None:
    path = tmp_path / "slide.czi"
    write_czi(path, [WrittenSubblock(BASE[:9, :9])])
    head = path.read_bytes()[:4096]
    assert zeiss.sniff(path, head) is Confidence.VENDOR
    assert zeiss.sniff(path, b"II*\0" + head) is Confidence.NONE
    assert zeiss.sniff(path, b"") is Confidence.NONE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pixel_type": 2}, "8 nor 16 bits"),
        ({"compression": 2}, "compressed"),
        ({"compression": 1000}, "compressed"),
        ({"part": 1}, "several files"),
        ({"schema": b"DE"}, "old kind"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    plain = WrittenSubblock(BASE[:9, :9], data=b"")
    with pytest.raises(UnsupportedSlideError, match=words):
        open_written(tmp_path, [plain, replace(plain, **change)])  # type: ignore[arg-type]


def test_a_part_of_a_slide_is_refused(tmp_path: Path) -> None:
    write_czi(tmp_path / "slide (2).czi", [WrittenSubblock(BASE[:9, :9])], part=1)
    with pytest.raises(UnsupportedSlideError, match="several files"):
        open_slide(tmp_path / "slide (2).czi", candidates=[zeiss])


@pytest.mark.parametrize(
    ("compression", "lossy"),
    [
        (UNCOMPRESSED, False),
        (ZSTD, False),
        (ZSTD_WITH_HEADER, False),
        (JPEG, True),
        (JPEG_XR, True),
    ],
)
def test_what_was_stored_without_loss_is_told_as_such(
    tmp_path: Path, compression: int, *, lossy: bool
) -> None:
    path = tmp_path / "slide.czi"
    write_czi(path, [WrittenSubblock(BASE[:60, :80], compression=compression)])
    assert [level.lossy for level in open_slide(path).levels] == [lossy]
