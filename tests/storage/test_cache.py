"""A cache on the disk: quick when it works, and never wrong, whatever happens to the disk."""

import asyncio
import hashlib
import multiprocessing
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from storage import cache as module
from storage.cache import DiskCache
from storage.errors import ObjectNotFoundError, StoreUnavailableError
from storage.memory import MemoryObjectStore

KEY = "slides/one/instances/1.2.3.dcm"
OBJECT = random.Random(1).randbytes(100_000)
LIMIT = 64 << 20


class Store(MemoryObjectStore):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__({KEY: OBJECT})
        self.reads = 0
        self.away = False

    async def read_range_async(self, key: str, offset: int, length: int) -> bytes:
        self.reads += 1
        if self.away:
            raise StoreUnavailableError("away")
        return await super().read_range_async(key, offset, length)


@pytest.fixture
def store() -> Store:
    return Store()


@asynccontextmanager
async def opened(store: Store, folder: Path, limit: int = LIMIT) -> AsyncIterator[DiskCache]:
    cache = DiskCache(store, folder, limit)
    try:
        yield cache
    finally:
        cache.close()


def read(store: Store, folder: Path, *spans: tuple[int, int], limit: int = LIMIT) -> list[bytes]:
    """What a process that starts, reads and ends gets."""

    async def run() -> list[bytes]:
        async with opened(store, folder, limit) as cache:
            return [await cache.read_range_async(KEY, *span) for span in spans]

    return asyncio.run(run())


