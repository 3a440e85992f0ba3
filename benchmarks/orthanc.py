"""Orthanc with its whole-slide plugin on the loopback, and one of our slides in it."""

import http.client
import json
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.store import S3Store

from sgi.engines.process import start_process, stop_process
from sgi.errors import SgiError

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancWSI.so")
_READY_S = 60.0
_ANSWER_S = 120.0


@dataclass(frozen=True, slots=True)
class OrthancServer:
    """A running one."""

    port: int

    def store(self, client: S3Store, keys: Sequence[str]) -> str:
        """Upload instances out of the bucket; returns where its plugin has the base's tiles."""
        series = ""
        for key in keys:
            told = self._ask("POST", "/instances", obstore.get(client, key).bytes().to_bytes())
            series = json.loads(told)["ParentSeries"]
        sizes = json.loads(self._ask("GET", f"/wsi/pyramids/{series}"))["Sizes"]
        return f"/wsi/tiles/{series}/{sizes.index(max(sizes))}"

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_S)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise SgiError(f"Orthanc refused {method} {path.split('/')[1]} ({answer.status}).")
        return data

    def _is_ready(self) -> bool:
        try:
            self._ask("GET", "/system")
        except (OSError, SgiError):
            return False
        return True


def find_orthanc() -> str | None:
    """The program, if this machine has it and its plugin."""
    return shutil.which("Orthanc") if _PLUGIN.exists() else None


@contextmanager
def orthanc(program: str, folder: Path) -> Iterator[OrthancServer]:
    """Start it on an empty folder; it ends with the context or this process."""
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "KeepAlive": True,
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "Plugins": [str(_PLUGIN)],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    process = start_process(
        [program, folder / "orthanc.json"],
        directory=folder,
        log=folder / "output.log",
        death_signal=signal.SIGTERM,
        environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    server = OrthancServer(port)
    try:
        deadline = time.monotonic() + _READY_S
        while not server._is_ready():
            if time.monotonic() > deadline:
                raise SgiError("Orthanc does not start; run the benchmark without it.")
            time.sleep(0.2)
        yield server
    finally:
        stop_process(process, [(signal.SIGTERM, 10), (signal.SIGKILL, 5)])
