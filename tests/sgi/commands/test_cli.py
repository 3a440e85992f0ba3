import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from sgi import cli


@pytest.fixture
def bare_url(url: str) -> Iterator[str]:
    """A database that was never migrated."""
    name = sql.Identifier(f"bare-{uuid.uuid4()}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(name))
        yield urlsplit(url)._replace(path="/" + name.as_string().strip('"')).geturl()
        connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.mark.parametrize("command", ["ingest", "verify"])
def test_a_database_that_was_never_migrated(
    bare_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("SGI_DATA", str(tmp_path))
    monkeypatch.setenv("SGI_DATABASE__URL", bare_url)
    monkeypatch.setenv("SGI_STORAGE__ENDPOINT", "http://127.0.0.1:9")
    file = tmp_path / "slide.svs"
    file.touch()
    monkeypatch.setattr(
        sys, "argv", ["sgi", command, *([str(file)] if command == "ingest" else [])]
    )
    with pytest.raises(SystemExit) as said:
        cli.main()
    assert said.value.code == (
        "sgi: the database is not ready: run `sgi migrate` or start `sgi up`."
    )
