"""The job that tells slides anew, at once when it is handed over, and every minute."""

import asyncio

import procrastinate

from sgi.identity.rounds import Round
from sgi.jobs.identity import TELL_IDENTITIES
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import PROMPT_QUEUE

_LINGER_S = 1.0


def register(queue: procrastinate.App, keeping: Keeping) -> None:
    """Add the task to the queue; two never run at the same time."""
    round_ = Round(keeping)

    @queue.periodic(cron="* * * * *")
    @queue.task(name=TELL_IDENTITIES, queue=PROMPT_QUEUE, lock=TELL_IDENTITIES)
    async def tell_identities(timestamp: int) -> None:  # noqa: ARG001 - procrastinate gives it
        await round_.run()
        # Who saw this job waiting handed over none of their own, and may just have committed.
        await asyncio.sleep(_LINGER_S)
        await round_.run()
