"""Cases over REST: whole, moved on, and what is asked of the laboratory; all of it on record."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sgi.catalogue import attachments, cases, interfaces, outbox, patients, reports, specimens
from sgi.catalogue.reports import ReportRow
from sgi.domain.account import Role
from sgi.domain.case import Asset, AssetKind, CaseSaid, Code
from sgi.domain.identification import How
from sgi.domain.interface import NoticeKind, NoticeState
from sgi.domain.patient import (
    Identifier,
    IdentifierKind,
    Identity,
    IdentityStatus,
    Traits,
)

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
INS = "279035121518989"


@dataclass(frozen=True)
class Made:
    id: uuid.UUID
    glass: uuid.UUID
    slide: uuid.UUID


@pytest.fixture
def made(run: Any, database: Any, here: Any, publish: Any, store: Any) -> Made:
    """A case with a specimen, a block and two glasses, one of them scanned."""
    slide = publish(here, store)
    identity = Identity(
        (
            Identifier("000003", "CHU-X"),
            Identifier(INS, "1.2.250.1.213.1.4.8", IdentifierKind.INS),
        ),
        Traits(
            birth_name="PAT-TROIS",
            first_given_name="DOMINIQUE",
            sex="F",
            birth_date=date(1979, 3, 28),
        ),
        IdentityStatus.QUALIFIED,
    )

    async def make() -> Made:
        async with database.transaction(here.id) as connection:
            patient = await patients.record(
                connection, here.id, identity, said_at=AT, source="adt", only_fill=False
            )
            said = CaseSaid("26P00123", received_at=AT, service=Code("ACP", "Anatomie"))
            case_id = await cases.record_case(
                connection, here.id, said, patient_id(patient), said_at=AT, source="lab100"
            )
            for asset in (
                Asset(
                    AssetKind.SPECIMEN,
                    "A",
                    accession_number="26P00123",
                    site=Code("1", "Sein"),
                ),
                Asset(AssetKind.BLOCK, "A.01", parent="A"),
                Asset(AssetKind.SLIDE, "A.01.01", parent="A.01", stains=(Code("HES"),)),
                Asset(AssetKind.SLIDE, "A.01.02", parent="A.01", stains=(Code("PAS"),)),
            ):
                await specimens.record_asset(
                    connection, here.id, asset, said_at=AT, source="lab100"
                )
            glass = await specimens.glass_named(connection, "A.01.01")
            assert glass is not None
            await attachments.attach(connection, here.id, slide.id, glass.id, How.PERSON)
            return Made(case_id, glass.id, slide.id)

    result: Made = run(make())
    return result


def patient_id(told: Any) -> uuid.UUID:
    """What `record` gives, alone or with what it found."""
    return told if isinstance(told, uuid.UUID) else told.patient_id


@pytest.fixture
def reader(web: Any, here: Any) -> Any:
    return web.signed_in(here, Role.PATHOLOGIST)


@pytest.fixture
def sgl(run: Any, database: Any, here: Any) -> Any:
    """Has an interface that sends these kinds."""

    async def serve(*kinds: NoticeKind) -> None:
        async with database.transaction(here.id) as connection:
            await interfaces.register(connection, here.id, "sgl", "mllp", 2575, kinds)

    return lambda *kinds: run(serve(*kinds))


def post(web: Any, client: Any, path: str, body: Any) -> Any:
    return web.run(client.post(f"/api/v1/{path}", json=body))


def test_a_case_is_shown_whole(
    web: Any, reader: Any, made: Made, here: Any, audit_rows: Callable[..., Any]
) -> None:
    for _ in range(2):
        told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    assert told["accession_number"] == "26P00123"
    assert (told["state"], told["expected"], told["scanned"]) == ("in_progress", 2, 1)
    assert told["organs"] == ["Sein"]
    patient = told["patient"]
    assert (patient["birth_name"], patient["ipp"]) == ("PAT-TROIS", "000003")
    assert (patient["status"], patient["matricule"]) == ("QUAL", INS)
    (specimen,) = told["specimens"]
    assert (specimen["identifier"], specimen["organ"]) == ("A", "Sein")
    (block,) = specimen["blocks"]
    first, second = block["slides"]
    assert (first["identifier"], first["stain"]) == ("A.01.01", "HES")
    assert [scan["slide_id"] for scan in first["scans"]] == [str(made.slide)]
    assert first["scans"][0]["current"]
    assert (second["scans"], second["to_be_scanned"]) == ([], True)
    viewed = [row for row in audit_rows(here) if row["action"] == "view_case"]
    assert [row["object_id"] for row in viewed] == [made.id], "one view a session"


def test_a_case_is_read_and_signed_out(
    web: Any, reader: Any, made: Made, here: Any, audit_rows: Callable[..., Any]
) -> None:
    path = f"cases/{made.id}/state"
    assert post(web, reader, path, {"event": "sign_out"}).status_code == 409
    assert post(web, reader, path, {"event": "begin"}).json() == {"state": "reading"}
    told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    me = here.accounts[Role.PATHOLOGIST]
    assert told["pathologist"]["name"] == me, "who begins a case that is nobody's has it"
    assert post(web, reader, path, {"event": "sign_out", "reason": "done"}).status_code == 200
    told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    assert told["signed_out_at"] is not None
    last = told["history"][-1]
    assert (last["kind"], last["before"], last["after"]) == ("state", "reading", "signed_out")
    assert (last["by"], last["why"]) == (me, "done")
    assert post(web, reader, path, {"event": "final"}).status_code == 422, "the laboratory's"
    actions = [row["action"] for row in audit_rows(here)]
    assert actions.count("change_case_state") == 2


def test_what_is_not_whole_is_signed_out_with_a_reason_alone(
    web: Any, reader: Any, made: Made, sgl: Any, run: Any, database: Any, here: Any
) -> None:
    sgl(NoticeKind.WORK_ORDER)
    path = f"/api/v1/cases/{made.id}/state"

    def step(language: str = "en", **body: str) -> Any:
        return web.run(reader.post(path, json=body, headers={"Accept-Language": language}))

    assert step(event="begin").status_code == 200
    rescan = f"cases/{made.id}/glass/{made.glass}/rescan"
    assert post(web, reader, rescan, {"reason": "blurred"}).status_code == 200
    wanted = {"kind": "recut", "parent": "A.01"}
    assert post(web, reader, f"cases/{made.id}/work-orders", wanted).status_code == 200
    answer = step(event="sign_out")
    assert (answer.status_code, answer.json()["title"]) == (409, "IncompleteCase")
    assert answer.json()["missing"] == {"unscanned": 1, "rescans": 1, "orders": 1}
    assert answer.json()["detail"] == (
        "The case is incomplete: 1 slide is not scanned, 1 slide is to be scanned again, "
        "1 request to the laboratory is not done; give the reason (reason)."
    )
    french = step("fr", event="sign_out").json()["detail"]
    assert french.startswith("Le cas est incomplet\u00a0: 1 lame n'est pas numérisée, ")
    assert step(event="sign_out", reason=" ").status_code == 422
    told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    assert told["state"] == "reading"
    assert step(event="sign_out", reason="the second is broken").status_code == 200
    told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    assert told["history"][-1]["why"] == "the second is broken"


def test_what_is_whole_is_signed_out_without_a_word(
    web: Any, reader: Any, made: Made, run: Any, database: Any, here: Any
) -> None:
    async def cancel() -> None:
        async with database.transaction(here.id) as connection:
            await connection.execute(
                "update glass set cancelled_at = now() where identifier = 'A.01.02'"
            )
            await cases.reassess(connection, made.id)

    run(cancel())
    path = f"cases/{made.id}/state"
    assert post(web, reader, path, {"event": "sign_out"}).json() == {"state": "signed_out"}


def test_what_cannot_be_done_says_why(web: Any, reader: Any, made: Made) -> None:
    def sentence(path: str, body: Any, language: str = "en") -> Any:
        answer = web.run(
            reader.post(
                f"/api/v1/cases/{made.id}/{path}", json=body, headers={"Accept-Language": language}
            )
        )
        assert answer.status_code == 409
        return answer.json()["detail"]

    assert sentence("state", {"event": "put_back"}) == "Nobody is reading the case; begin it first."
    assert sentence("hold", {"reason": None}) == "The case is not put aside; reload the page."
    post(web, reader, f"cases/{made.id}/hold", {"reason": "waits for a second opinion"})
    assert "already" in sentence("hold", {"reason": "again"})
    post(web, reader, f"cases/{made.id}/state", {"event": "begin"})
    assert "read already" in sentence("state", {"event": "begin"})
    done = {"event": "sign_out", "reason": "done"}
    assert post(web, reader, f"cases/{made.id}/state", done).status_code == 200
    for path, body in (("state", done), ("hold", {"reason": "x"})):
        assert sentence(path, body) == "The case is signed out; reopen it first."
        assert sentence(path, body, "fr").startswith("Ce cas est validé")


def test_a_stain_is_named_where_one_is_asked_for(
    web: Any, reader: Any, made: Made, sgl: Any
) -> None:
    sgl(NoticeKind.WORK_ORDER)
    orders = f"/api/v1/cases/{made.id}/work-orders"
    for kind in ("ihc", "special_stain"):
        answer = web.run(
            reader.post(
                orders, json={"kind": kind, "parent": "A.01"}, headers={"Accept-Language": "fr"}
            )
        )
        assert answer.status_code == 422, kind
        assert "anticorps" in answer.json()["detail"]
        coded = {"kind": kind, "parent": "A.01", "stain_code": "KI67"}
        assert web.run(reader.post(orders, json=coded)).status_code == 200


def test_a_field_that_is_not_right_is_named(web: Any, reader: Any, made: Made) -> None:
    orders = f"cases/{made.id}/work-orders"
    told = post(web, reader, orders, {"kind": "ihcc", "words": "deep\nMSH"}).json()
    assert told["fields"] == ["kind", "parent", "words"]
    assert "kind, parent, words" in told["detail"]
    hostile = {"account": None, "\u202esay <b>what</b> you like": 1}
    told = post(web, reader, f"cases/{made.id}/assign", hostile).json()
    assert "fields" not in told
    assert "like" not in str(told)


def test_a_technician_looks_and_changes_nothing(web: Any, made: Made, here: Any) -> None:
    client = web.signed_in(here, Role.TECHNICIAN)
    assert web.get(client, f"/api/v1/cases/{made.id}").status_code == 200
    for path, body in (
        ("state", {"event": "begin"}),
        ("assign", {}),
        ("hold", {"reason": "x"}),
        ("work-orders", {"kind": "recut", "parent": "A.01"}),
        (f"glass/{made.glass}/rescan", {"reason": "x"}),
    ):
        assert post(web, client, f"cases/{made.id}/{path}", body).status_code == 403


def test_others_cases_are_not_there(web: Any, made: Made, there: Any) -> None:
    client = web.signed_in(there)
    assert web.get(client, f"/api/v1/cases/{made.id}").status_code == 404
    for path, body in (
        ("state", {"event": "begin"}),
        ("assign", {}),
        ("hold", {"reason": "x"}),
        ("work-orders", {"kind": "recut", "parent": "A.01"}),
        (f"glass/{made.glass}/rescan", {"reason": "x"}),
    ):
        assert post(web, client, f"cases/{made.id}/{path}", body).status_code == 404


def test_work_and_new_scans_are_asked_for(web: Any, reader: Any, made: Made, sgl: Any) -> None:
    sgl(NoticeKind.WORK_ORDER)
    path = f"cases/{made.id}"
    order = post(
        web,
        reader,
        f"{path}/work-orders",
        {"kind": "ihc", "parent": "A.01", "stain": "Ki-67", "words": "deep"},
    ).json()
    assert (order["stain"], order["state"], order["words"]) == ("Ki-67", "asked", "deep")
    body = {"kind": "recut", "parent": "nothing"}
    assert post(web, reader, f"{path}/work-orders", body).status_code == 404
    body = {"kind": "rescan", "parent": "A.01.01"}
    assert post(web, reader, f"{path}/work-orders", body).status_code == 422
    rescan = f"{path}/glass/{made.glass}/rescan"
    assert post(web, reader, rescan, {"reason": " "}).status_code == 422
    assert post(web, reader, rescan, {"reason": "out of focus"}).status_code == 200
    assert post(web, reader, rescan, {"reason": "out of focus"}).status_code == 409
    (asked,) = web.get(reader, "/api/v1/rescans").json()["items"]
    assert (asked["identifier"], asked["reason"]) == ("A.01.01", "out of focus")
    told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    assert (told["rescans"], told["orders"]) == (1, 1)
    assert [each["kind"] for each in told["work_orders"]] == ["ihc", "rescan"]


def test_work_that_nothing_would_tell_the_laboratory_is_refused(
    web: Any, reader: Any, made: Made, sgl: Any, there: Any
) -> None:
    sgl(NoticeKind.CASE)
    body = {"parent": "A.01", "stain": "Ki-67"}
    orders = f"/api/v1/cases/{made.id}/work-orders"
    for kind in ("recut", "ihc", "special_stain"):
        answer = web.run(
            reader.post(orders, json={"kind": kind, **body}, headers={"Accept-Language": "en"})
        )
        assert answer.status_code == 409
        assert "telephone" in answer.json()["detail"]
    answer = web.run(
        reader.post(orders, json={"kind": "recut", **body}, headers={"Accept-Language": "fr"})
    )
    assert "par téléphone" in answer.json()["detail"]
    told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    assert (told["work_orders"], told["orders"]) == ([], 0)
    assert told["links"] == {"orders": False, "images": False, "states": True}
    rescan = f"cases/{made.id}/glass/{made.glass}/rescan"
    assert post(web, reader, rescan, {"reason": "blurred"}).status_code == 200, "for the scanners"
    stranger = web.signed_in(there)
    assert web.run(stranger.post(orders, json={"kind": "recut", **body})).status_code == 404
    sgl(NoticeKind.WORK_ORDER, NoticeKind.LINK)
    told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    assert told["links"] == {"orders": True, "images": True, "states": False}
    assert web.run(reader.post(orders, json={"kind": "recut", **body})).status_code == 200


def test_work_is_taken_back_until_the_laboratory_answers(
    web: Any, reader: Any, made: Made, sgl: Any, run: Any, database: Any, here: Any, there: Any
) -> None:
    sgl(NoticeKind.WORK_ORDER)
    orders = f"cases/{made.id}/work-orders"
    order = post(web, reader, orders, {"kind": "recut", "parent": "A.01"}).json()
    path = f"{orders}/{order['id']}/withdraw"
    assert post(web, web.signed_in(here, Role.TECHNICIAN), path, {}).status_code == 403
    assert post(web, web.signed_in(there), path, {}).status_code == 404
    other = f"{orders}/{uuid.uuid4()}/withdraw"
    assert post(web, reader, other, {}).status_code == 404

    async def notices() -> list[NoticeState]:
        async with database.transaction(here.id) as connection:
            cursor = await connection.execute("select * from outbox order by number")
            return [outbox.notice_of(row).state for row in await cursor.fetchall()]

    assert run(notices()) == [NoticeState.WAITING]
    taken = post(web, reader, path, {})
    assert (taken.status_code, taken.json()["state"]) == (200, "withdrawn")
    assert run(notices()) == [NoticeState.GIVEN_UP]
    told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    last = told["history"][-1]
    assert (last["kind"], last["before"], last["after"]) == ("work_answered", "A.01", "withdrawn")
    assert (last["by"], told["orders"]) == (here.accounts[Role.PATHOLOGIST], 0)
    answer = post(web, reader, path, {})
    assert answer.status_code == 409
    rescan = post(web, reader, f"cases/{made.id}/glass/{made.glass}/rescan", {"reason": "x"}).json()
    assert post(web, reader, f"{orders}/{rescan['id']}/withdraw", {}).status_code == 200
    assert web.get(reader, "/api/v1/rescans").json()["items"] == []
    assert set(run(notices())) == {NoticeState.GIVEN_UP}

    async def accept() -> None:
        async with database.transaction(here.id) as connection:
            await connection.execute("update work_order set state = 'accepted' where state='asked'")

    order = post(web, reader, orders, {"kind": "recut", "parent": "A.01"}).json()
    run(accept())
    assert post(web, reader, f"{orders}/{order['id']}/withdraw", {}).status_code == 409


def test_a_new_scan_is_taken_back(web: Any, reader: Any, made: Made, here: Any, there: Any) -> None:
    rescan = f"cases/{made.id}/glass/{made.glass}/rescan"
    assert post(web, reader, f"{rescan}/withdraw", {}).status_code == 409, "none is asked for"
    assert post(web, reader, rescan, {"reason": "out of focus"}).status_code == 200
    technician = web.signed_in(here, Role.TECHNICIAN)
    assert post(web, technician, f"{rescan}/withdraw", {}).status_code == 403
    stranger = web.signed_in(there)
    assert post(web, stranger, f"{rescan}/withdraw", {}).status_code == 404
    other = f"cases/{made.id}/glass/{made.id}/rescan/withdraw"
    assert post(web, reader, other, {}).status_code == 404
    order = post(web, reader, f"{rescan}/withdraw", {}).json()
    assert (order["kind"], order["state"]) == ("rescan", "withdrawn")
    assert web.get(reader, "/api/v1/rescans").json()["items"] == []
    told = web.get(reader, f"/api/v1/cases/{made.id}").json()
    assert told["rescans"] == 0
    last = told["history"][-1]
    assert (last["kind"], last["before"], last["after"]) == (
        "work_answered",
        "A.01.01",
        "withdrawn",
    )
    assert last["by"] is not None
    assert post(web, reader, f"{rescan}/withdraw", {}).status_code == 409
    assert post(web, reader, rescan, {"reason": "still out of focus"}).status_code == 200


@pytest.mark.parametrize("sign", ["\r", "\n", "\x0b", "\x1c", "\x7f", "\x85"])
def test_words_for_the_laboratory_hold_no_control_characters(
    web: Any, reader: Any, made: Made, sign: str
) -> None:
    path, words = f"cases/{made.id}", f"deep{sign}MSH"
    order = {"kind": "ihc", "parent": "A.01", "stain": "Ki-67"}
    for field in ("parent", "stain", "stain_code", "stain_system", "words"):
        body = {**order, field: words}
        assert post(web, reader, f"{path}/work-orders", body).status_code == 422, field
    rescan = f"{path}/glass/{made.glass}/rescan"
    assert post(web, reader, rescan, {"reason": words}).status_code == 422
    assert (
        post(web, reader, f"{path}/state", {"event": "begin", "reason": words}).status_code == 422
    )


def test_a_case_is_put_aside(web: Any, reader: Any, made: Made) -> None:
    path = f"cases/{made.id}/hold"
    told = post(web, reader, path, {"reason": "second opinion"}).json()
    assert told["hold_reason"] == "second opinion"
    assert post(web, reader, path, {"reason": "again"}).status_code == 409
    assert post(web, reader, path, {"reason": None}).json()["held_at"] is None


REPORTS = (
    ("application/pdf", b"%PDF-1.7 x", "inline", "application/pdf"),
    ("application/pdf", b"<script>alert(1)</script>", "attachment", "application/octet-stream"),
    ("text/plain", b"<b>x</b>", "inline", "text/plain; charset=utf-8"),
    ("text/html", b"<script>alert(1)</script>", "attachment", "application/octet-stream"),
    ("text/xml", b"<ClinicalDocument/>", "attachment", "application/octet-stream"),
    ("image/svg+xml", b"<svg onload='alert(1)'/>", "attachment", "application/octet-stream"),
    ("image/svg+xml\r\nX: y", b"<svg/>", "attachment", "application/octet-stream"),
)


@pytest.mark.parametrize(("media_type", "content", "way", "told_type"), REPORTS)
def test_a_report_is_never_a_page_of_ours(
    web: Any,
    reader: Any,
    made: Made,
    run: Any,
    database: Any,
    here: Any,
    there: Any,
    audit_rows: Callable[..., Any],
    media_type: str,
    content: bytes,
    way: str,
    told_type: str,
) -> None:
    async def attach() -> Any:
        row = ReportRow("26P00123", None, "preliminary", None, None, None, media_type, content)
        async with database.transaction(here.id) as connection:
            return await reports.attach_report(connection, here.id, row, said_at=AT, source="oru")

    report_id = run(attach())
    path = f"/api/v1/cases/{made.id}/reports/{report_id}"
    answer = web.get(reader, path)
    assert answer.content == content
    assert answer.headers["content-type"] == told_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith(way)
    assert answer.headers["cache-control"] == "no-store"
    assert "x" not in {name.lower() for name in answer.headers}
    if told_type != "application/pdf":
        assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert web.get(web.signed_in(there), path).status_code == 404
    other = f"/api/v1/cases/{uuid.uuid4()}/reports/{report_id}"
    assert web.get(reader, other).status_code == 404
    assert audit_rows(here)[-1]["action"] == "view_report"
    (listed,) = web.get(reader, f"/api/v1/cases/{made.id}").json()["reports"]
    assert (listed["id"], listed["size_bytes"]) == (str(report_id), len(content))
