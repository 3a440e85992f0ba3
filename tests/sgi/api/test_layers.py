"""Slides of light: every optical path and focal plane is served, as a browser can show it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tiling.array_slide import ArraySlide
from tiling.codecs import jpeg
from tiling.composite import Window
from tiling.geometry import Size
from tiling.slide import Illumination, OpticalPath

PATHS = [
    OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255), 358.0, 461.0),
    OpticalPath("Cy5", Illumination.FLUORESCENCE),
]


@pytest.fixture(scope="module")
def light() -> ArraySlide:
    x = np.mgrid[0:100, 0:150][1]
    layers = [[(x * 40 + 3000 * plane + 500 * path) for plane in range(3)] for path in range(2)]
    pixels = np.array(layers, np.uint16)[..., None]
    return ArraySlide(pixels, PATHS, (-2.0, 0.0, 2.0), bits=16, tile=Size(64, 64))


@pytest.fixture
def slide(here: Any, store: Any, publish_reader: Callable[..., Any], light: ArraySlide) -> Any:
    return publish_reader(here, store, light)


def test_the_paths_and_planes_are_told(web: Any, client: Any, slide: Any) -> None:
    told = web.get(client, f"/api/v1/slides/{slide.id}").json()
    assert [path["name"] for path in told["optical_paths"]] == ["DAPI", "Cy5"]
    assert told["optical_paths"][0]["colour"] == [0, 0, 255]
    assert told["optical_paths"][1]["colour"] is not None, "a colour was chosen"
    assert told["focal_planes_um"] == [-2.0, 0.0, 2.0]
    assert (told["samples"], told["bits"]) == (1, 16)


@pytest.mark.parametrize(("path", "plane"), [(0, 0), (1, 0), (1, 2)])
def test_each_layer_is_shown_in_the_window_of_its_path(
    web: Any, client: Any, slide: Any, light: ArraySlide, path: int, plane: int
) -> None:
    answer = web.get(client, f"/tiles/{slide.id}/0/1/0?path={path}&plane={plane}")
    assert answer.headers["content-type"] == "image/jpeg"
    window = Window(*slide.facts.optical_paths[path].window)
    expected = window.apply(light.read_tile(0, 1, 0, path, plane))[:, :, 0].astype(int)
    shown = jpeg.decode(answer.content)[:, :, 0]
    assert np.abs(shown - expected).mean() < 2


def test_a_window_can_be_asked_for(web: Any, client: Any, slide: Any, light: ArraySlide) -> None:
    address = f"/tiles/{slide.id}/0/0/0?path=1&plane=1&window=3000-6000"
    answer = web.get(client, address)
    expected = Window(3000, 6000).apply(light.read_tile(0, 0, 0, 1, 1))[:, :, 0].astype(int)
    assert np.abs(jpeg.decode(answer.content)[:, :, 0] - expected).mean() < 2
    again = web.get(client, address, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    plain = web.get(client, f"/tiles/{slide.id}/0/0/0?path=1&plane=1")
    assert plain.headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize(
    "query",
    ["path=2", "plane=3", "path=-1", "path=x", "window=9-3", "window=5", "window=1-2-3"],
)
def test_a_layer_that_is_not_there_is_not_found(
    web: Any, client: Any, slide: Any, query: str
) -> None:
    assert web.get(client, f"/tiles/{slide.id}/0/0/0?{query}").status_code == 404


def test_the_thumbnail_is_in_colours(web: Any, client: Any, slide: Any) -> None:
    assert web.get(client, f"/slides/{slide.id}/thumbnail").headers["content-type"] == "image/png"
