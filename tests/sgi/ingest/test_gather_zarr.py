"""An OME-Zarr is a folder, and one arrival."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sgi.domain.arrival import FoundFile
from sgi.ingest import gather as module
from sgi.ingest.fingerprint import content_hash
from sgi.ingest.gather import Candidate, candidate_at, gather, walk

DROP = Path("/drop")


def head_of(path: Path) -> bytes:
    assert not any(folder.suffix == ".zarr" for folder in path.parents), "a chunk was read"
    return b""


def slides(*files: str) -> dict[str, Candidate]:
    found = [FoundFile(DROP / name, 10, 1) for name in files]
    candidates = gather(found, head_of)
    return {str(candidate.main.relative_to(DROP)): candidate for candidate in candidates}


def names(candidate: Candidate) -> set[str]:
    return {str(part.path.relative_to(DROP)) for part in candidate.parts}


@pytest.mark.parametrize("root", ["zarr.json", ".zattrs", ".zgroup"])
def test_a_zarr_is_its_whole_folder(root: str) -> None:
    inside = {f"a/x.ome.zarr/{name}" for name in (root, "0/.zarray", "0/0/0/0", "0/1")}
    made = slides(*inside, "a/y.svs", "a/0.svs")
    assert set(made) == {"a/x.ome.zarr", "a/y.svs", "a/0.svs"}
    assert names(made["a/x.ome.zarr"]) == inside
    assert made["a/x.ome.zarr"].missing is None
    assert made["a/x.ome.zarr"].is_folder
    assert not made["a/y.svs"].is_folder


def test_what_lies_in_a_zarr_is_its_own() -> None:
    inside = {f"x.zarr/{name}" for name in ("zarr.json", "inner.zarr/zarr.json", "c.mrxs", "b.svs")}
    assert names(slides(*inside)["x.zarr"]) == inside


def test_a_zarr_without_its_document_is_waited_for() -> None:
    made = slides("x.zarr/0/zarr.json", "x.zarr/0/c/0/0")
    assert "not there yet" in (made["x.zarr"].missing or "")


def test_a_zarr_of_too_many_files_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_FILES", 3)
    assert slides("x.zarr/zarr.json", "x.zarr/0", "x.zarr/1")["x.zarr"].missing is None
    made = slides("x.zarr/zarr.json", "x.zarr/0", "x.zarr/1", "x.zarr/2")
    assert "shards" in (made["x.zarr"].missing or "")


def test_a_packed_one_is_a_file_like_any_other() -> None:
    assert set(slides("x.zarr.zip", "y.zarr")) == {"x.zarr.zip", "y.zarr"}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """A Zarr of five files, as deep as there are."""

    def make(name: str) -> Path:
        root = tmp_path / name
        for inside in (".zgroup", ".zattrs", "0/0/.zarray", "0/0/c/0/1/2/3/4", "0/0/c/0/1/2/3/5"):
            (root / inside).parent.mkdir(parents=True, exist_ok=True)
            (root / inside).write_text(inside)
        (root / ".DS_Store").touch()
        (root / "0/half.part").touch()
        return root

    return make


def test_its_hidden_documents_and_all_its_depth_are_walked(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    root = write("a/b/c/d/e/x.zarr")
    (tmp_path / "a/.zattrs").touch()
    found = list(walk(tmp_path))
    assert len(found) == 5, "hidden files elsewhere, and what is half copied, are passed over"
    (candidate,) = gather(found)
    assert candidate.main == root
    again = candidate_at(root)
    assert again is not None
    assert again.parts == candidate.parts


def test_a_folder_that_is_gone_or_is_a_link_is_none(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    root = write("x.zarr")
    link = tmp_path / "link.zarr"
    link.symlink_to(root)
    seen = candidate_at(link)
    assert seen is None or seen.parts[0].path == link
    assert candidate_at(tmp_path / "absent.zarr") is None


def test_another_name_is_the_same_content(write: Callable[[str], Path]) -> None:
    one, other = candidate_at(write("x.zarr")), candidate_at(write("sub/y.ome.zarr"))
    assert one is not None
    assert other is not None
    assert content_hash(one.main, one.parts) == content_hash(other.main, other.parts)
    (other.main / "0/0/c/0/1/2/3/4").write_text("changed")
    assert content_hash(one.main, one.parts) != content_hash(other.main, other.parts)
