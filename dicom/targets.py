"""Where a converted slide's instances go, each published whole or not at all."""

import functools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, Self

from dicom.behind import Behind
from dicom.ports import ByteSink

PARTIAL = ".dcm.partial"
"""What the name of a file ends in until it is whole."""


class InstanceTarget(Protocol):
    """Takes the instances of one slide."""

    def open(self, name: str, sop_instance_uid: str) -> AbstractContextManager[ByteSink]:
        """A sink for one instance.

        `name` is `level-<number>`, `label`, `overview` or `thumbnail`, never a word out of a file.
        Leaving the context publishes the instance; leaving it by an exception leaves nothing.
        """


class DirectoryTarget:
    """Writes `<name>.dcm` files into a folder, which is made if it is not there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def open(self, name: str, sop_instance_uid: str) -> Iterator[ByteSink]:  # noqa: ARG002 - the port's; a folder names its files by role
        """A file that gets its name only once every byte of it is on the disk."""
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{name}.dcm"
        partial = path.with_suffix(PARTIAL)
        try:
            with partial.open("wb", buffering=0) as file:
                with Behind(functools.partial(_write_all, file.fileno())) as sink:
                    yield sink
                os.fsync(file.fileno())
            self._publish(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def _publish(self, partial: Path, path: Path) -> None:
        """Give a file that is on the disk its name."""
        partial.replace(path)
        _sync_directory(self._directory)


class WholeSlideTarget(DirectoryTarget):
    """A folder whose files get their names together, once the context is left without an error.

    An error leaves none of them; the end of the process leaves names that nobody takes for DICOM.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._waiting: list[tuple[Path, Path]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for partial, path in self._waiting:
            if kind is None:
                super()._publish(partial, path)
            else:
                partial.unlink(missing_ok=True)

    def _publish(self, partial: Path, path: Path) -> None:
        self._waiting.append((partial, path))


def _write_all(descriptor: int, data: bytes) -> None:
    # One write may take less than it is given, e.g. beyond 2 GiB.
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_directory(directory: Path) -> None:
    """Make the renaming itself survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
