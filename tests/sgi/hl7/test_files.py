"""Messages as files: whole ones are taken once, in order, with an answer beside them."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sgi.catalogue import interfaces, kept_messages
from sgi.catalogue.kept_messages import Filter
from sgi.catalogue.kept_messages import Kept as KeptMessage
from sgi.domain.interface import Outcome, Traffic
from sgi.domain.link_words import link_words
from sgi.domain.words import Language
from sgi.errors import SgiError
from sgi.hl7 import files
from sgi.hl7.acknowledge import answer
from sgi.hl7.errors import BusyLinkError, LinkUnavailableError, UnknownPatientError
from sgi.hl7.files import FileDrop
from sgi.hl7.files_found import Found, read_found
from sgi.hl7.files_out import FileTransport
from sgi.hl7.interfaces import built_in
from sgi.hl7.message import parse_message
from sgi.hl7.receive import Receiver, Result


def message(control_id: str, end: str = "\r") -> bytes:
    lines = [f"MSH|^~\\&|SGL|X|SGI|Y|20260612||ADT^A08|{control_id}|P|2.5", "PID|1||7"]
    return "".join(line + end for line in lines).encode()


class Kept:
    """Takes messages; those whose name begins with E are refused, with R not yet taken."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.away = True
        self.silent = False
        """Nothing is answered, as the sender asked for nothing."""

    async def receive(self, raw: bytes) -> Result:
        name = parse_message(raw).control_id
        self.taken.append(name)
        error: Exception | None = None
        outcome: Outcome | None
        if name.startswith("E"):
            error = UnknownPatientError("x")
        elif name.startswith("R") and self.away:
            error = BusyLinkError("x")
        elif name == "X":
            raise ZeroDivisionError
        outcome = Outcome.APPLIED if error is None else Outcome.REFUSED
        if isinstance(error, BusyLinkError):
            outcome = None
        return Result(outcome, b"" if self.silent else answer(raw, error, datetime.now(UTC)))


def look(folder: Path, kept: Kept, most_bytes: int = 64 << 20) -> bool:
    drop = FileDrop("sgl", folder, kept, quiet_s=0, most_bytes=most_bytes)
    return asyncio.run(drop.look())


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_file_is_taken_and_answered(tmp_path: Path, end: str) -> None:
    (tmp_path / "a.hl7").write_bytes(message("1", end) + message("2", end))
    kept = Kept()
    assert look(tmp_path, kept) is False
    assert kept.taken == ["1", "2"]
    assert names(tmp_path) == set()
    assert names(tmp_path / "done") == {"a.hl7", "a.hl7.ack"}
    told = (tmp_path / "done" / "a.hl7.ack").read_bytes()
    assert [line for line in told.split(b"\r") if line.startswith(b"MSA")] == [
        b"MSA|AA|1",
        b"MSA|AA|2",
    ]
    assert (tmp_path / "done" / "a.hl7").read_bytes() == message("1", end) + message("2", end)
    look(tmp_path, kept)
    assert kept.taken == ["1", "2"]


@pytest.mark.parametrize(
    "content", [message("E1"), message("1") + message("E2"), b"what?", b" \r\n"]
)
def test_one_that_is_refused_is_set_apart(tmp_path: Path, content: bytes) -> None:
    class Reading(Kept):
        async def receive(self, raw: bytes) -> Result:
            try:
                return await super().receive(raw)
            except Exception as error:
                return Result(Outcome.REFUSED, answer(raw, error, datetime.now(UTC)))

    (tmp_path / "b.txt").write_bytes(content)
    look(tmp_path, Reading())
    assert names(tmp_path / "refused") == {"b.txt", "b.txt.ack"}
    assert names(tmp_path) == names(tmp_path / "done") == set()


def test_a_defect_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(message("X"))
    look(tmp_path, Kept())
    assert b"MSA|AE|X" in (tmp_path / "refused" / "x.ack").read_bytes()


