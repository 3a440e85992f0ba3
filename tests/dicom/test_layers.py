"""Slides of several optical paths and focal planes: every layer in its place, for every reader."""

import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from wsidicom import WsiDicom
from wsidicom.geometry import Point

from dicom.conversion import convert
from dicom.frame_index import FrameIndex
from dicom.models import SlideIdentity
from dicom.targets import DirectoryTarget
from dicom.testing import MemorySource
from dicom.tile_order import tile_order_of
from tiling.array_slide import ArraySlide
from tiling.codecs.frames import decode, lossless_encoding
from tiling.geometry import Size
from tiling.pyramid import PyramidOptions, build_pyramid
from tiling.slide import Illumination, OpticalPath, SlideMetadata

PATHS = (
    OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255), 358.0, 461.0),
    OpticalPath("Cy5", Illumination.FLUORESCENCE),
)
PLANES_UM = (-1.5, 0.0, 1.5)
TILE = Size(64, 48)


def draw(bits: int, paths: int, planes: int) -> NDArray[np.unsignedinteger]:
    """Light that differs in every layer and pixel row."""
    shape = (paths, planes, 150, 200, 1)
    numbers = np.random.default_rng(3).integers(0, 1 << bits, shape)
    ramp = np.linspace(0, (1 << bits) - 1, 200).astype(int)[None, None, None, :, None]
    layer = np.arange(paths * planes).reshape(paths, planes, 1, 1, 1)
    mixed = (ramp + numbers // 16) // 2 + layer * (1 << (bits - 4))
    return np.clip(mixed, 0, (1 << bits) - 1).astype(np.uint8 if bits == 8 else np.uint16)


@pytest.fixture(params=[8, 16])
def slide(request: pytest.FixtureRequest) -> ArraySlide:
    said = SlideMetadata(pixel_spacing_mm=(0.00025, 0.00025), objective_power=40)
    pixels = draw(request.param, 2, 3)
    return ArraySlide(pixels, PATHS, PLANES_UM, bits=request.param, tile=TILE, metadata=said)


@pytest.fixture
def folder(slide: ArraySlide, identity: SlideIdentity, tmp_path: Path) -> Path:
    levels = build_pyramid(slide, tmp_path, PyramidOptions(top_pixels=100))
    target = tmp_path / "slide"
    target.mkdir()
    convert(slide, levels, identity, DirectoryTarget(target))
    return target


def test_every_layer_comes_back_bit_for_bit(slide: ArraySlide, folder: Path) -> None:
    source = MemorySource((folder / "level-0.dcm").read_bytes())
    index = FrameIndex.read(source)
    order = tile_order_of(index.header)
    assert (order.optical_paths, order.focal_planes) == (2, 3)
    encoding = lossless_encoding(slide.pixel_format)
    for frame_index in range(order.frames):
        frame = source.read(*index.offset(frame_index))
        samples = decode(frame, encoding, TILE, slide.pixel_format)
        expected = slide.read_tile(0, *order.position(frame_index))
        np.testing.assert_array_equal(samples, expected)


def test_dciodvfy_finds_no_error(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        checked = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        errors = [line for line in checked.stderr.splitlines() if line.startswith("Error")]
        assert not errors, (path.name, errors)


def test_the_paths_and_planes_are_described(slide: ArraySlide, folder: Path) -> None:
    dataset = pydicom.dcmread(folder / "level-0.dcm")
    assert dataset.PhotometricInterpretation == "MONOCHROME2"
    assert dataset.BitsStored == slide.pixel_format.bits
    assert dataset.NumberOfOpticalPaths == 2
    assert dataset.TotalPixelMatrixFocalPlanes == 3
    first, second = dataset.OpticalPathSequence
    assert (first.OpticalPathDescription, first.IlluminationWaveLength) == ("DAPI", 358)
    assert second.IlluminationTypeCodeSequence[0].CodeValue == "111743"
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert float(measures.SpacingBetweenSlices) == 0.0015
    assert dataset.LossyImageCompression == "00"


def test_wsidicom_finds_each_layer(slide: ArraySlide, folder: Path) -> None:
    with WsiDicom.open(folder) as opened:
        base = opened.levels[0]
        assert sorted(base.optical_paths) == ["1", "2"]
        for path, plane in ((0, 0), (1, 2), (1, 1)):
            z = sorted(base.focal_planes)[plane]
            image = base.get_tile(Point(1, 1), z, str(path + 1))
            expected = slide.read_tile(0, 1, 1, path, plane)[:, :, 0]
            np.testing.assert_array_equal(image, expected)


def test_the_thumbnail_shows_the_light_in_colours(folder: Path) -> None:
    thumbnail = pydicom.dcmread(folder / "thumbnail.dcm")
    assert thumbnail.PhotometricInterpretation == "RGB"
    pixels = thumbnail.pixel_array
    assert pixels[..., 2].max() > 200, "the first path's own blue"
    assert pixels[..., 1].max() > 200, "the second path's, chosen to differ"
    assert pixels[..., 0].max() == 0
