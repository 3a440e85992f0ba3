"""Scans find their glass by what their label reads, in any order; all of it leaves a trace."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue import (
    attachment_rows,
    attachments,
    candidates,
    case_history,
    cases,
    destructions,
    identification,
    identities,
    self_attaching,
    specimens,
    turns,
    work_orders,
)
from sgi.catalogue.audit import SYSTEM, Actor
from sgi.catalogue.case_history import Author, Happening
from sgi.domain.case import Asset, AssetKind, CaseSaid
from sgi.domain.identification import How, Unidentified
from sgi.domain.retention import Ground, Person
from sgi.domain.slide import Slide
from sgi.errors import ConflictError, NotFoundError
from sgi.hl7 import locks
from sgi.hl7.apply import apply
from sgi.hl7.mapping import Reading
from sgi.hl7.statements import AssetCancelled, AssetRecorded, Source
from sgi.hl7.subjects import subjects_of
from sgi.ingest.identify import identify
from storage.memory import MemoryObjectStore

ACTOR = Actor(None, uuid.uuid4(), "127.0.0.1")
Scan = Callable[..., Slide]


@pytest.fixture
def lab(laboratory: Any, here: Any) -> Any:
    return laboratory(here)


@pytest.fixture
def scan(lab: Any, convert_into: Any, publish_converted: Any, run: Any) -> Scan:
    """A published slide whose label reads these codes, and was compared."""

    def make(*codes: str, contradicts: bool = False, of: Any = None) -> Slide:
        store = MemoryObjectStore()
        made = convert_into(store)
        told = {"barcodes": codes, "barcode_contradicts": contradicts}
        made = replace(made, facts=made.facts.model_copy(update=told))
        slide: Slide = publish_converted((of or lab).establishment, store, made, "a.svs")
        run(identify(lab.database, slide, []))
        return slide

    return make


def row(lab: Any, slide: Slide) -> dict[str, Any]:
    (found,) = lab.rows("select * from slide where id = %s", slide.id)
    return dict(found)


def undo(lab: Any, slide: Slide, reason: str = "another glass") -> Any:
    return lab.do(lambda c: attachments.undo(c, lab.establishment.id, slide.id, reason, ACTOR))


def attach(lab: Any, slide: Slide, glass: uuid.UUID) -> Any:
    return lab.do(
        lambda c: attachments.attach(c, lab.establishment.id, slide.id, glass, How.PERSON, ACTOR)
    )


def late(lab: Any, glass: uuid.UUID) -> Any:
    return lab.do(lambda c: self_attaching.attach_waiting(c, lab.establishment.id, glass))


def test_a_barcode_that_names_one_glass_attaches_the_slide(lab: Any, scan: Scan) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan(" 26p1.a.1.1 ", "something else")
    found = row(lab, slide)
    assert found["glass_id"] == glass
    assert found["current"]
    assert found["unidentified"] is None
    (case,) = lab.rows("select * from lab_case")
    assert (case["expected"], case["scanned"], case["state"]) == (1, 1, "ready")
    (trace,) = lab.do(lambda c: attachment_rows.of_slide(c, slide.id))
    assert (trace.how, trace.glass_identifier, trace.undone_at) == (
        How.BARCODE,
        "26P1.A.1.1",
        None,
    )


@pytest.mark.parametrize(
    ("codes", "contradicts", "reason"),
    [
        ((), False, Unidentified.NOTHING_READ),
        (("IS010000000000000000000000S1279035121518989",), False, Unidentified.PATIENT_CODE),
        (("26P9",), False, Unidentified.UNKNOWN),
        (("26P1.A.1.1 ", "26P1.A.1.2"), False, Unidentified.SEVERAL),
        (("26P1.A.1.3",), False, Unidentified.CANCELLED),
        (("26P1.A.1.1", "26P1.B"), True, Unidentified.CONTRADICTION),
        (("26P1.A.1",), False, Unidentified.UNKNOWN),
        (("26P1.A.1.1.1",), False, Unidentified.UNKNOWN),
        (("X" * 300,), False, Unidentified.NOTHING_READ),
    ],
)
def test_what_names_no_single_living_glass_waits_for_a_person(
    lab: Any, scan: Scan, codes: tuple[str, ...], contradicts: bool, reason: Unidentified
) -> None:
    for identifier in ("26P1.A.1.1", "26P1.A.1.2", "26P1.A.1.3"):
        lab.asset(identifier, accession_number="26P1")
    lab.cancel("26P1.A.1.3")
    slide = scan(*codes, contradicts=contradicts)
    assert row(lab, slide)["unidentified"] == reason
    assert row(lab, slide)["glass_id"] is None
    assert lab.rows("select * from attachment") == []
    waiting = lab.do(lambda c: identification.unidentified(c, limit=10))
    assert [(each.slide_id, each.reason) for each in waiting] == [(slide.id, reason)]


INS_CODE = f"IS01{'0' * 22}S1279035121518989S21.2.250.1.213.1.4.8\x1dS4PAT-TROIS\x1dS5FS628-03-1979"


@pytest.mark.parametrize("is_late", [False, True])
def test_a_label_with_another_persons_ins_code_waits_for_a_person(
    lab: Any, scan: Scan, *, is_late: bool
) -> None:
    lab.case("26P1", lab.patient("IPP1", birth_name="MARTIN", sex="M"))
    slide = scan("26P1.A.1.1", INS_CODE) if is_late else None
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = slide or scan("26P1.A.1.1", INS_CODE)
    assert late(lab, glass) == []
    found = row(lab, slide)
    assert (found["glass_id"], found["unidentified"]) == (None, "another_patient")
    # The laboratory corrects whose the case is.
    lab.case("26P1", lab.patient("IPP2", birth_name="PAT-TROIS", sex="F"))
    assert late(lab, glass) == [slide.id]


def test_a_label_with_the_patients_own_code_is_attached(lab: Any, scan: Scan) -> None:
    lab.case("26P1", lab.patient("IPP1", birth_name="PAT-TROIS", sex="F"))
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    assert row(lab, scan("26P1.A.1.1", INS_CODE))["glass_id"] == glass
    other = lab.asset("26P9.A.1.1")
    slide = scan("26P9.A.1.1", INS_CODE)
    assert row(lab, slide)["glass_id"] == other, "nobody knows whose the glass is"


def test_a_glass_that_comes_back_as_another_patients_gets_back_what_a_person_gave_it(
    lab: Any, scan: Scan
) -> None:
    glass = lab.asset("26P1.A.1.1")
    by_itself, by_person = scan("26P1.A.1.1", INS_CODE), scan("26P1", INS_CODE)
    attach(lab, by_person, glass)
    cancel(lab, "26P1.A.1.1")
    lab.case("26P1", lab.patient("IPP1", birth_name="MARTIN", sex="M"))
    lab.asset("26P1.A.1.1", accession_number="26P1")
    assert late(lab, glass) == [by_person.id]
    assert row(lab, by_itself)["unidentified"] == "another_patient"


def test_a_glass_of_another_establishment_is_as_unknown_as_one_that_is_nowhere(
    lab: Any, scan: Scan, laboratory: Any, there: Any
) -> None:
    foreign = laboratory(there).asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("26P1.A.1.1")
    nowhere = scan("26P7.A.1.1")
    assert row(lab, slide)["unidentified"] == row(lab, nowhere)["unidentified"] == "unknown"
    told = lab.do(lambda c: candidates.likely(c, slide.id, ["26P1.A.1.1"]))
    assert told == lab.do(lambda c: candidates.likely(c, nowhere.id, ["26P7.A.1.1"]))
    with pytest.raises(NotFoundError):
        attach(lab, slide, foreign)


def test_a_glass_that_is_registered_late_finds_its_scans(lab: Any, scan: Scan) -> None:
    slide, other = scan("26P1.A.1.1"), scan("26P1.A.1.2")
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    assert late(lab, glass) == [slide.id]
    assert late(lab, glass) == []
    assert row(lab, slide)["glass_id"] == glass
    assert row(lab, other)["glass_id"] is None
    assert lab.do(lambda c: attachment_rows.of_slide(c, slide.id))[0].how is How.LATE


def test_undoing_leaves_a_trace_and_nothing_attaches_it_there_again(
    lab: Any, scan: Scan, run: Any
) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("26P1.A.1.1")
    assert undo(lab, slide, "the labels were swapped") == glass
    assert row(lab, slide)["unidentified"] == "undone"
    assert not row(lab, slide)["current"]
    (trace,) = lab.do(lambda c: attachment_rows.of_slide(c, slide.id))
    assert trace.undo_reason == "the labels were swapped"
    assert late(lab, glass) == []
    assert not run(identify(lab.database, slide, []))
    (case,) = lab.rows("select * from lab_case")
    assert (case["scanned"], case["state"]) == (0, "received")
    with pytest.raises(ConflictError):
        undo(lab, slide)
    assert attach(lab, slide, glass)  # a person may
    assert [each.how for each in lab.do(lambda c: attachment_rows.of_slide(c, slide.id))] == [
        How.BARCODE,
        How.PERSON,
    ]


def test_the_newest_scan_is_current_unless_a_person_says(lab: Any, scan: Scan) -> None:
    lab.asset("26P1.A.1.1", accession_number="26P1")
    first, second = scan("26P1.A.1.1"), scan("26P1.A.1.1")
    assert [row(lab, each)["current"] for each in (first, second)] == [False, True]
    lab.do(lambda c: attachments.show_first(c, lab.establishment.id, first.id, ACTOR))
    third = scan("26P1.A.1.1")
    assert [row(lab, each)["current"] for each in (first, second, third)] == [True, False, False]
    undo(lab, first)
    assert [row(lab, each)["current"] for each in (first, second, third)] == [False, False, True]


def test_a_new_scan_closes_the_rescan_that_was_asked_for(lab: Any, scan: Scan) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    scan("26P1.A.1.1")
    lab.rows(
        """update glass set rescan_asked_at = clock_timestamp(), rescan_reason = 'blurred'
           where id = %s returning id""",
        glass,
    )
    scan("26P1.A.1.1")
    (found,) = lab.rows("select * from glass where id = %s", glass)
    assert found["rescan_asked_at"] is None


def test_a_slide_has_one_glass_and_no_cancelled_one(lab: Any, scan: Scan) -> None:
    lab.asset("26P1.A.1.1", accession_number="26P1")
    other = lab.asset("26P1.A.1.2", accession_number="26P1")
    gone = lab.asset("26P1.A.1.3", accession_number="26P1")
    lab.cancel("26P1.A.1.3")
    slide, free = scan("26P1.A.1.1"), scan("nothing")
    with pytest.raises(ConflictError):
        attach(lab, slide, other)
    with pytest.raises(ConflictError):
        attach(lab, free, gone)
    with pytest.raises(NotFoundError):
        attach(lab, free, uuid.uuid4())


def images_told(lab: Any) -> list[tuple[uuid.UUID, uuid.UUID, bool]]:
    """Of every LAB-104, the glass, the slide, and whether it is its image."""
    rows = lab.rows("select glass_id, slide_id, is_available from outbox order by number")
    return [tuple(row.values()) for row in rows]


def test_the_laboratory_hears_of_an_image_and_of_its_end(lab: Any, scan: Scan) -> None:
    lab.rows(
        """insert into interface (establishment_id, name, kind, sends)
           values (%s, 'sgl', 'mllp', '{LAB-104}') returning name""",
        lab.establishment.id,
    )
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("26P1.A.1.1")
    undo(lab, slide)
    assert images_told(lab) == [(glass, slide.id, True), (glass, slide.id, False)]


def test_candidates_are_near_of_the_same_case_and_expected(lab: Any, scan: Scan) -> None:
    patient = lab.patient()
    lab.case("26P1", patient)
    near = lab.asset("26P1.A.1.1", accession_number="26P1")
    lab.asset("26P1.A.1.7", accession_number="26P1")
    same = lab.asset("26P1.B.2.55", accession_number="26P1")
    expected = lab.asset("26P2.A.1.1X", accession_number="26P2")
    slide = scan("26P1.A.1.I")
    told = lab.do(lambda c: candidates.likely(c, slide.id, ["26P1.A.1.I"]))
    by_id = {each.glass_id: each for each in told}
    assert (by_id[near].why, by_id[near].distance) == ("close", 1)
    assert by_id[same].why == "same_case"
    assert by_id[expected].why in {"expected", "close"}
    assert by_id[near].patient_name == "MARTIN LÉA"
    assert not by_id[near].completes_case
    assert told[0].why == "close"


def test_the_trace_holds_who(lab: Any, scan: Scan) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("x")
    attach(lab, slide, glass)
    assert not attach(lab, slide, glass)  # again is no harm
    actions = [each["action"] for each in lab.rows("select action from audit order by id")]
    assert actions.count("attach_slide") == 1
    assert SYSTEM.account_id is None


def test_a_destroyed_slide_is_nobodys_image_any_more(lab: Any, scan: Scan, run: Any) -> None:
    lab.rows(
        """insert into interface (establishment_id, name, kind, sends)
           values (%s, 'sgl', 'mllp', '{LAB-104}') returning name""",
        lab.establishment.id,
    )
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    first, second = scan("26P1.A.1.1"), scan("26P1.A.1.1")
    asker = Person(uuid.uuid4(), "a", uuid.uuid4())
    approver = Person(uuid.uuid4(), "b", uuid.uuid4())

    async def destroy(connection: Any) -> uuid.UUID:
        asked = await destructions.ask(
            connection, second.id, datetime.now(UTC).date(), Ground.TEST, "of Mrs Martin", asker
        )
        assert asked
        await destructions.approve(connection, asked.id, approver, timedelta(0))
        assert await destructions.begin(connection, asked.id)
        assert await destructions.begin(connection, asked.id), "it goes on after a death"
        return asked.id

    destruction = lab.do(destroy)
    assert lab.rows("select id from slide where id = %s", second.id) == []
    assert row(lab, first)["current"]
    assert images_told(lab)[-1] == (glass, second.id, False)
    (case,) = lab.rows("select id from lab_case")
    history = lab.do(lambda c: case_history.of_case(c, case["id"]))
    (entry,) = [each for each in history if each.kind is Happening.SCAN_DESTROYED]
    assert (entry.before, entry.after) == ("26P1.A.1.1", str(destruction))
    assert (entry.author.account_id, entry.author.account_name) == (asker.account_id, "a")
    assert (entry.approved_name, entry.why) == ("b", None), "the reason may name somebody"


def test_what_comes_by_itself_is_in_the_history_only_after_sign_out(lab: Any, scan: Scan) -> None:
    for number in (1, 2):
        lab.asset(f"26P1.A.1.{number}", accession_number="26P1")
    scan("26P1.A.1.1")
    lab.rows("update lab_case set state = 'signed_out' returning 1")
    scan("26P1.A.1.2")
    told = lab.rows("select * from case_history where kind like 'scan%%'")
    assert [(each["kind"], each["before"], each["account_id"]) for each in told] == [
        ("scan_attached", "26P1.A.1.2", None)
    ]


def test_a_person_who_chooses_and_a_scan_that_comes_take_turns(
    lab: Any, scan: Scan, run: Any
) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    first, second, third = scan("x"), scan("x"), scan("x")
    for each in (first, second):
        attach(lab, each, glass)
    establishment = lab.establishment.id

    async def choose() -> None:
        async with lab.database.transaction(establishment) as connection:
            await attachments.show_first(connection, establishment, first.id, ACTOR)
            await asyncio.sleep(0.3)

    async def come() -> None:
        await asyncio.sleep(0.1)
        async with lab.database.transaction(establishment) as connection:
            await attachments.attach(connection, establishment, third.id, glass, How.LATE)

    async def both() -> None:
        await asyncio.gather(choose(), come())

    run(both())
    assert [row(lab, each)["current"] for each in (first, second, third)] == [True, False, False]


def test_a_glass_has_one_scan_that_a_person_chose(lab: Any, scan: Scan) -> None:
    lab.asset("26P1.A.1.1", accession_number="26P1")
    scan("26P1.A.1.1"), scan("26P1.A.1.1")
    with pytest.raises(psycopg.errors.UniqueViolation):
        lab.rows("update slide set current_said = true returning id")


def test_a_scan_and_its_glass_that_come_at_once_find_each_other(
    lab: Any, scan: Scan, run: Any
) -> None:
    slide = scan()
    facts = slide.facts.model_copy(update={"barcodes": ("26p7.a.1.1",)})
    slide = replace(slide, facts=facts)
    lab.rows("update slide set unidentified = 'waiting' where id = %s returning id", slide.id)
    establishment = lab.establishment.id
    asset = Asset(AssetKind.SLIDE, "26P7.A.1.1", "26P7")

    async def register(found: asyncio.Event) -> None:
        names = subjects_of([AssetRecorded(asset)]).names()
        keys = [locks.key_of_name(establishment, each) for each in names]
        async with lab.database.turn(establishment, keys) as connection:
            glass = await specimens.record_asset(
                connection, establishment, asset, said_at=lab.said_at, source="test"
            )
            assert await self_attaching.attach_waiting(connection, establishment, glass) == []
            found.set()
            await asyncio.sleep(0.3)

    async def read(found: asyncio.Event) -> None:
        await found.wait()
        assert await identify(lab.database, slide, [])

    async def both() -> None:
        found = asyncio.Event()
        await asyncio.gather(register(found), read(found))

    run(both())
    assert row(lab, slide)["unidentified"] is None


def asked_again(lab: Any, glass: uuid.UUID) -> tuple[Any, ...]:
    (found,) = lab.rows("select * from glass where id = %s", glass)
    (order,) = lab.rows("select state from work_order")
    (case,) = lab.rows("select * from lab_case")
    return found["rescan_reason"], order["state"], case["rescans"], case["state"]


def test_undoing_the_scan_that_ended_a_rescan_asks_for_it_again(lab: Any, scan: Scan) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    scan("26P1.A.1.1")
    (case,) = lab.rows("select * from lab_case")
    lab.do(
        lambda c: work_orders.ask_rescan(c, case["id"], glass, "blurred", Author(uuid.uuid4(), "a"))
    )
    asked = asked_again(lab, glass)
    wrong, right = scan("x"), scan("x")
    attach(lab, wrong, glass)
    assert asked_again(lab, glass) == (None, "done", 0, "ready")
    undo(lab, wrong)
    assert asked_again(lab, glass) == asked == ("blurred", "asked", 1, "in_progress")
    attach(lab, wrong, glass)
    attach(lab, right, glass)
    undo(lab, wrong)
    assert asked_again(lab, glass) == (None, "done", 0, "ready")  # the other one is the new scan
    undo(lab, right)
    assert asked_again(lab, glass) == asked


def cancel(lab: Any, identifier: str) -> None:
    """By a message."""
    lab.said_at += timedelta(seconds=1)
    at = lab.said_at
    source = Source("sgl", "C1", at)
    statement = AssetCancelled(Asset(AssetKind.SLIDE, identifier))
    reading = Reading([statement], source, [])
    lab.do(lambda c: apply(c, lab.establishment.id, reading, b"", at))


def test_a_cancelled_glass_has_no_image_until_it_is_a_glass_again(lab: Any, scan: Scan) -> None:
    lab.rows(
        """insert into interface (establishment_id, name, kind, sends)
           values (%s, 'sgl', 'mllp', '{LAB-104}') returning name""",
        lab.establishment.id,
    )
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    lab.asset("26P1.A.1.2", accession_number="26P1")
    by_label, by_person, undone = scan("26P1.A.1.1"), scan("x"), scan("26P1.A.1.1")
    attach(lab, by_person, glass)
    undo(lab, undone)
    told = len(lab.rows("select id from outbox"))
    cancel(lab, "26P1.A.1.1")
    for slide in (by_label, by_person):
        assert row(lab, slide)["unidentified"] == "cancelled"
        assert not row(lab, slide)["current"]
    assert row(lab, undone)["unidentified"] == "undone"
    assert set(images_told(lab)[told:]) == {
        (glass, each.id, False) for each in (by_label, by_person)
    }
    (case,) = lab.rows("select * from lab_case")
    assert (case["expected"], case["scanned"], case["state"]) == (1, 0, "received")
    assert by_label.id not in {each.attachment.slide_id for each in lab.do(attachment_rows.latest)}
    lab.asset("26P1.A.1.1", accession_number="26P1")
    assert set(late(lab, glass)) == {by_label.id, by_person.id}
    assert row(lab, undone)["unidentified"] == "undone"
    (case,) = lab.rows("select * from lab_case")
    assert (case["expected"], case["scanned"], case["state"]) == (2, 1, "in_progress")


def test_nobody_waits_for_somebody_who_waits_for_them(lab: Any, run: Any) -> None:
    """Case, then glass: a message, whichever of them it names first, and a person."""
    glass = lab.asset("26P8.A.1.1", accession_number="26P8")
    (case,) = lab.rows("select * from lab_case")
    establishment = lab.establishment.id
    asset = Asset(AssetKind.SLIDE, "26P8.A.1.1", "26P8")

    async def message() -> None:
        async with lab.database.transaction(establishment) as connection:
            await specimens.record_asset(
                connection, establishment, asset, said_at=lab.said_at, source="m"
            )
            await asyncio.sleep(0.3)
            await cases.record_case(
                connection,
                establishment,
                CaseSaid("26P8", comment="x"),
                None,
                said_at=lab.said_at,
                source="m",
            )

    async def person() -> None:
        await asyncio.sleep(0.1)
        async with lab.database.transaction(establishment) as connection:
            await work_orders.ask_rescan(
                connection, case["id"], glass, "blurred", Author(uuid.uuid4(), "a")
            )

    async def both() -> None:
        await asyncio.gather(message(), person())

    run(both())


def test_who_loses_a_deadlock_begins_again(lab: Any, run: Any) -> None:
    tries: list[int] = []

    async def act(_: Any) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise psycopg.errors.DeadlockDetected
        return "done"

    assert run(turns.transacted(lab.database, lab.establishment.id, act)) == "done"
    tries.clear()

    async def never(_: Any) -> str:
        tries.append(1)
        raise psycopg.errors.DeadlockDetected

    with pytest.raises(psycopg.errors.DeadlockDetected):
        run(turns.transacted(lab.database, lab.establishment.id, never))
    assert len(tries) == 3


def test_a_slide_of_today_does_not_wait_behind_a_correction_of_many(lab: Any, scan: Scan) -> None:
    lab.asset("26P1.A.1.1", accession_number="26P1")
    old, new = scan("26P1.A.1.1"), scan("26P1.A.1.1")
    lab.rows("delete from identity_due returning id")
    for slide, turn in ((old, 1), (old, 1), (new, 0)):
        lab.rows(
            """insert into identity_due (establishment_id, slide_id, turn) values (%s, %s, %s)
               returning id""",
            lab.establishment.id,
            slide.id,
            turn,
        )
    rows = lab.rows("select id from identity_due where slide_id = %s order by id", old.id)
    found = lab.do(lambda c: identities.due(c, 50, []))
    assert [each.slide_id for each in found] == [new.id, old.id]
    assert found[1].ids == tuple(row["id"] for row in rows)
    assert lab.do(lambda c: identities.due(c, 50, [new.id])) == found[1:]


def test_what_took_its_number_before_and_commits_after_still_waits(
    lab: Any, scan: Scan, run: Any
) -> None:
    lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("26P1.A.1.1")
    lab.rows("delete from identity_due returning id")
    insert = "insert into identity_due (establishment_id, slide_id) values (%s, %s)"
    row = [lab.establishment.id, slide.id]

    async def overtaken() -> None:
        async with lab.database.transaction(lab.establishment.id) as slow:
            await slow.execute(insert, row)
            async with lab.database.transaction(lab.establishment.id) as quick:
                await quick.execute(insert, row)
            async with lab.database.transaction(lab.establishment.id) as connection:
                (seen,) = await identities.due(connection, 50, [])
        async with lab.database.transaction(lab.establishment.id) as connection:
            await identities.settle(connection, seen)

    run(overtaken())
    assert len(lab.rows("select id from identity_due where slide_id = %s", slide.id)) == 1


@pytest.mark.parametrize("query", ["latest", "due"])
def test_long_queues_are_read_by_their_indexes(lab: Any, query: str) -> None:
    plans: list[str] = []

    class Explained:
        """A connection that tells how it would answer."""

        def __init__(self, connection: Any) -> None:
            self._connection = connection

        async def execute(self, text: str, values: Any) -> Any:
            cursor = await self._connection.execute("explain " + text, values)
            plans.extend(each["QUERY PLAN"] for each in await cursor.fetchall())
            return await self._connection.execute(text, values)

    async def ask(connection: Any) -> None:
        await connection.execute("set local enable_seqscan = off")
        await connection.execute("set local enable_bitmapscan = off")
        await connection.execute("set local enable_sort = off")
        if query == "latest":
            await attachment_rows.latest(Explained(connection))  # type: ignore[arg-type]
        else:
            await identities.due(Explained(connection), 50, [])  # type: ignore[arg-type]

    lab.do(ask)
    plan = "\n".join(plans)
    wanted = {"latest": "attachment_by_persons", "due": "identity_due_turn"}[query]
    lines = plan.splitlines()
    at = next(number for number, line in enumerate(lines) if wanted in line)
    assert "Limit" in lines[at - 1], plan  # no sort between
