"""Slides and their indexes in memory: loaded once, bounded, of one establishment."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from sgi.api import slide_store as module
from sgi.api.slide_store import ServedInstance, ServedSlide, SlideStore
from sgi.domain.slide import Slide
from sgi.errors import NotFoundError, VerificationError

FrameOf = Callable[[int, int], bytes]


@pytest.fixture
def served(web: Any, here: Any, slide: Slide, run: Any) -> ServedSlide:
    found: ServedSlide = run(web.services.slides.open(here.id, slide.id))
    return found


def test_the_index_is_read_once(
    run: Any, store: Any, served: ServedSlide, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[object] = []
    load = served._load
    monkeypatch.setattr(served, "_load", lambda stored: loads.append(stored) or load(stored))

    async def all_ask() -> list[ServedInstance]:
        return await asyncio.gather(*(served.level(1) for _ in range(5)))

    assert len(set(map(id, run(all_ask())))) == 1
    assert len(loads) == 1


@pytest.mark.parametrize("level", [-1, 99])
def test_no_such_level(run: Any, served: ServedSlide, level: int) -> None:
    with pytest.raises(NotFoundError):
        run(served.level(level))


def test_hashes_that_do_not_fit(run: Any, store: Any, web: Any, here: Any, slide: Slide) -> None:
    for key in list(store.objects):
        if key.endswith(".sha256"):
            store.objects[key] = store.objects[key][:-32]
    served = run(web.services.slides.open(here.id, slide.id))
    with pytest.raises(VerificationError):
        run(served.level(0))


def test_the_slides_in_memory_are_bounded(
    run: Any,
    web: Any,
    here: Any,
    there: Any,
    store: Any,
    publish: Callable[..., Slide],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_SLIDES_IN_MEMORY", 2)
    known = SlideStore(web.services.database, store)
    made = [publish(here, store) for _ in range(3)]
    for slide in made:
        assert run(known.open(here.id, slide.id)).slide.id == slide.id
        with pytest.raises(NotFoundError):
            run(known.open(there.id, slide.id))
    assert list(known._slides) == [made[1].id, made[2].id]
    assert run(known.open(here.id, made[0].id)).slide == made[0]
