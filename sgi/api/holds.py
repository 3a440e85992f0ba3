"""`/api/v1/slides/{id}/hold`: legal holds, placed and lifted by people with a reason."""

import asyncio
from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from sgi.api.retention import ReasonText
from sgi.api.services import Services, actor_of, services_of, session_of
from sgi.catalogue import audit, destructions, holds, retention, slides
from sgi.catalogue.audit import Action
from sgi.catalogue.database import Connection
from sgi.domain.account import Session
from sgi.domain.retention import WITHDRAWABLE, Counted, DestructionState, Hold
from sgi.errors import ConflictError, NotFoundError
from sgi.jobs.retention import defer_protection
from sgi.stored.retention import write_destruction, write_holds

router = APIRouter(prefix="/api/v1", tags=["retention"])

NOT_HELD = "The slide is not held: there is no hold to lift; look at the slide again."
_BY_A_HOLD = "A legal hold was placed on the slide."


class HoldIn(BaseModel):
    """Why a hold is placed or lifted."""

    reason: ReasonText


class HoldOut(BaseModel):
    """A legal hold; the last three are None while it lasts."""

    id: UUID
    slide_id: UUID
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str | None


class HoldsOut(BaseModel):
    """Oldest first of a slide, newest first of an establishment."""

    items: list[HoldOut]
    held: bool


class KeptOut(HoldsOut):
    """How long a slide is kept, and what holds it or threatens it."""

    kept_until: date
    counted_from: date
    """The day from which the years run; a minor's slides are kept longer."""
    counted_by: Counted
    """What says so: the slide's publication, or the patient's newest case or stay."""
    destruction_state: DestructionState | None
    """Of an open one."""
    not_before: datetime | None
    """From when on an approved destruction is carried out."""


@router.get("/slides/{slide_id}/hold")
async def get_hold(slide_id: UUID, request: Request) -> KeptOut:
    """Whether the slide is held, every hold that it ever had, and how long it is kept."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        days = await retention.days_of(connection, slide_id)
        if days is None:
            raise NotFoundError("There is no such slide.")
        years = (await retention.rule(connection)).years
        pending = await destructions.open_of_slide(connection, slide_id)
        told = _out(await holds.of_slide(connection, slide_id))
    return KeptOut(
        items=told.items,
        held=told.held,
        kept_until=days.kept_until(years),
        counted_from=days.start,
        counted_by=days.counted_by,
        destruction_state=None if pending is None else pending.state,
        not_before=None if pending is None else pending.not_before,
    )


@router.get("/holds")
async def list_holds(request: Request) -> HoldsOut:
    """Every slide that is held now."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        return _out(await holds.held(connection))


@router.post("/slides/{slide_id}/hold")
async def place_hold(slide_id: UUID, body: HoldIn, request: Request) -> HoldsOut:
    """Hold the slide: a destruction that was asked for or approved is withdrawn by it.

    409 when it is held already, or is being destroyed.
    """
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        await _require_slide(connection, slide_id)
        await holds.place(
            connection, session.establishment_id, slide_id, body.reason, session.account_name
        )
        await audit.record(
            connection, session.establishment_id, actor_of(request), Action.PLACE_HOLD, slide_id
        )
        await _withdraw(connection, services, session, slide_id, request)
        return await _written(connection, services, session, slide_id)


@router.delete("/slides/{slide_id}/hold")
async def lift_hold(slide_id: UUID, body: HoldIn, request: Request) -> HoldsOut:
    """Lift the slide's hold; 409 when it has none."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        await _require_slide(connection, slide_id)
        if not await holds.lift(connection, slide_id, body.reason, session.account_name):
            raise ConflictError(NOT_HELD)
        await audit.record(
            connection, session.establishment_id, actor_of(request), Action.LIFT_HOLD, slide_id
        )
        return await _written(connection, services, session, slide_id)


async def _require_slide(connection: Connection, slide_id: UUID) -> None:
    if await slides.by_id(connection, slide_id) is None:
        raise NotFoundError("There is no such slide.")


async def _withdraw(
    connection: Connection, services: Services, session: Session, slide_id: UUID, request: Request
) -> None:
    """An approval from before the hold must not strike when the hold is lifted years later."""
    pending = await destructions.open_of_slide(connection, slide_id)
    if pending is None or pending.state not in WITHDRAWABLE:
        return
    withdrawn = await destructions.withdraw(
        connection, pending.id, session.account_name, _BY_A_HOLD
    )
    if withdrawn is not None:
        await audit.record(
            connection,
            session.establishment_id,
            actor_of(request),
            Action.WITHDRAW_DESTRUCTION,
            slide_id,
        )
        await asyncio.to_thread(write_destruction, services.stores.warm, withdrawn)


async def _written(
    connection: Connection, services: Services, session: Session, slide_id: UUID
) -> HoldsOut:
    """In the bucket before the transaction commits; on the objects by a job once it has."""
    all_holds = await holds.of_slide(connection, slide_id)
    await defer_protection(connection, session.establishment_id, slide_id)
    await asyncio.to_thread(
        write_holds, services.stores.warm, session.establishment_id, slide_id, all_holds
    )
    return _out(all_holds)


def _out(found: list[Hold]) -> HoldsOut:
    return HoldsOut(
        items=[HoldOut.model_validate(hold, from_attributes=True) for hold in found],
        held=any(hold.lifted_at is None for hold in found),
    )
