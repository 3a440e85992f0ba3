"""What labels read, as it is told: never what a patient's code says, and what speaks against what
a person chose once the laboratory has named the glass.
"""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sgi.commands.launch import add_client
from sgi.domain.account import Role
from sgi.domain.slide import Slide
from sgi.ingest.identify import identify

NIR = "279035121518989"
CODE = f"IS01{'0' * 22}S1{NIR}S21.2.250.1.213.1.4.8\x1dS4PAT-TROIS\x1dS5FS628-03-1979"
PACKED = base64.b64encode(CODE.encode()).decode()


@pytest.fixture
def lab(laboratory: Any, here: Any) -> Any:
    return laboratory(here)


@pytest.fixture
def client(web: Any, here: Any) -> Any:
    return web.signed_in(here, Role.TECHNICIAN)


@pytest.fixture
def scan(
    lab: Any, store: Any, convert_into: Any, publish_converted: Any, run: Any
) -> Callable[..., Slide]:
    def make(*codes: str, **facts: Any) -> Slide:
        made = convert_into(store)
        facts = {"barcodes": codes} | facts
        made = replace(made, facts=made.facts.model_copy(update=facts))
        slide: Slide = publish_converted(lab.establishment, store, made, "a.svs")
        run(identify(lab.database, slide, []))
        return slide

    return make


@pytest.mark.parametrize(
    "code",
    [
        CODE,
        f"]d1{CODE}",
        CODE.replace("\x1d", "<GS>"),
        f"x {CODE}",
        CODE + "x" * 700,
        CODE.lower(),
        CODE.replace("0" * 22, "O" * 22),
        "\ufffd".join(CODE),
    ],
)
def test_what_a_patients_code_says_is_told_to_nobody(
    web: Any, client: Any, scan: Any, code: str
) -> None:
    packed = base64.b64encode(code.encode()).decode()
    slide = scan(
        "26P1",
        code,
        label_text=f"26P1\n{code}\nDUPONT",
        metadata={"Barcode": code, "packed": packed, "stray": packed + "/", "AppMag": "20"},
    )
    told = web.get(client, f"/api/v1/slides/{slide.id}")
    assert told.json()["barcodes"] == ["26P1", None]
    assert (told.json()["label_text"] or "26P1").startswith("26P1")
    assert told.json()["metadata"] == {"AppMag": "20"}
    waiting = web.get(client, "/api/v1/identification")
    assert waiting.json()["items"][0]["codes"] == ["26P1", None]
    for answer in (told, waiting):
        assert NIR not in answer.text
        assert "PAT-TROIS" not in answer.text.upper()
        assert packed not in answer.text
        assert "28-03-1979" not in answer.text.upper()


@pytest.mark.parametrize("code", [PACKED, CODE.encode().hex(), CODE[26:], NIR])
def test_nor_where_nobody_sees_where_it_begins(web: Any, client: Any, scan: Any, code: str) -> None:
    slide = scan("26P1", code, label_text=f"26P1\n{code}", metadata={"x": f"<b>{code}</b>"})
    told = web.get(client, f"/api/v1/slides/{slide.id}").json()
    assert told["barcodes"] == ["26P1", None]
    assert (told["label_text"], told["metadata"]) == (None, {})
    assert web.get(client, "/api/v1/identification").json()["items"][0]["codes"] == ["26P1", None]


