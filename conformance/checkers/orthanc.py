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
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from PIL import Image

from conformance.converted import ConvertedSlide
from conformance.verdict import CheckerAbsentError, ObjectionError
from tiling.slide import Colour

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancWSI.so")
_READY_WITHIN_S = 60
_ANSWER_WITHIN_S = 60


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

    def check(self, slide: ConvertedSlide) -> None:
        """Stored, shown as a pyramid of the same levels, and its tiles as they were written."""
        if self._process is None:
            raise CheckerAbsentError
        answers = [self._post(path) for path in slide.instances]
        series = answers[0]["ParentSeries"]
        try:
            self._check_pyramid(slide, series)
        finally:
            self._ask("DELETE", f"/series/{series}")

    def limit_of(self, slide: ConvertedSlide) -> str | None:
        """What its whole-slide plugin does not decode or does not look for."""
        order = slide.base.order
        if order.focal_planes > 1 or order.optical_paths > 1:
            return "its plugin shows one layer"
        if slide.base.pixel_format.bits > 8:
            return "its plugin shows 8 bits"
        colours = {level.encoding.colour for level in slide.levels}
        if colours & {Colour.ICT, Colour.RCT}:
            return "its plugin undoes JPEG 2000's component transform twice"
        known = {"1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"}
        known |= {"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"}
        unread = slide.syntaxes - known
        return f"its plugin has no {', '.join(sorted(unread))}" if unread else None

    def _check_pyramid(self, slide: ConvertedSlide, series: str) -> None:
        pyramid = json.loads(self._ask("GET", f"/wsi/pyramids/{series}"))
        # It takes label, overview and thumbnail of a series for levels, too.
        found = [tuple(size) for size in pyramid["Sizes"]]
        sizes = [(level.size.columns, level.size.rows) for level in slide.levels]
        if not set(sizes) <= set(found):
            raise ObjectionError(f"levels of {found}")
        page = self._ask("GET", f"/wsi/app/viewer.html?series={series}")
        if b"<html" not in page.lower():
            raise ObjectionError("its page is not there")
        for number in range(len(slide.levels)):
            for column, row in slide.positions(number):
                level = found.index(sizes[number])
                tile = self._ask("GET", f"/wsi/tiles/{series}/{level}/{column}/{row}")
                shown = np.asarray(Image.open(io.BytesIO(tile)).convert("RGB"))
                slide.require_tile(shown, number, column, row)

    def _post(self, path: Path) -> Any:
        return json.loads(self._ask("POST", "/instances", path.read_bytes()))

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self._address + path, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN_S) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise ObjectionError(f"{method} {path.split('/')[1]}: HTTP {error.code}") from error

    def _wait(self) -> None:
        until = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < until:
            try:
                self._ask("GET", "/system")
                return
            except (ObjectionError, OSError):
                time.sleep(0.2)
        raise TimeoutError("Orthanc did not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
