"""States, reports and work orders end alike in whatever order messages come."""

import itertools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sgi.catalogue import cases, reports, specimens, work_orders
from sgi.catalogue.case_history import Author
from sgi.catalogue.reports import ReportRow
from sgi.domain.case import (
    Asset,
    AssetKind,
    CaseEvent,
    CaseSaid,
    CaseState,
    WorkState,
)
from sgi.errors import ConflictError, NotFoundError

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBER = "26P00123"
GLASS = Asset(AssetKind.SLIDE, "26P00123.A.1.1", NUMBER, comment="fragile")
DOCTOR = Author(uuid.uuid4(), "Dr")


@pytest.fixture
def within(run: Any, database: Any, here: Any) -> Callable[..., Any]:
    """Runs `what(connection)` in a transaction of this establishment."""

    async def inside(what: Callable[..., Any]) -> Any:
        async with database.transaction(here.id) as connection:
            return await what(connection)

    return lambda what: run(inside(what))


def minute(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


async def play(connection: Any, here: Any, what: str, at: int) -> None:
    said: dict[str, Any] = {"said_at": minute(at), "source": what}
    match what:
        case "cancel":
            await cases.cancel_case(connection, here.id, NUMBER, **said)
        case "report":
            row = ReportRow(NUMBER, None, "final", "D", None, None, "text/plain", b"x")
            await reports.attach_report(connection, here.id, row, **said)
        case _:
            state = None if what == "again" else CaseState(what)
            told = CaseSaid(NUMBER, state=state)
            await cases.record_case(connection, here.id, told, None, **said)


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        (("signed_out", "cancel", "again"), CaseState.SIGNED_OUT),
        (("signed_out", "reading"), CaseState.READING),
        (("signed_out", "reported"), CaseState.REPORTED),
        (("again", "report", "reported"), CaseState.REPORTED),
        (("again", "report", "reading"), CaseState.READING),
        (("report", "cancel", "again"), CaseState.SIGNED_OUT),
    ],
)
def test_states_and_reports_end_alike_in_any_order(
    run: Any, database: Any, make_establishment: Any, steps: tuple[str, ...], ends: CaseState
) -> None:
    async def all_of(there: Any, order: tuple[tuple[int, str], ...]) -> CaseState:
        async with database.transaction(there.id) as connection:
            for at, what in order:
                await play(connection, there, what, at)
            case = await cases.by_accession(connection, NUMBER)
            assert case is not None
            return case.state

    for order in itertools.permutations(enumerate(steps)):
        assert run(all_of(make_establishment(), order)) is ends, order


def test_an_older_final_report_does_not_close_what_a_person_reopened(
    within: Any, here: Any
) -> None:
    async def go(connection: Any) -> Any:
        await play(connection, here, "again", 0)
        await play(connection, here, "report", 2)
        case = await cases.by_accession(connection, NUMBER)
        assert case is not None
        await cases.advance(connection, case.id, CaseEvent.REOPEN, DOCTOR)
        row = ReportRow(NUMBER, None, "final", "E", None, None, "text/plain", b"y")
        await reports.attach_report(connection, here.id, row, said_at=minute(1), source="x")
        return await cases.by_id(connection, case.id)

    assert within(go).state is CaseState.READING


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_late_refusal_does_not_undo_an_acceptance(
    within: Any, here: Any, order: tuple[int, int]
) -> None:
    async def go(connection: Any) -> Any:
        glass_id = await specimens.record_asset(connection, here.id, GLASS, said_at=AT, source="x")
        case = await cases.by_accession(connection, NUMBER)
        assert case is not None
        asked = await work_orders.ask_rescan(connection, case.id, glass_id, "blurred", DOCTOR)
        for step in order:
            said: dict[str, Any] = {"said_at": minute(step), "source": "x"}
            if step == 0:
                await work_orders.refuse(connection, asked.placer_number, "no", **said)
            else:
                await work_orders.accept_work_order(
                    connection,
                    here.id,
                    placer_number=asked.placer_number,
                    filler_number="F",
                    temporary_id=None,
                    asset=None,
                    **said,
                )
        return await work_orders.by_id(connection, asked.id), await work_orders.to_rescan(
            connection
        )

    told, listed = within(go)
    assert told.state is WorkState.ACCEPTED
    assert len(listed) == 1


@pytest.mark.parametrize("how", ["refused", "withdrawn", "cancelled"])
def test_a_rescan_that_will_not_come_leaves_the_list(within: Any, here: Any, how: str) -> None:
    async def go(connection: Any) -> None:
        glass_id = await specimens.record_asset(connection, here.id, GLASS, said_at=AT, source="x")
        glass = await specimens.glass_by_id(connection, glass_id)
        assert glass is not None
        assert glass.comment == "fragile"
        case = await cases.by_accession(connection, NUMBER)
        assert case is not None
        asked = await work_orders.ask_rescan(connection, case.id, glass_id, "blurred", DOCTOR)
        said: dict[str, Any] = {"said_at": minute(1), "source": "x"}
        if how == "refused":
            await work_orders.refuse(connection, asked.placer_number, "no", **said)
        elif how == "withdrawn":
            await work_orders.withdraw_rescan(connection, case.id, glass_id, DOCTOR)
            with pytest.raises(ConflictError):
                await work_orders.withdraw_rescan(connection, case.id, glass_id, DOCTOR)
        else:
            await specimens.cancel_asset(connection, here.id, GLASS, **said)
        assert await work_orders.to_rescan(connection) == []
        after = await work_orders.by_id(connection, asked.id)
        assert after is not None
        assert after.state == ("withdrawn" if how == "cancelled" else how)
        case = await cases.by_id(connection, case.id)
        assert case is not None
        assert case.rescans == 0
        if how != "cancelled":
            await work_orders.ask_rescan(connection, case.id, glass_id, "again", DOCTOR)

    within(go)


@pytest.mark.parametrize("known_first", [True, False])
def test_reports_are_found_by_the_placers_number_and_by_their_document(
    within: Any, here: Any, known_first: bool
) -> None:
    def row(**said: Any) -> ReportRow:
        fields: dict[str, Any] = dict.fromkeys(("accession_number", "placer_number", "title"))
        fields |= {"status": "final", "document_id": "D", "replaces": None, "content": b"x"}
        return ReportRow(**{**fields, "media_type": "text/plain", **said})

    async def go(connection: Any) -> Any:
        said: dict[str, Any] = {"said_at": minute(1), "source": "x"}
        if known_first:
            await play(connection, here, "again", 0)
        await reports.attach_report(connection, here.id, row(placer_number="D26"), **said)
        told = CaseSaid(NUMBER, placer_number="D26")
        await cases.record_case(connection, here.id, told, None, **said)
        deleted = row(status="deleted", content=b"")
        await reports.attach_report(connection, here.id, deleted, said_at=minute(2), source="x")
        with pytest.raises(NotFoundError):
            await reports.attach_report(
                connection, here.id, row(status="deleted", document_id="other"), **said
            )
        case = await cases.by_accession(connection, NUMBER)
        assert case is not None
        return await reports.of_case(connection, case.id)

    final, deleted = within(go)
    assert final.withdrawn_at is not None
    assert deleted.status == "deleted"
