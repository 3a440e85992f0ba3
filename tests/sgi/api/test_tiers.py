"""Rules, restores and cold slides by REST; a cold level's tiles; what browsers are told."""

import asyncio
import json
from typing import Any

import pytest

import sgi.app
from dicom.testing import MemorySource
from dicom.web.document import read_document
from sgi.catalogue import tiers
from sgi.domain.account import Role
from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState, TierPolicy
from sgi.domain.words import Language
from sgi.jobs.keeping import Keeping
from sgi.keeping.moves import Moves
from sgi.keeping.record_tasks import Recorder
from sgi.keeping.tiers_tasks import apply_policy, tend
from sgi.settings import ColdSettings, StorageSettings
from sgi.stored.keys import instance_key, tier_policy_key
from sgi.stored.tiers import StoredTierPolicy
from sgi.stores import Stores
from storage.memory import MemoryObjectStore

RULES = {"rules": [{"after_days": 90, "event": "last_viewed"}], "warm_side": 256}


class Cold:
    """An SGI with a cold store, and one slide in it."""

    def __init__(self, web: Any, keeping: Keeping, here: Any, slide: Any) -> None:
        self.web, self.keeping, self.here, self.slide = web, keeping, here, slide
        self.administrator = web.signed_in(here)
        self.pathologist = web.signed_in(here, Role.PATHOLOGIST)

    def call(self, method: str, path: str, client: Any = None, **options: Any) -> Any:
        client = client or self.administrator
        return self.web.run(client.request(method, path, **options))

    def of_slide(self) -> Any:
        return self.call("GET", f"/api/v1/slides/{self.slide.id}", self.pathologist).json()

    def ask(self, what: str, client: Any = None) -> Any:
        return self.call("POST", f"/api/v1/slides/{self.slide.id}/{what}", client)

    def run_moves(self) -> None:
        async def run() -> None:
            async with self.keeping.database.transaction(self.here.id) as connection:
                found = await tiers.newest(connection, 10)
            for move in found:
                await Moves(self.keeping).work(self.here.id, move.id)

        self.web.run(run())

    def cool(self) -> None:
        assert self.ask("cold").status_code == 202
        self.run_moves()
        self.web.services.slides.forget(self.slide.id)

    def tile(self, level: int) -> Any:
        return self.call("GET", f"/tiles/{self.slide.id}/{level}/0/0", self.pathologist)


@pytest.fixture
def cold(
    make_web: Any, settings: Any, store: Any, here: Any, publish: Any, database: Any, run: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Cold:  # fmt: skip
    stores = Stores(store, MemoryObjectStore())
    monkeypatch.setattr(sgi.app, "open_stores", lambda _: stores)
    storage = StorageSettings(endpoint="http://127.0.0.1:9", cold=ColdSettings(restore_hours=5))
    slide = publish(here, store)
    web = make_web(storage=storage)
    found = Cold(web, Keeping(settings, database, stores), here, slide)
    assert found.call("PUT", "/api/v1/tiers/policy", json=RULES).status_code == 200
    return found


def test_a_policy_is_kept_and_lies_in_the_bucket(cold: Cold, store: Any, audit_rows: Any) -> None:
    told = cold.call("GET", "/api/v1/tiers/policy").json()
    assert (told["available"], told["restore_hours"]) == (True, 5)
    policy = TierPolicy.model_validate(told["policy"])
    assert policy == TierPolicy.model_validate(RULES)
    assert not policy.active, "unless somebody says so"
    kept = StoredTierPolicy.model_validate_json(store.read(tier_policy_key(cold.here.id)))
    assert (kept.policy, kept.establishment_id) == (policy, cold.here.id)
    assert "change_tier_policy" in {row["action"] for row in audit_rows(cold.here)}


def test_who_asked_for_a_restore_is_told_until_they_have_seen_it(
    cold: Cold, make_establishment: Any
) -> None:
    def told(client: Any) -> list[Any]:
        items: list[Any] = cold.call("GET", "/api/v1/restores", client).json()["items"]
        return [(item["slide_id"], item["state"]) for item in items]

    cold.cool()
    assert cold.ask("restore", cold.pathologist).status_code == 202
    assert told(cold.pathologist) == [], "it is on its way"
    cold.run_moves()
    assert told(cold.pathologist) == [(str(cold.slide.id), "done")]
    assert told(cold.administrator) == [], "who did not ask"
    (item,) = cold.call("GET", "/api/v1/restores", cold.pathologist).json()["items"]
    path = f"/api/v1/restores/{item['id']}/seen"
    assert cold.call("POST", path).status_code == 404, "it is not the administrator's"
    for _ in range(2):
        seen = cold.call("POST", path, cold.pathologist)
        assert (seen.status_code, seen.json()["items"]) == (200, [])
    assert told(cold.pathologist) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"rules": [{"after_days": 0, "event": "published"}]},
        {"rules": [{"after_days": 1, "event": "birthday"}]},
        {"rules": [{"after_days": 1, "event": "published", "to": "hell"}]},
        {"warm_side": 1},
        {"slides_per_day": 0},
        {"rules": [{"after_days": 1, "event": "published"}] * 9},
        {"warm_price": -1},
        {"keep_warm_px": 4096},
        {"rules": [{"after_days": 1, "event": "published", "unless": "held"}]},
    ],
)
def test_a_policy_that_makes_no_sense(cold: Cold, wrong: Any) -> None:
    assert cold.call("PUT", "/api/v1/tiers/policy", json=wrong).status_code == 422
    assert cold.call("POST", "/api/v1/tiers/policy/simulate", json=wrong).status_code == 422


