"""Records what the viewer asks for while hands move it: `python -m benchmarks.record_traces`.

A browser shows a benchmark's slide and gets real wheel and mouse events; every tile that it asks
for is written down with its moment. `pathologists` plays them back.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Request, sync_playwright

from benchmarks.run import say
from benchmarks.slides import write_slide
from benchmarks.system import System, own_system, publish
from sgi.access.first_account import NAME
from sgi.errors import ConfigurationError
from tiling.geometry import Size

FOLDER = Path(__file__).with_name("traces")
SLIDE_BYTES = 64 << 20
_SCREEN = Size(1920, 1080)
_CENTRE = (960, 560)


def survey(page: Page) -> None:
    """A section from one side to the other at low power, as one looks for what is there."""
    _zoom(page, 4)
    for row in range(4):
        for _ in range(5):
            _drag(page, -700 if row % 2 == 0 else 700, 0)
            page.wait_for_timeout(450)
        _drag(page, 0, -600)
        page.wait_for_timeout(450)


def search(page: Page) -> None:
    """Low power, something caught the eye, in and out again, on to the next."""
    _zoom(page, 3)
    for turn in range(6):
        _drag(page, -500 if turn % 2 else 420, -260)
        page.wait_for_timeout(700)
        _zoom(page, 8)
        page.wait_for_timeout(1800)
        _drag(page, -300, 120)
        page.wait_for_timeout(1500)
        _zoom(page, -8)
        page.wait_for_timeout(600)


def count(page: Page) -> None:
    """Field by field at full power, as mitoses are counted."""
    _zoom(page, 14)
    for row in range(5):
        for _ in range(6):
            _drag(page, -1100 if row % 2 == 0 else 1100, 0)
            page.wait_for_timeout(900)
        _drag(page, 0, -700)
        page.wait_for_timeout(900)


HANDS: dict[str, Callable[[Page], None]] = {"survey": survey, "search": search, "count": count}


def main() -> None:
    """Record every trace anew."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise ConfigurationError("Traces are recorded in Chromium: install it first.")
    with own_system(SLIDE_BYTES) as system:
        source = system.folder / "slide.svs"
        grid = write_slide(source, SLIDE_BYTES, "traces")
        slide = publish(system, source).slide_id
        _record_all(system, f"{system.address}/view/{slide}", grid, chromium)


def _record_all(system: System, address: str, grid: Size, chromium: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": _SCREEN.columns, "height": _SCREEN.rows})
        page.goto(system.address)
        page.get_by_test_id("sign-in-name").fill(NAME)
        page.get_by_test_id("sign-in-password").fill(system.password)
        page.get_by_test_id("sign-in-submit").click()
        page.get_by_test_id("sign-out").wait_for()
        FOLDER.mkdir(exist_ok=True)
        for name, move in HANDS.items():
            requests = _record(page, address, move)
            trace = {"grid": [grid.columns, grid.rows], "requests": requests}
            (FOLDER / f"{name}.json").write_text(json.dumps(trace, separators=(",", ":")) + "\n")
            say(f"{name}: {len(requests)} tiles in {requests[-1][0] / 1000:.0f} s")
        browser.close()


def _record(page: Page, address: str, move: Callable[[Page], None]) -> list[list[int]]:
    """`[millisecond, level, column, row]` of each tile, in the order in which it was asked for."""
    asked: list[list[int]] = []
    began = time.monotonic()

    def note(request: Request) -> None:
        path = request.url.partition("/tiles/")[2].partition("?")[0]
        if path:
            at = round((time.monotonic() - began) * 1000)
            asked.append([at, *map(int, path.split("/")[1:])])

    page.on("request", note)
    page.goto(address)
    page.locator("canvas").first.wait_for()
    page.wait_for_timeout(1500)
    page.mouse.move(*_CENTRE)
    move(page)
    page.remove_listener("request", note)
    return asked


def _zoom(page: Page, notches: int) -> None:
    for _ in range(abs(notches)):
        page.mouse.wheel(0, -120 if notches > 0 else 120)
        page.wait_for_timeout(70)


def _drag(page: Page, right: int, down: int) -> None:
    """A drag takes about a third of a second, in steps as a hand makes them."""
    x, y = _CENTRE[0] - right // 2, _CENTRE[1] - down // 2
    page.mouse.move(x, y)
    page.mouse.down()
    steps = 20
    for step in range(1, steps + 1):
        page.mouse.move(x + right * step / steps, y + down * step / steps)
        page.wait_for_timeout(12)
    page.wait_for_timeout(80)  # held still: no flick
    page.mouse.up()


if __name__ == "__main__":
    sys.exit(main())
