"""Several optical paths in true colours: each is shown by itself, as it was seen."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tiling.array_slide import ArraySlide
from tiling.codecs import jpeg
from tiling.geometry import Size
from tiling.slide import OpticalPath
from tiling.testing import draw_pattern

PATHS = [OpticalPath("Brightfield"), OpticalPath("Polarised")]
TILE = Size(64, 64)


@pytest.fixture(scope="module", params=[8, 16])
def drawn(request: pytest.FixtureRequest) -> ArraySlide:
    usual = draw_pattern(150, 100)
    pixels = np.stack([usual, 255 - usual])[:, None]
    if request.param == 16:
        pixels = pixels.astype(np.uint16) * 257
    return ArraySlide(pixels, PATHS, bits=request.param, tile=TILE)


@pytest.fixture
def slide(here: Any, store: Any, publish_reader: Callable[..., Any], drawn: ArraySlide) -> Any:
    return publish_reader(here, store, drawn)


def test_the_paths_are_told_without_tints(web: Any, client: Any, slide: Any) -> None:
    told = web.get(client, f"/api/v1/slides/{slide.id}").json()
    assert told["samples"] == 3
    assert [path["name"] for path in told["optical_paths"]] == ["Brightfield", "Polarised"]
    assert [(path["colour"], path["window"]) for path in told["optical_paths"]] == [
        (None, None)
    ] * 2


@pytest.mark.parametrize("path", [0, 1])
def test_each_path_is_shown_as_it_is(
    web: Any, client: Any, slide: Any, drawn: ArraySlide, path: int
) -> None:
    answer = web.get(client, f"/tiles/{slide.id}/0/1/0?path={path}")
    assert answer.headers["content-type"] == "image/jpeg"
    expected = drawn.read_tile(0, 1, 0, path) >> max(slide.facts.bits - 8, 0)
    assert np.abs(jpeg.decode(answer.content).astype(int) - expected).mean() < 8
    assert web.get(client, f"/tiles/{slide.id}/0/1/0?path=2").status_code == 404


def test_each_path_is_three_channels_of_a_zarr(
    web: Any, client: Any, slide: Any, drawn: ArraySlide
) -> None:
    at = f"/zarr/{slide.id}.zarr"
    assert web.get(client, f"{at}/0/zarr.json").json()["shape"] == [6, 100, 150]
    channels = web.get(client, f"{at}/zarr.json").json()["attributes"]["ome"]["omero"]["channels"]
    assert [channel["label"] for channel in channels][3:5] == ["Polarised Red", "Polarised Green"]
    chunk = web.get(client, f"{at}/0/c/1/0/1").content
    samples = np.frombuffer(chunk, drawn.pixel_format.dtype).reshape(3, 64, 64).transpose(1, 2, 0)
    expected = drawn.read_tile(0, 1, 0, 1)
    near = 8 * drawn.pixel_format.brightest / 255
    assert np.abs(samples.astype(int) - expected).mean() < near