def test_a_simulation_says_what_would_move_and_does_nothing(
    cold: Cold, url: str, publish: Any, store: Any
) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(
            "update slide set published_at = now() - interval '100 days' where id = %s",
            [cold.slide.id],
        )
    publish(cold.here, store)  # a new one
    prices = RULES | {"warm_price": 20, "cold_price": 5, "slides_per_day": 10}
    told = cold.call("POST", "/api/v1/tiers/policy/simulate", json=prices).json()
    assert told["slides"] == 1
    assert [item["id"] for item in told["items"]] == [str(cold.slide.id)]
    base = cold.slide.levels[0].size_bytes
    assert told["size_bytes"] == base
    assert told["cold_bytes"] == pytest.approx(0.8 * base, abs=1)
    assert told["saved_a_month"] == pytest.approx((20 - 0.8 * 5) * base / 1e12, rel=1e-3)
    assert told["days"] == 1
    assert cold.call("GET", "/api/v1/tiers/moves").json() == {"items": []}

    cold.of_slide()  # somebody looks at it
    told = cold.call("POST", "/api/v1/tiers/policy/simulate", json=prices).json()
    assert told["slides"] == 0
    by_age = {"rules": [{"after_days": 90, "event": "published"}], "warm_side": 256}
    assert cold.call("POST", "/api/v1/tiers/policy/simulate", json=by_age).json()["slides"] == 1


def test_a_rule_counts_from_the_day_on_which_the_case_was_signed_out(cold: Cold, url: str) -> None:
    import psycopg

    rules = {"rules": [{"after_days": 90, "event": "signed_out"}], "warm_side": 256}

    def due() -> int:
        told = cold.call("POST", "/api/v1/tiers/policy/simulate", json=rules).json()
        slides: int = told["slides"]
        return slides

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("update slide set published_at = now() - interval '900 days'")
        assert due() == 0, "it has no case"
        row = connection.execute(
            """insert into lab_case (establishment_id, accession_number, study_uid, state, said_at,
                   signed_out_at)
               values (%s, 'A', '2.25.1', 'signed_out', now(), now() - interval '89 days')
               returning id""",
            [cold.here.id],
        ).fetchone()
        assert row
        connection.execute(
            """with made as (
                   insert into glass (establishment_id, case_id, identifier, said_at)
                   values (%s, %s, 'A.1', now()) returning id)
               update slide set glass_id = made.id, unidentified = null from made
               where slide.id = %s""",
            [cold.here.id, row[0], cold.slide.id],
        )
        assert due() == 0
        assert cold.call("PUT", "/api/v1/tiers/policy", json=rules | {"active": True}).is_success
        assert apply(cold) == 0
        connection.execute("update lab_case set signed_out_at = now() - interval '91 days'")
        assert due() == 1
        connection.execute("update lab_case set state = 'in_progress', signed_out_at = null")
        assert due() == 0, "it was opened again"
        assert apply(cold) == 0
        connection.execute(
            "update lab_case set state = 'signed_out', signed_out_at = now() - interval '91 days'"
        )
        assert apply(cold) == 1


