"""Turns: bounded, fair between sessions, and given back whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgi.api.overload import Gate, asked_by, who_asks
from sgi.errors import BusyError

LONG_S = 60.0


@dataclass
class Work:
    """Work behind a gate, each piece of which is done when it is told so."""

    gate: Gate
    begun: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Event] = field(default_factory=dict)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def ask(self, name: str, session: Hashable = None, *shares: Hashable) -> None:
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._do(name, session, shares))

    async def _do(self, name: str, session: Hashable, shares: Sequence[Hashable]) -> None:
        asked_by(session)
        async with self.gate.turn(*shares):
            self.begun.append(name)
            await self.ends[name].wait()

    async def end(self, *names: str) -> None:
        for name in names:
            self.ends[name].set()
            await self.tasks[name]
        await settle()

    async def end_all(self) -> None:
        for end in self.ends.values():
            end.set()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def working(gate: Gate, do: Callable[[Work], Awaitable[Any]]) -> Any:
    async def use() -> Any:
        work = Work(gate)
        try:
            return await do(work)
        finally:
            await work.end_all()
            assert gate._waiting == 0
            assert not gate._queues
            assert not gate._held

    return asyncio.run(use())


def test_no_more_than_so_many_at_once() -> None:
    async def use(work: Work) -> None:
        for name in "abcd":
            work.ask(name)
        await settle()
        assert work.begun == ["a", "b"]
        await work.end("b")
        assert work.begun == ["a", "b", "c"]

    working(Gate(2, 2, 10, LONG_S), use)


def test_sessions_take_turns() -> None:
    async def use(work: Work) -> None:
        work.ask("first", "greedy")
        await settle()
        for name in ("g1", "g2", "g3", "g4"):
            work.ask(name, "greedy")
        await settle()
        for name in ("m1", "m2"):
            work.ask(name, "modest")
        await settle()
        for name in ("first", "g1", "m1", "g2", "m2", "g3"):
            await work.end(name)
        assert work.begun == ["first", "g1", "m1", "g2", "m2", "g3", "g4"]

    working(Gate(1, 1, 10, LONG_S), use)


def test_no_share_has_everything() -> None:
    async def use(work: Work) -> None:
        for name in ("h1", "h2", "h3"):
            work.ask(name, "a", "hostile")
        await settle()
        assert work.begun == ["h1", "h2"]
        work.ask("o1", "b", "ordinary")
        await settle()
        assert work.begun == ["h1", "h2", "o1"], "past those that may not"
        work.ask("o2", "b", "ordinary")
        await settle()
        await work.end("o1")
        assert work.begun[-1] == "o2", "h3 came before, but has no right to the place"
        await work.end("h1")
        assert work.begun[-1] == "h3"

    working(Gate(3, 2, 10, LONG_S), use)


def test_every_share_counts() -> None:
    async def use(work: Work) -> None:
        work.ask("viewer", "a", "slide")
        await settle()
        work.ask("program", "a", "slide", "programs")
        work.ask("other", "b", "programs")
        await settle()
        assert work.begun == ["viewer", "other"]

    working(Gate(3, 1, 10, LONG_S), use)


def test_a_full_room_is_told_at_once() -> None:
    async def use(work: Work) -> None:
        for name in ("a1", "a2", "a3"):
            work.ask(name, "a")
        await settle()
        work.ask("a4", "a")
        with pytest.raises(BusyError):
            await work.tasks["a4"]
        for name in ("b1", "b2"):
            work.ask(name, "b")
        await settle()
        work.ask("c1", "c")
        with pytest.raises(BusyError):
            await work.tasks["c1"]
        await work.end("a1")
        work.ask("c2", "c")
        await settle()
        assert not work.tasks["c2"].done(), "there is room again"

    working(Gate(1, 1, 4, LONG_S), use)


def test_nobody_waits_for_ever() -> None:
    async def use(work: Work) -> None:
        work.ask("a")
        await settle()
        work.ask("b")
        with pytest.raises(BusyError):
            await work.tasks["b"]

    working(Gate(1, 1, 4, 0.01), use)


def test_who_goes_away_leaves_no_gap() -> None:
    async def use(work: Work) -> None:
        for name in ("a", "b", "c"):
            work.ask(name)
        await settle()
        work.tasks["b"].cancel()
        await settle()
        await work.end("a")
        assert work.begun == ["a", "c"]
        work.tasks["c"].cancel()
        await settle()
        work.ask("d")
        await settle()
        assert work.begun == ["a", "c", "d"]

    working(Gate(1, 1, 4, LONG_S), use)


def test_a_turn_that_comes_to_who_just_left_goes_on() -> None:
    async def use(work: Work) -> None:
        for name in ("a", "b", "c"):
            work.ask(name)
        await settle()
        work.ends["a"].set()
        while not work.tasks["a"].done():  # noqa: ASYNC110 - b has its turn and does not know it
            await asyncio.sleep(0)
        work.tasks["b"].cancel()
        await settle()
        assert work.begun[-1] == "c"

    working(Gate(1, 1, 4, LONG_S), use)


def test_a_turn_given_back_as_somebody_leaves_goes_to_the_next() -> None:
    async def run() -> None:
        gate, go, done = Gate(1, 1, 10, LONG_S), asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with gate.turn("a"):
                await go.wait()

        async def wait(event: asyncio.Event) -> None:
            async with gate.turn("b"):
                event.set()

        holder = asyncio.create_task(hold())
        await asyncio.sleep(0)
        leaver = asyncio.create_task(wait(asyncio.Event()))
        stayer = asyncio.create_task(wait(done))
        await settle()
        go.set()  # the holder goes on first, and finds one that was given up already
        leaver.cancel()
        async with asyncio.timeout(10):
            await done.wait()
            await asyncio.gather(holder, stayer)
        assert leaver.cancelled()
        assert gate._free == 1

    asyncio.run(run())


def test_after_an_overload_every_turn_is_there_again() -> None:
    async def run() -> None:
        gate = Gate(8, 8, 1000, 0.02)

        async def read() -> None:
            with suppress(BusyError):
                async with gate.turn():
                    await asyncio.sleep(0.01)

        async with asyncio.timeout(30):
            for _ in range(5):
                await asyncio.gather(*(read() for _ in range(400)))
        assert (gate._free, gate._waiting, gate._queues) == (8, 0, {})

    asyncio.run(run())


def test_what_fails_gives_its_turn_back() -> None:
    async def use(work: Work) -> None:
        with pytest.raises(ZeroDivisionError):
            async with work.gate.turn("a"):
                raise ZeroDivisionError
        work.ask("b", None, "a")
        await settle()
        assert work.begun == ["b"]

    working(Gate(1, 1, 4, LONG_S), use)


def test_tasks_are_for_whom_they_were_begun() -> None:
    async def use() -> tuple[Hashable, Hashable]:
        asked_by("a")
        task = asyncio.create_task(told())
        asked_by("b")
        return await task, who_asks()

    async def told() -> Hashable:
        return who_asks()

    assert asyncio.run(use()) == ("a", "b")


@settings(max_examples=60, deadline=None)
@given(
    at_once=st.integers(1, 4),
    spared=st.integers(0, 2),
    waiting=st.integers(0, 6),
    steps=st.lists(
        st.tuples(st.sampled_from(["ask", "end", "leave"]), st.integers(0, 3), st.integers(0, 2)),
        max_size=40,
    ),
)
def test_bounds_hold_whatever_happens(
    at_once: int, spared: int, waiting: int, steps: list[tuple[str, int, int]]
) -> None:
    of_one = max(1, at_once - spared)

    async def use(work: Work) -> None:
        shares: dict[str, int] = {}
        for number, (step, session, share) in enumerate(steps):
            living = [name for name, task in work.tasks.items() if not task.done()]
            at_work = [name for name in work.begun if name in living]
            if step == "ask":
                shares[f"{number}"] = share
                work.ask(f"{number}", session, share)
            elif step == "end" and at_work:
                work.ends[at_work[share % len(at_work)]].set()
            elif living:
                work.tasks[living[share % len(living)]].cancel()
            await settle()
            at_work = [name for name in work.begun if not work.tasks[name].done()]
            assert len(at_work) <= at_once
            held = [shares[name] for name in at_work]
            assert all(held.count(each) <= of_one for each in held)
            waits = [n for n, t in work.tasks.items() if not t.done() and n not in work.begun]
            assert len(waits) <= waiting
            for name in waits:  # only who may not go in waits
                assert len(held) == at_once or held.count(shares[name]) == of_one
        for task in work.tasks.values():
            if task.done() and not task.cancelled():
                with suppress(BusyError):
                    task.result()

    working(Gate(at_once, of_one, waiting, LONG_S), use)
