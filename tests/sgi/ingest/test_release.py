import os
import uuid
from pathlib import Path

import pytest

from sgi.ingest.release import release
from sgi.settings import Disposal

ARRIVAL = uuid.UUID("11111111-2222-4333-8444-555555555555")


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_moved_with_its_companions_to_the_same_place(drop: Path) -> None:
    parts = [put(drop / "sub/a.mrxs"), put(drop / "sub/a/Slidedat.ini"), put(drop / "sub/a/d/e")]
    put(drop / "sub/other.svs")
    release(parts, drop, ARRIVAL, Disposal.MOVE)
    assert set(files(drop)) == {
        "sub/other.svs",
        ".done/sub/a.mrxs",
        ".done/sub/a/Slidedat.ini",
        ".done/sub/a/d/e",
    }
    assert not (drop / "sub/a").exists(), "an empty folder is left"


def test_the_drop_folder_itself_stays(drop: Path) -> None:
    release([put(drop / "a/b/c.svs")], drop, ARRIVAL, Disposal.DELETE)
    assert list(drop.iterdir()) == []


def test_deleted(drop: Path) -> None:
    parts = [put(drop / "a.mrxs"), put(drop / "a/Slidedat.ini")]
    put(drop / "b.svs")
    release(parts, drop, ARRIVAL, Disposal.DELETE)
    assert set(files(drop)) == {"b.svs"}
    release(parts, drop, ARRIVAL, Disposal.DELETE)


def test_kept(drop: Path) -> None:
    path = put(drop / "a.svs")
    release([path], drop, ARRIVAL, Disposal.KEEP)
    assert files(drop) == {"a.svs": "x"}


def test_an_older_file_of_the_same_name_stays(drop: Path) -> None:
    put(drop / ".done/a.svs", "old")
    release([put(drop / "a.svs", "new")], drop, ARRIVAL, Disposal.MOVE)
    assert files(drop) == {".done/a.svs": "old", f".done/{ARRIVAL}/a.svs": "new"}


def test_again_after_it_was_cut_short(drop: Path) -> None:
    parts = [put(drop / "a.mrxs"), put(drop / "a/1"), put(drop / "a/2")]
    # A first run had moved the first file when it was stopped.
    put(drop / ".done/a.mrxs", "x")
    parts[0].unlink()
    release(parts, drop, ARRIVAL, Disposal.MOVE)
    assert set(files(drop)) == {".done/a.mrxs", ".done/a/1", ".done/a/2"}
    release(parts, drop, ARRIVAL, Disposal.MOVE)
    assert set(files(drop)) == {".done/a.mrxs", ".done/a/1", ".done/a/2"}


@pytest.mark.parametrize("disposal", Disposal)
def test_nothing_outside_the_drop_folder_is_touched(drop: Path, disposal: Disposal) -> None:
    outside = [put(drop.parent / "a.svs"), put(drop.parent / "drop2" / "b.svs")]
    release(outside, drop, ARRIVAL, disposal)
    assert all(path.exists() for path in outside)


def test_names_of_any_bytes(drop: Path) -> None:
    for name in ("😐.svs".encode(), b"two\nlines.svs", b"\xff.svs"):
        path = Path(os.fsdecode(bytes(drop) + b"/" + name))
        path.write_text("x")
        release([path], drop, ARRIVAL, Disposal.MOVE)
        assert not path.exists()
        assert (drop / ".done" / path.name).read_text() == "x"


def test_a_folder_that_became_a_link_leads_nowhere(drop: Path) -> None:
    outside = put(drop.parent / "outside" / "a.svs")
    (drop / "sub").symlink_to(outside.parent)
    release([drop / "sub" / "a.svs"], drop, ARRIVAL, Disposal.DELETE)
    assert outside.exists()