def apply(cold: Cold) -> int:
    from datetime import UTC, datetime

    begun: int = cold.web.run(apply_policy(cold.keeping, cold.here.id, datetime.now(UTC)))
    return begun


def test_rules_are_applied_at_their_pace(cold: Cold, url: str, publish: Any, store: Any) -> None:
    import psycopg

    for _ in range(3):
        publish(cold.here, store)
    with psycopg.connect(url) as connection:
        connection.execute(
            "update slide set published_at = now() - interval '100 days'"
            " where establishment_id = %s",
            [cold.here.id],
        )
    assert apply(cold) == 0, "they are not active"
    active = RULES | {"active": True, "slides_per_day": 2}
    assert cold.call("PUT", "/api/v1/tiers/policy", json=active).status_code == 200
    assert [apply(cold) for _ in range(4)] == [1, 1, 0, 0]
    cold.run_moves()
    moves = cold.call("GET", "/api/v1/tiers/moves").json()["items"]
    assert [(m["state"], m["asked_by"]) for m in moves] == [("done", None)] * 2

    # What was restored stays warm for a while.
    more = active | {"slides_per_day": 100}
    cold.call("PUT", "/api/v1/tiers/policy", json=more)
    moved = moves[0]["slide_id"]
    assert cold.call("POST", f"/api/v1/slides/{moved}/restore").status_code == 202
    cold.run_moves()
    told = cold.call("POST", "/api/v1/tiers/policy/simulate", json=more).json()
    assert told["slides"] == 2
    assert moved not in {item["id"] for item in told["items"]}


