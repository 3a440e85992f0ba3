import uuid
from collections.abc import Callable
from typing import Any

import pytest

from sgi.catalogue import arrivals
from sgi.domain.account import Role
from sgi.domain.arrival import STOPPED, ArrivalState, Reason, ReasonCode


def test_the_list_says_where_each_stands_and_why(
    web: Any, client: Any, here: Any, arrive: Callable[..., Any]
) -> None:
    held = arrive(here, ArrivalState.HELD, ReasonCode.UNKNOWN_FORMAT)
    published = arrive(here, ArrivalState.PUBLISHED)
    first, second = web.get(client, "/api/v1/arrivals").json()["items"]
    assert first["id"] == str(published.id)
    assert first["slide"] == str(published.slide_id)
    assert first["reason"] is first["reason_code"] is None
    assert second["id"] == str(held.id)
    assert (second["state"], second["reason_code"]) == ("held", "unknown_format")
    assert second["reason"].startswith("The file is not a slide")
    assert second["slide"] is None
    assert set(second) >= {"id", "file_name", "state", "progress", "reason"}
    french = web.get(client, "/api/v1/arrivals", headers={"accept-language": "fr-CA, en"})
    assert "\u202f;" in french.json()["items"][1]["reason"]
    asked = web.get(client, "/api/v1/arrivals?lang=fr")
    assert asked.json() == french.json()


@pytest.mark.parametrize("state", ArrivalState)
def test_retry_once_and_on_record(
    web: Any, here: Any, arrive: Callable[..., Any], audit_rows: Any, state: ArrivalState
) -> None:
    client = web.signed_in(here, Role.TECHNICIAN)
    arrival = arrive(here, state)
    answer = web.run(client.post(f"/api/v1/arrivals/{arrival.id}/retry"))
    rows = [row for row in audit_rows(here) if row["action"] == "retry_arrival"]
    if state in STOPPED:
        assert answer.status_code == 202
        assert answer.json()["state"] == "waiting"
        (row,) = rows
        assert row["object_id"] == arrival.id
        assert row["session_id"]
        assert row["account_id"]
    else:
        assert answer.status_code == 409
        assert rows == []
    again = web.run(client.post(f"/api/v1/arrivals/{arrival.id}/retry"))
    assert again.status_code == 409


def test_a_pathologist_may_look_and_not_retry(
    web: Any, here: Any, arrive: Callable[..., Any], audit_rows: Any
) -> None:
    client = web.signed_in(here, Role.PATHOLOGIST)
    arrival = arrive(here, ArrivalState.HELD)
    assert web.get(client, "/api/v1/arrivals").status_code == 200
    answer = web.run(client.post(f"/api/v1/arrivals/{arrival.id}/retry"))
    assert answer.status_code == 403
    assert [row["action"] for row in audit_rows(here)] == ["sign_in"]


def test_no_such_arrival(web: Any, client: Any) -> None:
    assert web.run(client.post(f"/api/v1/arrivals/{uuid.uuid4()}/retry")).status_code == 404
    assert web.run(client.post("/api/v1/arrivals/x/retry")).status_code == 422


def test_names_of_any_bytes(web: Any, client: Any, here: Any, arrive: Any, tmp_path: Any) -> None:
    import os

    for name in ("😐.svs".encode(), b"two\nlines.svs", b"\xff.svs", b"<script>.svs"):
        arrive(here, path=tmp_path / os.fsdecode(name))
    names = {item["file_name"] for item in web.get(client, "/api/v1/arrivals").json()["items"]}
    assert names == {"😐.svs", "two\nlines.svs", "\ufffd.svs", "<script>.svs"}


def test_the_finding_itself_is_told_in_french(
    web: Any, client: Any, here: Any, arrive: Callable[..., Any], database: Any
) -> None:
    arrival = arrive(here, ArrivalState.HELD, ReasonCode.UNSUPPORTED)
    told = (
        "The files of the series name different patients; "
        "put the files of each slide into a folder of its own."
    )

    async def explain() -> None:
        async with database.transaction(here.id) as connection:
            reason = Reason(ReasonCode.UNSUPPORTED, told)
            await arrivals.stop(connection, arrival.id, ArrivalState.HELD, reason)

    web.run(explain())
    (english,) = web.get(client, "/api/v1/arrivals").json()["items"]
    assert english["reason"] == told
    (french,) = web.get(client, "/api/v1/arrivals?lang=fr").json()["items"]
    assert french["reason"].startswith("Les fichiers de la série nomment des patients différents")
