"""How long slides are kept, and which are due."""

import json
from typing import Any

import psycopg
import pytest

from sgi.domain.account import Role
from sgi.domain.slide import Slide
from sgi.stored.keys import retention_key

PATH = "/api/v1/retention"
WHY = "the commission of 3 March decided so"


def test_twenty_years_until_somebody_decides_otherwise(
    web: Any, here: Any, there: Any, store: Any, audit_rows: Any
) -> None:
    client = web.signed_in(here)
    told = web.get(client, PATH).json()
    assert (told["years"], told["wait_days"], told["changed_by"]) == (20, 7, None)
    assert told["stores"] == [{"store": "warm", "object_lock": False}]
    answer = web.run(client.put(PATH, json={"years": 30, "wait_days": 0.5, "reason": WHY}))
    assert answer.status_code == 200, answer.text
    told = web.get(client, PATH).json()
    assert (told["years"], told["wait_days"], told["reason"]) == (30, 0.5, WHY)
    assert told["changed_by"] == here.accounts[Role.ADMINISTRATOR]
    stored = json.loads(store.objects[retention_key(here.id)])
    assert (stored["years"], stored["wait_days"], stored["version"]) == (30, 0.5, 1)
    assert audit_rows(here)[-1]["action"] == "change_retention"
    assert web.get(web.signed_in(there), PATH).json()["years"] == 20, "each has its own"
    assert web.run(client.put(PATH, json={"years": 25, "reason": WHY})).json()["wait_days"] == 0.5


@pytest.mark.parametrize(
    "wanted",
    [
        {"years": 20},
        {"years": 0, "reason": WHY},
        {"years": 101, "reason": WHY},
        {"years": 20, "reason": "so"},
        {"years": 20, "reason": "x" * 501},
        {"years": 20, "reason": "no\x00NUL"},
        {"years": 20, "wait_days": -1, "reason": WHY},
        {"years": 20, "wait_days": 91, "reason": WHY},
        {"years": 20, "wait_days": "NaN", "reason": WHY},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(web: Any, here: Any, wanted: Any) -> None:
    client = web.signed_in(here)
    assert web.run(client.put(PATH, json=wanted)).status_code == 422
    assert web.get(client, PATH).json()["changed_by"] is None


def test_only_an_administrator_changes_the_rule(web: Any, here: Any) -> None:
    body = {"years": 1, "reason": WHY}
    pathologist = web.signed_in(here, Role.PATHOLOGIST)
    assert web.get(pathologist, PATH).status_code == 200
    assert web.run(pathologist.put(PATH, json=body)).status_code == 403
    technician = web.signed_in(here, Role.TECHNICIAN)
    assert web.get(technician, PATH).status_code == 403


def test_a_bucket_that_is_away_changes_no_rule(web: Any, here: Any, store: Any) -> None:
    from storage.errors import StoreUnavailableError

    client = web.signed_in(here)
    store.fail(StoreUnavailableError("It does not answer."))
    answer = web.run(client.put(PATH, json={"years": 30, "reason": WHY}))
    assert answer.status_code == 503
    store.fail(None)
    assert web.get(client, PATH).json()["years"] == 20


def test_what_is_due_is_listed_oldest_first_and_nothing_else(
    web: Any, here: Any, there: Any, store: Any, publish: Any, url: str
) -> None:
    ages = {"young": 19, "old": 21, "oldest": 25}
    made = {name: publish(here, store, file_name=name) for name in ages}
    for name, slide in made.items():
        grow_old(url, slide, ages[name])
    elsewhere = publish(there, store)
    grow_old(url, elsewhere, 30)
    client = web.signed_in(here)
    first = web.get(client, f"{PATH}/due?limit=1").json()
    assert [item["file_name"] for item in first["items"]] == ["oldest"]
    second = web.get(client, f"{PATH}/due", params={"after": first["next"]}).json()
    assert [item["file_name"] for item in second["items"]] == ["old"]
    assert second["next"] is None
    item = second["items"][0]
    assert item["held"] is False
    assert item["destruction_id"] is None
    assert item["size_bytes"] == sum(i.size_bytes for i in made["old"].instances)
    assert item["kept_until"] > item["published_at"][:10]
    web.run(client.put(PATH, json={"years": 19, "reason": WHY}))
    assert len(web.get(client, f"{PATH}/due").json()["items"]) == 3
    assert web.get(client, f"{PATH}/due", params={"after": "no"}).status_code == 422


def grow_old(url: str, slide: Slide, years: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            """update slide set published_at = published_at - make_interval(years => %s)
               - interval '1 day' where id = %s""",
            [years, slide.id],
        )
