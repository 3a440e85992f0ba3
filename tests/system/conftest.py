"""The whole system as a person starts it: `sgi up` in a folder of its own, on a free port."""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

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
            "SGI_HL7__PORT": "0",
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

    @property
    def hl7_port(self) -> int:
        """Where the built-in interface listens."""
        port: int = json.loads((self.data / "run" / "hl7.json").read_text())["sgl"]
        return port

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
        names: set[str] = set()
        while time.monotonic() < deadline:
            with suppress(FileNotFoundError):  # it is moved under our eyes
                names = {p.name for where in (below, done) for p in where.rglob("*") if p.is_file()}
            names.add(below.name)  # of a slide that is all files of its folder
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
            "hl7": lambda words: words[-2:] == ["sgi", "hl7"],
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


@pytest.fixture(scope="module")
def make_shared() -> Callable[..., Any]:
    """One with settings of its own for a module: `with make_shared(folder, settings) as system`."""
    return lambda folder, settings: running(System(folder, settings))


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


@dataclass(frozen=True)
class Laboratory:
    """A laboratory's system as the SGI hears it: messages of our own over MLLP."""

    port: int
    patient: str = "8013377|LEFEVRE|CLAIRE|CLAIRE MARIE|19610517|F|"
    """IPP, birth name, first and all given names, birth date, sex, code of PID-32."""
    facility: str = "CHU-X"

    def tell(self, *segments: str) -> str:
        """Send one message; its answer's code (MSA-1)."""
        raw = "\r".join(segments).encode() + b"\r"
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as wire:
            wire.sendall(b"\x0b" + raw + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                more = wire.recv(65536)
                assert more, "the connection ended without an answer"
                answer += more
        found = re.search(rb"\rMSA\|(\w\w)", answer)
        assert found, answer
        return found[1].decode()

    def of(self, patient: str) -> "Laboratory":
        return replace(self, patient=patient)

    def case(
        self, number: str, *, priority: str = "R", service: str = "ACPNUM", why: str = ""
    ) -> str:
        return self.tell(
            *self._order("CASE-UPDATE", number),
            f"TQ1|1||||||||{priority}",
            f"OBR|1||{number}|{service}^Anatomie et cytologie pathologiques^L|||||||||{why}",
        )

    def specimen(self, number: str, name: str, organ: str, words: str = "") -> str:
        return self._asset("SPECIMEN", number, f"^{name}", "", "CONTAINER", organ, words)

    def block(self, number: str, name: str, parent: str) -> str:
        return self._asset("BLOCK", number, name, parent, "CASSETTE")

    def glass(self, number: str, name: str, parent: str, stain: str | None = "HES") -> str:
        stained = (
            [] if stain is None else [f"OBX|1|CWE|397165007^Stain^SCT|1|{stain}^{stain}^L||||||F"]
        )
        return self._asset("SLIDE", number, name, parent, "GLASS", more=stained)

    def identity(self) -> str:
        """What the administration says of the patient (A31)."""
        return self.tell(
            self._header("ADT^A31^ADT_A05", "2.5^FRA^2.11", ""), self._event(), self._pid()
        )

    def _asset(
        self,
        profile: str,
        number: str,
        name: str,
        parent: str,
        kind: str,
        organ: str = "",
        words: str = "",
        more: Sequence[str] = (),
    ) -> str:
        site = f"{organ}^{organ}^L" if organ else ""
        return self.tell(
            *self._order(profile, number),
            f"OBR|1||{number}|ACPNUM^Anatomie et cytologie pathologiques^L",
            f"SPM|1|{name}|{parent}|TISS^Tissue^HL70487||||{site}||||||{words}"
            f"{'|' * 13}{kind}|||{number}",
            *more,
        )

    def _order(self, profile: str, number: str) -> tuple[str, str, str]:
        header = self._header("OML^O21^OML_O21", "2.5.1", f"DPOW-{profile}^IHE")
        return header, self._pid(), f"ORC|NW||{number}{'|' * 35}{number}"

    def _header(self, kind: str, version: str, profile: str) -> str:
        now = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
        names = f"SGL|{self.facility}|SGI|{self.facility}|{now}"
        told = f"{kind}|{uuid4().hex[:18]}|P|{version}|||||FRA|UNICODE UTF-8|||{profile}"
        return f"MSH|^~\\&|{names}||{told}"

    def _event(self) -> str:
        return f"EVN||{datetime.now(UTC).strftime('%Y%m%d%H%M%S+0000')}"

    def _pid(self) -> str:
        ipp, name, first, given, born, sex, status = self.patient.split("|")
        return (
            f"PID|1||{ipp}^^^{self.facility}&000897406&N^PI||{name}^{first}^{given}^^^^L||{born}|{sex}"
            f"{'|' * 24}{status}"
        )


@pytest.fixture
def laboratory_of() -> Callable[[int], Laboratory]:
    """The laboratory of a system of a test's own, by the port on which that listens."""
    return Laboratory


@pytest.fixture
def laboratory(shared_system: System) -> Laboratory:
    return Laboratory(shared_system.hl7_port)


@pytest.fixture
def labelled_slide(tmp_path: Path) -> Callable[..., Path]:
    """Write an SVS whose label shows a Data Matrix: `labelled_slide(name, code, seed)`."""

    def write(name: str, code: str, seed: int = 1) -> Path:
        path = tmp_path / name
        drawn = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.DataMatrix)
        square = np.asarray(drawn.to_image(scale=9))
        label = np.full((square.shape[0] + 110, max(square.shape[1] + 60, 420)), 250, np.uint8)
        label[30 : 30 + square.shape[0], 30 : 30 + square.shape[1]] = square
        picture = Image.fromarray(np.repeat(label[..., None], 3, axis=2))
        ImageDraw.Draw(picture).text(
            (30, square.shape[0] + 44), code, fill=(10, 10, 10), font_size=30
        )
        pictures = SvsOptions(label=np.asarray(picture), overview=tissue(150, 400, seed))
        write_svs(path, tissue(1500, 2100, seed), pictures)
        return path

    return write


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = Path(__file__).resolve().parent.parent / "screenshots"


