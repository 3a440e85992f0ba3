"""What `sgi up` tells the other commands on the same machine: where its engines are."""

import json
from pathlib import Path

from pydantic import SecretStr

from sgi.settings import DatabaseSettings, Settings, StorageSettings

_FILE = "engines.json"


def tell(settings: Settings) -> None:
    """Write the addresses and credentials in force into a file that only its owner reads."""
    settings.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.run / _FILE
    url = settings.database.url
    secret = settings.storage.secret_access_key
    told = {
        "database": {"url": url.get_secret_value() if url else None},
        "storage": settings.storage.model_dump(exclude={"secret_access_key"})
        | {"secret_access_key": secret.get_secret_value()},
    }
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(told))
    unfinished.replace(path)  # another command may read at any moment


def located(settings: Settings) -> Settings:
    """The settings, completed by what a running `sgi up` with the same data has told."""
    path: Path = settings.run / _FILE
    if not path.exists() or (settings.database.url and settings.storage.endpoint):
        return settings
    told = json.loads(path.read_text())
    changes: dict[str, object] = {}
    if settings.database.url is None:
        changes["database"] = DatabaseSettings(url=SecretStr(told["database"]["url"]))
    if settings.storage.endpoint is None:
        changes["storage"] = StorageSettings.model_validate(told["storage"])
    return settings.model_copy(update=changes)


def environment(settings: Settings) -> dict[str, str]:
    """The settings of the engines as environment variables, for a process that we start."""
    url = settings.database.url
    chosen = settings.storage
    return {
        "SGI_DATABASE__URL": url.get_secret_value() if url else "",
        "SGI_STORAGE__ENDPOINT": chosen.endpoint or "",
        "SGI_STORAGE__BUCKET": chosen.bucket,
        "SGI_STORAGE__REGION": chosen.region,
        "SGI_STORAGE__ACCESS_KEY_ID": chosen.access_key_id,
        "SGI_STORAGE__SECRET_ACCESS_KEY": chosen.secret_access_key.get_secret_value(),
    }
