"""OME-TIFFs as tifffile writes them and as others did: every plane is where the XML says."""

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from tiling.downsample import halve
from tiling.errors import (
    DamagedSlideError,
    IncompleteSlideError,
    TilingError,
    UnsupportedSlideError,
)
from tiling.focal_planes import order_planes
from tiling.formats.ome_tiff.document import read_images
from tiling.formats.ome_tiff.members import read_members
from tiling.formats.ome_tiff.optics import heights_um, optical_paths
from tiling.formats.ome_tiff.places import read_places
from tiling.registry import open_slide
from tiling.slide import (
    COUNTED_FOCAL_PLANES,
    AssociatedKind,
    Codec,
    Colour,
    Illumination,
    Samples,
    SlideReader,
    TileEncoding,
)
from tiling.testing import SlideReaderContract, draw_pattern
from tiling.xml_tree import parse_xml

ROWS, COLUMNS = 600, 700
UM = "\N{MICRO SIGN}m"
CHANNELS = {
    "Name": ["DAPI", "FITC"],
    "Color": [0x0000FFFF, 0x00FF00FF],
    "ExcitationWavelength": [358, 0.49],
    "ExcitationWavelengthUnit": ["nm", UM],
    "EmissionWavelength": [461, 525],
}
SAID = {
    "PhysicalSizeX": 0.25,
    "PhysicalSizeY": 260,
    "PhysicalSizeYUnit": "nm",
    "PhysicalSizeZ": 0.5,
    "PhysicalSizeZUnit": UM,
}


def layers(paths: int, planes: int, dtype: Any = np.uint16) -> Samples:
    """`(paths, planes, rows, columns)`, no two alike."""
    drawn = draw_pattern(COLUMNS, ROWS).astype(np.uint16)
    scale = 200 if dtype == np.uint16 else 1
    return np.stack(
        [
            np.stack(
                [(drawn[:, :, p % 3] + 3 * p + 5 * z).astype(dtype) * scale for z in range(planes)]
            )
            for p in range(paths)
        ]
    ).astype(dtype)


def write_ome(
    path: Path, pixels: Samples, axes: str, *, levels: int = 1, **said: Any
) -> list[Samples]:
    """An OME-TIFF by tifffile, with SubIFDs; every level's pixels."""
    metadata = {"axes": axes, **SAID, **said.pop("metadata", {})}
    written = [pixels]
    options = {"photometric": "minisblack", "tile": (128, 256), "compression": "zlib", **said}
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(pixels, subifds=levels - 1, metadata=metadata, **options)
        for _ in range(levels - 1):
            pixels = pixels[..., ::2, ::2] if "S" not in axes else pixels[..., ::2, ::2, :]
            written.append(pixels)
            file.write(pixels, subfiletype=1, metadata=None, **options)
    return written


def read_level(reader: SlideReader, level: int, path: int = 0, plane: int = 0) -> Samples:
    """A whole level, `(rows, columns, samples)`."""
    shape = reader.levels[level]
    whole = np.zeros(
        (shape.size.rows, shape.size.columns, reader.pixel_format.samples),
        reader.pixel_format.dtype,
    )
    for column, row in shape.grid.positions():
        seen = shape.grid.visible(column, row)
        top, left = row * shape.tile.rows, column * shape.tile.columns
        tile = reader.read_tile(level, column, row, path, plane)
        whole[top : top + seen.rows, left : left + seen.columns] = tile[: seen.rows, : seen.columns]
    return whole


def assert_layers(reader: SlideReader, levels: Sequence[Samples]) -> None:
    """Every level is as `(paths, planes, rows, columns)` has it."""
    assert len(reader.levels) == len(levels)
    for number, expected in enumerate(levels):
        assert len(reader.optical_paths) == expected.shape[0]
        assert len(reader.focal_planes_um) == expected.shape[1]
        for path in range(expected.shape[0]):
            for plane in range(expected.shape[1]):
                found = read_level(reader, number, path, plane)[:, :, 0]
                np.testing.assert_array_equal(found, expected[path, plane])


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    path = tmp_path / "stack.ome.tif"
    write_ome(path, layers(2, 3), "CZYX", levels=3, metadata={"Channel": CHANNELS})
    return path


