"""The files in which integrators write what each interface is, one TOML file each.

`docs/integrators.md` has the keys; `mappings/` beside this file has what may be built upon.
"""

import json
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sgi.errors import ConfigurationError
from sgi.hl7.interface import Interface, InterfaceKind
from sgi.hl7.interface_folders import with_folders
from sgi.settings import Settings

__all__ = [
    "BUILT_IN",
    "Interface",
    "InterfaceKind",
    "built_in",
    "interfaces_of",
    "load_interfaces",
    "parse_interface",
    "read_interface",
]

BUILT_IN = ("sgl", "roche")
"""What `like` may name; the first is the interface that there is without any file."""

_LARGEST_FILE = 1 << 20
_MOST_FILES = 200
_JOINED = 2
"""Tables within each other that are joined: a word of a code table is replaced whole."""


def interfaces_of(settings: Settings) -> list[Interface]:
    """Every interface, as `load_interfaces`; raises ConfigurationError.

    A folder that was named has files: the built-in interface would take messages as nobody meant
    them where a name is misspelt, or a share is away.
    """
    named = settings.hl7.folder
    if named is not None:
        found = _files_in(named)
        if found is None:
            raise ConfigurationError(
                f"SGI_HL7__FOLDER: there is no folder {named}; make it, or check how it is written."
            )
        if not found:
            raise ConfigurationError(
                f"SGI_HL7__FOLDER: there is no file *.toml in {named}; write one for each "
                "interface, or take the setting out."
            )
    return load_interfaces(settings.interfaces, settings.hl7.port, settings.messages)


def load_interfaces(folder: Path, default_port: int, drops: Path | None = None) -> list[Interface]:
    """Every interface of a folder's `*.toml`, by name; without any, the built-in one.

    The first of MLLP without a port of its own listens on `default_port`; every other has its own.
    One of files without a folder of its own has one in `drops`. Raises ConfigurationError, in one
    sentence that names the file and the key.
    """
    found = _files_in(folder) or []
    if len(found) > _MOST_FILES:
        raise ConfigurationError(f"There are more than {_MOST_FILES} files in {folder}.")
    interfaces = [read_interface(path) for path in found] or [built_in()]
    return with_folders(_with_ports(interfaces, default_port), drops)


def _files_in(folder: Path) -> list[Path] | None:
    """By name; None where there is no such folder."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be listed: {error.strerror}.") from error


def read_interface(path: Path) -> Interface:
    """One file; raises ConfigurationError."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ConfigurationError(f"{path.name} is too large for an interface's file.")
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path.name} is not in UTF-8; save it so.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path.name} is not TOML: {error}.") from error
    return parse_interface(document, path.name, path.stem)


def built_in(name: str = BUILT_IN[0]) -> Interface:
    """The interface that there is without any file, or another that comes with the SGI.

    Without a file nothing is in production yet: it takes messages of training and debugging too.
    """
    document = {"like": name, "name": name, "events": {"processing": ["P", "T", "D"]}}
    return parse_interface(document, f"{name}.toml", name)


def parse_interface(document: dict[str, Any], file: str, name: str) -> Interface:
    """A file's content over what it is like; raises ConfigurationError."""
    like = document.pop("like", BUILT_IN[0])
    if like not in BUILT_IN:
        raise ConfigurationError(f"{file}: like is one of {', '.join(BUILT_IN)}.")
    whole = _over(_mapping(like), {"name": name} | document)
    try:
        interface = Interface.model_validate_json(json.dumps(whole, default=str), strict=True)
    except ValidationError as error:
        raise ConfigurationError(_sentence(file, error)) from error
    _check_extemporane(document, interface, file)
    return interface


def _check_extemporane(document: dict[str, Any], interface: Interface, file: str) -> None:
    """What a file says of frozen sections has an effect; to say that there are none has one."""
    said, is_now = document.get("extemporane", {}), interface.extemporane
    if said.get("fields") and not is_now.values:
        raise ConfigurationError(
            f"{file}: extemporane.values is missing: fields alone are compared with nothing."
        )
    if said.get("values") and not is_now.fields:
        raise ConfigurationError(
            f"{file}: extemporane.fields is missing: it says where the values stand."
        )


@cache
def _mapping(name: str) -> dict[str, Any]:
    text = files(__package__).joinpath("mappings", f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _over(below: dict[str, Any], above: dict[str, Any], depth: int = _JOINED) -> dict[str, Any]:
    """Both, table by table; of a key that both have, the one above."""
    joined = dict(below)
    for key, value in above.items():
        old = joined.get(key)
        if depth and isinstance(old, dict) and isinstance(value, dict):
            joined[key] = _over(old, value, depth - 1)
        else:
            joined[key] = value
    return joined


def _sentence(file: str, error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{file}: there is no key {key}; check how it is written."
    if first["type"] == "missing":
        return f"{file}: {key} is missing."
    problem = first["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    return f"{file}: {key} is not right: {problem}." if key else f"{file}: {problem}."


def _with_ports(interfaces: list[Interface], default_port: int) -> list[Interface]:
    ported = []
    free = True
    for interface in interfaces:
        port = interface.port
        if interface.kind is InterfaceKind.MLLP and port is None:
            if not free:
                raise ConfigurationError(
                    f"{interface.name}.toml: port is missing; only the first interface has the "
                    "usual one."
                )
            free, port = False, default_port
        ported.append(interface.model_copy(update={"port": port}))
    _once([one.name for one in ported], "name")
    _once([one.port for one in ported if one.port], "port")
    return ported


def _once(values: list[Any], key: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigurationError(f"Two interfaces have the {key} {value}; change one.")
