"""HTTP load on the loopback, bounded in connections and time: by wrk, or by a loop of our own."""

import asyncio
import json
import random
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sgi.errors import SgiError

CONNECTIONS = 16
_GRACE_S = 30

_SCRIPT = """
local requests = {}
function init(_)
  math.randomseed(1)
  for path in io.lines(wrk.paths_file) do requests[#requests + 1] = wrk.format("GET", path) end
end
function request() return requests[math.random(#requests)] end
function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    '\\n{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "failed": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of random requests over kept connections gave."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float


def has_wrk() -> bool:
    """Whether wrk is on the PATH."""
    return shutil.which("wrk") is not None


def put_load(
    port: int,
    paths: Sequence[str],
    headers: Mapping[str, str],
    seconds: int,
    folder: Path,
    connections: int = CONNECTIONS,
) -> Load:
    """Ask for random paths of `127.0.0.1:port`; raises SgiError when any answer is not a 200."""
    if has_wrk():
        return _by_wrk(port, paths, headers, seconds, folder, connections)
    return asyncio.run(_by_loop(port, paths, headers, seconds, connections))


def _by_wrk(
    port: int,
    paths: Sequence[str],
    headers: Mapping[str, str],
    seconds: int,
    folder: Path,
    connections: int,
) -> Load:
    script, list_file = folder / "load.lua", folder / "paths.txt"
    list_file.write_text("".join(f"{path}\n" for path in paths))
    script.touch(mode=0o600)  # it holds a session
    settings = [
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(headers[name])}" for name in headers
    ]
    settings.append(f"wrk.paths_file = {json.dumps(str(list_file))}")
    script.write_text("\n".join([*settings, _SCRIPT]))
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"),
            *("-s", script, f"http://127.0.0.1:{port}"),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + _GRACE_S,
    )
    told = json.loads(done.stdout.strip().splitlines()[-1])
    if told["failed"]:
        raise SgiError(f"{told['failed']} requests failed under load; the figures mean nothing.")
    return Load(
        told["requests"] / told["duration_us"] * 1e6, told["p50_us"] / 1e3, told["p99_us"] / 1e3
    )


async def _by_loop(
    port: int, paths: Sequence[str], headers: Mapping[str, str], seconds: int, connections: int
) -> Load:
    """As many connections, but one interpreter: it is the slower end on most machines."""
    tail = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{tail}\r\n".encode() for path in paths
    ]
    latencies: list[float] = []
    began = time.monotonic()
    async with asyncio.timeout(seconds + _GRACE_S), asyncio.TaskGroup() as tasks:
        for number in range(connections):
            tasks.create_task(
                _one_connection(port, requests, random.Random(number), began + seconds, latencies)
            )
    passed = time.monotonic() - began
    hundredths = statistics.quantiles(latencies, n=100)
    return Load(len(latencies) / passed, hundredths[49] * 1e3, hundredths[98] * 1e3)


async def _one_connection(
    port: int, requests: Sequence[bytes], rng: random.Random, until: float, latencies: list[float]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while (sent := time.monotonic()) < until:
            writer.write(rng.choice(requests))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            _, _, rest = head.partition(b"content-length:")
            await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
            if head.split(b" ", 2)[1] != b"200":
                raise SgiError("A request failed under load; the figures mean nothing.")
            latencies.append(time.monotonic() - sent)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
