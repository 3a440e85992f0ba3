"""Slides that nobody could name, over REST: what is offered, what is done, who may."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sgi.catalogue import interfaces
from sgi.domain.account import Role
from sgi.domain.interface import NoticeKind
from sgi.domain.slide import Slide
from sgi.ingest.identify import identify
from storage.memory import MemoryObjectStore


@pytest.fixture
def lab(laboratory: Any, here: Any) -> Any:
    return laboratory(here)


@pytest.fixture
def client(web: Any, here: Any) -> Any:
    return web.signed_in(here, Role.TECHNICIAN)


@pytest.fixture
def scan(lab: Any, convert_into: Any, publish_converted: Any, run: Any) -> Callable[..., Slide]:
    def make(*codes: str) -> Slide:
        store = MemoryObjectStore()
        made = convert_into(store)
        made = replace(made, facts=made.facts.model_copy(update={"barcodes": codes}))
        slide: Slide = publish_converted(lab.establishment, store, made, "a.svs")
        run(identify(lab.database, slide, []))
        return slide

    return make


def post(web: Any, client: Any, slide: Slide, what: str, **body: Any) -> Any:
    if what in {"attach", "detach"}:
        body = {"confirmed": ["not_named", "signed_out"]} | body
    return web.run(client.post(f"/api/v1/slides/{slide.id}/{what}", json=body))


def test_the_list_says_why_and_what_each_choice_will_do(
    web: Any, client: Any, lab: Any, scan: Any
) -> None:
    lab.case("26P1", lab.patient())
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("26P1.A.1.I")
    answer = web.get(client, "/api/v1/identification").json()
    (told,) = answer["items"]
    assert (told["slide_id"], told["reason"], told["codes"]) == (
        str(slide.id),
        "unknown",
        ["26P1.A.1.I"],
    )
    assert (told["has_label"], told["has_overview"]) == (True, True)
    assert (answer["total"], answer["next"]) == (1, None)
    path = f"/api/v1/identification/{slide.id}/candidates"
    (offered,) = web.get(client, path).json()["items"]
    assert offered["glass_id"] == str(glass)
    assert offered["why"] == "close"
    assert offered["patient_name"] == "MARTIN LÉA"
    assert offered["will"] == ["join_case", "bear_patient", "complete_case"], "nothing tells it"
    for kind in (NoticeKind.IMAGE, NoticeKind.LINK):
        sends = (lab.establishment.id, "sgl", "mllp", 2575, [kind])
        lab.do(lambda connection, sends=sends: interfaces.register(connection, *sends))
        (offered,) = web.get(client, path).json()["items"]
        assert offered["will"][-1] == "tell_laboratory", kind


def test_a_person_attaches_and_takes_back_with_a_trace(
    web: Any, client: Any, here: Any, lab: Any, scan: Any, audit_rows: Any
) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan()
    assert post(web, client, slide, "attach", glass=str(glass)).status_code == 200
    assert post(web, client, slide, "attach", glass=str(uuid.uuid4())).status_code == 404
    assert web.get(client, "/api/v1/identification").json()["items"] == []
    assert post(web, client, slide, "show-first").status_code == 200
    assert post(web, client, slide, "detach", reason="").status_code == 422
    answer = post(web, client, slide, "detach", reason="the labels were swapped")
    assert answer.status_code == 200
    (told,) = answer.json()["items"]
    name = here.accounts[Role.TECHNICIAN]
    assert (told["how"], told["attached_by"], told["undone_by"]) == ("person", name, name)
    assert told["undo_reason"] == "the labels were swapped"
    assert post(web, client, slide, "detach", reason="the labels again").status_code == 409
    assert web.get(client, f"/api/v1/slides/{slide.id}/attachments").json()["items"] == [told]
    (recent,) = web.get(client, "/api/v1/identification/attachments").json()["items"]
    assert told == {name: recent[name] for name in told}
    assert (recent["file_name"], recent["patient_name"]) == (slide.file_name, None)
    (waiting,) = web.get(client, "/api/v1/identification").json()["items"]
    assert waiting["reason"] == "undone"
    done = [row["action"] for row in audit_rows(here)]
    assert done.count("attach_slide") == done.count("detach_slide") == 1


def test_the_job_is_handed_over_with_it(web: Any, client: Any, lab: Any, scan: Any) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    post(web, client, scan(), "attach", glass=str(glass))
    jobs = lab.rows("select * from procrastinate_jobs where task_name = 'sgi.tell_identities'")
    assert jobs


def test_other_glasses_are_found_by_what_is_typed(
    web: Any, client: Any, lab: Any, scan: Any
) -> None:
    for identifier in ("26P1.A.1.1", "26P1.A.1.2", "26P2.A.1.1"):
        lab.asset(identifier, accession_number=identifier[:4])

    def found(text: str) -> list[str]:
        answer = web.get(client, "/api/v1/identification/glass", params={"q": text})
        return [each["identifier"] for each in answer.json()["items"]]

    assert found("26p1.a") == ["26P1.A.1.1", "26P1.A.1.2"]
    assert found("26P2") == ["26P2.A.1.1"]
    assert found("%_") == []
    assert web.get(client, "/api/v1/identification/glass?q=a%00b").status_code == 422


def test_pages_follow_each_other(web: Any, client: Any, scan: Any) -> None:
    slides = [str(scan().id) for _ in range(3)]
    first = web.get(client, "/api/v1/identification?limit=2").json()
    second = web.get(
        client, "/api/v1/identification", params={"limit": 2, "after": first["next"]}
    ).json()
    told = [each["slide_id"] for each in first["items"] + second["items"]]
    assert sorted(told) == sorted(slides)
    assert second["next"] is None
    assert web.get(client, "/api/v1/identification?after=x").status_code == 422


def test_nothing_crosses_to_another_establishment(
    web: Any, there: Any, lab: Any, laboratory: Any, scan: Any
) -> None:
    slide = scan("26P1.A.1.1")
    lab.asset("26P1.A.1.1", accession_number="26P1")
    own = laboratory(there).asset("26P9.A.1.1", accession_number="26P9")
    stranger = web.signed_in(there)
    assert web.get(stranger, "/api/v1/identification").json()["items"] == []
    path = f"/api/v1/identification/{slide.id}/candidates"
    assert web.get(stranger, path).status_code == 404
    assert web.get(stranger, f"/api/v1/slides/{slide.id}/attachments").status_code == 404
    assert post(web, stranger, slide, "attach", glass=str(own)).status_code == 404
    answer = web.get(stranger, "/api/v1/identification/glass?q=26P1")
    assert answer.json()["items"] == []


def test_a_case_that_is_signed_out_says_so_before_and_after(
    web: Any, client: Any, here: Any, lab: Any, scan: Any
) -> None:
    case = lab.case("26P1", lab.patient())
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan()
    lab.rows("update lab_case set state = 'signed_out' where id = %s returning 1", case)
    path = "/api/v1/identification/glass?q=26P1"
    (offered,) = web.get(client, path).json()["items"]
    assert offered["will"] == ["join_case", "change_signed_out", "bear_patient"]
    (told,) = post(web, client, slide, "attach", glass=str(glass)).json()["items"]
    assert told["case_signed_out"]
    post(web, client, slide, "detach", reason="of another patient")
    history = web.get(client, f"/api/v1/cases/{case}").json()["history"]
    name = here.accounts[Role.TECHNICIAN]
    assert [
        (each["kind"], each["before"], each["why"], each["by"])
        for each in history
        if each["kind"].startswith("scan")
    ] == [
        ("scan_attached", "26P1.A.1.1", None, name),
        ("scan_detached", "26P1.A.1.1", "of another patient", name),
    ]


def test_a_glass_that_was_refused_is_marked(web: Any, client: Any, lab: Any, scan: Any) -> None:
    lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("26P1.A.1.1")
    post(web, client, slide, "detach", reason="the labels were swapped")

    def marked(path: str) -> list[bool]:
        items = web.get(client, f"/api/v1/identification/{path}").json()["items"]
        return [each["was_refused"] for each in items]

    assert marked(f"{slide.id}/candidates") == [True]
    assert marked(f"glass?q=26P1&slide={slide.id}") == [True]
    assert marked("glass?q=26P1") == [False]


def test_a_label_with_the_patients_code_says_whose_each_candidate_is(
    web: Any, client: Any, lab: Any, scan: Any
) -> None:
    lab.case("26P1", lab.patient())
    lab.asset("26P1.A.1.1", accession_number="26P1")
    lab.asset("26P2.A.1.1")
    code = "IS01" + "0" * 22 + "S1279035121518989S21.2.250.1.213.1.4.10<GS>S4{}<GS>S5F"

    def said(slide: Slide) -> dict[str, Any]:
        items = web.get(client, f"/api/v1/identification/{slide.id}/candidates").json()["items"]
        found = web.get(client, f"/api/v1/identification/glass?q=26P&slide={slide.id}").json()
        return {each["identifier"]: each["code_says"] for each in items + found["items"]}

    other = said(scan("26P1.A.1.I", code.format("NOBODYLIKETHAT")))
    assert other == {"26P1.A.1.1": "another", "26P2.A.1.1": "cannot_tell"}
    assert set(said(scan("26P1.A.1.J")).values()) == {None}


def test_what_is_attached_is_told_with_its_label_and_its_patient_on_record(
    web: Any, client: Any, here: Any, there: Any, lab: Any, scan: Any, audit_rows: Any
) -> None:
    patient = lab.patient()
    lab.case("26P1", patient)
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = scan("26P1.A.1.X")
    answer = post(web, client, slide, "attach", glass=str(glass), confirmed=["not_named"])
    assert answer.status_code == 200
    path = "/api/v1/identification/attachments"
    for _ in range(2):
        (told,) = web.get(client, path).json()["items"]
    assert (told["accession_number"], told["patient_name"]) == ("26P1", "MARTIN LÉA")
    assert (told["codes"], told["file_name"]) == (["26P1.A.1.X"], slide.file_name)
    assert (told["has_label"], told["has_overview"]) == (True, True)
    assert "patient_name" not in answer.json()["items"][0], "of a slide, nobody's data"
    viewed = [row for row in audit_rows(here) if row["action"] == "view_identification"]
    assert len(viewed) == 1, "once a session"
    assert web.get(web.signed_in(there, Role.TECHNICIAN), path).json()["items"] == []
