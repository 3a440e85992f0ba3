"""Rounds of the scrub and of copying: whose turn it is, what a death costs, what a store's does."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue import integrity
from sgi.domain.integrity import Damage, IncidentState, Place
from sgi.domain.slide import Slide
from sgi.errors import StoppedError
from sgi.integrity.alarms import Alarms
from sgi.integrity.decision_copies import DecisionCopies
from sgi.integrity.jobs import COPY, SCRUB, STRAYS
from sgi.integrity.keeper import Keeper, register
from sgi.integrity.pace import Pace
from sgi.integrity.strays import find_strays
from sgi.jobs.keeping import Keeping
from sgi.settings import ScrubSettings, Settings
from sgi.stored.keys import instance_key, manifest_key, slide_folder
from sgi.stores import Stores
from storage.errors import StoreRefusedError, StoreUnavailableError
from storage.memory import MemoryObjectStore


class AwayStore(MemoryObjectStore):
    """Answers nothing when it is away."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        super().__init__(self.objects)
        self.is_away = False
        self.fails_for = ""
        self.refuses = ""
        self.read_keys: list[str] = []

    def read_chunks(self, key: str, chunk_bytes: int = 1 << 20) -> Any:
        self.read_keys.append(key)
        self._require_allowed(key)
        return super().read_chunks(key, chunk_bytes)

    def read(self, key: str, *, limit_bytes: int = 1 << 30) -> bytes:
        self.read_keys.append(key)
        self._require_allowed(key)
        return super().read(key, limit_bytes=limit_bytes)

    def _require_allowed(self, key: str) -> None:
        if self.refuses and self.refuses in key:
            raise StoreRefusedError(key)
        if self.is_away or (self.fails_for and self.fails_for in key):
            raise StoreUnavailableError(key)

    def put(self, key: str, data: bytes, *, content_type: str = "") -> None:
        if self.is_away:
            raise StoreUnavailableError(key)
        super().put(key, data)


@pytest.fixture
def alone_here(url: str) -> None:
    """The rounds of a keeper see every establishment: the slides of other tests are swept away."""
    with psycopg.connect(url) as connection:
        connection.execute("delete from legal_hold")
        connection.execute("delete from slide")


@pytest.fixture
def warm() -> AwayStore:
    return AwayStore()


@pytest.fixture
def second() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture
def make_keeper(
    database: Any, settings: Settings, warm: AwayStore, second: MemoryObjectStore, alone_here: None
) -> Callable[..., Keeper]:
    def make(**scrub: Any) -> Keeper:
        changed = settings.model_copy(update={"scrub": ScrubSettings(mb_per_s=10_000, **scrub)})
        return Keeper(Keeping(changed, database, Stores(warm, None, second)))

    return make


@pytest.fixture
def slides(
    here: Any, there: Any, warm: AwayStore, publish: Callable[..., Slide], alone_here: None
) -> list[Slide]:
    return [publish(here, warm), publish(here, warm), publish(there, warm)]


def times(url: str, column: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        found = connection.execute(f"select {column} from slide".encode()).fetchall()
    return [value for (value,) in found]


def test_a_round_verifies_what_is_due_and_nothing_else(
    run: Any, url: str, make_keeper: Any, slides: list[Slide]
) -> None:
    keeper = make_keeper(period_days=30)
    assert run(keeper.scrub()) == 3
    assert run(keeper.scrub()) == 0
    assert None not in times(url, "verified_at")
    with psycopg.connect(url) as connection:
        connection.execute(
            "update slide set verified_at = now() - interval '31 days' where id = %s",
            [slides[1].id],
        )
    assert run(keeper.scrub()) == 1


def test_a_round_ends_and_the_next_goes_on(
    run: Any, url: str, make_keeper: Any, slides: list[Slide]
) -> None:
    keeper = make_keeper()
    while run(keeper.scrub(round_s=0.0)) == 0:
        pass
    assert times(url, "verified_at").count(None) == 2
    assert run(keeper.scrub()) == 2
    assert None not in times(url, "verified_at")


def test_what_is_cut_short_is_read_again_and_nothing_else(
    run: Any, url: str, make_keeper: Any, slides: list[Slide], warm: AwayStore
) -> None:
    keeper = make_keeper()

    class Dies(Pace):
        def spend(self, length: int) -> None:
            if sum(key.endswith(".dcm") for key in warm.read_keys) > 8:
                raise StoppedError("killed")

    object.__setattr__(keeper._verifier, "pace", Dies())
    with pytest.raises(StoppedError):
        run(keeper.scrub())
    done = 3 - times(url, "verified_at").count(None)
    assert 0 < done < 3
    warm.read_keys.clear()
    assert run(make_keeper().scrub()) == 3 - done
    assert len({key.split("/")[1] for key in warm.read_keys}) == 3 - done


def test_no_pace_no_scrub(run: Any, make_keeper: Any, slides: list[Slide]) -> None:
    keeper = make_keeper()
    settings = keeper._keeping.settings
    object.__setattr__(
        keeper._keeping,
        "settings",
        settings.model_copy(update={"scrub": ScrubSettings(mb_per_s=0)}),
    )
    assert run(keeper.scrub()) == 0


def test_a_store_that_is_away_is_no_damage(
    run: Any, url: str, make_keeper: Any, slides: list[Slide], warm: AwayStore
) -> None:
    keeper = make_keeper()
    warm.is_away = True
    with pytest.raises(StoreUnavailableError):
        run(keeper.scrub())
    warm.is_away = False
    assert run(keeper.scrub()) == 3
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select count(*) from incident where slide_id = any(%s)",
            [[slide.id for slide in slides]],
        ).fetchone()
    assert row == (0,)


