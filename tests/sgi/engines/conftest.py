"""Directories an engine can use: short, and open to the account PostgreSQL runs as under root."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sgi-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "engine"
    shutil.rmtree(folder)
