"""Ports of `sgi up`: which is taken, what is said, and what the other processes are told."""

import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sgi.commands.ports import usable_port, with_hl7_port
from sgi.errors import ConfigurationError
from sgi.settings import Hl7Settings, Settings

HOST = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with closing(socket.socket()) as other:
        other.bind((HOST, 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SGI_HL7__PORT", "0")


def settings(folder: Path, hl7: Hl7Settings) -> Settings:
    return Settings(data=folder, hl7=hl7)


def test_a_free_port_is_found_and_a_taken_one_refused(taken: int) -> None:
    assert usable_port(HOST, 0) > 0
    with pytest.raises(OSError, match="in use"):
        usable_port(HOST, taken)


def test_a_free_port_is_told_to_child_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = with_hl7_port(settings(tmp_path, Hl7Settings(port=0)))
    assert chosen.hl7.port > 0
    monkeypatch.setenv("SGI_DATA", str(tmp_path))
    assert Settings().hl7.port == chosen.hl7.port


def test_a_port_that_was_set_and_is_taken_is_refused(tmp_path: Path, taken: int) -> None:
    with pytest.raises(ConfigurationError, match=f"Port {taken} .* SGI_HL7__PORT"):
        with_hl7_port(settings(tmp_path, Hl7Settings(port=taken)))


def test_the_usual_port_gives_way(
    tmp_path: Path, taken: int, caplog: pytest.LogCaptureFixture
) -> None:
    usual = Hl7Settings.model_construct(_fields_set=set(), **Hl7Settings(port=taken).model_dump())
    with caplog.at_level(logging.WARNING):
        chosen = with_hl7_port(settings(tmp_path, Hl7Settings()).model_copy(update={"hl7": usual}))
    assert chosen.hl7.port not in {0, taken}
    assert f"port {taken} is taken: HL7 is on port {chosen.hl7.port}" in caplog.text


def test_no_port_is_asked_for_where_no_interface_wants_it(tmp_path: Path, taken: int) -> None:
    folder = tmp_path / "interfaces"
    folder.mkdir()
    (folder / "lab.toml").write_text('kind = "files"\n')
    before = settings(tmp_path, Hl7Settings(port=taken))
    assert with_hl7_port(before) == before


def test_a_file_that_is_not_right_is_said_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "interfaces"
    folder.mkdir()
    (folder / "lab.toml").write_text("prot = 1\n")
    with pytest.raises(ConfigurationError, match="no key prot"):
        with_hl7_port(settings(tmp_path, Hl7Settings()))
