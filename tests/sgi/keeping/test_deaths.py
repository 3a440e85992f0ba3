"""Killed anywhere on the way: nothing is lost, and running again ends it."""

from contextlib import contextmanager
from typing import Any, Self

import pytest

from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState
from sgi.keeping import copies
from sgi.keeping import moves as module
from storage.memory import MemoryObjectStore
from tiling.codecs.jpeg_recompressed import give_back, recompress


class KilledError(BaseException):
    """No handler of an error stops it, as nothing stops SIGKILL."""


class Clock:
    """Counts steps, and ends everything at one of them."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KilledError


class Mortal(MemoryObjectStore):
    """A store whose every call may be the last thing that happens, before or after its effect."""

    def __init__(self, objects: dict[str, bytes], clock: Clock) -> None:
        super().__init__(objects)
        self.clock = clock

    @contextmanager
    def open_write(self, key: str, **options: Any) -> Any:
        self.clock.step()
        with MemoryObjectStore.open_write(self, key) as sink:
            yield sink
            self.clock.step()
        self.clock.step()

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        self.clock.step()
        return super().read_range(key, offset, length)

    def delete(self, key: str) -> None:
        self.clock.step()
        super().delete(key)
        self.clock.step()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every change of a row may be the last thing that happens, too."""
    clock = Clock(-1)
    for name in ("begin", "set_cold", "set_warm", "set_restoring", "end", "warm_is_gone"):
        real = getattr(module.tiers, name)

        def mortal(real: Any = real) -> Any:
            async def change(*arguments: Any) -> Any:
                clock.step()
                found = await real(*arguments)
                clock.step()
                return found

            return change

        monkeypatch.setattr(module.tiers, name, mortal())
    return clock


class InOurProcess:
    """Recompresses without a process of its own, which is what takes the time."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def recompress(self, frames: Any) -> list[bytes | None]:
        return [recompress(frame) for frame in frames]

    def give_back(self, frames: Any, _: Any) -> list[bytes]:
        return [give_back(frame) for frame in frames]


COLUMNS = "tier, cold_size_bytes, cold_sha256, warm_left_at"


def die_everywhere(kept: Any, clock: Clock, target: Tier) -> int:
    """Killed at each step of a move that begins anew; returns how many steps there are."""
    warm_objects, cold_objects = dict(kept.warm.objects), dict(kept.cold._objects)
    rows = kept.query(f"select sop_uid, {COLUMNS} from instance")
    mortal = kept.with_stores(Mortal(kept.warm.objects, clock), Mortal(kept.cold._objects, clock))
    step = 0
    while True:
        step += 1
        for objects, before in (
            (kept.warm.objects, warm_objects),
            (kept.cold._objects, cold_objects),
        ):
            objects.clear()
            objects.update(before)
        for row in rows:
            kept.query(
                f"update instance set ({COLUMNS}) = (%s, %s, %s, %s) where sop_uid = %s",
                *(row[name] for name in COLUMNS.split(", ")),
                row["sop_uid"],
            )
        kept.query("update tier_move set ended_at = now(), state = 'failed' where ended_at is null")
        move = kept.ask(target)
        clock.left = step
        try:
            mortal.work(move)
            mortal.reap()
        except KilledError:
            clock.left = -1
            kept.assert_nothing_is_lost()
            done = kept.work(move)
            kept.reap()
            assert done.state is MoveState.DONE
            kept.assert_nothing_is_lost()
            assert kept.tiers[0] is target
            continue
        clock.left = -1
        return step


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "Recompression", InOurProcess)


def test_killed_on_the_way_to_cold_and_back(kept: Any, steps: Clock) -> None:
    before = kept.slide
    assert die_everywhere(kept, steps, Tier.COLD) > 15
    kept.assert_nothing_is_lost()
    assert len(kept.warm_keys()) < len(kept.tiers)
    assert die_everywhere(kept, steps, Tier.WARM) > 15
    kept.assert_nothing_is_lost()
    assert kept.slide == before
