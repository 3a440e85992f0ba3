from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sgi.settings import ColdSettings, Disposal, Settings, ThawTier


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("SGI_"):
            monkeypatch.delenv(name)


def test_nothing_set() -> None:
    settings = Settings()
    assert settings.data == Path("data")
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database.url is None
    assert settings.storage.endpoint is None
    assert settings.admin_password is None
    assert settings.ingest.originals is Disposal.MOVE
    assert not settings.secure
    assert settings.drop == Path("data/drop")


def test_everything_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SGI_DATA": "/srv/sgi",
        "SGI_PORT": "0",
        "SGI_ADMIN_PASSWORD": "canary",
        "SGI_DATABASE__URL": "postgresql://user:canary@host/db",
        "SGI_STORAGE__ENDPOINT": "https://s3",
        "SGI_STORAGE__SECRET_ACCESS_KEY": "canary",
        "SGI_STORAGE__COLD__SECRET_ACCESS_KEY": "canary",
        "SGI_STORAGE__COLD__RESTORE_HOURS": "12",
        "SGI_INGEST__ORIGINALS": "keep",
        "SGI_INGEST__QUIET_S": "0.5",
        "SGI_BEHIND_TLS_PROXY": "true",
        "SGI_NOT_A_SETTING": "x",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.drop == Path("/srv/sgi/drop")
    assert settings.port == 0
    assert settings.ingest.originals is Disposal.KEEP
    assert settings.ingest.quiet_s == 0.5
    assert settings.ingest.rescan_s == 15, "what is not set keeps its default"
    assert settings.secure
    assert settings.database.url
    assert settings.database.url.get_secret_value() == "postgresql://user:canary@host/db"
    assert settings.storage.secret_access_key.get_secret_value() == "canary"
    assert settings.storage.cold
    assert (settings.storage.cold.bucket, settings.storage.cold.restore_hours) == ("sgi-cold", 12)
    assert settings.storage.second is None
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "canary" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SGI_PORT", "http"),
        ("SGI_PORT", "65536"),
        ("SGI_INGEST__QUIET_S", "-1"),
        ("SGI_INGEST__ORIGINALS", "burn"),
        ("SGI_INGEST__MEMORY_MB", "1"),
        ("SGI_SESSION_HOURS", "0"),
        ("SGI_STORAGE__COLD__RESTORE_HOURS", "-1"),
        ("SGI_STORAGE__CACHE_MB", "-1"),
        ("SGI_INGEST__JPEG_QUALITY", "101"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    location = caught.value.errors()[0]["loc"]
    assert "SGI_" + "__".join(str(part) for part in location).upper() == name


def test_settings_do_not_change() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        ({}, 1),
        ({"storage_class": "GLACIER_IR"}, 1),
        ({"storage_class": "GLACIER"}, 6),
        ({"storage_class": "GLACIER", "thaw_tier": "Expedited"}, 1.1),
        ({"storage_class": "DEEP_ARCHIVE", "thaw_tier": "Bulk"}, 49),
        ({"storage_class": "DEEP_ARCHIVE", "restore_hours": 20}, 20),
    ],
)
def test_people_are_told_what_an_archive_takes(given: dict[str, Any], hours: float) -> None:
    assert ColdSettings.model_validate(given).restore_hours == pytest.approx(hours)


def test_an_urgency_that_the_archive_does_not_know() -> None:
    with pytest.raises(ValidationError, match="DEEP_ARCHIVE is not thawed by Expedited"):
        ColdSettings(storage_class="DEEP_ARCHIVE", thaw_tier=ThawTier.EXPEDITED)
