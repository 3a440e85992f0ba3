"""The page's numbers over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sgi.catalogue import retention, tiers
from sgi.catalogue.audit import Action
from sgi.catalogue.database import Database
from sgi.domain.account import Role
from sgi.domain.retention import RetentionRule
from sgi.domain.tiers import TierEvent, TierPolicy, TierRule
from sgi.stored.forecast import StoredActivity
from sgi.stored.keys import forecast_key
from storage.errors import StoreUnavailableError

ADDRESS = "/api/v1/capacity"
ACTIVITY = {"slides_per_day": 400, "working_days_per_year": 250, "mean_size_bytes": 10**9}


def test_nothing_is_stored_yet(web: Any, here: Any) -> None:
    client = web.signed_in(here)
    answer = web.get(client, ADDRESS).json()
    assert answer["items"] == []
    assert answer["total"] == {
        "slides": 0,
        "size_bytes": 0,
        "warm_bytes": 0,
        "cold_bytes": 0,
        "mean_size_bytes": None,
    }
    assert answer["establishment"]["name"] == here.name
    kept = web.get(client, f"{ADDRESS}/activity").json()
    assert not kept["typed_in"]
    assert kept["activity"] == kept["offered"]
    assert kept["offered"]["slides_per_day"] == 0
    assert kept["seen"]["since"] is None


def test_what_is_stored(
    web: Any, here: Any, there: Any, store: Any, publish: Callable[..., Any]
) -> None:
    slides = [publish(here, store) for _ in range(2)]
    publish(there, store)
    client = web.signed_in(here)
    answer = web.get(client, ADDRESS).json()
    size = sum(instance.size_bytes for slide in slides for instance in slide.instances)
    assert answer["total"]["slides"] == 2
    assert answer["total"]["size_bytes"] == answer["total"]["warm_bytes"] == size
    assert answer["total"]["mean_size_bytes"] == round(size / 2)
    (item,) = answer["items"]
    assert item == {
        "month": f"{datetime.now(UTC):%Y-%m-01}",
        "tier": "warm",
        "slides": 2,
        "size_bytes": size,
        "original_bytes": size,
    }
    seen = web.get(client, f"{ADDRESS}/activity").json()["seen"]
    assert (seen["slides"], seen["days"]) == (2, 1)
    assert seen["mean_size_bytes"] == round(size / 2)


def test_an_activity_is_kept_and_audited(
    web: Any, here: Any, there: Any, store: Any, audit_rows: Callable[..., Any]
) -> None:
    client = web.signed_in(here)
    wanted = ACTIVITY | {"prices": {"warm": 20, "cold": 4}, "retention_years": 30}
    answer = web.run(client.put(f"{ADDRESS}/activity", json=wanted))
    assert answer.status_code == 200
    kept = web.get(client, f"{ADDRESS}/activity").json()
    assert kept == answer.json()
    assert kept["typed_in"]
    assert kept["activity"]["retention_years"] == 30
    assert kept["activity"]["prices"] == {"warm": 20, "cold": 4}
    assert kept["activity"]["copies"] == 1
    assert kept["offered"]["retention_years"] == 20
    (row,) = [r for r in audit_rows(here) if r["action"] == Action.CHANGE_FORECAST_ACTIVITY]
    assert row["account_id"] is not None
    assert not web.get(web.signed_in(there), f"{ADDRESS}/activity").json()["typed_in"]
    stored = StoredActivity.model_validate_json(store.objects[forecast_key(here.id)])
    assert stored.activity.retention_years == 30


def test_what_the_store_does_not_take_is_not_kept(web: Any, here: Any, store: Any) -> None:
    client = web.signed_in(here)
    store.fail(StoreUnavailableError("The store does not answer."))
    answer = web.run(client.put(f"{ADDRESS}/activity", json=ACTIVITY))
    assert answer.status_code == 503
    store.fail(None)
    assert not web.get(client, f"{ADDRESS}/activity").json()["typed_in"]


def test_the_establishments_rules_are_offered(
    web: Any, here: Any, run: Any, database: Database
) -> None:
    rules = [
        TierRule(after_days=365, event=TierEvent.PUBLISHED),
        TierRule(after_days=120, event=TierEvent.LAST_VIEWED),
    ]
    policy = TierPolicy(active=True, rules=rules, warm_price=20, cold_price=4)

    async def decide(policy: TierPolicy) -> None:
        async with database.transaction(here.id) as connection:
            await tiers.set_policy(connection, here.id, policy)
            await retention.set_rule(connection, here.id, RetentionRule(10), "as decided", "x")

    def offered() -> dict[str, Any]:
        found: dict[str, Any] = web.get(client, f"{ADDRESS}/activity").json()["offered"]
        return found

    client = web.signed_in(here)
    run(decide(policy))
    assert offered()["days_until_cold"] == 120
    assert offered()["prices"] == {"warm": 20, "cold": 4}
    assert offered()["retention_years"] == 10
    run(decide(policy.model_copy(update={"active": False, "cold_price": None})))
    assert offered()["days_until_cold"] is offered()["prices"] is None


def test_a_forecast_keeps_nothing(web: Any, here: Any, audit_rows: Callable[..., Any]) -> None:
    client = web.signed_in(here)
    before = audit_rows(here)
    wanted = ACTIVITY | {"prices": {"warm": 10, "cold": 1}, "room": {"warm": 155, "cold": None}}
    answer = web.run(client.post(f"{ADDRESS}/forecast", json=wanted)).json()
    assert answer["start"] == f"{datetime.now(UTC):%Y-%m-01}"
    assert len(answer["months"]) == 60
    assert [round(year["warm_bytes"] / 1e12) for year in answer["years"]] == [
        100,
        200,
        300,
        400,
        500,
    ]
    assert answer["years"][0]["cost"] == pytest.approx(50 * 10 * 12, rel=0.01)
    assert answer["warm_full"] == answer["months"][18]["last_day"]
    assert answer["cold_full"] is None
    assert not web.get(client, f"{ADDRESS}/activity").json()["typed_in"]
    assert audit_rows(here) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        ACTIVITY | {"slides_per_day": -1},
        ACTIVITY | {"mean_size_bytes": 10**15},
        ACTIVITY | {"copies": 1000},
        ACTIVITY | {"unknown": 1},
        ACTIVITY | {"slides_per_day": "1e400"},
    ],
)
def test_what_is_typed_in_has_bounds(web: Any, here: Any, wrong: dict[str, Any]) -> None:
    client = web.signed_in(here)
    for method, path in (("PUT", "activity"), ("POST", "forecast"), ("POST", "forecast.csv")):
        answer = web.run(client.request(method, f"{ADDRESS}/{path}", json=wrong))
        assert answer.status_code == 422, path


def test_tables_are_for_the_spreadsheets_of_their_language(
    web: Any, here: Any, store: Any, publish: Callable[..., Any]
) -> None:
    publish(here, store)
    client = web.signed_in(here)
    french = web.get(client, f"{ADDRESS}.csv?lang=fr")
    assert french.headers["content-type"] == "text/csv; charset=utf-8"
    assert french.headers["content-disposition"].startswith('attachment; filename="capacity-')
    assert french.content.startswith(b"\xef\xbb\xbf")
    head, row = french.content.decode("utf-8-sig").splitlines()
    assert head.split(";")[3] == "Taille stockée (To)"
    assert row.split(";")[1:3] == ["tiède", "1"]
    assert row.split(";")[3].startswith("0,")
    english = web.get(client, f"{ADDRESS}.csv?lang=en").content.decode("utf-8-sig")
    assert english.splitlines()[0].split(",")[0] == "Month"
    assert english.splitlines()[1].split(",")[3].startswith("0.")


def test_a_forecast_is_a_table_too(web: Any, here: Any) -> None:
    client = web.signed_in(here)

    def rows(language: str, activity: dict[str, Any]) -> list[str]:
        address = f"{ADDRESS}/forecast.csv?lang={language}"
        answer = web.run(client.post(address, json=activity))
        return list(answer.content.decode("utf-8-sig").splitlines())

    english = rows("en", ACTIVITY)
    assert len(english) == 61
    assert english[60].split(",")[5] == "500.000000"
    assert english[60].split(",")[7:] == ["", ""], "no price, no cost"
    french = rows("fr", ACTIVITY | {"prices": {"warm": 10, "cold": 1}})
    assert french[60].split(";")[5] == "500,000000"
    assert float(french[60].split(";")[8].replace(",", ".")) == pytest.approx(150_000, rel=0.01)


@pytest.mark.parametrize("role", [Role.PATHOLOGIST, Role.TECHNICIAN])
def test_others_see_no_storage(web: Any, here: Any, role: Role) -> None:
    client = web.signed_in(here, role)
    assert web.get(client, ADDRESS).status_code == 403
    assert web.run(client.post(f"{ADDRESS}/forecast", json=ACTIVITY)).status_code == 403
    assert web.run(client.put(f"{ADDRESS}/activity", json=ACTIVITY)).status_code == 403
