"""The whole system as a person starts it: `sgi up` in a folder of its own, on a free port."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tiling.svs import SvsOptions, write_svs

PASSWORD = "correct horse battery"
READY_S = 90


@dataclass
class System:
    """A running `sgi up` and a signed-in client."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    address: str = ""
    _client: httpx.Client | None = None

    def start(self) -> float:
        """Start, or start again on the same data; return the seconds until it was ready."""
        began = time.monotonic()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SGI_")}
        environment |= {
            "SGI_DATA": str(self.data),
            "SGI_PORT": "0",
            "SGI_ADMIN_PASSWORD": PASSWORD,
            "SGI_INGEST__QUIET_S": "0.5",
            "SGI_INGEST__RESCAN_S": "2",
        }
        errors = (self.data / "up.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sgi", "up"],
            env=environment | self.settings,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        errors.close()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.match(r"ready (http://\S+)", line)
        assert found, f"no ready line but {line!r}; {(self.data / 'up.log').read_text()[-2000:]}"
        self.address = found[1]
        return time.monotonic() - began

    @property
    def drop(self) -> Path:
        return self.data / "drop"

    def client(self) -> httpx.Client:
        """Signed in as the first account."""
        if self._client is None or str(self._client.base_url) != self.address:
            client = httpx.Client(
                base_url=self.address, timeout=20, headers={"Accept-Language": "en"}
            )
            answer = client.post("/api/v1/sign-in", json={"name": "admin", "password": PASSWORD})
            answer.raise_for_status()
            client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            self.close_client()
            self._client = client
        return self._client

    def close_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def put(self, source: Path, name: str | None = None) -> Path:
        """Copy a file into the drop folder, in pieces as a scanner would, under its own name."""
        target = self.drop / (name or source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return target

    def arrivals(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.client().get("/api/v1/arrivals").json()["items"]
        return items

    def arrival(self, file_name: str) -> dict[str, Any] | None:
        """The newest arrival of that name."""
        return next((a for a in self.arrivals() if a["file_name"] == file_name), None)

    def wait_for(self, file_name: str, *states: str, timeout_s: float = 90) -> dict[str, Any]:
        """The arrival, once it is in one of the states."""
        deadline = time.monotonic() + timeout_s
        arrival = None
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError, KeyError):
                arrival = self.arrival(file_name)
                if arrival and arrival["state"] in states:
                    return arrival
            time.sleep(0.2)
        raise AssertionError(f"{file_name} did not become {states}: {arrival}")

    def slides(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (
            self.client().get("/api/v1/slides", params={"limit": 200}).json()["items"]
        )
        return items

    def slide_below(self, folder: str, timeout_s: float = 90) -> dict[str, Any]:
        """The slide that came from a folder of the drop folder, by where its original went."""
        deadline = time.monotonic() + timeout_s
        below = self.drop / folder
        done = self.drop / ".done" / folder
        while time.monotonic() < deadline:
            names = {p.name for where in (below, done) for p in where.rglob("*") if p.is_file()}
            for arrival in self.arrivals():
                if arrival["file_name"] in names:
                    assert arrival["state"] not in {"held", "quarantined"}, arrival["reason"]
            finished = done.exists() and not below.exists()
            for arrival in self.arrivals() if finished else []:
                if arrival["file_name"] in names and arrival["slide"]:
                    found: dict[str, Any] = (
                        self.client().get(f"/api/v1/slides/{arrival['slide']}").json()
                    )
                    return found
            time.sleep(0.2)
        raise AssertionError(f"no slide came of {folder}")

    def command(self, *arguments: str | Path, timeout_s: float = 120) -> Any:
        """Run another `sgi` command beside the running system."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SGI_")}
        return subprocess.run(
            [sys.executable, "-m", "sgi", *map(str, arguments)],
            env=environment | {"SGI_DATA": str(self.data), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def kill(self, part: str) -> int:
        """`kill -9` of one of our own parts by its process id; return the id."""
        assert self.process is not None
        matches: dict[str, Callable[[list[str]], bool]] = {
            "worker": lambda words: words[-2:] == ["sgi", "worker"],
            "watch": lambda words: words[-2:] == ["sgi", "watch"],
            "serve": lambda words: words[-2:] == ["sgi", "serve"],
            "store": lambda words: words[0].endswith("weed"),
            "database": lambda words: words[0].endswith("postgres") and len(words) > 1,
        }
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with suppress(OSError, IndexError, ValueError):
                    words = (entry / "cmdline").read_bytes().decode().rstrip("\0").split("\0")
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent == self.process.pid and matches[part](words):
                        os.kill(int(entry.name), signal.SIGKILL)
                        return int(entry.name)
        raise AssertionError(f"no process of {part}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """End `sgi up`; return its exit code."""
        self.close_client()
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A folder that the embedded database's own account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="sgi-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(system: System) -> Iterator[System]:
    """Started, and stopped in the end if the test has not stopped it."""
    try:
        system.start()
        yield system
    finally:
        if system.process is not None:
            system.stop()


@pytest.fixture
def system(data_folder: Path) -> Iterator[System]:
    """A system of a test's own, ready; stopped with the test."""
    with running(System(data_folder)) as started:
        yield started


@pytest.fixture(scope="module")
def shared_system() -> Iterator[System]:
    """One system for the tests of a module that do not hurt it."""
    folder = Path(tempfile.mkdtemp(prefix="sgi-", dir="/tmp"))
    folder.chmod(0o755)
    with running(System(folder)) as started:
        yield started
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_system(data_folder: Path) -> Iterator[Callable[..., System]]:
    """A system with settings of a test's own: `make_system(SGI_…="…")`, started."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(running(System(data_folder, settings)))


def tissue(rows: int, columns: int, seed: int) -> np.ndarray:
    """Something like stained tissue on glass, `(rows, columns, 3)`: no two seeds are alike."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    wave = np.zeros((rows, columns), np.float32)
    for _ in range(6):
        fx, fy, phase = (
            random.uniform(0.005, 0.08),
            random.uniform(0.005, 0.08),
            random.uniform(0, 6),
        )
        wave += np.sin(x * fx + y * fy + phase)
    stained = wave > 0.3
    glass, pink, blue = (
        np.array(c, np.float32) for c in ((243, 243, 243), (226, 150, 190), (96, 62, 140))
    )
    pixels = np.where(stained[..., None], pink, glass)
    pixels = np.where((wave > 2)[..., None], blue, pixels)
    pixels += random.normal(0, 4, (rows, columns, 1)).astype(np.float32)
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.fixture
def own_slide(tmp_path: Path) -> Callable[..., Path]:
    """Write an SVS of our own: `own_slide(name, seed, rows, columns)`."""

    def write(name: str, seed: int = 1, rows: int = 1500, columns: int = 2100) -> Path:
        path = tmp_path / name
        label = np.full((200, 260, 3), 240, np.uint8)
        label[60:140, 40 : 60 + 20 * (seed % 10)] = 20
        overview = tissue(150, 400, seed)
        write_svs(path, tissue(rows, columns, seed), SvsOptions(label=label, overview=overview))
        return path

    return write
