"""Messages as files: a folder into which another system drops them, and one into which we do.

What was taken is moved to `done/`, what was refused to `refused/`, each with its answer beside it
(`.ack`). Names come from the folder itself, never from a message.
"""

import asyncio
import logging
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sgi.domain.interface import Outcome
from sgi.errors import SgiError
from sgi.hl7.acknowledge import Code, answer, verdict
from sgi.hl7.batches import split_messages
from sgi.hl7.connection_out import Late
from sgi.hl7.errors import LinkUnavailableError, MessageTooLargeError
from sgi.hl7.mllp import HEAD_BYTES
from sgi.hl7.receive import Result

_log = logging.getLogger(__name__)
_LOOK_S = 1.0
_AGAIN_S = 10.0
"""After a message that may be sent again."""
_MOST_AT_ONCE = 1_000
"""Files looked at in one round."""
_TRIES_ALONE = 6
"""How often a file that may be sent again holds up what comes after it. Then what is wrong may be
with it: it is tried still, before the others, but they are tried too. While the database is away
each of them holds up the next as long, so that their order stays."""
_LITTER = (".part", ".tmp", ".ack", ".filepart", ".writing")
_LONGEST_NAME = 200
"""Bytes of a name that is kept; the system has 255, and an answer's is longer."""
_LONGEST_TAIL = 40


class Handler(Protocol):
    """As `receive.Receiver`: what came of a message, which an answer need not tell."""

    async def receive(self, raw: bytes) -> Result: ...


class Refuser(Protocol):
    """As `receive.Receiver.receive_head`."""

    async def __call__(self, head: bytes, error: SgiError) -> Result: ...


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    size: int
    mtime_ns: int