# Of a module: its event loop must not run while other tests have loops of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                "--force-color-profile=srgb",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, shared_system: Any) -> Iterator[Page]:
    """A signed-in page; an error in the page's own code fails the test."""
    context = browser.new_context(
        base_url=shared_system.address, viewport={"width": 1280, "height": 860}, locale="fr-FR"
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    _sign_in(page)
    yield page
    context.close()
    assert not errors


def _sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_test_id("sign-in-name").fill("admin")
    page.get_by_test_id("sign-in-password").fill(PASSWORD)
    page.get_by_test_id("sign-in-submit").click()
    expect(page.get_by_test_id("arrivals")).to_be_visible()


@dataclass(frozen=True)
class Eyes:
    """What is seen on a page."""

    page: Page

    def open(self, slide: str) -> None:
        """Open a slide, and wait until all of it is drawn."""
        self.page.goto(f"/view/{slide}")
        self._wait()

    def show_at_full_size(self, x: int, y: int) -> None:
        """Base pixel (x, y) at the stage's upper left, one image pixel on one screen pixel."""
        self.page.evaluate(
            """([x, y]) => {
                const { viewport } = window.sgiViewer;
                const size = viewport.getContainerSize();
                viewport.setRotation(0, true);
                viewport.fitBounds(viewport.imageToViewportRectangle(x, y, size.x, size.y), true);
            }""",
            [x, y],
        )
        self.page.wait_for_timeout(150)
        self._wait()

    def seen(self, columns: int, rows: int) -> np.ndarray:
        """The upper left of the stage as it is on the screen, `(rows, columns, 3)`."""
        box = self.page.get_by_test_id("viewer-canvas").bounding_box()
        assert box is not None
        clip = {"x": box["x"], "y": box["y"], "width": columns, "height": rows}
        shot = Image.open(io.BytesIO(self.page.screenshot(clip=clip)))
        return np.asarray(shot.convert("RGB"))

    def picture(self, name: str) -> None:
        """A screenshot, to be looked at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def _wait(self) -> None:
        ready = self.page.locator("[data-testid=viewer][data-ready=true]")
        expect(ready).to_be_visible(timeout=30_000)


@pytest.fixture
def eyes(page: Page) -> Eyes:
    return Eyes(page)


@pytest.fixture
def eyes_on() -> Callable[[Page], Eyes]:
    return Eyes
