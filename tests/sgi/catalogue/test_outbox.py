"""What is to be told: put where somebody wants it, sent in the order of each case."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sgi.catalogue import interfaces, messages, outbox, outbox_turns
from sgi.catalogue.database import Connection, Database
from sgi.catalogue.messages import MessageKeys, ToKeep
from sgi.catalogue.outbox import Notice, Subject
from sgi.domain.case import CaseState
from sgi.domain.interface import Direction, NoticeKind, NoticeState, Outcome

WITHIN = timedelta(seconds=60)
NOW = timedelta(0)
ALL = frozenset(NoticeKind)


@pytest.fixture
def ask(run: Any, database: Database, here: Any) -> Callable[..., Any]:
    """Calls a function of the catalogue in a transaction of its own."""

    async def asked(function: Any, *args: Any, **options: Any) -> Any:
        async with database.transaction(here.id) as connection:
            return await function(connection, *args, **options)

    return lambda function, *args, **options: run(asked(function, *args, **options))


@pytest.fixture
def sgl(ask: Any, here: Any) -> str:
    """An interface that sends everything."""
    ask(interfaces.register, here.id, "sgl", "mllp", 2575, ALL)
    return "sgl"


@pytest.fixture
def glass(run: Any, database: Database, here: Any) -> Callable[..., tuple[UUID, UUID | None]]:
    """Adds a glass, in a case of its own or in none; the ids of both."""

    async def add(with_case: bool) -> tuple[UUID, UUID | None]:
        async with database.transaction(here.id) as connection:
            case_id = await new_case(connection, here.id) if with_case else None
            cursor = await connection.execute(
                """insert into glass (establishment_id, case_id, identifier, said_at)
                   values (%s, %s, %s, now()) returning id""",
                [here.id, case_id, str(uuid.uuid4())],
            )
            row = await cursor.fetchone()
        assert row
        return row["id"], case_id

    return lambda with_case=True: run(add(with_case))


async def new_case(connection: Connection, establishment_id: UUID) -> UUID:
    cursor = await connection.execute(
        """insert into lab_case (establishment_id, accession_number, study_uid, said_at)
           values (%s, %s, %s, now()) returning id""",
        [establishment_id, str(uuid.uuid4()), f"2.25.{uuid.uuid4().int}"],
    )
    row = await cursor.fetchone()
    assert row
    found: UUID = row["id"]
    return found


@pytest.fixture
def claim(ask: Any) -> Callable[[], Notice | None]:
    return lambda: next(iter(ask(outbox_turns.claim, "sgl", WITHIN)), None)


def image(ask: Any, here: Any, glass_id: UUID, slide_id: UUID, available: bool = True) -> None:
    ask(outbox.image, here.id, glass_id, slide_id, available=available)


def test_nothing_is_put_where_nobody_wants_it(ask: Any, here: Any, glass: Any) -> None:
    glass_id, _ = glass()
    slide_id = uuid.uuid4()
    image(ask, here, glass_id, slide_id)
    ask(interfaces.register, here.id, "roche", "mllp", 2576, {NoticeKind.CASE})
    image(ask, here, glass_id, slide_id)
    assert ask(outbox.unsettled, None, 10) == []


def test_every_interface_that_wants_it_has_its_own(ask: Any, here: Any, glass: Any) -> None:
    for name in ("a", "b"):
        ask(interfaces.register, here.id, name, "mllp", 2575, {NoticeKind.IMAGE})
    glass_id, case_id = glass()
    image(ask, here, glass_id, uuid.uuid4())
    notices = ask(outbox.unsettled, None, 10)
    assert [notice.interface for notice in notices] == ["a", "b"]
    assert {notice.case_id for notice in notices} == {case_id}
    other = Subject(NoticeKind.IMAGE, None, None, glass_id, uuid.uuid4(), is_available=True)
    assert ask(outbox.put, here.id, other, "a") == 1


def test_others_are_told_nothing(ask: Any, here: Any, there: Any, glass: Any, sgl: str) -> None:
    glass_id, _ = glass()
    image(ask, here, glass_id, uuid.uuid4())
    assert len(ask(outbox.unsettled, sgl, 10)) == 1
    assert ask(outbox.unsettled, "other", 10) == []


def test_kinds_find_their_case(ask: Any, here: Any, glass: Any, sgl: str) -> None:
    _, case_id = glass()
    ask(outbox.case, here.id, case_id, CaseState.SIGNED_OUT)
    ask(outbox.link, here.id, case_id)
    notices = ask(outbox.unsettled, None, 10)
    assert [(n.kind, n.case_state, n.case_id) for n in notices] == [
        (NoticeKind.CASE, CaseState.SIGNED_OUT, case_id),
        (NoticeKind.LINK, None, case_id),
    ]


def test_the_last_word_is_not_put_twice(ask: Any, here: Any, glass: Any, sgl: str) -> None:
    glass_id, _ = glass()
    slide_id = uuid.uuid4()
    for available in (True, True, False, False, True, True):
        image(ask, here, glass_id, slide_id, available)
    told = [(n.is_available, n.glass_id, n.slide_id) for n in ask(outbox.unsettled, None, 10)]
    assert told == [(word, glass_id, slide_id) for word in (True, False, True)]


def test_what_went_out_is_told_again_when_it_is_so_again(
    ask: Any, here: Any, glass: Any, sgl: str, claim: Any
) -> None:
    glass_id, _ = glass()
    slide_id = uuid.uuid4()
    image(ask, here, glass_id, slide_id)
    assert claim() is not None
    image(ask, here, glass_id, slide_id)
    assert len(ask(outbox.unsettled, None, 10)) == 2


def test_a_case_is_told_in_order_and_others_meanwhile(
    ask: Any, here: Any, glass: Any, sgl: str, claim: Any
) -> None:
    first, case_id = glass()
    other, _ = glass()
    image(ask, here, first, uuid.uuid4())
    ask(outbox.case, here.id, case_id, CaseState.READY)
    image(ask, here, other, uuid.uuid4())
    one = claim()
    assert (one.kind, one.case_id, one.attempts, one.state) == (
        NoticeKind.IMAGE,
        case_id,
        1,
        NoticeState.SENT,
    )
    two = claim()
    assert two.case_id != case_id
    assert claim() is None
    assert ask(outbox.end, one.id, NoticeState.REFUSED, "no")
    three = claim()
    assert (three.kind, three.case_id) == (NoticeKind.CASE, case_id)
    assert claim() is None


def test_without_a_case_nothing_waits_for_anything(
    ask: Any, here: Any, glass: Any, sgl: str, claim: Any
) -> None:
    for _ in range(2):
        image(ask, here, glass(with_case=False)[0], uuid.uuid4())
    assert claim() is not None
    assert claim() is not None


def test_without_an_answer_it_is_due_again_as_it_was(
    ask: Any, here: Any, glass: Any, sgl: str
) -> None:
    image(ask, here, glass()[0], uuid.uuid4())
    (one,) = ask(outbox_turns.claim, sgl, timedelta(seconds=-1))
    kept = ToKeep("sgl", Direction.OUT, b"MSH|x", MessageKeys("C1"), Outcome.SENT)
    message_id = ask(messages.keep, here.id, kept)
    ask(outbox.set_message, one.id, "C1", message_id)
    (again,) = ask(outbox_turns.claim, sgl, WITHIN)
    assert (again.id, again.control_id, again.message_id, again.attempts) == (
        one.id,
        "C1",
        message_id,
        2,
    )
    assert ask(outbox.of_control_id, "C1").id == one.id
    assert ask(outbox_turns.claim, sgl, WITHIN) == []


def test_a_try_that_brought_it_nowhere_does_not_count(
    ask: Any, here: Any, glass: Any, sgl: str, claim: Any
) -> None:
    image(ask, here, glass()[0], uuid.uuid4())
    for counts, attempts in ((False, 1), (False, 1), (True, 1), (True, 2), (False, 3)):
        one = claim()
        assert one.attempts == attempts
        ask(outbox.try_later, one.id, NOW, "away", counts=counts)


def test_it_waits_until_its_time(ask: Any, here: Any, glass: Any, sgl: str, claim: Any) -> None:
    image(ask, here, glass()[0], uuid.uuid4())
    ask(outbox.try_later, claim().id, timedelta(minutes=5), "away")
    assert claim() is None


@pytest.mark.parametrize("state", [NoticeState.REFUSED, NoticeState.DEAD])
def test_a_person_has_it_told_anew(
    ask: Any, here: Any, glass: Any, sgl: str, claim: Any, state: NoticeState
) -> None:
    image(ask, here, glass()[0], uuid.uuid4())
    one = claim()
    kept = ToKeep("sgl", Direction.OUT, b"MSH|y", MessageKeys("C2"), Outcome.SENT)
    ask(outbox.set_message, one.id, "C2", ask(messages.keep, here.id, kept))
    assert ask(outbox.end, one.id, state, "no")
    assert not ask(outbox.end, one.id, NoticeState.ACCEPTED)
    assert ask(outbox.unsettled, None, 10)[0].last_error == "no"
    assert ask(outbox.retry, one.id)
    again = claim()
    assert (again.id, again.control_id, again.message_id, again.attempts) == (one.id, None, None, 1)


def test_a_person_hurries_what_waits(ask: Any, here: Any, glass: Any, sgl: str, claim: Any) -> None:
    image(ask, here, glass()[0], uuid.uuid4())
    one = claim()
    assert not ask(outbox.retry, one.id), "on its way"
    assert not ask(outbox.give_up, one.id), "on its way"
    ask(outbox.try_later, one.id, timedelta(hours=1), "away")
    assert ask(outbox.retry, one.id)
    assert claim().attempts == 2


def test_what_is_given_up_is_over(ask: Any, here: Any, glass: Any, sgl: str, claim: Any) -> None:
    image(ask, here, glass()[0], uuid.uuid4())
    (one,) = ask(outbox.unsettled, None, 10)
    assert ask(outbox.give_up, one.id)
    assert claim() is None
    assert not ask(outbox.give_up, one.id)
    assert not ask(outbox.retry, one.id)
    assert ask(outbox.by_id, one.id).state is NoticeState.GIVEN_UP
    assert ask(outbox.unsettled, None, 10) == []


def test_what_stopped_is_listed_first(
    ask: Any, here: Any, glass: Any, sgl: str, claim: Any
) -> None:
    for _ in range(3):
        image(ask, here, glass()[0], uuid.uuid4())
    first = [claim(), claim()][1]
    ask(outbox.end, first.id, NoticeState.DEAD, "silence")
    states = [notice.state for notice in ask(outbox.unsettled, None, 10)]
    assert states == [NoticeState.DEAD, NoticeState.SENT, NoticeState.WAITING]


def test_two_senders_never_have_the_same(
    run: Any, database: Database, ask: Any, here: Any, glass: Any, sgl: str
) -> None:
    for _ in range(6):
        image(ask, here, glass()[0], uuid.uuid4())

    async def take() -> UUID | None:
        async with database.transaction(here.id) as connection:
            claimed = await outbox_turns.claim(connection, sgl, WITHIN)
            await asyncio.sleep(0.01)
            return claimed[0].id if claimed else None

    async def all_() -> list[UUID | None]:
        return await asyncio.gather(*(take() for _ in range(6)))

    taken = run(all_())
    assert None not in taken
    assert len(set(taken)) == 6


def test_an_image_that_nobody_can_name_holds_up_its_case_for_a_while_only(
    ask: Any, here: Any, glass: Any, sgl: str, claim: Any, url: str
) -> None:
    glass_id, case_id = glass()
    slide_id, other = uuid.uuid4(), uuid.uuid4()

    async def as_if_long_ago(connection: Connection) -> None:
        await connection.execute("update outbox set created_at = now() - interval '11 minutes'")

    image(ask, here, glass_id, slide_id)
    ask(outbox.case, here.id, case_id, CaseState.READY)
    image(ask, here, glass_id, slide_id, available=False)
    image(ask, here, glass_id, other)
    with psycopg.connect(url) as owner:  # of a slide that this test has no need of
        owner.execute("set session_replication_role = replica")
        owner.execute(
            "insert into identity_due (establishment_id, slide_id) values (%s, %s)",
            [here.id, slide_id],
        )
    assert claim() is None
    assert {one.last_error for one in ask(outbox.unsettled, None, 10)} == {None}
    ask(as_if_long_ago)
    for kind in (NoticeKind.CASE, NoticeKind.LINK):
        told = claim()
        assert told.kind is kind
        assert ask(outbox.end, told.id, NoticeState.ACCEPTED)
    assert claim() is None, "what is of the same slide waits, and what comes after that"
    waiting = ask(outbox.unsettled, None, 10)
    assert [one.last_error is not None for one in waiting] == [True, False, False]


def test_what_a_message_was_made_of_is_told_again_when_it_is_so_anew(
    ask: Any, here: Any, glass: Any, sgl: str, claim: Any
) -> None:
    """An image's UIDs may be others since: the message keeps those that it had."""
    glass_id, _ = glass()
    slide_id = uuid.uuid4()
    image(ask, here, glass_id, slide_id)
    kept = ToKeep("sgl", Direction.OUT, b"MSH|z", MessageKeys("C3"), Outcome.SENT)
    one = claim()
    ask(outbox.set_message, one.id, "C3", ask(messages.keep, here.id, kept))
    ask(outbox.try_later, one.id, NOW, "away", counts=False)
    for _ in range(2):
        image(ask, here, glass_id, slide_id)
    assert len(ask(outbox.unsettled, None, 10)) == 2


