"""Frames out of memory or out of the store: never another's, never damaged, never without end."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import storage.errors
from dicom.frame_index import FrameIndex
from sgi.api.frames import Frames, ServedInstance, run_around
from sgi.api.slide_store import ServedSlide
from sgi.domain.slide import Slide
from sgi.errors import VerificationError
from storage.cache import DiskCache
from tiling.geometry import Size, TileGrid
from tiling.slide import RGB8
from tiling.tile_order import TileOrder

FrameOf = Callable[[int, int], bytes]


@pytest.fixture
def served(web: Any, here: Any, slide: Slide, run: Any) -> ServedSlide:
    found: ServedSlide = run(web.services.slides.open(here.id, slide.id))
    return found


@pytest.fixture
def base(served: ServedSlide, run: Any) -> ServedInstance:
    found: ServedInstance = run(served.level(0))
    return found


def test_frames_of_one_row_share_one_read(
    run: Any, store: Any, base: ServedInstance, frame_of: FrameOf
) -> None:
    frames = Frames(store)
    columns = base.order.grid.tiles.columns

    async def row() -> list[bytes]:
        wanted = (frames.get(base, columns + column) for column in range(columns))
        return await asyncio.gather(*wanted)

    written = [frame_of(0, columns + column) for column in range(columns)]
    store.reads = 0
    assert run(row()) == written
    assert store.reads <= 2
    store.reads = 0
    assert run(row()) == written
    assert store.reads == 0, "kept for a while"


def test_every_frame_whatever_the_memory(
    run: Any, store: Any, base: ServedInstance, frame_of: FrameOf
) -> None:
    for kept_bytes in (0, 1, 20_000, 1 << 30):
        frames = Frames(store, kept_bytes)
        for _ in range(2):
            for frame_index in range(base.order.grid.tiles.area):
                assert run(frames.get(base, frame_index)) == frame_of(0, frame_index)
                kept = sum(map(len, frames._kept.values()))
                assert kept <= kept_bytes


def test_what_is_forgotten_is_read_again(run: Any, store: Any, base: ServedInstance) -> None:
    frames = Frames(store)
    run(frames.get(base, 0))
    frames.forget(uuid4())
    assert frames._kept
    for forgotten in (base.slide_id, None):
        run(frames.get(base, 0))
        frames.forget(forgotten)
        assert not frames._kept


def test_levels_are_not_mixed_up(
    run: Any, store: Any, served: ServedSlide, frame_of: FrameOf
) -> None:
    frames = Frames(store)
    for level in range(len(served.slide.levels)):
        instance = run(served.level(level))
        assert run(frames.get(instance, 0)) == frame_of(level, 0)


def test_a_damaged_frame_spares_its_neighbours_and_heals(
    run: Any,
    store: Any,
    base: ServedInstance,
    frame_of: FrameOf,
    rot: Callable[[int, int], None],
) -> None:
    whole = frame_of(0, 1)
    rot(0, 1)
    frames = Frames(store)
    for _ in range(2):
        with pytest.raises(VerificationError):
            run(frames.get(base, 1))
        for neighbour in (0, 2):
            assert run(frames.get(base, neighbour)) == frame_of(0, neighbour)
    rot(0, 1)
    assert run(frames.get(base, 1)) == whole


def test_damage_is_told_and_only_damage(
    run: Any, store: Any, base: ServedInstance, slide: Slide, rot: Callable[[int, int], None]
) -> None:
    told: list[Any] = []
    frames = Frames(store, on_damage=lambda *what: told.append(what))
    run(frames.get(base, 1))
    assert told == []
    frames = Frames(store, on_damage=lambda *what: told.append(what))
    rot(0, 1)
    run(frames.get(base, 0))
    assert told == [(slide.id, slide.levels[0].sop_uid, 1)], "seen by the way"
    with pytest.raises(VerificationError):
        run(frames.get(base, 1))
    assert len(told) == 2


def test_a_cache_before_the_store(
    run: Any,
    store: Any,
    base: ServedInstance,
    frame_of: FrameOf,
    rot: Callable[[int, int], None],
    tmp_path: Path,
) -> None:
    cache = DiskCache(store, tmp_path, 64 << 20)
    told: list[Any] = []

    def afresh() -> Frames:
        """A process that has nothing in memory."""
        return Frames(store, cache=cache, on_damage=lambda *what: told.append(what))

    whole = frame_of(0, 1)
    rot(0, 1)
    with pytest.raises(VerificationError):
        run(afresh().get(base, 1))
    assert told
    rot(0, 1)
    assert run(afresh().get(base, 1)) == whole, "what the store gave on a bad day is not kept"
    run(asyncio.sleep(0.1))
    store.reads = 0
    assert run(afresh().get(base, 1)) == whole
    assert store.reads == 0
    cache.close()


def test_an_error_of_the_store_is_told_to_all_who_wait_and_not_remembered(
    run: Any,
    store: Any,
    base: ServedInstance,
    frame_of: FrameOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = Frames(store)

    async def away(*_: object) -> bytes:
        await asyncio.sleep(0.01)
        raise storage.errors.StoreUnavailableError("away")

    async def all_ask() -> list[Any]:
        wanted = (frames.get(base, frame_index) for frame_index in (0, 1, 0))
        return await asyncio.gather(*wanted, return_exceptions=True)

    with monkeypatch.context() as patch:
        patch.setattr(store, "read_range_async", away)
        for error in run(all_ask()):
            assert isinstance(error, storage.errors.StoreUnavailableError)
    assert run(all_ask()) == [frame_of(0, 0), frame_of(0, 1), frame_of(0, 0)]


def test_a_browser_that_leaves_does_not_end_the_read_for_others(
    run: Any,
    store: Any,
    base: ServedInstance,
    frame_of: FrameOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = Frames(store)
    read = store.read_range_async

    async def slow(*arguments: Any) -> bytes:
        await asyncio.sleep(0.05)
        found: bytes = await read(*arguments)
        return found

    async def watch() -> bytes:
        leaving = asyncio.create_task(frames.get(base, 0))
        staying = asyncio.create_task(frames.get(base, 0))
        await asyncio.sleep(0.01)
        leaving.cancel()
        return await staying

    monkeypatch.setattr(store, "read_range_async", slow)
    assert run(watch()) == frame_of(0, 0)
    assert frames._reading == {}


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 300_000))
def test_each_frame_is_in_exactly_one_run(columns: int, rows: int, frame_bytes: int) -> None:
    count = columns * rows
    offsets = np.arange(count, dtype=np.int64) * frame_bytes
    lengths = np.full(count, frame_bytes, np.int64)
    index = FrameIndex(None, offsets, lengths, exact=True)  # type: ignore[arg-type] # as above
    grid = TileGrid(Size(columns * 10, rows * 10), Size(10, 10))
    served = ServedInstance(
        UUID(int=1),
        "1.2",
        "key",
        "stem",
        TileOrder(grid),
        index,
        b"",
        None,
        RGB8,
        (None,),
        is_shown_as_it_is=True,
    )
    for frame_index in range(count):
        first, last = run_around(served, frame_index)
        assert first <= frame_index < last
        assert all(run_around(served, other) == (first, last) for other in range(first, last))
        assert first // columns == (last - 1) // columns, "a run lies in one row"
