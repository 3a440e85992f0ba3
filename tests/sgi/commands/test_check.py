import json
from collections.abc import Iterator
from typing import Any

import pytest

from sgi.commands.check import check_stores
from sgi.stores import Stores
from storage.errors import StoreRefusedError
from storage.memory import MemoryObjectStore


class Forgetful(MemoryObjectStore):
    """Lists nothing."""

    def list(self, prefix: str = "") -> Iterator[Any]:
        yield from ()


class Closed(MemoryObjectStore):
    def put(self, key: str, data: bytes, **options: Any) -> None:
        raise StoreRefusedError("The object store refused writing; check its credentials.")


def test_sound_stores(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_stores(Stores(MemoryObjectStore(), second=MemoryObjectStore()))
    said = capsys.readouterr().out
    assert "The main store" in said
    assert "The second store" in said
    assert "The cold store" not in said
    assert "failed" not in said


def test_an_unsafe_store_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert not check_stores(Stores(MemoryObjectStore(), cold=Forgetful()))
    said = capsys.readouterr().out
    assert "failed" in said
    assert "does not start" in said


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert not check_stores(Stores(Closed()), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["safe"] is False
    (finding,) = told["findings"]
    assert (finding["store"], finding["result"], finding["need"]) == ("main", "failed", "needed")
    assert "credentials" in finding["says"]
    assert check_stores(Stores(MemoryObjectStore()), thorough=True, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert any("thousand" in finding["promise"] for finding in told["findings"])