# A glass and its case


@pytest.fixture
def move(ask: Any, here: Any) -> Callable[[UUID], UUID]:
    """Puts a glass into a case of its own; the case's id."""

    async def move(connection: Connection, glass_id: UUID) -> UUID:
        case_id = await new_case(connection, here.id)
        await connection.execute("update glass set case_id = %s where id = %s", [case_id, glass_id])
        return case_id

    return lambda glass_id: ask(move, glass_id)


@pytest.mark.parametrize("had_case", [False, True])
@pytest.mark.parametrize("looked_at", [1, 500])
def test_the_last_word_on_a_glass_is_the_last(
    ask: Any,
    here: Any,
    glass: Any,
    sgl: str,
    claim: Any,
    move: Any,
    monkeypatch: pytest.MonkeyPatch,
    had_case: bool,
    looked_at: int,
) -> None:
    monkeypatch.setattr(outbox_turns, "_LOOKED_AT", looked_at)
    glass_id, _ = glass(with_case=had_case)
    slide_id = uuid.uuid4()
    image(ask, here, glass_id, slide_id)
    first = claim()
    ask(outbox.try_later, first.id, timedelta(minutes=5), "silence")
    move(glass_id)
    image(ask, here, glass_id, slide_id, available=False)
    assert claim() is None
    assert ask(outbox.end, first.id, NoticeState.ACCEPTED)
    assert claim().is_available is False


