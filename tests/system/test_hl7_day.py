"""A laboratory's day: an order, its glass slides, their scans, and what the laboratory is told."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import hl7
import pytest
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server

NUMBER = "26P00777"
PART, BLOCK = f"{NUMBER}.A", f"{NUMBER}.A.01"
GLASSES = (f"{BLOCK}.01", f"{BLOCK}.02")


class Sgl(threading.Thread):
    """The laboratory's system: takes what it is told, by an MLLP server that is not ours."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.told: list[hl7.Message] = []
        self.answer = "AA"
        self.port = 0
        self._listening = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._ended: asyncio.Event | None = None

    def run(self) -> None:
        self._loop.run_until_complete(self._listen())
        self._loop.close()

    async def _listen(self) -> None:
        self._ended = asyncio.Event()
        tasks = set()

        async def serve(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
            tasks.add(asyncio.current_task())
            try:
                while True:
                    message = await reader.readmessage()
                    if self.answer == "AA":
                        self.told.append(message)
                    writer.writemessage(message.create_ack(self.answer))
                    await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await start_hl7_server(serve, host="127.0.0.1", port=0, encoding="utf-8")
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._ended.wait()
        server.close()
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.sleep(0.05)

    def __enter__(self) -> Self:
        self.start()
        assert self._listening.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._ended is not None
        self._loop.call_soon_threadsafe(self._ended.set)
        self.join(20)

    def of(self, profile: str) -> list[hl7.Message]:
        """What came under a profile (MSH-21)."""
        return [one for one in self.told if str(one.segment("MSH")[21]).startswith(profile)]


@pytest.fixture
def sgl() -> Iterator[Sgl]:
    with Sgl() as started:
        yield started


def wait_for(what: Callable[[], Any], timeout_s: float = 90) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.2)
    return found


def field(message: hl7.Message, segment: str, number: int) -> str:
    found = message.segment(segment)
    return str(found[number]) if len(found) > number else ""


def test_from_the_order_to_the_image(
    make_system: Callable[..., Any],
    laboratory_of: Callable[[int], Any],
    labelled_slide: Callable[..., Path],
    data_folder: Path,
    sgl: Sgl,
) -> None:
    (data_folder / "interfaces").mkdir()
    (data_folder / "interfaces" / "sgl.toml").write_text(
        'name = "sgl"\n[out]\nhost = "127.0.0.1"\n'
        f'port = {sgl.port}\nsend = ["LAB-104", "LAB-101"]\n'
        'receiver = {application = "SGL", facility = "CHU-X"}\n'
    )
    system = make_system()
    laboratory = laboratory_of(system.hl7_port)
    assert laboratory.identity() == "AA"
    assert laboratory.case(NUMBER) == "AA"
    assert laboratory.specimen(NUMBER, PART, "Sein") == "AA"
    assert laboratory.block(NUMBER, BLOCK, PART) == "AA"
    assert laboratory.glass(NUMBER, GLASSES[0], BLOCK) == "AA"

    # The first glass is known when it is scanned; the second only afterwards.
    for number, glass in enumerate(GLASSES, 1):
        system.put(labelled_slide(f"{number}.svs", glass, seed=number))
        system.wait_for(f"{number}.svs", "published")
    available = wait_for(lambda: sgl.of("DPOW-IMAGE-NOTIF"))[0]
    assert field(available, "SPM", 2) == GLASSES[0]
    assert field(available, "SPM", 20) == "Y"
    assert field(available, "ORC", 38) == NUMBER
    assert field(available, "PID", 3).startswith("8013377^")
    uids = [str(one[3][0][0]) for one in available.segments("OBX")]
    assert uids == ["StudyInstanceUID", "SeriesInstanceUID"]
    assert len(sgl.of("DPOW-IMAGE-NOTIF")) == 1
    wait_for(lambda: sgl.of("DPOW-CASE-UPDATE"))  # all that is expected has its image

    assert laboratory.glass(NUMBER, GLASSES[1], BLOCK) == "AA"
    late = wait_for(lambda: sgl.of("DPOW-IMAGE-NOTIF")[1:])[0]
    assert field(late, "SPM", 2) == GLASSES[1]
    (case,) = system.client().get("/api/v1/cases", params={"q": NUMBER}).json()["items"]
    case = system.client().get(f"/api/v1/cases/{case['id']}").json()
    assert case["accession_number"] == NUMBER
    assert case["state"] == "ready"
    assert case["patient"]["birth_name"] == "LEFEVRE"

    # Somebody takes the image off its glass again, and the laboratory hears of it.
    slides = {slide["file_name"]: slide for slide in system.slides()}
    answer = system.client().post(
        f"/api/v1/slides/{slides['1.svs']['id']}/detach", json={"reason": "Not this one."}
    )
    assert answer.status_code < 300, answer.text
    removed = wait_for(lambda: sgl.of("DPOW-IMAGE-NOTIF")[2:])[0]
    assert (field(removed, "SPM", 2), field(removed, "SPM", 20)) == (GLASSES[0], "N")

    ids = [field(one, "MSH", 10) for one in sgl.told]
    assert len(set(ids)) == len(ids), "something was told twice"
