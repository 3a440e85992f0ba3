"""`/api/v1/capacity`: what is stored, by tier and month, and what the coming years will take."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from sgi.api.capacity_answers import (
    ActivityOut,
    CapacityOut,
    ForecastOut,
    PeriodOut,
    SeenOut,
    StoredMonthOut,
    StoredOut,
    TotalOut,
)
from sgi.api.capacity_csv import forecast_csv, stored_csv
from sgi.api.language import requested_language
from sgi.api.services import actor_of, services_of, session_of
from sgi.api.sign_in import EstablishmentOut
from sgi.catalogue import audit, capacity, retention, tiers
from sgi.catalogue.audit import Action
from sgi.domain.capacity import StoredMonth, activity_from, came_by_month, seen
from sgi.domain.forecast import Activity, Forecast, Period, Prices, Stored, forecast
from sgi.domain.tiers import TierEvent, TierPolicy
from sgi.stored.forecast import StoredActivity, write_activity

router = APIRouter(prefix="/api/v1/capacity", tags=["capacity"])


@router.get("")
async def get_capacity(request: Request) -> CapacityOut:
    """Slides and bytes by tier and month of publication; one copy, without caches."""
    session = session_of(request)
    found = await _stored(request)
    slides = sum(month.slides for month in found.months)
    original = sum(month.original_bytes for month in found.months)
    warm = sum(month.stored_bytes for month in found.months if month.tier == "warm")
    cold = sum(month.stored_bytes for month in found.months if month.tier == "cold")
    return CapacityOut(
        items=[
            StoredMonthOut(
                month=month.month,
                tier=month.tier,
                slides=month.slides,
                size_bytes=month.stored_bytes,
                original_bytes=month.original_bytes,
            )
            for month in found.months
        ],
        total=TotalOut(
            slides=slides,
            size_bytes=warm + cold,
            warm_bytes=warm,
            cold_bytes=cold,
            mean_size_bytes=round(original / slides) if slides else None,
        ),
        establishment=EstablishmentOut(
            id=session.establishment_id, name=session.establishment_name
        ),
    )


@router.get(".csv")
async def get_capacity_csv(request: Request) -> Response:
    """The same as a table for a spreadsheet, in the language of the request or `?lang=`."""
    found = await _stored(request)
    return _download(stored_csv(found.months, requested_language(request)), "capacity")


@router.get("/activity")
async def get_activity(request: Request) -> ActivityOut:
    """What is typed in, what is offered, and what was seen."""
    return _activity(request, await _stored(request))


@router.put("/activity")
async def put_activity(wanted: Activity, request: Request) -> ActivityOut:
    """Keep what an administrator typed in; what is left out gets its usual value."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        changed_at = await capacity.set_activity(connection, establishment_id, wanted)
        await audit.record(
            connection, establishment_id, actor_of(request), Action.CHANGE_FORECAST_ACTIVITY
        )
        stored = StoredActivity(
            establishment_id=establishment_id, activity=wanted, changed_at=changed_at
        )
        await asyncio.to_thread(write_activity, services_of(request).stores.warm, stored)
    return _activity(request, await _stored(request))


@router.post("/forecast")
async def post_forecast(wanted: Activity, request: Request) -> ForecastOut:
    """What if: from what is stored today and this activity; nothing is kept."""
    start, made = await _forecast(wanted, request)
    return ForecastOut(
        start=start,
        at_start=StoredOut(**_stored_out(made.at_start)),
        months=[_period(period) for period in made.months],
        years=[_period(period) for period in made.years],
        warm_full=made.warm_full,
        cold_full=made.cold_full,
    )


@router.post("/forecast.csv")
async def post_forecast_csv(wanted: Activity, request: Request) -> Response:
    """The same, month by month, as a table for a spreadsheet."""
    _, made = await _forecast(wanted, request)
    return _download(forecast_csv(made.months, requested_language(request)), "forecast")


@dataclass(frozen=True, slots=True)
class _Found:
    months: Sequence[StoredMonth]
    first_day: date | None
    typed_in: Activity | None
    retention_years: int
    policy: TierPolicy


async def _stored(request: Request) -> _Found:
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        return _Found(
            await capacity.by_month(connection),
            await capacity.first_day(connection),
            await capacity.activity(connection),
            (await retention.rule(connection)).years,
            await tiers.policy(connection),
        )


def _activity(request: Request, found: _Found) -> ActivityOut:
    storage = services_of(request).settings.storage
    what_was_seen = seen(found.months, found.first_day, _today())
    offered = activity_from(
        what_was_seen,
        copies=1 if storage.second is None else 2,
        days_until_cold=_days_until_cold(found.policy),
        retention_years=found.retention_years,
        prices=_prices(found.policy),
    )
    return ActivityOut(
        activity=found.typed_in or offered,
        typed_in=found.typed_in is not None,
        offered=offered,
        seen=SeenOut(**asdict(what_was_seen)),
    )


async def _forecast(wanted: Activity, request: Request) -> tuple[date, Forecast]:
    found = await _stored(request)
    start = _today().replace(day=1)
    return start, forecast(wanted, start, came_by_month(found.months))


def _days_until_cold(policy: TierPolicy) -> int | None:
    """The shortest: slides that are looked at become cold later."""
    days = [policy.days(event) for event in TierEvent] if policy.active else []
    return min((one for one in days if one is not None), default=None)


def _prices(policy: TierPolicy) -> Prices | None:
    if policy.warm_price is None or policy.cold_price is None:
        return None
    return Prices(warm=min(policy.warm_price, 100_000), cold=min(policy.cold_price, 100_000))


def _stored_out(stored: Stored) -> dict[str, float]:
    return {"warm_bytes": stored.warm_bytes, "cold_bytes": stored.cold_bytes}


def _period(period: Period) -> PeriodOut:
    return PeriodOut(
        first_day=period.first_day,
        last_day=period.last_day,
        slides=period.came.slides,
        size_bytes=period.came.size_bytes,
        destroyed_slides=period.destroyed.slides,
        destroyed_bytes=period.destroyed.size_bytes,
        kept_slides=period.kept.slides,
        kept_bytes=period.kept.size_bytes,
        cost=period.cost,
        cost_since_start=period.cost_since_start,
        **_stored_out(period.stored),
    )


def _download(text: str, name: str) -> Response:
    return Response(
        text.encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}-{_today()}.csv"',
            "Cache-Control": "no-store",
        },
    )


def _today() -> date:
    return datetime.now(UTC).date()
