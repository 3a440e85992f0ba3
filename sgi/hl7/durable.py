"""Files that are whole under their names whenever the machine stops."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Whole and durable under its name, or not there. Raises OSError."""
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """What was renamed in a folder is durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
