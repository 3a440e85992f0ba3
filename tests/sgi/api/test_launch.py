"""Another system opens a case here, by its own people's sign-in."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from sgi.domain.account import Permission, Role

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def address(**said: str) -> str:
    return f"/IHEInvokeImageDisplay?{urlencode({'requestType': 'STUDY', **said})}"


@pytest.fixture
def lab(laboratory: Callable[[Any], Any], here: Any) -> Any:
    return laboratory(here)


def study_of(lab: Any, case_id: Any) -> str:
    (row,) = lab.rows("select study_uid from lab_case where id = %s", case_id)
    uid: str = row["study_uid"]
    return uid


def test_a_study_by_either_key_or_both(web: Any, here: Any, lab: Any) -> None:
    case = lab.case("26P1")
    uid = study_of(lab, case)
    client = web.signed_in(here, Role.PATHOLOGIST)
    for said in (
        {"accessionNumber": "26P1"},
        {"studyUID": uid},
        {"studyUID": uid, "Accessionnumber": "26P1", "idCDA": "1.2.3^4"},
    ):
        answer = web.get(client, address(**said))
        assert answer.status_code == 303, said
        assert answer.headers["location"] == f"/cases/{case}"
        assert answer.headers["cache-control"] == "no-store"


def test_keys_that_do_not_agree_open_nothing(web: Any, here: Any, lab: Any) -> None:
    one, _ = lab.case("26P1"), lab.case("26P2")
    client = web.signed_in(here)
    answer = web.get(client, address(studyUID=study_of(lab, one), accessionNumber="26P2"))
    assert answer.status_code == 409
    assert "location" not in answer.headers
    assert "26P2" not in answer.text


def test_several_open_with_our_own_ids_alone(web: Any, here: Any, lab: Any) -> None:
    one, two = lab.case("26P1"), lab.case("26P2")
    client = web.signed_in(here)
    answer = web.get(client, address(accessionNumber="26P2,26P1"))
    assert answer.headers["location"] == f"/cases/{two}?also={one}"
    assert web.get(client, address(accessionNumber="26P2,26P9")).status_code == 404


def test_a_slide_that_is_no_cases_yet(
    web: Any, here: Any, store: Any, publish: Callable[..., Any]
) -> None:
    slide = publish(here, store)
    answer = web.get(web.signed_in(here), address(studyUID=slide.study_uid))
    assert answer.headers["location"] == f"/view/{slide.id}"


def test_a_slide_leads_to_its_case(
    web: Any, here: Any, store: Any, publish: Callable[..., Any], lab: Any
) -> None:
    slide, case = publish(here, store), lab.case("26P1")
    glass = lab.asset("26P1-A-1", accession_number="26P1")
    lab.rows(
        "update slide set glass_id = %s, unidentified = null where id = %s returning 1",
        glass,
        slide.id,
    )
    answer = web.get(web.signed_in(here), address(studyUID=slide.study_uid))
    assert answer.headers["location"] == f"/cases/{case}"


def test_a_patient(web: Any, here: Any, lab: Any) -> None:
    patient = lab.patient("4711")
    older, newer = lab.case("26P1", patient), lab.case("26P2", patient)
    lab.rows("update lab_case set received_at = now() where id = %s returning 1", newer)
    client = web.signed_in(here)

    def at(identifier: str, **more: str) -> Any:
        return web.get(
            client, address(**{"requestType": "PATIENT", "patientID": identifier, **more})
        )

    both = f"/cases/{newer}?also={older}"
    assert at("4711^^^CHU").headers["location"] == both
    assert at("4711").headers["location"] == both
    assert at("4711^^^CHU&1.2.3&ISO").headers["location"] == both
    assert at("4711^^^CHU", mostRecentResults="1").headers["location"] == f"/cases/{newer}"
    assert at("4711^^^Other").status_code == 404
    assert at("4712^^^CHU").status_code == 404


def test_a_patient_by_the_universal_id_alone_of_who_gave_the_number(
    web: Any, here: Any, lab: Any
) -> None:
    case = lab.case("26P1", lab.patient("4711"))
    lab.rows(
        """insert into patient_assigner (establishment_id, oid, namespace, assigner)
           values (%s, '000897406', 'CHU', 'CHU'), (%s, '000897406', 'CHU-NORD', 'CHU'),
                  (%s, '000897414', 'N', 'N') returning 1""",
        *[here.id] * 3,
    )
    client = web.signed_in(here)
    asked = {"requestType": "PATIENT"}
    for assigner in ("&000897406&N", "CHU&000897406&N", "CHU-NORD", "&000897406"):
        answer = web.get(client, address(**asked, patientID=f"4711^^^{assigner}"))
        assert answer.headers.get("location") == f"/cases/{case}", assigner
    for assigner in ("&000897414&N", "N", "&0008974&N"):
        answer = web.get(client, address(**asked, patientID=f"4711^^^{assigner}"))
        assert answer.status_code == 404, assigner


def test_a_number_that_two_patients_bear(web: Any, here: Any, lab: Any) -> None:
    lab.case("26P1", lab.patient("4711"))
    lab.rows(
        """with other as (insert into patient (establishment_id, birth_name)
                          values (%s, 'AUTRE') returning id, establishment_id)
           insert into patient_identifier (establishment_id, patient_id, kind, assigner, value)
           select establishment_id, id, 'PI', 'CLINIQUE', '4711' from other returning 1""",
        here.id,
    )
    client = web.signed_in(here)
    asked = {"requestType": "PATIENT", "patientID": "4711"}
    assert web.get(client, address(**asked)).status_code == 409
    asked["patientID"] = "4711^^^CHU"
    assert web.get(client, address(**asked)).status_code == 303


def test_another_establishments_is_as_if_it_were_not_there(
    web: Any, here: Any, there: Any, laboratory: Callable[[Any], Any]
) -> None:
    theirs = laboratory(there)
    case = theirs.case("26P1", theirs.patient("4711"))
    uid = study_of(theirs, case)
    client = web.signed_in(here)
    nothing = {"accessionNumber": "nowhere"}, {"studyUID": "1.2.3"}, {"patientID": "4712^^^CHU"}
    for missing, said in zip(
        nothing,
        ({"accessionNumber": "26P1"}, {"studyUID": uid}, {"patientID": "4711^^^CHU"}),
        strict=True,
    ):
        kind = {"requestType": "PATIENT"} if "patientID" in said else {}
        answer = web.get(client, address(**said, **kind))
        other = web.get(client, address(**missing, **kind))
        told = answer.text.replace("26P1", "nowhere")
        assert (answer.status_code, told) == (404, other.text), said


def test_what_is_not_here_is_said_by_what_was_asked_for(web: Any, here: Any, lab: Any) -> None:
    lab.case("26P1")
    client = web.signed_in(here)
    asked = {"accessionNumber": "26P1,26P<9", "patientName": "PAT-TROIS"}
    answer = web.get(client, address(**asked), headers={"Accept-Language": "fr", **BROWSER})
    assert answer.status_code == 404
    assert "Le cas 26P&lt;9 n&#x27;est pas connu ici, ou pas encore" in answer.text
    query = "requestType=PATIENT&patientID=4712%5E%5E%5ECHU"
    told = web.run(client.post("/api/v1/launch", json={"query": query})).json()["detail"]
    assert "patient" in told
    assert "4712" not in told


def test_who_is_not_signed_in_is_asked_to_and_learns_nothing(web: Any, here: Any, lab: Any) -> None:
    case = lab.case("26P1")
    nobody = web.client(**BROWSER)
    pages = {web.get(nobody, address(accessionNumber=number)).text for number in ("26P1", "26P9")}
    assert len(pages) == 1, "the same page whether there is such a case or not"
    (page,) = pages
    assert "<script" in page
    assert "26P" not in page
    answer = web.get(web.client(), address(accessionNumber="26P1"))
    assert answer.status_code == 401
    # What the page does once somebody has signed in.
    client = web.signed_in(here, Role.PATHOLOGIST)
    query = address(accessionNumber="26P1").partition("?")[2]
    told = web.run(client.post("/api/v1/launch", json={"query": query}))
    assert told.json() == {"path": f"/cases/{case}"}
    assert web.run(nobody.post("/api/v1/launch", json={"query": query})).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "",
        "studyUID=1.2.3",
        "requestType=STUDY&studyUID=1.2%27;drop",
        "requestType=STUDY&studyUID=a",
    ],
)
def test_what_is_not_understood_is_400(web: Any, here: Any, query: str) -> None:
    for client in (web.client(), web.signed_in(here)):
        answer = web.get(client, f"/IHEInvokeImageDisplay?{query}")
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
    french = web.client(**BROWSER | {"accept-language": "fr"})
    page = web.get(french, f"/IHEInvokeImageDisplay?{query}")
    assert page.status_code == 400
    assert "requestType vaut STUDY" in page.text
    assert "drop" not in page.text


def test_it_is_on_record_without_a_number(
    web: Any, here: Any, lab: Any, audit_rows: Callable[[Any], list[Any]]
) -> None:
    case = lab.case("26P1")
    web.get(web.signed_in(here), address(accessionNumber="26P1"))
    (row,) = [row for row in audit_rows(here) if row["action"] == "launch"]
    assert row["object_id"] == case
    assert row["account_id"] is not None


def test_a_role_that_sees_no_cases_opens_none(
    web: Any, here: Any, lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sgi.domain.account import GRANTS

    lab.case("26P1")
    client = web.signed_in(here, Role.TECHNICIAN)
    less = GRANTS[Role.TECHNICIAN] - {Permission.VIEW_CASES}
    monkeypatch.setitem(GRANTS, Role.TECHNICIAN, less)
    assert web.get(client, address(accessionNumber="26P1")).status_code == 403
