from pathlib import Path

import pytest

from dicom.targets import DirectoryTarget, WholeSlideTarget


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = DirectoryTarget(tmp_path / "new" / "folder")
    with target.open("level-0", "1.2.3") as sink:
        sink.write(b"one ")
        sink.write(b"two")
        assert not (tmp_path / "new" / "folder" / "level-0.dcm").exists()
    assert (tmp_path / "new" / "folder" / "level-0.dcm").read_bytes() == b"one two"


def test_a_failure_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "label.dcm").write_bytes(b"before")

    def fail() -> None:
        with DirectoryTarget(tmp_path).open("label", "1.2.3") as sink:
            sink.write(b"half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["label.dcm"]
    assert (tmp_path / "label.dcm").read_bytes() == b"before"


def test_no_file_of_a_slide_gets_its_name_before_all_are_whole(tmp_path: Path) -> None:
    with WholeSlideTarget(tmp_path) as target:
        for name in ("level-0", "label"):
            with target.open(name, "1.2.3") as sink:
                sink.write(name.encode())
        assert list(tmp_path.glob("*.dcm")) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["label.dcm", "level-0.dcm"]
    assert (tmp_path / "label.dcm").read_bytes() == b"label"


def test_a_slide_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with WholeSlideTarget(tmp_path) as target:
            with target.open("level-0", "1.2.3") as sink:
                sink.write(b"whole")
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        fail()
    assert list(tmp_path.iterdir()) == []
