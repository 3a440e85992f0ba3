"""dicom-microscopy-viewer, over DICOMweb in Chromium: what it makes of the frames that it shows."""

import base64
import shutil
from collections.abc import Iterator
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from playwright.sync_api import Error as BrowserError

from conformance.converted import ConvertedSlide
from conformance.dicomweb_server import DicomWebServer
from conformance.limits import Limit
from conformance.looks import Look, Step
from conformance.verdict import CheckerAbsentError, ObjectionError
from conformance.viewer_page import FILES, arguments

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_WITHIN_MS = 30_000
_MOST_KEPT = 500
"""Frames of a level: more than a first view has."""
_LOADED = """() => shown().errors.length
    || (Object.keys(shown().frames).length > 0 && shown().loading === 0)"""
_THEN_QUIET_MS = 300


class DicomMicroscopyViewer:
    """One browser for all slides; use it as a context manager."""

    NAME = "dicom-microscopy-viewer"

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        if _CHROMIUM is not None and all(path.exists() for path in FILES.values()):
            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(
                executable_path=_CHROMIUM, args=arguments()
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._browser is not None and self._playwright is not None:
            self._browser.close()
            self._playwright.stop()

    def looks(self, slide: ConvertedSlide) -> Iterator[Look]:
        """Every level is found, and the tiles of its first view are those that were written."""
        if self._browser is None:
            raise CheckerAbsentError
        with DicomWebServer(slide.instances) as server:
            page = self._browser.new_page()
            try:
                page.goto(f"{server.address}/page.html")
                yield from _looks(page, slide)
            finally:
                page.close()

    def limits_of(self, _: ConvertedSlide) -> Iterator[Limit]:
        """None is known: what it cannot show it says, and that counts."""
        yield from ()


def _looks(page: Page, slide: ConvertedSlide) -> Iterator[Look]:
    uids = {record.sop_instance_uid: record.level for record in slide.manifest.instances}
    wanted = [
        f"{uid}/{number}"
        for uid, level in uids.items()
        if level is not None
        for number in range(1, min(slide.levels[level].order.frames, _MOST_KEPT) + 1)
    ]
    page.evaluate(
        "wanted => window.show(location.origin + '/dicomweb', ...wanted)",
        [slide.manifest.study_uid, slide.manifest.series_uid, wanted],
    )
    try:
        page.wait_for_function(_LOADED, timeout=_WITHIN_MS)
        page.wait_for_timeout(_THEN_QUIET_MS)  # those of another optical path begin a little later
        page.wait_for_function(_LOADED, timeout=_WITHIN_MS)
    except BrowserError as error:
        raise ObjectionError("it shows nothing") from error
    seen: dict[str, Any] = page.evaluate("shown()")
    if seen["errors"]:
        raise ObjectionError(str(seen["errors"][0])[:120])
    sizes = {(level.size.columns, level.size.rows) for level in slide.levels}
    yield Look(Step.LEVELS, partial(_require_levels, sizes, {tuple(s) for s in seen["images"]}))
    for name, (kind, data) in sorted(seen["frames"].items()):
        uid, _, number = name.partition("/")
        level = uids[uid]
        if level is not None and data:
            frame = np.frombuffer(base64.b64decode(data), _TYPES[kind])
            look = partial(_look_at, slide, level, int(number) - 1, frame)
            yield Look(Step.PIXELS, look, level)


_TYPES = {
    "Uint8Array": np.uint8,
    "Uint8ClampedArray": np.uint8,
    "Uint16Array": np.uint16,
    "Float32Array": np.float32,
}


def _require_levels(written: set[tuple[int, int]], found: set[tuple[int, int]]) -> None:
    if written != found:
        raise ObjectionError(f"levels of {sorted(found)}")


def _look_at(slide: ConvertedSlide, level: int, index: int, frame: np.ndarray[Any, Any]) -> None:
    written = slide.levels[level]
    place = written.order.position(index)
    shape = (written.tile.rows, written.tile.columns, written.pixel_format.samples)
    slide.require_tile(
        frame.reshape(shape), level, place.column, place.row, place.path, place.plane
    )
