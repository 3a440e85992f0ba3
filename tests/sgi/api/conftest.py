"""One published slide, and browsers of every role in front of it."""

from collections.abc import Callable
from typing import Any

import pytest

from dicom.frame_index import FrameIndex
from sgi.domain.slide import Slide
from sgi.stored.keys import instance_key
from sgi.stored.sources import StoredObject


@pytest.fixture
def slide(here: Any, store: Any, publish: Callable[..., Any]) -> Slide:
    made: Slide = publish(here, store)
    return made


@pytest.fixture
def client(web: Any, here: Any) -> Any:
    """Signed in as the administrator."""
    return web.signed_in(here)


@pytest.fixture
def frame_of(store: Any, slide: Slide) -> Callable[[int, int], bytes]:
    """The stored bytes of a frame of a level, read by offsets of our own."""

    def read(level: int, frame_index: int) -> bytes:
        offset, length = place(store, slide, level).offset(frame_index)
        data = store.objects[key_of(slide, level)]
        return bytes(data[offset : offset + length])

    return read


def key_of(slide: Slide, level: int) -> str:
    return instance_key(slide.id, slide.levels[level].sop_uid)


def place(store: Any, slide: Slide, level: int) -> FrameIndex:
    stored = slide.levels[level]
    return FrameIndex.read(StoredObject(store, key_of(slide, level), stored.size_bytes))


@pytest.fixture
def rot(store: Any, slide: Slide) -> Callable[[int, int], None]:
    """Flips a bit in the middle of a stored frame."""

    def flip(level: int, frame_index: int) -> None:
        offset, length = place(store, slide, level).offset(frame_index)
        data = bytearray(store.objects[key_of(slide, level)])
        data[offset + length // 2] ^= 1
        store.objects[key_of(slide, level)] = bytes(data)

    return flip
