"""Scans find their glass by what their label reads, in any order; all of it leaves a trace."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sgi.catalogue import attachments, candidates, destructions, identification
from sgi.catalogue.audit import SYSTEM, Actor
from sgi.domain.identification import How, Unidentified
from sgi.domain.retention import Ground, Person
from sgi.domain.slide import Slide
from sgi.errors import ConflictError, NotFoundError
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
    return lab.do(lambda c: attachments.attach_waiting(c, lab.establishment.id, glass))


def test_a_barcode_that_names_one_glass_attaches_the_slide(lab: Any, scan: Scan) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan(" 26p1.a.1.1 ", "something else")
    found = row(lab, slide)
    assert found["glass_id"] == glass
    assert found["current"]
    assert found["unidentified"] is None
    (case,) = lab.rows("select * from lab_case")
    assert (case["expected"], case["scanned"], case["state"]) == (1, 1, "ready")
    (trace,) = lab.do(lambda c: attachments.of_slide(c, slide.id))
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
    assert lab.do(lambda c: attachments.of_slide(c, slide.id))[0].how is How.LATE


def test_undoing_leaves_a_trace_and_nothing_attaches_it_there_again(
    lab: Any, scan: Scan, run: Any
) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("26P1.A.1.1")
    assert undo(lab, slide, "the labels were swapped") == glass
    assert row(lab, slide)["unidentified"] == "undone"
    assert not row(lab, slide)["current"]
    (trace,) = lab.do(lambda c: attachments.of_slide(c, slide.id))
    assert trace.undo_reason == "the labels were swapped"
    assert late(lab, glass) == []
    assert not run(identify(lab.database, slide, []))
    (case,) = lab.rows("select * from lab_case")
    assert (case["scanned"], case["state"]) == (0, "received")
    with pytest.raises(ConflictError):
        undo(lab, slide)
    assert attach(lab, slide, glass)  # a person may
    assert [each.how for each in lab.do(lambda c: attachments.of_slide(c, slide.id))] == [
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


def test_the_laboratory_hears_of_an_image_and_of_its_end(lab: Any, scan: Scan) -> None:
    lab.rows(
        """insert into interface (establishment_id, name, kind, sends)
           values (%s, 'sgl', 'mllp', '{LAB-104}') returning name""",
        lab.establishment.id,
    )
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("26P1.A.1.1")
    undo(lab, slide)
    subjects = [each["subject"] for each in lab.rows("select * from outbox order by number")]
    assert subjects == [f"available {glass} {slide.id}", f"removed {glass} {slide.id}"]


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

    async def destroy(connection: Any) -> None:
        asked = await destructions.ask(
            connection, second.id, datetime.now(UTC).date(), Ground.TEST, "a test", asker
        )
        assert asked
        await destructions.approve(connection, asked.id, approver, timedelta(0))
        assert await destructions.begin(connection, asked.id)

    lab.do(destroy)
    assert lab.rows("select id from slide where id = %s", second.id) == []
    assert row(lab, first)["current"]
    last = lab.rows("select subject from outbox order by number desc limit 1")
    assert last == [{"subject": f"removed {glass} {second.id}"}]