def test_an_object_that_cannot_be_read_while_others_can_is_damage(
    run: Any, alone: Any, warm: AwayStore
) -> None:
    warm.objects.update(alone.warm)
    base = alone.slide.levels[0].sop_uid
    warm.fails_for = instance_key(alone.slide.id, base)
    object.__setattr__(alone.verifier, "stores", Stores(warm))
    assert [(f.key, f.damage) for f in alone.verify().findings] == [
        (warm.fails_for, Damage.UNREADABLE)
    ]
    warm.fails_for = ""
    assert not alone.verify().findings
    assert [i.state for i in alone.incidents()] == [IncidentState.REPAIRED]


def test_older_slides_are_copied_too(
    run: Any,
    url: str,
    make_keeper: Any,
    slides: list[Slide],
    warm: AwayStore,
    second: MemoryObjectStore,
) -> None:
    damaged = manifest_key(slides[0].id)
    sound = warm.objects[damaged]
    keeper = make_keeper()
    assert run(keeper.scrub()) == 3
    warm.objects[damaged] = sound[:-1]
    assert run(keeper.copy()) == 2, "a damaged slide is no slide to copy"
    assert run(keeper.copy()) == 0
    assert times(url, "copied_at").count(None) == 1
    warm.objects[damaged] = sound
    run(keeper.check(slides[0].establishment_id, slides[0].id))
    assert run(keeper.copy()) == 1
    copied = {info.key: second.read(info.key) for info in second.list("slides/")}
    assert copied == {key: data for key, data in warm.objects.items() if key.startswith("slides/")}


def test_decisions_are_copied_and_never_lost(warm: AwayStore, second: MemoryObjectStore) -> None:
    warm.put("establishments/x/tiers.json", b'{"a": 1}')
    warm.put("establishments/x/bad.json", b"\x00")
    copies = DecisionCopies(warm, second)
    assert copies.bring_over() == 1
    assert copies.bring_over() == 0
    warm.put("establishments/x/tiers.json", b'{"a": 2}')
    assert copies.bring_over() == 1
    warm.delete("establishments/x/tiers.json")
    assert copies.bring_over() == 0
    assert second.read("establishments/x/tiers.json") == b'{"a": 2}'


def test_decisions_are_read_where_listings_differ_alone(
    warm: AwayStore, second: MemoryObjectStore
) -> None:
    for name in "abcd":
        warm.put(f"establishments/x/{name}.json", b"1")
    copies = DecisionCopies(warm, second)
    assert [copies.bring_over(deadline=0.0) for _ in range(2)] == [0, 0], "the slides wait too"
    assert copies.bring_over() == 4
    warm.read_keys.clear()
    assert copies.bring_over() == DecisionCopies(warm, second).bring_over() == 0
    assert not warm.read_keys
    warm.fails_for = "establishments/x/a"
    for name in "ab":
        warm.put(f"establishments/x/{name}.json", b"2")
    assert copies.bring_over() == 1, "one that cannot be read holds up no other"
    warm.fails_for = ""
    assert copies.bring_over() == 1