@pytest.mark.parametrize("looked_at", [1, 500])
def test_the_last_word_on_an_image_that_went_to_another_glass_is_the_last(
    ask: Any,
    here: Any,
    glass: Any,
    sgl: str,
    claim: Any,
    monkeypatch: pytest.MonkeyPatch,
    looked_at: int,
) -> None:
    monkeypatch.setattr(outbox_turns, "_LOOKED_AT", looked_at)
    (one, _), (other, _) = glass(), glass()
    slide_id = uuid.uuid4()
    image(ask, here, one, slide_id, available=False)
    image(ask, here, other, slide_id)
    first = claim()
    assert (first.glass_id, claim()) == (one, None)
    assert ask(outbox.end, first.id, NoticeState.ACCEPTED)
    assert claim().glass_id == other


def test_those_of_a_glass_are_claimed_together_in_their_order(
    ask: Any, here: Any, glass: Any, sgl: str, move: Any
) -> None:
    glass_id, _ = glass(with_case=False)
    slide_id = uuid.uuid4()
    image(ask, here, glass_id, slide_id)
    move(glass_id)
    image(ask, here, glass_id, slide_id, available=False)
    found = ask(outbox_turns.claim, sgl, WITHIN, 10)
    assert [notice.is_available for notice in found] == [True, False]
    assert not found[0].turns.isdisjoint(found[1].turns)


