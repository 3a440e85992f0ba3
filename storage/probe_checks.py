"""The questions of a probe that any `ObjectStore` can be asked.

Each gives what it measured, if anything; it raises UnmetError where the promise is not kept,
NotOfferedError where there is none, and whatever the store raises.
"""

import random
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from storage.errors import ObjectChangedError, ObjectNotFoundError, RangeError
from storage.store import ObjectStore

PART_BYTES = 5 << 20
"""The smallest that S3 takes for all parts but the last."""
_SMALL_BYTES = 64 << 10
_TILE_BYTES = 16 << 10
_ROUNDS = 6
_HANDS = 4
_MANY = 1005
_CHARACTERS = "probe.a-b_c+d=e@f,g/1.2.840.10008.dcm"


class UnmetError(Exception):
    """A promise is not kept; one sentence says what that means and what to do."""


class NotOfferedError(Exception):
    """The store does not offer this at all; one sentence says what that means."""


@dataclass(frozen=True, slots=True)
class Site:
    """A folder of our own in the store that is probed."""

    store: ObjectStore
    folder: str
    """Ends with `/`."""

    def key(self, name: str) -> str:
        return self.folder + name


def put_and_read(site: Site) -> str:
    key, data = site.key("small"), _bytes(_SMALL_BYTES)
    site.store.put(key, data)
    _require(site.store.read(key) == data, "Other bytes came back than were written.")
    _require(site.store.size(key) == len(data), "An object has another size than was written.")
    return ""


def overwrite(site: Site) -> str:
    key = site.key("replaced")
    for number in range(_ROUNDS):
        data = _bytes(_SMALL_BYTES - 1000 * number)
        site.store.put(key, data)
        current = site.store.read(key) == data and site.store.size(key) == len(data)
        middle = site.store.read_range(key, 1000, 1000) == data[1000:2000]
        _require(
            current and middle,
            "Old bytes came back after they were replaced: switch off whatever caches reads in "
            "front of the store.",
        )
    return ""


def empty(site: Site) -> str:
    key = site.key("empty")
    site.store.put(key, b"")
    _require(site.store.read(key) == b"", "Bytes came back of an object that has none.")
    listed = {info.key: info.size_bytes for info in site.store.list(site.folder)}
    _require(listed.get(key) == 0, "An object without bytes is not listed.")
    return ""


def characters(site: Site) -> str:
    key, data = site.key(_CHARACTERS), _bytes(100)
    site.store.put(key, data)
    _require(site.store.read(key) == data, "An object is not found again under its key.")
    keys = [info.key for info in site.store.list(site.folder)]
    _require(key in keys, "A key is listed in another spelling than it was written in.")
    return ""


def ranges(site: Site) -> str:
    key, data = site.key("ranges"), _bytes(_SMALL_BYTES)
    site.store.put(key, data)
    last = len(data) - 1
    for offset, length in ((0, 1), (last, 1), (12_345, 6_789), (0, len(data))):
        _require(
            site.store.read_range(key, offset, length) == data[offset : offset + length],
            f"A range read gave other bytes than lie at {offset}: tiles would be wrong.",
        )
    for offset, length in ((len(data), 1), (last, 2)):
        try:
            site.store.read_range(key, offset, length)
        except RangeError:
            continue
        raise UnmetError("Bytes came back from beyond an object's end.")
    return ""


def listing(site: Site) -> str:
    place = Site(site.store, site.key("listed/"))
    expected = {}
    for number in range(_ROUNDS):
        key = place.key(f"{number:02}/object")
        place.store.put(key, _bytes(number))
        expected[key] = number
        found = {info.key: info.size_bytes for info in place.store.list(place.folder)}
        _require(
            found == expected,
            "A list does not have what was written a moment before: `sgi verify` and `sgi rebuild` "
            "would miss slides.",
        )
    return ""


def absent(site: Site) -> str:
    try:
        site.store.read(site.key("never-written"))
    except ObjectNotFoundError:
        return ""
    raise UnmetError("Something came back under a key that was never written.")


def deletion(site: Site) -> str:
    place = Site(site.store, site.key("deleted/"))
    key = place.key("object")
    for _ in range(_ROUNDS):
        place.store.put(key, _bytes(100))
        place.store.read(key)
        place.store.delete(key)
        try:
            place.store.read(key)
        except ObjectNotFoundError:
            pass
        else:
            raise UnmetError("A deleted object is still given: what was destroyed would be seen.")
        _require(not list(place.store.list(place.folder)), "A deleted object is still listed.")
    place.store.delete(key)  # again: no error
    return ""


