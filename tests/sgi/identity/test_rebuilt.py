"""A catalogue that was lost: what slides were last said to be, and the cases that they name."""

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue import attachments
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide
from sgi.identity.rounds import Round
from sgi.ingest.identify import Looks, identify
from sgi.integrity.rebuild import rebuild
from sgi.jobs.keeping import Keeping
from sgi.stored.keys import identity_name, side_object_key
from sgi.stores import Stores
from tests.sgi.conftest import Laboratory
from tests.sgi.identity.conftest import ACTOR, Bench


def rebuilt(told: Bench, url: str, *, missing: bool) -> tuple[Any, list[dict[str, Any]]]:
    """What came of a rebuild, and the slide's rows in that database."""
    result = told.lab.run(rebuild(url, Stores(told.store), missing=missing))
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        return result, connection.execute(
            """select s.identity_revision, s.told_study_uid, s.told_series_uid, i.identity
               from slide s join slide_identity i
                   on i.slide_id = s.id and i.revision = s.identity_revision"""
        ).fetchall()


def test_a_rebuild_finds_whose_they_were_last_said_to_be(
    told: Bench, make_empty: Callable[[], str]
) -> None:
    told.lab.patient("IPP1", birth_name="MARTINEZ")
    told.tell()
    result, (row,) = rebuilt(told, make_empty(), missing=False)
    assert not result.problems
    expected = told.row()
    for name in ("identity_revision", "told_study_uid", "told_series_uid"):
        assert row[name] == expected[name]
    assert row["identity"]["told"]["patient"]["name"] == "MARTINEZ^LÉA"


def test_a_database_of_an_earlier_moment_never_gives_a_revision_out_again(
    told: Bench, make_empty: Callable[[], str]
) -> None:
    url = make_empty()
    rebuilt(told, url, missing=False)
    told.lab.patient("IPP1", birth_name="MARTINEZ")
    told.tell()
    _, (row,) = rebuilt(told, url, missing=True)
    assert row["identity_revision"] == 2


def test_a_forged_revision_of_another_slide_is_not_taken(
    told: Bench, make_empty: Callable[[], str]
) -> None:
    key = side_object_key(told.slide.id, identity_name(2))
    told.store.put(key, told.store.objects[side_object_key(told.slide.id, identity_name(1))])
    result, (row,) = rebuilt(told, make_empty(), missing=False)
    assert row["identity_revision"] == 1
    assert [each for each in result.problems if "identity/2.json" in each]


@pytest.fixture
def again(told: Bench, make_empty: Callable[[], str], run: Any) -> Iterator[Callable[[], Any]]:
    """What came of a rebuild into an empty database, and the laboratory over it, looked at."""
    with contextlib.ExitStack() as ended:

        def make() -> Any:
            url = make_empty()
            result = told.lab.run(rebuild(url, Stores(told.store)))
            database = Database(url)
            run(database.__aenter__())
            ended.callback(lambda: run(database.__aexit__(None, None, None)))
            lab = Laboratory(database, run, told.lab.establishment)
            run(Looks(Keeping(told.settings, database, Stores(told.store))).round())
            return result, lab

        yield make


@pytest.fixture
def lost(again: Callable[[], Any]) -> Any:
    """The laboratory over a catalogue that a rebuild has made, its labels looked at again."""
    result, lab = again()
    assert not result.problems
    return lab


CASE = """
    select s.glass_id, g.identifier, g.stains, b.identifier as block, p.identifier as specimen,
           c.accession_number, c.study_uid, c.received_at, c.patient_id,
           t.birth_name, t.first_given_name, t.birth_date, t.sex
    from slide s join glass g on g.id = s.glass_id join lab_case c on c.id = g.case_id
        join patient t on t.id = c.patient_id
        join specimen b on b.identifier = g.parent_identifier
        join specimen p on p.identifier = b.parent_identifier
    where s.id = %s"""


def test_its_case_comes_back_with_it_by_the_same_ids(told: Bench, lost: Any) -> None:
    (before,) = told.lab.rows(CASE, told.slide.id)
    (after,) = lost.rows(CASE, told.slide.id)
    assert after == before
    assert lost.rows("select kind, assigner, value from patient_identifier") == [
        {"kind": "PI", "assigner": "CHU", "value": "IPP1"}
    ]


