import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import storage.errors
import tiling.errors
from dicom.errors import DicomError, UnsupportedInstanceError
from sgi import errors
from sgi.domain.arrival import Reason
from sgi.domain.slide import scene_slide_id
from sgi.domain.words import Language, sentence
from sgi.ingest import children, convert_child
from sgi.ingest import convert as module
from sgi.ingest.child_errors import ToldError, told_error
from sgi.ingest.convert import Conversion, convert_and_upload, time_limit_s
from sgi.ingest.convert_child import PipeTarget
from sgi.ingest.pipe import Kind, MessageParser
from sgi.ingest.verify import Written, verify_instance
from sgi.jobs.decisions import Decision, verdict_on
from sgi.settings import IngestSettings
from sgi.stored.keys import instance_key
from tiling.svs import SvsOptions, write_svs

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SLIDE = uuid.UUID("11111111-2222-4333-8444-555555555555")
Convert = Callable[..., Conversion]


@pytest.fixture
def converted(tmp_path: Path, store: Any) -> Convert:
    def convert(
        source: Path,
        progress: Callable[[float], None] = lambda _: None,
        cancelled: threading.Event | None = None,
        **limits: Any,
    ) -> Conversion:
        settings = IngestSettings(**{"memory_mb": 1024, "stall_s": 30, "timeout_s": 60} | limits)
        stop = cancelled or threading.Event()
        scratch = tmp_path / "work"
        try:
            return convert_and_upload(source, SLIDE, store, scratch, settings, progress, stop, NOW)
        finally:
            assert list(scratch.glob("*")) == [], "scratch files were left"
            assert no_child_is_left()

    return convert


