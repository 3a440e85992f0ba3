"""Leica SCN with channels and planes: each is a directory that its area names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from tiling.errors import DamagedSlideError, TilingError
from tiling.registry import open_slide
from tiling.slide import COUNTED_FOCAL_PLANES, Illumination, Samples, SlideReader
from tiling.testing import SlideReaderContract, draw_pattern

GLASS = draw_pattern(200, 400)
SETTINGS = (
    "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings>"
    "<illuminationSettings><illuminationSource>{light}</illuminationSource>"
    "</illuminationSettings><channelSettings>"
    '<channel index="1" name="FITC" rgb="00ff00"/>'
    '<channel index="0" name="405|Empty" rgb="#0000ff"><fluorescenceCube>'
    "<excitationFilter>BP 405/60</excitationFilter><suppressionFilter>470/50</suppressionFilter>"
    "</fluorescenceCube></channel></channelSettings></scanSettings>"
)


def write(
    path: Path,
    areas: list[Samples],
    *,
    light: str = "fluorescence",
    spacing: str = "400",
    change: tuple[str, str] = ("", ""),
    **said: Any,
) -> Path:
    """Each area is `(channels, planes, rows, columns)`, or with colours behind."""
    images: list[Samples] = [GLASS]
    told = (
        '<image><pixels><dimension sizeX="200" sizeY="400" ifd="0"/></pixels>'
        '<view sizeX="2000000" sizeY="4000000" offsetX="0" offsetY="0"/>'
        + SETTINGS.format(light="brightfield")
        + "</image>"
    )
    for area in areas:
        dimensions = ""
        for step in (1, 4):
            for c in range(area.shape[0]):
                for z in range(area.shape[1]):
                    level = area[c, z, ::step, ::step]
                    dimensions += (
                        f'<dimension sizeX="{level.shape[1]}" sizeY="{level.shape[0]}"'
                        f' r="{step // 4}" c="{c}" z="{z}" ifd="{len(images)}"/>'
                    )
                    images.append(level)
        told += (
            f'<image><device model="Leica SCN400F"/><pixels>{dimensions}</pixels>'
            '<view sizeX="350000" sizeY="300000" offsetX="4000" offsetY="5000"'
            f' spacingZ="{spacing}"/>{SETTINGS.format(light=light)}</image>'
        )
    description = (
        '<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">'
        f'<collection sizeX="2000000" sizeY="4000000">{told}</collection></scn>'
    )
    if change[0]:
        assert change[0] in description
        description = description.replace(*change)
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for number, image in enumerate(images):
            file.write(
                image,
                description=b"" if number else description.encode(),
                photometric="rgb" if image.ndim == 3 else "minisblack",
                metadata=None,
                **{"tile": (128, 128), "compression": "lzw", **said},
            )
    return path


def area(channels: int = 2, planes: int = 1) -> Samples:
    drawn = draw_pattern(700, 600)
    return np.stack(
        [np.stack([drawn[:, :, c] // (z + 1) for z in range(planes)]) for c in range(channels)]
    )


class TestFluorescence(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        reader = open_slide(write(tmp_path / "written.scn", [area(2, 3)]))
        assert reader.format == "Leica SCN"
        yield reader
        reader.close()

    def test_every_directory_is_its_layer(self, reader: SlideReader) -> None:
        expected = area(2, 3)
        assert [level.size.columns for level in reader.levels] == [700, 175]
        for path in range(2):
            for plane in range(3):
                found = reader.read_tile(0, 1, 1, path, plane)[:88, :188, 0]
                np.testing.assert_array_equal(found, expected[path, plane, 512:, 512:])
                coarse = reader.read_tile(1, 0, 0, path, plane)[:150, :175, 0]
                np.testing.assert_array_equal(coarse, expected[path, plane, ::4, ::4])

    def test_it_says_what_it_is(self, reader: SlideReader) -> None:
        first, second = reader.optical_paths
        assert (first.name, first.colour) == ("405|Empty", (0, 0, 255))
        assert (first.excitation_nm, first.emission_nm) == (405, 470)
        assert (second.name, second.colour, second.emission_nm) == ("FITC", (0, 255, 0), None)
        assert second.illumination is Illumination.FLUORESCENCE
        assert list(reader.focal_planes_um) == [0, 0.4, 0.8]
        assert reader.metadata.pixel_spacing_mm == pytest.approx((0.0005, 0.0005))
        assert reader.metadata.objective_power == 20
        assert reader.metadata.model == "Leica SCN400F"
        (overview,) = reader.associated
        np.testing.assert_array_equal(reader.read_associated(overview), GLASS)


def test_each_area_is_a_scene(tmp_path: Path) -> None:
    areas = [area(2), area(2) // 2]
    reader = open_slide(write(tmp_path / "written.scn", areas))
    assert len(reader.scenes) == 2
    for scene, expected in zip(reader.scenes, areas, strict=True):
        np.testing.assert_array_equal(
            scene.read_tile(0, 0, 0, 1)[:, :, 0], expected[1, 0, :512, :512]
        )


def test_planes_in_bright_field(tmp_path: Path) -> None:
    colours = draw_pattern(700, 600)
    pixels = np.stack([colours, 255 - colours])[None]
    reader = open_slide(write(tmp_path / "written.scn", [pixels], light="brightfield"))
    assert reader.pixel_format.samples == 3
    assert reader.optical_paths[0].illumination is Illumination.BRIGHTFIELD
    np.testing.assert_array_equal(reader.read_tile(0, 0, 0, 0, 1), 255 - colours[:512, :512])


def test_planes_without_a_distance_are_counted(tmp_path: Path) -> None:
    reader = open_slide(write(tmp_path / "written.scn", [area(1, 3)], spacing="0"))
    assert list(reader.focal_planes_um) == [0, 1, 2]
    assert reader.metadata.not_kept == (COUNTED_FOCAL_PLANES,)
    tile = reader.read_tile(0, 0, 0, 0, 2)
    np.testing.assert_array_equal(tile[:, :, 0], area(1, 3)[0, 2, :512, :512])


@pytest.mark.parametrize(
    "change",
    [
        ('c="1" z="0" ifd="2"', 'c="0" z="0" ifd="2"'),
        ('c="1" z="0" ifd="2"', 'c="1" z="0" ifd="99"'),
        ('c="1" z="0" ifd="2"', 'c="1" z="0" ifd="-1"'),
        ('c="1" z="0" ifd="2"', 'c="7" z="0" ifd="2"'),
        ('c="1" z="0" ifd="2"', 'c="999999" z="999999" ifd="2"'),
        ('c="1" z="0" ifd="2"', 'c="one" z="0" ifd="2"'),
        ('c="0" z="0" ifd="1"', 'c="2" z="0" ifd="1"'),
    ],
    ids=range(7),
)
def test_areas_that_contradict_themselves_are_damage(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    with pytest.raises(DamagedSlideError):
        open_slide(write(tmp_path / "written.scn", [area(2)], change=change))


def test_channels_of_colours_are_optical_paths(tmp_path: Path) -> None:
    colours = draw_pattern(700, 600)[None, None]
    areas = [np.concatenate([colours, 255 - colours])]
    reader = open_slide(write(tmp_path / "written.scn", areas, light="brightfield"))
    assert (reader.pixel_format.samples, len(reader.optical_paths)) == (3, 2)
    assert reader.optical_paths[1].illumination is Illumination.BRIGHTFIELD
    tile = reader.read_tile(0, 0, 0, 1)
    np.testing.assert_array_equal(tile, 255 - colours[0, 0, :512, :512])


def test_it_is_cut_short(tmp_path: Path) -> None:
    path = write(tmp_path / "written.scn", [area(2)])
    data = path.read_bytes()
    for kept in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(data[: int(len(data) * kept)])
        with pytest.raises(TilingError):
            open_slide(path)
