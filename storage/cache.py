"""Ranges of objects that were read lately, kept on a local disk in front of a remote store.

Any number of processes may share the folder. Nothing in it is trusted: an entry carries the SHA-256
of its place and of what it holds; one that does not fit (a flipped bit, a torn write, a lost tail)
is dropped and read from the store. Nothing in it is needed: whatever goes wrong with the disk, the
store answers.
"""

import asyncio
import hashlib
import logging
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

from storage.store import AsyncRangeReader

_log = logging.getLogger(__name__)
_SHELVES = 64
"""Folders of entries, each bounded on its own, so that looking through one is quick."""
_DIGEST_BYTES = hashlib.sha256().digest_size
_UNFINISHED = ".part"
_UNFINISHED_S = 600.0
"""A write that is older than this belongs to a process that died."""
_USED_S = 300.0
"""How exactly it is known when an entry was used."""
_PAUSE_S = 30.0
"""After a failed write: the disk is full, or gone."""
_FREE_SHARE = 0.05
"""Of the disk is left to others."""
_WRITES_WAITING = 64
_READERS = 4
_WRITER_NICE = 10
"""Writing is for another day: it gives way to whoever reads now."""
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class DiskCache:
    """An `AsyncRangeReader` that reads another one's ranges from a folder when it has them.

    Objects must never change under their key. `limit_bytes` bounds the entries of the folder
    together; every process may be over it by a sixteenth for a moment.
    """

    def __init__(self, store: AsyncRangeReader, folder: Path, limit_bytes: int) -> None:
        self._store = store
        self._folder = folder
        self._shelf_bytes = limit_bytes // _SHELVES
        self._unseen = [self._shelf_bytes] * _SHELVES
        """Bytes written to each shelf since it was looked through; at first, all that fits."""
        self._readers = ThreadPoolExecutor(_READERS, "disk-cache-reader")
        self._writer = ThreadPoolExecutor(1, "disk-cache-writer", _give_way)
        self._numbers = count()
        self._waiting = 0
        self._not_before = 0.0

    async def read_range_async(self, key: str, offset: int, length: int) -> bytes:
        """As `ObjectStore.read_range`."""
        loop, name = asyncio.get_running_loop(), _name(key, offset, length)
        if _is_there(self._path(name)):  # seen in microseconds, which is all that a miss costs
            kept = await loop.run_in_executor(self._readers, self._find, name, length)
            if kept is not None:
                return kept
        data = await self._store.read_range_async(key, offset, length)
        if self._waiting < _WRITES_WAITING:
            self._waiting += 1
            loop.run_in_executor(self._writer, self._keep, name, data).add_done_callback(
                self._written
            )
        return data

    async def drop(self, key: str, offset: int, length: int) -> None:
        """Forget a range: the store gave what nobody wrote."""
        path = self._path(_name(key, offset, length))
        # After what is being written, which may be the same range.
        await asyncio.get_running_loop().run_in_executor(self._writer, _remove, path)

    def forget(self, folder: str | None) -> None:
        """Drop, soon, every range of the objects directly under a folder, which ends with `/`;
        None: of every object.
        """
        self._writer.submit(self._forget, "*" if folder is None else _group(folder))

    def _forget(self, group: str) -> None:
        for path in self._folder.glob(f"??/*-{group}"):
            _remove(path)

    def close(self) -> None:
        """End its threads, once what they are writing is written."""
        self._readers.shutdown()
        self._writer.shutdown()

    def _written(self, _: object) -> None:
        self._waiting -= 1

    def _path(self, name: str) -> Path:
        return self._folder / f"{int(name[:2], 16) % _SHELVES:02x}" / name

    def _find(self, name: str, length: int) -> bytes | None:
        """An entry that is what was written; none otherwise, whatever the reason."""
        path = self._path(name)
        try:
            with os.fdopen(os.open(path, _READING), "rb") as file:
                found = os.fstat(file.fileno())
                kept = file.read(_DIGEST_BYTES + length + 1)
        except OSError:
            return None
        data = kept[_DIGEST_BYTES:]
        if len(data) != length or _digest(name, data) != kept[:_DIGEST_BYTES]:
            _log.warning("dropped a damaged entry of the tile cache")
            _remove(path)
            return None
        if time.time() - found.st_mtime > _USED_S:
            with suppress(OSError):
                os.utime(path)
        return data

    def _keep(self, name: str, data: bytes) -> None:
        if len(data) > self._shelf_bytes // 4 or time.monotonic() < self._not_before:
            return
        path = self._path(name)
        shelf = int(path.parent.name, 16)
        try:
            if self._unseen[shelf] >= self._shelf_bytes // 16:
                self._trim(path.parent)
                self._unseen[shelf] = 0
            self._unseen[shelf] += len(data)
            self._write(path, _digest(name, data), data)
        except OSError as error:
            _log.warning("the tile cache takes nothing for a while: %s", error.strerror)
            self._not_before = time.monotonic() + _PAUSE_S

    def _write(self, path: Path, digest: bytes, data: bytes) -> None:
        """Under another name first: an entry appears whole, or not at all."""
        unfinished = path.with_name(f"{os.getpid()}-{next(self._numbers)}{_UNFINISHED}")
        try:
            with os.fdopen(os.open(unfinished, _WRITING, 0o600), "wb") as file:
                file.write(digest)
                file.write(data)
            unfinished.replace(path)
        except OSError:
            _remove(unfinished)
            raise

    def _trim(self, shelf: Path) -> None:
        """Make the shelf, or room on it: what was used longest ago goes first.

        Raises OSError when the disk has no room for a cache.
        """
        shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
        entries: list[tuple[float, int, str]] = []
        now = time.time()
        with os.scandir(shelf) as found:
            for entry in found:
                with suppress(OSError):  # another process may have removed it
                    status = entry.stat(follow_symlinks=False)
                    if not entry.name.endswith(_UNFINISHED):
                        entries.append((status.st_mtime, status.st_size, entry.path))
                    elif now - status.st_mtime > _UNFINISHED_S:
                        _remove(Path(entry.path))
        room = self._shelf_bytes - self._shelf_bytes // 16 - sum(size for _, size, _ in entries)
        disk = shutil.disk_usage(shelf)
        if disk.free < _FREE_SHARE * disk.total:
            room = min(room, 0) - self._shelf_bytes // 4  # gives back what it can
        for _, size, path in sorted(entries):
            if room >= 0:
                break
            _remove(Path(path))
            room += size
        if disk.free < _FREE_SHARE * disk.total:
            raise OSError(0, "the disk is nearly full")


