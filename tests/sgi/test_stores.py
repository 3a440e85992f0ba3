import pytest
from pydantic import SecretStr

from sgi import stores
from sgi.errors import ConfigurationError
from sgi.settings import ColdSettings, SecondSettings, Settings, StorageSettings, ThawTier
from sgi.stores import open_stores, own_buckets
from storage.s3 import S3Options

WARM = StorageSettings(
    endpoint="http://warm", access_key_id="id", secret_access_key=SecretStr("key")
)


class Recorded:
    """In the place of a store: what it was opened with."""

    def __init__(self, options: S3Options) -> None:
        self.options = options


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "S3ObjectStore", Recorded)


def opened(**changes: object) -> dict[str, S3Options | None]:
    found = open_stores(Settings(storage=WARM.model_copy(update=changes)))
    return {
        name: getattr(getattr(found, name), "options", None) for name in ("warm", "cold", "second")
    }


def test_one_store() -> None:
    found = opened()
    assert found["warm"]
    assert (found["warm"].endpoint, found["warm"].bucket) == ("http://warm", "sgi")
    assert (found["cold"], found["second"]) == (None, None)


def test_others_in_the_same_store() -> None:
    found = opened(cold=ColdSettings(storage_class="GLACIER_IR"), second=SecondSettings())
    assert found["warm"]
    assert found["cold"]
    assert found["second"]
    for other in (found["cold"], found["second"]):
        assert other.endpoint == "http://warm"
        assert (other.access_key_id, other.secret_access_key) == ("id", "key")
    assert [o.storage_class for o in found.values() if o] == [None, "GLACIER_IR", None]
    assert [o.bucket for o in found.values() if o] == ["sgi", "sgi-cold", "sgi-second"]


def test_others_elsewhere() -> None:
    elsewhere = SecondSettings(endpoint="http://else", access_key_id="other")
    found = opened(second=elsewhere)["second"]
    assert found
    assert (found.endpoint, found.access_key_id) == ("http://else", "other")
    assert found.secret_access_key is None
    both = WARM.model_copy(update={"second": elsewhere, "cold": ColdSettings()})
    assert own_buckets(Settings(storage=both)) == ("sgi-cold",)


def test_without_a_store() -> None:
    with pytest.raises(ConfigurationError, match="sgi up"):
        open_stores(Settings(storage=StorageSettings()))


@pytest.mark.parametrize(
    "twice",
    [
        {"cold": ColdSettings(bucket="sgi")},
        {"second": SecondSettings(bucket="sgi", endpoint="http://warm")},
        {"cold": ColdSettings(bucket="b"), "second": SecondSettings(bucket="b")},
    ],
)
def test_one_bucket_twice(twice: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        opened(**twice)


def test_an_archive_is_asked_as_urgently_as_is_set() -> None:
    found = opened(cold=ColdSettings(storage_class="GLACIER", thaw_tier=ThawTier.BULK))
    assert found["cold"]
    assert (found["cold"].storage_class, found["cold"].thaw_tier) == ("GLACIER", "Bulk")