def writers(site: Site) -> str:
    key = site.key("contended")
    written = [_bytes(_SMALL_BYTES + 1000 * number) for number in range(_HANDS)]
    _at_once([lambda data=data: site.store.put(key, data) for data in written])  # type: ignore[misc] # bound now
    _require(site.store.read(key) in written, "Two writers of one key left a mixture of both.")
    return ""


def readers(site: Site) -> str:
    key, done = site.key("watched"), threading.Event()
    one, other = (bytes([value]) * (4 * _SMALL_BYTES) for value in (1, 2))
    site.store.put(key, one)

    def write() -> None:
        try:
            for number in range(_ROUNDS):
                site.store.put(key, one if number % 2 else other)
        finally:
            done.set()

    def read() -> None:
        while not done.is_set():
            _require(site.store.read(key) in (one, other), "A reader saw half of an object.")

    _at_once([write, read, read])
    return ""


def replaced(site: Site) -> str:
    key, piece = site.key("read-in-pieces"), 1000
    before, after = _bytes(4 * piece), _bytes(4 * piece)
    site.store.put(key, before)
    pieces = site.store.read_chunks(key, piece)
    read = next(pieces)
    site.store.put(key, after)
    with suppress(ObjectChangedError):
        read += b"".join(pieces)
    _require(
        before.startswith(read),
        "The pieces of two objects were given as one: ranges with If-Match are not compared.",
    )
    return ""


def in_parts(site: Site) -> str:
    key, data = site.key("parts"), _bytes(2 * PART_BYTES + 1)
    began = time.monotonic()
    with site.store.open_write(key) as sink:
        for start in range(0, len(data), 1 << 20):
            sink.write(data[start : start + (1 << 20)])
    written = time.monotonic()
    read = b"".join(site.store.read_chunks(key))
    ended = time.monotonic()
    _require(read == data, "An object that was written in parts came back otherwise.")
    seam = site.store.read_range(key, PART_BYTES - 10, 20)
    _require(seam == data[PART_BYTES - 10 : PART_BYTES + 10], "A range over two parts is wrong.")
    megabytes = len(data) / 1e6
    into, out = megabytes / (written - began), megabytes / (ended - written)
    return f"{into:,.0f} MB/s in, {out:,.0f} MB/s out"


def broken_off(site: Site) -> str:
    place = Site(site.store, site.key("broken/"))
    kept, data = place.key("kept"), _bytes(100)
    place.store.put(kept, data)
    for key in (kept, place.key("new")):
        with suppress(_BrokenOff), place.store.open_write(key) as sink:
            sink.write(bytes(PART_BYTES + 1))
            raise _BrokenOff
    keys = [info.key for info in place.store.list(place.folder)]
    _require(
        keys == [kept] and place.store.read(kept) == data,
        "An upload that was given up can be seen: half slides would pass for whole ones.",
    )
    return ""


def latency(site: Site) -> str:
    key, passed = site.key("tile"), []
    site.store.put(key, _bytes(4 * _TILE_BYTES))
    for number in range(20):
        began = time.monotonic()
        site.store.read_range(key, number * 1000, _TILE_BYTES)
        passed.append((time.monotonic() - began) * 1e3)
    return f"{statistics.median(passed):.1f} ms, at worst {max(passed):.1f}"


def long_listing(site: Site) -> str:
    place = Site(site.store, site.key("many/"))
    keys = [place.key(f"{number % 7}/{number:05}") for number in range(_MANY)]
    with ThreadPoolExecutor(2 * _HANDS) as hands:
        list(hands.map(lambda key: place.store.put(key, b""), keys))
    found = sorted(info.key for info in place.store.list(place.folder))
    _require(found == sorted(keys), f"Of {_MANY} objects {len(found)} were listed.")
    return ""


class _BrokenOff(Exception):  # noqa: N818 - nobody else sees it
    pass


def _require(kept: bool, otherwise: str) -> None:
    if not kept:
        raise UnmetError(otherwise)


def _at_once(doing: Iterable[Callable[[], None]]) -> None:
    """All of them, each in a thread; raises what the first of them raises."""
    waiting = list(doing)
    with ThreadPoolExecutor(len(waiting)) as hands:
        for done in [hands.submit(each) for each in waiting]:
            done.result()


def _bytes(length: int) -> bytes:
    """Like no others: what came from another moment is seen."""
    return random.randbytes(length)  # noqa: S311 - no secret
