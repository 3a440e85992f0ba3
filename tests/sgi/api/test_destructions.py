"""One person asks, a second approves; from then on the slide is nowhere."""

import json
import uuid
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sgi.domain.account import Role
from sgi.domain.slide import Slide
from sgi.retention.destroy import Destroyer
from sgi.stored.keys import certificate_key, destruction_key
from sgi.stores import Stores

PATH = "/api/v1/destructions"
RULE = "/api/v1/retention"
WHY = "made for a test"


@pytest.fixture
def asker(web: Any, here: Any) -> Any:
    return web.signed_in(here, Role.PATHOLOGIST)


def ask(web: Any, client: Any, slide: Slide, ground: str = "test") -> Any:
    body = {"slide_id": str(slide.id), "ground": ground, "reason": WHY}
    return web.run(client.post(PATH, json=body))


def approve(web: Any, client: Any, told: Any) -> Any:
    return web.run(client.post(f"{PATH}/{told['id']}/approve", json={"slide_id": told["slide_id"]}))


def withdraw(web: Any, client: Any, told: Any) -> Any:
    return web.run(client.post(f"{PATH}/{told['id']}/withdraw", json={"reason": WHY}))


def jobs(url: str, destruction_id: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            """select queue_name, lock, scheduled_at from procrastinate_jobs
               where args ->> 'destruction_id' = %s""",
            [destruction_id],
        ).fetchall()


def test_two_people_and_a_waiting_time(
    web: Any,
    client: Any,
    asker: Any,
    slide: Slide,
    here: Any,
    store: Any,
    url: str,
    audit_rows: Any,
) -> None:
    answer = ask(web, asker, slide)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["state"] == "asked"
    assert told["early"]
    assert told["may_approve"] is False
    assert told["slide"]["file_name"] == slide.file_name
    assert told["slide"]["objects"] == len(slide.instances)
    assert ask(web, client, slide).status_code == 409, "asked for already"
    (seen,) = web.get(client, PATH).json()["items"]
    assert seen["may_approve"], "another person"
    approved = approve(web, client, seen)
    assert approved.status_code == 200, approved.text
    assert approved.json()["state"] == "approved"
    assert approved.json()["not_before"] > approved.json()["approved_at"]
    assert jobs(url, told["id"]) == [], "one that waits keeps all others of its slide waiting"
    assert web.get(client, f"/api/v1/slides/{slide.id}").status_code == 200, "until it begins"
    assert web.get(client, f"{PATH}/{told['id']}/certificate").status_code == 404
    stored = json.loads(store.objects[destruction_key(here.id, UUID(told["id"]))])
    assert stored["state"] == "approved"
    assert withdraw(web, asker, told).json()["state"] == "withdrawn"
    assert withdraw(web, asker, told).status_code == 409
    assert approve(web, client, told).status_code == 409
    assert ask(web, asker, slide).status_code == 201, "a new one may follow"
    actions = [row["action"] for row in audit_rows(here) if "destruction" in row["action"]]
    assert actions == [
        "ask_destruction",
        "approve_destruction",
        "withdraw_destruction",
        "ask_destruction",
    ]


def test_nobody_approves_what_they_asked_for(
    web: Any, client: Any, slide: Slide, here: Any, audit_rows: Any
) -> None:
    told = ask(web, client, slide).json()
    assert approve(web, client, told).status_code == 403
    again = web.signed_in(here)  # the same person, signed in once more
    assert approve(web, again, told).status_code == 403
    row = audit_rows(here)[-1]
    assert (row["action"], row["outcome"]) == ("approve_destruction", "failure")
    assert web.get(client, PATH).json()["items"][0]["state"] == "asked"


