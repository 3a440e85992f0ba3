"""DeepZoom's arithmetic, against OpenSlide's generator of the same."""

from typing import Any, cast
from xml.etree import ElementTree

import openslide
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openslide.deepzoom import DeepZoomGenerator
from PIL import Image

from tiling.deep_zoom import DeepZoom
from tiling.geometry import Size
from tiling.region import cut_region
from tiling.slide import Level


def generator(size: Size, tile: int) -> DeepZoomGenerator:
    image = cast("Any", Image.new("1", (size.columns, size.rows)))
    return DeepZoomGenerator(openslide.ImageSlide(image), tile, overlap=0)


@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([128, 240, 256, 510, 512, 1024]))
def test_levels_and_tiles_are_openslides(columns: int, rows: int, tile: int) -> None:
    size = Size(columns, rows)
    ours, theirs = DeepZoom(size, tile), generator(size, tile)
    assert ours.levels == theirs.level_count
    for level in range(ours.levels):
        own = ours.level_size(level)
        assert (own.columns, own.rows) == theirs.level_dimensions[level]
        across, down = theirs.level_tiles[level]
        for column, row in {(0, 0), (across - 1, 0), (0, down - 1), (across - 1, down - 1)}:
            region, shown = ours.region(level, column, row)
            assert (shown.columns, shown.rows) == theirs.get_tile_dimensions(level, (column, row))
            (left, top), _, _ = theirs.get_tile_coordinates(level, (column, row))
            assert (region.left, region.top) == (left, top)
        for column, row in ((across, 0), (0, down)):
            with pytest.raises(IndexError):
                ours.region(level, column, row)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_every_tile_can_be_cut(columns: int, rows: int) -> None:
    levels = [Level(Size(columns, rows), Size(256, 256), 1.0)]
    deep_zoom = DeepZoom.of(levels)
    for level in range(deep_zoom.levels):
        region, size = deep_zoom.region(level, 0, 0)
        assert cut_region(levels, region, size).size == size


@pytest.mark.parametrize(
    ("own", "tile"),
    [
        (Size(240, 240), 240),
        (Size(1024, 1024), 1024),
        (Size(256, 128), 512),
        (Size(64, 64), 512),
        (Size(4096, 4096), 512),
    ],
)
def test_tiles_are_the_slides_own_where_they_can_be(own: Size, tile: int) -> None:
    assert DeepZoom.of([Level(Size(5000, 4000), own, 1.0)]).tile == tile


def test_a_stored_tile_is_a_tile() -> None:
    levels = [
        Level(Size(2001 // factor, 801 // factor), Size(128, 128), float(factor))
        for factor in (1, 2, 4)
    ]
    deep_zoom = DeepZoom.of(levels)
    for number in range(3):
        region, size = deep_zoom.region(deep_zoom.levels - 1 - number, 1, 0)
        cut = cut_region(levels, region, size)
        assert cut.level == number
        assert cut.tile_alone(Size(128, 128)) == (1, 0)


def test_the_document_says_size_and_tiles() -> None:
    image = ElementTree.fromstring(DeepZoom(Size(600, 421), 128).document())
    name = "{http://schemas.microsoft.com/deepzoom/2008}"
    assert image.tag == f"{name}Image"
    assert image.attrib == {"Format": "jpg", "Overlap": "0", "TileSize": "128"}
    (size,) = image
    assert (size.tag, size.attrib) == (f"{name}Size", {"Width": "600", "Height": "421"})


@pytest.mark.parametrize("level", [-1, 11, 99])
def test_there_are_no_other_levels(level: int) -> None:
    with pytest.raises(IndexError):
        DeepZoom(Size(600, 421), 128).level_size(level)
