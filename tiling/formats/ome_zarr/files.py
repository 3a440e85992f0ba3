"""The files of an OME-Zarr: in a folder, or in a zip archive without being unpacked.

Names come out of documents that nobody vouches for: they are taken for names below the root only
when every part of them is plain, and a link is never followed out of the folder.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.formats.ome_zarr.archive import Archive

_MOST_COUNTED = 1 << 20
"""Files of a folder whose sizes are added up."""
_NO_SUCH = frozenset({errno.ENOENT, errno.ENOTDIR})
_NO_FILE = frozenset({errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR, errno.ENXIO})


class Files(Protocol):
    """Files by name, parts joined by "/"; reads are safe from several threads at once."""

    def size(self, name: str) -> int | None:
        """Length of a file in bytes; None when there is none of that name."""

    def read(self, name: str, most: int) -> bytes | None:
        """A whole file; raises SlideTooLargeError when it is longer than `most` bytes."""

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Exactly those bytes; raises DamagedSlideError where the file has not got them."""

    def total_bytes(self) -> int:
        """What all files take on disk."""

    def count_chunks(self, folder: str) -> int | None:
        """How many files below a folder are named like chunks; None where there are too many."""

    def close(self) -> None: ...


def is_plain(name: str) -> bool:
    """Whether a name leads below the root and nowhere else."""
    parts = name.split("/")
    return all(part not in {"", ".", ".."} and part.isprintable() for part in parts)


def _is_chunk(name: str) -> bool:
    """Whether the last part of a key is like that of a chunk: numbers, and dots between them."""
    return not set(name.removeprefix("c.")) - set("0123456789.")


def join(*names: str) -> str:
    """One name of several, of which some may be empty."""
    return "/".join(name for name in names if name)


def check_length(length: int, most: int) -> None:
    if length > most:
        raise SlideTooLargeError("A file of the slide is far longer than it can be; it is refused.")


class Folder:
    """An OME-Zarr as it is written: a folder of folders."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def size(self, name: str) -> int | None:
        descriptor = self._open(name)
        if descriptor is None:
            return None
        try:
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def read(self, name: str, most: int) -> bytes | None:
        descriptor = self._open(name)
        if descriptor is None:
            return None
        try:
            length = os.fstat(descriptor).st_size
            check_length(length, most)
            return _read(descriptor, 0, length)
        finally:
            os.close(descriptor)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        descriptor = self._open(name)
        if descriptor is None:
            raise _cut_short()
        try:
            if offset < 0 or length < 0 or offset + length > os.fstat(descriptor).st_size:
                raise _cut_short()
            return _read(descriptor, offset, length)
        finally:
            os.close(descriptor)

    def total_bytes(self) -> int:
        total = counted = 0
        for folder, _, names in os.walk(self._root):
            for name in names:
                with suppress(OSError):  # gone meanwhile
                    total += (Path(folder) / name).lstat().st_size
            counted += len(names)
            if counted > _MOST_COUNTED:
                break
        return total

    def count_chunks(self, folder: str) -> int | None:
        if not is_plain(folder):
            return None
        chunks = counted = 0
        for _, _, names in os.walk(self._root / folder):
            chunks += sum(map(_is_chunk, names))
            counted += len(names)
            if counted > _MOST_COUNTED:
                return None
        return chunks

    def close(self) -> None:
        """Nothing is kept open: a slide has thousands of files."""

    def _open(self, name: str) -> int | None:
        """A descriptor of a regular file; None when there is none of that name."""
        if not is_plain(name):
            raise DamagedSlideError("The slide names a file outside its folder; it is refused.")
        path = self._root / name
        # Neither a link nor a pipe may be waited for: whatever is no plain file is refused.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        if Path(os.path.realpath(path.parent)) != path.parent:
            raise _no_file()
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            if error.errno in _NO_SUCH:
                return None
            if error.errno in _NO_FILE:
                raise _no_file() from error
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _no_file()
        return descriptor


class Zip:
    """An OME-Zarr in a zip archive, at its root or in the only folder there."""

    def __init__(self, path: Path) -> None:
        self._archive = Archive(path)
        self._prefix = _only_folder(self._archive.names())

    def size(self, name: str) -> int | None:
        return self._archive.size(self._prefix + name)

    def read(self, name: str, most: int) -> bytes | None:
        length = self.size(name)
        if length is None:
            return None
        check_length(length, most)
        return self._archive.read(self._prefix + name)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        whole = self.size(name)
        if whole is None or offset < 0 or length < 0 or offset + length > whole:
            raise _cut_short()
        return self._archive.read_range(self._prefix + name, offset, length)

    def total_bytes(self) -> int:
        return self._archive.bytes

    def count_chunks(self, folder: str) -> int | None:
        inside = f"{self._prefix}{folder}/"
        names = (name for name in self._archive.names() if name.startswith(inside))
        return sum(_is_chunk(name.rpartition("/")[2]) for name in names)

    def close(self) -> None:
        self._archive.close()


def _only_folder(names: list[str]) -> str:
    """The folder that everything lies in, with its slash; empty when there is no such."""
    first = {name.split("/", 1)[0] for name in names}
    folder = next(iter(first)) + "/" if len(first) == 1 else ""
    return folder if folder and all(name.startswith(folder) for name in names) else ""


def _read(descriptor: int, offset: int, length: int) -> bytes:
    data = os.pread(descriptor, length, offset)
    while len(data) < length:  # network shares, and more than 2 GiB
        more = os.pread(descriptor, length - len(data), offset + len(data))
        if not more:
            raise _cut_short()
        data += more
    return data


def _cut_short() -> DamagedSlideError:
    return DamagedSlideError("A file of the slide is cut short; copy the slide again.")


def _no_file() -> DamagedSlideError:
    return DamagedSlideError("The slide's folder holds links or devices; copy its files anew.")
