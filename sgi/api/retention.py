"""`/api/v1/retention`: how long this establishment keeps its slides, and which are due."""

import asyncio
import base64
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, StringConstraints

from sgi.api.services import WITHOUT_NUL, actor_of, services_of, session_of
from sgi.catalogue import audit, retention
from sgi.catalogue.audit import Action
from sgi.catalogue.retention import DueSlide, RuleChange
from sgi.domain.retention import (
    FEWEST_YEARS,
    LONGEST_REASON,
    LONGEST_WAIT,
    MOST_YEARS,
    SHORTEST_REASON,
    RetentionRule,
)
from sgi.errors import InvalidRequestError
from sgi.jobs.retention import defer_retention
from sgi.stored.retention import StoredRule, write_rule
from sgi.stores import Stores
from storage.errors import StorageError
from storage.locks import lockable

router = APIRouter(prefix="/api/v1", tags=["retention"])

ReasonText = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        pattern=WITHOUT_NUL,
    ),
]
"""Why, in the words of who does it; never a patient's name."""

_DAY = timedelta(days=1)


class StoreLockOut(BaseModel):
    """Whether a store itself guards what it holds."""

    store: str
    """"warm", "cold" or "second"."""
    object_lock: bool | None
    """None when the store did not answer."""


class RetentionOut(BaseModel):
    """The rule that holds."""

    years: int
    wait_days: float
    """Between an approval and the destruction."""
    counted_from: str = "last_contact"
    """The newest of the slide's publication and the patient's last case and stay."""
    reason: str | None
    """None, as the two below, while nobody has changed the usual rule."""
    changed_by: str | None
    changed_at: datetime | None
    stores: list[StoreLockOut]


class RetentionIn(BaseModel):
    """Another rule; for the slides that are there already, too."""

    years: Annotated[int, Field(ge=FEWEST_YEARS, le=MOST_YEARS)]
    wait_days: Annotated[float, Field(ge=0, le=LONGEST_WAIT / _DAY, allow_inf_nan=False)] | None = (
        None
    )
    """None leaves it as it is."""
    reason: ReasonText


class DueOut(BaseModel):
    """A slide whose retention has ended."""

    id: UUID
    file_name: str
    published_at: datetime
    kept_until: date
    size_bytes: int
    held: bool
    destruction_id: UUID | None


class DuePage(BaseModel):
    """Oldest first."""

    items: list[DueOut]
    next: str | None
    """Give it as `after` for the next page; None on the last."""


@router.get("/retention")
async def get_retention(request: Request) -> RetentionOut:
    """How long slides are kept here, and whether the stores guard them, too."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        change = await retention.change(connection)
    locks = await asyncio.to_thread(_locks, services.stores)
    return _out(change, locks)


@router.put("/retention")
async def put_retention(wanted: RetentionIn, request: Request) -> RetentionOut:
    """Another rule, with the reason; it changes when slides are due, and destroys none."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        before = await retention.rule(connection)
        wait = before.wait if wanted.wait_days is None else wanted.wait_days * _DAY
        change = await retention.set_rule(
            connection,
            session.establishment_id,
            RetentionRule(wanted.years, wait),
            wanted.reason,
            session.account_name,
        )
        await audit.record(
            connection, session.establishment_id, actor_of(request), Action.CHANGE_RETENTION
        )
        await defer_retention(connection, session.establishment_id)
        stored = StoredRule(
            establishment_id=session.establishment_id,
            years=change.rule.years,
            wait_days=change.rule.wait / _DAY,
            reason=change.reason,
            changed_by=change.changed_by,
            changed_at=change.changed_at,
        )
        await asyncio.to_thread(write_rule, services.stores.warm, stored)
    return _out(change, await asyncio.to_thread(_locks, services.stores))


@router.get("/retention/due")
async def list_due(
    request: Request,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DuePage:
    """Slides whose retention has ended, for review: nothing is destroyed by itself."""
    services, session = services_of(request), session_of(request)
    position = None if after is None else _parse_cursor(after)
    async with services.database.transaction(session.establishment_id) as connection:
        years = (await retention.rule(connection)).years
        today = datetime.now(UTC).date()
        found = await retention.due(connection, today, years, limit + 1, position)
    page = found[:limit]
    return DuePage(
        items=[DueOut.model_validate(slide, from_attributes=True) for slide in page],
        next=_cursor(page[-1]) if len(found) > limit else None,
    )


def _out(change: RuleChange | None, locks: list[StoreLockOut]) -> RetentionOut:
    rule = RetentionRule() if change is None else change.rule
    return RetentionOut(
        years=rule.years,
        wait_days=rule.wait / _DAY,
        reason=None if change is None else change.reason,
        changed_by=None if change is None else change.changed_by,
        changed_at=None if change is None else change.changed_at,
        stores=locks,
    )


def _locks(stores: Stores) -> list[StoreLockOut]:
    places = {"warm": stores.warm, "cold": stores.cold, "second": stores.second}
    told = []
    for name, store in places.items():
        if store is None:
            continue
        locks = lockable(store)
        try:
            offered = locks is not None and locks.offers_lock()
        except StorageError:
            told.append(StoreLockOut(store=name, object_lock=None))
        else:
            told.append(StoreLockOut(store=name, object_lock=offered))
    return told


def _cursor(slide: DueSlide) -> str:
    text = f"{slide.published_at.isoformat()} {slide.id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, slide_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return datetime.fromisoformat(at), UUID(slide_id)
    except ValueError as error:
        raise InvalidRequestError("The cursor is not one that was given out.") from error
