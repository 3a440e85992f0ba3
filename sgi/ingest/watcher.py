"""Watch a drop folder: events for speed, a full rescan because shares lose events."""

import asyncio
import contextlib
import logging
import signal
import time
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
import psycopg_pool
import watchfiles

from sgi.catalogue import accounts, arrivals, destructions
from sgi.catalogue.database import Database
from sgi.domain.arrival import (
    STOPPED,
    Arrival,
    ArrivalState,
    Fingerprint,
    Reason,
    ReasonCode,
)
from sgi.errors import ConfigurationError, SgiError
from sgi.ingest.fingerprint import content_hash, looks_hollow
from sgi.ingest.gather import Candidate, gather, is_as_found, is_litter, walk
from sgi.ingest.stability import Stability
from sgi.jobs.decisions import verdict_on
from sgi.jobs.queue import defer_processing
from sgi.settings import IngestSettings, Settings

_log = logging.getLogger(__name__)
_PENDING_PAUSE_S = 0.5
_ENDED = frozenset({ArrivalState.PUBLISHED, ArrivalState.DUPLICATE, ArrivalState.VANISHED})


class Watcher:
    """Turns the files of one drop folder into queued arrivals of one establishment."""

    def __init__(
        self, database: Database, establishment_id: UUID, folder: Path, settings: IngestSettings
    ) -> None:
        self._database = database
        self._establishment_id = establishment_id
        self._folder = folder.resolve()
        self._settings = settings
        self._stability = Stability(settings.quiet_s)
        self._hashes: dict[Path, tuple[Fingerprint, bytes]] = {}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Scan for ever; a folder or a database that is away is waited for."""
        self._folder.mkdir(parents=True, exist_ok=True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            while True:
                self._changed.clear()
                try:
                    pending = await self.scan()
                except (psycopg.OperationalError, psycopg_pool.PoolTimeout, OSError) as error:
                    _log.warning("scan of the drop folder failed: %s", type(error).__name__)
                    pending = False
                await self._pause(_PENDING_PAUSE_S if pending else self._settings.rescan_s)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    async def _listen(self) -> None:
        """Set `_changed` on every event; without events the rescan goes on alone."""

        def relevant(_: watchfiles.Change, path: str) -> bool:
            inside = Path(path).relative_to(self._folder) if self._owns(path) else Path()
            return not any(is_litter(part) for part in inside.parts)

        while True:
            try:
                async for _ in watchfiles.awatch(self._folder, watch_filter=relevant, debounce=200):
                    self._changed.set()
            except Exception as error:  # noqa: BLE001 - a name that is no text, a share that is away
                _log.warning("no events from the drop folder: %s", class_of(error))
            self._changed.set()  # whatever it would have told
            await asyncio.sleep(self._settings.rescan_s)

    def _owns(self, path: str) -> bool:
        return Path(path).is_relative_to(self._folder)

    async def scan(self) -> bool:
        """Look at every file once; True when some are still on their way to the queue."""
        # Asked before the folder is looked at: what is moved meanwhile was somebody's already.
        async with self._database.transaction(self._establishment_id) as connection:
            owned = await arrivals.owned_files(connection)
        candidates = await asyncio.to_thread(lambda: gather(list(walk(self._folder))))
        mains = [candidate.main for candidate in candidates]
        async with self._database.transaction(self._establishment_id) as connection:
            known = await arrivals.known(connection, self._folder, mains)
        now = time.monotonic()
        pending = False
        for candidate in candidates:
            if owned.isdisjoint(part.path for part in candidate.parts):
                pending |= await self._consider(candidate, known.get(candidate.main), now)
        self._stability.keep_only(candidate.main for candidate in candidates)
        await self._end_missing(known, candidates)
        return pending

    async def _consider(self, candidate: Candidate, known: Arrival | None, now: float) -> bool:
        fingerprint = candidate.fingerprint
        if known is not None and known.state is not ArrivalState.WAITING:
            same = known.fingerprint == fingerprint
            in_work = known.state not in _ENDED | STOPPED
            if in_work or (same and known.state is not ArrivalState.VANISHED):
                return False
        quiet_for = self._stability.quiet_for(candidate.main, fingerprint, now)
        reason = (
            Reason(ReasonCode.BEING_WRITTEN)
            if candidate.missing is None
            else Reason(ReasonCode.COMPANION_MISSING, candidate.missing)
        )
        waiting = known is not None and known.state is ArrivalState.WAITING
        if known is None or not waiting or known.fingerprint != fingerprint:
            async with self._database.transaction(self._establishment_id) as connection:
                known = await arrivals.observe(
                    connection,
                    self._establishment_id,
                    candidate.main,
                    fingerprint,
                    reason,
                    self._named_by(candidate),
                )
        if candidate.missing is not None:
            await self._explain(known, reason)
            return False
        if not self._stability.is_whole(quiet_for, hollow=False):
            return True
        return await self._hand_over(candidate, known, quiet_for)

    def _named_by(self, candidate: Candidate) -> Path:
        """The file or folder whose name people know the slide by."""
        if candidate.folder is None or candidate.folder == self._folder:
            return candidate.main
        return candidate.folder

    async def _explain(self, arrival: Arrival, reason: Reason) -> None:
        async with self._database.transaction(self._establishment_id) as connection:
            await arrivals.explain(connection, arrival.id, reason)

    async def _hand_over(self, candidate: Candidate, arrival: Arrival, quiet_for: float) -> bool:
        """Hash a quiet file and queue it; True when it has to be looked at again soon."""
        try:
            hollow = not candidate.is_folder and await asyncio.to_thread(
                looks_hollow, candidate.main
            )
            if not self._stability.is_whole(quiet_for, hollow=hollow):
                return True
            sha256 = await self._hash(candidate)
        except SgiError as error:
            await self._stop(arrival, error)
            return False
        if not all(is_as_found(part) for part in candidate.parts):
            return True
        try:
            return await self._queue(candidate, arrival, sha256)
        except psycopg.errors.UniqueViolation:  # the same content, at the same moment
            return True

    async def _hash(self, candidate: Candidate) -> bytes:
        """The content's hash; read once for as long as the files do not change."""
        known = self._hashes.get(candidate.main)
        if known is not None and known[0] == candidate.fingerprint:
            return known[1]
        sha256 = await asyncio.to_thread(content_hash, candidate.main, candidate.parts)
        self._hashes[candidate.main] = (candidate.fingerprint, sha256)
        return sha256

    async def _queue(self, candidate: Candidate, arrival: Arrival, sha256: bytes) -> bool:
        async with self._database.transaction(self._establishment_id) as connection:
            destroyed_at = await destructions.destroyed_content(connection, sha256)
            if destroyed_at is not None:  # on purpose, by two people
                reason = Reason(ReasonCode.WAS_DESTROYED, _was_destroyed(destroyed_at))
                await arrivals.stop(connection, arrival.id, ArrivalState.HELD, reason)
                return False
            twin = await arrivals.content_in_use(connection, sha256)
            if twin is None:
                if await arrivals.queue(connection, arrival.id, candidate.parts, sha256):
                    await defer_processing(connection, arrival.establishment_id, arrival.id)
                    self._hashes.pop(candidate.main, None)
                return False
            if twin.state is ArrivalState.PUBLISHED:
                await arrivals.mark_duplicate(
                    connection, arrival.id, candidate.parts, sha256, twin.slide_id
                )
                return False
            await arrivals.explain(connection, arrival.id, Reason(ReasonCode.SAME_CONTENT_IN_WORK))
        return False  # looked at again by the next rescan

    async def _stop(self, arrival: Arrival, error: SgiError) -> None:
        verdict = verdict_on(error)
        state = (
            ArrivalState.VANISHED if verdict.reason is ReasonCode.VANISHED else ArrivalState.HELD
        )
        async with self._database.transaction(self._establishment_id) as connection:
            await arrivals.stop(connection, arrival.id, state, Reason(verdict.reason, str(error)))

    async def _end_missing(self, known: dict[Path, Arrival], candidates: list[Candidate]) -> None:
        """End the arrivals whose file went away, or turned out to belong to another slide."""
        mains = {candidate.main for candidate in candidates}
        parts = {part.path for candidate in candidates for part in candidate.parts}
        for path, arrival in known.items():
            unowned = arrival.state is ArrivalState.WAITING or arrival.state in STOPPED
            if path in mains or not unowned or (path not in parts and not _is_gone(path)):
                continue
            code = ReasonCode.PART_OF_ANOTHER if path in parts else ReasonCode.VANISHED
            async with self._database.transaction(self._establishment_id) as connection:
                await arrivals.stop(connection, arrival.id, ArrivalState.VANISHED, Reason(code))


def _was_destroyed(at: datetime) -> str:
    return (
        f"A slide of this very content was destroyed on {at.date().isoformat()}, on purpose; "
        "remove the file, or ask whoever asked for it."
    )


def _is_gone(path: Path) -> bool:
    """False also where nobody can tell just now."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def class_of(error: BaseException) -> str:
    """An error's class, or that of the first in a group: its words may hold a file's name."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__


async def watch_drop_folder(settings: Settings, url: str) -> None:
    """Watch the drop folder of the first establishment until the process is stopped."""
    async with Database(url, size=4) as database:
        async with database.anonymous() as connection:
            establishments = await accounts.establishments(connection)
        if not establishments:
            raise ConfigurationError("There is no establishment yet; start `sgi up` first.")
        watcher = Watcher(database, establishments[0][0], settings.drop, settings.ingest)
        running = asyncio.ensure_future(watcher.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.cancel)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await running
        except Exception as error:  # noqa: BLE001 - what is printed of it may hold a file's name
            raise SgiError(f"The watcher failed with {class_of(error)}.") from None
