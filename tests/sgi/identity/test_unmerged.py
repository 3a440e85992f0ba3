"""A merge that is undone: the slides of who is somebody else again leave the study of both."""

from datetime import timedelta
from typing import Any

import pytest

from sgi.catalogue import identities, outbox_turns, patients
from sgi.domain.patient import Identifier, Identity
from tests.sgi.identity.conftest import Bench, patients_told, study_of

CASE = "26P00123"


def merge(bench: Bench, gone: str, kept: str) -> None:
    lab = bench.lab
    lab.said_at += timedelta(seconds=1)
    identity = Identity((Identifier(kept, "CHU"),))
    lab.do(
        lambda c: patients.merge(
            c,
            lab.establishment.id,
            identity,
            Identifier(gone, "CHU"),
            said_at=lab.said_at,
            source="test",
        )
    )


def study_of_case(bench: Bench) -> Any:
    (case,) = bench.lab.rows("select study_uid from lab_case where accession_number = %s", CASE)
    return case["study_uid"]


@pytest.fixture
def merged(told: Bench) -> Bench:
    """IPP1, of whom the slide is, is said to be IPP9."""
    told.lab.patient("IPP9", birth_name="DURAND")
    merge(told, "IPP1", "IPP9")
    assert told.tell() == 1
    return told


def test_the_slide_is_told_of_the_right_patient_in_a_study_of_its_own(merged: Bench) -> None:
    of_both, series = study_of(merged), merged.series()
    assert patients_told(merged, of_both) == {"IPP1", "IPP9"}  # the note of before, and the slide
    merge(merged, "IPP1", "IPP10")
    withheld = merged.get(series + "/metadata")
    assert withheld.status_code == 503
    assert merged.tell() == 1
    assert study_of(merged) == study_of_case(merged) != of_both
    assert merged.series().split("/")[4] != series.split("/")[4]
    assert patients_told(merged, study_of(merged)) == {"IPP10"}
    notes = merged.lab.do(lambda c: identities.notes(c, of_both))
    assert notes[-1].document["0040A043"]["Value"][0]["00080100"]["Value"] == ["113037"]
    assert merged.get(series + "/metadata").status_code == 410


def test_the_laboratory_hears_of_the_other_study(merged: Bench) -> None:
    lab = merged.lab
    lab.rows(
        """insert into interface (establishment_id, name, kind, sends)
           values (%s, 'sgl', 'mllp', '{LAB-104}') returning name""",
        lab.establishment.id,
    )
    merge(merged, "IPP1", "IPP10")
    assert merged.tell() == 1
    (notice,) = lab.do(lambda c: outbox_turns.claim(c, "sgl", timedelta(seconds=60)))
    assert notice.is_available


def test_a_merge_turned_round_keeps_the_study(merged: Bench) -> None:
    of_both = study_of(merged)
    merge(merged, "IPP9", "IPP1")
    assert merged.tell() == 1
    assert study_of(merged) == study_of_case(merged) == of_both


def test_a_merge_into_one_who_is_merged_in_turn_keeps_the_study(merged: Bench) -> None:
    of_both = study_of(merged)
    merged.lab.patient("IPP20", birth_name="DURAND")
    merge(merged, "IPP9", "IPP20")
    assert merged.tell() == 1
    assert study_of(merged) == study_of_case(merged) == of_both


def test_who_is_left_leaves_the_study_in_which_the_other_was_told(merged: Bench) -> None:
    """The case names the record that is kept, but its study has told of the one that goes."""
    of_both = study_of(merged)
    merged.lab.case(CASE, merged.lab.patient("IPP9", birth_name="DURAND"))
    merged.tell()
    assert study_of(merged) == of_both
    merge(merged, "IPP1", "IPP10")
    assert merged.tell() == 1
    assert study_of(merged) == study_of_case(merged) != of_both
    assert patients_told(merged, study_of(merged)) == {"IPP9"}


def test_merged_and_parted_again_and_again_it_never_returns_to_a_study_of_both(
    merged: Bench,
) -> None:
    seen = {study_of(merged)}
    for other in ("IPP10", "IPP11", "IPP12"):
        merge(merged, "IPP1", other)
        assert merged.tell() == 1
        assert study_of(merged) == study_of_case(merged)
        assert study_of(merged) not in seen
        assert patients_told(merged, study_of(merged)) == {other}
        seen.add(study_of(merged))
        merge(merged, "IPP1", "IPP9")
        assert merged.tell() == 1
        seen.add(study_of(merged))


def test_a_link_that_ends_changes_nothing(told: Bench) -> None:
    lab, series = told.lab, told.series()
    lab.patient("IPP9", birth_name="MARTIN")
    for linked in (True, False):
        lab.said_at += timedelta(seconds=1)
        lab.do(
            lambda c, linked=linked: patients.link(
                c,
                lab.establishment.id,
                [Identifier("IPP1", "CHU")],
                [Identifier("IPP9", "CHU")],
                linked=linked,
                said_at=lab.said_at,
                source="test",
            )
        )
    assert told.tell() == 0
    assert told.series() == series
