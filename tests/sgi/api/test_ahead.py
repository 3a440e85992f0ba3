"""What lies under a tile is read while nobody waits, never instead of what somebody waits for."""

import asyncio
from typing import Any

import pytest

from sgi.api import ahead as module
from sgi.api.ahead import Ahead, _under
from sgi.api.frames import Frames
from sgi.api.layer import FIRST, Layer
from sgi.api.slide_store import ServedSlide
from sgi.domain.slide import Slide
from storage.errors import StoreUnavailableError


@pytest.fixture
def served(web: Any, here: Any, slide: Slide, run: Any) -> ServedSlide:
    found: ServedSlide = run(web.services.slides.open(here.id, slide.id))
    return found


async def settled(ahead: Ahead) -> None:
    assert ahead._reading
    await asyncio.wait_for(ahead._reading, 20)


def test_the_tiles_under_one_are_in_memory(run: Any, store: Any, served: ServedSlide) -> None:
    frames = Frames(store)
    ahead = Ahead(frames)

    async def look() -> None:
        ahead.under(served, 1, 1, 0, FIRST)
        await settled(ahead)
        store.reads = 0
        finer = await served.level(0)
        for column, row in ((2, 0), (3, 0), (2, 1), (3, 1)):
            await frames.get(finer, finer.order.frame_index(column, row))

    run(look())
    assert store.reads == 0


def test_nothing_lies_under_the_base(run: Any, store: Any, served: ServedSlide) -> None:
    ahead = Ahead(Frames(store))
    ahead.under(served, 0, 0, 0, FIRST)
    assert ahead._reading is None


def test_a_viewer_that_asks_for_a_coarse_tile(
    web: Any, client: Any, slide: Slide, store: Any
) -> None:
    async def look() -> None:
        assert (await client.get(f"/tiles/{slide.id}/1/0/0")).status_code == 200
        await settled(web.application._tiles._ahead)
        store.reads = 0
        assert (await client.get(f"/tiles/{slide.id}/0/0/0")).status_code == 200

    web.run(look())
    assert store.reads == 0


def test_whoever_waits_comes_first(
    run: Any, store: Any, served: ServedSlide, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = Frames(store)
    ahead = Ahead(frames)
    read, order = store.read_range_async, []
    may_end = asyncio.Event()

    async def slow(key: str, offset: int, length: int) -> bytes:
        order.append(offset)
        if len(order) == 1:
            await may_end.wait()
        found: bytes = await read(key, offset, length)
        return found

    async def look() -> None:
        finer = await served.level(0)
        monkeypatch.setattr(store, "read_range_async", slow)
        waiting = asyncio.create_task(frames.get(finer, 0))
        await asyncio.sleep(0)
        ahead.under(served, 1, 1, 1, FIRST)
        await asyncio.sleep(0.1)
        assert len(order) == 1, "somebody is waiting"
        may_end.set()
        await waiting
        await settled(ahead)
        assert len(order) > 1

    run(look())


def test_old_wishes_are_dropped_and_many_are_bounded(
    run: Any, store: Any, served: ServedSlide, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = Ahead(Frames(store))
    monkeypatch.setattr(module, "_WISH_S", -1.0)

    async def look() -> None:
        await served.level(0)
        store.reads = 0
        for _ in range(1000):
            ahead.under(served, 1, 0, 0, FIRST)
        assert len(ahead._wishes) <= 64
        await settled(ahead)

    run(look())
    assert store.reads == 0


@pytest.mark.parametrize("layer", [FIRST, Layer(path=5)])
def test_what_cannot_be_read_is_nobodys_error(
    run: Any, store: Any, served: ServedSlide, layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = Ahead(Frames(store))

    async def away(*_: object) -> bytes:
        raise StoreUnavailableError("away")

    async def look() -> None:
        await served.level(0)
        monkeypatch.setattr(store, "read_range_async", away)
        ahead.under(served, 1, 0, 0, layer)
        ahead.under(served, 1, 99, 99, layer)
        await settled(ahead)

    run(look())


def test_what_lies_under_a_position() -> None:
    assert _under(0, 2.0, 100) == range(2)
    assert _under(3, 4.0, 100) == range(12, 16)
    assert _under(3, 4.0, 14) == range(12, 14)
    assert _under(1, 2.01, 100) == range(2, 5)
    assert len(_under(99, 2.0, 10)) == 0