def test_the_database_wants_two_people_too(
    web: Any, client: Any, asker: Any, slide: Slide, url: str
) -> None:
    told = ask(web, asker, slide).json()
    with psycopg.connect(url) as owner:
        for other in ("asked_by, approved_session = gen_random_uuid()", "null"):
            with pytest.raises(psycopg.errors.CheckViolation, match="two_people"):
                owner.execute(
                    f"""update destruction set state = 'approved', approved_name = 'x',
                        approved_at = now(), not_before = now(), approved_by = {other}
                        where id = %s""",
                    [told["id"]],
                )
            owner.rollback()
        approve(web, client, told)
        for refused in (
            "state = 'destroying', began_at = now()",
            "state = 'asked'",
            "not_before = now()",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(
                    f"update destruction set {refused} where id = %s",  # the wait has not ended
                    [told["id"]],
                )
            owner.rollback()


def test_who_may_ask_and_approve(
    web: Any, client: Any, asker: Any, slide: Slide, here: Any, there: Any
) -> None:
    technician = web.signed_in(here, Role.TECHNICIAN)
    assert ask(web, technician, slide).status_code == 403
    assert web.get(technician, PATH).status_code == 403
    stranger = web.signed_in(there)
    assert ask(web, stranger, slide).status_code == 404
    told = ask(web, client, slide).json()
    assert approve(web, asker, told).status_code == 403, "a pathologist asks, and does not approve"
    assert approve(web, stranger, told).status_code == 404
    assert withdraw(web, stranger, told).status_code == 404
    assert web.get(stranger, PATH).json()["items"] == []
    assert web.get(stranger, f"{PATH}/{told['id']}/certificate").status_code == 404
    assert (
        web.run(client.post(f"{PATH}/{uuid.uuid4()}/withdraw", json={"reason": WHY})).status_code
        == 404
    )


def test_the_approver_names_the_slide(web: Any, client: Any, asker: Any, slide: Slide) -> None:
    told = ask(web, asker, slide).json()
    assert approve(web, client, {**told, "slide_id": str(uuid.uuid4())}).status_code == 409


def test_a_retention_that_has_not_ended_is_no_ground(
    web: Any, client: Any, asker: Any, slide: Slide, url: str
) -> None:
    assert ask(web, asker, slide, "retention_ended").status_code == 409
    with psycopg.connect(url) as owner:
        owner.execute(
            "update slide set published_at = now() - interval '20 years 1 day' where id = %s",
            [slide.id],
        )
    answer = ask(web, asker, slide, "retention_ended")
    assert answer.status_code == 201
    assert answer.json()["early"] is False
    web.run(client.put("/api/v1/retention", json={"years": 30, "reason": WHY}))
    refused = approve(web, client, answer.json())
    assert refused.status_code == 409, "it does not end any more"
    assert "withdraw" in refused.json()["detail"]


def test_a_held_slide_is_not_asked_for(web: Any, client: Any, asker: Any, slide: Slide) -> None:
    web.run(client.post(f"/api/v1/slides/{slide.id}/hold", json={"reason": WHY}))
    assert ask(web, asker, slide).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"ground": "test", "reason": WHY},
        {"slide_id": str(uuid.uuid4()), "ground": "mood", "reason": WHY},
        {"slide_id": str(uuid.uuid4()), "ground": "test", "reason": ""},
        {"slide_id": "x", "ground": "test", "reason": WHY},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(web: Any, client: Any, body: Any) -> None:
    assert web.run(client.post(PATH, json=body)).status_code == 422


def test_a_destroyed_slide_is_nowhere_at_once_in_every_process(
    make_web: Any, here: Any, slide: Slide, store: Any, database: Any, url: str
) -> None:
    first, second = make_web(), make_web()
    asker, client = first.signed_in(here, Role.PATHOLOGIST), first.signed_in(here)
    other = second.signed_in(here)
    rule = {"years": 20, "wait_days": 0, "reason": WHY}
    assert first.run(client.put(RULE, json=rule)).status_code == 200
    told = ask(first, asker, slide).json()
    assert approve(first, client, told).status_code == 200
    places = [
        f"/api/v1/slides/{slide.id}",
        f"/tiles/{slide.id}/0/0/0",
        f"/slides/{slide.id}/label",
        f"/zarr/{slide.id}.zarr/zarr.json",
        f"/iiif/3/{slide.id}/info.json",
        f"/dzi/{slide.id}.dzi",
        f"/dicomweb/studies/{slide.study_uid}/series/{slide.series_uid}/metadata",
    ]
    for place in places:  # so that both processes have it in their memory
        assert first.get(client, place).status_code == 200, place
        assert second.get(other, place).status_code == 200, place
    destroyer = Destroyer(first.services.settings, database, Stores(store))
    first.run(destroyer.destroy(here.id, UUID(told["id"])))
    for place in places:
        settles(second, other, place)
        settles(first, client, place)
    assert second.get(other, "/dicomweb/series").json() == []
    for listing in ("/api/v1/slides", "/api/v1/arrivals"):
        assert second.get(other, listing).json()["items"] == []
    keys = [key for key in store.objects if str(slide.id) in key]
    assert keys == []
    (done,) = second.get(other, PATH).json()["items"]
    assert done["state"] == "done"
    assert done["slide"] is None
    answer = second.get(other, f"{PATH}/{told['id']}/certificate")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.json()["source_sha256"] == slide.source_sha256
    assert answer.content == store.objects[certificate_key(here.id, UUID(told["id"]))]
    hold = second.run(other.post(f"/api/v1/slides/{slide.id}/hold", json={"reason": WHY}))
    assert hold.status_code == 404


def settles(web: Any, client: Any, place: str) -> None:
    """404 as soon as the notification came: it travels beside the answers."""
    import asyncio

    for _ in range(100):
        if web.get(client, place).status_code == 404:
            return
        web.run(asyncio.sleep(0.02))
    raise AssertionError(f"{place} is still answered")
