"""What the queues do for the tiers: moves, what was left undone, and the establishments' rules."""

import logging
import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest
from uuid import UUID

import procrastinate

from sgi import recovery
from sgi.catalogue import accounts, tiers
from sgi.domain.tier import Tier
from sgi.errors import SgiError, StoppedError
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import KEEPING_QUEUE, PROMPT_QUEUE
from sgi.jobs.tiers import (
    APPLY_TIER_POLICIES,
    MOVE_SLIDE,
    RESTORE_SLIDE,
    TEND_TIERS,
    defer_move,
)
from sgi.keeping.moves import GRACE, Moves
from storage.errors import StorageError

_log = logging.getLogger(__name__)
_DAY = timedelta(days=1)
_TIMES_A_DAY = 144
_LONGEST_REAPING = timedelta(seconds=30)
_MOST_WAITING = 50
"""Moves of the policy that are not over: more would only make the list long."""


def register(queue: procrastinate.App, keeping: Keeping) -> None:
    """Add the tasks to the queue."""
    moves = Moves(keeping)

    async def move(establishment_id: str, move_id: str) -> None:
        await moves.work(UUID(establishment_id), UUID(move_id))

    queue.task(name=MOVE_SLIDE, queue=KEEPING_QUEUE)(move)
    queue.task(name=RESTORE_SLIDE, queue=PROMPT_QUEUE)(move)

    @queue.periodic(cron="* * * * *")
    @queue.task(name=TEND_TIERS, queue=PROMPT_QUEUE, queueing_lock=TEND_TIERS)
    async def tend_tiers(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands it over
        await tend(keeping)

    @queue.periodic(cron="*/10 * * * *")
    @queue.task(name=APPLY_TIER_POLICIES, queue=PROMPT_QUEUE, queueing_lock=APPLY_TIER_POLICIES)
    async def apply_tier_policies(timestamp: int) -> None:  # noqa: ARG001 - as above
        for establishment_id in await _establishments(keeping):
            await apply_policy(keeping, establishment_id, datetime.now(UTC))


async def tend(
    keeping: Keeping, grace: timedelta = GRACE, reaping: timedelta = _LONGEST_REAPING
) -> None:
    """Give every move a job that lost its own; delete the warm objects of what is cold.

    After `reaping`, the rest of these is left to the next round: restores wait meanwhile. Nothing
    of it in a database that came back from an earlier moment: what it says of where things lie may
    have changed since.
    """
    if await _waits(keeping):
        return
    moves = Moves(keeping)
    all_left: list[list[tuple[UUID, UUID, str]]] = []
    for establishment_id in await _establishments(keeping):
        async with keeping.database.transaction(establishment_id) as connection:
            for orphan in await tiers.orphaned(connection):
                await defer_move(connection, establishment_id, orphan)
            left = await tiers.warm_left(connection, grace)
        all_left.append([(establishment_id, *each) for each in left])
    until = time.monotonic() + reaping.total_seconds()
    in_turns = chain.from_iterable(zip_longest(*all_left))  # one establishment after the other
    for each in filter(None, in_turns):
        if time.monotonic() >= until:
            return
        try:
            await moves.reap(*each)
        except StoppedError:
            return
        except (StorageError, SgiError) as error:  # at the next round
            _log.warning("warm object of slide %s stays: %s", each[1], type(error).__name__)


async def apply_policy(keeping: Keeping, establishment_id: UUID, now: datetime) -> int:
    """Begin as many moves as the rules ask for and their pace allows; returns how many."""
    if keeping.stores.cold is None or await _waits(keeping):
        return 0
    async with keeping.database.transaction(establishment_id) as connection:
        # Several workers do this at the same time: one of them counts.
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"tiers {establishment_id}"]
        )
        rules = await tiers.policy(connection)
        if not rules.active or not rules.rules:
            return 0
        begun = await tiers.begun_since(connection, now - _DAY)
        room = min(
            math.ceil(rules.slides_per_day / _TIMES_A_DAY),
            rules.slides_per_day - begun,
            _MOST_WAITING - await tiers.waiting_of_policy(connection),
        )
        if room <= 0:
            return 0
        # Where there is to be a second copy, it is made while the first one is easy to read.
        only_copied = keeping.stores.second is not None
        found = await tiers.next_due(connection, rules, now, room, only_copied=only_copied)
        asked = 0
        for slide_id in found:
            move = await tiers.ask(connection, establishment_id, slide_id, Tier.COLD, None)
            if move is not None:
                await defer_move(connection, establishment_id, move)
                asked += 1
    return asked


async def _waits(keeping: Keeping) -> bool:
    async with keeping.database.anonymous() as connection:
        marked = await recovery.is_marked(connection)
    if marked:
        _log.warning("tiers wait for `sgi rebuild --missing`: the database came back")
    return marked


async def _establishments(keeping: Keeping) -> Sequence[UUID]:
    async with keeping.database.anonymous() as connection:
        return [found for found, _ in await accounts.establishments(connection)]
