"""`/api/v1/tiers` and `/api/v1/slides/{slide}/restore`: where slides lie, and who moves them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from sgi.api.language import requested_language
from sgi.api.services import Services, actor_of, services_of, session_of
from sgi.catalogue import audit, integrity, slides, tiers
from sgi.catalogue.audit import Action
from sgi.catalogue.database import Connection
from sgi.domain.account import Session
from sgi.domain.failures import failure_told
from sgi.domain.slide import Slide
from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState, TierMove, TierPolicy, cold_levels, levels_to_cool
from sgi.domain.words import Language
from sgi.errors import ConflictError, NotFoundError, UncopiedError
from sgi.jobs.tiers import defer_move
from sgi.stored.tiers import StoredTierPolicy, write_tier_policy

router = APIRouter(prefix="/api/v1", tags=["tiers"])

NO_COLD_STORE = (
    "There is no cold store: an administrator sets one (SGI_STORAGE__COLD__BUCKET), or the rules "
    "stay inactive."
)
NOTHING_COLD = "Nothing of the slide is cold: it can be opened as it is."
NOTHING_TO_COOL = (
    "Nothing of the slide would move: its large levels are cold already, or it has none that the "
    "rules would send."
)

_LISTED = 100
_TOLD_FOR = timedelta(days=2)
"""How long after its end a move is still told of."""
_TELLING = 0.05
"""Share of a move after which its own speed tells when it ends."""


class MoveOut(BaseModel):
    """A slide on its way between tiers."""

    id: UUID
    slide_id: UUID
    file_name: str
    target: Tier
    """"cold", or "warm" for a restore."""
    state: MoveState
    asked_by: str | None
    """Name of the account; None for the establishment's rules."""
    asked_by_me: bool
    asked_at: datetime
    expected_at: datetime | None
    archive_asked_at: datetime | None
    """Since when an archive thaws what is to be restored (state "thawing")."""
    ended_at: datetime | None
    progress: float
    """0 to 1."""
    reason: str | None
    """Why it has not succeeded so far: a sentence for the administrator."""


class SlideTiersOut(BaseModel):
    """Where the levels of a slide lie; those that are not warm must be restored to be seen."""

    tier: Tier
    """The coldest of its levels."""
    cold_levels: list[int]
    restore_hours: float | None
    """How long a restore takes at most; None where there is no cold store."""
    move: MoveOut | None
    """The latest, while it lasts and a few days after."""


class PolicyOut(BaseModel):
    """The establishment's rules, and what this SGI can do."""

    policy: TierPolicy
    available: bool
    """False when no cold store is set: nothing can move."""
    restore_hours: float | None


class DueOut(BaseModel):
    """A slide that would move."""

    id: UUID
    file_name: str
    published_at: datetime
    last_viewed_at: datetime | None
    size_bytes: int
    cold_bytes: int


class SimulationOut(BaseModel):
    """What rules would do now; nothing was done."""

    slides: int
    size_bytes: int
    """Of the levels that would move."""
    cold_bytes: int
    """What they are expected to take in cold storage."""
    saved_a_month: float | None
    """In the establishment's money; None when it has given no prices."""
    days: int
    """At the pace that was set."""
    items: list[DueOut]
    """The hundred that were published longest ago."""


class MovesOut(BaseModel):
    """Those that are not over first, then the newest."""

    items: list[MoveOut]


def move_out(move: TierMove, account_id: UUID, now: datetime, language: Language) -> MoveOut:
    """The move as `account_id` is told of it."""
    return MoveOut(
        id=move.id,
        slide_id=move.slide_id,
        file_name=move.file_name,
        target=move.target,
        state=move.state,
        asked_by=move.asked_by_name,
        asked_by_me=move.asked_by == account_id,
        asked_at=move.asked_at,
        expected_at=_expected(move, now),
        archive_asked_at=move.archive_asked_at,
        ended_at=move.ended_at,
        progress=move.progress,
        reason=failure_told(move.reason, move.reason_code, language),
    )


def _expected(move: TierMove, now: datetime) -> datetime | None:
    """By its own speed, once that is known."""
    if move.ended_at is not None:
        return None
    running = move.state is MoveState.RUNNING and move.progress >= _TELLING
    if running and move.started_at is not None:
        return now + (now - move.started_at) * (1 / move.progress - 1)
    return move.expected_at


async def slide_tiers_out(
    services: Services,
    session: Session,
    connection: Connection,
    slide: Slide,
    language: Language,
) -> SlideTiersOut:
    """Where the slide lies, as the session is told of it."""
    now = datetime.now(UTC)
    move = await tiers.latest(connection, slide.id)
    if move is not None and move.ended_at is not None and move.ended_at < now - _TOLD_FOR:
        move = None
    cold = cold_levels(slide)
    coldest = Tier.WARM
    if cold:
        restoring = all(level.tier is Tier.RESTORING for level in cold)
        coldest = Tier.RESTORING if restoring else Tier.COLD
    return SlideTiersOut(
        tier=coldest,
        cold_levels=[level.level for level in cold if level.level is not None],
        restore_hours=_restore_hours(services),
        move=None if move is None else move_out(move, session.account_id, now, language),
    )


def _restore_hours(services: Services) -> float | None:
    cold = services.settings.storage.cold
    return None if cold is None or services.stores.cold is None else cold.restore_hours


