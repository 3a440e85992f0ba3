import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.arrival import FoundFile
from sgi.ingest import gather as module
from sgi.ingest.gather import (
    Candidate,
    candidate_at,
    gather,
    is_litter,
    read_head,
    series_uid,
    walk,
)

DROP = Path("/drop")


def found(*names: str) -> list[FoundFile]:
    return [FoundFile(DROP / name, 10, 1) for name in names]


def names(candidate: Candidate) -> set[str]:
    return {str(part.path.relative_to(DROP)) for part in candidate.parts}


def slides(*files: str, heads: dict[str, bytes] | None = None) -> dict[str, Candidate]:
    known = heads or {}
    candidates = gather(found(*files), lambda path: known.get(str(path.relative_to(DROP)), b""))
    return {str(candidate.main.relative_to(DROP)): candidate for candidate in candidates}


def dicom_head(uid: str) -> bytes:
    value = uid.encode() + b"\0" * (len(uid) % 2)
    syntax = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"
    series = b"\x20\x00\x0e\x00UI" + len(value).to_bytes(2, "little") + value
    return bytes(128) + b"DICM" + syntax + series + b"\x20\x00\x11\x00IS\0\0"


def test_one_file_is_one_slide() -> None:
    made = slides("a.svs", "b.ndpi", "sub/c.tif", "strange.xyz")
    assert set(made) == {"a.svs", "b.ndpi", "sub/c.tif", "strange.xyz"}
    for name, candidate in made.items():
        assert names(candidate) == {name}
        assert candidate.missing is None


def test_mirax_is_a_file_and_its_folder() -> None:
    made = slides("a.mrxs", "a/Slidedat.ini", "a/Data0000.dat", "a/deep/x", "ab/y.svs", "b.mrxs")
    assert names(made["a.mrxs"]) == {"a.mrxs", "a/Slidedat.ini", "a/Data0000.dat", "a/deep/x"}
    assert made["a.mrxs"].missing is None
    assert "folder" in (made["b.mrxs"].missing or "")
    assert set(made) == {"a.mrxs", "b.mrxs", "ab/y.svs"}


def test_mirax_in_capitals_and_with_dots() -> None:
    made = slides("A.1.MRXS", "A.1/Slidedat.ini")
    assert names(made["A.1.MRXS"]) == {"A.1.MRXS", "A.1/Slidedat.ini"}


def test_companions_that_come_first_wait() -> None:
    assert slides("a/Slidedat.ini", "a/Data0000.dat", "_b_/stack1/frame_t.ets") == {}
    assert set(slides("a/Slidedat.ini", "a/Data0000.dat", "c.svs")) == {"c.svs"}


def test_hamamatsu_is_an_index_and_its_images() -> None:
    images = {"x.jpg", "x(1,0).jpg", "x_macro.jpg", "x_map2.jpg", "x.opt"}
    made = slides("x.vms", *images)
    assert names(made["x.vms"]) == {"x.vms", *images}
    assert set(slides("y.vmu", "y.ngr")) == {"y.vmu"}
    assert slides("z.vms")["z.vms"].missing


def test_hamamatsu_leaves_alone_what_only_begins_alike() -> None:
    made = slides("1.vms", "1.jpg", "10.svs", "1.svs", "10.vms", "10.jpg", "1_b.vms", "1_b.jpg")
    assert names(made["1.vms"]) == {"1.vms", "1.jpg"}
    assert names(made["10.vms"]) == {"10.vms", "10.jpg"}
    assert names(made["1_b.vms"]) == {"1_b.vms", "1_b.jpg"}
    assert {"10.svs", "1.svs"} <= set(made), "a slide would be moved away unread"


def test_olympus_is_a_file_and_a_folder_between_underscores() -> None:
    made = slides("i.vsi", "_i_/stack1/frame_t.ets", "j.vsi")
    assert names(made["i.vsi"]) == {"i.vsi", "_i_/stack1/frame_t.ets"}
    assert made["j.vsi"].missing


