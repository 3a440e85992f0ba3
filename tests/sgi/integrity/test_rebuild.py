"""The catalogue made again from the stores, compared with the original table by table."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import tifffile

from dicom.cold import pack
from sgi.domain.account import Role
from sgi.domain.retention import DestructionState, Ground
from sgi.domain.slide import Slide
from sgi.errors import ConflictError
from sgi.integrity.rebuild import Rebuilt, rebuild
from sgi.retention.destroy import Destroyer
from sgi.stored.keys import (
    cold_key,
    destruction_key,
    establishment_folder,
    instance_key,
    manifest_key,
    slide_folder,
)
from sgi.stored.retention import StoredDestruction, StoredPerson
from sgi.stored.sources import StoredObject
from sgi.stores import Stores
from storage.errors import StoreUnavailableError
from storage.memory import MemoryObjectStore

WHY = "decided for a test"
NOT_REBUILT: dict[str, set[str]] = {
    # What people did and who they are is no slide's: only a backup of the database has it.
    "account": {"*"},
    "session": {"*"},
    "sign_in_failure": {"*"},
    "audit": {"*"},
    # Work that waits is found again: by the watcher, by the worker, by the policies.
    "tier_move": {"*"},
    # Made again from the stored slides by the worker.
    "dicom_series": {"*"},
    "dicom_instance": {"*"},
    # What was found; what is damaged is found again.
    "incident": {"*"},
    "scrub": {"*"},
    # Counted up as slides come, and down as they go; the sums are compared below.
    "capacity_change": {"*"},
    # A rebuilt slide is verified and copied anew. The worker sees that its original is gone.
    # Its label is compared anew, with what the laboratory says then.
    "slide": {"verified_at", "copied_at", "on_record", "unidentified"},
    "slide_code": {"*"},
    # The database's clock in the row, ours in the store.
    "tier_policy": {"updated_at"},
    "arrival": {"released", "updated_at", "attempts"},
    # The next scrub reads the one; by where its objects lie is seen that the other ended.
    "instance": {"cold_sha256", "warm_left_at"},
    # A destruction that is under way looks again at what it has to do.
    "destruction": {
        "inventory",
        "original_arrivals",
        "original_paths",
        "original_sizes",
        "original_times",
        "failure",
        "failure_code",
        "swept_at",
    },
}
"""The whole list of what differs, by table and column; * is all of a table."""


def dump(url: str, establishments: list[uuid.UUID]) -> dict[str, list[Any]]:
    """Every row of every table, of these establishments, without what is not rebuilt."""
    found: dict[str, list[Any]] = {}
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'public'"
        ).fetchall()
        for name in sorted(row["tablename"] for row in tables):
            left_out = NOT_REBUILT.get(name, set())
            if "*" in left_out or name.startswith(("procrastinate_", "alembic_version")):
                continue
            column = "id" if name == "establishment" else "establishment_id"
            rows = connection.execute(
                f"select * from {name} where {column} = any(%s)".encode(), [establishments]
            ).fetchall()
            if name == "arrival":  # a duplicate that stayed where it was is seen again
                rows = [row for row in rows if row["state"] == "published"]
            kept = [{k: v for k, v in row.items() if k not in left_out} for row in rows]
            found[name] = sorted(kept, key=str)
        found["capacity"] = connection.execute(
            """select establishment_id, month, tier, sum(slides) as slides,
                      sum(stored_bytes) as stored_bytes
               from capacity_change where establishment_id = any(%s)
               group by 1, 2, 3 having sum(slides) <> 0 or sum(stored_bytes) <> 0
               order by 1, 2, 3""",
            [establishments],
        ).fetchall()
    return found


@pytest.fixture
def empty(make_empty: Callable[[], str]) -> str:
    return make_empty()


@pytest.fixture
def stored(store: Any) -> Stores:
    return Stores(store, MemoryObjectStore())


def scenes_of_light(path: Path) -> None:
    """Two images in one file: two channels of 16 bits, and colours."""
    light = np.arange(2 * 90 * 80, dtype=np.uint16).reshape(2, 90, 80)
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(light, metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "Cy5"]}})
        file.write(np.full((90, 80, 3), 200, np.uint8), photometric="rgb", metadata={"axes": "YXS"})


def make_cold(stores: Stores, url: str, slide: Slide) -> None:
    """The base alone in the cold store, as a move leaves it."""
    base = slide.levels[0]
    assert stores.cold is not None
    key = instance_key(slide.id, base.sop_uid)
    source = StoredObject(stores.warm, key, base.size_bytes)
    with stores.cold.open_write(cold_key(slide.id, base.sop_uid)) as sink:
        packed = pack(source, base.size_bytes, sink, None)
    stores.warm.delete(key)
    with psycopg.connect(url) as connection:
        connection.execute(
            "update instance set tier = 'cold', cold_size_bytes = %s where sop_uid = %s",
            [packed.size_bytes, base.sop_uid],
        )


def rebuilt(run: Any, url: str, stores: Stores, **options: Any) -> Rebuilt:
    made: Rebuilt = run(rebuild(url, stores, **options))
    return made


def test_the_dump_equals_the_original(
    run: Any,
    url: str,
    empty: str,
    stored: Stores,
    here: Any,
    there: Any,
    laboratory: Callable[..., Any],
    svs: Path,
    web: Any,
) -> None:
    first, other = laboratory(here.id), laboratory(there.id)
    (first.settings.drop / "a.svs").write_bytes(svs.read_bytes())
    (first.settings.drop / "again.svs").write_bytes(svs.read_bytes())
    scenes_of_light(first.settings.drop / "light.ome.tif")
    (other.settings.drop / "a.svs").write_bytes(svs.read_bytes())
    made = run(first.take_in())
    assert len(made) == 3
    assert len(run(other.take_in())) == 1
    make_cold(stored, url, made[-1])
    client = web.signed_in(here)
    answer = run(client.put("/api/v1/quality/limits", json={"blurred": {"look": 0.1}}))
    assert answer.status_code == 200, answer.text
    outcome = rebuilt(run, empty, stored)
    assert outcome.problems == []
    assert (outcome.slides, outcome.establishments, outcome.decisions) == (4, 2, 1)
    both = [here.id, there.id]
    original = dump(url, both)
    assert dump(empty, both) == original
    assert {name for name, rows in original.items() if rows} >= {
        "arrival",
        "establishment",
        "instance",
        "quality_limits",
        "side_object",
        "slide",
    }


@dataclass
class People:
    """Two of an establishment, who decide things."""

    web: Any
    ruler: Any
    asker: Any

    def say(self, method: str, path: str, who: Any = None, **body: Any) -> dict[str, Any]:
        client = who or self.ruler
        answer = self.web.run(client.request(method, f"/api/v1/{path}", json=body))
        assert answer.status_code in {200, 201}, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def rules(self, number: int) -> None:
        """Everything that an establishment sets once, differently every time."""
        self.say("PUT", "retention", years=20 + number, wait_days=0, reason=WHY)
        self.say("PUT", "tiers/policy", warm_side=256 + number)
        self.say("PUT", "quality/limits", blurred={"look": number / 100})
        self.say(
            "PUT",
            "capacity/activity",
            slides_per_day=number,
            working_days_per_year=250,
            mean_size_bytes=10**9,
        )

    def hold(self, slide: Slide) -> None:
        self.say("POST", f"slides/{slide.id}/hold", reason=WHY)

    def lift(self, slide: Slide) -> None:
        self.say("DELETE", f"slides/{slide.id}/hold", reason=WHY)

    def ask(self, slide: Slide) -> dict[str, Any]:
        body = {"slide_id": str(slide.id), "ground": "test", "reason": WHY}
        return self.say("POST", "destructions", self.asker, **body)

    def approve(self, asked: dict[str, Any]) -> uuid.UUID:
        path = f"destructions/{asked['id']}/approve"
        told = self.say("POST", path, slide_id=asked["slide_id"])
        return uuid.UUID(told["id"])


class StubbornStore(MemoryObjectStore):
    """A destruction comes no further than its manifest."""

    def delete(self, key: str) -> None:
        if not key.endswith("/manifest.json"):
            raise StoreUnavailableError(key)
        super().delete(key)


def as_told_by_the_store(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The dump that a rebuild makes of the stores."""
    return found | {"destruction": approved_again(found["destruction"])}


