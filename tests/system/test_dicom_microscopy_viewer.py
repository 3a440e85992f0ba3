"""dicom-microscopy-viewer in a browser, before our DICOMweb: it shows what is stored."""

import base64
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import openslide
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, sync_playwright

from conformance.viewer_page import FILES, arguments

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = Path(__file__).resolve().parent.parent / "screenshots"
PASSWORD = "correct horse battery"

STAGE = (800, 600)
MIDDLE: Any = {"x": 200, "y": 150, "width": 500, "height": 350}
"""Of the stage, where nothing lies on the slide."""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.skipif(
        any(not path.exists() for path in FILES.values()),
        reason="dicom-microscopy-viewer is not installed: scripts/build-viewer.sh test",
    ),
]


# Of a module: its event loop must not run while other tests have loops of their own.
@pytest.fixture(scope="module")
def webgl_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments())
        yield chromium
        chromium.close()


@pytest.fixture
def page(shared_system: Any, webgl_browser: Browser) -> Iterator[Page]:
    """A page of the system's own origin, signed in, with the viewer in it."""
    context = webgl_browser.new_context(base_url=shared_system.address)
    signed_in = context.request.post(
        "/api/v1/sign-in", data={"name": "admin", "password": PASSWORD}
    )
    assert signed_in.ok
    page = context.new_page()

    def serve(route: Route) -> None:
        route.fulfill(path=FILES[route.request.url.rpartition("/")[2]])

    page.route("**/checked/**", serve)
    page.route("**/static/js/**", serve)  # where it looks for its worker
    page.goto("/checked/page.html")
    yield page
    context.close()


def frame(shared_system: Any, at: str, number: int) -> np.ndarray:
    """A stored frame, unpacked here."""
    answer = shared_system.client().get(f"{at}/frames/{number}", headers={"Accept": "image/jpeg"})
    return np.asarray(imagecodecs.jpeg_decode(answer.content))


def wait_for_frames(page: Page, uid: str, at_least: int) -> dict[str, list[str]]:
    """What the viewer made of the frames of an instance."""
    page.wait_for_function(
        """([uid, least]) =>
            Object.keys(shown().frames).filter((name) => name.startsWith(uid)).length >= least""",
        arg=[uid, at_least],
        timeout=60_000,
    )
    seen = page.evaluate("shown()")
    assert seen["errors"] == []
    return {name: made for name, made in seen["frames"].items() if name.startswith(uid)}


def test_it_shows_the_stored_tiles(
    page: Page, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    source = own_slide("viewed.svs", seed=21, rows=1500, columns=2100)
    shared_system.put(source)
    slide_id = shared_system.wait_for("viewed.svs", "published")["slide"]
    slide = shared_system.client().get(f"/api/v1/slides/{slide_id}").json()
    series = f"/dicomweb/studies/{slide['study_uid']}/series/{slide['series_uid']}"
    uids = {
        told["00480006"]["Value"][0]: told["00080018"]["Value"][0]
        for told in shared_system.client().get(f"{series}/metadata").json()
        if told["00080008"]["Value"][2] == "VOLUME"
    }
    base, coarser = (uids[slide["levels"][level]["columns"]] for level in (0, 1))
    kept = [f"{uid}/{number}" for uid in (base, coarser) for number in range(1, 100)]
    page.evaluate(
        "wanted => window.show(location.origin + '/dicomweb', ...wanted)",
        [slide["study_uid"], slide["series_uid"], kept],
    )
    made = wait_for_frames(page, coarser, 6)
    assert difference(page, source, 2100 / 800) < 15
    page.screenshot(path=SCREENSHOTS / "dicom-microscopy-viewer.png")
    page.evaluate("beyond => window.goTo(beyond, undefined)", len(uids))
    made |= wait_for_frames(page, base, 12)
    assert difference(page, source, 1) < 20
    for name, (kind, data) in made.items():
        uid, _, number = name.partition("/")
        stored = frame(shared_system, f"{series}/instances/{uid}", int(number)).astype(int)
        assert kind.startswith("Uint8")
        shown = np.frombuffer(base64.b64decode(data), np.uint8).reshape(stored.shape)
        assert np.abs(shown - stored).mean() < 1, name


def difference(page: Page, source: Path, scale: float) -> float:
    """Of the middle of the stage from the middle of the slide at a scale, in grey levels.

    Of another part of the slide it would be 50; half a pixel's shift makes some 12.
    """
    page.wait_for_timeout(1500)  # until what is loaded is drawn
    screen = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=MIDDLE))).convert("RGB"), int)
    with openslide.OpenSlide(source) as opened:
        columns, rows = (round(extent / scale) for extent in opened.dimensions)
        whole = opened.read_region((0, 0), 0, opened.dimensions).convert("RGB")
    # It turns the glass so that the label is on the right.
    turned = np.asarray(whole.resize((columns, rows), Image.Resampling.HAMMING), int)[::-1, ::-1]
    top = (rows - STAGE[1]) // 2 + MIDDLE["y"]
    left = (columns - STAGE[0]) // 2 + MIDDLE["x"]
    expected = turned[top : top + MIDDLE["height"], left : left + MIDDLE["width"]]
    return float(np.abs(screen - expected).mean())
