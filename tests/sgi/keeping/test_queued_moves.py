"""Moves in the queue: whatever waits for its next try, or is over, holds up no other."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from sgi.catalogue import tiers
from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState, TierMove
from sgi.jobs.queue import KEEPING_QUEUE, PROMPT_QUEUE, open_queue
from sgi.jobs.tiers import defer_move
from sgi.keeping.tiers_tasks import register, tend
from storage.errors import StoreUnavailableError
from storage.memory import MemoryObjectStore


class Away(MemoryObjectStore):
    """Takes nothing."""

    def open_write(self, *_: Any, **__: Any) -> Any:
        raise StoreUnavailableError("The store does not answer; try again.")


@pytest.fixture
def work_off(url: str, kept: Any) -> Callable[..., None]:
    """Workers of these queues work at all that is due, and end."""

    async def work(*queues: str) -> None:
        queue = open_queue(url)
        async with queue.open_async():
            register(queue, kept.keeping)
            queue.periodic_registry.periodic_tasks.clear()
            await queue.run_worker_async(
                queues=list(queues), wait=False, install_signal_handlers=False, listen_notify=False
            )

    with psycopg.connect(url) as owner:
        owner.execute("delete from procrastinate_jobs")
    return lambda *queues: kept.run(work(*queues))


def jobs(kept: Any) -> list[Any]:
    found: list[Any] = kept.query(
        """select args ->> 'move_id' as move_id, queue_name, scheduled_at from procrastinate_jobs
           where lock = %s and status = 'todo'""",
        str(kept.slide_id),
    )
    return found


def asked(kept: Any, target: Tier) -> TierMove:
    move: TierMove = kept.ask(target)
    kept.transaction(defer_move, kept.establishment.id, move)
    return move


def test_a_move_that_waits_for_a_store_keeps_no_place_in_the_queue(
    kept: Any, work_off: Callable[..., None]
) -> None:
    move = kept.ask(Tier.COLD)
    assert kept.with_stores(cold=Away()).work(move).state is MoveState.WAITING
    assert jobs(kept) == []
    kept.run(tend(kept.keeping))
    assert jobs(kept) == [], "not yet"
    kept.query("update tier_move set look_again_at = now() where id = %s", move.id)
    kept.run(tend(kept.keeping))
    (job,) = jobs(kept)
    assert (job["move_id"], job["scheduled_at"]) == (str(move.id), None)
    work_off(KEEPING_QUEUE)
    assert kept.transaction(tiers.move, move.id).state is MoveState.DONE


def test_a_restore_does_not_wait_behind_a_move_that_it_replaces(
    kept: Any, work_off: Callable[..., None]
) -> None:
    kept.cool()
    with_levels_left = asked(kept, Tier.COLD)
    kept.transaction(tiers.end, with_levels_left.id, MoveState.CANCELLED)
    restore = asked(kept, Tier.WARM)
    assert [job["move_id"] for job in jobs(kept)] == [str(restore.id)]
    work_off(PROMPT_QUEUE)  # the others' workers are busy
    assert kept.transaction(tiers.move, restore.id).state is MoveState.DONE
