"""Other people's readers judge what is written: dciodvfy, wsidicom, OpenSlide, pydicom."""

import shutil
import subprocess

import imagecodecs
import numpy as np
import openslide
import pydicom
import pytest
import wsidicom
from pydicom.encaps import generate_frames

from tiling.geometry import TileGrid
from tiling.slide import AssociatedKind, Colour, Pixels

DICIODVFY = shutil.which("dciodvfy")


def decoded(level) -> Pixels:  # type: ignore[no-untyped-def] # the fake of conftest.py, which no test can import
    """A level's frames put together, by libjpeg's own upsampling."""
    image = np.zeros((level.size.rows, level.size.columns, 3), np.uint8)
    grid = TileGrid(level.size, level.tile)
    for (column, row), frame in zip(grid.positions(), level.encoded, strict=True):
        visible = grid.visible(column, row)
        colour = {Colour.RGB: "RGB", Colour.YCBCR: "YCBCR"}[level.encoding.colour]
        tile = imagecodecs.jpeg8_decode(frame, colorspace=colour, outcolorspace="RGB")
        y, x = row * level.tile.rows, column * level.tile.columns
        image[y : y + visible.rows, x : x + visible.columns] = tile[
            : visible.rows, : visible.columns
        ]
    return image


@pytest.mark.skipif(DICIODVFY is None, reason="dciodvfy (dicom3tools) is not installed")
def test_dciodvfy_finds_no_error(converted) -> None:  # type: ignore[no-untyped-def] # as above
    for path in converted.paths:
        result = subprocess.run(
            [str(DICIODVFY), str(path)], capture_output=True, text=True, check=False
        )
        report = result.stdout + result.stderr
        assert "VLWholeSlideMicroscopyImage" in report
        assert "Error" not in report, f"{path.name}: {report}"


def test_pydicom_reads_the_frames(converted) -> None:  # type: ignore[no-untyped-def] # as above
    for number, level in enumerate(converted.levels):
        dataset = pydicom.dcmread(converted.directory / f"level-{number}.dcm")
        tables = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
        frames = generate_frames(
            dataset.PixelData, number_of_frames=len(level.encoded), extended_offsets=tables
        )
        assert list(frames) == [frame + bytes(len(frame) % 2) for frame in level.encoded]


# wsidicom hands an odd native frame to pydicom without the padding that the file has.
@pytest.mark.filterwarnings("ignore:The odd length pixel data is missing:UserWarning")
def test_wsidicom_reads_levels_and_associated_images(converted) -> None:  # type: ignore[no-untyped-def] # as above
    with wsidicom.WsiDicom.open(converted.directory) as slide:
        assert len(slide.pyramids) == 1
        assert len(slide.pyramids[0]) == len(converted.levels)
        for number, level in enumerate(converted.levels):
            size = (level.size.columns, level.size.rows)
            assert (
                slide.pyramids[0][number].size.width,
                slide.pyramids[0][number].size.height,
            ) == size
            assert slide.pyramids[0][number].level == number
            frame = slide.read_encoded_tile(number, (0, 0))
            assert frame == level.encoded[0] + bytes(len(level.encoded[0]) % 2)
            pixels = np.asarray(slide.read_region((0, 0), number, size))
            np.testing.assert_array_equal(pixels, decoded(level))
        for kind, image in (
            (AssociatedKind.LABEL, slide.read_label()),
            (AssociatedKind.OVERVIEW, slide.read_overview()),
        ):
            np.testing.assert_array_equal(np.asarray(image), converted.slide.images[kind])


def test_openslide_reads_levels_and_associated_images(converted) -> None:  # type: ignore[no-untyped-def] # as above
    with openslide.OpenSlide(str(converted.directory / "level-0.dcm")) as slide:
        assert slide.level_dimensions == tuple(
            (level.size.columns, level.size.rows) for level in converted.levels
        )
        for number, level in enumerate(converted.levels):
            size = (level.size.columns, level.size.rows)
            pixels = np.asarray(slide.read_region((0, 0), number, size).convert("RGB"))
            np.testing.assert_array_equal(pixels, decoded(level))
        for kind, name in ((AssociatedKind.LABEL, "label"), (AssociatedKind.OVERVIEW, "macro")):
            image = np.asarray(slide.associated_images[name].convert("RGB"))
            np.testing.assert_array_equal(image, converted.slide.images[kind])
        power = slide.properties.get("openslide.objective-power")
        assert power == (None if converted.slide.metadata.objective_power is None else "20")


def test_re_encoded_and_own_thumbnail_are_taken_too(re_encoded) -> None:  # type: ignore[no-untyped-def] # as above
    with openslide.OpenSlide(str(re_encoded.directory / "level-0.dcm")) as slide:
        assert slide.level_count == 3
        assert slide.associated_images["thumbnail"].size == (75, 50)
    with wsidicom.WsiDicom.open(re_encoded.directory) as slide:
        assert len(slide.pyramids[0]) == 3
    test_dciodvfy_finds_no_error(re_encoded)
