"""A catalogue that was lost: what slides were last said to be, and the cases that they name."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue.database import Database
from sgi.identity.rounds import Round
from sgi.ingest.identify import Looks
from sgi.integrity.rebuild import rebuild
from sgi.jobs.keeping import Keeping
from sgi.stored.keys import identity_name, side_object_key
from sgi.stores import Stores
from tests.sgi.conftest import Laboratory
from tests.sgi.identity.conftest import Bench


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
def lost(told: Bench, make_empty: Callable[[], str], run: Any) -> Iterator[Any]:
    """The laboratory over a catalogue that a rebuild has made, its labels looked at again."""
    url = make_empty()
    result, _ = rebuilt(told, url, missing=False)
    assert not result.problems
    database = Database(url)
    run(database.__aenter__())
    try:
        lab = Laboratory(database, run, told.lab.establishment)
        run(Looks(Keeping(told.settings, database, Stores(told.store))).round())
        yield lab
    finally:
        run(database.__aexit__(None, None, None))


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


@pytest.mark.parametrize(
    "forged",
    [
        {"accession_number": "26P00\ud800"},
        {"received_at": "9999-12-31T23:59:59+00:00"},
        {"glass": "other"},
        {"patient": {"identifiers": []}},
        {"patient": {"identifiers": [{"kind": "PI", "assigner": "", "value": "x" * 250}]}},
    ],
)
def test_a_forged_case_keeps_no_slide_from_its_glass(
    told: Bench, make_empty: Callable[[], str], run: Any, forged: dict[str, Any]
) -> None:
    key = side_object_key(told.slide.id, identity_name(1))
    stored = json.loads(told.store.objects[key])
    stored["known"] |= forged
    told.store.put(key, json.dumps(stored).encode())
    url = make_empty()
    rebuilt_row = rebuilt(told, url, missing=False)
    database = Database(url)
    run(database.__aenter__())
    try:
        lab = Laboratory(database, run, told.lab.establishment)
        run(Looks(Keeping(told.settings, database, Stores(told.store))).round())
        (row,) = lab.rows("select unidentified, glass_id from slide")
        assert row["unidentified"] != "waiting"
        assert rebuilt_row is not None
    finally:
        run(database.__aexit__(None, None, None))