def change_xml(path: Path, *changes: tuple[str, str]) -> Path:
    """The file with words of its description replaced."""
    with tifffile.TiffFile(path) as file:
        text = file.ome_metadata or ""
    for old, new in changes:
        assert re.search(old, text), old
        text = re.sub(old, new, text)
    tifffile.tiffcomment(path, text.encode())
    return path


class TestStack(SlideReaderContract):
    @pytest.fixture
    def reader(self, stack: Path) -> Iterator[SlideReader]:
        reader = open_slide(stack)
        assert reader.format == "OME-TIFF"
        yield reader
        reader.close()

    def test_it_says_what_it_is(self, reader: SlideReader) -> None:
        dapi, fitc = reader.optical_paths
        assert (dapi.name, dapi.colour, dapi.illumination) == (
            "DAPI",
            (0, 0, 255),
            Illumination.FLUORESCENCE,
        )
        assert (dapi.excitation_nm, dapi.emission_nm) == (358, 461)
        assert (fitc.excitation_nm, fitc.emission_nm) == (490, 525)
        assert list(reader.focal_planes_um) == [0, 0.5, 1]
        assert reader.metadata.pixel_spacing_mm == pytest.approx((0.00026, 0.00025))
        assert reader.metadata.vendor["Image.Pixels.Channel[1].Name"] == "FITC"
        assert not any(level.lossy for level in reader.levels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"compression": "lzw", "predictor": True},
        {"compression": "zstd"},
        {"compression": None},
        {"tile": None, "rowsperstrip": 1, "compression": None},
        {"tile": None, "rowsperstrip": 50, "compression": "lzw"},
        {"tile": None, "compression": None},
    ],
    ids=str,
)
def test_every_compression_gives_every_plane(
    tmp_path: Path, said: dict[str, Any], dtype: Any
) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = layers(2, 2, dtype)
    levels = write_ome(path, pixels, "CZYX", levels=2, **said)
    reader = open_slide(path)
    assert_layers(reader, levels)
    assert {(level.tile.columns, level.lossy) for level in reader.levels} == {(512, False)}


