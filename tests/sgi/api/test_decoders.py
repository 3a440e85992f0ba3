"""Frames are unpacked apart: what a hostile one does to its process is nobody else's affair."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import mul
from pathlib import Path
from typing import Any

import pytest

from sgi.api.decoders import Decoders
from sgi.errors import BusyError, UnshowableError

# The processes cannot read the tests: what they do is told in words.
DIE = "__import__('os')._exit(3)"
HANG = "__import__('time').sleep(60)"
ENVIRONMENT = "repr(dict(__import__('os').environ)).encode()"
CONNECT = "__import__('socket').socket()"


@asynccontextmanager
async def opened(processes: int, longest_s: float = 60.0) -> AsyncIterator[Decoders]:
    decoders = Decoders(processes, longest_s)
    try:
        yield decoders
    finally:
        decoders.close()


def test_a_process_that_dies_is_replaced(run: Any) -> None:
    async def use() -> bytes:
        async with opened(1) as decoders:
            with pytest.raises(UnshowableError, match="cannot be unpacked"):
                await decoders.run(eval, DIE)
            return await decoders.run(mul, 2, b"ab")

    assert run(use()) == b"abab"


def test_what_hangs_or_dies_takes_nobody_with_it(run: Any) -> None:
    async def use() -> list[Any]:
        async with opened(2) as decoders:
            await asyncio.gather(decoders.run(mul, 2, b"a"), decoders.run(mul, 2, b"b"))
            decoders._longest_s = 1.5
            bad = [decoders.run(eval, HANG), decoders.run(eval, DIE)]
            good = [decoders.run(mul, 2, bytes([number])) for number in range(8)]
            return await asyncio.gather(*bad, *good, return_exceptions=True)

    hung, died, *good = run(use())
    assert isinstance(hung, UnshowableError)
    assert isinstance(died, UnshowableError)
    told = [answer for answer in good if isinstance(answer, bytes)]
    assert told == [bytes([number]) * 2 for number in range(8)]


def test_whoever_goes_away_frees_the_process(run: Any) -> None:
    async def use() -> bytes:
        async with opened(1) as decoders:
            await decoders.run(mul, 2, b"a")
            waiting = asyncio.create_task(decoders.run(eval, HANG))
            await asyncio.sleep(0.3)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            return await decoders.run(mul, 2, b"b")

    assert run(use()) == b"bb"


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SGI_STORAGE__SECRET_ACCESS_KEY", "canary")
    path = tmp_path / "secret"
    path.write_text("canary")
    return path


def test_it_has_no_secrets_no_network_and_no_files(run: Any, secret: Path) -> None:
    async def use() -> list[Any]:
        async with opened(1) as decoders:
            return [
                await decoders.run(eval, ENVIRONMENT),
                await _caught(decoders.run(eval, CONNECT)),
                await _caught(decoders.run(eval, f"open({str(secret)!r}).read()")),
            ]

    environment, connected, read = run(use())
    assert b"canary" not in environment
    assert isinstance(connected, PermissionError)
    assert isinstance(read, PermissionError)


async def _caught(answer: Any) -> Any:
    try:
        return await answer
    except Exception as error:
        return error


WAIT = "__import__('time').sleep(0.05) or b'ab'"


def test_no_slide_has_every_process(run: Any) -> None:
    async def use() -> bytes:
        async with opened(2) as decoders:
            await asyncio.gather(decoders.run(mul, 2, b"a"), decoders.run(mul, 2, b"b"))
            hostile = [
                asyncio.create_task(decoders.run(eval, HANG, slide="hostile")) for _ in range(4)
            ]
            await asyncio.sleep(0)
            others = await decoders.run(mul, 2, b"ab", slide="ordinary")
            for task in hostile:
                assert not task.done()
                task.cancel()
            await asyncio.gather(*hostile, return_exceptions=True)
            return others

    assert run(use()) == b"abab"


def test_programs_leave_one_process_to_viewers(run: Any) -> None:
    async def use() -> bytes:
        async with opened(2) as decoders:
            await asyncio.gather(decoders.run(mul, 2, b"a"), decoders.run(mul, 2, b"b"))
            programs = [
                asyncio.create_task(decoders.run(eval, HANG, slide=number, program=True))
                for number in range(4)
            ]
            await asyncio.sleep(0)
            viewer = await decoders.run(mul, 2, b"ab", slide=1)
            for task in programs:
                task.cancel()
            await asyncio.gather(*programs, return_exceptions=True)
            return viewer

    assert run(use()) == b"abab"


def test_slow_slides_together_leave_processes_to_the_others(run: Any) -> None:
    async def use() -> bytes:
        decoders = Decoders(3, slow_s=0.0)
        try:
            for slide in ("a", "b", "c"):
                await decoders.run(mul, 2, b"a", slide=slide)
            hostile = [
                asyncio.create_task(decoders.run(eval, HANG, slide=slide)) for slide in "abc"
            ]
            await asyncio.sleep(0)
            others = await decoders.run(mul, 2, b"ab", slide="ordinary")
            for task in hostile:
                task.cancel()
            await asyncio.gather(*hostile, return_exceptions=True)
            return others
        finally:
            decoders.close()

    assert run(use()) == b"abab"


def test_a_slide_that_was_slow_once_is_forgiven(run: Any) -> None:
    async def use() -> list[bool]:
        decoders = Decoders(1, slow_s=0.0)
        try:
            await decoders.run(mul, 2, b"a", slide="a")
            was = "a" in decoders._slow
            decoders._slow_s = 1e9
            await decoders.run(mul, 2, b"a", slide="a")
            return [was, "a" in decoders._slow]
        finally:
            decoders.close()

    assert run(use()) == [True, False]


def test_too_many_frames_are_refused(run: Any) -> None:
    async def use() -> list[Any]:
        decoders = Decoders(1, waiting=2)
        try:
            return await asyncio.gather(
                *(decoders.run(eval, WAIT) for _ in range(4)), return_exceptions=True
            )
        finally:
            decoders.close()

    done = run(use())
    assert [isinstance(each, BusyError) for each in done].count(True) == 2


def test_it_gives_way(run: Any) -> None:
    async def use() -> bytes:
        async with opened(1) as decoders:
            return await decoders.run(eval, "str(__import__('os').nice(0)).encode()")

    assert int(run(use())) > os.nice(0)


def test_what_is_slow_goes_last_and_nothing_else_does(run: Any) -> None:
    policy = "str(__import__('os').sched_getscheduler(0)).encode()"

    async def use() -> list[int]:
        decoders = Decoders(1, slow_s=0.0)
        try:
            told = [await decoders.run(eval, policy, slide=slide) for slide in "aab"]
            decoders._slow.clear()
            return [*map(int, told), int(await decoders.run(eval, policy))]
        finally:
            decoders.close()

    assert run(use()) == [os.SCHED_OTHER, os.SCHED_IDLE, os.SCHED_OTHER, os.SCHED_OTHER]


def test_what_cannot_be_shown_is_slow_and_what_nobody_waits_for_is_not(run: Any) -> None:
    async def use() -> set[Any]:
        async with opened(1) as decoders:
            with pytest.raises(UnshowableError):
                await decoders.run(eval, DIE, slide="dies")
            leaving = asyncio.create_task(decoders.run(eval, HANG, slide="left"))
            await asyncio.sleep(0.1)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            return set(decoders._slow)

    assert run(use()) == {"dies"}
