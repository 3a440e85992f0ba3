"""Cases by what messages say, in whatever order they come, and by what people do."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sgi.catalogue import case_history, cases, outbox, reports, specimens
from sgi.catalogue.case_history import Author, Happening
from sgi.catalogue.reports import ReportRow
from sgi.domain.case import Asset, AssetKind, CaseEvent, CaseSaid, CaseState, Code, Priority
from sgi.errors import ConflictError, NotFoundError

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBER = "26P00123"


@pytest.fixture
def within(run: Any, database: Any, here: Any) -> Callable[..., Any]:
    """Runs `what(connection)` in a transaction of this establishment."""

    async def inside(what: Callable[..., Any]) -> Any:
        async with database.transaction(here.id) as connection:
            return await what(connection)

    return lambda what: run(inside(what))


def minute(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def glass(identifier: str = f"{NUMBER}.A.01.01", **said: Any) -> Asset:
    return Asset(AssetKind.SLIDE, identifier, **said)


def test_a_case_is_made_of_what_a_message_says(within: Any, here: Any) -> None:
    said = CaseSaid(
        NUMBER,
        placer_number="D26-1",
        priority=Priority.STAT,
        extemporane=True,
        service=Code("ACP", "Anatomie pathologique"),
        received_at=AT,
        pathologist="80001",
    )

    async def record(connection: Any) -> Any:
        await cases.record_case(connection, here.id, said, None, said_at=AT, source="one")
        return await cases.by_accession(connection, NUMBER)

    case = within(record)
    assert case.accession_number == NUMBER
    assert case.placer_number == "D26-1"
    assert case.priority is Priority.STAT
    assert case.extemporane
    assert case.service == Code("ACP", "Anatomie pathologique")
    assert case.state is CaseState.RECEIVED
    assert case.due_at - case.received_at == timedelta(minutes=30), "a frozen section's"
    assert case.study_uid.startswith("2.25.")


STATEMENTS: list[tuple[datetime, str]] = [
    (minute(0), "new"),
    (minute(1), "urgent"),
    (minute(2), "cancel"),
    (minute(3), "again"),
]


async def say(connection: Any, establishment: Any, at: datetime, what: str) -> None:
    if what == "cancel":
        await cases.cancel_case(connection, establishment.id, NUMBER, said_at=at, source=what)
        return
    said = {
        "new": CaseSaid(NUMBER, priority=Priority.ROUTINE, comment="first", received_at=AT),
        "urgent": CaseSaid(NUMBER, priority=Priority.STAT),
        "again": CaseSaid(NUMBER, comment="last"),
    }[what]
    await cases.record_case(connection, establishment.id, said, None, said_at=at, source=what)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_messages_out_of_order_come_right(
    run: Any, database: Any, make_establishment: Any, order: tuple[int, ...]
) -> None:
    establishment = make_establishment()

    async def play() -> Any:
        async with database.transaction(establishment.id) as connection:
            for index in order:
                await say(connection, establishment, *STATEMENTS[index])
            for index in order:  # and once more: nothing changes
                if STATEMENTS[index][1] != "cancel":
                    await say(connection, establishment, *STATEMENTS[index])
            return await cases.by_accession(connection, NUMBER)

    case = run(play())
    assert case.state is CaseState.RECEIVED, "it was said again after its cancellation"
    assert case.priority is Priority.STAT
    assert case.comment == "last"
    assert case.received_at == AT


def test_a_cancellation_that_comes_first_holds(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        await say(connection, here, minute(5), "cancel")
        await say(connection, here, minute(0), "new")
        return await cases.by_accession(connection, NUMBER)

    case = within(play)
    assert case.state is CaseState.CANCELLED
    assert case.comment == "first", "what it was is known all the same"


def test_of_the_same_time_the_later_received_holds(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        for words in ("one", "other"):
            said = CaseSaid(NUMBER, comment=words)
            await cases.record_case(connection, here.id, said, None, said_at=AT, source=words)
        return await cases.by_accession(connection, NUMBER)

    assert within(play).comment == "other"


def test_a_glass_without_its_case_waits_for_it(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        await specimens.record_asset(
            connection, here.id, glass(accession_number=NUMBER), said_at=minute(1), source="glass"
        )
        before = await cases.by_accession(connection, NUMBER)
        await say(connection, here, minute(0), "new")
        return before, await cases.by_accession(connection, NUMBER)

    before, after = within(play)
    assert before.id == after.id
    assert (after.expected, after.comment) == (1, "first")


def test_the_rules_are_kept_and_each_step_too(within: Any, here: Any) -> None:
    who = Author(account_name="Dr Martin")

    async def play(connection: Any) -> Any:
        await say(connection, here, minute(0), "new")
        case = await cases.by_accession(connection, NUMBER)
        with pytest.raises(ConflictError):
            await cases.advance(connection, case.id, CaseEvent.SIGN_OUT, who)
        for event in (
            CaseEvent.BEGIN,
            CaseEvent.SIGN_OUT,
            CaseEvent.REOPEN,
            CaseEvent.PUT_BACK,
        ):
            await cases.advance(connection, case.id, event, who, why=event)
        return await case_history.of_case(connection, case.id)

    steps = [(e.before, e.after, e.why, e.author.account_name) for e in within(play)]
    assert steps == [
        ("received", "reading", "begin", "Dr Martin"),
        ("reading", "signed_out", "sign_out", "Dr Martin"),
        ("signed_out", "reading", "reopen", "Dr Martin"),
        ("reading", "received", "put_back", "Dr Martin"),
    ]


def test_the_laboratory_closes_a_case_and_takes_that_back(within: Any, here: Any) -> None:
    async def tell(connection: Any, at: int, state: CaseState) -> Any:
        said = CaseSaid(NUMBER, state=state)
        await cases.record_case(connection, here.id, said, None, said_at=minute(at), source="101")
        return (await cases.by_accession(connection, NUMBER)).state

    async def play(connection: Any) -> Any:
        return [
            await tell(connection, 5, CaseState.SIGNED_OUT),
            await tell(connection, 2, CaseState.IN_PROGRESS),
            await tell(connection, 9, CaseState.IN_PROGRESS),
        ]

    assert within(play) == [CaseState.SIGNED_OUT, CaseState.SIGNED_OUT, CaseState.READING]


def test_what_was_signed_out_here_is_not_reopened_by_an_order(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        await say(connection, here, minute(0), "new")
        case = await cases.by_accession(connection, NUMBER)
        await cases.advance(connection, case.id, CaseEvent.BEGIN)
        await cases.advance(connection, case.id, CaseEvent.SIGN_OUT)
        said = CaseSaid(NUMBER, state=CaseState.IN_PROGRESS)
        await cases.record_case(connection, here.id, said, None, said_at=minute(9), source="100")
        return await cases.by_accession(connection, NUMBER)

    case = within(play)
    assert case.state is CaseState.SIGNED_OUT
    assert case.signed_out_at is not None


def test_a_case_is_put_aside_with_a_reason(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        await say(connection, here, minute(0), "new")
        case = await cases.by_accession(connection, NUMBER)
        await cases.hold(connection, case.id, Author(), "waiting for a colleague")
        with pytest.raises(ConflictError):
            await cases.hold(connection, case.id, Author(), "again")
        held = await cases.by_id(connection, case.id)
        await cases.hold(connection, case.id, Author(), None)
        kinds = [entry.kind for entry in await case_history.of_case(connection, case.id)]
        return held, await cases.by_id(connection, case.id), kinds

    held, after, kinds = within(play)
    assert held.hold_reason == "waiting for a colleague"
    assert after.held_at is None
    assert kinds == [Happening.HELD, Happening.RESUMED]


def test_another_establishments_case_is_not_there(
    run: Any, database: Any, here: Any, there: Any
) -> None:
    async def play() -> None:
        async with database.transaction(there.id) as connection:
            await say(connection, there, minute(0), "new")
            case = await cases.by_accession(connection, NUMBER)
        async with database.transaction(here.id) as connection:
            assert await cases.by_accession(connection, NUMBER) is None
            assert await cases.by_id(connection, case.id) is None
            with pytest.raises(NotFoundError):
                await cases.advance(connection, case.id, CaseEvent.BEGIN)
            await say(connection, here, minute(0), "new")
            mine = await cases.by_accession(connection, NUMBER)
        assert mine.id != case.id, "each has a case of that number"

    run(play())


def test_sign_out_here_is_told_and_what_a_message_did_is_not(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        await connection.execute(
            """insert into interface (establishment_id, name, kind, sends)
               values (%s, 'sgl', 'mllp', array['LAB-101'])""",
            [here.id],
        )
        await say(connection, here, minute(0), "new")
        case = await cases.by_accession(connection, NUMBER)
        said = CaseSaid(NUMBER, state=CaseState.SIGNED_OUT)
        await cases.record_case(connection, here.id, said, None, said_at=minute(1), source="101")
        quiet = await outbox.unsettled(connection, None, 10)
        await cases.advance(connection, case.id, CaseEvent.REOPEN)
        await cases.advance(connection, case.id, CaseEvent.SIGN_OUT)
        return case, quiet, await outbox.unsettled(connection, None, 10)

    case, quiet, told = within(play)
    assert quiet == []
    assert [(notice.case_id, notice.case_state) for notice in told] == [
        (case.id, CaseState.READING),
        (case.id, CaseState.SIGNED_OUT),
    ]


def report(status: str, content: bytes = b"%PDF", **said: Any) -> ReportRow:
    fields: dict[str, Any] = {
        "accession_number": NUMBER,
        "placer_number": None,
        "status": status,
        "document_id": None,
        "replaces": None,
        "title": None,
        "media_type": "application/pdf",
        "content": content,
    }
    return ReportRow(**{**fields, **said})


def test_reports_wait_for_their_case_and_move_it_on(within: Any, here: Any) -> None:
    async def attach(connection: Any, at: int, row: ReportRow) -> Any:
        return await reports.attach_report(
            connection, here.id, row, said_at=minute(at), source="oru"
        )

    async def play(connection: Any) -> Any:
        early = await attach(connection, 1, report("preliminary", document_id="D1"))
        assert await attach(connection, 1, report("preliminary", document_id="D1")) is None
        await say(connection, here, minute(0), "new")
        case = await cases.by_accession(connection, NUMBER)
        states = [case.state]
        await attach(connection, 2, report("final", b"final", document_id="D2"))
        states.append((await cases.by_id(connection, case.id)).state)
        return early, states, await reports.of_case(connection, case.id), case

    early, states, kept, _ = within(play)
    assert states == [CaseState.REPORTED, CaseState.SIGNED_OUT]
    assert kept[0].id == early
    assert kept[1].size_bytes == 5


@pytest.mark.parametrize("replaced_first", [True, False])
def test_a_replaced_report_is_kept_and_shown_as_withdrawn(
    within: Any, here: Any, replaced_first: bool
) -> None:
    rows = [
        (1, report("final", b"old", document_id="D1")),
        (2, report("replaced", b"new", document_id="D2", replaces="D1")),
    ]

    async def play(connection: Any) -> Any:
        await say(connection, here, minute(0), "new")
        case = await cases.by_accession(connection, NUMBER)
        for at, row in rows if not replaced_first else reversed(rows):
            await reports.attach_report(connection, here.id, row, said_at=minute(at), source="mdm")
        found = await reports.of_case(connection, case.id)
        whole = await reports.content(connection, case.id, found[0].id)
        return found, whole, await cases.by_id(connection, case.id)

    found, whole, case = within(play)
    assert [each.withdrawn_at is not None for each in found] == [True, False]
    assert whole[1] == b"old"
    assert case.reports == 1
