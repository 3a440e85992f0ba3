"""`kill -9` in the middle: nothing lost, nothing twice, nothing half visible."""

import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

SLIDES = 10


class Witness:
    """Looks at the interface all the time, and at every level of every slide that it shows."""

    def __init__(self, system: Any) -> None:
        self._system = system
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self.looks = 0
        self.half_visible: list[str] = []
        self.listed: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look_on(self) -> None:
        with httpx.Client(base_url=self._system.address, timeout=20) as client:
            cookies = dict(self._system.client().cookies)
            client.cookies.update(cookies)
            while not self._ended.is_set():
                # A server or store that is down answers nothing or 5xx: that shows no slide.
                with contextlib.suppress(httpx.HTTPError):
                    self._look(client)
                time.sleep(0.05)

    def _look(self, client: httpx.Client) -> None:
        answer = client.get("/api/v1/slides", params={"limit": 200})
        if answer.status_code != 200:
            return
        self.looks += 1
        for slide in answer.json()["items"]:
            if slide["id"] not in self.listed:
                self.listed[slide["id"]] = slide["file_name"]
            self._look_at(client, slide)

    def _look_at(self, client: httpx.Client, slide: dict[str, Any]) -> None:
        detail = client.get(f"/api/v1/slides/{slide['id']}")
        if detail.status_code >= 500:
            return
        for level in detail.json()["levels"]:
            column = (level["columns"] - 1) // level["tile_columns"]
            row = (level["rows"] - 1) // level["tile_rows"]
            tile = client.get(f"/tiles/{slide['id']}/{level['level']}/{column}/{row}")
            if tile.status_code not in {200, 500, 502, 503, 504}:
                self.half_visible.append(f"{slide['file_name']} {level} {tile.status_code}")
            if tile.status_code == 200 and not tile.content.startswith(b"\xff\xd8"):
                self.half_visible.append(f"{slide['file_name']} {level} is no JPEG")


def test_killed_in_the_middle_of_ten_ingests(system: Any, own_slide: Callable[..., Path]) -> None:
    names = [f"slide-{number}.svs" for number in range(SLIDES)]
    sources = [
        own_slide(name, seed=40 + number, rows=3000, columns=3600)
        for number, name in enumerate(names)
    ]
    seed = 7
    chance = random.Random(seed)
    with Witness(system) as witness:
        for source in sources:
            system.put(source)
        for part in ("worker", "store", "serve", "worker", "store", "watch", "worker", "database"):
            time.sleep(chance.uniform(0.8, 2.5))
            with contextlib.suppress(AssertionError):  # it is only just being started again
                system.kill(part)
        for name in names:
            system.wait_for(name, "published", timeout_s=120)
        time.sleep(1)

    slides = system.slides()
    assert sorted(slide["file_name"] for slide in slides) == names
    assert witness.looks > 20
    assert not witness.half_visible
    done = system.drop / ".done"
    deadline = time.monotonic() + 30
    while len(list(done.glob("*.svs"))) < SLIDES and time.monotonic() < deadline:
        time.sleep(0.2)
    for source in sources:
        assert (done / source.name).read_bytes() == source.read_bytes()
    verified = system.command("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "10 slides verified, 0 damaged objects" in verified.stdout


def test_everything_killed_at_once_comes_back(system: Any, own_slide: Callable[..., Path]) -> None:
    system.put(own_slide("before.svs", seed=61))
    system.wait_for("before.svs", "published")
    system.put(own_slide("during.svs", seed=62, rows=4000, columns=5000))
    system.wait_for("during.svs", "converting", "verifying", "published")
    system.stop(signal.SIGKILL)
    system.start()
    system.wait_for("during.svs", "published")
    assert sorted(s["file_name"] for s in system.slides()) == ["before.svs", "during.svs"]


def test_stopped_and_started_again(system: Any, own_slide: Callable[..., Path]) -> None:
    system.put(own_slide("stays.svs", seed=63))
    slide = system.wait_for("stays.svs", "published")["slide"]
    assert system.stop(signal.SIGINT) == 0
    system.start()
    assert system.client().get(f"/tiles/{slide}/0/0/0").status_code == 200
    assert [s["id"] for s in system.slides()] == [slide]