@router.get("/tiers/policy")
async def get_policy(request: Request) -> PolicyOut:
    """When slides of this establishment become cold."""
    services = services_of(request)
    async with services.database.transaction(session_of(request).establishment_id) as connection:
        policy = await tiers.policy(connection)
    return _policy_out(services, policy)


def _policy_out(services: Services, policy: TierPolicy) -> PolicyOut:
    available = services.stores.cold is not None
    return PolicyOut(policy=policy, available=available, restore_hours=_restore_hours(services))


@router.put("/tiers/policy")
async def put_policy(wanted: TierPolicy, request: Request) -> PolicyOut:
    """Other rules, from now on; what is left out gets its usual value."""
    services, establishment_id = services_of(request), session_of(request).establishment_id
    if wanted.active and services.stores.cold is None:
        raise ConflictError(NO_COLD_STORE)
    stored = StoredTierPolicy(
        establishment_id=establishment_id, policy=wanted, changed_at=datetime.now(UTC)
    )
    async with services.database.transaction(establishment_id) as connection:
        await tiers.set_policy(connection, establishment_id, wanted)
        await audit.record(
            connection, establishment_id, actor_of(request), Action.CHANGE_TIER_POLICY
        )
        await asyncio.to_thread(write_tier_policy, services.stores.warm, stored)
    return _policy_out(services, wanted)


@router.post("/tiers/policy/simulate")
async def simulate(wanted: TierPolicy, request: Request) -> SimulationOut:
    """What these rules would do now, whether they are active or not; nothing is done."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        found, count, size_bytes, cold_bytes = await tiers.due(
            connection, wanted, datetime.now(UTC), _LISTED
        )
    return SimulationOut(
        slides=count,
        size_bytes=size_bytes,
        cold_bytes=cold_bytes,
        saved_a_month=wanted.saved_a_month(size_bytes, cold_bytes),
        days=-(-count // wanted.slides_per_day),
        items=[
            DueOut(
                id=slide.id,
                file_name=slide.file_name,
                published_at=slide.published_at,
                last_viewed_at=slide.last_viewed_at,
                size_bytes=slide.size_bytes,
                cold_bytes=slide.cold_bytes,
            )
            for slide in found
        ],
    )


@router.get("/tiers/moves")
async def list_moves(
    request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> MovesOut:
    """Slides on their way, and those that moved lately."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        found = await tiers.newest(connection, limit)
    now = datetime.now(UTC)
    language = requested_language(request)
    return MovesOut(items=[move_out(move, session.account_id, now, language) for move in found])


@router.post("/slides/{slide_id}/restore", status_code=202)
async def restore(slide_id: UUID, request: Request) -> SlideTiersOut:
    """Ask for full power again; asked twice, it is one restore. 409 where nothing is cold."""
    return await _ask(slide_id, request, Tier.WARM)


@router.post("/slides/{slide_id}/cold", status_code=202)
async def cool(slide_id: UUID, request: Request) -> SlideTiersOut:
    """Send the large levels to cold storage now, whatever the rules say; 409 where none is warm."""
    return await _ask(slide_id, request, Tier.COLD)


async def _ask(slide_id: UUID, request: Request, target: Tier) -> SlideTiersOut:
    services, session = services_of(request), session_of(request)
    hours = _restore_hours(services)
    if hours is None:
        raise ConflictError(NO_COLD_STORE)
    async with services.database.transaction(session.establishment_id) as connection:
        slide = await slides.by_id(connection, slide_id)
        if slide is None:
            raise NotFoundError("There is no such slide.")
        running = await tiers.latest(connection, slide_id)
        open_move = running if running is not None and running.ended_at is None else None
        if open_move is None or open_move.target is not target:
            if open_move is not None:  # the opposite is asked for now
                await tiers.end(connection, open_move.id, MoveState.CANCELLED)
            elif not await _has_something_to_move(connection, slide, target):
                raise ConflictError(NOTHING_COLD if target is Tier.WARM else NOTHING_TO_COOL)
            elif target is Tier.COLD and services.stores.second is not None:
                await _require_copied(connection, slide)
            await _begin(connection, request, slide, target, hours)
            slide = await slides.by_id(connection, slide_id) or slide
        language = requested_language(request)
        return await slide_tiers_out(services, session, connection, slide, language)


async def _has_something_to_move(connection: Connection, slide: Slide, target: Tier) -> bool:
    if target is Tier.WARM:
        return bool(cold_levels(slide))
    return bool(levels_to_cool(slide, (await tiers.policy(connection)).warm_side))


async def _require_copied(connection: Connection, slide: Slide) -> None:
    if not await integrity.is_copied(connection, slide.id):
        raise UncopiedError("The slide has no second copy yet; try again in some minutes.")


async def _begin(
    connection: Connection, request: Request, slide: Slide, target: Tier, hours: float
) -> None:
    restores = target is Tier.WARM
    move = await tiers.ask(
        connection,
        slide.establishment_id,
        slide.id,
        target,
        session_of(request).account_id,
        datetime.now(UTC) + timedelta(hours=hours) if restores else None,
    )
    if move is None:  # somebody was quicker
        return
    if restores:
        await tiers.set_restoring(connection, slide.id)
    else:
        await tiers.give_up_restoring(connection, slide.id)
    await defer_move(connection, slide.establishment_id, move)
    action = Action.ASK_RESTORE if restores else Action.ASK_COLD
    await audit.record(connection, slide.establishment_id, actor_of(request), action, slide.id)
