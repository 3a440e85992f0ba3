import json
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from sgi.machine import environment, forget_ports, located, tell, tell_ports, told_ports
from sgi.settings import (
    ColdSettings,
    DatabaseSettings,
    SecondSettings,
    Settings,
    StorageSettings,
)

DATABASE = DatabaseSettings(url=SecretStr("postgresql://secret@/sgi"))
STORAGE = StorageSettings(
    endpoint="http://127.0.0.1:1",
    bucket="b",
    region="r",
    access_key_id="id",
    secret_access_key=SecretStr("key"),
    cold=ColdSettings(bucket="c", restore_hours=12),
    second=SecondSettings(endpoint="http://127.0.0.1:2", secret_access_key=SecretStr("other")),
    cache_mb=7,
)


def full(data: Path) -> Settings:
    return Settings(data=data, database=DATABASE, storage=STORAGE)


def bare(data: Path) -> Settings:
    return Settings(data=data, database=DatabaseSettings(), storage=StorageSettings())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_told_is_found(tmp_path: Path) -> None:
    tell(full(tmp_path))
    found = located(bare(tmp_path))
    assert found.database == DATABASE
    assert found.storage == STORAGE


def test_only_its_owner_may_read(tmp_path: Path) -> None:
    settings = full(tmp_path)
    tell(settings)
    (file,) = settings.run.iterdir()
    assert mode(file) == 0o600
    assert mode(settings.run) == 0o700
    # An older file that everybody could read is no more.
    file.chmod(0o644)
    tell(settings)
    assert [mode(path) for path in settings.run.iterdir()] == [0o600]


def test_nobody_reads_half_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = full(tmp_path)
    tell(settings)

    def cut_short(_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(json, "dumps", cut_short)
    with pytest.raises(KeyboardInterrupt):
        tell(settings)
    assert located(bare(tmp_path)).database == DATABASE


def test_settings_win_over_what_was_told(tmp_path: Path) -> None:
    tell(full(tmp_path))
    mine = StorageSettings(endpoint="https://mine")
    found = located(bare(tmp_path).model_copy(update={"storage": mine}))
    assert found.storage == mine
    assert found.database == DATABASE
    both = full(tmp_path).model_copy(update={"storage": mine})
    assert located(both) == both


def test_nothing_was_told(tmp_path: Path) -> None:
    assert located(bare(tmp_path)) == bare(tmp_path)


def test_the_environment_gives_the_same_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(full(tmp_path)).items():
        monkeypatch.setenv(name, value)
    found = Settings(data=tmp_path)
    assert found.database == DATABASE
    assert found.storage == STORAGE


def test_where_the_interfaces_listen(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    assert told_ports(settings) is None
    forget_ports(settings)
    tell_ports(settings, {"sgl": 2575})
    assert told_ports(settings) == {"sgl": 2575}
    tell_ports(settings, {})
    assert told_ports(settings) == {}
    forget_ports(settings)
    assert told_ports(settings) is None
