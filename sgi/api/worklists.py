"""`/api/v1/worklists`: the lists of cases, narrowed and searched, a page at a time; and all cases.

What is searched for may be a patient's name, and addresses end in logs: screens send it in bodies.
"""

import base64
import json
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from sgi.api.case_summaries import CaseSummary, listed_patient_out, summary
from sgi.api.services import ONE_LINE, WITHOUT_NUL, actor_of, services_of, session_of
from sgi.catalogue import audit, saved_filters, worklists
from sgi.catalogue.audit import Action
from sgi.catalogue.worklists import Line, Position
from sgi.domain.case import CaseState, Priority
from sgi.domain.worklist import COUNTED_TO, CaseFilter, Order, Worklist
from sgi.errors import InvalidRequestError, NotFoundError

router = APIRouter(prefix="/api/v1", tags=["worklists"])

Text = Annotated[str, StringConstraints(max_length=200, pattern=WITHOUT_NUL)]


class CountOut(BaseModel):
    """A list and how many cases it has."""

    name: Worklist
    count: int
    capped: bool
    """Counting ended at `count`: there are more."""


class CountsOut(BaseModel):
    """Every list."""

    items: list[CountOut]


class SearchIn(BaseModel):
    """What a list is narrowed to; what is left out narrows nothing."""

    q: Text | None = None
    """Words, or their beginnings, of accession number, patient, organ and stain, or a label."""
    accession_number: Text | None = None
    """The whole of one, as the laboratory writes it."""
    state: list[CaseState] = Field(default=[], max_length=len(CaseState))
    priority: Priority | None = None
    extemporane: bool | None = None
    organ: Text | None = None
    """The whole name of one."""
    service: Text | None = None
    """Its code."""
    account: UUID | None = None
    group: UUID | None = None
    patient: UUID | None = None
    received_from: AwareDatetime | None = None
    received_before: AwareDatetime | None = None
    due_before: AwareDatetime | None = None
    order: Order | None = None
    """The list of all cases goes by receipt, the newest first, whatever is said here."""
    after: Text | None = None
    """`next` of the page before."""
    limit: int = Field(default=60, ge=1, le=200)


class SearchBody(SearchIn):
    """The same; nothing else is said in it, since a misspelt word would narrow nothing."""

    model_config = ConfigDict(extra="forbid")


class WorklistOut(BaseModel):
    """One page."""

    name: Worklist
    items: list[CaseSummary]
    next: str | None
    """Give it as `after` for the next page; None on the last."""


class FilterIn(BaseModel):
    """A search to keep."""

    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=ONE_LINE),
    ]
    worklist: Worklist
    q: Text = ""


class FilterOut(BaseModel):
    """A search that this account keeps."""

    id: UUID
    name: str
    worklist: Worklist
    q: str


class FiltersOut(BaseModel):
    """By name."""

    items: list[FilterOut]


@router.get("/worklists")
async def list_worklists(request: Request) -> CountsOut:
    """The lists, each counted up to a thousand."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        counted = await worklists.counts(connection, session.account_id)
    return CountsOut(
        items=[
            CountOut(name=name, count=min(count, COUNTED_TO), capped=count > COUNTED_TO)
            for name, count in counted.items()
        ]
    )


@router.get("/worklists/{name}")
async def get_worklist(
    name: Worklist, request: Request, asked: Annotated[SearchIn, Query()]
) -> WorklistOut:
    """A page of a list; names of people belong into the body of a search, not into an address."""
    return await _page(request, name, asked)


@router.post("/worklists/{name}/search")
async def search_worklist(name: Worklist, request: Request, asked: SearchBody) -> WorklistOut:
    """The same, what is asked for in the body."""
    return await _page(request, name, asked)


@router.get("/cases")
async def list_cases(
    request: Request,
    asked: Annotated[SearchIn, Query()],
) -> WorklistOut:
    """All cases, the newest first."""
    return await _page(request, Worklist.ALL, asked)


@router.get("/worklist-filters")
async def list_filters(request: Request) -> FiltersOut:
    """The searches that this account keeps."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        found = await saved_filters.of_account(connection, session.account_id)
    return FiltersOut(
        items=[FilterOut.model_validate(each, from_attributes=True) for each in found]
    )


@router.post("/worklist-filters")
async def save_filter(body: FilterIn, request: Request) -> FilterOut:
    """Keep a search; one of the same name is replaced. 409 for more than a hundred."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        kept = await saved_filters.save(
            connection,
            session.establishment_id,
            session.account_id,
            body.name,
            body.worklist,
            body.q,
        )
    return FilterOut.model_validate(kept, from_attributes=True)


@router.delete("/worklist-filters/{filter_id}", status_code=204)
async def forget_filter(filter_id: UUID, request: Request) -> None:
    """404 for one that this account does not keep."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        if not await saved_filters.forget(connection, session.account_id, filter_id):
            raise NotFoundError("There is no such search.")


async def _page(request: Request, name: Worklist, asked: SearchIn) -> WorklistOut:
    session = session_of(request)
    after = None if asked.after is None else _parse_cursor(asked.after, name, asked.order)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        lines = await worklists.page(
            connection,
            name,
            session.account_id,
            _filter(asked),
            order=asked.order,
            after=after,
            limit=asked.limit + 1,
        )
        # The names of patients were seen: said once a session, since lists are asked for always.
        await audit.record_once(
            connection,
            session.establishment_id,
            actor_of(request),
            Action.LIST_CASES,
            session.id,
        )
    page = lines[: asked.limit]
    return WorklistOut(
        name=name,
        items=[
            CaseSummary.model_validate(summary(line, listed_patient_out(line.patient)))
            for line in page
        ],
        next=_cursor(page[-1], name, asked.order) if len(lines) > asked.limit else None,
    )


def _filter(asked: SearchIn) -> CaseFilter:
    return CaseFilter(
        text=asked.q if asked.q and asked.q.strip() else None,
        accession_number=asked.accession_number or None,
        states=tuple(asked.state),
        priority=asked.priority,
        extemporane=asked.extemporane,
        organ=asked.organ or None,
        service=asked.service or None,
        account_id=asked.account,
        group_id=asked.group,
        patient_id=asked.patient,
        received_from=asked.received_from,
        received_before=asked.received_before,
        due_before=asked.due_before,
    )


def _cursor(line: Line, name: Worklist, order: Order | None) -> str:
    position = worklists.position_of(line, name, order)
    values = [
        value.isoformat() if isinstance(value, datetime) else value for value in position.values
    ]
    said = json.dumps([worklists.order_of(name, order), *values, str(position.id)])
    return base64.urlsafe_b64encode(said.encode()).decode()


def _parse_cursor(cursor: str, name: Worklist, order: Order | None) -> Position:
    wanted = worklists.order_of(name, order)
    try:
        said_order, *values, case_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        read = tuple(_value(value) for value in values)
        if said_order == wanted and len(read) == (2 if wanted is Order.PRIORITY else 1):
            return Position(read, UUID(case_id))
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise InvalidRequestError("The cursor is not one that was given out for this list.")


def _value(value: object) -> datetime | int:
    if isinstance(value, int) and 0 <= value <= 3:
        return value
    read = datetime.fromisoformat(str(value))
    if read.tzinfo is None:
        raise ValueError
    return read
