"""Reading ahead never shows: every read gives the file's own bytes, or says that they are not."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiling import source as module
from tiling.errors import DamagedSlideError, IncompleteSlideError
from tiling.source import FileSource

DATA = bytes(range(256)) * 40


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "_AHEAD_BYTES", 1000)
    monkeypatch.setattr(module, "_GAP_BYTES", 50)
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


READS = st.lists(st.tuples(st.integers(-100, 300), st.integers(-1, 1500)), max_size=30)
"""Each as the distance from where the last one ended, and a length."""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(READS)
def test_any_reads_give_the_bytes_of_the_file(path: Path, reads: list[tuple[int, int]]) -> None:
    source = FileSource(path)
    offset = 0
    for step, length in reads:
        offset += step
        if offset >= 0 and length >= 0 and offset + length <= len(DATA):
            assert source.read(offset, length) == DATA[offset : offset + length]
            offset += length
        else:
            with pytest.raises(DamagedSlideError):
                source.read(offset, length)
    source.close()


@pytest.mark.parametrize("gap", [0, 50])
def test_reads_that_follow_each_other_are_few(
    path: Path, monkeypatch: pytest.MonkeyPatch, gap: int
) -> None:
    asked: list[int] = []
    read = os.pread

    def count(descriptor: int, length: int, offset: int) -> bytes:
        asked.append(length)
        return read(descriptor, length, offset)

    monkeypatch.setattr(module.os, "pread", count)
    source = FileSource(path)
    for offset in range(0, 5000, 100 + gap):
        source.read(offset, 100)
    assert len(asked) <= 7
    assert max(asked) == 1000
    asked.clear()
    source = FileSource(path)
    for offset in range(5000, 0, -500):
        source.read(offset, 100)
    assert asked == [100] * 10, "those that do not follow each other are read as they are"


def test_a_file_that_became_shorter(path: Path) -> None:
    source = FileSource(path)
    source.read(0, 10)
    os.truncate(path, 500)
    with pytest.raises(DamagedSlideError):
        source.read(10, 900)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(IncompleteSlideError):
        FileSource(tmp_path / "nothing")