def test_what_may_be_sent_again_stays_and_holds_up_what_comes_after(tmp_path: Path) -> None:
    for number, content in enumerate([message("1") + message("R2"), message("3")]):
        path = tmp_path / f"{number}.hl7"
        path.write_bytes(content)
        os.utime(path, (number, number))
    kept = Kept()
    assert look(tmp_path, kept) is True
    assert kept.taken == ["1", "R2"]
    assert names(tmp_path) == {"0.hl7", "1.hl7"}
    kept.away = False
    assert look(tmp_path, kept) is False
    assert kept.taken == ["1", "R2", "1", "R2", "3"]
    assert names(tmp_path) == set()


def test_what_came_of_a_message_decides_and_not_its_answer(tmp_path: Path) -> None:
    for name in ("1", "E2", "R3"):
        (tmp_path / name).write_bytes(message(name))
    kept = Kept()
    kept.silent = True
    assert look(tmp_path, kept) is True
    assert names(tmp_path / "done") == {"1", "1.ack"}
    assert names(tmp_path / "refused") == {"E2", "E2.ack"}
    assert names(tmp_path) == {"R3"}


def test_oldest_first(tmp_path: Path) -> None:
    for name, at in [("b", 5), ("a", 9), ("c", 1), ("d", 5)]:
        (tmp_path / name).write_bytes(message(name))
        os.utime(tmp_path / name, (at, at))
    kept = Kept()
    look(tmp_path, kept)
    assert kept.taken == ["c", "b", "d", "a"]


def test_a_file_that_grows_is_waited_for(tmp_path: Path) -> None:
    async def scene() -> None:
        kept = Kept()
        drop = FileDrop("sgl", tmp_path, kept, quiet_s=0.2)
        path = tmp_path / "a.hl7"
        for piece in (b"MSH|^~\\&|SGL|X|SGI|Y|20260612||", b"ADT^A08|1|P|2.5\r"):
            with path.open("ab") as file:
                file.write(piece)
            for _ in range(3):
                await drop.look()
                await asyncio.sleep(0.05)
            assert kept.taken == []
        await asyncio.sleep(0.25)
        await drop.look()
        assert kept.taken == ["1"]

    asyncio.run(scene())


@pytest.mark.parametrize("name", [".hidden", "a.part", "a.TMP", "a.hl7.ack", "empty"])
def test_what_is_no_message_is_left(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"" if name == "empty" else message("1"))
    kept = Kept()
    look(tmp_path, kept)
    assert kept.taken == []
    assert names(tmp_path) == {name}


