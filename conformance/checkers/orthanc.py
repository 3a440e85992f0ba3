"""Orthanc with its whole-slide plugin, a server of its own on loopback: stored over REST, its pages
and tiles fetched.
"""

import io
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pydicom
from PIL import Image

from conformance.converted import ConvertedSlide
from conformance.limits import Limit
from conformance.looks import Look, Step
from conformance.verdict import CheckerAbsentError, ObjectionError
from dicom.transfer_syntax import transfer_syntax_of
from tiling.slide import Colour

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancWSI.so")
_READY_WITHIN_S = 60
_ANSWER_WITHIN_S = 60
_DECODED = {
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
}
"""Transfer syntaxes that its plugin shows."""
_NO_PYRAMID = "^GET wsi/pyramids: HTTP 404$"
_LACKS = "^it lacks levels of "


class Orthanc:
    """The running server; without one installed, every slide finds the checker absent."""

    NAME = "Orthanc"

    def __init__(self) -> None:
        self._program = shutil.which("Orthanc")
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="orthanc-")
        self._address = ""

    def __enter__(self) -> Self:
        if self._program is None or not _PLUGIN.exists():
            return self
        port = _free_port()
        self._address = f"http://127.0.0.1:{port}"
        settings = Path(self._folder.name, "orthanc.json")
        settings.write_text(
            json.dumps(
                {
                    "HttpPort": port,
                    "RemoteAccessAllowed": False,
                    "AuthenticationEnabled": False,
                    "DicomServerEnabled": False,
                    "StorageDirectory": self._folder.name,
                    "IndexDirectory": self._folder.name,
                    "Plugins": [str(_PLUGIN)],
                }
            )
        )
        self._process = subprocess.Popen(
            [self._program, str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_READY_WITHIN_S)
        self._folder.cleanup()

    def looks(self, slide: ConvertedSlide) -> Iterator[Look]:
        """Stored whole, shown as a pyramid of the same levels, and its tiles as they were
        written.
        """
        if self._process is None:
            raise CheckerAbsentError
        (series,) = {self._post(path)["ParentSeries"] for path in slide.instances}
        try:
            stored = json.loads(self._ask("GET", f"/series/{series}"))["Instances"]
            if len(stored) != len(slide.instances):
                raise ObjectionError(f"{len(stored)} instances stored")
            yield from self._look_at_pyramid(slide, series)
        finally:
            self._ask("DELETE", f"/series/{series}")

    def limits_of(self, slide: ConvertedSlide) -> Iterator[Limit]:
        """What its whole-slide plugin does not decode or does not look for."""
        order = slide.base.order
        if order.focal_planes > 1 or order.optical_paths > 1:
            words = "its plugin shows one layer"
            yield Limit(words, Step.OPEN, ObjectionError, _NO_PYRAMID)
            yield Limit(words, Step.LEVELS, ObjectionError, _LACKS)
        if slide.base.pixel_format.bits > 8:
            yield Limit("its plugin shows 8 bits", Step.OPEN, ObjectionError, _NO_PYRAMID)
        for number, level in enumerate(slide.levels):
            syntax = transfer_syntax_of(level.encoding)
            if syntax not in _DECODED:
                words, said = f"its plugin has no {syntax}", "^GET wsi/tiles: HTTP 500$"
                yield Limit(words, Step.PIXELS, ObjectionError, said, [number])
            elif level.encoding.colour is Colour.ICT:
                words = "its plugin undoes JPEG 2000's component transform twice"
                yield Limit(words, Step.PIXELS, AssertionError, "^pixels differ by", [number])

    def _look_at_pyramid(self, slide: ConvertedSlide, series: str) -> Iterator[Look]:
        pyramid = json.loads(self._ask("GET", f"/wsi/pyramids/{series}"))
        shown = [tuple(size) for size in pyramid["Sizes"]]
        page = self._ask("GET", f"/wsi/app/viewer.html?series={series}")
        if b"<html" not in page.lower():
            raise ObjectionError("its page is not there")
        # It takes label, overview and thumbnail of a series for levels, too.
        if not set(shown) <= set(map(_size_of, slide.instances)):
            raise ObjectionError(f"levels of {shown}, which nobody wrote")
        sizes = [(level.size.columns, level.size.rows) for level in slide.levels]
        yield Look(Step.LEVELS, partial(_require_all, sizes, shown))
        for number, size in enumerate(sizes):
            if size in shown:
                at = f"/wsi/tiles/{series}/{shown.index(size)}"
                yield Look(Step.PIXELS, partial(self._look_at_tiles, slide, number, at), number)

    def _look_at_tiles(self, slide: ConvertedSlide, number: int, address: str) -> None:
        for column, row in slide.positions(number):
            tile = self._ask("GET", f"{address}/{column}/{row}")
            seen = np.asarray(Image.open(io.BytesIO(tile)).convert("RGB"))
            slide.require_tile(seen, number, column, row)

    def _post(self, path: Path) -> Any:
        return json.loads(self._ask("POST", "/instances", path.read_bytes()))

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self._address + path, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN_S) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            error.close()
            what = "/".join(path.split("/")[1:3]) if path.startswith("/wsi") else path.split("/")[1]
            raise ObjectionError(f"{method} {what}: HTTP {error.code}") from None

    def _wait(self) -> None:
        until = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < until:
            try:
                self._ask("GET", "/system")
                return
            except (ObjectionError, OSError):
                time.sleep(0.2)
        raise TimeoutError("Orthanc did not answer")


def _size_of(instance: Path) -> tuple[int, int]:
    dataset = pydicom.dcmread(instance, stop_before_pixels=True)
    return dataset.TotalPixelMatrixColumns, dataset.TotalPixelMatrixRows


def _require_all(sizes: list[tuple[int, int]], shown: list[tuple[int, int]]) -> None:
    missing = set(sizes) - set(shown)
    if missing:
        raise ObjectionError(f"it lacks levels of {sorted(missing)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
