"""Legal holds: while one lasts nobody destroys the slide, in code or in SQL."""

import json
import uuid
from datetime import UTC
from typing import Any

import psycopg
import pytest

from sgi.domain.account import Role
from sgi.domain.slide import Slide
from sgi.stored.keys import destruction_key, holds_key

WHY = {"reason": "expertise asked for by the court"}


def path(slide: Slide) -> str:
    return f"/api/v1/slides/{slide.id}/hold"


def place(web: Any, client: Any, slide: Slide) -> Any:
    return web.run(client.post(path(slide), json=WHY))


def lift(web: Any, client: Any, slide: Slide) -> Any:
    return web.run(client.request("DELETE", path(slide), json=WHY))


def test_a_hold_is_placed_shown_and_lifted_with_reasons(
    web: Any, client: Any, slide: Slide, here: Any, store: Any, audit_rows: Any
) -> None:
    told = web.get(client, path(slide)).json()
    assert (told["items"], told["held"], told["destruction_state"]) == ([], False, None)
    assert int(told["kept_until"][:4]) == slide.published_at.year + 20
    assert told["counted_by"] == "publication"
    assert told["counted_from"] == slide.published_at.astimezone(UTC).date().isoformat()
    assert place(web, client, slide).status_code == 200
    told = web.get(client, path(slide)).json()
    assert told["held"]
    assert told["items"][0]["reason"] == WHY["reason"]
    assert told["items"][0]["placed_by"] == here.accounts[Role.ADMINISTRATOR]
    assert [hold["slide_id"] for hold in web.get(client, "/api/v1/holds").json()["items"]] == [
        str(slide.id)
    ]
    assert place(web, client, slide).status_code == 409, "it is held already"
    stored = json.loads(store.objects[holds_key(here.id, slide.id)])
    assert stored["holds"][0]["lifted_at"] is None
    assert lift(web, client, slide).json()["held"] is False
    assert lift(web, client, slide).status_code == 409
    stored = json.loads(store.objects[holds_key(here.id, slide.id)])
    assert stored["holds"][0]["lift_reason"] == WHY["reason"]
    assert place(web, client, slide).json()["held"]
    assert len(web.get(client, path(slide)).json()["items"]) == 2, "the first stays on record"
    actions = [row["action"] for row in audit_rows(here)]
    assert [a for a in actions if a.endswith("_hold")] == ["place_hold", "lift_hold", "place_hold"]


def test_a_reason_is_asked_for(web: Any, client: Any, slide: Slide) -> None:
    for body in ({}, {"reason": ""}, {"reason": "because"[:3]}, {"reason": " \t" * 9}):
        assert web.run(client.post(path(slide), json=body)).status_code == 422


def test_who_may_hold(web: Any, here: Any, there: Any, slide: Slide) -> None:
    assert place(web, web.signed_in(here, Role.TECHNICIAN), slide).status_code == 403
    stranger = web.signed_in(there)
    assert place(web, stranger, slide).status_code == 404
    assert lift(web, stranger, slide).status_code == 404
    assert web.get(stranger, path(slide)).status_code == 404
    assert web.get(stranger, "/api/v1/holds").json()["items"] == []
    assert place(web, web.signed_in(here, Role.PATHOLOGIST), slide).status_code == 200


def test_a_hold_withdraws_what_was_approved(
    web: Any, client: Any, slide: Slide, here: Any, store: Any
) -> None:
    asked = web.run(
        client.post(
            "/api/v1/destructions",
            json={"slide_id": str(slide.id), "ground": "test", "reason": "made for a test"},
        )
    ).json()
    place(web, client, slide)
    (told,) = web.get(client, "/api/v1/destructions").json()["items"]
    assert told["state"] == "withdrawn"
    assert told["withdrawn_by"] == here.accounts[Role.ADMINISTRATOR]
    stored = json.loads(store.objects[destruction_key(here.id, uuid.UUID(asked["id"]))])
    assert stored["state"] == "withdrawn"


STATEMENTS = {
    "the slide": "delete from slide where id = %(slide)s",
    "its instances": "delete from instance where slide_id = %(slide)s",
    "by a destruction": """insert into destruction (establishment_id, slide_id, arrival_id, scene,
        source_sha256, source_size_bytes, study_uid, series_uid, published_at, kept_until, state,
        ground, reason, asked_by, asked_name, asked_session, approved_by, approved_name,
        approved_session, approved_at, not_before, began_at)
        select establishment_id, id, arrival_id, 0, '', 0, '', '', now(), now(), 'destroying',
        'test', 'x', gen_random_uuid(), 'a', gen_random_uuid(), gen_random_uuid(), 'b',
        gen_random_uuid(), now(), now(), now() from slide where id = %(slide)s""",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_the_database_refuses_too_even_its_owner(
    web: Any, client: Any, slide: Slide, url: str, statement: str
) -> None:
    place(web, client, slide)
    with psycopg.connect(url) as owner:
        with pytest.raises(psycopg.errors.RestrictViolation, match="legal hold"):
            owner.execute(statement, {"slide": slide.id})
        owner.rollback()
    lift(web, client, slide)
    with psycopg.connect(url) as owner:
        owner.execute(statement, {"slide": slide.id})
        owner.rollback()