def test_more_words_than_are_looked_at_are_not_told(
    web: Any, client: Any, scan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sgi.api.label_codes._MOST_LOOKED_AT", 30)
    slide = scan("26P1", metadata={"a": "1", "b": "x" * 40, "c": "3"})
    assert web.get(client, f"/api/v1/slides/{slide.id}").json()["metadata"] == {"a": "1"}


@pytest.mark.parametrize("code", [CODE, PACKED])
def test_a_label_with_the_patients_code_alone_says_so(
    web: Any, client: Any, scan: Any, code: str
) -> None:
    scan(code)
    (waiting,) = web.get(client, "/api/v1/identification").json()["items"]
    assert (waiting["reason"], waiting["codes"]) == ("patient_code", [None])


def test_guests_see_no_picture_of_a_label_with_a_patients_code(
    web: Any, client: Any, lab: Any, scan: Any, run: Any, url: str, here: Any
) -> None:
    lab.case("26P1")
    lab.asset("26P1.A.1.1", accession_number="26P1")
    lab.asset("26P1.A.1.2", accession_number="26P1")
    with_code, without = scan("26P1.A.1.1", CODE), scan("26P1.A.1.2")
    token = run(add_client(url, "dpath", here.name))
    asking = web.client(authorization=f"Bearer {token}")
    link = web.run(asking.post("/api/v1/launch-links", json={"accession_number": "26P1"}))
    guest = web.client()
    assert web.get(guest, link.json()["path"]).status_code == 303
    for browser, slide, kinds in (
        (guest, with_code, ["thumbnail"]),
        (guest, without, ["label", "overview", "thumbnail"]),
        (client, with_code, ["label", "overview", "thumbnail"]),
    ):
        told = web.get(browser, f"/api/v1/slides/{slide.id}")
        assert told.json()["associated"] == kinds
        assert NIR not in told.text
        for kind in ("label", "overview", "thumbnail"):
            answer = web.get(browser, f"/slides/{slide.id}/{kind}")
            assert answer.status_code == (200 if kind in kinds else 404), kind


def attached(web: Any, client: Any, slide: Slide) -> Any:
    (one,) = web.get(client, f"/api/v1/slides/{slide.id}/attachments").json()["items"]
    (other,) = web.get(client, "/api/v1/identification/attachments").json()["items"]
    assert one == {name: other[name] for name in one}
    return one


def attach(web: Any, client: Any, slide: Slide, glass: Any, *confirmed: str) -> int:
    body = {"glass": str(glass), "confirmed": confirmed}
    answer = web.run(client.post(f"/api/v1/slides/{slide.id}/attach", json=body))
    return int(answer.status_code)


def contradicted(web: Any, client: Any) -> int:
    return int(web.get(client, "/api/v1/identification").json()["contradicted"])


def test_a_glass_that_is_registered_after_a_person_chose_another_is_told(
    web: Any, client: Any, lab: Any, scan: Any
) -> None:
    chosen = lab.asset("26P00135.A.1.1", accession_number="26P00135")
    slide = scan("26P00136.A.1.1")
    assert attach(web, client, slide, chosen, "not_named") == 200
    assert attached(web, client, slide)["label_names"] is None
    assert contradicted(web, client) == 0
    lab.asset("26p00136.a.1.1", accession_number="26P00136")
    told = attached(web, client, slide)
    assert (told["glass_identifier"], told["label_names"]) == ("26P00135.A.1.1", "26p00136.a.1.1")
    assert contradicted(web, client) == 1
    lab.cancel("26p00136.a.1.1")
    assert contradicted(web, client) == 0


def test_what_a_person_has_confirmed_or_taken_back_is_told_no_more(
    web: Any, client: Any, lab: Any, scan: Any
) -> None:
    chosen = lab.asset("26P00135.A.1.1", accession_number="26P00135")
    slide = scan("26P00136.A.1.1")
    assert attach(web, client, slide, chosen, "not_named") == 200
    lab.asset("26P00136.A.1.1", accession_number="26P00136")
    body = {"reason": "the label is another one"}
    assert web.run(client.post(f"/api/v1/slides/{slide.id}/detach", json=body)).status_code == 200
    assert attached(web, client, slide)["label_names"] is None
    assert attach(web, client, slide, chosen, "another_glass", "taken_away") == 200
    assert contradicted(web, client) == 0
    items = web.get(client, "/api/v1/identification/attachments").json()["items"]
    assert [each["label_names"] for each in items] == [None, None]