def test_what_was_told_before_the_case_was_known_is_not_the_last_word(
    ask: Any, here: Any, glass: Any, sgl: str, move: Any
) -> None:
    glass_id, _ = glass(with_case=False)
    slide_id = uuid.uuid4()
    image(ask, here, glass_id, slide_id)
    move(glass_id)
    for available in (False, True):
        image(ask, here, glass_id, slide_id, available)
    assert [n.is_available for n in ask(outbox.unsettled, None, 10)] == [True, False, True]


# Many at once


def test_those_of_a_case_are_claimed_together_in_their_order(
    ask: Any, here: Any, glass: Any, sgl: str
) -> None:
    (_, one), (_, other) = glass(), glass()
    for state in (CaseState.IN_PROGRESS, CaseState.READING, CaseState.REPORTED):
        ask(outbox.case, here.id, one, state)
    ask(outbox.case, here.id, other, CaseState.READING)
    found = ask(outbox_turns.claim, sgl, WITHIN, 10)
    states = [notice.case_state for notice in found]
    assert states == ["in_progress", "reading", "reported", "reading"]
    assert ask(outbox_turns.claim, sgl, WITHIN, 10) == []


def test_what_is_answered_later_holds_up_the_rest_of_its_case(
    ask: Any, here: Any, glass: Any, sgl: str
) -> None:
    (_, one), (_, other) = glass(), glass()
    for state in (CaseState.IN_PROGRESS, CaseState.READING):
        ask(outbox.case, here.id, one, state)
    (first,) = ask(outbox_turns.claim, sgl, WITHIN, 1)
    ask(outbox.case, here.id, other, CaseState.READING)
    (found,) = ask(outbox_turns.claim, sgl, WITHIN, 10)
    assert found.case_id == other
    ask(outbox.end, first.id, NoticeState.ACCEPTED)
    (found,) = ask(outbox_turns.claim, sgl, WITHIN, 10)
    assert found.case_id == one