def _name(key: str, offset: int, length: int) -> str:
    """Of an entry: our own hashes, whatever the key is made of."""
    place = hashlib.sha256(f"{key}\0{offset}\0{length}".encode()).hexdigest()
    return f"{place}-{_group(key[: key.rfind('/') + 1])}"


def _group(folder: str) -> str:
    """Common to the names of all entries of one folder."""
    return hashlib.sha256(folder.encode()).hexdigest()[:16]


def _digest(name: str, data: bytes) -> bytes:
    hashed = hashlib.sha256(name.encode())
    hashed.update(data)
    return hashed.digest()


def _give_way() -> None:
    """Of the thread that calls, on Linux."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _WRITER_NICE)


def _is_there(path: Path) -> bool:
    return path.is_file()


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def scrub_cache(folder: Path) -> tuple[int, int]:
    """Read every entry of a cache's folder again; how many there are, and how many were damaged.

    Damaged ones are dropped, as any read would drop them.
    """
    entries = damaged = 0
    for path in folder.glob("??/*"):
        if path.name.endswith(_UNFINISHED):
            continue
        try:
            with os.fdopen(os.open(path, _READING), "rb") as file:
                kept = file.read()
        except OSError:
            continue
        entries += 1
        if _digest(path.name, kept[_DIGEST_BYTES:]) != kept[:_DIGEST_BYTES]:
            damaged += 1
            _remove(path)
    return entries, damaged
