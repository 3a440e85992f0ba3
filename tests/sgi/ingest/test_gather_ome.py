"""The files of an OME-TIFF set are one slide, with a companion or without."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from sgi.ingest import gather as gathering
from sgi.ingest import ome_sets
from sgi.ingest.gather import Candidate, candidate_at, gather, walk
from tiling.errors import IncompleteSlideError
from tiling.formats.ome_tiff.members import read_members
from tiling.registry import open_slide


def write_part(folder: Path, name: str, document: str) -> Path:
    path = folder / name
    tifffile.imwrite(path, np.zeros((32, 32), np.uint8), description=document, metadata=None)
    return path


def write_set(folder: Path, *names: str, prefix: str = "") -> list[Path]:
    """Planes in files of their own, each of which names all."""
    data = "".join(
        f'<TiffData FirstC="{at}" IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:{name}</UUID>'
        "</TiffData>"
        for at, name in enumerate(names)
    )
    return [
        write_part(
            folder,
            prefix + name,
            f'<OME UUID="urn:{name}"><Image><Pixels DimensionOrder="XYZCT" Type="uint8" SizeX="32"'
            f' SizeY="32" SizeZ="1" SizeC="{len(names)}" SizeT="1">{data}</Pixels></Image></OME>',
        )
        for name in names
    ]


def gathered(folder: Path) -> dict[str, Candidate]:
    return {candidate.main.name: candidate for candidate in gather(list(walk(folder)))}


def names(candidate: Candidate) -> list[str]:
    return [part.path.name for part in candidate.parts]


def test_files_that_name_each_other_are_one_slide(tmp_path: Path) -> None:
    paths = write_set(tmp_path, "c0.ome.tif", "c1.ome.tif", "c2.ome.tif")
    write_part(tmp_path, "alone.ome.tif", "<OME/>")
    (tmp_path / "notes.ome.tif").write_bytes(b"II")
    found = gathered(tmp_path)
    assert set(found) == {"c0.ome.tif", "alone.ome.tif", "notes.ome.tif"}
    assert names(found["c0.ome.tif"]) == ["c0.ome.tif", "c1.ome.tif", "c2.ome.tif"]
    assert all(candidate.missing is None for candidate in found.values())
    assert candidate_at(paths[0]) == found["c0.ome.tif"]
    assert candidate_at(paths[1]) is None, "it is part of another"


def test_a_set_waits_for_its_last_file(tmp_path: Path) -> None:
    _, second = write_set(tmp_path, "c0.ome.tif", "c1.ome.tif")
    second.unlink()
    (candidate,) = gather(list(walk(tmp_path)))
    assert candidate.missing is not None
    assert "c1.ome.tif" in candidate.missing


def test_the_others_wait_for_the_first(tmp_path: Path) -> None:
    first, *_ = write_set(tmp_path, "c0.ome.tif", "c1.ome.tif", "c2.ome.tif")
    first.unlink()
    found = gathered(tmp_path)
    assert set(found) == {"c1.ome.tif", "c2.ome.tif"}
    assert all("c0.ome.tif" in (candidate.missing or "") for candidate in found.values())


def test_nobody_takes_a_file_that_is_of_another_slide(tmp_path: Path) -> None:
    (tmp_path / "theirs.svs").write_bytes(b"II")
    write_set(tmp_path, "theirs.ome.tif", "more.ome.tif")
    ours = write_set(tmp_path, "c0.ome.tif", "theirs.svs", "theirs.ome.tif")
    ours[1].write_bytes(b"II")
    write_set(tmp_path, "theirs.ome.tif", "more.ome.tif")
    found = gathered(tmp_path)
    assert names(found["c0.ome.tif"]) == ["c0.ome.tif"]
    assert "theirs" in (found["c0.ome.tif"].missing or "")
    assert names(found["theirs.svs"]) == ["theirs.svs"]
    assert names(found["theirs.ome.tif"]) == ["more.ome.tif", "theirs.ome.tif"]


def test_sets_do_not_reach_into_other_folders(tmp_path: Path) -> None:
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        write_set(folder, "c0.ome.tif", "c1.ome.tif")
    found = gather(list(walk(tmp_path)))
    assert [names(candidate) for candidate in found] == [["c0.ome.tif", "c1.ome.tif"]] * 2


def test_a_part_waits_for_its_companion(tmp_path: Path) -> None:
    document = '<OME UUID="urn:1"><BinaryOnly MetadataFile="set.companion.ome" UUID="urn:2"/></OME>'
    write_part(tmp_path, "c0.ome.tif", document)
    (candidate,) = gather(list(walk(tmp_path)))
    assert "set.companion.ome" in (candidate.missing or "")
    companion = tmp_path / "set.companion.ome"
    companion.write_text('<OME><UUID FileName="c0.ome.tif"/></OME>')
    (candidate,) = gather(list(walk(tmp_path)))
    assert (candidate.main, candidate.missing) == (companion, None)


def test_a_changed_file_is_looked_at_again(tmp_path: Path) -> None:
    write_set(tmp_path, "c0.ome.tif", "c1.ome.tif")
    assert set(gathered(tmp_path)) == {"c0.ome.tif"}
    write_part(tmp_path, "c1.ome.tif", "<OME/>")
    assert set(gathered(tmp_path)) == {"c0.ome.tif", "c1.ome.tif"}


@pytest.mark.parametrize("renamed", [0, 1])
def test_a_renamed_file_is_told_as_the_reader_tells_it(tmp_path: Path, renamed: int) -> None:
    """The door is known by its UUID; any other file has to have its name."""
    paths = write_set(tmp_path, "c0.ome.tif", "c1.ome.tif", "c2.ome.tif")
    paths[renamed].rename(tmp_path / "zz.ome.tif")
    found = gathered(tmp_path)
    if renamed == 0:
        (candidate,) = found.values()
        assert names(candidate) == ["c1.ome.tif", "c2.ome.tif", "zz.ome.tif"]
        assert (candidate.main.name, candidate.missing) == ("zz.ome.tif", None)
        open_slide(candidate.main).close()
    else:
        assert "c1.ome.tif" in (found["c0.ome.tif"].missing or "")
        assert names(found["zz.ome.tif"]) == ["zz.ome.tif"]
        with pytest.raises(IncompleteSlideError, match=r"c1\.ome\.tif"):
            open_slide(paths[0])


def test_of_two_doors_neither_is_guessed(tmp_path: Path) -> None:
    first, _ = write_set(tmp_path, "c0.ome.tif", "c1.ome.tif")
    (tmp_path / "copy.ome.tif").write_bytes(first.read_bytes())
    first.rename(tmp_path / "zz.ome.tif")
    found = gathered(tmp_path)
    assert set(found) == {"c1.ome.tif", "copy.ome.tif", "zz.ome.tif"}
    assert all(candidate.missing for candidate in found.values())


@pytest.mark.parametrize("said", ["hello", None])
def test_a_file_that_says_nothing_is_of_the_set_that_names_it(
    tmp_path: Path, said: str | None
) -> None:
    first, second = write_set(tmp_path, "c0.ome.tif", "c1.ome.tif")
    with tifffile.TiffWriter(second, ome=False) as file:
        file.write(np.zeros((32, 32), np.uint8), description=said, metadata=None)
    (candidate,) = gather(list(walk(tmp_path)))
    assert (candidate.main, names(candidate)) == (first, ["c0.ome.tif", "c1.ome.tif"])
    assert candidate.missing is None
    open_slide(first).close()


def test_a_file_that_is_there_but_of_no_set_is_told_so(tmp_path: Path) -> None:
    first, second = write_set(tmp_path, "c0.ome.tif", "c1.ome.tif")
    own = '<OME UUID="urn:own"><Image><Pixels DimensionOrder="XYZCT"/></Image></OME>'
    write_part(tmp_path, second.name, own)
    found = gathered(tmp_path)
    assert set(found) == {"c0.ome.tif", "c1.ome.tif"}
    assert "c1.ome.tif" in (found["c0.ome.tif"].missing or "")
    assert "not there" not in (found["c0.ome.tif"].missing or "")
    with pytest.raises(IncompleteSlideError, match="another"):
        open_slide(first)


def test_a_hiccup_of_the_share_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path, "c0.ome.tif", "c1.ome.tif")

    def fail(_: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(ome_sets, "read_members", fail)
    found = gathered(tmp_path)
    assert set(found) == {"c0.ome.tif", "c1.ome.tif"}
    assert all("cannot be read" in (candidate.missing or "") for candidate in found.values())
    monkeypatch.setattr(ome_sets, "read_members", read_members)
    (candidate,) = gather(list(walk(tmp_path)))
    assert (names(candidate), candidate.missing) == (["c0.ome.tif", "c1.ome.tif"], None)


def test_a_companion_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is looked at all the time, and may hold thousands of files."""
    (tmp_path / "a.companion.ome").write_text('<OME><UUID FileName="1.tif"/></OME>')
    for number in range(9):
        (tmp_path / f"{number}.tif").write_bytes(b"II")
    read = []

    def opened(path: Path) -> bytes:
        read.append(path)
        return path.read_bytes()

    monkeypatch.setattr(gathering, "_read_companion", opened)
    for _ in range(3):
        assert names(gathered(tmp_path)["a.companion.ome"]) == ["1.tif", "a.companion.ome"]
    assert len(read) == 1