def test_a_dicom_series_is_one_slide_a_folder() -> None:
    heads = {
        "s/1.dcm": dicom_head("1.2.3"),
        "s/2": dicom_head("1.2.3"),
        "s/1.2.840.4": dicom_head("1.2.3"),
        "s/3.dcm": dicom_head("1.2.4"),
        "t/1.dcm": dicom_head("1.2.3"),
        "s/text": b"hello",
    }
    files = [FoundFile(DROP / name, 10 + index, 1) for index, name in enumerate(heads)]
    made = gather(files, lambda path: heads[str(path.relative_to(DROP))])
    grouped = [names(candidate) for candidate in made]
    assert sorted(grouped, key=sorted) == [
        {"s/1.2.840.4", "s/1.dcm", "s/2"},
        {"s/3.dcm"},
        {"s/text"},
        {"t/1.dcm"},
    ]
    assert {str(c.main.relative_to(DROP)) for c in made} >= {"s/1.2.840.4"}, (
        "the largest comes first"
    )
    assert [c.folder for c in made if len(c.parts) > 1] == [DROP / "s"]
    assert {c.folder for c in made if len(c.parts) == 1} == {None}


def test_series_uid() -> None:
    assert series_uid(dicom_head("1.2.840")) == "1.2.840"
    assert series_uid(bytes(128) + b"DICM") is None, "it names none"
    assert series_uid(b"") is None
    assert series_uid(b"II*\0" + bytes(200)) is None
    assert series_uid(dicom_head("1.2")[:-12]) is None, "cut short"


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        "~lock",
        "slide.svs.part",
        "slide.tmp",
        "x.crdownload",
        "Thumbs.db",
        "desktop.ini",
        "slide.svs~",
        "a.PARTIAL",
        ".done",
        "x.filepart",
    ],
)
def test_litter(name: str) -> None:
    assert is_litter(name)


@pytest.mark.parametrize("name", ["slide.svs", "part.svs", "tmp", "thumbs.db.svs", "a~b.svs", "😐"])
def test_no_litter(name: str) -> None:
    assert not is_litter(name)


def test_walking_takes_regular_files_alone(tmp_path: Path) -> None:
    odd = [b"slide.svs", "😐.svs".encode(), b"two\nlines.svs", b"\xff.svs", b" .svs", b"-rf"]
    for name in odd:
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(b"1234")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "in.svs").write_bytes(b"1")
    (tmp_path / ".done").mkdir()
    (tmp_path / ".done" / "old.svs").write_bytes(b"1")
    (tmp_path / "link.svs").symlink_to(tmp_path / "slide.svs")
    (tmp_path / "broken.svs").symlink_to("nowhere")
    (tmp_path / "around").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.svs")
    walked = {bytes(file.path.relative_to(tmp_path)): file for file in walk(tmp_path)}
    assert set(walked) == {*odd, b"sub/in.svs"}
    facts = (tmp_path / "slide.svs").stat()
    assert walked[b"slide.svs"].size_bytes == 4
    assert walked[b"slide.svs"].modified_ns == facts.st_mtime_ns
    candidates = gather(list(walk(tmp_path)))
    assert len(candidates) == len(walked)
    for candidate in candidates:
        assert candidate_at(candidate.main) == candidate


def test_no_deeper_than_the_limit(tmp_path: Path) -> None:
    folder = tmp_path
    for depth in range(12):
        (folder / f"{depth}.svs").touch()
        folder /= "d"
        folder.mkdir()
    assert {file.path.name for file in walk(tmp_path)} == {f"{depth}.svs" for depth in range(9)}


def test_a_folder_that_is_away_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(walk(tmp_path / "share"))


def test_a_closed_folder_hides_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.svs").touch()
    (tmp_path / "z.svs").touch()
    scandir = os.scandir

    def closed(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "closed")
        return scandir(path)

    monkeypatch.setattr(module.os, "scandir", closed)
    assert [file.path.name for file in walk(tmp_path)] == ["a.svs", "z.svs"]


