"""Messages as rows: what came before, what is found again, what is never changed."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue import kept_messages, messages
from sgi.catalogue.database import Database
from sgi.catalogue.kept_messages import Filter
from sgi.catalogue.messages import Before, Change, MessageKeys, ToKeep
from sgi.domain.interface import Direction, Outcome

NOW = datetime(2026, 6, 12, 8, 0, tzinfo=UTC)


def to_keep(raw: bytes = b"MSH|1", **changes: Any) -> ToKeep:
    said = MessageKeys("C1", "SGL|CHU", "ADT^A31", NOW, "26P1")
    usual = {
        "interface": "sgl",
        "direction": Direction.IN,
        "raw": raw,
        "said": said,
        "outcome": Outcome.APPLIED,
        "answer": b"AA",
    }
    return ToKeep(**{**usual, **changes})


@pytest.fixture
def keep(run: Any, database: Database, here: Any) -> Any:
    async def write(message: ToKeep) -> Any:
        async with database.transaction(here.id) as connection:
            return await messages.keep(connection, here.id, message)

    return lambda *args, **changes: run(write(to_keep(*args, **changes)))


@pytest.fixture
def ask(run: Any, database: Database, here: Any) -> Any:
    async def asked(function: Any, *args: Any) -> Any:
        async with database.transaction(here.id) as connection:
            return await function(connection, *args)

    return lambda function, *args: run(asked(function, *args))


def test_what_was_kept_is_found_whole(keep: Any, ask: Any) -> None:
    patient = uuid.uuid4()
    changes = (Change("patient.new", patient), Change("glass.changed", None, "stains"))
    kept = keep(
        b"MSH|\0\xff", changes=changes, said=MessageKeys("C", "A|F", "OML^O21", NOW, "26P1")
    )
    found = ask(kept_messages.by_id, kept)
    assert found is not None
    assert (found.control_id, found.sender, found.type, found.said_at) == (
        "C",
        "A|F",
        "OML^O21",
        NOW,
    )
    assert found.size_bytes == 6
    assert found.changes == (
        {"what": "patient.new", "id": str(patient)},
        {"what": "glass.changed", "detail": "stains"},
    )
    assert (found.replay_of, found.repeats, found.error) == (None, 0, None)
    content = ask(kept_messages.content, kept)
    assert content is not None
    assert (content.raw, content.answer) == (b"MSH|\0\xff", b"AA")


def test_what_is_not_there_is_none(ask: Any) -> None:
    assert ask(kept_messages.by_id, uuid.uuid4()) is None
    assert ask(kept_messages.content, uuid.uuid4()) is None


def test_a_new_message_has_nothing_before_it(ask: Any) -> None:
    assert ask(messages.find_same, "sgl", b"MSH|new", MessageKeys("N")) == Before()


def test_the_same_bytes_are_the_same_message(keep: Any, ask: Any) -> None:
    kept = keep(b"MSH|1")
    before = ask(messages.find_same, "sgl", b"MSH|1", MessageKeys("C1", "SGL|CHU"))
    assert before.same == messages.Same(kept, Outcome.APPLIED, b"AA", None, kept)
    assert not before.reuses_control_id
    assert ask(messages.find_same, "other", b"MSH|1", MessageKeys("C1", "SGL|CHU")) == Before()


def test_the_same_control_id_with_other_content_is_another_message(keep: Any, ask: Any) -> None:
    keep(b"MSH|1")
    before = ask(messages.find_same, "sgl", b"MSH|2", MessageKeys("C1", "SGL|CHU"))
    assert before == Before(None, reuses_control_id=True)
    assert ask(messages.find_same, "sgl", b"MSH|2", MessageKeys("C1", "OTHER|CHU")) == Before()
    assert ask(messages.find_same, "sgl", b"MSH|2", MessageKeys("", "SGL|CHU")) == Before()


def test_nothing_is_kept_twice_but_replays(keep: Any) -> None:
    kept = keep(b"MSH|1")
    with pytest.raises(psycopg.errors.UniqueViolation):
        keep(b"MSH|1")
    keep(b"MSH|1", replay_of=kept)
    keep(b"MSH|1", direction=Direction.OUT, outcome=Outcome.SENT)


def test_what_was_refused_and_replayed_well_is_answered_as_then(keep: Any, ask: Any) -> None:
    refused = keep(b"MSH|1", outcome=Outcome.REFUSED, answer=b"AE")
    assert ask(messages.find_same, "sgl", b"MSH|1", MessageKeys()).same.answer == b"AE"
    replayed = keep(b"MSH|1", replay_of=refused)
    same = ask(messages.find_same, "sgl", b"MSH|1", MessageKeys()).same
    assert (same.id, same.outcome, same.answer) == (replayed, Outcome.APPLIED, b"AA")


def test_what_is_refused_anew_is_answered_as_last_time(keep: Any, ask: Any) -> None:
    def last() -> messages.Same:
        found: messages.Same = ask(messages.find_same, "sgl", b"MSH|1", MessageKeys()).same
        return found

    refused: dict[str, Any] = {"outcome": Outcome.REFUSED}
    first = keep(b"MSH|1", **refused, answer=b"1", error="One.")
    assert last() == messages.Same(first, Outcome.REFUSED, b"1", "One.", first)
    for number in (2, 3):
        again = keep(
            b"MSH|1", **refused, answer=b"%d" % number, error=f"{number}.", replay_of=first
        )
        assert last() == messages.Same(again, Outcome.REFUSED, b"%d" % number, f"{number}.", first)
    applied = keep(b"MSH|1", replay_of=first)
    keep(b"MSH|1", **refused, answer=b"4", error="4.", replay_of=first)
    assert (last().id, last().root) == (applied, first), "once it was taken, it is"


def test_repeats_are_counted(keep: Any, ask: Any) -> None:
    kept = keep()
    for _ in range(3):
        ask(messages.count_repeat, kept)
    found = ask(kept_messages.by_id, kept)
    assert (found.repeats, found.repeated_at is None) == (3, False)


def test_a_message_says_less_of_itself_than_it_may(keep: Any, ask: Any) -> None:
    said = MessageKeys("C" * 5000, "S\0" * 5000, "T" * 5000, None, "A" * 5000)
    kept = keep(b"MSH|long", said=said)
    found = ask(kept_messages.by_id, kept)
    assert len(found.control_id) == len(found.sender) == len(found.accession_number) == 200
    before = ask(messages.find_same, "sgl", b"MSH|other", said)
    assert before.reuses_control_id


def test_pages_go_on_where_the_last_one_ended(keep: Any, ask: Any) -> None:
    ids = [keep(b"MSH|%d" % n) for n in range(7)]
    seen: list[Any] = []
    after = None
    while page := ask(kept_messages.list_, Filter(), 3, after):
        seen += [message.id for message in page]
        after = (page[-1].received_at, page[-1].id)
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(interface="sgl"), {0, 1}),
        (Filter(interface="lab"), {2}),
        (Filter(direction=Direction.OUT), {2}),
        (Filter(outcome=Outcome.REFUSED), {1}),
        (Filter(type="ADT"), {0, 2}),
        (Filter(type="ADT^A31"), {0}),
        (Filter(type="AD"), set()),
        (Filter(accession_number="26P9"), {1}),
        (Filter(control_id="C2"), {2}),
        (Filter(since=datetime.now(UTC) + timedelta(hours=1)), set()),
        (Filter(until=datetime.now(UTC) - timedelta(hours=1)), set()),
        (Filter(patient_id=uuid.UUID(int=7)), {1}),
        (Filter(interface="sgl", outcome=Outcome.APPLIED, type="ADT"), {0}),
    ],
)
def test_filters(keep: Any, ask: Any, wanted: Filter, found: set[int]) -> None:
    patient = uuid.UUID(int=7)
    ids = [
        keep(b"0", said=MessageKeys("C0", "", "ADT^A31")),
        keep(
            b"1",
            outcome=Outcome.REFUSED,
            said=MessageKeys("C1", "", "ORM^O01", None, "26P9", patient),
        ),
        keep(
            b"2",
            interface="lab",
            direction=Direction.OUT,
            outcome=Outcome.SENT,
            said=MessageKeys("C2", "", "ADT^A40"),
        ),
    ]
    listed = ask(kept_messages.list_, wanted, 10)
    assert {message.id for message in listed} == {ids[n] for n in found}


def test_an_answer_is_noted(keep: Any, ask: Any) -> None:
    kept = keep(direction=Direction.OUT, outcome=Outcome.SENT, answer=None)
    ask(messages.set_answer, kept, Outcome.REFUSED, b"AE", "no")
    found = ask(kept_messages.by_id, kept)
    assert (found.outcome, found.error) == (Outcome.REFUSED, "no")
    content = ask(kept_messages.content, kept)
    assert content.answer == b"AE"


@pytest.mark.parametrize("column", ["raw", "control_id", "changes", "received_at", "interface"])
def test_what_came_stays_as_it_came(
    run: Any, database: Database, here: Any, keep: Any, column: str
) -> None:
    keep()

    async def change() -> None:
        async with database.transaction(here.id) as connection:
            await connection.execute(f"update message set {column} = {column}")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(change())


@pytest.mark.parametrize(
    ("wanted", "index"), [("ADT^A40", "message_type"), ("ADT", "message_code")]
)
def test_a_type_is_found_by_an_index_in_the_order_of_the_list(
    url: str, wanted: str, index: str
) -> None:
    """As the application's role, without the index of all that a small table is read by."""
    conditions, values = kept_messages._conditions(Filter(type=wanted))
    with psycopg.connect(url) as owner:
        owner.execute("drop index message_newest")
        owner.execute("set local role sgi_app")
        owner.execute("set local enable_seqscan = off")
        owner.execute("set local enable_sort = off")
        cursor = owner.execute(
            f"""explain select id from message m where {conditions[0]}
                order by m.received_at desc, m.id desc limit 9""",
            values,
        )
        told = str(cursor.fetchall())
        owner.rollback()
    assert index in told
    assert "Sort" not in told
