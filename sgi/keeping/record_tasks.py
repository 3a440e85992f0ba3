"""The keeping queue's search for slides whose headers are not on record: a few at a time.

The worker puts a slide on record as it is published; what was cut short there, rebuilt, or could
not be read is found here.
"""

import logging
import time
from uuid import UUID

import procrastinate

from dicom.errors import DicomError
from sgi.catalogue import accounts
from sgi.errors import ColdError, VerificationError
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import KEEPING_QUEUE
from sgi.keeping.headers import Headers
from sgi.keeping.records import Records, some_not_on_record
from storage.errors import StorageError

RECORD_HEADERS = "sgi.record_headers"
UNREADABLE = (StorageError, DicomError, VerificationError, ColdError)
"""What comes of one slide, and stops no other."""
_log = logging.getLogger(__name__)
_ROUND_S = 20.0
_AT_ONCE = 10
_TRY_AGAIN_S = 900.0
_MOST_LEFT_ALONE = 10_000


class Recorder:
    """What the job does."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._records = Records(keeping.database, Headers(keeping.stores))
        self._left_alone: dict[UUID, float] = {}
        """Until when, by the monotonic clock, a slide that could not be read is not tried."""

    async def round(self, round_s: float = _ROUND_S) -> int:
        """Some slides of each establishment in turn; how many are on record now."""
        self._try_again()
        deadline = time.monotonic() + round_s
        async with self._keeping.database.anonymous() as connection:
            waiting = [each for each, _ in await accounts.establishments(connection)]
        done = 0
        while waiting:
            for establishment_id in tuple(waiting):
                found = await some_not_on_record(
                    self._keeping.database, establishment_id, list(self._left_alone), _AT_ONCE
                )
                if len(found) < _AT_ONCE:
                    waiting.remove(establishment_id)
                for slide in found:
                    if time.monotonic() > deadline or self._keeping.cancelled.is_set():
                        return done
                    try:
                        await self._records.put(slide)
                    except UNREADABLE as error:
                        _log.warning("headers of %s not read: %s", slide.id, type(error).__name__)
                        self._left_alone[slide.id] = time.monotonic() + _TRY_AGAIN_S
                    else:
                        done += 1
        return done

    def _try_again(self) -> None:
        now = time.monotonic()
        left = {each: until for each, until in self._left_alone.items() if until > now}
        self._left_alone = left if len(left) < _MOST_LEFT_ALONE else {}


def register(queue: procrastinate.App, keeping: Keeping) -> None:
    """Add the task to the queue; two never run at the same time."""
    recorder = Recorder(keeping)

    @queue.periodic(cron="* * * * *")
    @queue.task(
        name=RECORD_HEADERS,
        queue=KEEPING_QUEUE,
        lock=RECORD_HEADERS,
        queueing_lock=RECORD_HEADERS,
    )
    async def record_headers(timestamp: int) -> None:  # noqa: ARG001 - procrastinate gives it
        await recorder.round()