def approved_again(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Destructions as a rebuild has them of the store: who may write there has approved nothing.

    This is the one thing that differs in what a rebuild takes: what was approved, or had begun, is
    asked for again, and says so to whoever may approve it.
    """
    nobody = dict.fromkeys(
        ("approved_by", "approved_name", "approved_session", "approved_at", "not_before")
    )
    return sorted(
        (
            row | nobody | {"state": "asked", "began_at": None}
            if row["state"] in {"approved", "destroying"}
            else row
            for row in rows
        ),
        key=str,
    )


def test_decisions_come_back_and_what_was_destroyed_does_not(
    run: Any,
    url: str,
    make_empty: Callable[[], str],
    stored: Stores,
    here: Any,
    laboratory: Callable[..., Any],
    svs: Path,
    web: Any,
) -> None:
    own = laboratory(here.id)
    for number in range(8):
        (own.settings.drop / f"{number}.svs").write_bytes(svs.read_bytes() + bytes([number]))
    asked, approved, begun, done, withdrawn, held, lifted, cold = run(own.take_in())
    people = People(web, web.signed_in(here), web.signed_in(here, Role.PATHOLOGIST))
    people.rules(1)
    people.hold(lifted)
    approval = people.approve(people.ask(approved))
    late = people.ask(begun)
    early = make_empty()
    assert rebuilt(run, early, stored).problems == []
    assert dump(early, [here.id]) == as_told_by_the_store(dump(url, [here.id]))
    # From here on, `early` is a database that came back from an earlier moment.
    people.rules(2)
    people.ask(asked)
    told = people.ask(withdrawn)
    people.say("POST", f"destructions/{told['id']}/withdraw", reason=WHY)
    people.hold(held)
    people.lift(lifted)
    make_cold(stored, url, cold)
    objects: Any = stored.warm
    refusing = Stores(StubbornStore(objects.objects), stored.cold)
    with pytest.raises(StoreUnavailableError):
        run(
            Destroyer(own.settings, web.services.database, refusing).destroy(
                here.id, people.approve(late)
            )
        )
    destroyer = Destroyer(own.settings, web.services.database, stored)
    run(destroyer.destroy(here.id, people.approve(people.ask(done))))
    (own.settings.drop / "new.svs").write_bytes(svs.read_bytes() + b"new")
    assert len(run(own.take_in())) == 7, "two of nine are gone"
    original = dump(url, [here.id])
    states = {row["slide_id"]: row["state"] for row in original["destruction"]}
    assert states == {
        asked.id: "asked",
        approved.id: "approved",
        begun.id: "destroying",
        done.id: "done",
        withdrawn.id: "withdrawn",
    }
    assert approval in {row["id"] for row in original["destruction"]}
    for name in ("retention_rule", "tier_policy", "forecast_activity", "quality_limits"):
        assert len(original[name]) == 1, name
    assert len(original["legal_hold"]) == 2
    assert any(key.startswith(slide_folder(begun.id)) for key in objects.objects)
    original = as_told_by_the_store(original)
    fresh = make_empty()
    outcome = rebuilt(run, fresh, stored)
    assert (outcome.slides, outcome.asked_again, outcome.problems) == (7, 2, [])
    assert dump(fresh, [here.id]) == original
    outcome = rebuilt(run, early, stored, missing=True)
    assert (outcome.slides, outcome.asked_again, outcome.problems) == (1, 2, [])
    assert outcome.still_held == [lifted.id], "somebody has to lift it again"
    (end,) = [row for row in original["legal_hold"] if row["slide_id"] == lifted.id]
    with psycopg.connect(early) as connection:
        changed = connection.execute(
            """update legal_hold set lifted_at = %(lifted_at)s, lifted_by = %(lifted_by)s,
                   lift_reason = %(lift_reason)s where id = %(id)s and lifted_at is null""",
            end,
        )
        assert changed.rowcount == 1
    # What was still whole in it stays, until somebody has approved its end again.
    with psycopg.connect(early) as connection:
        connection.execute("delete from slide where id = %s", [begun.id])
        connection.execute("delete from arrival where id = %s", [begun.arrival_id])
    assert dump(early, [here.id]) == original


def test_it_is_all_or_nothing_and_never_over_something(
    run: Any, url: str, empty: str, stored: Stores, here: Any, publish: Callable[..., Slide]
) -> None:
    publish(here, stored.warm)
    with pytest.raises(ConflictError, match="slide"):
        rebuilt(run, url, stored)
    assert rebuilt(run, empty, stored).slides == 1
    with pytest.raises(ConflictError, match="not empty"):
        rebuilt(run, empty, stored)


def test_what_is_missing_is_added(
    run: Any, empty: str, stored: Stores, here: Any, publish: Callable[..., Slide]
) -> None:
    publish(here, stored.warm)
    rebuilt(run, empty, stored)
    publish(here, stored.warm, "b.svs")
    again = rebuilt(run, empty, stored, missing=True)
    assert (again.slides, again.known, again.problems) == (1, 1, [])


def test_a_slide_is_followed_to_where_it_moved(
    run: Any, url: str, empty: str, stored: Stores, here: Any, publish: Callable[..., Slide]
) -> None:
    slide = publish(here, stored.warm)
    base = slide.levels[0]
    key, packed = instance_key(slide.id, base.sop_uid), cold_key(slide.id, base.sop_uid)
    sound = stored.warm.read(key)
    rebuilt(run, empty, stored)

    def tier() -> Any:
        assert rebuilt(run, empty, stored, missing=True).problems == []
        with psycopg.connect(empty) as connection:
            found = connection.execute(
                "select tier from instance where sop_uid = %s", [base.sop_uid]
            )
            return found.fetchone()

    assert tier() == ("warm",)
    make_cold(stored, url, slide)
    assert tier() == ("cold",)
    stored.warm.put(key, sound)
    assert tier() == ("cold",), "on its way, perhaps"
    assert stored.cold is not None
    stored.cold.delete(packed)
    assert tier() == ("warm",)


def test_the_accounts_of_another_establishment_stay_its_own(
    run: Any, empty: str, stored: Stores, here: Any, publish: Callable[..., Slide]
) -> None:
    publish(here, stored.warm)
    rebuilt(run, empty, stored)
    with psycopg.connect(empty) as connection:
        connection.execute(
            """with made as (insert into establishment (name) values ('without slides')
                          returning id)
               insert into account (establishment_id, name, role, password_hash)
               select id, 'admin', 'administrator', '' from made"""
        )
    publish(here, stored.warm, "b.svs")
    assert rebuilt(run, empty, stored, missing=True).slides == 1
    with psycopg.connect(empty) as connection:
        found = connection.execute(
            "select e.name from account a join establishment e on e.id = a.establishment_id"
        ).fetchall()
    assert found == [("without slides",)]


def test_hostile_manifests_are_named_and_the_others_go_on(
    run: Any, empty: str, stored: Stores, here: Any, there: Any, publish: Callable[..., Slide]
) -> None:
    store: Any = stored.warm
    good = publish(here, store)

    def spoil(old: str, new: str) -> Slide:
        slide = publish(here, store)
        key = manifest_key(slide.id)
        assert old.encode() in store.objects[key], old
        store.objects[key] = store.objects[key].replace(old.encode(), new.encode())
        return slide

    name = json.dumps(here.name)[1:-1]
    spoilt = [
        spoil("{", "["),
        spoil('\\"frames\\": ', '\\"frames\\": 1e999'),
        spoil('\\"columns\\": ', '\\"columns\\": 99999999999'),
        spoil('\\"rows\\": ', '\\"rows\\": -'),
        spoil('\\"sop_instance_uid\\": \\"', '\\"sop_instance_uid\\": \\"../../'),
        spoil('"file_name":"slide.svs"', '"file_name":"\\u0000"'),
        spoil('"source_sha256":"', '"source_sha256":"zz'),
        spoil('"establishment_name":"' + name, '"establishment_name":"' + "x" * 9),
    ]
    copied = publish(here, store)
    store.objects[manifest_key(copied.id)] = store.objects[manifest_key(good.id)]
    lost = publish(here, store)
    del store.objects[manifest_key(lost.id)]
    outcome = rebuilt(run, empty, stored)
    named = "\n".join(outcome.problems)
    for slide in [*spoilt[:-1], copied, lost]:
        assert str(slide.id) in named
    assert str(good.id) not in named
    # The last one only says another name of its establishment, which is there already, or was
    # first: then it is the others' that is not believed.
    assert outcome.slides == 2


def test_hostile_decisions_are_named(
    run: Any, empty: str, stored: Stores, here: Any, there: Any, publish: Callable[..., Slide]
) -> None:
    publish(here, stored.warm)
    folder = establishment_folder(here.id)
    bad = {
        f"{folder}tiers.json": b"{}",
        f"{folder}quality.json": json.dumps(
            {"establishment_id": str(there.id), "limits": {}, "changed_at": "2026-01-01T00:00:00Z"}
        ).encode(),
        f"{folder}retention.json": json.dumps(
            {
                "establishment_id": str(here.id),
                "years": 10**30,
                "wait_days": 1,
                "reason": "r",
                "changed_by": "c",
                "changed_at": "2026-01-01T00:00:00Z",
            }
        ).encode(),
        f"{folder}surprise.json": b"{}",
        f"{establishment_folder(there.id)}quality.json": json.dumps(
            {"establishment_id": str(there.id), "limits": {}, "changed_at": "2026-01-01T00:00:00Z"}
        ).encode(),
    }
    for key, data in bad.items():
        stored.warm.put(key, data)
    outcome = rebuilt(run, empty, stored)
    assert outcome.slides == 1
    assert len(outcome.problems) == len(bad)
    for key in bad:
        assert any(key in problem for problem in outcome.problems)


def test_what_one_person_approved_alone_has_ended_no_slide(
    run: Any, empty: str, stored: Stores, here: Any, publish: Callable[..., Slide]
) -> None:
    slide, number, now = publish(here, stored.warm), uuid.uuid4(), datetime.now(UTC)
    alone = StoredPerson(account_id=uuid.uuid4(), name="alone", session_id=uuid.uuid4())
    forged = StoredDestruction(
        id=number,
        establishment_id=here.id,
        slide_id=slide.id,
        arrival_id=slide.arrival_id,
        scene=0,
        source_sha256=slide.source_sha256,
        source_size_bytes=slide.source_size_bytes,
        study_uid=slide.study_uid,
        series_uid=slide.series_uid,
        published_at=slide.published_at,
        kept_until=now.date(),
        state=DestructionState.DESTROYING,
        ground=Ground.TEST,
        reason=WHY,
        asked_by=alone,
        asked_at=now,
        approved_by=alone,
        approved_at=now,
        not_before=now,
        began_at=now,
    )
    key = destruction_key(here.id, number)
    stored.warm.put(key, forged.model_dump_json().encode())
    outcome = rebuilt(run, empty, stored)
    assert (outcome.slides, outcome.asked_again, outcome.problems) == (1, 1, [])


def test_the_accounts_of_a_first_start_go_with_the_establishment(
    run: Any, empty: str, stored: Stores, here: Any, publish: Callable[..., Slide]
) -> None:
    publish(here, stored.warm)
    with psycopg.connect(empty) as connection:
        connection.execute("insert into establishment (name) values (%s)", [here.name])
        connection.execute(
            """insert into account (establishment_id, name, role, password_hash)
               select id, 'admin', 'administrator', '' from establishment"""
        )
    assert rebuilt(run, empty, stored).problems == []
    with psycopg.connect(empty) as connection:
        found = connection.execute("select establishment_id from account").fetchall()
        known = connection.execute("select id, name from establishment").fetchall()
    assert found == [(here.id,)]
    assert known == [(here.id, here.name)]