def test_other_orders_of_the_dimensions(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = layers(2, 3)
    write_ome(path, np.swapaxes(pixels, 0, 1), "ZCYX")
    assert_layers(open_slide(path), [pixels])


@pytest.mark.parametrize(
    ("channels", "planes", "axes"), [(3, 1, "CYX"), (1, 3, "ZYX"), (1, 1, "YX")]
)
def test_few_dimensions(tmp_path: Path, channels: int, planes: int, axes: str) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = layers(channels, planes)
    write_ome(
        path, pixels.reshape([*(max(channels, planes),) * (len(axes) - 2), ROWS, COLUMNS]), axes
    )
    assert_layers(open_slide(path), [pixels])


def test_colours_in_focal_planes(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    colours = draw_pattern(COLUMNS, ROWS)
    pixels = np.stack([colours, 255 - colours])
    levels = write_ome(path, pixels, "ZYXS", levels=2, photometric="rgb")
    reader = open_slide(path)
    assert reader.pixel_format.samples == 3
    assert len(reader.focal_planes_um) == 2
    for number, expected in enumerate(levels):
        for plane in range(2):
            np.testing.assert_array_equal(read_level(reader, number, 0, plane), expected[plane])


def test_channels_of_colours_are_optical_paths(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    colours = draw_pattern(COLUMNS, ROWS)
    pixels = np.stack([colours, 255 - colours])
    said = {"Channel": {"Name": ["Brightfield", "Polarised"]}}
    levels = write_ome(path, pixels, "CYXS", levels=2, photometric="rgb", metadata=said)
    reader = open_slide(path)
    assert [each.name for each in reader.optical_paths] == ["Brightfield", "Polarised"]
    for number, expected in enumerate(levels):
        for channel in range(2):
            np.testing.assert_array_equal(read_level(reader, number, channel), expected[channel])


def test_colours_of_sixteen_bits(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = draw_pattern(COLUMNS, ROWS).astype(np.uint16) * 200
    write_ome(path, pixels, "YXS", photometric="rgb")
    reader = open_slide(path)
    assert (reader.pixel_format.samples, reader.pixel_format.bits) == (3, 16)
    np.testing.assert_array_equal(read_level(reader, 0), pixels)


def test_colours_apart_in_a_directory(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = np.moveaxis(draw_pattern(COLUMNS, ROWS), -1, 0)
    write_ome(path, pixels, "SYX", photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_level(open_slide(path), 0), draw_pattern(COLUMNS, ROWS))


def test_channels_that_are_samples_of_a_directory(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = layers(2, 1)
    write_ome(path, pixels[:, 0], "SYX", planarconfig="separate")
    assert_layers(open_slide(path), [pixels])


@pytest.mark.parametrize("lossless", [True, False])
def test_jpeg_2000_of_channels_is_handed_on(tmp_path: Path, *, lossless: bool) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = layers(2, 2)
    level = 0 if lossless else 60
    write_ome(
        path, pixels, "CZYX", levels=2, compression="jpeg2000", compressionargs={"level": level}
    )
    reader = open_slide(path)
    codec = Codec.JPEG_2000_LOSSLESS if lossless else Codec.JPEG_2000
    encodings = {level.encoding for level in reader.levels}
    assert encodings == {TileEncoding(Colour.GREY, codec=codec)}
    SlideReaderContract().test_encoded_tiles_are_what_the_level_says(reader)
    if lossless:
        np.testing.assert_array_equal(read_level(reader, 0, 1, 1)[:, :, 0], pixels[1, 1])


def test_jpeg_of_colours_in_planes_is_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    colours = draw_pattern(COLUMNS, ROWS)
    pixels = np.stack([colours, 255 - colours])
    write_ome(path, pixels, "ZYXS", photometric="rgb", compression="jpeg", tile=(128, 128))
    reader = open_slide(path)
    encoding = reader.levels[0].encoding
    assert encoding is not None
    assert encoding.codec is Codec.JPEG
    SlideReaderContract().test_encoded_tiles_are_what_the_level_says(reader)
    assert np.abs(read_level(reader, 0, 0, 1).astype(int) - pixels[1]).mean() < 8


def test_times_after_the_first_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = layers(2, 3)
    write_ome(path, np.swapaxes(pixels, 0, 1), "TCYX")
    reader = open_slide(path)
    assert_layers(reader, [pixels[:, :1]])
    assert reader.metadata.not_kept == ("Only the first of several times is kept.",)


def test_two_planes_are_not_one_image(stack: Path) -> None:
    places = (r'<TiffData IFD="0".*?</Pixels>', '<TiffData IFD="0" PlaneCount="5"/>'
              '<TiffData FirstC="1" FirstZ="2" IFD="3" PlaneCount="1"/></Pixels>')  # fmt: skip
    with pytest.raises(DamagedSlideError, match="one image for two planes"):
        open_slide(change_xml(stack, places))


@pytest.mark.parametrize("said", ['SizeX="700"', 'SizeY="600"'])
def test_an_image_is_as_large_as_its_description_says(stack: Path, said: str) -> None:
    with pytest.raises(DamagedSlideError, match="another size"):
        open_slide(change_xml(stack, (said, said.replace("00", "01"))))


def test_images_that_nothing_describes_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = layers(2, 1)[:, 0]
    with tifffile.TiffWriter(path, ome=True) as file:
        for image in (pixels, 7 - pixels):
            file.write(image, metadata={"axes": "CYX"}, photometric="minisblack", tile=(128, 128))
    assert open_slide(path).metadata.not_kept == ()
    change_xml(path, (r'<Image ID="Image:1.*?</Image>', ""))
    reader = open_slide(path)
    assert_layers(reader, [pixels[:, None]])
    assert reader.metadata.not_kept == (
        "Images of the file that its description does not name are not kept.",
    )


def test_planes_without_heights_are_counted(stack: Path) -> None:
    change_xml(stack, ('PhysicalSizeZ="0.5"', 'PhysicalSizeZ="0"'))
    reader = open_slide(stack)
    assert list(reader.focal_planes_um) == [0, 1, 2]
    assert reader.metadata.not_kept == (COUNTED_FOCAL_PLANES,)
    for plane in range(3):
        found = read_level(reader, 0, 1, plane)[:, :, 0]
        np.testing.assert_array_equal(found, layers(2, 3)[1, plane])


def test_a_stack_that_was_taken_downwards_is_turned_round(stack: Path) -> None:
    told = "".join(
        f'<Plane TheC="0" TheT="0" TheZ="{z}" PositionZ="{9 - 2 * z}" PositionZUnit="um"/>'
        for z in range(3)
    ).replace("um", "mm")
    change_xml(
        stack, ('PhysicalSizeZ="0.5"', 'PhysicalSizeZ="0"'), ("</Pixels>", told + "</Pixels>")
    )
    reader = open_slide(stack)
    assert list(reader.focal_planes_um) == [0, 2000, 4000]
    for plane in range(3):
        found = read_level(reader, 0, 1, plane)[:, :, 0]
        np.testing.assert_array_equal(found, layers(2, 3)[1, 2 - plane])


def test_planes_in_the_main_chain_have_their_levels_there(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = layers(2, 1)[:, 0]
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(pixels, metadata={"axes": "CYX"}, photometric="minisblack", tile=(128, 128))
        for step in (2, 4):
            for channel in range(2):
                file.write(
                    pixels[channel, ::step, ::step],
                    subfiletype=1,
                    photometric="minisblack",
                    metadata=None,
                    tile=(128, 128),
                )
    # What tifffile took for further images are these levels.
    change_xml(path, (r'<Image ID="Image:[1-9].*?</Image>', ""))
    assert_layers(open_slide(path), [pixels[:, None, ::step, ::step] for step in (1, 2, 4)])


def write_images(path: Path, images: Sequence[tuple[Samples, dict[str, Any]]]) -> None:
    with tifffile.TiffWriter(path, ome=True) as file:
        for pixels, said in images:
            axes = "YXS" if pixels.ndim == 3 else "YX"
            photometric = "rgb" if pixels.ndim == 3 else "minisblack"
            file.write(
                pixels, metadata={"axes": axes, **said}, photometric=photometric, tile=(64, 64)
            )


def test_smaller_copies_by_name_and_extent_are_levels(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    pixels = layers(1, 1)[0, 0]
    said = [{"Name": "tissue", "PhysicalSizeX": 0.5 * n, "PhysicalSizeY": 0.5 * n} for n in (1, 2)]
    write_images(path, [(pixels, said[0]), (pixels[::2, ::2], said[1])])
    reader = open_slide(path)
    assert len(reader.scenes) == 1
    assert_layers(reader, [pixels[None, None], pixels[None, None, ::2, ::2]])


def test_several_images_are_scenes(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    grey, colours, label = layers(1, 1)[0, 0], draw_pattern(300, 200), draw_pattern(90, 80)
    write_images(
        path,
        [(grey, {"Name": "a"}), (label, {"Name": "Label image"}), (colours, {"Name": "b"}),
         (grey.astype(np.float32), {"Name": "c"})],
    )  # fmt: skip
    reader = open_slide(path)
    assert len(reader.scenes) == 2
    assert reader.scenes[0] is reader
    np.testing.assert_array_equal(read_level(reader, 0)[:, :, 0], grey)
    np.testing.assert_array_equal(read_level(reader.scenes[1], 0), colours)
    for scene in reader.scenes:
        np.testing.assert_array_equal(scene.read_associated(AssociatedKind.LABEL), label)
    assert "not kept" in " ".join(reader.metadata.not_kept)
    fresh = open_slide(path)
    fresh.close()
    with pytest.raises(OSError, match="descriptor"):
        fresh.scenes[1].read_tile(0, 0, 0)


def test_scenes_in_jpeg_are_handed_on_beside_others(tmp_path: Path) -> None:
    path = tmp_path / "written.ome.tif"
    grey, colours = layers(1, 1)[0, 0], draw_pattern(300, 200)
    with tifffile.TiffWriter(path, ome=True) as file:
        said: dict[str, Any] = {"tile": (64, 64)}
        jpeg = {"photometric": "rgb", "compression": "jpeg"}
        file.write(colours, metadata={"axes": "YXS"}, **said, **jpeg)
        file.write(grey, metadata={"axes": "YX"}, photometric="minisblack", **said)
        file.write(colours, metadata={"axes": "YXS"}, **said, **jpeg)
    reader = open_slide(path)
    assert [scene.levels[0].encoding is None for scene in reader.scenes] == [False, True, False]
    for scene in reader.scenes:
        SlideReaderContract().test_encoded_tiles_are_what_the_level_says(scene)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint32, np.float32])
def test_other_samples_are_refused(tmp_path: Path, dtype: Any) -> None:
    path = tmp_path / "written.ome.tif"
    write_ome(path, layers(1, 1)[0, 0].astype(dtype), "YX")
    with pytest.raises(UnsupportedSlideError, match="16 bits"):
        open_slide(path)


class TestSets:
    """Slides in several files."""

    @pytest.fixture
    def companion(self, tmp_path: Path) -> Path:
        """Two channels in two files, and the XML beside them."""
        pixels = layers(2, 1)
        elements = ""
        for channel in range(2):
            name, uuid = f"c{channel}.ome.tif", f"urn:uuid:0000000{channel}"
            description = (
                f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{uuid}">'
                '<BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:9"/></OME>'
            )
            tifffile.imwrite(
                tmp_path / name, pixels[channel, 0], description=description, metadata=None
            )
            elements += (
                f'<TiffData FirstC="{channel}" IFD="0" PlaneCount="1">'
                f'<UUID FileName="{name}">{uuid}</UUID></TiffData>'
            )
        path = tmp_path / "set.companion.ome"
        path.write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:9">'
            '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16"'
            f' SizeX="{COLUMNS}" SizeY="{ROWS}" SizeC="2" SizeZ="1" SizeT="1">'
            f'<Channel ID="Channel:0:0"/><Channel ID="Channel:0:1"/>{elements}</Pixels></Image>'
            "</OME>"
        )
        return path

    def test_the_companion_is_the_door(self, companion: Path) -> None:
        reader = open_slide(companion)
        assert reader.format == "OME-TIFF"
        assert_layers(reader, [layers(2, 1)])

    def test_a_part_names_its_companion(self, companion: Path) -> None:
        with pytest.raises(UnsupportedSlideError, match=r"set\.companion\.ome"):
            open_slide(companion.with_name("c1.ome.tif"))
        companion.unlink()
        with pytest.raises(IncompleteSlideError, match=r"set\.companion\.ome"):
            open_slide(companion.with_name("c1.ome.tif"))

    def test_a_missing_file_is_named_without_its_folder(self, companion: Path) -> None:
        companion.with_name("c1.ome.tif").unlink()
        with pytest.raises(IncompleteSlideError, match=r"c1\.ome\.tif") as refusal:
            open_slide(companion)
        assert str(companion.parent) not in str(refusal.value)

    def test_a_file_of_another_slide_is_refused(self, companion: Path) -> None:
        shutil.copy(companion.with_name("c0.ome.tif"), companion.with_name("c1.ome.tif"))
        with pytest.raises(IncompleteSlideError, match="another"):
            open_slide(companion)

    @pytest.mark.parametrize("name", ["../c1.ome.tif", "/etc/passwd", "a\\b.tif", ".."])
    def test_no_other_folder_is_read(self, companion: Path, name: str) -> None:
        companion.write_text(companion.read_text().replace("c1.ome.tif", name))
        with pytest.raises(UnsupportedSlideError, match="another folder"):
            open_slide(companion)

    def test_no_link_is_followed(self, companion: Path, tmp_path: Path) -> None:
        part = companion.with_name("c1.ome.tif")
        part.rename(tmp_path / "elsewhere")
        part.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(IncompleteSlideError):
            open_slide(companion)

    def test_without_a_companion_the_first_plane_is_the_door(self, set_of_two: list[Path]) -> None:
        assert_layers(open_slide(set_of_two[0]), [layers(2, 1)])
        with pytest.raises(UnsupportedSlideError, match=r"c0\.ome\.tif"):
            open_slide(set_of_two[1])

    @pytest.fixture
    def set_of_two(self, companion: Path) -> list[Path]:
        """Two files without a companion, each of which holds the XML of all."""
        document = companion.read_text().replace("µ", "u")
        companion.unlink()
        paths = [companion.with_name(f"c{channel}.ome.tif") for channel in range(2)]
        for channel, path in enumerate(paths):
            own = document.replace('UUID="urn:uuid:9"', f'UUID="urn:uuid:0000000{channel}"')
            tifffile.tiffcomment(path, own.encode())
        return paths

    def test_each_file_of_a_set_knows_the_others_and_the_door(self, set_of_two: list[Path]) -> None:
        names = frozenset(path.name for path in set_of_two)
        for path in set_of_two:
            members = read_members(path)
            assert members is not None
            assert {file.name for file in members.files} == names
            assert members.door.name == "c0.ome.tif"

    def test_the_very_same_xml_in_each_file(self, set_of_two: list[Path]) -> None:
        first, second = set_of_two
        with tifffile.TiffFile(first) as file:
            tifffile.tiffcomment(second, (file.ome_metadata or "").encode())
        assert_layers(open_slide(first), [layers(2, 1)])
        with pytest.raises(UnsupportedSlideError, match=r"c0\.ome\.tif"):
            open_slide(second)
        ours, theirs = read_members(first), read_members(second)
        assert ours is not None
        assert theirs is not None
        assert (ours.door, ours.files) == (theirs.door, theirs.files)
        shutil.copy(first, second)
        with pytest.raises(IncompleteSlideError, match="another"):
            open_slide(first)

    def test_names_without_uuids(self, set_of_two: list[Path]) -> None:
        for path in set_of_two:
            change_xml(path, (r"urn:uuid:0000000\d</UUID>", "</UUID>"))
        assert_layers(open_slide(set_of_two[0]), [layers(2, 1)])
        first, second = map(read_members, set_of_two)
        assert first is not None
        assert second is not None
        assert (first.door, first.files) == (second.door, second.files)

    def test_a_file_of_a_set_that_is_missing(self, set_of_two: list[Path]) -> None:
        first, second = set_of_two
        second.rename(second.with_name("elsewhere"))
        with pytest.raises(IncompleteSlideError, match=r"c1\.ome\.tif"):
            open_slide(first)
        second.with_name("elsewhere").rename(second)
        first.unlink()
        with pytest.raises(IncompleteSlideError, match=r"c0\.ome\.tif"):
            open_slide(second)

    def test_a_part_for_a_companion_knows_its_door(self, companion: Path) -> None:
        part = companion.with_name("c1.ome.tif")
        members = read_members(part)
        assert members is not None
        assert members.door.name == "set.companion.ome"

    def test_files_that_are_alone_have_no_members(self, stack: Path, tmp_path: Path) -> None:
        uuid = '<UUID FileName="before.ome.tif">urn:uuid:1</UUID>'
        assert read_members(stack) is None
        change_xml(stack, (' UUID="[^"]*"', ""), (r"(<TiffData[^>]*)/>", rf"\1>{uuid}</TiffData>"))
        assert read_members(stack) is None
        with pytest.raises(FileNotFoundError):
            read_members(tmp_path / "absent.ome.tif")
        (tmp_path / "text.ome.tif").write_text("II*no TIFF at all")
        assert read_members(tmp_path / "text.ome.tif") is None

    @pytest.mark.parametrize("name", ["../c1.ome.tif", "/etc/passwd", "a\\b.tif", ".."])
    def test_members_are_in_the_same_folder(self, set_of_two: list[Path], name: str) -> None:
        change_xml(set_of_two[0], (r"c1\.ome\.tif", name.replace("\\", r"\\")))
        assert read_members(set_of_two[0]) is None

    def test_a_renamed_file_is_known_by_its_uuid(self, stack: Path) -> None:
        uuid = '<UUID FileName="before.ome.tif">urn:uuid:1</UUID>'
        change_xml(
            stack,
            ('UUID="[^"]*"', 'UUID="urn:uuid:1"'),
            (r"(<TiffData[^>]*)/>", rf"\1>{uuid}</TiffData>"),
        )
        assert len(open_slide(stack).optical_paths) == 2

    def test_a_renamed_file_without_uuid_is_alone(self, stack: Path) -> None:
        uuid = '<UUID FileName="before.ome.tif">urn:uuid:1</UUID>'
        change_xml(stack, (' UUID="[^"]*"', ""), (r"(<TiffData[^>]*)/>", rf"\1>{uuid}</TiffData>"))
        assert len(open_slide(stack).optical_paths) == 2


def pixels_of(said: str, inside: str) -> Any:
    text = f'<OME><Image><Pixels DimensionOrder="XYZCT" {said}>{inside}</Pixels></Image></OME>'
    return read_images(parse_xml(text))


class TestPlaces:
    """TiffData elements, and their absence."""

    def test_planes_without_any_lie_in_order(self) -> None:
        (places,) = read_places(pixels_of('SizeC="2" SizeZ="3" SizeT="2"', ""))
        assert {where: place.directory for where, place in places.items()} == {
            (c, z): c * 3 + z for c in range(2) for z in range(3)
        }

    def test_one_element_may_be_for_all(self) -> None:
        (places,) = read_places(
            pixels_of('SizeC="2" SizeZ="2"', '<TiffData IFD="4" PlaneCount="4"/>')
        )
        assert [places[1, z].directory for z in range(2)] == [6, 7]

    def test_an_element_without_anything_is_for_all(self) -> None:
        (places,) = read_places(pixels_of('SizeC="2" SizeZ="2"', "<TiffData/>"))
        assert places[1, 1].directory == 3

    def test_a_plane_that_is_not_told_of_is_missing(self) -> None:
        with pytest.raises(IncompleteSlideError, match="channel 2 of plane 1"):
            read_places(pixels_of('SizeC="2" SizeZ="1"', '<TiffData IFD="0"/>'))

    def test_absurd_counts_take_no_time(self) -> None:
        images = pixels_of(
            'SizeC="2" SizeZ="2" SizeT="999999999"',
            '<TiffData IFD="0" PlaneCount="999999999"/>' * 100,
        )
        assert read_places(images)[0][1, 1].directory == 3

    @pytest.mark.parametrize(
        "said", ['SizeZ="0"', 'SizeC="0"', 'SizeC="-1"', 'SizeZ="x"', 'SizeZ="99999"',
                 'SizeZ="9999999999"', 'SizeC="70" SizeZ="70"'],
    )  # fmt: skip
    def test_impossible_sizes_are_refused(self, said: str) -> None:
        with pytest.raises(TilingError):
            pixels_of(said, "")


class TestOptics:
    @pytest.mark.parametrize(
        ("said", "colour"),
        [
            ("-16776961", (255, 0, 0)),
            ("16711935", (0, 255, 0)),
            ("65535", (0, 0, 255)),
            ("-1", (255, 255, 255)),
            ("255", None),
            ("99999999999", None),
            ("red", None),
        ],
    )
    def test_colours(self, said: str, colour: tuple[int, int, int] | None) -> None:
        (image,) = pixels_of('SizeC="1"', f'<Channel Color="{said}"/>')
        assert optical_paths(image.channels[0])[0].colour == colour

    def test_light_through_the_slide(self) -> None:
        (image,) = pixels_of('SizeC="1"', '<Channel IlluminationType="Transmitted"/>')
        assert optical_paths(image.channels[0])[0].illumination is Illumination.BRIGHTFIELD

    @pytest.mark.parametrize(
        ("said", "inside", "heights"),
        [
            ('PhysicalSizeZ="2"', "", [0, 2, 4]),
            ('PhysicalSizeZ="250" PhysicalSizeZUnit="nm"', "", [0, 0.25, 0.5]),
            ('PhysicalSizeZ="2" PhysicalSizeZUnit="pixel"', "", None),
            ('PhysicalSizeZ="1e308" PhysicalSizeZUnit="m"', "", None),
            ('PhysicalSizeZ="1e-320"', "", None),
            ("", "", None),
            ('PhysicalSizeZ="2"', "1 3 5", [0, 2, 4]),
            ('PhysicalSizeZ="2"', "5 3 1", [4, 2, 0]),
            ('PhysicalSizeZ="2"', "5 3 4", [0, 2, 4]),
            ('PhysicalSizeZ="2"', "0 0 0", [0, 2, 4]),
            ('PhysicalSizeZ="2"', "5 3", [0, 2, 4]),
            ("", "3 1 -1", [4, 2, 0]),
            ("", "0 1 3", [0, 1, 3]),
            ("", "0 1 1", None),
            ("", "0 1 nan", None),
        ],
    )
    def test_heights(self, said: str, inside: str, heights: list[float] | None) -> None:
        planes = "".join(
            f'<Plane TheC="0" TheT="0" TheZ="{z}" PositionZ="{place}" PositionZUnit="{UM}"/>'
            for z, place in enumerate(inside.split())
        )
        (image,) = pixels_of(f'SizeZ="3" {said}', planes)
        ordered = order_planes(3, heights_um(image))
        assert bool(ordered.not_kept) == (heights is None)
        assert ordered.heights_um == pytest.approx(sorted(heights or [0, 1, 2]))
        falls = heights is not None and heights[0] > heights[-1]
        assert ordered.numbers == ((2, 1, 0) if falls else (0, 1, 2))

    def test_planes_fall_also_where_their_places_have_no_unit(self) -> None:
        planes = "".join(
            f'<Plane TheC="0" TheT="0" TheZ="{z}" PositionZ="{place}"/>'
            for z, place in enumerate((5, 3, 1))
        )
        (image,) = pixels_of('SizeZ="3" PhysicalSizeZ="2"', planes)
        assert heights_um(image) == [4, 2, 0]


@pytest.mark.parametrize(
    "name",
    ["ndev-neocortex-3Ch.ome.tiff", "ndev-neuron-4Ch.ome.tiff", "qupath-cells-2c.ome.tif",
     "qupath-cells-2z.ome.tif"],
)  # fmt: skip
def test_shared_slides_are_as_tifffile_has_them(shared_slides: Path, name: str) -> None:
    path = shared_slides / "ome-tiff" / name
    expected = tifffile.imread(path)
    pixels = expected[None] if name.endswith("2z.ome.tif") else expected[:, None]
    assert_layers(open_slide(path), [pixels])


def test_a_shared_slide_of_several_times(shared_slides: Path) -> None:
    path = shared_slides / "ome-tiff" / "ndev-scratch-assay-labeled-10T-2Ch.ome.tiff"
    expected = tifffile.imread(path)  # channels, times, rows, columns
    assert_layers(open_slide(path), [expected[:, :1]])


def test_a_shared_slide_with_its_colours_apart(shared_slides: Path) -> None:
    path = shared_slides / "ome-tiff" / "qupath-cells.ome.tif"
    expected = np.moveaxis(tifffile.imread(path), 0, -1)
    np.testing.assert_array_equal(read_level(open_slide(path), 0), expected)


def test_a_shared_set_of_files(shared_slides: Path) -> None:
    folder = shared_slides / "ome-tiff" / "viv-multifile"
    reader = open_slide(folder / "multifile.companion.ome")
    assert len(reader.focal_planes_um) == 5
    for plane in range(5):
        expected = tifffile.imread(folder / f"multifile-Z{plane + 1}.ome.tiff", is_ome=False)
        np.testing.assert_array_equal(read_level(reader, 0, plane=plane)[:, :, 0], expected)
    with pytest.raises(UnsupportedSlideError, match=r"multifile\.companion\.ome"):
        open_slide(folder / "multifile-Z1.ome.tiff")


@pytest.mark.parametrize(
    "name", ["4D-series.ome.tiff", "multi-channel-z-series.ome.tif", "viv-multi-channel.ome.tif"]
)
def test_shared_slides_with_signs_are_refused(shared_slides: Path, name: str) -> None:
    with pytest.raises(UnsupportedSlideError, match="signed"):
        open_slide(shared_slides / "ome-tiff" / name)


def test_levels_of_another_kind_are_damage(stack: Path) -> None:
    change_xml(stack, ('Type="uint16"', 'Type="uint8"'))
    with pytest.raises(DamagedSlideError):
        open_slide(stack)


def test_halving_is_not_asked_of_levels(tmp_path: Path) -> None:
    """Levels of other factors are levels too."""
    path = tmp_path / "written.ome.tif"
    pixels = halve(draw_pattern(COLUMNS, ROWS))[:, :, 0]
    with tifffile.TiffWriter(path, ome=True) as file:
        said: dict[str, Any] = {"photometric": "minisblack", "tile": (64, 64)}
        file.write(pixels, subifds=1, metadata={"axes": "YX"}, **said)
        file.write(pixels[::3, ::3], subfiletype=1, **said)
    reader = open_slide(path)
    assert reader.levels[1].downsample == pytest.approx(3, rel=0.02)