def test_a_slide_that_cannot_be_examined_holds_up_no_other(
    run: Any,
    url: str,
    make_keeper: Any,
    slides: list[Slide],
    warm: AwayStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keeper = make_keeper()
    warm.refuses = str(slides[0].id)
    assert run(keeper.scrub()) == 2
    assert times(url, "verified_at").count(None) == 1
    assert times(url, "attempted_at").count(None) == 2
    warm.refuses = ""
    assert run(keeper.scrub()) == 0, "it is left in peace for a while"
    monkeypatch.setattr("sgi.integrity.keeper._PAUSE", timedelta(0))
    assert run(keeper.scrub()) == 1
    assert times(url, "attempted_at") == [None] * 3


def test_what_could_not_be_verified_comes_after_all_others(
    run: Any, database: Any, slides: list[Slide]
) -> None:
    mine = [slide.id for slide in slides if slide.establishment_id == slides[0].establishment_id]
    hour, nothing = timedelta(hours=1), timedelta(0)
    tried: list[Any] = []

    async def look() -> None:
        async with database.transaction(slides[0].establishment_id) as connection:
            found = await integrity.next_due(connection, hour, nothing)
            assert found is not None
            await integrity.mark_attempted(connection, found)
            tried.append(found)

    for _ in range(2 * len(mine)):
        run(look())
    assert sorted(tried[: len(mine)]) == sorted(mine)
    assert tried[len(mine) :] == tried[: len(mine)], "the one that was tried longest ago"


def test_the_first_store_is_examined_while_the_second_is_away(
    run: Any, url: str, kept: Any, warm: AwayStore
) -> None:
    away = AwayStore()
    away.objects.update(kept.second)
    away.is_away = True
    object.__setattr__(kept.verifier, "stores", Stores(kept.stores.warm, None, away))
    before = times(url, "verified_at")
    key = instance_key(kept.slide.id, kept.slide.levels[0].sop_uid)
    sound = kept.warm[key]
    kept.warm[key] = sound[:-1]
    with pytest.raises(StoreUnavailableError):
        kept.verify()
    (incident,) = kept.incidents()
    assert (incident.object_key, incident.state) == (key, IncidentState.OPEN)
    assert times(url, "verified_at") == before, "half of it is no proof"
    away.is_away = False
    assert not kept.verify().left
    assert kept.warm[key] == sound


def test_a_scrub_goes_on_while_the_second_store_is_away(
    run: Any, url: str, make_keeper: Any, slides: list[Slide]
) -> None:
    keeper = make_keeper()
    assert (run(keeper.scrub()), run(keeper.copy())) == (3, 3)
    with psycopg.connect(url) as connection:
        connection.execute("update slide set verified_at = null")
    away = AwayStore()
    away.is_away = True
    stores = Stores(keeper._keeping.stores.warm, None, away)
    object.__setattr__(keeper._verifier, "stores", stores)
    assert run(keeper.scrub()) == 0
    assert None not in times(url, "attempted_at"), "each had its turn"


def test_one_slide_that_cannot_be_copied_holds_up_no_other(
    run: Any, url: str, make_keeper: Any, slides: list[Slide], warm: AwayStore
) -> None:
    keeper = make_keeper()
    assert run(keeper.scrub()) == 3
    warm.refuses = str(slides[0].id)
    assert run(keeper.copy()) == 2
    assert times(url, "copy_attempted_at").count(None) == 2
    warm.refuses = ""
    assert run(keeper.copy()) == 0
    run(keeper.check(slides[0].establishment_id, slides[0].id))
    assert run(keeper.copy()) == 1, "what was verified is tried again at once"


@pytest.mark.parametrize(
    ("place", "kind", "copied"),
    [("warm", "extra", 3), ("second", "bytes", 3), ("warm", "bytes", 2), ("catalogue", "x", 2)],
)
def test_incidents_that_do_not_matter_stop_no_copy(
    run: Any, url: str, make_keeper: Any, slides: list[Slide], place: str, kind: str, copied: int
) -> None:
    keeper = make_keeper()
    run(keeper.scrub())
    with psycopg.connect(url) as connection:
        connection.execute(
            """insert into incident (establishment_id, slide_id, place, object_key, kind,
                   found_by, detail) values (%s, %s, %s, 'x', %s, 'scrub', 'x')""",
            [slides[0].establishment_id, slides[0].id, place, kind],
        )
    assert run(keeper.copy()) == copied


def test_short_rounds_serve_every_establishment(
    run: Any, url: str, make_keeper: Any, slides: list[Slide]
) -> None:
    keeper = make_keeper()
    done = 0
    while done < 2:
        done += run(keeper.scrub(round_s=0.0))
    with psycopg.connect(url) as connection:
        row = connection.execute(
            """select count(distinct establishment_id) from slide
               where verified_at is not null"""
        ).fetchone()
    assert row == (2,)


@pytest.mark.parametrize("work", ["scrub", "copy"])
def test_a_round_ends_between_two_objects_and_the_next_goes_on(
    run: Any, url: str, make_keeper: Any, slides: list[Slide], warm: AwayStore, work: str
) -> None:
    keeper = make_keeper()
    if work == "copy":
        run(keeper.scrub())
    warm.read_keys.clear()
    done, rounds = 0, 0
    while done < 3:
        done += run(getattr(keeper, work)(round_s=0.0))
        rounds += 1
        assert rounds < 100
    assert rounds > 6
    instances = [key for key in warm.read_keys if key.endswith(".dcm")]
    assert len(instances) == len(set(instances)) == sum(len(s.instances) for s in slides)
    column = "copied_at" if work == "copy" else "verified_at"
    assert None not in times(url, column)


def test_what_is_not_there_yet_is_no_reason_to_wait(
    run: Any,
    make_keeper: Any,
    slides: list[Slide],
    second: MemoryObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keeper = make_keeper()
    run(keeper.scrub())
    waits: list[float] = []
    monkeypatch.setattr("sgi.integrity.look.time.sleep", waits.append)
    assert run(keeper.copy()) == 3
    assert not waits


def test_strays_are_told_of_and_left(
    run: Any, url: str, database: Any, here: Any, kept: Any, publish: Callable[..., Slide]
) -> None:
    lost = publish(here, kept.stores.warm)
    kept.edit("delete from slide where id = %s", lost.id)
    kept.edit("delete from arrival where slide_id = %s", lost.id)
    kept.stores.warm.put("slides/not-a-uuid/x.dcm", b"?")
    too_young = run(find_strays(database, kept.stores))
    assert (too_young.found, too_young.young) == ([], 2)
    found = run(find_strays(database, kept.stores, timedelta(0))).found
    told = {finding.key: finding.detail for finding in found}
    assert set(told) == {slide_folder(lost.id), "slides/not-a-uuid/"}
    assert "rebuild" in told[slide_folder(lost.id)]
    assert "slides/not-a-uuid/x.dcm" in kept.warm
    del kept.warm["slides/not-a-uuid/x.dcm"]
    assert len(run(find_strays(database, kept.stores, timedelta(0))).found) == 1


def test_the_cold_store_is_searched_for_strays_too(run: Any, database: Any, kept: Any) -> None:
    cold = MemoryObjectStore()
    cold.put("slides/not-a-uuid/x.cold", b"?")
    cold.put(f"{slide_folder(kept.slide.id)}x.cold", b"?")
    stores = Stores(MemoryObjectStore(), cold, MemoryObjectStore())
    (found,) = run(find_strays(database, stores, timedelta(0))).found
    assert (found.place, found.key) == (Place.COLD, "slides/not-a-uuid/")
    cold.delete("slides/not-a-uuid/x.cold")
    assert run(find_strays(database, stores, timedelta(0))).found == []


def test_alarms_of_what_is_gone_do_nothing(run: Any, database: Any) -> None:
    import uuid

    async def ring() -> None:
        alarms = Alarms(database)
        alarms.on_damage(uuid.uuid4(), "1.2", 0)
        await alarms.settled()

    run(ring())


def test_the_tasks_are_in_the_queue(
    run: Any, url: str, database: Any, settings: Settings, make_keeper: Any, slides: list[Slide]
) -> None:
    from sgi.jobs.queue import KEEPING_QUEUE, open_queue

    keeper = make_keeper()

    async def work() -> None:
        queue = open_queue(url)
        register(queue, keeper._keeping)
        async with queue.open_async():
            now = int(datetime.now(UTC).timestamp())
            for name in (SCRUB, COPY, STRAYS):
                await queue.configure_task(name).defer_async(timestamp=now)
            await queue.run_worker_async(
                queues=[KEEPING_QUEUE], wait=False, install_signal_handlers=False
            )

    with psycopg.connect(url) as connection:  # other tests have left jobs behind
        connection.execute("delete from procrastinate_jobs where status = 'todo'")
    run(work())
    assert None not in times(url, "verified_at")
    assert None not in times(url, "copied_at")


def test_the_pace_holds_back_and_stops() -> None:
    cancelled = threading.Event()
    pace = Pace(0.001, cancelled)
    threading.Timer(0.05, cancelled.set).start()
    with pytest.raises(StoppedError):
        pace.spend(1 << 20)


def test_a_round_does_not_hold_up_the_loop(run: Any, make_keeper: Any, slides: list[Slide]) -> None:
    async def both() -> int:
        ticks = 0
        working = asyncio.ensure_future(make_keeper().scrub())
        while not working.done():
            await asyncio.sleep(0.001)
            ticks += 1
        return ticks

    assert run(both()) > 3


def test_what_cannot_be_read_now_holds_up_no_other_copy(
    run: Any,
    url: str,
    make_keeper: Any,
    slides: list[Slide],
    second: MemoryObjectStore,
) -> None:
    keeper = make_keeper()
    assert run(keeper.scrub()) == 3
    with psycopg.connect(url) as connection:
        connection.execute(
            "update instance set tier = 'cold', cold_size_bytes = 1 where slide_id = %s",
            [slides[0].id],
        )
    assert run(keeper.copy()) == 2, "the oldest comes last"
    assert times(url, "copied_at").count(None) == 1
    with psycopg.connect(url) as connection:
        told = connection.execute("select 1 from incident where slide_id = %s", [slides[0].id])
        assert told.fetchone() is None
