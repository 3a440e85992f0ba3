"""The contract of an object store as tests: subclass it, and a new store is tested like ours."""

import asyncio
import functools
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from storage import (
    InvalidKeyError,
    ObjectNotFoundError,
    ObjectStore,
    ObjectTooLargeError,
    RangeError,
)

LARGE_BYTES = 20 * 1024 * 1024 + 17
"""More than two parts of any upload, and not a whole number of them."""

HOSTILE_KEYS = [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    ".hidden",
    "a/.hidden",
    "a\\b",
    "a b",
    "a\nb",
    "a\x00b",
    "a%2e%2e",
    "é",
    "a?b",
    "a#b",
    "a*b",
    "x" * 201,
    "x/" * 512 + "x",
]


class ObjectStoreContract:
    """What every store promises.

    A subclass overrides the `store` fixture, and `set_behind` and `get_behind`, which reach the
    objects by another way than the store itself: the tests do not trust what they test.
    """

    large_bytes = LARGE_BYTES
    model_examples = 20

    @pytest.fixture
    def store(self) -> ObjectStore:
        """An empty store."""
        raise NotImplementedError

    def set_behind(self, store: Any, key: str, data: bytes) -> None:
        """Store an object without the store's own methods."""
        raise NotImplementedError

    def get_behind(self, store: Any, key: str) -> bytes | None:
        """An object's bytes, or None, without the store's own methods."""
        raise NotImplementedError

    # Writing

    def test_put_stores_the_bytes(self, store: ObjectStore) -> None:
        store.put("folder/one.dcm", b"\x00\x01bytes")
        assert self.get_behind(store, "folder/one.dcm") == b"\x00\x01bytes"

    def test_put_replaces(self, store: ObjectStore) -> None:
        store.put("a", b"a longer one before")
        store.put("a", b"after")
        assert self.get_behind(store, "a") == b"after"

    @pytest.mark.parametrize("size", [0, 1, LARGE_BYTES])
    def test_sink_stores_the_bytes(self, store: ObjectStore, size: int) -> None:
        data = _pattern(size)
        with store.open_write("folder/deep/c", content_type="application/dicom") as sink:
            for start in range(0, size, 1_000_003):
                sink.write(data[start : start + 1_000_003])
        assert self.get_behind(store, "folder/deep/c") == data

    def test_sink_takes_one_large_piece(self, store: ObjectStore) -> None:
        data = _pattern(self.large_bytes)
        with store.open_write("a") as sink:
            sink.write(data)
        assert self.get_behind(store, "a") == data

    def test_sink_is_invisible_until_it_ends(self, store: ObjectStore) -> None:
        with store.open_write("a") as sink:
            sink.write(_pattern(self.large_bytes))
            assert self.get_behind(store, "a") is None
            assert list(store.list()) == []
        assert self.get_behind(store, "a") is not None

    @pytest.mark.parametrize("size", [0, 1, LARGE_BYTES])
    def test_failed_sink_leaves_nothing(self, store: ObjectStore, size: int) -> None:
        with pytest.raises(_ProducerError), store.open_write("a") as sink:  # noqa: PT012
            sink.write(_pattern(size))
            raise _ProducerError
        assert self.get_behind(store, "a") is None
        assert list(store.list()) == []

    def test_failed_sink_leaves_the_object_before_it(self, store: ObjectStore) -> None:
        self.set_behind(store, "a", b"before")
        with pytest.raises(_ProducerError), store.open_write("a") as sink:  # noqa: PT012
            sink.write(b"after")
            raise _ProducerError
        assert self.get_behind(store, "a") == b"before"

    def test_an_error_of_the_producer_is_its_own(self, store: ObjectStore) -> None:
        with pytest.raises(FileNotFoundError, match="scanner"), store.open_write("a"):
            raise FileNotFoundError("scanner")

    def test_two_sinks_at_once(self, store: ObjectStore) -> None:
        with store.open_write("a") as first, store.open_write("b") as second:
            first.write(b"1")
            second.write(b"2")
        assert (self.get_behind(store, "a"), self.get_behind(store, "b")) == (b"1", b"2")

    # Reading

    def test_read(self, store: ObjectStore) -> None:
        self.set_behind(store, "a", b"bytes")
        assert store.read("a") == b"bytes"

    def test_read_refuses_more_than_the_limit(self, store: ObjectStore) -> None:
        self.set_behind(store, "a", b"bytes")
        assert store.read("a", limit_bytes=5) == b"bytes"
        with pytest.raises(ObjectTooLargeError):
            store.read("a", limit_bytes=4)

    @pytest.mark.parametrize(("offset", "length"), [(0, 5), (1, 3), (4, 1), (0, 0), (9, 0)])
    def test_read_range(self, store: ObjectStore, offset: int, length: int) -> None:
        self.set_behind(store, "a", b"bytes")
        expected = b"bytes"[offset : offset + length]
        assert store.read_range("a", offset, length) == expected
        assert asyncio.run(store.read_range_async("a", offset, length)) == expected

    @pytest.mark.parametrize(
        ("offset", "length"), [(0, 6), (4, 2), (5, 1), (99, 1), (-1, 2), (0, -1)]
    )
    def test_a_range_is_whole_or_an_error(
        self, store: ObjectStore, offset: int, length: int
    ) -> None:
        self.set_behind(store, "a", b"bytes")
        with pytest.raises(RangeError):
            store.read_range("a", offset, length)
        with pytest.raises(RangeError):
            asyncio.run(store.read_range_async("a", offset, length))

    @pytest.mark.parametrize("size", [0, 1, 10, 25, 30])
    def test_read_chunks(self, store: ObjectStore, size: int) -> None:
        data = _pattern(size)
        self.set_behind(store, "a", data)
        chunks = list(store.read_chunks("a", 10))
        assert b"".join(chunks) == data
        assert all(0 < len(chunk) <= 10 for chunk in chunks)

    def test_size(self, store: ObjectStore) -> None:
        self.set_behind(store, "folder/b", b"bytes")
        assert store.size("folder/b") == 5

    def test_list(self, store: ObjectStore) -> None:
        for key in ("folder/b", "folder/c/d", "folderb", "z"):
            self.set_behind(store, key, key.encode())
        assert {info.key: info.size_bytes for info in store.list()} == {
            "folder/b": 8,
            "folder/c/d": 10,
            "folderb": 7,
            "z": 1,
        }
        assert {info.key for info in store.list("folder/")} == {"folder/b", "folder/c/d"}
        assert list(store.list("nothing/")) == []
        assert all(info.modified.tzinfo for info in store.list())

    def test_delete(self, store: ObjectStore) -> None:
        self.set_behind(store, "folder/b", b"bytes")
        store.delete("folder/b")
        assert self.get_behind(store, "folder/b") is None
        store.delete("folder/b")

    @pytest.mark.parametrize(
        "ask",
        [
            lambda store: store.read("folder/b"),
            lambda store: store.read_range("folder/b", 0, 1),
            lambda store: asyncio.run(store.read_range_async("folder/b", 0, 1)),
            lambda store: list(store.read_chunks("folder/b")),
            lambda store: store.size("folder/b"),
        ],
    )
    def test_what_is_not_there(
        self, store: ObjectStore, ask: Callable[[ObjectStore], object]
    ) -> None:
        with pytest.raises(ObjectNotFoundError, match="folder/b"):
            ask(store)

    # Keys

    @pytest.mark.parametrize("key", HOSTILE_KEYS)
    def test_hostile_keys_are_refused(self, store: ObjectStore, key: str) -> None:
        for ask in (
            lambda: store.put(key, b""),
            lambda: store.open_write(key).__enter__(),
            lambda: store.read(key),
            lambda: store.read_range(key, 0, 0),
            lambda: asyncio.run(store.read_range_async(key, 0, 0)),
            lambda: list(store.read_chunks(key)),
            lambda: store.size(key),
            lambda: store.delete(key),
        ):
            with pytest.raises(InvalidKeyError):
                ask()

    @pytest.mark.parametrize("prefix", ["a", "/", "../", "a//", "./"])
    def test_hostile_prefixes_are_refused(self, store: ObjectStore, prefix: str) -> None:
        with pytest.raises(InvalidKeyError):
            list(store.list(prefix))

    # Everything at once

    def test_behaves_like_a_dictionary(self, store: ObjectStore) -> None:
        class Machine(StoreAgainstModel):
            def __init__(self) -> None:
                super().__init__(store)

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=self.model_examples,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


