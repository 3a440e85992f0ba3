"""Specimens, blocks and glasses: parents by name, in whatever order they are told of."""

import itertools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sgi.catalogue import attachments, case_history, cases, specimens, work_orders
from sgi.catalogue.case_history import Author, Happening
from sgi.domain.case import (
    Asset,
    AssetKind,
    CaseEvent,
    CaseSaid,
    CaseState,
    Code,
    WorkKind,
    WorkState,
)
from sgi.domain.case_tree import tree
from sgi.domain.identification import How
from sgi.errors import ConflictError, NotFoundError

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BREAST = Code("80248007", "Breast structure", "SCT")
HES = Code("HES", "Hématoxyline éosine safran")

ASSETS = (
    Asset(AssetKind.SPECIMEN, "P", accession_number="C", site=BREAST, description="Sein"),
    Asset(AssetKind.BLOCK, "B", parent="P"),
    Asset(AssetKind.SLIDE, "G", parent="B", stains=(HES,)),
)


@pytest.fixture
def within(run: Any, database: Any, here: Any) -> Callable[..., Any]:
    """Runs `what(connection)` in a transaction of this establishment."""

    async def inside(what: Callable[..., Any]) -> Any:
        async with database.transaction(here.id) as connection:
            return await what(connection)

    return lambda what: run(inside(what))


