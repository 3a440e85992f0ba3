"""`/api/v1/cases/{case}/work-orders`, rescans: what is asked of the laboratory and scanners."""

from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from sgi.api.case_answers import WorkOrderOut, work_order_out
from sgi.api.case_trace import Words, author_of, note
from sgi.api.services import services_of, session_of
from sgi.catalogue import interfaces, work_orders
from sgi.catalogue.audit import Action
from sgi.catalogue.database import Connection
from sgi.catalogue.turns import transacted
from sgi.domain.case import Code, WorkKind, WorkOrder
from sgi.domain.interface import NoticeKind
from sgi.errors import ConflictError, InvalidRequestError

router = APIRouter(prefix="/api/v1", tags=["cases"])

_UNSTAINED = "Say which antibody or stain is asked for (stain)."
_UNTOLD = (
    "No interface sends requests to the laboratory: ask it by telephone, and have an administrator "
    "set the address that the interface sends to."
)


class WorkOrderIn(BaseModel):
    """What is asked of the laboratory."""

    kind: WorkKind
    parent: Words
    """Identifier of the block, or of the specimen, as the laboratory writes it; not our id."""
    stain: Words | None = None
    """As people call it; one of the two names of the stain is there unless a recut is asked for."""
    stain_code: Words | None = None
    stain_system: Words | None = None
    words: Words | None = None


class RescanIn(BaseModel):
    """Why a new scan is needed."""

    reason: Words


class RescanOut(BaseModel):
    """A glass that is to be scanned again."""

    glass_id: UUID
    identifier: str
    stains: list[str]
    asked_at: str
    reason: str | None
    asked_by: str | None
    case_id: UUID | None
    accession_number: str | None
    priority: str | None
    extemporane: bool


class RescansOut(BaseModel):
    """The scanner room's list, the most urgent first."""

    items: list[RescanOut]


@router.post("/cases/{case_id}/work-orders")
async def ask_work(case_id: UUID, body: WorkOrderIn, request: Request) -> WorkOrderOut:
    """Ask the laboratory for a recut or a stain; 409 where no interface would tell it.

    A new scan is asked for at the slide.
    """
    if body.kind is WorkKind.RESCAN:
        raise InvalidRequestError("A new scan is asked for at the slide.")
    stains = _stains(body)
    if body.kind is not WorkKind.RECUT and not stains:
        raise InvalidRequestError(_UNSTAINED)
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        order = await work_orders.ask(
            connection,
            case_id,
            body.kind,
            body.parent,
            stains,
            body.words,
            author_of(session),
        )
        if NoticeKind.WORK_ORDER not in await interfaces.told(connection):
            raise ConflictError(_UNTOLD)  # after what is not there: what was asked is undone
        await note(connection, request, Action.ASK_WORK, case_id)
    return work_order_out(order)


@router.post("/cases/{case_id}/work-orders/{order_id}/withdraw")
async def withdraw_work(case_id: UUID, order_id: UUID, request: Request) -> WorkOrderOut:
    """Take back what was asked for; 409 once the laboratory has answered."""
    session = session_of(request)

    async def act(connection: Connection) -> WorkOrder:
        order = await work_orders.withdraw(connection, case_id, order_id, author_of(session))
        await note(connection, request, Action.WITHDRAW_WORK, case_id)
        return order

    database = services_of(request).database
    return work_order_out(await transacted(database, session.establishment_id, act))


@router.post("/cases/{case_id}/glass/{glass_id}/rescan")
async def ask_rescan(
    case_id: UUID, glass_id: UUID, body: RescanIn, request: Request
) -> WorkOrderOut:
    """Ask for a new scan of a slide; 409 when that is asked for already."""
    session = session_of(request)

    async def act(connection: Connection) -> WorkOrder:
        order = await work_orders.ask_rescan(
            connection, case_id, glass_id, body.reason, author_of(session)
        )
        await note(connection, request, Action.ASK_RESCAN, case_id)
        return order

    database = services_of(request).database
    return work_order_out(await transacted(database, session.establishment_id, act))


@router.post("/cases/{case_id}/glass/{glass_id}/rescan/withdraw")
async def withdraw_rescan(case_id: UUID, glass_id: UUID, request: Request) -> WorkOrderOut:
    """Take back that a new scan was asked for; 409 when none is."""
    session = session_of(request)

    async def act(connection: Connection) -> WorkOrder:
        order = await work_orders.withdraw_rescan(connection, case_id, glass_id, author_of(session))
        await note(connection, request, Action.WITHDRAW_RESCAN, case_id)
        return order

    database = services_of(request).database
    return work_order_out(await transacted(database, session.establishment_id, act))


@router.get("/rescans")
async def list_rescans(request: Request) -> RescansOut:
    """Every slide that is to be scanned again."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        found = await work_orders.to_rescan(connection)
    return RescansOut(
        items=[
            RescanOut(
                glass_id=row["glass_id"],
                identifier=row["identifier"],
                stains=[stain.text or stain.code for stain in row["stains"]],
                asked_at=row["rescan_asked_at"].isoformat(),
                reason=row["rescan_reason"],
                asked_by=row["rescan_asked_by"],
                case_id=row["case_id"],
                accession_number=row["accession_number"],
                priority=row["priority"],
                extemporane=bool(row["extemporane"]),
            )
            for row in found
        ]
    )


def _stains(body: WorkOrderIn) -> tuple[Code, ...]:
    if body.stain is None and body.stain_code is None:
        return ()
    return (Code(body.stain_code or "", body.stain, body.stain_system),)