def test_nothing_goes_cold_before_it_has_its_second_copy(
    make_web: Any, settings: Any, store: Any, here: Any, publish: Any, database: Any, url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import psycopg

    stores = Stores(store, MemoryObjectStore(), MemoryObjectStore())
    monkeypatch.setattr(sgi.app, "open_stores", lambda _: stores)
    storage = StorageSettings(endpoint="http://127.0.0.1:9", cold=ColdSettings(restore_hours=5))
    slide = publish(here, store)
    web = make_web(storage=storage)
    cold = Cold(web, Keeping(settings, database, stores), here, slide)
    active = RULES | {"active": True}
    assert cold.call("PUT", "/api/v1/tiers/policy", json=active).status_code == 200
    with psycopg.connect(url) as connection:
        connection.execute(
            "update slide set published_at = now() - interval '100 days' where id = %s", [slide.id]
        )
    assert apply(cold) == 0
    refused = cold.ask("cold")
    assert refused.status_code == 409
    assert "second copy" in refused.json()["detail"]
    with psycopg.connect(url) as connection:
        connection.execute("update slide set copied_at = now() where id = %s", [slide.id])
    assert apply(cold) == 1


def test_a_cold_slide_opens_at_low_power(cold: Cold, audit_rows: Any) -> None:
    assert cold.tile(0).status_code == 200
    cold.cool()
    told = cold.of_slide()
    assert [level["tier"] for level in told["levels"]] == ["cold", "warm"]
    assert told["tiers"]["tier"] == "cold"
    assert told["tiers"]["cold_levels"] == [0]
    assert told["tiers"]["restore_hours"] == 5
    assert cold.tile(1).status_code == 200
    refused = cold.tile(0)
    assert refused.status_code == 409
    assert refused.json()["title"] == "Cold"
    assert "restored" in refused.json()["detail"]
    actions = [row["action"] for row in audit_rows(cold.here)]
    assert {"ask_cold", "make_cold"} <= set(actions)


def test_a_restore_is_asked_for_followed_and_done(cold: Cold, audit_rows: Any) -> None:
    cold.cool()
    asked = cold.ask("restore", cold.pathologist)
    assert asked.status_code == 202
    told = asked.json()
    assert (told["tier"], told["cold_levels"]) == ("restoring", [0])
    move = told["move"]
    assert (move["target"], move["state"], move["progress"]) == ("warm", "waiting", 0)
    assert move["asked_by"] == cold.here.accounts[Role.PATHOLOGIST]
    assert move["asked_by_me"]
    assert move["expected_at"] is not None
    again = cold.ask("restore")
    assert again.json()["move"]["id"] == move["id"], "asked twice, it is one"
    assert not again.json()["move"]["asked_by_me"]
    cold.run_moves()
    told = cold.of_slide()["tiers"]
    assert (told["tier"], told["move"]["state"]) == ("warm", "done")
    cold.web.services.slides.forget(cold.slide.id)
    assert cold.tile(0).status_code == 200
    assert "ask_restore" in {row["action"] for row in audit_rows(cold.here)}


def test_a_restore_of_what_is_warm(cold: Cold) -> None:
    assert cold.ask("restore").status_code == 409
    cold.cool()
    assert cold.ask("cold").status_code == 409


def test_asking_for_the_opposite_calls_it_off(cold: Cold) -> None:
    assert cold.ask("cold").status_code == 202
    told = cold.ask("restore", cold.pathologist).json()
    assert told["move"]["target"] == "warm"
    cold.run_moves()
    assert {level["tier"] for level in cold.of_slide()["levels"]} == {"warm"}
    moves = cold.call("GET", "/api/v1/tiers/moves").json()["items"]
    states = {move["target"]: move["state"] for move in moves}
    assert states == {"cold": "cancelled", "warm": "done"}

    cold.cool()
    cold.ask("restore")
    assert cold.ask("cold").json()["tier"] == "cold"


def test_who_may(cold: Cold, there: Any) -> None:
    for method, path in (
        ("GET", "/api/v1/tiers/policy"),
        ("PUT", "/api/v1/tiers/policy"),
        ("POST", "/api/v1/tiers/policy/simulate"),
        ("GET", "/api/v1/tiers/moves"),
        ("POST", f"/api/v1/slides/{cold.slide.id}/cold"),
    ):
        answer = cold.call(method, path, cold.pathologist, json=RULES)
        assert answer.status_code == 403, path
    stranger = cold.web.signed_in(there)
    for what in ("restore", "cold"):
        assert cold.ask(what, stranger).status_code == 404


def test_without_a_cold_store(web: Any, here: Any, publish: Any, store: Any) -> None:
    slide = publish(here, store)
    client = web.signed_in(here)
    told = web.run(client.get("/api/v1/tiers/policy")).json()
    assert (told["available"], told["restore_hours"]) == (False, None)
    active = RULES | {"active": True}
    assert web.run(client.put("/api/v1/tiers/policy", json=active)).status_code == 409
    for what in ("restore", "cold"):
        path = f"/api/v1/slides/{slide.id}/{what}"
        assert web.run(client.post(path)).status_code == 409


def test_a_move_that_lost_its_job_gets_one(cold: Cold, url: str) -> None:
    import psycopg

    cold.ask("cold")

    def jobs() -> int:
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "select count(*) from procrastinate_jobs where status = 'todo' and lock = %s",
                [str(cold.slide.id)],
            ).fetchone()
        assert row
        return int(row[0])

    assert jobs() == 1
    with psycopg.connect(url) as connection:
        connection.execute("delete from procrastinate_jobs where lock = %s", [str(cold.slide.id)])
    cold.web.run(tend(cold.keeping))
    assert jobs() == 1
    cold.web.run(tend(cold.keeping))
    assert jobs() == 1


def test_warm_objects_go_once_everybody_has_heard(cold: Cold, store: Any) -> None:
    from datetime import timedelta

    cold.cool()
    key = instance_key(cold.slide.id, cold.slide.levels[0].sop_uid)
    cold.web.run(tend(cold.keeping))
    assert key in store.objects
    cold.web.run(tend(cold.keeping, timedelta(0)))
    assert key not in store.objects