async def until(true: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if true():
            return
        await asyncio.sleep(0.001)
    pytest.fail("never")


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def held(folder: Path) -> int:
    return sum(path.stat().st_size for path in entries(folder))


def test_a_range_is_asked_for_once(store: Store, tmp_path: Path) -> None:
    for _ in range(3):
        assert read(store, tmp_path, (10, 500)) == [OBJECT[10:510]]
    assert store.reads == 1
    store.away = True
    assert read(store, tmp_path, (10, 500)) == [OBJECT[10:510]]
    with pytest.raises(StoreUnavailableError):
        read(store, tmp_path, (10, 501))


def test_entries_are_ours_alone_and_named_by_no_one_else(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "cache"
    read(store, folder, (0, 100))
    (entry,) = entries(folder)
    assert entry.stat().st_mode & 0o777 == 0o600
    assert entry.parent.stat().st_mode & 0o777 == 0o700
    place = hashlib.sha256(f"{KEY}\x000\x00100".encode()).hexdigest()
    group = hashlib.sha256(f"{KEY.rpartition('/')[0]}/".encode()).hexdigest()[:16]
    assert entry.name == f"{place}-{group}"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[random.Random(3).randrange(len(data))] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0" * 100_000)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_link(path: Path) -> None:
    kept = path.with_name("elsewhere")
    path.rename(kept)
    path.symlink_to(kept)


def swap(path: Path) -> None:
    """Another entry, sound in itself and of the same length."""
    read(Store(), path.parents[1], (1000, 500))
    (other,) = set(entries(path.parents[1])) - {path}
    other.replace(path)


@pytest.mark.parametrize(
    "harm", [flip, cut, empty, lengthen, replace_by_folder, replace_by_link, swap, Path.unlink]
)
def test_a_wrong_byte_is_never_given(
    store: Store, tmp_path: Path, harm: Callable[[Path], Any]
) -> None:
    read(store, tmp_path, (10, 500))
    (entry,) = entries(tmp_path)
    harm(entry)
    for _ in range(2):
        assert read(store, tmp_path, (10, 500)) == [OBJECT[10:510]]
    assert store.reads >= 2


def test_every_bit_of_an_entry_counts(store: Store, tmp_path: Path) -> None:
    read(store, tmp_path, (0, 8))
    (entry,) = entries(tmp_path)
    good = entry.read_bytes()
    for bit in range(len(good) * 8):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        entry.write_bytes(bad)
        assert read(store, tmp_path, (0, 8)) == [OBJECT[:8]]


def test_what_is_dropped_is_asked_for_again(store: Store, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(store, tmp_path) as cache:
            await cache.read_range_async(KEY, 0, 10)
            await until(lambda: bool(entries(tmp_path)))
            await cache.drop(KEY, 0, 10)
            await cache.drop(KEY, 5, 10)
            await cache.read_range_async(KEY, 0, 10)

    asyncio.run(run())
    assert store.reads == 2


def test_a_folder_is_forgotten_and_no_other(store: Store, tmp_path: Path) -> None:
    other = KEY.replace("one", "two")
    store.put(other, OBJECT)

    async def run() -> None:
        async with opened(store, tmp_path) as cache:
            for key in (KEY, other):
                for offset in (0, 100, 200):
                    await cache.read_range_async(key, offset, 10)
            await until(lambda: len(entries(tmp_path)) == 6)
            cache.forget(KEY.rpartition("/")[0] + "/")
            cache.forget("slides/none/")
            await until(lambda: len(entries(tmp_path)) == 3)
            await cache.read_range_async(other, 0, 10)
            assert store.reads == 6
            await cache.read_range_async(KEY, 0, 10)
            assert store.reads == 7

    asyncio.run(run())


def test_everything_is_forgotten(store: Store, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(store, tmp_path) as cache:
            for offset in (0, 100, 200):
                await cache.read_range_async(KEY, offset, 10)
            await until(lambda: len(entries(tmp_path)) == 3)
            cache.forget(None)
            await until(lambda: not entries(tmp_path))

    asyncio.run(run())


def test_errors_of_the_store_pass(store: Store, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(store, tmp_path) as cache:
            await cache.read_range_async("slides/none", 0, 10)

    with pytest.raises(ObjectNotFoundError):
        asyncio.run(run())
    assert not entries(tmp_path)


@pytest.fixture
def one_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SHELVES", 1)


@pytest.mark.usefixtures("one_shelf")
def test_it_never_outgrows_its_limit(store: Store, tmp_path: Path) -> None:
    limit = 50_000
    rng = random.Random(5)

    async def run() -> None:
        async with opened(store, tmp_path, limit) as cache:
            for _ in range(300):
                offset, length = rng.randrange(50_000), rng.randrange(1, 12_000)
                found = await cache.read_range_async(KEY, offset, length)
                assert found == OBJECT[offset : offset + length]
                await until(lambda: not cache._waiting)
                assert held(tmp_path) <= limit + 12_000

    asyncio.run(run())
    assert held(tmp_path) > limit // 2


@pytest.mark.usefixtures("one_shelf")
def test_what_was_used_longest_ago_goes_first(store: Store, tmp_path: Path) -> None:
    limit = 40_000
    for number in range(8):
        read(store, tmp_path, (number * 4000, 4000), limit=limit)
        for entry in entries(tmp_path):
            os.utime(entry, ns=(entry.stat().st_atime_ns, entry.stat().st_mtime_ns - 10**12))
    read(store, tmp_path, (0, 4000), limit=limit)  # used
    for number in range(8, 13):
        read(store, tmp_path, (number * 4000, 4000), limit=limit)
    store.reads = 0
    read(store, tmp_path, (0, 4000), limit=limit)
    assert store.reads == 0
    read(store, tmp_path, (4000, 4000), limit=limit)
    assert store.reads == 1


def test_what_a_killed_process_left_goes(store: Store, tmp_path: Path) -> None:
    read(store, tmp_path, (10, 500))
    (entry,) = entries(tmp_path)
    old, new = entry.with_name("1-1.part"), entry.with_name("1-2.part")
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 3600, time.time() - 3600))
    entry.unlink()
    assert read(store, tmp_path, (10, 500)) == [OBJECT[10:510]]
    assert not old.exists()
    assert new.exists(), "its process may still be writing"


def test_a_full_disk_costs_the_cache_and_nothing_else(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "replace", full)
        patch.setattr(Path, "replace", full)
        assert read(store, tmp_path, (10, 500), (10, 500)) == [OBJECT[10:510]] * 2
    assert store.reads == 2
    assert not entries(tmp_path), "nothing half-written stays"
    read(store, tmp_path, (10, 500), (10, 500))
    assert entries(tmp_path)


def test_a_nearly_full_disk_is_left_to_others(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = module.shutil.disk_usage(tmp_path)._replace(free=1)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    assert read(store, tmp_path, (10, 500)) == [OBJECT[10:510]]
    assert not entries(tmp_path)


def test_a_folder_that_cannot_be_made(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert read(store, tmp_path / "file" / "cache", (10, 500)) == [OBJECT[10:510]]


def _hammer(folder: Path, seed: int, limit: int) -> None:
    rng, store = random.Random(seed), Store()

    async def run() -> None:
        async with opened(store, folder, limit) as cache:
            for _ in range(400):
                offset, length = rng.randrange(40) * 100, 2000
                found = await cache.read_range_async(KEY, offset, length)
                assert found == OBJECT[offset : offset + length]

    asyncio.run(run())


@pytest.fixture
def processes() -> Iterator[list[Any]]:
    started: list[Any] = []
    yield started
    for process in started:
        process.kill()
        process.join()


def test_processes_share_a_folder_and_some_are_killed(tmp_path: Path, processes: list[Any]) -> None:
    make = multiprocessing.get_context("spawn").Process
    limit = 64 * 20_000
    for seed in range(3):
        process = make(target=_hammer, args=(tmp_path, seed, limit))
        process.start()
        processes.append(process)
    while not entries(tmp_path):
        time.sleep(0.05)
    processes[0].kill()
    for process in processes[1:]:
        process.join(60)
        assert process.exitcode == 0
    _hammer(tmp_path, 7, limit)
