"""The jobs of moves between tiers, handed over inside the transaction that asks for them.

None is handed over before it is due: a job that waits keeps every later one of its lock waiting.
"""

from uuid import UUID

import procrastinate

from sgi.catalogue.database import Connection
from sgi.domain.tier import Tier
from sgi.domain.tiers import TierMove
from sgi.jobs.queue import KEEPING_QUEUE, PROMPT_QUEUE

MOVE_SLIDE = "sgi.move_slide"
RESTORE_SLIDE = "sgi.restore_slide"
TEND_TIERS = "sgi.tend_tiers"
APPLY_TIER_POLICIES = "sgi.apply_tier_policies"

# Only the caller's connection is ever used to defer, so this one is never opened.
_deferring = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def defer_move(connection: Connection, establishment_id: UUID, move: TierMove) -> None:
    """A restore does not wait behind others' way to cold; jobs of one slide never run at once.

    One move of a slide is not over, so jobs of others that nobody works at yet are cancelled.
    """
    await connection.execute(
        """update procrastinate_jobs set status = 'cancelled' where lock = %s and status = 'todo'
           and task_name = any(%s) and args ->> 'move_id' <> %s""",
        [str(move.slide_id), [MOVE_SLIDE, RESTORE_SLIDE], str(move.id)],
    )
    restores = move.target is Tier.WARM
    deferrer = _deferring.configure_task(
        RESTORE_SLIDE if restores else MOVE_SLIDE,
        queue=PROMPT_QUEUE if restores else KEEPING_QUEUE,
        lock=str(move.slide_id),
        connection=connection,
    )
    await deferrer.defer_async(establishment_id=str(establishment_id), move_id=str(move.id))
