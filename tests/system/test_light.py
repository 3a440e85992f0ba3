"""Fluorescence, focus and scenes: from the drop folder to compared pixels in a real browser."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from tiling.composite import Window, composite
from tiling.formats.zeiss.testing import WrittenSubblock, write_czi
from tiling.testing import draw_pattern

NAMES = ("DAPI", "Cy5")
HEIGHTS = 3


def draw_light() -> NDArray[np.uint16]:
    """`(paths, planes, rows, columns)`: spots that differ in every path and plane."""
    y, x = np.mgrid[:700, :900]
    layers = [
        [
            2000 + 1500 * np.sin(x / (17 + 5 * path)) * np.cos(y / (23 + 4 * plane)) + 400 * plane
            for plane in range(HEIGHTS)
        ]
        for path in range(len(NAMES))
    ]
    return np.asarray(layers, np.uint16)


@pytest.fixture
def light(tmp_path: Path) -> Path:
    path = tmp_path / "light.ome.tiff"
    metadata = {
        "axes": "CZYX",
        "Channel": {"Name": list(NAMES)},
        "PhysicalSizeX": 0.25,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.25,
        "PhysicalSizeYUnit": "µm",
        "PhysicalSizeZ": 1.5,
        "PhysicalSizeZUnit": "µm",
    }
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(draw_light(), tile=(256, 256), compression="zlib", metadata=metadata)
    return path


def expected(told: dict[str, Any], plane: int) -> NDArray[np.uint8]:
    """The picture that the channels make, `(rows, columns, 3)`."""
    paths = told["optical_paths"]
    layers = [layer[plane][..., None] for layer in draw_light()]
    windows = [Window(*path["window"]) for path in paths]
    return composite(layers, windows, [tuple(path["colour"]) for path in paths])


def test_light_is_composed_and_focused(
    page: Page, eyes: Any, shared_system: Any, light: Path
) -> None:
    shared_system.put(light)
    slide = shared_system.wait_for("light.ome.tiff", "published")["slide"]
    told = shared_system.client().get(f"/api/v1/slides/{slide}").json()
    assert [path["name"] for path in told["optical_paths"]] == list(NAMES)
    assert (told["samples"], told["bits"], len(told["focal_planes_um"])) == (1, 16, HEIGHTS)
    eyes.open(slide)
    channels = page.get_by_test_id("channels")
    expect(channels).to_be_visible()
    eyes.picture("light-channels-fr")
    page.keyboard.press("c")
    expect(channels).to_be_hidden()
    viewer = page.get_by_test_id("viewer")
    plane = int(viewer.get_attribute("data-plane") or -1)
    for step in (0, 1):
        if step:
            page.keyboard.press("PageUp")
            expect(viewer).not_to_have_attribute("data-plane", str(plane))
            plane = int(viewer.get_attribute("data-plane") or -1)
        eyes.show_at_full_size(100, 100)
        shown = eyes.seen(500, 300).astype(int)
        wanted = expected(told, plane)[100:400, 100:600]
        assert np.abs(shown - wanted).mean() < 4, f"plane {plane}"
    page.keyboard.press("c")
    expect(page.get_by_test_id("channel")).to_have_count(len(NAMES))
    page.get_by_test_id("channel-shown").first.click()
    page.keyboard.press("c")
    eyes.show_at_full_size(100, 100)
    one = eyes.seen(500, 300).astype(int)
    assert np.abs(one - wanted).mean() > 10, "a hidden channel is gone from the picture"


def test_each_scene_is_a_slide(page: Page, eyes: Any, shared_system: Any, tmp_path: Path) -> None:
    path = tmp_path / "scenes.czi"
    pictures = [draw_pattern(700, 500), draw_pattern(700, 500)[::-1]]
    blocks = [
        WrittenSubblock(picture, x=900 * number, places={"S": number})
        for number, picture in enumerate(pictures)
    ]
    write_czi(path, blocks)
    shared_system.put(path)
    shared_system.wait_for("scenes.czi", "published")
    slides = [s for s in shared_system.slides() if s["file_name"] == "scenes.czi"]
    assert sorted(slide["scene"] for slide in slides) == ["1/2", "2/2"]
    assert {(slide["columns"], slide["rows"]) for slide in slides} == {(700, 500)}
    for slide in slides:
        eyes.open(slide["id"])
        eyes.show_at_full_size(100, 100)
        shown = eyes.seen(400, 300).astype(int)
        wanted = pictures[int(slide["scene"][0]) - 1][100:400, 100:500]
        assert np.abs(shown - wanted).mean() < 6


def test_the_verdict_is_told_and_the_focus_map_is_laid_over(
    page: Page, eyes: Any, shared_system: Any, own_slide: Any
) -> None:
    shared_system.put(own_slide("judged.svs", seed=21, rows=2400, columns=3000))
    slide = shared_system.wait_for("judged.svs", "published")["slide"]
    quality = shared_system.client().get(f"/api/v1/slides/{slide}").json()["quality"]
    assert quality["verdict"] in {"pass", "look", "rescan"}
    json.dumps(quality, allow_nan=False)
    eyes.open(slide)
    expect(page.get_by_test_id("quality")).to_be_visible()
    page.keyboard.press("q")
    expect(page.get_by_test_id("focus-legend")).to_be_visible()
    eyes.picture("focus-map-fr")
    heat_map = page.request.get(f"/slides/{slide}/focus")
    assert heat_map.headers["content-type"] == "image/png"
