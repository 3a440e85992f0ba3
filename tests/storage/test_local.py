import errno
import os
from pathlib import Path

import pytest

from storage import (
    LocalObjectStore,
    ObjectNotFoundError,
    StoreFullError,
    StoreRefusedError,
    StoreUnavailableError,
)
from storage.testing import ObjectStoreContract


class TestLocalObjectStore(ObjectStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalObjectStore:
        self.root = tmp_path / "objects"
        return LocalObjectStore(self.root)

    def set_behind(self, store: LocalObjectStore, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def get_behind(self, store: LocalObjectStore, key: str) -> bytes | None:
        path = self.root / key
        return path.read_bytes() if path.exists() else None

    def test_a_failed_sink_leaves_no_file(self, store: LocalObjectStore) -> None:
        with pytest.raises(ZeroDivisionError), store.open_write("a") as sink:  # noqa: PT012
            sink.write(b"half")
            raise ZeroDivisionError
        assert [path for path in self.root.rglob("*") if path.is_file()] == []

    def test_a_folder_is_not_an_object(self, store: LocalObjectStore) -> None:
        store.put("a/b", b"bytes")
        with pytest.raises(ObjectNotFoundError):
            store.read("a")

    @pytest.mark.parametrize(
        ("number", "expected"),
        [
            (errno.ENOSPC, StoreFullError),
            (errno.EDQUOT, StoreFullError),
            (errno.EIO, StoreUnavailableError),
            (errno.EROFS, StoreRefusedError),
        ],
    )
    @pytest.mark.parametrize("step", ["write", "fsync"])
    def test_a_disk_that_fails(
        self,
        store: LocalObjectStore,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        number: int,
        expected: type[Exception],
    ) -> None:
        def fail(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, step, fail)
        with pytest.raises(expected):
            store.put("a", b"bytes")
        assert [path for path in self.root.rglob("*") if path.is_file()] == []

    def test_file_and_folders_are_synchronised_before_the_object_counts(
        self, store: LocalObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synchronised: list[Path] = []
        fsync = os.fsync

        def record(descriptor: int) -> None:
            synchronised.append(Path(f"/proc/self/fd/{descriptor}").readlink())
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", record)
        store.put("a/b/c", b"bytes")
        assert synchronised[0].parent.name == ".unfinished"
        assert {self.root, self.root / "a", self.root / "a" / "b"} <= set(synchronised[1:])
