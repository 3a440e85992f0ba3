"""What the processes of one machine tell each other: where engines are, and where HL7 listens."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from sgi.settings import DatabaseSettings, Settings, StorageSettings

_FILE = "engines.json"
_PORTS_FILE = "hl7.json"


def tell(settings: Settings) -> None:
    """Write the addresses and credentials in force into a file that only its owner reads."""
    told = {"database": _plain(settings.database), "storage": _plain(settings.storage)}
    _write(settings, _FILE, told)


def tell_ports(settings: Settings, ports: dict[str, int]) -> None:
    """Write where the interfaces listen, by their names, once they do."""
    _write(settings, _PORTS_FILE, ports)


def told_ports(settings: Settings) -> dict[str, int] | None:
    """Where the interfaces listen; None until `sgi hl7` is ready."""
    try:
        ports: dict[str, int] = json.loads((settings.run / _PORTS_FILE).read_text())
    except (OSError, ValueError):
        return None
    return ports


def forget_ports(settings: Settings) -> None:
    """What an earlier `sgi hl7` told is not true any more."""
    (settings.run / _PORTS_FILE).unlink(missing_ok=True)


def _write(settings: Settings, name: str, told: object) -> None:
    settings.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.run / name
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
    return {
        **_variables("SGI_DATABASE", _plain(settings.database)),
        **_variables("SGI_STORAGE", _plain(settings.storage)),
    }


def _plain(part: BaseModel) -> dict[str, Any]:
    """As `model_dump`, secrets in clear."""
    return {name: _in_clear(getattr(part, name)) for name in type(part).model_fields}


def _in_clear(value: object) -> object:
    if isinstance(value, BaseModel):
        return _plain(value)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _variables(name: str, values: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in values.items():
        variable = f"{name}__{key.upper()}"
        if isinstance(value, dict):
            found |= _variables(variable, value)
        elif value is not None:
            found[variable] = str(value)
    return found
