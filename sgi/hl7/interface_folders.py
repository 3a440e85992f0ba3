"""The folders of interfaces of files: no file is taken by two, nor by whoever wrote it."""

import os
from pathlib import Path

from sgi.errors import ConfigurationError
from sgi.hl7.interface import Interface, InterfaceKind


def with_folders(interfaces: list[Interface], drops: Path | None) -> list[Interface]:
    """Each of files has a folder, by its name in `drops` where its file says none.

    Raises ConfigurationError, in a sentence that names the file and the key.
    """
    placed = [_placed(each, drops) for each in interfaces]
    taken = {one.name: _real(one.folder) for one in placed if one.folder is not None}
    for name, folder in taken.items():
        for other, others in taken.items():
            if name > other and folder == others:
                raise ConfigurationError(
                    f"{name}.toml: folder is that of {other} too; give it one of its own."
                )
            if folder in (others / "done", others / "refused"):
                raise ConfigurationError(
                    f"{name}.toml: folder is where {other} puts away what it took; give it another."
                )
    for one in placed:
        if one.out.folder is None:
            continue
        for other, others in taken.items():
            if _real(one.out.folder) == others:
                raise ConfigurationError(
                    f"{one.name}.toml: out.folder is where {other} takes its messages from; "
                    "give it another."
                )
    return placed


def _placed(interface: Interface, drops: Path | None) -> Interface:
    if interface.kind is not InterfaceKind.FILES or interface.folder is not None or drops is None:
        return interface
    return interface.model_copy(update={"folder": drops / interface.name})


def _real(folder: Path) -> Path:
    """However it is written, and through links; it need not be there yet."""
    return Path(os.path.realpath(folder))
