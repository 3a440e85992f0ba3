"""Which of the files that a document names is the one that the document lies in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tiling.xml_tree import Element


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file by what its own document says of it."""

    path: Path
    uuid: str | None
    is_of_several: bool
    """Whether the document names more files than one."""

    @classmethod
    def of(cls, path: Path, document: Element) -> Self:
        named = document.all("Image", "Pixels", "TiffData", "UUID")
        names = {each.attributes.get("FileName") for each in named}
        return cls(path, document.attributes.get("UUID"), len(names) > 1)

    def is_meant(
        self,
        name: str | None,
        uuid: str | None,
        is_there: Callable[[Path, str], bool] | None = None,
    ) -> bool:
        """Whether this file is that of a name and a UUID, of which either may not be told.

        The UUID goes before the name, since people rename files; but not where the file of that
        name is beside this one, in a set whose files all hold the very same document. `is_there`
        tells that of a path and a name; the folder is asked else.
        """
        if name == self.path.name or (name is None and uuid is None):
            return True
        is_known = uuid is not None and uuid == self.uuid
        if not (is_known and self.is_of_several):
            return is_known
        return not (is_there or is_beside)(self.path, name or "")


def is_plain(name: str) -> bool:
    """Whether a name is that of a file, and leads nowhere."""
    return bool(name) and name not in {".", ".."} and not set(name) & set("/\\:\0\n\r")


def is_beside(path: Path, name: str) -> bool:
    """Whether a file of that name is in the same folder; links are not followed."""
    if not is_plain(name):
        return False
    beside = path.with_name(name)
    return beside.is_file() and not beside.is_symlink()
