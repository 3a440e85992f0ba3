"""What speaks against a choice has to be confirmed by whoever makes it, whichever way they come."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sgi.domain.account import Role
from sgi.domain.slide import Slide
from sgi.ingest.identify import identify
from storage.memory import MemoryObjectStore

CODE = "IS01" + "0" * 22 + "S1279035121518989S21.2.250.1.213.1.4.10<GS>S4{}<GS>S5F"


@pytest.fixture
def lab(laboratory: Any, here: Any) -> Any:
    lab = laboratory(here)
    lab.case("26P1", lab.patient())
    lab.asset("26P1.A.1.1", accession_number="26P1")
    return lab


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


@pytest.fixture
def attach(web: Any, client: Any) -> Callable[..., Any]:
    def send(slide: Slide, glass: Any, *confirmed: str, language: str = "en") -> Any:
        body = {"glass": str(glass)} | ({"confirmed": list(confirmed)} if confirmed else {})
        path = f"/api/v1/slides/{slide.id}/attach"
        headers = {"accept-language": language}
        return web.run(client.post(path, json=body, headers=headers))

    return send


def detach(web: Any, client: Any, slide: Slide, *confirmed: str) -> Any:
    body = {"reason": "the labels were swapped", "confirmed": list(confirmed)}
    return web.run(client.post(f"/api/v1/slides/{slide.id}/detach", json=body))


def offered(web: Any, client: Any, slide: Slide, search: str | None = None) -> dict[str, list[str]]:
    """What is to be confirmed of each candidate, as the lists say."""
    path = f"{slide.id}/candidates" if search is None else f"glass?q={search}&slide={slide.id}"
    items = web.get(client, f"/api/v1/identification/{path}").json()["items"]
    return {each["identifier"]: each["doubts"] for each in items}


def glass_of(lab: Any, slide: Slide) -> Any:
    (row,) = lab.rows("select glass_id from slide where id = %s", slide.id)
    return row["glass_id"]


def refused(answer: Any, *doubts: str) -> str:
    told = answer.json()
    assert (answer.status_code, told.get("confirm")) == (409, list(doubts)), answer.text
    detail: str = told["detail"]
    return detail


def test_a_label_that_names_another_glass(
    web: Any, client: Any, lab: Any, scan: Any, attach: Any
) -> None:
    slide = scan("26P1.A.1.1")
    assert detach(web, client, slide).status_code == 200
    other = lab.asset("26P2.A.1.1", accession_number="26P2")
    assert offered(web, client, slide, "26P2") == {"26P2.A.1.1": ["another_glass"]}
    assert "names another slide" in refused(attach(slide, other), "another_glass")
    french = refused(attach(slide, other, language="fr"), "another_glass")
    assert "désigne une autre lame" in french
    refused(attach(slide, other, "not_named", "signed_out"), "another_glass")
    assert glass_of(lab, slide) is None
    assert attach(slide, other, "another_glass").status_code == 200
    assert glass_of(lab, slide) == other


def test_a_label_with_another_persons_code(
    web: Any, client: Any, lab: Any, scan: Any, attach: Any
) -> None:
    slide = scan("26P1.A.1.I", CODE.format("NOBODYLIKETHAT"))
    glass = lab.asset("26P1.A.1.1")
    assert offered(web, client, slide) == {"26P1.A.1.1": ["another_patient", "not_named"]}
    refused(attach(slide, glass, "not_named"), "another_patient")
    assert attach(slide, glass, "another_patient", "not_named").status_code == 200


def test_a_label_that_says_nothing_of_it(
    web: Any, client: Any, lab: Any, scan: Any, attach: Any
) -> None:
    glass = lab.asset("26P1.A.1.1")
    for codes in ((), ("SOMETHING ELSE",)):
        slide = scan(*codes)
        assert offered(web, client, slide) == {"26P1.A.1.1": ["not_named"]}
        assert offered(web, client, slide, "26P1") == {"26P1.A.1.1": ["not_named"]}
        refused(attach(slide, glass), "not_named")
    assert attach(slide, glass, "not_named").status_code == 200


def test_a_code_that_was_read_and_is_not_this_glass_is_asked_about_however_near(
    web: Any, client: Any, lab: Any, scan: Any, attach: Any
) -> None:
    glass = lab.asset("26P1.A.1.1")
    lab.asset("26P1.A.1.2", accession_number="26P1")
    nearly = scan("26P1.A.1.I")
    asked = {"26P1.A.1.1": ["not_named"], "26P1.A.1.2": ["not_named"]}
    assert offered(web, client, nearly) == asked
    assert offered(web, client, nearly, "26P1") == asked
    refused(attach(nearly, glass), "not_named")
    assert attach(nearly, glass, "not_named").status_code == 200


def test_a_label_that_names_several_needs_no_word(lab: Any, scan: Any, attach: Any) -> None:
    second = lab.asset("26P1.A.1.2", accession_number="26P1")
    assert attach(scan("26p1.a.1.1", " 26p1.a.1.2 "), second).status_code == 200


def test_a_glass_that_a_person_took_it_away_from(
    web: Any, client: Any, lab: Any, scan: Any, attach: Any
) -> None:
    slide = scan("26P1.A.1.1")
    glass = glass_of(lab, slide)
    detach(web, client, slide)
    assert offered(web, client, slide)["26P1.A.1.1"] == ["taken_away"]
    refused(attach(slide, glass), "taken_away")
    assert attach(slide, glass, "taken_away").status_code == 200
    assert attach(slide, glass).status_code == 200, "it is there already: nothing is done"


def test_a_case_that_is_signed_out(web: Any, client: Any, lab: Any, scan: Any, attach: Any) -> None:
    slide = scan("26P1.A.1.I")
    glass = lab.asset("26P1.A.1.1")
    lab.rows("update lab_case set state = 'signed_out' returning 1")
    assert "signed out" in refused(attach(slide, glass, "not_named"), "signed_out")
    assert attach(slide, glass, "not_named", "signed_out").status_code == 200
    refused(detach(web, client, slide), "signed_out")
    assert glass_of(lab, slide) == glass
    assert detach(web, client, slide, "signed_out").status_code == 200


def test_all_that_speaks_against_it_is_said_at_once(
    web: Any, client: Any, lab: Any, scan: Any, attach: Any
) -> None:
    slide = scan(CODE.format("NOBODYLIKETHAT"))
    glass = lab.asset("26P1.A.1.1")
    lab.rows("update lab_case set state = 'signed_out' returning 1")
    all_of_them = ("another_patient", "not_named", "signed_out")
    refused(attach(slide, glass), *all_of_them)
    refused(attach(slide, glass, "another_patient"), *all_of_them[1:])
    assert attach(slide, glass, *all_of_them).status_code == 200


def test_what_is_confirmed_is_one_of_the_known(scan: Any, lab: Any, attach: Any) -> None:
    assert attach(scan(), lab.asset("26P1.A.1.1"), "anything").status_code == 422