def test_who_is_behind_many_that_wait_is_found(
    ask: Any, here: Any, glass: Any, sgl: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_turns, "_LOOKED_AT", 3)
    (_, one), (_, other) = glass(), glass()
    for state in (CaseState.IN_PROGRESS, CaseState.READING, CaseState.REPORTED):
        ask(outbox.case, here.id, one, state)
    ask(outbox_turns.claim, sgl, WITHIN, 1)
    ask(outbox.case, here.id, other, CaseState.READING)
    (found,) = ask(outbox_turns.claim, sgl, WITHIN, 10)
    assert found.case_id == other


def test_two_senders_of_one_case_keep_its_order(
    run: Any, database: Database, ask: Any, here: Any, glass: Any, sgl: str
) -> None:
    _, case_id = glass()
    for state in (CaseState.IN_PROGRESS, CaseState.READING, CaseState.REPORTED):
        ask(outbox.case, here.id, case_id, state)

    async def both() -> tuple[list[Notice], list[Notice]]:
        async with (
            database.transaction(here.id) as first,
            database.transaction(here.id) as second,
        ):
            taken = await outbox_turns.claim(first, sgl, WITHIN, 1)
            return taken, await outbox_turns.claim(second, sgl, WITHIN, 10)

    taken, others = run(both())
    assert (len(taken), others) == (1, [])
    assert [n.state for n in ask(outbox.unsettled, None, 10)] == ["sent", "waiting", "waiting"]


@pytest.mark.parametrize(
    "subject",
    [
        Subject(NoticeKind.CASE),
        Subject(NoticeKind.LINK),
        Subject(NoticeKind.WORK_ORDER),
        Subject(NoticeKind.IMAGE, glass_id=uuid.uuid4(), is_available=True),
        Subject(NoticeKind.LINK, uuid.uuid4(), slide_id=uuid.uuid4()),
        Subject(NoticeKind.LINK, uuid.uuid4(), CaseState.READY),
    ],
)
def test_a_notice_says_all_that_its_kind_has_and_no_more(
    ask: Any, here: Any, sgl: str, subject: Subject
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        ask(outbox.put, here.id, subject)
