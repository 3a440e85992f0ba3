"""Patients in a real database, rule by rule; `test_patient_stories.py` has thousands of stories."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue import patients
from sgi.catalogue.database import Connection, Database
from sgi.domain.patient import (
    Dmp,
    DmpFeeding,
    Identifier,
    IdentifierKind,
    Identity,
    IdentityAttribute,
    IdentityStatus,
    Patient,
    Trait,
    Traits,
    matricule_shown,
)
from sgi.errors import IdentityConflictError

NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)
INS = Identifier("279035121518989", "1.2.250.1.213.1.4.10", IdentifierKind.INS)
CAMILLE = Traits(
    birth_name="DUPONT",
    first_given_name="CAMILLE",
    given_names="CAMILLE ROSE",
    sex="F",
    birth_date=date(1979, 3, 28),
    birth_place="63220",
)


def ipp(value: str, assigner: str = "CHU-X") -> Identifier:
    return Identifier(value, assigner)


def said(*identifiers: Identifier, traits: Traits = CAMILLE, **rest: Any) -> Identity:
    return Identity(identifiers, traits, **rest)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


class Book:
    """The catalogue of one establishment, each call a transaction of its own."""

    def __init__(self, run: Any, database: Database, establishment: Any) -> None:
        self.run, self.database, self.id = run, database, establishment.id

    def __call__(self, work: Callable[[Connection], Any]) -> Any:
        async def done() -> Any:
            async with self.database.transaction(self.id) as connection:
                return await work(connection)

        return self.run(done())

    def record(self, who: Identity, minutes: float, **rest: Any) -> Any:
        rest.setdefault("source", f"m{minutes}")
        return self(lambda c: patients.record(c, self.id, who, said_at=at(minutes), **rest))

    def merge(self, kept: Identity, *gone: Identifier, minutes: float) -> Any:
        when = {"said_at": at(minutes), "source": f"m{minutes}"}
        return self(lambda c: patients.merge(c, self.id, kept, *gone, **when))

    def change(self, new: Identity, *old: Identifier, minutes: float) -> Any:
        when = {"said_at": at(minutes), "source": f"m{minutes}"}
        return self(lambda c: patients.change_identifier(c, self.id, new, *old, **when))

    def link(self, one: Identifier, other: Identifier, linked: bool, minutes: float) -> None:
        when = {"said_at": at(minutes), "source": f"m{minutes}"}
        self(lambda c: patients.link(c, self.id, [one], [other], linked=linked, **when))

    def named(self, identifier: Identifier) -> Patient:
        async def found(connection: Connection) -> Patient | None:
            patient_id = await patients.named(connection, identifier)
            assert patient_id is not None
            return await patients.by_id(connection, patient_id)

        patient: Patient = self(found)
        return patient

    def rows(self, table: str) -> int:
        async def count(connection: Connection) -> int:
            cursor = await connection.execute(f"select count(*) as n from {table}")
            row = await cursor.fetchone()
            assert row
            return int(row["n"])

        counted: int = self(count)
        return counted


@pytest.fixture
def book(run: Any, database: Database, here: Any) -> Book:
    return Book(run, database, here)


def test_a_patient_is_made_and_found_again(book: Book) -> None:
    made = book.record(said(ipp("1"), INS, status=IdentityStatus.QUALIFIED), 0)
    found = book.named(ipp("1"))
    assert found.id == made
    assert found.identifiers == (ipp("1"), INS)
    assert found.traits == CAMILLE
    assert found.status is IdentityStatus.QUALIFIED
    assert found.said_at == at(0)
    assert book.named(INS).id == made
    assert book(lambda c: patients.named(c, ipp("2"))) is None
    assert book(lambda c: patients.named(c, ipp("1", "elsewhere"))) is None


def test_what_is_older_changes_nothing_newer_group_by_group(book: Book) -> None:
    book.record(said(ipp("1"), traits=Traits(birth_name="NEW", sex="M")), 10)
    book.record(said(ipp("1"), traits=replace(CAMILLE, sex="F")), 5)
    traits = book.named(ipp("1")).traits
    assert (traits.birth_name, traits.first_given_name, traits.sex) == ("NEW", None, "M")
    assert traits.birth_date == CAMILLE.birth_date
    assert book.named(ipp("1")).said_at == at(10)


def test_of_the_same_moment_the_later_heard_wins_and_a_replay_changes_nothing(book: Book) -> None:
    one, other = (said(ipp("1"), traits=replace(CAMILLE, sex=sex)) for sex in "FM")
    book.record(one, 0)
    book.record(other, 0)
    assert book.named(ipp("1")).traits.sex == "M"
    book.record(one, 0)
    assert book.named(ipp("1")).traits.sex == "M"
    assert book.rows("patient_history") == 2
    book.record(one, 1)
    assert book.named(ipp("1")).traits.sex == "F"
    assert book.rows("patient_history") == 2


def test_hearing_the_same_again_touches_no_row_that_others_watch(book: Book) -> None:
    def version() -> Any:
        async def found(connection: Connection) -> Any:
            cursor = await connection.execute("select xmin::text as version, * from patient")
            return await cursor.fetchone()

        return book(found)

    book.record(said(ipp("1")), 0)
    before = version()
    book.record(said(ipp("1")), 5)
    assert version() == before
    book.record(said(ipp("1"), traits=replace(CAMILLE, sex="M")), 3)
    assert version() == before, "what was said later than that is believed"


def test_an_order_fills_in_and_never_overwrites(book: Book) -> None:
    patient = book.record(said(ipp("1"), traits=Traits(birth_name="DUPONT", sex="F")), 5)
    other = replace(CAMILLE, birth_name="DURAND", sex="M")
    book.record(said(ipp("1"), ipp("77", "SGL"), traits=other), 10, only_fill=True)
    found = book.named(ipp("1"))
    assert (found.traits.birth_name, found.traits.sex) == ("DUPONT", "F")
    assert found.traits.birth_date == CAMILLE.birth_date
    assert found.identifiers == (ipp("1"),)
    (contradiction,) = book(lambda c: patients.contradictions(c, patient))
    assert contradiction.source == "m10"
    assert set(contradiction.traits) == {Trait.BIRTH_NAME, Trait.SEX}


def test_an_order_before_the_administration_gives_way(book: Book) -> None:
    book.record(said(ipp("1"), traits=replace(CAMILLE, sex="M")), 10, only_fill=True)
    assert book.named(ipp("1")).traits.sex == "M"
    book.record(said(ipp("1")), 5)
    assert book.named(ipp("1")).traits.sex == "F"


def test_an_order_with_anothers_number_is_a_contradiction(book: Book) -> None:
    one = book.record(said(ipp("1")), 0)
    book.record(said(ipp("2", "OTHER")), 0)
    book.record(said(ipp("1"), ipp("2", "OTHER")), 1, only_fill=True)
    (contradiction,) = book(lambda c: patients.contradictions(c, one))
    assert contradiction.others == (ipp("2", "OTHER"),)
    assert contradiction.traits == ()


def test_each_assigner_has_one_number_for_a_patient(book: Book) -> None:
    book.record(said(ipp("1"), ipp("A", "GHT")), 0)
    assert book.named(ipp("A", "GHT")).identifiers == (ipp("1"), ipp("A", "GHT"))
    book.record(said(ipp("1"), ipp("B", "GHT")), 1)
    assert book.named(ipp("1")).identifiers == (ipp("1"), ipp("A", "GHT"))
    with pytest.raises(psycopg.errors.UniqueViolation):
        book(
            lambda c: c.execute(
                """insert into patient_identifier
                       (establishment_id, patient_id, kind, assigner, value)
                   select establishment_id, id, 'PI', 'CHU-X', '1' from patient limit 1"""
            )
        )


def test_somebody_without_any_identifier_is_refused(book: Book) -> None:
    with pytest.raises(IdentityConflictError):
        book.record(said(), 0)


def test_a_patient_known_by_the_ins_alone(book: Book) -> None:
    made = book.record(said(INS, status=IdentityStatus.VALIDATED), 0, only_fill=True)
    assert book.named(INS).id == made
    assert book.named(INS).identifiers == (INS,)


def test_an_ins_of_two_living_patients_names_neither(book: Book) -> None:
    book.record(said(ipp("1"), INS), 0)
    book.record(said(ipp("2"), INS), 0)
    assert book(lambda c: patients.named(c, INS)) is None


def test_status_attributes_and_ins_go_together(book: Book) -> None:
    book.record(said(ipp("1"), INS, status=IdentityStatus.QUALIFIED), 0)
    doubtful = frozenset({IdentityAttribute.DOUBTFUL})
    book.record(said(ipp("1"), status=IdentityStatus.PROVISIONAL, attributes=doubtful), 1)
    found = book.named(ipp("1"))
    assert (found.status, found.attributes) == (IdentityStatus.PROVISIONAL, doubtful)
    assert found.ins is None


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"birth_name": "AUTRE"}, IdentityStatus.PROVISIONAL),
        ({"birth_date": date(1950, 1, 1)}, IdentityStatus.PROVISIONAL),
        ({"sex": "M"}, IdentityStatus.PROVISIONAL),
        ({"birth_name": "Dupont"}, IdentityStatus.QUALIFIED),
        ({"used_name": "MARTIN"}, IdentityStatus.QUALIFIED),
        ({"sex": None}, IdentityStatus.QUALIFIED),
    ],
)
def test_what_was_proved_of_somebody_else_is_not_proved(
    book: Book, changed: dict[str, Any], status: IdentityStatus
) -> None:
    proved = said(ipp("1"), INS, traits=CAMILLE, status=IdentityStatus.QUALIFIED)
    book.record(proved, 0)
    book.record(said(ipp("1"), traits=replace(CAMILLE, **changed)), 1)
    found = book.named(ipp("1"))
    assert found.status is status
    assert matricule_shown(found) is (status is IdentityStatus.QUALIFIED)
    book.record(replace(proved, traits=replace(CAMILLE, **changed)), 2)
    assert book.named(ipp("1")).status is IdentityStatus.QUALIFIED


def test_an_order_of_another_name_proves_nothing(book: Book) -> None:
    book.record(said(ipp("1"), traits=CAMILLE), 0, only_fill=True)
    other = replace(CAMILLE, birth_name="AUTRE")
    proved = said(ipp("1"), INS, traits=other, status=IdentityStatus.QUALIFIED)
    book.record(proved, 1, only_fill=True)
    found = book.named(ipp("1"))
    assert (found.traits, found.status) == (CAMILLE, IdentityStatus.PROVISIONAL)


def test_the_consent_to_the_shared_record(book: Book) -> None:
    book.record(said(ipp("1"), dmp=Dmp("ACTIF", DmpFeeding.OPPOSED)), 0)
    book.record(said(ipp("1")), 1)
    assert book.named(ipp("1")).dmp == Dmp("ACTIF", DmpFeeding.OPPOSED)


def test_a_merge_leads_to_who_is_kept(book: Book) -> None:
    gone = book.record(said(ipp("9"), traits=replace(CAMILLE, sex="M", died=True)), 0)
    kept = book.record(said(ipp("3")), 0)
    book.merge(said(ipp("3")), ipp("9"), minutes=1)
    found = book.named(ipp("9"))
    assert found.id == kept
    assert (found.identifiers, found.retired) == ((ipp("3"),), (ipp("9"),))
    assert found.traits == replace(CAMILLE, died=True), "filled in, not overwritten"
    by_record = book(lambda c: patients.by_id(c, gone))
    assert by_record == found
    assert book(lambda c: patients.bearer(c, ipp("9"))) == gone
    rows = book.rows("patient_link"), book.rows("patient_history")
    book.merge(said(ipp("3")), ipp("9"), minutes=1)
    assert (book.rows("patient_link"), book.rows("patient_history")) == rows


def test_a_merge_of_unknown_sides_makes_them(book: Book) -> None:
    kept = book.merge(said(ipp("3"), traits=Traits()), ipp("9"), minutes=0)
    assert book.named(ipp("9")).id == kept
    book.record(said(ipp("9")), -1)
    assert book.named(ipp("3")).traits == CAMILLE, "nobody else said anything"


def test_that_an_identity_is_proved_is_never_taken_over_by_a_merge(book: Book) -> None:
    book.record(said(ipp("9"), INS, status=IdentityStatus.QUALIFIED), 0)
    book.merge(said(ipp("3"), traits=Traits()), ipp("9"), minutes=1)
    assert book.named(ipp("3")).status is None
    assert book.named(ipp("3")).ins is None


def test_a_late_word_on_a_gone_identifier_goes_into_the_history(book: Book) -> None:
    book.record(said(ipp("3")), 0)
    book.merge(said(ipp("3")), ipp("9"), minutes=1)
    for minutes in (0.5, 2):
        book.record(said(ipp("9"), traits=replace(CAMILLE, birth_name="DURAND")), minutes)
    assert book.named(ipp("3")).traits.birth_name == "DUPONT"
    patient = book.named(ipp("3"))
    told = book(lambda c: patients.history(c, patient.id))
    assert {saying.said["names"]["birth_name"] for saying in told.sayings} == {"DUPONT", "DURAND"}
    (late,) = (saying for saying in told.sayings if saying.identifier == ipp("9"))
    assert late.believed == ()
    assert (late.first_source, late.last_source) == ("m0.5", "m2")


def test_chains_are_followed_to_their_end(book: Book) -> None:
    book.merge(said(ipp("2")), ipp("1"), minutes=1)
    book.merge(said(ipp("3")), ipp("2"), minutes=2)
    assert book.named(ipp("1")).identifiers == (ipp("3"),)
    assert set(book.named(ipp("1")).retired) == {ipp("1"), ipp("2")}
    book.merge(said(ipp("1")), ipp("4"), minutes=3)
    assert book.named(ipp("4")).identifiers == (ipp("3"),)


def test_a_merge_in_the_wrong_direction_is_turned_round(book: Book) -> None:
    book.record(said(ipp("1"), traits=replace(CAMILLE, birth_name="DURAND")), 0)
    book.record(said(ipp("2")), 0)
    book.merge(said(ipp("2"), traits=Traits()), ipp("1"), minutes=1)
    assert book.named(ipp("1")).traits.birth_name == "DUPONT"
    book.merge(said(ipp("1"), traits=Traits()), ipp("2"), minutes=2)
    found = book.named(ipp("2"))
    assert (found.identifiers, found.retired) == ((ipp("1"),), (ipp("2"),))
    assert found.traits.birth_name == "DURAND"


def test_a_second_merge_of_one_who_is_gone_moves_them(book: Book) -> None:
    record = book.record(said(ipp("1")), 0)
    book.merge(said(ipp("2")), ipp("1"), minutes=1)
    book.merge(said(ipp("3")), ipp("1"), minutes=2)
    assert book.named(ipp("1")).identifiers == (ipp("3"),)
    assert book.named(ipp("2")).retired == ()
    assert book(lambda c: patients.bearer(c, ipp("1"))) == record, "what hangs on it moves along"


def test_nobody_is_merged_or_linked_with_themselves(book: Book) -> None:
    with pytest.raises(IdentityConflictError):
        book.merge(said(ipp("1")), ipp("1"), minutes=0)
    with pytest.raises(IdentityConflictError):
        book.change(said(ipp("1")), ipp("1"), minutes=0)
    with pytest.raises(IdentityConflictError):
        book.link(ipp("1"), ipp("1"), True, 0)
    assert book.rows("patient") == 0


def test_what_is_gone_may_still_be_listed_among_the_others(book: Book) -> None:
    book.merge(said(ipp("3"), ipp("9", "GHT")), ipp("9", "GHT"), minutes=0)
    assert book.named(ipp("9", "GHT")).identifiers == (ipp("3"),)


def test_a_change_of_identifier(book: Book) -> None:
    book.record(said(ipp("8"), INS, status=IdentityStatus.QUALIFIED), 0)
    book.change(said(ipp("3"), traits=Traits()), ipp("8"), minutes=1)
    found = book.named(ipp("8"))
    assert found.local == ipp("3")
    assert found.retired == (ipp("8"),)
    assert (found.traits, found.status) == (CAMILLE, IdentityStatus.QUALIFIED), "the same person"
    book.record(said(ipp("3"), status=IdentityStatus.PROVISIONAL), 2)
    assert book.named(ipp("8")).status is IdentityStatus.PROVISIONAL
    book.change(said(ipp("3"), traits=Traits()), ipp("8"), minutes=1)
    assert book.named(ipp("8")).id == book.named(ipp("3")).id


def test_an_identifier_of_another_living_patient_is_refused(book: Book) -> None:
    book.record(said(ipp("8")), 0)
    book.record(said(ipp("3")), 0)
    with pytest.raises(IdentityConflictError, match="Another patient bears"):
        book.change(said(ipp("3")), ipp("8"), minutes=1)
    assert book.named(ipp("8")).id != book.named(ipp("3")).id


def test_what_is_only_known_since_came_out_of_order(book: Book) -> None:
    book.record(said(ipp("3"), traits=replace(CAMILLE, sex="M")), 2)
    book.record(said(ipp("8")), 0)
    book.change(said(ipp("3"), traits=Traits()), ipp("8"), minutes=1)
    assert book.named(ipp("8")).traits.sex == "M"
    assert book.named(ipp("8")).local == ipp("3")


def test_a_change_leads_to_nobody_else_through_a_name_that_was_only_kept(book: Book) -> None:
    book.record(said(ipp("8")), 0)
    book.record(said(ipp("9")), 0)
    book.merge(said(ipp("3"), traits=Traits()), ipp("9"), minutes=1)
    with pytest.raises(IdentityConflictError, match="Another patient bears"):
        book.change(said(ipp("3")), ipp("8"), minutes=2)


def test_a_change_is_not_led_to_who_bears_another_offices_number(book: Book) -> None:
    book.record(said(ipp("8")), 0)
    book.record(said(ipp("A", "GHT")), 0)
    for listed in ((ipp("3"), ipp("A", "GHT")), (ipp("A", "GHT"), ipp("3"))):
        with pytest.raises(IdentityConflictError, match="Another patient bears"):
            book.change(said(*listed), ipp("8"), minutes=1)


def test_a_number_goes_within_a_record_and_comes_back(book: Book) -> None:
    patient = book.record(said(ipp("1"), ipp("A", "GHT")), 0)
    book.change(said(ipp("A", "GHT")), ipp("1"), minutes=1)
    found = book.named(ipp("1"))
    assert (found.id, found.identifiers, found.retired) == (
        patient,
        (ipp("A", "GHT"),),
        (ipp("1"),),
    )
    (step,) = book(lambda c: patients.history(c, patient)).steps
    assert (step.kind, step.one, step.other) == ("change", ipp("1"), ipp("A", "GHT"))
    book.change(said(ipp("1")), ipp("A", "GHT"), minutes=3)
    book.change(said(ipp("A", "GHT")), ipp("1"), minutes=2)
    assert book.named(ipp("1")).identifiers == (ipp("1"),)
    book.merge(said(ipp("2")), ipp("1"), minutes=4)
    assert book.named(ipp("1")).identifiers == (ipp("2"),)
    assert set(book.named(ipp("1")).retired) == {ipp("1"), ipp("A", "GHT")}


def test_the_number_of_who_was_kept_is_first(book: Book) -> None:
    book.record(said(ipp("1"), ipp("A", "GHT")), 0)
    book.record(said(ipp("2")), 1)
    book.merge(said(ipp("2")), ipp("1"), minutes=2)
    assert book.named(ipp("A", "GHT")).identifiers == (ipp("2"), ipp("A", "GHT"))


def test_links_go_both_ways_and_end(book: Book) -> None:
    book.record(said(ipp("1")), 0)
    book.record(said(ipp("2")), 0)
    book.link(ipp("2"), ipp("1"), True, 1)
    one, other = book.named(ipp("1")), book.named(ipp("2"))
    assert (one.linked, other.linked) == ({other.id}, {one.id})
    book.link(ipp("1"), ipp("2"), False, 3)
    book.link(ipp("1"), ipp("2"), True, 2)
    assert book.named(ipp("1")).linked == frozenset()


def test_links_follow_merges_and_end_within_one_patient(book: Book) -> None:
    book.link(ipp("1"), ipp("2"), True, 1)
    book.merge(said(ipp("3")), ipp("2"), minutes=2)
    assert book.named(ipp("1")).linked == {book.named(ipp("3")).id}
    book.merge(said(ipp("3")), ipp("1"), minutes=3)
    assert book.named(ipp("1")).linked == frozenset()


def test_the_history_tells_who_said_what_and_how_records_met(book: Book) -> None:
    book.record(said(ipp("8")), 0)
    book.record(said(ipp("8"), traits=replace(CAMILLE, sex="M")), 1, only_fill=True)
    book.change(said(ipp("3"), traits=Traits()), ipp("8"), minutes=2)
    book.link(ipp("5"), ipp("3"), True, 3)
    patient = book.named(ipp("3"))
    told = book(lambda c: patients.history(c, patient.id))
    assert [(s.identifier, s.by_order, s.first_source) for s in told.sayings] == [
        (ipp("8"), False, "m0"),
        (ipp("8"), True, "m1"),
    ]
    assert "sex" in told.sayings[0].believed
    assert told.sayings[1].believed == ()
    assert [step.kind for step in told.steps] == ["change", "link"]
    assert (told.steps[0].one, told.steps[0].other) == (ipp("8"), ipp("3"))


def test_two_who_speak_of_one_patient_at_once(run: Any, database: Database, here: Any) -> None:
    """Whoever waits for the other sees what the other wrote."""

    async def one(number: int) -> None:
        traits = Traits(sex="F") if number % 2 else Traits(birth_name="DUPONT")
        async with database.transaction(here.id) as connection:
            await patients.record(
                connection,
                here.id,
                said(ipp(str(number // 4)), traits=traits),
                said_at=at(number),
                source=f"m{number}",
            )

    async def all_() -> None:
        await asyncio.gather(*map(one, range(32)))

    run(all_())
    book = Book(run, database, here)
    assert book.rows("patient") == 8
    for number in range(8):
        assert book.named(ipp(str(number))).traits == Traits(birth_name="DUPONT", sex="F")