class FileDrop:
    """Takes the files of one folder, oldest first."""

    def __init__(
        self,
        name: str,
        folder: Path,
        handler: Handler,
        *,
        quiet_s: float = 2.0,
        most_bytes: int = 64 << 20,
        refuser: Refuser | None = None,
    ) -> None:
        """A file is whole when it has not changed for `quiet_s`; larger ones are refused, and
        `refuser` keeps their beginning.
        """
        self._refuser = refuser
        self.name = name
        self._folder = folder
        self._handler = handler
        self._quiet_s = quiet_s
        self._most_bytes = most_bytes
        self._seen: dict[Path, tuple[int, int, float]] = {}
        self._left: set[Path] = set()
        self._tries: dict[Path, int] = {}

    async def run(self) -> None:
        """Until it is cancelled, which is safe at any moment: a file is whole, or taken again."""
        while True:
            try:
                again = await self.look()
            except OSError as error:
                _log.warning("%s: the folder cannot be used: %s", self.name, error.strerror)
                again = True
            await asyncio.sleep(_AGAIN_S if again else _LOOK_S)

    async def look(self) -> bool:
        """Take every file that is whole; True when one has to be tried again later."""
        found = await asyncio.to_thread(lambda: list(self._find()))
        whole = self._whole(found)
        present = {one.path for one in whole}
        self._tries = {path: n for path, n in self._tries.items() if path in present}
        again = False
        for one in whole:
            if await self._take(one):
                self._tries.pop(one.path, None)
                continue
            again = True
            self._tries[one.path] = self._tries.get(one.path, 0) + 1
            if self._tries[one.path] < _TRIES_ALONE:
                break
        return again

    def _find(self) -> Iterator[_Found]:
        """Those that there is something to do with; of the others there may be any number."""
        for part in ("done", "refused"):
            (self._folder / part).mkdir(parents=True, exist_ok=True)
        found = []
        left = set()
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.lower().endswith(_LITTER):
                    continue
                if not entry.is_file(follow_symlinks=False):
                    continue
                path = Path(entry.path)
                if path in self._left:
                    left.add(path)
                    continue
                with suppress(FileNotFoundError):
                    about = entry.stat(follow_symlinks=False)
                    if about.st_size:
                        found.append(_Found(path, about.st_size, about.st_mtime_ns))
        self._left &= left
        found.sort(key=lambda one: (one.mtime_ns, one.path.name))
        yield from found[:_MOST_AT_ONCE]

    def _whole(self, found: list[_Found]) -> list[_Found]:
        now = time.monotonic()
        seen = {}
        whole = []
        for one in found:
            size, mtime_ns, since = self._seen.get(one.path, (-1, -1, now))
            if (size, mtime_ns) != (one.size, one.mtime_ns):
                since = now
            seen[one.path] = (one.size, one.mtime_ns, since)
            if now - since >= self._quiet_s:
                whole.append(one)
        self._seen = seen
        return whole

    async def _take(self, found: _Found) -> bool:
        """False when it is to be tried again: its messages before are known by then."""
        try:
            raw = await asyncio.to_thread(_read, found.path, self._most_bytes)
        except FileNotFoundError:
            return True
        except OSError as error:
            _log.warning("%s: a file cannot be read: %s", self.name, error.strerror)
            self._left.add(found.path)
            return True
        if len(raw) > self._most_bytes:
            most = self._most_bytes >> 20
            too_large = MessageTooLargeError(f"The file has more than {most} MiB; send several.")
            result = await self._refuse(raw[:HEAD_BYTES], too_large)
            if result.outcome is None:
                return False
            await asyncio.to_thread(self._move, found.path, [result.answer], refused=True)
            return True
        told = []
        refused = False
        for message in await asyncio.to_thread(split_messages, raw):
            result = await self._handle(message)
            if result.outcome is None:
                return False
            told.append(result.answer)
            refused = refused or result.outcome is Outcome.REFUSED
        refused = refused or not told
        await asyncio.to_thread(self._move, found.path, told, refused=refused)
        return True

    async def _handle(self, message: bytes) -> Result:
        try:
            return await self._handler.receive(message)
        except Exception as error:  # noqa: BLE001 - the sender has to be told in any case
            _log.error("%s: %s for a file's message", self.name, type(error).__name__)
            outcome = None if verdict(error).code is Code.AR else Outcome.REFUSED
            return Result(outcome, answer(message, error, datetime.now(UTC)))

    async def _refuse(self, head: bytes, error: SgiError) -> Result:
        if self._refuser is not None:
            return await self._refuser(head, error)
        return Result(Outcome.REFUSED, answer(head, error, datetime.now(UTC)))

    def _move(self, path: Path, told: list[bytes], *, refused: bool) -> None:
        """The answer first: a file that is where it belongs has its answer."""
        folder = self._folder / ("refused" if refused else "done")
        name = path.name
        if len(os.fsencode(name)) > _LONGEST_NAME:
            name = f"{secrets.token_hex(4)}.hl7"
        while (folder / name).exists() or (folder / f"{name}.ack").exists():
            name = f"{secrets.token_hex(4)}-{path.name[-_LONGEST_TAIL:]}"
        _write(folder / f"{name}.ack", b"".join(told))
        path.rename(folder / name)
        _sync(folder)


class FileTransport:
    """Writes each message as a file of its own; what is written counts as accepted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, raw: bytes) -> bytes:
        """The answer is ours: nobody else gives one. Raises LinkUnavailableError."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.hl7"
        try:
            await asyncio.to_thread(self._write, name, raw)
        except OSError as error:
            raise LinkUnavailableError(
                f"The message cannot be written into {self._folder}: {error.strerror}."
            ) from error
        return answer(raw, None, now)

    async def late(self) -> Late:
        """Never: the answers are ours."""
        never: asyncio.Future[Late] = asyncio.get_running_loop().create_future()
        return await never

    async def close(self) -> None:
        """Nothing is held."""

    def _write(self, name: str, raw: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        _write(self._folder / name, raw)


def _read(path: Path, most_bytes: int) -> bytes:
    """At most a byte more than allowed; never through a link, nor from a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(path)
        return file.read(most_bytes + 1)


def _write(path: Path, content: bytes) -> None:
    """Whole and durable under its name, or not there."""
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
