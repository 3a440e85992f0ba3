import hashlib
import os
import shutil
from pathlib import Path

import pytest

from sgi.errors import UnreadableFileError, VanishedError
from sgi.ingest.fingerprint import content_hash, looks_hollow
from sgi.ingest.gather import Candidate, candidate_at


def mirax(folder: Path) -> Candidate:
    folder.mkdir()
    (folder / "a.mrxs").write_bytes(b"main")
    (folder / "a").mkdir()
    (folder / "a" / "Slidedat.ini").write_bytes(b"ini")
    (folder / "a" / "Data.dat").write_bytes(b"data")
    candidate = candidate_at(folder / "a.mrxs")
    assert candidate
    assert len(candidate.parts) == 3
    return candidate


def hashed(candidate: Candidate) -> bytes:
    return content_hash(candidate.main, candidate.parts)


def test_of_one_file(tmp_path: Path) -> None:
    path = tmp_path / "slide.svs"
    path.write_bytes(b"content")
    candidate = candidate_at(path)
    assert candidate
    assert hashed(candidate) == hashlib.sha256(b"content").digest()


def test_of_several_files(tmp_path: Path) -> None:
    here = mirax(tmp_path / "here")
    there = mirax(tmp_path / "there")
    assert hashed(here) == hashed(there), "the same slide in another folder"
    assert len(hashed(here)) == 32
    (tmp_path / "there" / "a" / "Data.dat").write_bytes(b"dat!")
    assert hashed(here) != hashed(there)
    (tmp_path / "there" / "a" / "Data.dat").write_bytes(b"data")
    (tmp_path / "there" / "a" / "Data.dat").rename(tmp_path / "there" / "a" / "Date.dat")
    renamed = candidate_at(there.main)
    assert renamed
    assert hashed(renamed) != hashed(here)


def test_of_a_file_that_went_away(tmp_path: Path) -> None:
    candidate = mirax(tmp_path / "here")
    shutil.rmtree(tmp_path / "here" / "a")
    with pytest.raises(VanishedError):
        hashed(candidate)
    with pytest.raises(VanishedError):
        looks_hollow(tmp_path / "nothing")


def test_of_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    candidate = mirax(tmp_path / "here")
    candidate.main.unlink()
    candidate.main.mkdir()  # for root, too, no file to read
    with pytest.raises(UnreadableFileError):
        hashed(candidate)
    with pytest.raises(UnreadableFileError):
        looks_hollow(candidate.main)


@pytest.mark.parametrize(
    ("content", "hollow"),
    [
        (b"", False),
        (b"x", False),
        (bytes(4096) + b"x", True),
        (b"x" + bytes(4096), True),
        (b"x" + bytes(4095), False),
        (b"x" + bytes(100_000) + b"x", False),
        (bytes(100), True),
    ],
)
def test_hollow_files(tmp_path: Path, content: bytes, hollow: bool) -> None:
    path = tmp_path / "slide.svs"
    path.write_bytes(content)
    assert looks_hollow(path) == hollow


def test_a_reserved_file_of_many_gigabytes_is_looked_at_in_no_time(tmp_path: Path) -> None:
    path = tmp_path / "slide.svs"
    path.touch()
    os.truncate(path, 50 << 30)
    assert looks_hollow(path)