def no_child_is_left() -> bool:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return not any(b"convert_child" in Path(f"/proc/{c}/cmdline").read_bytes() for c in children)


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts another program in the place of the one that reads files."""

    interpreter = sys.executable

    def replace(code: str) -> None:
        program = tmp_path / "child.py"
        program.write_text(
            f"#!{interpreter} -I\n"
            "import json, os, signal, sys, time\n"
            "from sgi.ingest.convert_child import write_message\n"
            "from sgi.ingest.pipe import Kind\n"
            "def send(kind, payload=b'{}'):\n"
            "    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()\n"
            "    write_message(1, kind, data)\n" + textwrap.dedent(code)
        )
        program.chmod(0o755)
        monkeypatch.setattr(children.sys, "executable", str(program))

    return replace


def test_a_slide_comes_over_whole(svs: Path, converted: Convert, store: Any) -> None:
    told: list[float] = []
    result = converted(svs, told.append)
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] <= 1
    assert result.scenes[0].facts.format == "Aperio SVS"
    assert result.scenes[0].facts.pixel_spacing_mm == (0.0005, 0.0005)
    assert result.scenes[0].manifest.slide_uuid == SLIDE
    names = [record.name for record in result.scenes[0].manifest.instances]
    assert names[0] == "level-0"
    assert {"label", "overview", "thumbnail"} <= set(names)
    keys = {instance_key(SLIDE, r.sop_instance_uid) for r in result.scenes[0].manifest.instances}
    assert set(store.objects) == keys
    for record in result.scenes[0].manifest.instances:
        key = instance_key(SLIDE, record.sop_instance_uid)
        assert hashlib.sha256(store.objects[key]).hexdigest() == record.sha256
        hashes = result.frame_hashes[record.sop_instance_uid]
        verify_instance(store, key, record.size_bytes, record.sha256, hashes)


def test_again_it_has_the_same_identity(svs: Path, converted: Convert, store: Any) -> None:
    first = converted(svs)
    keys = set(store.objects)
    again = converted(svs)
    assert set(store.objects) == keys, "a retry leaves objects that nobody knows"
    assert again.scenes[0].manifest.series_uid == first.scenes[0].manifest.series_uid
    assert again.frame_hashes == first.frame_hashes


def test_a_name_of_any_bytes(svs: Path, converted: Convert, tmp_path: Path) -> None:
    for name in ("😐 é.svs".encode(), b"two\nlines.svs", b"\xff\xfe.svs"):
        path = Path(os.fsdecode(bytes(tmp_path) + b"/" + name))
        shutil.copy(svs, path)
        assert converted(path).scenes[0].manifest.instances


def test_a_scratch_folder_below_the_working_directory(
    svs: Path, store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = IngestSettings(memory_mb=1024)
    stop = threading.Event()
    relative = Path("data/work")
    assert convert_and_upload(svs, SLIDE, store, relative, settings, lambda _: None, stop, NOW)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", tiling.errors.DamagedSlideError),
        (b"This is no slide.\n" * 100, tiling.errors.UnknownFormatError),
        (b"II*\0\x08\0\0\0" + b"\xff" * 200, tiling.errors.TilingError),
        (b"MM\0*", tiling.errors.TilingError),
        (os.urandom(10_000), tiling.errors.UnknownFormatError),
    ],
)
def test_what_is_no_slide(
    converted: Convert, store: Any, tmp_path: Path, content: bytes, kind: type[Exception]
) -> None:
    path = tmp_path / "slide.svs"
    path.write_bytes(content)
    with pytest.raises(kind) as caught:
        converted(path)
    assert str(caught.value).endswith(".")
    assert store.objects == {}


def test_a_slide_cut_short(svs: Path, converted: Convert, store: Any, tmp_path: Path) -> None:
    whole = svs.read_bytes()
    path = tmp_path / "slide.svs"
    for share in (0.3, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(tiling.errors.TilingError):
            converted(path)
    assert store.objects == {}


def test_a_file_that_vanishes(
    svs: Path, converted: Convert, tmp_path: Path, child: Callable[[str], None]
) -> None:
    with pytest.raises(errors.VanishedError):
        converted(tmp_path / "nothing.svs")
    child("send(Kind.ERROR, {'errors': ['FileNotFoundError'], 'errno': 2, 'message': 'x'})")
    with pytest.raises(errors.VanishedError):
        converted(svs)


def test_every_broken_slide(
    bad_slides: Path, converted: Convert, store: Any, tmp_path: Path
) -> None:
    mains = [
        path
        for path in sorted(bad_slides.rglob("*"))
        if path.is_file() and path.suffix not in {".ini", ".dat"}
    ]
    assert len(mains) >= 15
    for path in mains:
        store.objects.clear()
        with pytest.raises(Exception, match=r"\.\Z") as caught:
            converted(path, stall_s=60)
        verdict = verdict_on(caught.value)
        assert verdict.decision in {Decision.HOLD, Decision.QUARANTINE}, (path, caught.value)
        assert verdict.reason != "internal", (path, caught.value)
        for language in Language:
            said = sentence(Reason(verdict.reason, str(caught.value)), language)
            assert said.endswith("."), (path, said)
            assert said.count(". ") == 0, (path, said)
            assert "\n" not in said
            assert str(bad_slides) not in said, (path, said)
        # Only whole instances may be there, whatever was read before the damage.
        for key, data in store.objects.items():
            assert key.endswith(".dcm")
            assert data[128:132] == b"DICM"


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ("sys.exit(0)", errors.ConversionCrashedError),
        ("sys.exit(3)", errors.ConversionCrashedError),
        ("os.kill(os.getpid(), signal.SIGKILL)", errors.ConversionCrashedError),
        ("os.abort()", errors.ConversionCrashedError),
        ("os.kill(os.getpid(), signal.SIGXCPU)", errors.ConversionTimeoutError),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_a_child_that_dies(
    svs: Path,
    converted: Convert,
    store: Any,
    child: Callable[[str], None],
    ending: str,
    kind: type[Exception],
    begun: bool,
) -> None:
    begin = (
        "send(Kind.BEGIN, {'sop_uid': '1.2', 'scene': 0}); send(Kind.DATA, b'half')\n"
        if begun
        else ""
    )
    child(begin + ending)
    with pytest.raises(kind):
        converted(svs)
    assert store.objects == {}, "half an instance is visible"


def test_a_child_that_stalls(svs: Path, converted: Convert, child: Callable[[str], None]) -> None:
    child("send(Kind.PROGRESS, {'progress': 0.1}); time.sleep(60)")
    with pytest.raises(errors.ConversionTimeoutError):
        converted(svs, stall_s=0.3)


def test_a_child_that_talks_for_ever(
    svs: Path, converted: Convert, child: Callable[[str], None]
) -> None:
    child("while True: send(Kind.PROGRESS, {'progress': 0.1}); time.sleep(0.05)")
    with pytest.raises(errors.ConversionTimeoutError):
        converted(svs, timeout_s=0.5, stall_s=30)


def test_a_stopping_worker(svs: Path, converted: Convert, child: Callable[[str], None]) -> None:
    child("time.sleep(60)")
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(errors.ConversionCancelledError):
        converted(svs, cancelled=stop)


def test_memory(svs: Path, converted: Convert, child: Callable[[str], None]) -> None:
    child("""
        from sgi.ingest import convert_child
        def run(job, descriptor):
            bytearray(job.memory_bytes + 1)
        convert_child.run = run
        sys.exit(convert_child.main())
    """)
    with pytest.raises(errors.ConversionMemoryError):
        converted(svs, memory_mb=256)


def test_libraries_that_print(svs: Path, converted: Convert, child: Callable[[str], None]) -> None:
    child("""
        from sgi.ingest import convert_child
        run = convert_child.run
        def noisy(job, descriptor):
            print("hello", flush=True)
            os.write(1, b"Dgarbage")
            run(job, descriptor)
        convert_child.run = noisy
        sys.exit(convert_child.main())
    """)
    assert converted(svs).scenes[0].manifest.instances


def test_the_child_gets_no_secret(
    svs: Path,
    converted: Convert,
    child: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SGI_STORAGE__SECRET_ACCESS_KEY", "canary")
    child("send(Kind.ERROR, {'errors': ['TilingError'], 'errno': None,"
          " 'message': json.dumps([sorted(os.environ), sys.argv, sys.stdin.read()])})")  # fmt: skip
    with pytest.raises(tiling.errors.TilingError) as caught:
        converted(svs)
    assert "canary" not in str(caught.value)
    assert "SGI_" not in str(caught.value)


MANIFEST = {"version": 1, "instances": [], "slide_uuid": str(SLIDE), "study_uid": "1",
            "series_uid": "1", "frame_of_reference_uid": "1", "pyramid_uid": "1"}  # fmt: skip
FACTS = {"format": "x", "pixel_spacing_mm": None, "objective_power": None, "scanned_at": None,
         "manufacturer": None, "model": None, "serial_number": None, "icc": False,
         "metadata": {}}  # fmt: skip
BEGIN = "send(Kind.BEGIN, {'sop_uid': '1', 'scene': 0})\n"
PROOF = "{'sop_uid': '1', 'size_bytes': 1, 'sha256': ''}"
NONSENSE = {
    "no message": "os.write(1, b'hello, world, this is no message')",
    "data of no instance": "send(Kind.DATA, b'x')",
    "end of no instance": "send(Kind.END)",
    "two instances at once": "send(Kind.BEGIN, {'sop_uid': '1', 'scene': 0})\n" * 2,
    "hashes of no instance": f"send(Kind.HASHES, {PROOF})",
    "hashes of an instance that is open": BEGIN + f"send(Kind.HASHES, {PROOF})",
    "hashes without a size": "send(Kind.HASHES, {'sop_uid': '1'})",
    "no JSON": "send(Kind.BEGIN, b'{')",
    "JSON of another kind": "send(Kind.BEGIN, [1])",
    "no UID": "send(Kind.BEGIN, {})",
    "a UID that is a number": "send(Kind.BEGIN, {'sop_uid': 12, 'scene': 0})",
    "no scene": "send(Kind.BEGIN, {'sop_uid': '1'})",
    "a scene beyond all": "send(Kind.BEGIN, {'sop_uid': '1', 'scene': 1000})",
    "no slide": "send(Kind.RESULT, {'scenes': []})",
    "no share": "send(Kind.PROGRESS, {'progress': None})",
    "a share that is no number": "send(Kind.PROGRESS, b'{\"progress\": NaN}')",
    "a share without end": "send(Kind.PROGRESS, b'{\"progress\": Infinity}')",
    "an error of no class": "send(Kind.ERROR, {'errors': 3, 'errno': None, 'message': ''})",
    "an error that is a list": "send(Kind.ERROR, [])",
    "a result that is a list": "send(Kind.RESULT, [])",
    "an empty result": "send(Kind.RESULT, {})",
    "a manifest that is none": (
        f"send(Kind.RESULT, {{'scenes': [{{'manifest': '[]', 'facts': {FACTS}}}]}})"
    ),
    "a slide of no level": (
        "send(Kind.RESULT, {'scenes': ["
        f"{{'manifest': json.dumps({MANIFEST}), 'facts': {FACTS}}}]}})"
    ),
    "JSON deeper than the stack": "send(Kind.RESULT, b'[' * 200_000)",
    "a class that is ours but no error": (
        "send(Kind.ERROR, {'errors': ['__builtins__'], 'errno': None, 'message': ''})"
    ),
}


@pytest.mark.parametrize("code", NONSENSE.values(), ids=NONSENSE)
def test_a_child_that_was_taken_over(
    svs: Path, converted: Convert, store: Any, child: Callable[[str], None], code: str
) -> None:
    child(code)
    with pytest.raises(errors.ConversionCrashedError):
        converted(svs)
    assert store.objects == {}


@pytest.mark.parametrize("uid", ["../../../etc/passwd", "", "1/2", "1" * 65, "1.2\n", "é"])
def test_a_uid_is_no_way_out_of_the_slides_own_keys(
    svs: Path, converted: Convert, store: Any, child: Callable[[str], None], uid: str
) -> None:
    begin = {"sop_uid": uid, "scene": 0}
    child(f"send(Kind.BEGIN, {begin!r}); send(Kind.DATA, b'x'); send(Kind.END)")
    with pytest.raises(errors.SgiError):
        converted(svs)
    assert store.objects == {}


def test_an_instance_that_is_not_what_it_is_said_to_be(
    svs: Path, converted: Convert, child: Callable[[str], None]
) -> None:
    for change in ("payload[:-1]", "payload + b'x'"):
        child(f"""
            from sgi.ingest import convert_child
            write = convert_child.write_message
            def lie(descriptor, kind, payload):
                write(descriptor, kind, {change} if kind is Kind.DATA else payload)
            convert_child.write_message = lie
            sys.exit(convert_child.main())
        """)
        with pytest.raises(errors.ConversionCrashedError, match="whole"):
            converted(svs)


def test_bytes_changed_on_the_way_do_not_pass_verification(
    svs: Path, converted: Convert, store: Any, child: Callable[[str], None]
) -> None:
    child("""
        from sgi.ingest import convert_child
        write = convert_child.write_message
        def lie(descriptor, kind, payload):
            payload = payload[:-1] + b"!" if kind is Kind.DATA else payload
            write(descriptor, kind, payload)
        convert_child.write_message = lie
        sys.exit(convert_child.main())
    """)
    result = converted(svs)
    for record in result.scenes[0].manifest.instances:
        key = instance_key(SLIDE, record.sop_instance_uid)
        hashes = result.frame_hashes[record.sop_instance_uid]
        with pytest.raises((errors.VerificationError, DicomError)):
            verify_instance(store, key, record.size_bytes, record.sha256, hashes)


def test_what_is_stored_is_told_while_the_next_is_made(
    svs: Path, store: Any, tmp_path: Path
) -> None:
    told: list[Written] = []

    def finished(written: Written) -> None:
        told.append(written)
        verify_instance(
            store, written.key, written.size_bytes, written.sha256, written.frame_hashes
        )
        assert len(store.objects) == len(told)

    settings = IngestSettings(memory_mb=1024)
    arguments = (svs, SLIDE, store, tmp_path, settings, lambda _: None, threading.Event(), NOW)
    found = convert_and_upload(*arguments, finished=finished)
    assert [written.key for written in told] == [
        instance_key(SLIDE, record.sop_instance_uid)
        for record in found.scenes[0].manifest.instances
    ]


def test_an_instance_comes_once(
    svs: Path, converted: Convert, store: Any, child: Callable[[str], None]
) -> None:
    """Else it could be another one after it was verified."""
    child((BEGIN + "send(Kind.DATA, b'x'); send(Kind.END)\n") + BEGIN + "send(Kind.DATA, b'y')")
    with pytest.raises(errors.ConversionCrashedError):
        converted(svs)
    assert list(store.objects.values()) == [b"x"]


def test_a_manifest_that_says_other_than_the_proof(
    svs: Path, converted: Convert, child: Callable[[str], None]
) -> None:
    child("""
        from sgi.ingest import convert_child
        write = convert_child.write_message
        def lie(descriptor, kind, payload):
            if kind is Kind.HASHES:
                head, _, hashes = payload.partition(b"\\n")
                told = json.loads(head) | {"sha256": "0" * 64}
                payload = json.dumps(told).encode() + b"\\n" + hashes
            write(descriptor, kind, payload)
        convert_child.write_message = lie
        sys.exit(convert_child.main())
    """)
    with pytest.raises(errors.ConversionCrashedError, match="whole"):
        converted(svs)


def test_frames_without_hashes(svs: Path, converted: Convert, child: Callable[[str], None]) -> None:
    child("""
        from sgi.ingest import convert_child
        write = convert_child.write_message
        def silent(descriptor, kind, payload):
            if kind is not Kind.HASHES:
                write(descriptor, kind, payload)
        convert_child.write_message = silent
        sys.exit(convert_child.main())
    """)
    with pytest.raises(errors.ConversionCrashedError):
        converted(svs)


def test_more_than_any_slide_holds(
    svs: Path,
    converted: Convert,
    store: Any,
    child: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MOST_OUTPUT_BYTES", 1 << 20)
    monkeypatch.setattr(module, "_MOST_OUTPUT_FACTOR", 1)
    child(
        "send(Kind.BEGIN, {'sop_uid': '1', 'scene': 0})\n"
        "while True: send(Kind.DATA, bytes(1 << 16))"
    )
    with pytest.raises(errors.ConversionCrashedError, match="larger"):
        converted(svs)
    assert store.objects == {}


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (["DamagedSlideError", "TilingError", "Exception"], tiling.errors.DamagedSlideError),
        (["OurOwnError", "DamagedSlideError"], tiling.errors.DamagedSlideError),
        (["UnsupportedInstanceError", "DicomError"], UnsupportedInstanceError),
        (["MemoryError", "Exception"], errors.ConversionMemoryError),
        (["PermissionError", "OSError"], errors.UnreadableFileError),
        (["FileNotFoundError", "OSError"], errors.VanishedError),
        (["ZeroDivisionError"], errors.ConversionCrashedError),
        ([], errors.ConversionCrashedError),
    ],
)
def test_an_error_comes_over(
    svs: Path,
    converted: Convert,
    child: Callable[[str], None],
    told: list[str],
    kind: type[Exception],
) -> None:
    child(f"send(Kind.ERROR, {{'errors': {told}, 'errno': None, 'message': 'A sentence.'}})")
    with pytest.raises(kind) as caught:
        converted(svs)
    assert type(caught.value) is kind
    ours = kind.__module__ in {"tiling.errors", "dicom.errors"}
    assert ("A sentence" in str(caught.value)) == ours, "a stranger's words are not for people"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_that_the_child_met(
    svs: Path, converted: Convert, child: Callable[[str], None], number: int
) -> None:
    child(f"send(Kind.ERROR, {{'errors': ['OSError'], 'errno': {number}, 'message': ''}})")
    with pytest.raises(errors.DiskFullError):
        converted(svs)


def test_too_little_room_to_begin_with(
    svs: Path, converted: Convert, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1 << 20

    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(errors.DiskFullError):
        converted(svs)
    assert store.objects == {}


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Any:
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a tiny disk, and not everywhere")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up(
    tiny_disk: Path, pixels: Any, tmp_path: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LEAST_FREE_BYTES", 0)
    svs = tmp_path / "slide.svs"  # its upper levels have to be built
    write_svs(svs, pixels, SvsOptions(tile=128, factors=(1,)))
    with suppress(OSError), (tiny_disk / "fill").open("wb", 0) as file:
        while True:
            file.write(bytes(4096))
    settings = IngestSettings(memory_mb=1024)
    stop = threading.Event()
    with pytest.raises(errors.DiskFullError):
        convert_and_upload(svs, SLIDE, store, tiny_disk, settings, lambda _: None, stop, NOW)
    assert store.objects == {}
    (tiny_disk / "fill").unlink()
    assert list(tiny_disk.iterdir()) == []


@pytest.mark.parametrize(
    "kind",
    [
        storage.errors.StoreUnavailableError,
        storage.errors.StoreFullError,
        storage.errors.StoreRefusedError,
    ],
)
@pytest.mark.parametrize("after_bytes", [0, 60_000])
def test_a_store_that_fails(
    svs: Path, converted: Convert, store: Any, kind: type[Exception], after_bytes: int
) -> None:
    store.fail(kind("The store fails."), after_bytes)
    with pytest.raises(kind):
        converted(svs)
    assert verdict_on(kind("x")).decision is Decision.RETRY
    for data in store.objects.values():
        assert data[128:132] == b"DICM"
    store.fail(None)
    assert converted(svs).scenes[0].manifest.instances


def test_a_store_that_fails_at_the_very_end_of_an_object(
    svs: Path, converted: Convert, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise storage.errors.StoreFullError("There is no room left.")

    monkeypatch.setattr(store, "put", refuse)
    with pytest.raises(storage.errors.StoreFullError):
        converted(svs)
    assert store.objects == {}


def test_the_pipe_target_says_the_end_only_of_what_is_whole() -> None:
    read, write = os.pipe()
    target = PipeTarget(write, 0)
    with target.open("level-0", "1.2") as sink:
        sink.write(b"abc")
    with suppress(InterruptedError), target.open("level-1", "1.3") as sink:
        sink.write(b"de")
        raise InterruptedError
    os.close(write)
    told = list(MessageParser().feed(os.read(read, 10_000)))
    os.close(read)
    assert told == [
        (Kind.BEGIN, json.dumps({"sop_uid": "1.2", "scene": 0}).encode()),
        (Kind.DATA, b"abc"),
        (Kind.END, b"{}"),
        (Kind.BEGIN, json.dumps({"sop_uid": "1.3", "scene": 0}).encode()),
        (Kind.DATA, b"de"),
    ]


def test_a_child_that_is_killed_from_outside(
    svs: Path, converted: Convert, store: Any, child: Callable[[str], None], tmp_path: Path
) -> None:
    told = tmp_path / "pid"
    child(
        "send(Kind.BEGIN, {'sop_uid': '1.2', 'scene': 0})\n"
        f"open({str(told)!r}, 'w').write(str(os.getpid()))\n"
        "while True: send(Kind.DATA, b'x'); time.sleep(0.01)"
    )

    def kill() -> None:
        while not told.exists() or not told.read_text():
            time.sleep(0.01)
        os.kill(int(told.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(errors.ConversionCrashedError):
        converted(svs)
    killer.join()
    assert store.objects == {}


@pytest.mark.parametrize(
    ("source_bytes", "most_s", "expected"),
    [
        (0, 21600, 600),
        (1 << 20, 21600, 601),
        (1 << 30, 21600, 1624),
        (1 << 40, 21600, 21600),
        (0, 60, 60),
    ],
)
def test_the_time_limit_follows_the_size(source_bytes: int, most_s: float, expected: float) -> None:
    assert time_limit_s(source_bytes, most_s) == expected


def test_the_size_is_that_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Data0000.dat").write_bytes(bytes(1000))
    (tmp_path / "a.mrxs").write_bytes(bytes(10))
    assert module._size(tmp_path / "a.mrxs") == 1010
    assert module._size(tmp_path / "a" / "Data0000.dat") == 1000
    with pytest.raises(errors.VanishedError):
        module._size(tmp_path / "b.mrxs")


def test_a_very_large_slide_does_not_look_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(convert_child.time, "monotonic", lambda: now)
    reader, writer = os.pipe()
    try:
        progress = convert_child._Progress(writer)
        for step in range(1000):
            now = step * 0.1
            progress.tell(step * 1e-6)
        told = list(MessageParser().feed(os.read(reader, 1 << 16)))
    finally:
        os.close(reader)
        os.close(writer)
    assert 20 < len(told) <= 50, "every few seconds"


def test_a_defect_of_a_reader_is_logged_by_its_line_not_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        {}["secret.svs"]
    except KeyError as error:
        found = told_error(ToldError.model_validate(convert_child.told(error)))
    assert isinstance(found, errors.ConversionCrashedError)
    assert f"{__file__}:" in caplog.text
    assert "secret" not in caplog.text


TWO_SCENES = """
    from dicom import formats
    from sgi.ingest import convert_child
    import numpy as np
    from tiling.array_slide import ArraySlide
    from tiling.slide import BRIGHTFIELD_PATH

    class Scene(ArraySlide):
        @property
        def scenes(self):
            return (self, second)

    def draw(level):
        return np.full((1, 1, 40, 60, 3), level, np.uint8)

    first = Scene(draw(90), [BRIGHTFIELD_PATH])
    second = ArraySlide(draw(120), [BRIGHTFIELD_PATH])
    formats.open_any = lambda path: first
    sys.exit(convert_child.main())
"""


def test_each_scene_of_a_file_is_a_slide_of_its_own(
    svs: Path, converted: Convert, store: Any, child: Callable[[str], None]
) -> None:
    child(TWO_SCENES)
    told: list[float] = []
    result = converted(svs, told.append)
    assert told == sorted(told)
    assert [scene.facts.scene for scene in result.scenes] == ["1/2", "2/2"]
    ids = [scene.manifest.slide_uuid for scene in result.scenes]
    assert ids == [SLIDE, scene_slide_id(SLIDE, 1)]
    for slide_id, scene in zip(ids, result.scenes, strict=True):
        for record in scene.manifest.instances:
            key = instance_key(slide_id, record.sop_instance_uid)
            assert hashlib.sha256(store.objects[key]).hexdigest() == record.sha256
    assert len({scene.manifest.series_uid for scene in result.scenes}) == 2