def test_the_candidate_at_a_path(tmp_path: Path) -> None:
    main = tmp_path / "a.mrxs"
    assert candidate_at(main) is None
    assert candidate_at(tmp_path / "no" / "folder.mrxs") is None
    assert candidate_at(tmp_path / "no" / "folder.svs") is None
    main.write_bytes(b"12")
    alone = candidate_at(main)
    assert alone
    assert alone.missing
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Slidedat.ini").write_bytes(b"345")
    whole = candidate_at(main)
    assert whole
    assert whole.missing is None
    assert whole.fingerprint.size_bytes == 5
    assert whole.fingerprint != alone.fingerprint


def test_heads_of_what_cannot_be_read(tmp_path: Path) -> None:
    assert read_head(tmp_path) == b""
    assert read_head(tmp_path / "nothing") == b""
    (tmp_path / "long").write_bytes(bytes(100_000))
    assert read_head(tmp_path / "long") == b"", "no DICOM"
    (tmp_path / "long").write_bytes(bytes(128) + b"DICM" + bytes(100_000))
    assert len(read_head(tmp_path / "long")) == 65_536


STEMS = st.sampled_from(["a", "ab", "a_b", "a(1)", "_a_", "Slidedat", "😐", "\udcff", "a\nb"])
SUFFIXES = st.sampled_from(
    ["", ".svs", ".mrxs", ".vms", ".vmu", ".vsi", ".jpg", ".ini", ".dat", ".ets", ".dcm", ".opt"]
)
PATHS = st.builds(
    lambda folders, stem, suffix: DROP.joinpath(*folders, stem + suffix),
    st.lists(STEMS, max_size=3),
    STEMS,
    SUFFIXES,
)


@given(st.lists(PATHS, unique=True, max_size=25), st.randoms(use_true_random=False))
def test_every_file_is_in_one_candidate_at_most(paths: list[Path], order: object) -> None:
    files = [FoundFile(path, 10, 1) for path in paths]

    def head(path: Path) -> bytes:
        return dicom_head(f"1.{len(path.stem)}") if path.suffix in {"", ".dcm"} else b""

    candidates = gather(files, head)
    parts = [part.path for candidate in candidates for part in candidate.parts]
    assert len(parts) == len(set(parts))
    assert set(parts) <= set(paths)
    mains = [candidate.main for candidate in candidates]
    assert mains == sorted(set(mains))
    for candidate in candidates:
        assert candidate.main in {part.path for part in candidate.parts}
    # Nothing is lost but companions whose main file is still to come.
    for path in set(paths) - set(parts):
        inside_mirax = any((parent / "Slidedat.ini") in paths for parent in path.parents)
        assert inside_mirax or path.suffix == ".ets"
    order.shuffle(files)  # type: ignore[attr-defined]
    assert [(c.main, set(c.parts)) for c in gather(files, head)] == [
        (c.main, set(c.parts)) for c in candidates
    ], "the order of a directory decides"


def test_an_ome_companion_and_the_files_it_names_are_one_slide(tmp_path: Path) -> None:
    companion = tmp_path / "a.companion.ome"
    companion.write_text("<OME><UUID FileName=\"z1.tif\"/><UUID FileName='z2.tif'/></OME>")
    for name in ("z1.tif", "other.tif"):
        (tmp_path / name).write_bytes(b"II")
    made = {
        candidate.main.name: {part.path.name for part in candidate.parts}
        for candidate in gather(list(walk(tmp_path)))
    }
    assert made == {"a.companion.ome": {"a.companion.ome", "z1.tif"}, "other.tif": {"other.tif"}}
    found = candidate_at(companion)
    assert found
    assert found.missing is None


def test_an_ome_companion_alone_waits(tmp_path: Path) -> None:
    companion = tmp_path / "a.companion.ome"
    companion.write_text('<OME><UUID FileName="../z1.tif"/><UUID FileName="z2.tif"/></OME>')
    (candidate,) = gather(list(walk(tmp_path)))
    assert candidate.missing is not None
