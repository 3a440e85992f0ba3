"""Objects as files under one directory; an object that is there survives a power cut."""

import asyncio
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from storage.errors import (
    StorageError,
    StoreFullError,
    StoreRefusedError,
    StoreUnavailableError,
)
from storage.keys import require_key, require_prefix
from storage.ranges import not_found, require_length, require_limit, require_range
from storage.store import CHUNK_BYTES, OCTETS, READ_LIMIT_BYTES, ObjectInfo, ObjectSink

_UNFINISHED = ".unfinished"
"""Folder of files being written, beside the objects so that a rename suffices; no key has a dot
in front, so no object can be there."""


class LocalObjectStore:
    """An `ObjectStore` in a directory, which is made when it is not there.

    Raises:
        StoreRefusedError: the directory cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        with _translated("The directory of the store"):
            (root / _UNFINISHED).mkdir(parents=True, exist_ok=True)

    # The port's parameter: a folder keeps no content types.
    @contextmanager
    def open_write(self, key: str, *, content_type: str = OCTETS) -> Iterator[ObjectSink]:  # noqa: ARG002
        target = self._path(key)
        with _translated(key):
            descriptor, name = tempfile.mkstemp(dir=self._root / _UNFINISHED)
        unfinished = Path(name)
        try:
            sink = _Sink(key, descriptor)
            try:
                yield sink
                with _translated(key):
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            with _translated(key):
                _publish(unfinished, target, self._root)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise

    def put(self, key: str, data: bytes, *, content_type: str = OCTETS) -> None:
        with self.open_write(key, content_type=content_type) as sink:
            sink.write(data)

    def read(self, key: str, *, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        with _translated(key), self._path(key).open("rb") as file:
            data = file.read(limit_bytes + 1)
            if len(data) > limit_bytes:
                require_limit(key, os.fstat(file.fileno()).st_size, limit_bytes)
            return data

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        path = self._path(key)
        require_range(key, offset, length)
        if length == 0:
            return b""
        with _translated(key), path.open("rb", buffering=0) as file:
            # The size first: a hostile length must not make us reserve that much memory.
            available = max(0, os.fstat(file.fileno()).st_size - offset)
            data = os.pread(file.fileno(), min(length, available), offset) if available else b""
        return require_length(key, offset, length, data)

    async def read_range_async(self, key: str, offset: int, length: int) -> bytes:
        return await asyncio.to_thread(self.read_range, key, offset, length)

    def read_chunks(self, key: str, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        # One open file throughout: a replacement renames over the name, never under our feet.
        with _translated(key), self._path(key).open("rb") as file:
            while chunk := file.read(chunk_bytes):
                yield chunk

    def size(self, key: str) -> int:
        with _translated(key):
            return self._path(key).stat().st_size

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        start = self._root / require_prefix(prefix)
        for folder, folders, names in os.walk(start):
            if _UNFINISHED in folders:
                folders.remove(_UNFINISHED)
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):  # deleted since the folder was read
                    status = path.stat()
                    modified = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield ObjectInfo(
                        path.relative_to(self._root).as_posix(), status.st_size, modified
                    )

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _translated(key):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError):
                return
            _fsync_folder(path.parent)

    def _path(self, key: str) -> Path:
        return self._root / require_key(key)


class _Sink:
    def __init__(self, key: str, descriptor: int) -> None:
        self._key = key
        self._descriptor = descriptor

    def write(self, data: bytes, /) -> None:
        rest = memoryview(data)
        with _translated(self._key):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


def _publish(unfinished: Path, target: Path, root: Path) -> None:
    """Give a whole file its name, so that a power cut leaves the old or the new, never neither."""
    missing = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished.replace(target)
    for folder in {target.parent, root, *(made.parent for made in missing)}:
        _fsync_folder(folder)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """The operating system's errors in our words."""
    try:
        yield
    except OSError as error:
        raise _translate(key, error) from error


def _translate(key: str, error: OSError) -> StorageError:
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}:
        return not_found(key)
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StoreFullError(f"There is no room left to write {key}.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StoreRefusedError(f"The directory of the store does not allow {key} to be used.")
    return StoreUnavailableError(
        f"The directory of the store did not serve {key}: {os.strerror(error.errno or errno.EIO)}."
    )
