"""Which files of a folder are one slide."""

from dataclasses import replace
from pathlib import Path

import pytest

from dicom.codes import BRIGHTFIELD
from dicom.source import files
from dicom.source.files import Member, PathSource, first_facts, members_beside
from dicom.source.testing import SERIES, instance_of, with_uid, write
from tiling.errors import UnsupportedSlideError
from tiling.geometry import Size
from tiling.testing import draw_pattern

INSTANCE = instance_of(draw_pattern(20, 20), Size(16, 16))


def test_any_name_will_do(tmp_path: Path) -> None:
    names = ["2", "5_0", "1.2.840.99", "a.dcm", "b.DICOM"]
    for number, name in enumerate(names):
        write(tmp_path / name, with_uid(INSTANCE, number))
    write(tmp_path / ".hidden", INSTANCE)
    write(tmp_path / "other", replace(INSTANCE, series=SERIES + ".4"))
    found = members_beside(tmp_path / "5_0")
    assert found[0] == Member(tmp_path / "5_0", "VOLUME")
    assert {member.path.name for member in found} == set(names)


def test_implicit_representations_are_of_the_series_too(tmp_path: Path) -> None:
    implicit = replace(with_uid(INSTANCE, 2), transfer_syntax="1.2.840.10008.1.2", role="LABEL")
    write(tmp_path / "a", INSTANCE)
    write(tmp_path / "b", implicit)
    assert [member.role for member in members_beside(tmp_path / "a")] == ["VOLUME", "LABEL"]


def test_a_long_element_before_the_series(tmp_path: Path) -> None:
    codes = {"DerivationCodeSequence": [BRIGHTFIELD.item() for _ in range(200)]}
    path = write(tmp_path / "a", replace(INSTANCE, extra=codes))
    facts = first_facts(path.read_bytes()[: 1 << 16])
    assert facts is not None
    assert (facts.series_uid, facts.is_slide, facts.role) == (SERIES, True, "VOLUME")
    write(tmp_path / "b", with_uid(INSTANCE, 2))
    assert len(members_beside(tmp_path / "b")) == 2


def test_what_is_no_dicom_of_a_series() -> None:
    assert first_facts(b"") is None
    assert first_facts(b"II*\0" * 100) is None
    assert first_facts(bytes(128) + b"DICM") is None


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        write(tmp_path / str(number), with_uid(INSTANCE, number))
    monkeypatch.setattr(files, "_MOST_INSTANCES", 3)
    with pytest.raises(UnsupportedSlideError, match="more than 3 files"):
        members_beside(tmp_path / "0")
    monkeypatch.setattr(files, "_MOST_FILES", 2)
    with pytest.raises(UnsupportedSlideError, match="folder"):
        members_beside(tmp_path / "0")


def test_a_source_gives_fewer_bytes_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    source = PathSource(tmp_path / "a")
    assert source.read(8, 5) == b"89"
    assert source.read(0, 3) == b"012"
    source.close()