def test_links_and_pipes_and_folders_are_left(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(message("1"))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.hl7").symlink_to(secret)
    os.mkfifo(folder / "pipe.hl7")
    (folder / "folder.hl7").mkdir()
    kept = Kept()
    look(folder, kept)
    assert kept.taken == []
    assert secret.exists()


def test_a_name_that_is_taken_is_given_to_nobody_else(tmp_path: Path) -> None:
    for _ in range(3):
        (tmp_path / "a.hl7").write_bytes(message("1"))
        look(tmp_path, Kept())
    found = names(tmp_path / "done")
    assert len(found) == 6
    assert sum(name.endswith("a.hl7") for name in found) == 3
    assert sum(name.endswith("a.hl7.ack") for name in found) == 3


@pytest.mark.parametrize("name", [b"\xff\xfe.hl7", ("é" * 127).encode(), b"a" * 255, b"-rf *"])
def test_names_of_any_kind(tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(message("../../1"))
    look(tmp_path, Kept())
    assert len(names(tmp_path / "done")) == 2
    assert names(tmp_path) == set()


def test_one_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "large.hl7").write_bytes(message("1") + b"OBX|1\r" * 1000)
    kept = Kept()
    look(tmp_path, kept, most_bytes=1000)
    assert kept.taken == []
    told = parse_message((tmp_path / "refused" / "large.hl7.ack").read_bytes())
    assert (told.value("MSA-1"), told.value("MSA-2")) == ("AE", "1")


class Unreadable:
    """Lets no file of these names be read, as a share that is away does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.names = set(names)
        self._read = read_found
        monkeypatch.setattr(files, "read_found", self)

    def __call__(self, found: Found, most_bytes: int) -> bytes:
        if found.path.name in self.names:
            raise OSError(16, "Device or resource busy")
        return self._read(found, most_bytes)


class Telling:
    """A drop, and what the page of interfaces would say of it."""

    def __init__(self, folder: Path) -> None:
        self.kept = Kept()
        self.told: list[str] = []
        self.heads: list[bytes] = []
        self.drop = FileDrop("sgl", folder, self.kept, quiet_s=0, refuser=self._keep)

    async def _keep(self, head: bytes, error: SgiError) -> Result:
        self.heads.append(head)
        self.told.append(str(error))
        return Result(Outcome.REFUSED, answer(head, error, datetime.now(UTC)))

    def look(self, times: int = 1) -> bool:
        again = False
        for _ in range(times):
            again = asyncio.run(self.drop.look())
        return again


def put(folder: Path, *names: str) -> None:
    """Files in this order, each with a message of its own."""
    for at, name in enumerate(names):
        (folder / name).write_bytes(message(name))
        os.utime(folder / name, (at, at))


def test_one_that_cannot_be_read_once_is_read_in_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "1", "2", "3")
    away = Unreadable(monkeypatch, "2")
    drop = Telling(tmp_path)
    assert drop.look(2) is True
    assert drop.kept.taken == ["1"]
    away.names.clear()
    assert drop.look() is False
    assert drop.kept.taken == ["1", "2", "3"]
    assert drop.told == []


def test_those_that_cannot_be_read_hold_up_others_no_longer_than_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "1", "2", "3", "4", "5")
    away = Unreadable(monkeypatch, "1", "2", "4")
    drop = Telling(tmp_path)
    drop.look(5)
    assert drop.kept.taken == []
    assert drop.look(2) is True
    assert drop.kept.taken == ["3", "5"]
    assert len(drop.told) == 3
    assert drop.told[0] == (
        "The file 1 cannot be read (Device or resource busy): see to its rights, and to the disk "
        "or share; it is tried again by itself."
    )
    assert len(set(drop.heads)) == 3, "the same bytes are the same message"
    away.names = {"2"}
    drop.look()
    assert drop.kept.taken == ["3", "5", "1", "4"]
    drop.look(10)
    assert len(drop.told) == 3, "once a day is enough"


def test_what_cannot_be_told_is_told_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(Telling):
        away = True

        async def _keep(self, head: bytes, error: SgiError) -> Result:
            kept = await super()._keep(head, error)
            return Result(None, b"") if self.away else kept

    put(tmp_path, "1")
    Unreadable(monkeypatch, "1")
    drop = Away(tmp_path)
    drop.look(7)
    assert len(drop.told) == 2
    drop.away = False
    drop.look(7)
    assert len(drop.told) == 3


def test_of_very_many_some_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [str(number) for number in range(50)]
    put(tmp_path, *names)
    Unreadable(monkeypatch, *names)
    drop = Telling(tmp_path)
    drop.look(8)
    assert len(drop.told) == 20


def test_a_name_is_told_as_it_can_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = os.fsdecode(b"\xff\x1b\nx" + b"y" * 200)
    put(tmp_path, "later")
    (tmp_path / name).write_bytes(message("1"))
    Unreadable(monkeypatch, name, "later")
    drop = Telling(tmp_path)
    drop.look(8)
    assert all(sentence.isprintable() and len(sentence) < 300 for sentence in drop.told)
    assert all(head.decode().isprintable() for head in drop.heads)


def test_one_whose_size_cannot_be_asked_for_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a stale handle on a share."""
    put(tmp_path, "1", "2")
    scan = os.scandir

    class Stale:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self._entry = entry
            self.name, self.path = entry.name, entry.path

        def is_file(self, **how: bool) -> bool:
            return self._entry.is_file(**how)

        def stat(self, **how: bool) -> os.stat_result:
            if self.name == "1":
                raise OSError(116, "Stale file handle")
            return self._entry.stat(**how)

    @contextmanager
    def stale(folder: Path) -> Iterator[list[Stale]]:
        with scan(folder) as entries:
            yield [Stale(entry) for entry in entries]

    drop = Telling(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", stale)
        drop.look(8)
    assert drop.kept.taken == ["2"]
    assert len(drop.told) == 1
    drop.look()
    assert drop.kept.taken == ["2", "1"]


def test_one_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "1")
    path = tmp_path / "1"
    read = os.fdopen

    def slowly(*how: object) -> object:
        with path.open("ab") as file:
            file.write(b"PV1|1||X\r")
        return read(*how)  # type: ignore[call-overload]

    drop = Telling(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", slowly)
        assert drop.look() is True
    assert drop.kept.taken == []
    assert drop.look() is False
    assert drop.kept.taken == ["1"]


def test_what_is_added_before_it_is_put_away_is_read_too(tmp_path: Path) -> None:
    class Slow(Kept):
        async def receive(self, raw: bytes) -> Result:
            if not self.taken:
                with (tmp_path / "1").open("ab") as file:
                    file.write(message("2"))
            return await super().receive(raw)

    put(tmp_path, "1")
    kept = Slow()
    assert look(tmp_path, kept) is True
    assert names(tmp_path) == {"1"}
    assert look(tmp_path, kept) is False
    assert kept.taken == ["1", "1", "2"]
    assert names(tmp_path / "done") == {"1", "1.ack"}


def test_the_health_of_its_interface_says_that_a_file_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Any, database: Any, here: Any
) -> None:
    put(tmp_path, "1.hl7")
    Unreadable(monkeypatch, "1.hl7")
    receiver = Receiver(database, here.id, built_in())
    drop = FileDrop("sgl", tmp_path, receiver, quiet_s=0, refuser=receiver.receive_head)

    async def scene() -> tuple[Traffic, list[KeptMessage]]:
        async with database.transaction(here.id) as connection:
            await interfaces.register(connection, here.id, "sgl", "files", None, ())
        for _ in range(8):
            await drop.look()
        async with database.transaction(here.id) as connection:
            ((_, traffic),) = await interfaces.all_(connection)
            return traffic, await kept_messages.list_(connection, Filter(), 10, None)

    traffic, (told,) = run(scene())
    assert traffic.refused_today == 1
    assert told.outcome is Outcome.REFUSED
    assert told.error is not None
    assert told.error.startswith("The file 1.hl7 cannot be read")
    french = link_words(told.error, Language.FRENCH)
    assert french is not None
    assert french.startswith("Le fichier 1.hl7 ne peut pas être lu (Device or resource busy)")


@pytest.mark.parametrize(("application", "type_"), [(True, "ORL"), (False, "ACK")])
def test_a_defect_is_answered_as_the_interface_answers(
    tmp_path: Path, application: bool, type_: str
) -> None:
    (tmp_path / "x").write_bytes(message("X").replace(b"ADT^A08", b"OML^O21"))
    drop = FileDrop("sgl", tmp_path, Kept(), quiet_s=0, application=application)
    asyncio.run(drop.look())
    assert parse_message((tmp_path / "refused" / "x.ack").read_bytes()).code == type_


def test_a_folder_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_AGAIN_S", 0.01)
    (tmp_path / "in").write_text("no folder")
    drop = Telling(tmp_path / "in")

    async def scene() -> None:
        running = asyncio.create_task(drop.drop.run())
        for _ in range(200):
            await asyncio.sleep(0.02)
            if drop.told:
                break
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scene())
    (told,) = drop.told
    assert told.startswith("The folder of the messages cannot be used (")
    assert str(tmp_path) not in told


