"""A store is proved once a day and machine; one that is not safe stops whoever would publish."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from sgi import proved_stores
from sgi.errors import ConfigurationError
from sgi.proved_stores import named, require_proved_stores, wait_for_proved_stores
from sgi.settings import Settings
from sgi.stores import Stores
from storage.errors import StoreUnavailableError
from storage.memory import MemoryObjectStore
from storage.probe import Finding, Need, Result
from storage.s3 import S3ObjectStore, S3Options
from storage.store import ObjectStore

WARM = S3ObjectStore(S3Options("warm", "http://127.0.0.1:9"))
COLD = S3ObjectStore(S3Options("cold", "http://127.0.0.1:9"))
GOOD = Finding("a", Need.NEEDED, Result.PASSED)
LACKING = Finding("b", Need.USEFUL, Result.FAILED, "It would help.")
UNSAFE = Finding("c", Need.NEEDED, Result.FAILED, "Mend it.")


@dataclasses.dataclass
class Probing:
    """In the place of the probe."""

    findings: list[Finding]
    away: set[ObjectStore] = dataclasses.field(default_factory=set)
    asked: list[ObjectStore] = dataclasses.field(default_factory=list)

    def __call__(self, store: ObjectStore) -> list[Finding]:
        self.asked.append(store)
        if store in self.away:
            raise StoreUnavailableError("It does not answer.")
        return self.findings


@pytest.fixture
def probing(monkeypatch: pytest.MonkeyPatch) -> Probing:
    made = Probing([GOOD, LACKING])
    monkeypatch.setattr(proved_stores, "probe", made)
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


def test_once_a_day(probing: Probing, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        require_proved_stores(settings, Stores(WARM, COLD))
    assert probing.asked == [WARM, COLD]
    monkeypatch.setattr(proved_stores, "_REMEMBERED_S", 0.0)
    require_proved_stores(settings, Stores(WARM))
    assert probing.asked == [WARM, COLD, WARM]


def test_another_place_is_another_store(probing: Probing, settings: Settings) -> None:
    require_proved_stores(settings, Stores(WARM))
    for change in ({"bucket": "b"}, {"endpoint": "http://127.0.0.1:8"}, {"storage_class": "COLD"}):
        options = dataclasses.replace(WARM.options, **change)  # type: ignore[arg-type]
        require_proved_stores(settings, Stores(S3ObjectStore(options)))
    assert len(probing.asked) == 4


def test_an_unsafe_store_is_refused_each_time(probing: Probing, settings: Settings) -> None:
    probing.findings = [GOOD, UNSAFE]
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"main store .*Mend it\. `sgi check`"):
            require_proved_stores(settings, Stores(WARM, COLD))
    assert probing.asked == [WARM, WARM]


def test_one_that_does_not_answer(probing: Probing, settings: Settings) -> None:
    probing.away = {COLD}
    require_proved_stores(settings, Stores(WARM, COLD))
    require_proved_stores(settings, Stores(WARM, COLD))
    assert probing.asked == [WARM, COLD, COLD], "it is asked again"
    probing.away = {WARM}
    with pytest.raises(StoreUnavailableError):
        require_proved_stores(Settings(data=settings.data / "other"), Stores(WARM))


def test_a_worker_waits_for_its_store(
    probing: Probing, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    probing.away = {WARM}

    async def come_back(_: float) -> None:
        probing.away.clear()

    monkeypatch.setattr(proved_stores.asyncio, "sleep", come_back)
    asyncio.run(wait_for_proved_stores(settings, Stores(WARM)))
    assert probing.asked == [WARM, WARM]


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"a": "b"}'])
def test_a_memory_that_is_damaged(probing: Probing, settings: Settings, kept: str) -> None:
    settings.run.mkdir()
    (settings.run / "proved-stores.json").write_text(kept)
    require_proved_stores(settings, Stores(WARM))
    require_proved_stores(settings, Stores(WARM))
    assert probing.asked == [WARM]


def test_what_is_no_bucket_needs_no_proof(probing: Probing, settings: Settings) -> None:
    stores: Any = Stores(MemoryObjectStore())
    require_proved_stores(settings, stores)
    assert not probing.asked
    assert [name for name, _ in named(stores)] == ["main"]
