"""Messages of the laboratory, each answered once it is durable, beside bare commits."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.figures import Figure, alone, beside
from benchmarks.run import say
from benchmarks.worklist_cases import make_cases
from sgi.catalogue.migrate import migrate
from sgi.engines.postgres import EmbeddedPostgres

CONNECTIONS = (1, 4, 16)
SECONDS = 8.0
WARM_UP_S = 4.0
"""Until every connection to the database has its plans."""
SLIDES = 100_000
"""That are on record already: a year of a laboratory. A catalogue without anything in it is planned
for as such, and that tells nothing of one that is used.
"""
SLIDES_OF_A_CASE = 8
_READY_S = 60.0
_ROW = b"x" * 1024
_END = b"\x1c\r"

_numbers = itertools.count()
Make = Callable[[int], bytes]
"""The next message of a sender, by its number."""


@dataclass(slots=True)
class Answered:
    """What was acknowledged, and how long each took."""

    seconds: float
    latencies_s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies_s) / self.seconds


def measure() -> list[Figure]:
    """Orders of slides and identities, over 1, 4 and 16 connections at once."""
    figures = []
    with _database() as url, _link(url) as port:
        for make in (order, identity):
            asyncio.run(_send(port, 4, make))
        _analyze(url)
        for count in CONNECTIONS:
            say(f"bare commits over {count} connections")
            bare = asyncio.run(_commits(url, count))
            for name, make in (("orders", order), ("identities", identity)):
                say(f"{name} over {count} connections, {SECONDS:.0f} s")
                found = asyncio.run(_send(port, count, make))
                figures += [
                    beside(f"hl7.{name}_{count}", [found.rate], "1/s", "bare commits", [bare]),
                    alone(f"hl7.{name}_{count}_p99", [_p99_ms(found.latencies_s)], "ms"),
                ]
    return figures


@contextmanager
def _database() -> Iterator[str]:
    """An embedded PostgreSQL as `sgi up` has it, with everything that makes commits durable."""
    with tempfile.TemporaryDirectory(prefix="sgi-bench-") as folder:
        Path(folder).chmod(0o755)
        engine = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            url = engine.start()
            migrate(url)
            say(f"{SLIDES:,} slides are made")
            with psycopg.connect(url, autocommit=True) as connection:
                make_cases(connection, SLIDES, alone=True)
                connection.execute("create table bare (content bytea)")
            yield url
        finally:
            engine.stop()


def _analyze(url: str) -> None:
    """As the database does by itself, within a minute of so many messages."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("analyze")


@contextmanager
def _link(url: str) -> Iterator[int]:
    """`sgi hl7` in a process of its own; gives its port."""
    with tempfile.TemporaryDirectory(prefix="sgi-bench-") as folder:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SGI_")}
        environment |= {"SGI_DATA": folder, "SGI_DATABASE__URL": url, "SGI_HL7__PORT": "0"}
        with (Path(folder) / "hl7.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sgi", "hl7"], env=environment, stdout=log, stderr=log
            )
        try:
            yield _port(Path(folder) / "run" / "hl7.json")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _port(told: Path) -> int:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError):
            port: int = next(iter(json.loads(told.read_text()).values()))
            return port
        time.sleep(0.05)
    raise TimeoutError("sgi hl7 did not start")


async def _commits(url: str, count: int) -> float:
    """Rows of 1 kB a second, each in a transaction of its own, by the same kind of client."""

    async def insert(until: float) -> int:
        done = 0
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while time.monotonic() < until:
                await connection.execute("insert into bare values (%b)", [_ROW])
                done += 1
        return done

    seconds = SECONDS / 2
    until = time.monotonic() + seconds
    return sum(await asyncio.gather(*(insert(until) for _ in range(count)))) / seconds


async def _send(port: int, count: int, make: Make) -> Answered:
    await asyncio.gather(*(_sender(port, make, WARM_UP_S) for _ in range(count)))
    found = await asyncio.gather(*(_sender(port, make, SECONDS) for _ in range(count)))
    return Answered(SECONDS, [latency for latencies in found for latency in latencies])


async def _sender(port: int, make: Make, seconds: float) -> list[float]:
    """One connection: the next message goes out once the last one was acknowledged."""
    own, latencies = next(_numbers), []
    async with _connected(port) as (reader, writer):
        began = time.monotonic()
        for number in itertools.count(own * 1_000_000):
            raw = make(number)
            sent = time.monotonic()
            if sent - began > seconds:
                break
            writer.write(b"\x0b" + raw + _END)
            answer = await reader.readuntil(_END)
            if b"\rMSA|AA|" not in answer:
                raise RuntimeError(f"not acknowledged: {answer!r}")
            latencies.append(time.monotonic() - sent)
    return latencies


@asynccontextmanager
async def _connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


def order(number: int) -> bytes:
    """A slide of a case of a patient, as LAB-100 has it; several in a row are of one case."""
    case = f"B{number // SLIDES_OF_A_CASE}"
    return _message(
        f"MSH|^~\\&|SGL|CHU|SGI|CHU|20260612101500+0200||OML^O21^OML_O21|{number}|P|2.5.1|||||FRA"
        "|UNICODE UTF-8|||DPOW-SLIDE^IHE",
        f"PID|1||{case}^^^CHU&1.2.3&ISO^PI||ESSAI^ALIX^^^^^L||19790328|F",
        f"ORC|NW|{case}|{case}" + "|" * 35 + case,
        f"OBR|1|{case}|{case}|ACP^Anatomie pathologique^L",
        f"SPM|1|{case}-A-1-{number % SLIDES_OF_A_CASE}|{case}-A-1|TISS^Tissue^HL70487"
        + "|" * 23
        + f"GLASS|||{case}",
        "OBX|1|CWE|397165007^Stain^SCT|1|12710003^Hematoxylin stain^SCT||||||F",
    )


def identity(number: int) -> bytes:
    """A new patient, as PAM-FR has it."""
    return _message(
        f"MSH|^~\\&|GAM|CHU|SGI|CHU|20260612101500+0200||ADT^A28^ADT_A05|I{number}|P|2.5|||||FRA"
        "|UNICODE UTF-8",
        "EVN||20260612101500+0200",
        f"PID|1||I{number}^^^CHU&1.2.3&ISO^PI||ESSAI^ALIX^ALIX^^^^L||19790328|F",
    )


def _message(*lines: str) -> bytes:
    return "".join(f"{line}\r" for line in lines).encode()


def _p99_ms(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1e3
