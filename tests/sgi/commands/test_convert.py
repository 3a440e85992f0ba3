"""`sgi convert`: in a process of its own, since it gives up what else it could reach."""

import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
import tifffile
import zarr
from pydicom.uid import (
    KeyObjectSelectionDocumentStorage,
    MediaStorageDirectoryStorage,
    generate_uid,
)

from tiling.registry import open_slide
from tiling.testing import SvsOptions, draw_pattern, write_svs


@pytest.fixture
def svs(tmp_path: Path) -> Path:
    path = tmp_path / "from" / "slide.svs"
    path.parent.mkdir()
    write_svs(path, draw_pattern(1300, 900), SvsOptions(factors=(1, 2)))
    return path


def convert(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sgi", "convert", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_to_an_ome_zarr_and_on_to_dicom(svs: Path, tmp_path: Path) -> None:
    made = tmp_path / "to" / "slide.ome.zarr"
    done = convert(svs, made, "--to", "ome-zarr")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in made.iterdir()) == ["0", "1", "2", "zarr.json"]
    ome = zarr.open_group(made, mode="r").attrs["ome"]
    assert ome["multiscales"][0]["name"] == "slide"  # type: ignore[index,call-overload]
    source, written = open_slide(svs), open_slide(made)
    assert written.levels[0].size == source.levels[0].size
    for reader in (source, written):
        reader.close()
    onwards = convert(made, tmp_path / "dicom")
    assert onwards.returncode == 0, onwards.stderr
    assert (tmp_path / "dicom" / "level-0.dcm").is_file()


def test_a_folder_of_dicom_is_its_one_slide(svs: Path, tmp_path: Path) -> None:
    exported, other = tmp_path / "exported", tmp_path / "two"
    assert convert(svs, exported).returncode == 0
    (exported / "README.txt").write_text("as it came")
    note = pydicom.dcmread(exported / "level-0.dcm", stop_before_pixels=True)
    note.SOPClassUID = note.file_meta.MediaStorageSOPClassUID = KeyObjectSelectionDocumentStorage
    note.SeriesInstanceUID = generate_uid()
    note.save_as(exported / "note.dcm")
    note.SOPClassUID = note.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    del note.SeriesInstanceUID
    note.save_as(exported / "DICOMDIR")
    done = convert(exported, tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "level-1.dcm").is_file()
    assert convert(svs, other / "one").returncode == 0
    assert convert(svs, other / "two").returncode == 0
    refused = convert(other, tmp_path / "never")
    assert refused.returncode != 0
    assert "several slides" in refused.stderr
    assert not (tmp_path / "never").exists()


def test_a_damaged_file_of_a_folder_is_named(svs: Path, tmp_path: Path) -> None:
    (svs.parent / "cut.svs").write_bytes(svs.read_bytes()[: svs.stat().st_size // 2])
    refused = convert(svs.parent, tmp_path / "to")
    assert refused.returncode != 0
    assert "cut.svs: " in refused.stderr


def test_a_folder_without_a_slide_is_none(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "README.txt").write_text("nothing here")
    refused = convert(tmp_path / "from", tmp_path / "to")
    assert refused.returncode != 0
    assert "This folder is no slide" in refused.stderr


@pytest.mark.parametrize(
    ("name", "form", "words"),
    [
        ("slide", "ome-zarr", "ends in .zarr"),
        ("full.zarr", "ome-zarr", "empty folder"),
        ("full.zarr", "dicom", "empty folder"),
        ("slide", "jpeg", "Invalid value"),
    ],
)
def test_what_is_not_done_is_told(
    svs: Path, tmp_path: Path, name: str, form: str, words: str
) -> None:
    (tmp_path / "full.zarr").mkdir()
    (tmp_path / "full.zarr/there.txt").touch()
    done = convert(svs, tmp_path / name, "--to", form)
    assert done.returncode != 0
    assert words in done.stderr
    assert not (tmp_path / "slide").exists()


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    done = convert(tmp_path / "absent.svs", tmp_path / "to")
    assert done.returncode == 1
    assert "There is no file" in done.stderr


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A slide whose base is whole, and whose second level is not."""
    path = tmp_path / "from" / "broken.svs"
    path.parent.mkdir()
    write_svs(path, draw_pattern(2600, 1800), SvsOptions(factors=(1, 2, 4)))
    with tifffile.TiffFile(path) as file:
        level = [page for page in file.pages if page.is_tiled][1]
        offset, length = level.dataoffsets[2], level.databytecounts[2]
    data = bytearray(path.read_bytes())
    data[offset : offset + length] = bytes(length)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("name", "form"), [("to", "dicom"), ("to.zarr", "ome-zarr")])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_failure_leaves_nothing(
    broken: Path, tmp_path: Path, name: str, form: str, *, is_there: bool
) -> None:
    target = tmp_path / name
    if is_there:
        target.mkdir()
    for _ in range(2):
        done = convert(broken, target, "--to", form)
        assert done.returncode == 1
        assert "copy the file again" in done.stderr
        assert target.exists() is is_there
        assert not is_there or list(target.iterdir()) == []


def test_what_an_ended_conversion_left_is_told_apart(svs: Path, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to/level-0.dcm.partial").touch()
    done = convert(svs, tmp_path / "to")
    assert done.returncode == 1
    assert "did not come to its end" in " ".join(done.stderr.split())