class StoreAgainstModel(RuleBasedStateMachine):
    """Random operations on a store and on a dictionary, which must never differ."""

    # No key is the folder of another: that is the caller's side of the contract.
    keys = st.sampled_from(["a", "b/a", "b/b", "b/c/a", "d/a.dcm", "e+@=,_-"])
    contents = st.binary(max_size=64)

    def __init__(self, store: ObjectStore) -> None:
        super().__init__()
        self.store = store
        self.model: dict[str, bytes] = {}
        for info in list(store.list()):
            store.delete(info.key)

    @rule(key=keys, data=contents)
    def put(self, key: str, data: bytes) -> None:
        self.store.put(key, data)
        self.model[key] = data

    @rule(key=keys, pieces=st.lists(contents, max_size=4), fails=st.booleans())
    def write(self, key: str, pieces: list[bytes], fails: bool) -> None:
        try:
            with self.store.open_write(key) as sink:
                for piece in pieces:
                    sink.write(piece)
                if fails:
                    raise _ProducerError  # noqa: TRY301
        except _ProducerError:
            return
        self.model[key] = b"".join(pieces)

    @rule(key=keys)
    def delete(self, key: str) -> None:
        self.store.delete(key)
        self.model.pop(key, None)

    @rule(key=keys)
    def read(self, key: str) -> None:
        if key in self.model:
            assert self.store.read(key) == self.model[key]
            assert self.store.size(key) == len(self.model[key])
            assert b"".join(self.store.read_chunks(key, 7)) == self.model[key]
        else:
            with pytest.raises(ObjectNotFoundError):
                self.store.read(key)

    @rule(key=keys, offset=st.integers(0, 70), length=st.integers(1, 70))
    def read_range(self, key: str, offset: int, length: int) -> None:
        data = self.model.get(key)
        if data is None:
            with pytest.raises(ObjectNotFoundError):
                self.store.read_range(key, offset, length)
        elif offset + length > len(data):
            with pytest.raises(RangeError):
                self.store.read_range(key, offset, length)
        else:
            assert self.store.read_range(key, offset, length) == data[offset : offset + length]

    @rule(prefix=st.sampled_from(["", "b/", "b/c/", "d/", "nothing/"]))
    def list_prefix(self, prefix: str) -> None:
        found = {info.key: info.size_bytes for info in self.store.list(prefix)}
        assert found == {
            key: len(data) for key, data in self.model.items() if key.startswith(prefix)
        }

    @invariant()
    def lists_what_is_there(self) -> None:
        assert {info.key for info in self.store.list()} == set(self.model)


class _ProducerError(Exception):
    """The one who writes fails, not the store."""


@functools.cache
def _pattern(size: int) -> bytes:
    """Bytes in which no part can stand in for another; the same every time."""
    return random.Random(size).randbytes(size)  # noqa: S311
