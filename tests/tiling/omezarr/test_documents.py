"""What the documents say, and that the field's own model of OME-Zarr takes it."""

from collections.abc import Callable
from typing import Any

import pytest
from ome_zarr_models.v05.image import ImageAttrs

from tiling.geometry import Size
from tiling.omezarr.documents import array_document, group_document
from tiling.omezarr.multiscale import Multiscale
from tiling.slide import COUNTED_FOCAL_PLANES, RGB8, Illumination, Level, OpticalPath, PixelFormat

LEVELS = [
    Level(Size(1000, 700), Size(256, 128), 1.0),
    Level(Size(500, 350), Size(256, 128), 2.0),
    Level(Size(125, 88), Size(256, 128), 8.0),
]
DAPI = OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255))
UNNAMED = OpticalPath(illumination=Illumination.FLUORESCENCE)


def multiscale(image: Multiscale) -> Any:
    attributes = group_document(image)["attributes"]
    ImageAttrs.model_validate(attributes["ome"])
    return attributes["ome"]["multiscales"][0]


def test_a_level_lies_where_its_pixels_centres_are() -> None:
    said = multiscale(Multiscale("a", LEVELS, RGB8, pixel_spacing_mm=(0.00025, 0.0005)))
    assert [axis["name"] for axis in said["axes"]] == ["c", "y", "x"]
    assert [axis.get("unit") for axis in said["axes"]] == [None, "micrometer", "micrometer"]
    scales = [one["coordinateTransformations"][0]["scale"] for one in said["datasets"]]
    shifts = [one["coordinateTransformations"][1]["translation"] for one in said["datasets"]]
    assert scales == [[1, 0.25, 0.5], [1, 0.5, 1], [1, 2, 4]]
    # The first pixel of the third level covers eight of the base: its centre is 3.5 pixels on.
    assert shifts == [[0, 0, 0], [0, 0.125, 0.25], [0, 0.875, 1.75]]


def test_an_unknown_scale_is_told_in_pixels_without_a_unit() -> None:
    said = multiscale(Multiscale("a", LEVELS, RGB8))
    assert all("unit" not in axis for axis in said["axes"])
    assert said["datasets"][2]["coordinateTransformations"][0]["scale"] == [1, 8, 8]


@pytest.mark.parametrize(
    ("planes", "unit", "distance", "first"),
    [
        ((-2.0, 0.0, 2.0), "micrometer", 2.0, -2.0),
        ((0.0, 0.8000001, 1.6), "micrometer", 0.8, 0.0),
        ((0.0, 1.0, 5.0), None, 1.0, 0.0),
    ],
)
def test_planes_are_an_axis_of_their_own(
    planes: tuple[float, ...], unit: str | None, distance: float, first: float
) -> None:
    image = Multiscale("a", LEVELS, RGB8, focal_planes_um=planes, pixel_spacing_mm=(1, 1))
    said = multiscale(image)
    assert image.axes == "czyx"
    assert said["axes"][1].get("unit") == unit
    scale, shift = said["datasets"][0]["coordinateTransformations"]
    assert (scale["scale"][1], shift["translation"][1]) == (distance, first)
    assert image.shape(0) == [3, 3, 700, 1000]
    assert image.chunk_shape(0) == [3, 1, 128, 256]


def test_planes_that_are_only_counted_have_no_distance(drawn: Callable[..., Any]) -> None:
    slide = drawn(planes_um=(0.0, 1.0, 2.0))
    slide.metadata = slide.metadata.keeping_less("Something else.", COUNTED_FOCAL_PLANES)
    said = multiscale(Multiscale.of(slide, slide.levels, "name"))
    assert "unit" not in said["axes"][1]
    assert said["datasets"][0]["coordinateTransformations"][0]["scale"][1] == 1


def test_channels_are_shown_as_the_slide_is() -> None:
    image = Multiscale("a", LEVELS, PixelFormat(1, 12), [DAPI, UNNAMED])
    multiscale(image)
    dapi, unnamed = group_document(image)["attributes"]["ome"]["omero"]["channels"]
    assert (dapi["label"], dapi["color"]) == ("DAPI", "0000FF")
    assert dapi["window"] == {"min": 0, "max": 4095, "start": 0, "end": 4095}
    assert "label" not in unnamed
    assert unnamed["color"] != dapi["color"]


def test_colours_are_red_green_and_blue() -> None:
    channels = group_document(Multiscale("a", LEVELS, RGB8))["attributes"]["ome"]["omero"]
    assert [one["color"] for one in channels["channels"]] == ["FF0000", "00FF00", "0000FF"]


def test_of_several_pictures_each_colour_has_its_name_and_one_is_shown() -> None:
    image = Multiscale("a", LEVELS, RGB8, [OpticalPath("H&E"), OpticalPath()])
    multiscale(image)
    channels = group_document(image)["attributes"]["ome"]["omero"]["channels"]
    assert [one["label"] for one in channels][::3] == ["H&E Red", "Path 2 Red"]
    assert [one["color"] for one in channels] == ["FF0000", "00FF00", "0000FF"] * 2
    assert [one["active"] for one in channels] == [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    ("pixel_format", "paths", "said"),
    [
        (RGB8, [OpticalPath()], ("uint8", 255, [3, 700, 1000], [3, 128, 256])),
        (RGB8, [OpticalPath()] * 2, ("uint8", 255, [6, 700, 1000], [3, 128, 256])),
        (PixelFormat(1, 12), [DAPI, UNNAMED], ("uint16", 0, [2, 700, 1000], [1, 128, 256])),
        (PixelFormat(1, 7), [OpticalPath()], ("uint8", 127, [1, 700, 1000], [1, 128, 256])),
    ],
)
def test_an_array_is_one_tile_a_chunk(
    pixel_format: PixelFormat, paths: list[OpticalPath], said: tuple[Any, ...]
) -> None:
    document = array_document(Multiscale("a", LEVELS, pixel_format, paths), 0)
    chunks = document["chunk_grid"]["configuration"]["chunk_shape"]
    assert (document["data_type"], document["fill_value"], document["shape"], chunks) == said
    assert document["dimension_names"] == ["c", "y", "x"]


def test_a_slide_is_described_by_its_reader(drawn: Callable[..., Any]) -> None:
    slide = drawn(planes_um=(0.0, 1.0))
    image = Multiscale.of(slide, slide.levels, "name")
    assert (image.axes, image.channels) == ("czyx", 3)
    assert image.pixel_spacing_mm == (0.00025, 0.0005)