def test_and_nothing_is_to_be_told_anew(told: Bench, lost: Any) -> None:
    round_ = Round(Keeping(told.settings, lost.database, Stores(told.store)))
    assert lost.run(round_.run()) == 0
    (row,) = lost.rows(
        "select identity_revision, glass_id is null as is_free from slide where id = %s",
        told.slide.id,
    )
    assert row == {"identity_revision": 1, "is_free": False}
    assert lost.rows("select sop_uid from rejection_note") == []


def test_what_the_laboratory_says_of_later_moments_wins(told: Bench, lost: Any) -> None:
    lost.said_at = datetime.now(UTC) + timedelta(seconds=5)
    lost.case("26P00123", lost.patient("IPP1", birth_name="MARTINEZ"))
    lost.asset("26P00123.A.01.01", accession_number="26P00999")
    (row,) = lost.rows(
        """select c.accession_number, t.birth_name from glass g join lab_case c on c.id = g.case_id,
               patient t"""
    )
    assert row == {"accession_number": "26P00999", "birth_name": "MARTINEZ"}


def test_of_earlier_ones_it_changes_nothing(told: Bench, lost: Any) -> None:
    lost.said_at = datetime(2026, 1, 1, tzinfo=UTC)
    lost.case("26P00123", lost.patient("IPP1", birth_name="MARTINEZ"))
    assert lost.rows("select birth_name from patient") == [{"birth_name": "MARTIN"}]


@pytest.fixture
def scan(told: Bench, convert_into: Any, publish_converted: Callable[..., Slide]) -> Any:
    """Publishes another slide, with a code on its label or none."""

    def make(*codes: str) -> Slide:
        made = convert_into(told.store)
        facts = made.facts.model_copy(update={"barcodes": codes})
        return publish_converted(
            told.lab.establishment, told.store, replace(made, facts=facts), "b.svs"
        )

    return make


def forge(told: Bench, slide: Slide, change: dict[str, Any], known: dict[str, Any]) -> None:
    """As if somebody who may write to the bucket had put it there, with the first's words."""
    stored = json.loads(told.store.objects[side_object_key(told.slide.id, identity_name(1))])
    stored |= {"slide_id": str(slide.id), "series_uid": f"2.25.{uuid.uuid4().int}"} | change
    stored["known"] |= known
    told.store.put(side_object_key(slide.id, identity_name(1)), json.dumps(stored).encode())


OTHER = {
    "glass": "OTHER.1",
    "block": None,
    "specimen": None,
    "patient": {
        "identifiers": [{"kind": "PI", "assigner": "CHU", "value": "IPP2"}],
        "birth_name": "FORGED",
    },
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["told", "glass", "stains", 0, "text"], "a\0b"),
        (["told", "glass", "site", "text"], "a\0b"),
        (["told", "glass", "specimen_uid"], "a\0b"),
        (["known", "accession_number"], "a\0b"),
        (["known", "patient", "identifiers"], []),
        (["known", "received_at"], "9999-12-31T23:59:59-14:00"),
        (["made_at"], "2026-01-01T00:00:00"),
        (["made_at"], "0001-01-01T00:00:00+14:00"),
    ],
)
def test_what_no_row_takes_stops_neither_the_rebuild_nor_the_looks(
    told: Bench, scan: Any, again: Any, path: list[Any], value: object
) -> None:
    other = scan("26P00123.A.01.01")
    key = side_object_key(told.slide.id, identity_name(1))
    stored = json.loads(told.store.objects[key])
    place = stored
    for each in path[:-1]:
        place = place[each]
    place[path[-1]] = value
    told.store.put(key, json.dumps(stored).encode())
    _, lab = again()
    rows = lab.rows("select id, unidentified from slide")
    assert {row["id"] for row in rows} == {told.slide.id, other.id}
    assert all(row["unidentified"] != "waiting" for row in rows)


def test_an_object_with_a_nul_is_named_without_what_it_holds(told: Bench, again: Any) -> None:
    key = side_object_key(told.slide.id, identity_name(1))
    stored = json.loads(told.store.objects[key])
    stored["told"]["glass"]["stains"][0]["text"] = "a\0b"
    told.store.put(key, json.dumps(stored).encode())
    result, _ = again()
    (problem,) = result.problems
    assert key in problem
    assert "MARTIN" not in problem