def test_browsers_are_told_and_memory_forgets(cold: Cold) -> None:
    from sgi.api.feed import Moved
    from sgi.api.services import Services

    services: Services = cold.web.services
    assert cold.tile(0).status_code == 200
    cold.ask("cold")
    cold.run_moves()

    async def until_told() -> None:
        for _ in range(100):
            if cold.slide.id not in services.slides._slides:
                return
            await asyncio.sleep(0.05)
        pytest.fail("nobody was told")

    cold.web.run(until_told())
    assert cold.tile(0).status_code == 409

    async def told() -> list[bytes]:
        from sgi.api.events import _tier_events

        session = await services.sessions.of(cold.web.token(cold.pathologist))
        assert session
        with services.feed.subscription(session) as changes:
            async with cold.keeping.database.transaction(cold.here.id) as connection:
                await tiers.ask(connection, cold.here.id, cold.slide.id, Tier.WARM, None)
            changed = await asyncio.wait_for(changes.get(), 10)
        assert changed == Moved(cold.slide.id)
        return await _tier_events(services, session, cold.slide.id, Language.ENGLISH)

    (event,) = cold.web.run(told())
    name, data = event.decode().split("\n")[:2]
    assert name == "event: tiers"
    body = json.loads(data.removeprefix("data: "))
    assert body["id"] == str(cold.slide.id)
    assert body["tiers"]["move"]["state"] == MoveState.WAITING


def test_a_slide_that_was_cold_before_anybody_searched_is_found(cold: Cold, store: Any) -> None:
    base = cold.slide.levels[0]
    key = instance_key(cold.slide.id, base.sop_uid)
    header = read_document(MemorySource(store.objects[key]))
    cold.cool()
    store.objects.pop(key, None)
    address = f"/dicomweb/studies/{cold.slide.study_uid}/instances"
    found = cold.call("GET", address, cold.pathologist)
    assert "warning" in found.headers
    assert cold.web.run(Recorder(cold.keeping).round()) >= 1
    found = cold.call("GET", address, cold.pathologist)
    assert "warning" not in found.headers
    uids = {item["00080018"]["Value"][0] for item in found.json()}
    assert uids == {instance.sop_uid for instance in cold.slide.instances}
    series = f"/dicomweb/studies/{cold.slide.study_uid}/series/{cold.slide.series_uid}"
    told = cold.call("GET", f"{series}/instances/{base.sop_uid}/metadata", cold.pathologist)
    for tag in ("00480006", "00480007", "00200052", "00282110", "00080070"):
        assert told.json()[0].get(tag) == header.get(tag), tag


def test_a_restore_that_waits_for_an_archive_says_since_when_and_until_when(cold: Cold) -> None:
    from datetime import UTC, datetime, timedelta
    from uuid import UUID

    cold.cool()
    move = cold.ask("restore").json()["move"]
    assert move["archive_asked_at"] is None
    at = datetime.now(UTC) - timedelta(minutes=5)

    async def thaw() -> None:
        async with cold.keeping.database.transaction(cold.here.id) as connection:
            await tiers.thawing(
                connection, UUID(move["id"]), at, timedelta(hours=12), timedelta(minutes=1)
            )

    cold.web.run(thaw())
    told = cold.of_slide()["tiers"]
    assert told["tier"] == "restoring"
    assert (told["move"]["state"], told["move"]["progress"]) == ("thawing", 0)
    assert datetime.fromisoformat(told["move"]["archive_asked_at"]) == at
    assert datetime.fromisoformat(told["move"]["expected_at"]) == at + timedelta(hours=12)
    again = cold.ask("restore", cold.pathologist).json()["move"]
    assert (again["id"], again["state"]) == (move["id"], "thawing"), "asked twice, it is one"
    cold.run_moves()
    assert cold.of_slide()["tiers"]["tier"] == "warm"


def test_whole_instances_of_a_cold_slide_are_refused_before_a_byte_is_sent(cold: Cold) -> None:
    cold.cool()
    study = f"/dicomweb/studies/{cold.slide.study_uid}"
    series = f"{study}/series/{cold.slide.series_uid}"
    base, warm = cold.slide.levels[0], cold.slide.levels[-1]
    for address in (study, series, f"{series}/instances/{base.sop_uid}"):
        for method in ("GET", "HEAD"):
            assert cold.call(method, address, cold.pathologist).status_code == 409, address
    answer = cold.call("GET", f"{series}/instances/{warm.sop_uid}", cold.pathologist)
    assert answer.status_code == 200
