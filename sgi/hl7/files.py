"""Messages as files: a folder into which another system drops them.

What was taken is moved to `done/`, what was refused to `refused/`, each with its answer beside it
(`.ack`). Names come from the folder itself, never from a message. What cannot be read stays, is
tried again, and stands among the messages that were refused, where people look.
"""

import asyncio
import logging
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sgi.domain.interface import Outcome
from sgi.errors import SgiError, UnreadableFileError
from sgi.hl7.acknowledge import Code, answer, verdict
from sgi.hl7.batches import split_messages
from sgi.hl7.durable import sync, write_whole
from sgi.hl7.errors import MessageTooLargeError
from sgi.hl7.files_found import CHANGED, Found, find, read_found, shown, unreadable
from sgi.hl7.files_stuck import Stuck
from sgi.hl7.mllp import HEAD_BYTES
from sgi.hl7.receive import Result

_log = logging.getLogger(__name__)
_LOOK_S = 1.0
_AGAIN_S = 10.0
"""After a message that may be sent again."""
_MOST_AT_ONCE = 1_000
"""Files looked at in one round."""
_LONGEST_NAME = 200
"""Bytes of a name that is kept; the system has 255, and an answer's is longer."""
_LONGEST_TAIL = 40


class Handler(Protocol):
    """As `receive.Receiver`: what came of a message, which an answer need not tell."""

    async def receive(self, raw: bytes) -> Result: ...


class Refuser(Protocol):
    """As `receive.Receiver.receive_head`."""

    async def __call__(self, head: bytes, error: SgiError) -> Result: ...


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
        application: bool = True,
    ) -> None:
        """A file is whole when it has not changed for `quiet_s`; larger ones are refused, and
        `refuser` keeps their beginning. `application` is as for `acknowledge.answer`.
        """
        self._application = application
        self._refuser = refuser
        self.name = name
        self._folder = folder
        self._handler = handler
        self._quiet_s = quiet_s
        self._most_bytes = most_bytes
        self._seen: dict[Path, tuple[int, int, float]] = {}
        self._stuck = Stuck()

    async def run(self) -> None:
        """Until it is cancelled, which is safe at any moment: a file is whole, or taken again."""
        while True:
            try:
                again = await self.look()
                self._stuck.forget(self._folder)
            except OSError as error:
                _log.warning("%s: the folder cannot be used: %s", self.name, _reason(error))
                self._stuck.tried(self._folder)
                await self._tell(
                    self._folder,
                    UnreadableFileError(
                        f"The folder of the messages cannot be used ({_reason(error)}): see to its "
                        "rights, and to the disk or share; it is tried again by itself."
                    ),
                )
                again = True
            await asyncio.sleep(_AGAIN_S if again else _LOOK_S)

    async def look(self) -> bool:
        """Take every file that is whole; True when one has to be tried again later.

        Raises OSError where the folder cannot be used.
        """
        found = await asyncio.to_thread(self._find)
        again = waits = False
        for one in self._whole(found):
            try:
                if waits:  # those that cannot be read wait together, not one after the other
                    await self._read(one, 0)
                    continue
                taken = await self._take(one)
            except UnreadableFileError as error:
                again = True
                if self._stuck.tried(one.path) == 1:
                    _log.warning("%s: a file cannot be read; it is tried again", self.name)
                await self._tell(one.path, error)
                waits = waits or not self._stuck.is_alone(one.path)
                continue
            if taken:
                self._stuck.forget(one.path)
                continue
            again = True
            self._stuck.tried(one.path)
            if not self._stuck.is_alone(one.path):
                break
        return again

    def _find(self) -> list[Found]:
        """Those that there is something to do with; of the others there may be any number."""
        for part in ("done", "refused"):
            (self._folder / part).mkdir(parents=True, exist_ok=True)
        found = list(find(self._folder))
        self._stuck.keep({self._folder, *(one.path for one in found)})
        # What is long stuck leaves the places to the others, should there be so many.
        found.sort(key=lambda one: (self._stuck.is_alone(one.path), one.age))
        return sorted(found[:_MOST_AT_ONCE], key=lambda one: one.age)

    def _whole(self, found: list[Found]) -> list[Found]:
        now = time.monotonic()
        seen = {}
        whole = []
        for one in found:
            is_now = (one.size, one.mtime_ns)
            *was, since = self._seen.get(one.path, (*is_now, now))
            if tuple(was) != is_now:
                since = now
                self._stuck.forget(one.path)
            seen[one.path] = (one.size, one.mtime_ns, since)
            if now - since >= self._quiet_s:
                whole.append(one)
        self._seen = seen
        return whole

    async def _take(self, found: Found) -> bool:
        """False when it is to be tried again: its messages before are known by then.

        Raises UnreadableFileError where it stays for another reason.
        """
        raw = await self._read(found, self._most_bytes)
        if raw is None:
            return True
        if len(raw) > self._most_bytes:
            most = self._most_bytes >> 20
            too_large = MessageTooLargeError(f"The file has more than {most} MiB; send several.")
            result = await self._refuse(raw[:HEAD_BYTES], too_large)
            if result.outcome is None:
                return False
            await self._put_away(found, [result.answer], refused=True)
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
        await self._put_away(found, told, refused=refused)
        return True

    async def _read(self, found: Found, most_bytes: int) -> bytes | None:
        """None for one that is not there any more; raises UnreadableFileError."""
        try:
            return await asyncio.to_thread(read_found, found, most_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(found, _reason(error)) from error

    async def _tell(self, path: Path, error: SgiError) -> None:
        """Where people look, once it was tried for a while: as a message that was refused.

        No two of them have the same bytes: those would be one message that came again.
        """
        today = datetime.now(UTC).date()
        if self._stuck.is_to_be_told(path, today):
            result = await self._refuse(f"{shown(path)} {today}".encode(), error)
            if result.outcome is not None:
                self._stuck.was_told(path, today)

    async def _handle(self, message: bytes) -> Result:
        try:
            return await self._handler.receive(message)
        except Exception as error:  # noqa: BLE001 - the sender has to be told in any case
            _log.error("%s: %s for a file's message", self.name, type(error).__name__)
            outcome = None if verdict(error).code is Code.AR else Outcome.REFUSED
            told = answer(message, error, datetime.now(UTC), application=self._application)
            return Result(outcome, told)

    async def _refuse(self, head: bytes, error: SgiError) -> Result:
        if self._refuser is not None:
            return await self._refuser(head, error)
        told = answer(head, error, datetime.now(UTC), application=self._application)
        return Result(Outcome.REFUSED, told)

    async def _put_away(self, found: Found, told: list[bytes], *, refused: bool) -> None:
        if not await asyncio.to_thread(self._move, found, told, refused=refused):
            raise unreadable(found, CHANGED)

    def _move(self, found: Found, told: list[bytes], *, refused: bool) -> bool:
        """The answer first: a file that is where it belongs has its answer.

        False where something was added meanwhile, which nobody has read.
        """
        path = found.path
        if path.stat(follow_symlinks=False).st_size != found.size:
            return False
        folder = self._folder / ("refused" if refused else "done")
        name = path.name
        if len(os.fsencode(name)) > _LONGEST_NAME:
            name = f"{secrets.token_hex(4)}.hl7"
        while (folder / name).exists() or (folder / f"{name}.ack").exists():
            name = f"{secrets.token_hex(4)}-{path.name[-_LONGEST_TAIL:]}"
        write_whole(folder / f"{name}.ack", b"".join(told))
        path.rename(folder / name)
        sync(folder)
        return True


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