def test_what_a_person_took_away_waits_for_a_person(
    told: Bench, scan: Any, again: Any, run: Any
) -> None:
    other = scan("26P00123.A.01.01")
    assert run(identify(told.lab.database, other, []))
    told.tell()
    here = told.lab.establishment.id
    told.lab.do(lambda c: attachments.undo(c, here, other.id, "wrong label", ACTOR))
    told.tell()
    _, lab = again()
    (row,) = lab.rows("select glass_id, unidentified from slide where id = %s", other.id)
    assert row == {"glass_id": None, "unidentified": "undone"}


def test_who_may_write_to_the_bucket_moves_no_case_and_renames_nobody(
    told: Bench, scan: Any, run: Any, url: str
) -> None:
    lab, home = told.lab, told.lab.establishment.id
    lab.patient("IPP2", birth_name="AUTRE")
    queries = (
        "select accession_number, patient_id from lab_case where establishment_id = %s",
        "select birth_name from patient where establishment_id = %s order by 1",
    )
    before = [lab.rows(query, home) for query in queries]
    made_at = (lab.said_at + timedelta(minutes=1)).isoformat()
    slide = scan()
    forge(told, slide, {"glass_id": str(uuid.uuid4()), "made_at": made_at}, OTHER)
    lab.run(rebuild(url, Stores(told.store), missing=True))
    run(Looks(Keeping(told.settings, lab.database, Stores(told.store))).round())
    assert [lab.rows(query, home) for query in queries] == before
    (row,) = lab.rows("select glass_id, unidentified from slide where id = %s", slide.id)
    assert row == {"glass_id": None, "unidentified": "unknown"}


def test_two_that_disagree_about_a_case_leave_it_to_a_person(
    told: Bench, scan: Any, again: Any
) -> None:
    slide = scan("OTHER.1")
    forge(told, slide, {"glass_id": str(uuid.uuid4())}, OTHER)
    _, lab = again()
    rows = lab.rows(
        """select g.identifier, p.birth_name from glass g join lab_case c on c.id = g.case_id
           join patient p on p.id = c.patient_id"""
    )
    assert rows == [{"identifier": "26P00123.A.01.01", "birth_name": "MARTIN"}]


@pytest.mark.parametrize("kind", ["INS", "PI"])
def test_nobody_is_renamed_by_a_case_that_nobody_knew(
    told: Bench, scan: Any, run: Any, url: str, kind: str
) -> None:
    lab, home = told.lab, told.lab.establishment.id
    lab.said_at = datetime.now(UTC) - timedelta(days=1)
    lab.patient("IPP2", birth_name="AUTRE")
    slide = scan()
    first = {"kind": kind, "assigner": "1.2.250.1.213.1.4.8", "value": "279035121518989"}
    second = {"kind": "PI", "assigner": "CHU", "value": "IPP2"}
    change = {
        "glass_id": str(uuid.uuid4()),
        "patient_id": str(uuid.uuid4()),
        "study_uid": f"2.25.{uuid.uuid4().int}",
        "made_at": datetime.now(UTC).isoformat(),
    }
    patient = {"identifiers": [first, second], "birth_name": "FORGED"}
    known = OTHER | {"accession_number": "26P00777", "patient": patient}
    forge(told, slide, change, known)
    lab.run(rebuild(url, Stores(told.store), missing=True))
    run(Looks(Keeping(told.settings, lab.database, Stores(told.store))).round())
    names = lab.rows("select birth_name from patient where establishment_id = %s", home)
    assert "FORGED" not in {row["birth_name"] for row in names}


def test_every_slide_of_a_case_without_a_patient_comes_back(
    told: Bench, scan: Any, again: Any, run: Any
) -> None:
    lab = told.lab
    for code in ("26P7.A.1.1", "26P7.A.1.2"):
        lab.asset(code, accession_number="26P7")
        assert run(identify(lab.database, scan(code), []))
    told.tell()
    _, anew = again()
    rows = anew.rows("select identifier from glass where identifier like '26P7%%' order by 1")
    assert [row["identifier"] for row in rows] == ["26P7.A.1.1", "26P7.A.1.2"]
    assert anew.rows("select id from slide where glass_id is null") == []