def test_a_death_between_two_steps_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.hl7").write_bytes(message("1"))
    kept = Kept()

    def die(*_: object) -> None:
        raise OSError(5, "dead")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", die)
        with pytest.raises(OSError, match="dead"):
            look(tmp_path, kept)
    assert names(tmp_path) == {"a.hl7"}
    look(tmp_path, kept)
    assert kept.taken == ["1", "1"]  # the receiver knows it again
    assert names(tmp_path) == set()


def test_it_goes_on_until_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sgi.hl7.files._LOOK_S", 0.02)

    async def scene() -> None:
        kept = Kept()
        running = asyncio.create_task(FileDrop("sgl", tmp_path / "new", kept, quiet_s=0.05).run())
        await asyncio.sleep(0.1)
        (tmp_path / "new" / "a").write_bytes(message("1"))
        for _ in range(200):
            await asyncio.sleep(0.02)
            if kept.taken:
                break
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert kept.taken == ["1"]

    asyncio.run(scene())


def test_messages_out_are_files_of_their_own(tmp_path: Path) -> None:
    out = tmp_path / "out"
    transport = FileTransport(out)
    for number in range(3):
        told = asyncio.run(transport.send(message(f"../{number}")))
        assert parse_message(told).value("MSA-1") == "AA"
        assert parse_message(told).value("MSA-2") == f"../{number}"
    written = sorted(out.iterdir())
    assert [path.read_bytes() for path in written] == [message(f"../{n}") for n in range(3)]
    assert all(path.suffix == ".hl7" for path in written)


