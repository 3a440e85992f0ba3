import os
import signal
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sgi.ingest.children import Children, end_child
from sgi.ingest.convert import convert_and_upload
from sgi.ingest.pipe import Kind, MessageParser
from sgi.settings import IngestSettings

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def children() -> Iterator[Children]:
    kept = Children()
    yield kept
    kept.close()


def convert(svs: Path, store: Any, scratch: Path, children: Children) -> Any:
    settings = IngestSettings(memory_mb=1024)
    arguments = (svs, uuid.uuid4(), store, scratch, settings, lambda _: None, threading.Event())
    return convert_and_upload(*arguments, NOW, children=children)


def test_a_slide_is_read_by_the_process_that_waits(
    svs: Path, store: Any, tmp_path: Path, children: Children
) -> None:
    children.prepare()
    waiting = children._ready
    assert waiting is not None
    children.prepare()
    assert children._ready is waiting, "one is enough"
    assert convert(svs, store, tmp_path / "work", children).scenes
    assert waiting.poll() is not None
    assert children._ready is None
    assert convert(svs, store, tmp_path / "work", children).scenes, "without one it starts its own"


def test_one_that_died_while_it_waited_is_replaced(
    svs: Path, store: Any, tmp_path: Path, children: Children
) -> None:
    children.prepare()
    waiting = children._ready
    assert waiting is not None
    os.kill(waiting.pid, signal.SIGKILL)
    waiting.wait()
    assert convert(svs, store, tmp_path / "work", children).scenes


def test_closing_ends_the_one_that_waits(children: Children) -> None:
    children.prepare()
    waiting = children._ready
    assert waiting is not None
    children.close()
    assert waiting.poll() is not None
    children.prepare()
    assert children._ready is None


def test_without_a_job_it_ends_quietly(children: Children) -> None:
    child = children.take()
    output, _ = child.communicate(timeout=60)
    assert (child.returncode, output) == (0, b"")


def test_a_job_that_is_none_is_told_as_an_error(children: Children) -> None:
    child = children.take()
    output, _ = child.communicate(b"{}", timeout=60)
    ((kind, _),) = MessageParser().feed(output)
    assert kind is Kind.ERROR


def test_it_has_no_secret(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SGI_STORAGE__SECRET_ACCESS_KEY", "canary")
    child = children.take()
    try:
        assert b"canary" not in Path(f"/proc/{child.pid}/environ").read_bytes()
        assert Path(f"/proc/{child.pid}/cwd").readlink() == Path("/")
    finally:
        end_child(child)
    assert child.returncode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