def minute(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


async def record(connection: Any, here: Any, asset: Asset, at: int = 0) -> uuid.UUID:
    return await specimens.record_asset(
        connection, here.id, asset, said_at=minute(at), source="lab100"
    )


@pytest.mark.parametrize("order", list(itertools.permutations(ASSETS)))
def test_the_parents_case_is_found_whatever_comes_first(
    run: Any, database: Any, make_establishment: Any, order: tuple[Asset, ...]
) -> None:
    establishment = make_establishment()

    async def play() -> Any:
        async with database.transaction(establishment.id) as connection:
            for asset in order:
                await record(connection, establishment, asset)
            case = await cases.by_accession(connection, "C")
            return case, *await specimens.of_case(connection, case.id)

    case, parts, glasses = run(play())
    assert (case.expected, case.scanned) == (1, 0)
    assert case.organs == ("Breast structure",)
    assert case.stains == ("Hématoxyline éosine safran",)
    assert [part.identifier for part in parts] == ["P", "B"]
    (branch,) = tree(parts, glasses)
    assert branch.specimen == parts[0]
    assert branch.specimen.site == BREAST
    (block,) = branch.blocks
    assert (block.block, block.glasses) == (parts[1], tuple(glasses))
    assert glasses[0].stains == (HES,)


UPDATES = (
    (0, Asset(AssetKind.SLIDE, "G", accession_number="C", stains=(), description="first")),
    (1, Asset(AssetKind.SLIDE, "G", stains=(HES,), technique=Code("IHC"))),
    (2, Asset(AssetKind.SLIDE, "G", accession_number="C", description="second")),
)


@pytest.mark.parametrize("order", list(itertools.permutations(UPDATES)))
def test_the_newest_word_on_each_field_holds(
    run: Any, database: Any, make_establishment: Any, order: Any
) -> None:
    establishment = make_establishment()

    async def play() -> Any:
        async with database.transaction(establishment.id) as connection:
            for at, asset in order:
                await record(connection, establishment, asset, at)
            return await specimens.glass_named(connection, "G")

    glass = run(play())
    assert (glass.stains, glass.description) == ((HES,), "second")
    assert glass.technique == Code("IHC")
    assert glass.said_at == minute(2)


def test_a_cancellation_that_comes_first_holds(within: Any, here: Any) -> None:
    glass = Asset(AssetKind.SLIDE, "G", accession_number="C")

    async def cancel(connection: Any, at: int) -> None:
        await specimens.cancel_asset(
            connection, here.id, glass, said_at=minute(at), source="lab100"
        )

    async def play(connection: Any) -> Any:
        await cancel(connection, 5)
        await record(connection, here, glass, 1)
        first = await cases.by_accession(connection, "C")
        await record(connection, here, glass, 9)
        await cancel(connection, 7)
        return first, await cases.by_accession(connection, "C")

    first, then = within(play)
    assert first.expected == 0
    assert then.expected == 1, "it was said to be there after it was cancelled"


def test_a_block_that_moves_takes_its_slides_along_and_leaves_a_trace(
    within: Any, here: Any
) -> None:
    async def play(connection: Any) -> Any:
        for asset in ASSETS:
            await record(connection, here, asset)
        await record(connection, here, Asset(AssetKind.BLOCK, "B", accession_number="D"), 3)
        old = await cases.by_accession(connection, "C")
        new = await cases.by_accession(connection, "D")
        histories = [await case_history.of_case(connection, case.id) for case in (old, new)]
        return old, new, [[(e.kind, e.before, e.after) for e in each] for each in histories]

    old, new, (went, came) = within(play)
    assert (old.expected, new.expected) == (0, 1)
    assert went == [(Happening.WENT, "B", "D"), (Happening.WENT, "G", "D")]
    assert came == [(Happening.CAME, "C", "B"), (Happening.CAME, "C", "G")]


def test_an_older_word_does_not_move_it_back(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        await record(connection, here, Asset(AssetKind.SLIDE, "G", accession_number="D"), 5)
        await record(connection, here, Asset(AssetKind.SLIDE, "G", accession_number="C"), 1)
        return [(await cases.by_accession(connection, name)).expected for name in ("C", "D")]

    assert within(play) == [0, 1]


def test_parents_that_name_each_other_end(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        await record(connection, here, Asset(AssetKind.BLOCK, "X", parent="Y"))
        await record(connection, here, Asset(AssetKind.BLOCK, "Y", parent="X"))
        await record(connection, here, Asset(AssetKind.BLOCK, "X", accession_number="C"), 1)
        case = await cases.by_accession(connection, "C")
        parts, glasses = await specimens.of_case(connection, case.id)
        return tree(parts, glasses)

    (branch,) = within(play)
    assert branch.specimen is None
    assert {each.block.identifier for each in branch.blocks} == {"X", "Y"}


def test_images_make_a_case_ready_and_a_rescan_holds_it_back(
    within: Any, here: Any, publish: Any, store: Any
) -> None:
    slides = [publish(here, store).id for _ in range(2)]
    who = Author(account_name="Dr Martin")

    async def play(connection: Any) -> Any:
        told = []

        async def state() -> None:
            told.append((await cases.by_accession(connection, "C")).state)

        for asset in ASSETS:
            await record(connection, here, asset)
        await record(connection, here, Asset(AssetKind.SLIDE, "H", parent="B", to_be_scanned=False))
        glass = await specimens.glass_named(connection, "G")
        await state()
        await attachments.attach(connection, here.id, slides[0], glass.id, How.PERSON)
        await state()
        order = await work_orders.ask_rescan(
            connection, glass.case_id, glass.id, "out of focus", who
        )
        await state()
        (asked,) = await work_orders.to_rescan(connection)
        with pytest.raises(ConflictError):
            await work_orders.ask_rescan(connection, glass.case_id, glass.id, "again", who)
        await connection.execute(
            "update glass set rescan_asked_at = now() - interval '1 hour' where id = %s",
            [glass.id],
        )
        await attachments.attach(connection, here.id, slides[1], glass.id, How.PERSON)
        await state()
        return told, asked, await work_orders.by_id(connection, order.id)

    told, asked, order = within(play)
    assert told == [
        CaseState.RECEIVED,
        CaseState.READY,
        CaseState.IN_PROGRESS,
        CaseState.READY,
    ]
    assert (asked["identifier"], asked["rescan_reason"]) == ("G", "out of focus")
    assert asked["rescan_asked_by"] == "Dr Martin"
    assert (order.kind, order.state) == (WorkKind.RESCAN, WorkState.DONE)


def test_a_stain_is_asked_for_accepted_and_done(
    within: Any, here: Any, publish: Any, store: Any
) -> None:
    slide_id = publish(here, store).id
    ki67 = Code("", "Ki-67")

    async def play(connection: Any) -> Any:
        for asset in ASSETS:
            await record(connection, here, asset)
        case = await cases.by_accession(connection, "C")
        with pytest.raises(NotFoundError):
            await work_orders.ask(connection, case.id, WorkKind.IHC, "G", (), None, Author())
        order = await work_orders.ask(
            connection, case.id, WorkKind.IHC, "B", (ki67,), "please", Author()
        )
        states = [order.state]
        for _ in range(2):  # the same answer again is no news
            await work_orders.accept_work_order(
                connection,
                here.id,
                placer_number=order.placer_number,
                filler_number="F1",
                temporary_id=order.temporary_id,
                asset=Asset(AssetKind.SLIDE, "G2", parent="B", stains=(ki67,)),
                said_at=minute(3),
                source="lab103",
            )
        accepted = await work_orders.by_id(connection, order.id)
        states.append(accepted.state)
        counted = [(await cases.by_id(connection, case.id)).orders]
        await attachments.attach(connection, here.id, slide_id, accepted.glass_id, How.PERSON)
        states.append((await work_orders.by_id(connection, order.id)).state)
        counted.append((await cases.by_id(connection, case.id)).orders)
        history = await case_history.of_case(connection, case.id)
        answers = [e for e in history if e.kind is Happening.WORK_ANSWERED]
        return order, accepted, states, counted, answers

    order, accepted, states, counted, answers = within(play)
    assert len(order.placer_number) <= 20
    assert accepted.filler_number == "F1"
    assert states == [WorkState.ASKED, WorkState.ACCEPTED, WorkState.DONE]
    assert counted == [1, 0]
    assert len(answers) == 1


def test_a_refusal_is_kept_with_its_reason(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        for asset in ASSETS:
            await record(connection, here, asset)
        case = await cases.by_accession(connection, "C")
        order = await work_orders.ask(connection, case.id, WorkKind.RECUT, "B", (), None, Author())
        await work_orders.refuse(
            connection, order.placer_number, "block used up", said_at=minute(1), source="lab102"
        )
        nobody = await work_orders.refuse(
            connection, "unknown", None, said_at=minute(1), source="lab102"
        )
        return nobody, await work_orders.by_id(connection, order.id)

    nobody, order = within(play)
    assert nobody is None
    assert (order.state, order.refused_why) == (WorkState.REFUSED, "block used up")


def test_a_case_that_is_read_stays_so_whatever_comes(within: Any, here: Any) -> None:
    async def play(connection: Any) -> Any:
        said = CaseSaid("C")
        case_id = await cases.record_case(connection, here.id, said, None, said_at=AT, source="one")
        await cases.advance(connection, case_id, CaseEvent.BEGIN)
        for asset in ASSETS:
            await record(connection, here, asset)
        return await cases.by_id(connection, case_id)

    case = within(play)
    assert (case.state, case.expected) == (CaseState.READING, 1)
