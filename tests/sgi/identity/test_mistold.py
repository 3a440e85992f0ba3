"""Slides that wait to be told anew: who is kept waiting, what is withheld, what a monitor sees."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg

from sgi.catalogue import attachments
from sgi.domain.slide import Slide
from sgi.ingest.identify import identify
from tests.sgi.identity.conftest import ACTOR, JSON, Bench, patients_told, study_of, told_uids


def mistold(bench: Bench) -> None:
    """Nothing names the patient of before while the slide waits; its pixels are shown."""
    uid = told_uids(bench, bench.slide.levels[0].sop_uid)
    study, series = study_of(bench), bench.series()
    parts = {"accept": 'multipart/related; type="application/dicom"'}
    for place in (f"/studies/{study}", series, f"{series}/instances/{uid}"):
        for answer in (bench.get(place, **parts), bench.get(f"{place}/metadata")):
            assert answer.status_code == 503, place
            assert answer.headers["retry-after"]
            assert "IPP1" not in answer.text
            assert "whose" in answer.json()["detail"]
    french = bench.get(f"{series}/metadata", **JSON, **{"accept-language": "fr"})
    assert "patient" in french.json()["detail"]
    assert bench.get(f"{series}/instances/{uid}/frames/1", accept="*/*").status_code == 200
    for place in ("/studies", "/series", "/instances", f"/studies/{study}/series"):
        found = bench.get(f"{place}?PatientID=IPP1&Modality=SM")
        assert found.json() == [], place
        assert "not searched yet" in found.headers["warning"]


def test_a_wrong_name_is_not_told_while_the_right_one_waits(told: Bench) -> None:
    slide, lab = told.slide, told.lab
    lab.do(lambda c: attachments.undo(c, slide.establishment_id, slide.id, "swapped", ACTOR))
    mistold(told)
    assert told.tell() == 1
    assert told.get(f"{told.series()}/metadata").status_code == 200
    assert "warning" not in told.get("/studies").headers


def test_nor_while_its_case_is_said_to_be_another_patients(told: Bench) -> None:
    told.lab.case("26P00123", told.lab.patient("IPP2", birth_name="DURAND"))
    mistold(told)
    assert told.tell() == 1
    assert patients_told(told, study_of(told)) == {"IPP2"}


def test_nor_while_its_glass_is_said_to_be_of_another_case(told: Bench) -> None:
    told.lab.case("26P00999", told.lab.patient("IPP2", birth_name="DURAND"))
    told.lab.asset("26P00123.A.01.01", accession_number="26P00999")
    mistold(told)


def test_a_slide_that_cannot_be_told_keeps_no_other_from_its_turn(
    told: Bench, convert_into: Any, publish_converted: Callable[..., Slide], run: Any, url: str
) -> None:
    lab, broken = told.lab, told.slide
    made = convert_into(told.store)
    facts = made.facts.model_copy(update={"barcodes": ("26P00123.A.01.01",)})
    other = publish_converted(lab.establishment, told.store, replace(made, facts=facts), "b.svs")
    with psycopg.connect(url) as owner:
        owner.execute("update dicom_instance set document = '{}' where slide_id = %s", [broken.id])
    lab.patient("IPP1", birth_name="MARTINEZ")
    assert run(identify(lab.database, other, []))
    assert told.tell() == 1
    assert lab.rows("select slide_id from identity_due") == [{"slide_id": broken.id}]


def test_corrected_words_and_a_first_telling_keep_nobody_waiting(bench: Bench, run: Any) -> None:
    run(identify(bench.lab.database, bench.slide, []))
    assert bench.metadata()
    assert bench.get("/series").json()
    assert bench.tell() == 1
    bench.lab.patient("IPP1", birth_name="MARTINEZ")
    assert bench.lab.rows("select * from identity_due")
    assert bench.metadata()
    assert "warning" not in bench.get("/studies?PatientID=IPP1").headers


def test_the_wall_stands_around_what_waits(told: Bench, laboratory: Any, there: Any) -> None:
    told.lab.case("26P00123", told.lab.patient("IPP2", birth_name="DURAND"))
    told.client = told.web.signed_in(there)
    assert "warning" not in told.get("/studies").headers
    assert laboratory(there).rows("select * from mistold") == []
    assert told.get(f"{told.series()}/metadata").status_code == 404


def test_a_monitor_sees_what_waits_too_long(told: Bench) -> None:
    def figures() -> list[int]:
        text = told.web.get(told.web.client(), "/metrics").text
        names = ("waiting", "withheld")
        return [int(text.split(f"\nsgi_identities_{name} ")[1].split()[0]) for name in names]

    told.lab.case("26P00123", told.lab.patient("IPP2", birth_name="DURAND"))
    waiting, withheld = figures()
    told.lab.rows(
        """insert into identity_due (establishment_id, slide_id, asked_at)
           values (%s, %s, now() - interval '2 minutes') returning id""",
        told.slide.establishment_id,
        told.slide.id,
    )
    assert figures() == [waiting + 1, withheld + 1]
