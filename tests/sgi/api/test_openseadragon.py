"""OpenSeadragon in a real browser, as other people's pages use it: over DeepZoom and over IIIF."""

import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

import viewer
from sgi.domain.slide import Slide
from tiling.codecs import jpeg
from tiling.geometry import Size, TileGrid
from tiling.slide import Pixels

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCRIPT = (
    Path(viewer.__file__).parent / "node_modules/openseadragon/build/openseadragon/openseadragon.js"
)
PAGE = """<!doctype html><meta charset="utf-8"><style>body { margin: 0; background: black; }
#osd { width: 600px; height: 420px; }</style><div id="osd"></div><script src="/osd.js"></script>
<script>
window.osd = OpenSeadragon({ id: "osd", tileSources: SOURCE, drawer: "canvas", prefixUrl: "",
  showNavigationControl: false, animationTime: 0, immediateRender: true, blendTime: 0 });
osd.addHandler("open", () => { const image = osd.world.getItemAt(0);
  image.addHandler("fully-loaded-change", (event) => { window.whole = event.fullyLoaded; }); });
osd.addHandler("tile-load-failed", (event) => { window.failed = event.message; });
</script>"""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.skipif(not SCRIPT.exists(), reason="the viewer's packages are not installed"),
]


@pytest.fixture
def address(web: Any, client: Any) -> Iterator[str]:
    """The application behind a socket that adds the session."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = web.run(client.get(self.path, headers={"host": self.headers["host"]}))
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def stored_level(slide: Slide, level: int, frame_of: Callable[[int, int], bytes]) -> Pixels:
    stored = slide.levels[level]
    grid = TileGrid(Size(stored.columns, stored.rows), Size(128, 128))
    whole = np.zeros((grid.tiles.rows * 128, grid.tiles.columns * 128, 3), np.uint8)
    for column, row in grid.positions():
        tile = jpeg.decode(frame_of(level, grid.frame_index(column, row)))
        whole[row * 128 :, column * 128 :][:128, :128] = tile
    return whole[: stored.rows, : stored.columns]


def seen_on(page: Page) -> Pixels:
    page.wait_for_function("() => window.whole || window.failed", timeout=30_000)
    assert page.evaluate("() => window.failed") is None
    page.wait_for_timeout(100)
    with Image.open(io.BytesIO(page.locator("#osd").screenshot())) as shot:
        return np.asarray(shot.convert("RGB"))


@pytest.mark.parametrize("door", ["/dzi/{}.dzi", "/iiif/3/{}/info.json"])
def test_it_shows_the_slide(
    address: str, slide: Slide, frame_of: Callable[[int, int], bytes], door: str
) -> None:
    base, half = (stored_level(slide, level, frame_of).astype(float) for level in (0, 1))
    html = PAGE.replace("SOURCE", f'"{door.format(slide.id)}"')

    def own_page(route: Route) -> None:
        if route.request.url.endswith("/osd.js"):
            route.fulfill(path=SCRIPT, content_type="text/javascript")
        else:
            route.fulfill(body=html, content_type="text/html")

    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*root, "--disable-gpu", "--force-color-profile=srgb"]
        )
        page = browser.new_page(viewport={"width": 700, "height": 500})
        page.route("**/page.html", own_page)
        page.route("**/osd.js", own_page)
        page.goto(f"{address}/page.html")
        whole = seen_on(page)
        page.evaluate("() => { window.whole = false; osd.viewport.zoomTo(0.5, null, true); }")
        page.wait_for_timeout(500)
        page.evaluate("() => { window.whole = osd.world.getItemAt(0).getFullyLoaded(); }")
        smaller = seen_on(page)[105:315, 150:450]
        browser.close()
    assert ((whole - base) ** 2).mean() < 20
    assert np.abs(whole[:, -20:] - base[:, -20:]).mean() < 5, "the last tiles end with the slide"
    assert ((smaller - half) ** 2).mean() < 60