def test_a_folder_that_is_away_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(LinkUnavailableError):
        asyncio.run(FileTransport(tmp_path / "out").send(message("1")))


def test_one_that_is_refused_for_ever_holds_up_nothing_for_ever(tmp_path: Path) -> None:
    for number, name in enumerate(["R1", "2", "3"]):
        path = tmp_path / f"{number}.hl7"
        path.write_bytes(message(name))
        os.utime(path, (number, number))
    kept = Kept()
    drop = FileDrop("sgl", tmp_path, kept, quiet_s=0)
    rounds = 0
    while names(tmp_path) != {"0.hl7"}:
        assert asyncio.run(drop.look()) is True
        rounds += 1
        assert rounds < 20
        assert kept.taken[: rounds + 1].count("R1") >= min(rounds, 5)
    assert rounds > 2, "order matters first"
    assert kept.taken[-2:] == ["2", "3"]
    kept.away = False
    assert asyncio.run(drop.look()) is False
    assert names(tmp_path) == set()


def test_empty_and_unreadable_ones_starve_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MOST_AT_ONCE", 2)
    put(tmp_path, *(str(number) for number in range(6)), "good")
    for number in (1, 3, 5):
        (tmp_path / str(number)).write_bytes(b"")
    Unreadable(monkeypatch, "0", "2", "4")
    drop = Telling(tmp_path)
    drop.look(20)
    assert drop.kept.taken == ["good"]


def test_the_beginning_of_one_that_is_too_large_is_kept(tmp_path: Path) -> None:
    refused: list[bytes] = []

    async def keep(head: bytes, error: SgiError) -> Result:
        refused.append(head)
        return Result(Outcome.REFUSED, answer(head, error, datetime.now(UTC)))

    (tmp_path / "large.hl7").write_bytes(message("1") * 1000)
    drop = FileDrop("sgl", tmp_path, Kept(), quiet_s=0, most_bytes=1000, refuser=keep)
    asyncio.run(drop.look())
    assert [head[:3] for head in refused] == [b"MSH"]
    assert names(tmp_path / "refused") == {"large.hl7", "large.hl7.ack"}
