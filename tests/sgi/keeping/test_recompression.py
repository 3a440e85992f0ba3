"""The process that recompresses: what it gives back, and what becomes of a frame that ends it."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.errors import DamagedInstanceError
from sgi.errors import StoppedError
from sgi.keeping import recompression as module
from sgi.keeping.frames_pipe import Work, encode_batch, read_batch
from sgi.keeping.recompression import Recompression

NOTHING = threading.Event()


def tile(seed: int) -> bytes:
    y, x = np.mgrid[0:160, 0:160]
    noise = np.random.default_rng(seed).normal(0, 6, (160, 160, 3))
    wave = np.stack([np.sin(x / 9), np.sin(y / 7), np.cos(x / 5)], axis=-1)
    pixels = np.clip(150 + 80 * wave + noise, 0, 255).astype(np.uint8)
    return bytes(imagecodecs.jpeg8_encode(pixels, level=80))


FRAMES = [tile(seed) for seed in range(6)]


@pytest.fixture(scope="module")
def recompression() -> Iterator[Recompression]:
    with Recompression(512 << 20, 2, NOTHING) as opened:
        yield opened


def process_of(recompression: Recompression) -> int:
    child = recompression._child
    assert child
    return child.pid


def test_frames_become_smaller_and_come_back(recompression: Recompression) -> None:
    made = recompression.recompress([*FRAMES, b"no JPEG", b""])
    assert made[-2:] == [None, None]
    packed = [frame for frame in made if frame is not None]
    assert len(packed) == len(FRAMES)
    lengths = [len(frame) for frame in FRAMES]
    assert sum(map(len, packed)) < sum(lengths)
    assert recompression.give_back(packed, lengths) == FRAMES


def test_damage_is_told(recompression: Recompression) -> None:
    (packed,) = recompression.recompress(FRAMES[:1])
    assert packed
    length = len(FRAMES[0])
    for damaged, expected in ((packed[:-20], length), (b"", length), (packed, length + 1)):
        with pytest.raises(DamagedInstanceError):
            recompression.give_back([damaged], [expected])


def test_it_has_no_secrets_and_no_files(recompression: Recompression) -> None:
    os.environ["SGI_CANARY"] = "canary"
    try:
        recompression._end()
        recompression.recompress(FRAMES[:1])
        process = Path("/proc", str(process_of(recompression)))
        assert b"canary" not in (process / "environ").read_bytes()
    finally:
        del os.environ["SGI_CANARY"]
    assert "NoNewPrivs:\t1" in (process / "status").read_text()
    assert (process / "stat").read_text().rsplit(")")[1].split()[16] == "10", "its niceness"


def test_a_process_that_died_is_started_anew(recompression: Recompression) -> None:
    recompression.recompress(FRAMES[:1])
    os.kill(process_of(recompression), signal.SIGKILL)
    assert None not in recompression.recompress(FRAMES[:2])


def test_a_process_that_died_while_giving_back(recompression: Recompression) -> None:
    (packed,) = recompression.recompress(FRAMES[:1])
    os.kill(process_of(recompression), signal.SIGKILL)
    with pytest.raises(DamagedInstanceError):
        recompression.give_back([packed or b""], [len(FRAMES[0])])


def like(monkeypatch: pytest.MonkeyPatch, program: str) -> Recompression:
    """A process of another kind in its place."""
    real: Any = module.subprocess.Popen

    def start(command: list[str], **options: Any) -> Any:
        return real([sys.executable, "-c", program], **options | {"env": {}, "cwd": None})

    monkeypatch.setattr(module.subprocess, "Popen", start)
    return Recompression(512 << 20, 1, NOTHING, longest_s=0.5)


@pytest.mark.parametrize(
    "program",
    [
        "import time; time.sleep(60)",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'nonsense' * 99)",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'R' + bytes([0, 0, 0, 9]))",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'R' + bytes(4)); "
        "sys.stdout.flush(); import time; time.sleep(60)",
        "import os; os.abort()",
    ],
)
def test_a_process_that_hangs_or_lies(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with like(monkeypatch, program) as recompression:
        assert recompression.recompress(FRAMES[:2]) == [None, None]
        with pytest.raises(DamagedInstanceError):
            recompression.give_back([b"x"], [2])


def test_it_stops_when_the_worker_does() -> None:
    cancelled = threading.Event()
    with Recompression(512 << 20, 1, cancelled) as recompression:
        recompression.recompress(FRAMES[:1])
        process = process_of(recompression)
        cancelled.set()
        with pytest.raises(StoppedError):
            recompression.recompress(FRAMES[:1])
    assert not Path("/proc", str(process)).exists()


@given(st.lists(st.binary(max_size=20), max_size=20), st.sampled_from(Work))
def test_a_batch_comes_through(members: list[bytes], work: Work) -> None:
    stream = io.BytesIO(encode_batch(work, members) * 2)
    assert read_batch(stream.read) == (work, members)
    assert read_batch(stream.read) == (work, members)
    assert read_batch(stream.read) is None


@given(st.binary(max_size=40))
def test_a_hostile_stream(data: bytes) -> None:
    stream = io.BytesIO(data)
    try:
        while read_batch(stream.read) is not None:
            pass
    except ValueError:
        pass


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=5), st.integers(1, 1000))
def test_a_stream_cut_short(members: list[bytes], cut: int) -> None:
    data = encode_batch(Work.GIVE_BACK, members)
    with pytest.raises(ValueError):
        read_batch(io.BytesIO(data[: -min(cut, len(data) - 1)]).read)


def test_a_batch_that_takes_too_much_processor_time_ends_the_process(
    recompression: Recompression,
) -> None:
    recompression.recompress(FRAMES[:1])
    limits = Path("/proc", str(process_of(recompression)), "limits").read_text()
    (line,) = (line for line in limits.splitlines() if line.startswith("Max cpu time"))
    assert 0 < int(line.split()[3]) <= 120
