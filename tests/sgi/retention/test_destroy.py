"""Destruction: nothing is left, it is proved, and a death at any moment changes neither."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sgi.catalogue import (
    arrivals,
    attachments,
    destructions,
    holds,
    incidents,
    patient_days,
    retention,
    slides,
)
from sgi.catalogue.database import Database
from sgi.domain.french import CONFLICTS, in_french
from sgi.domain.identification import How
from sgi.domain.integrity import Damage, Finding, FoundBy, Incident, IncidentState, Place
from sgi.domain.retention import DestructionState, Ground, Person
from sgi.domain.slide import Slide
from sgi.errors import VerificationError
from sgi.retention.destroy import Destroyer
from sgi.settings import Settings
from sgi.stored.keys import certificate_key, destruction_key, quarantine_key, slide_folder
from sgi.stored.retention import Certificate
from sgi.stores import Stores
from storage.errors import StoreUnavailableError
from storage.memory import MemoryObjectStore


class KilledError(BaseException):
    """What `kill -9` looks like from within."""


class MortalStore(MemoryObjectStore):
    """Dies at its n-th call, before or after it took effect."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__(objects)
        self.objects = objects
        self.calls = 0
        self.dies_at: int | None = None
        self.after = False

    def _call(self, work: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.calls == self.dies_at and not self.after:
            raise KilledError
        result = work()
        if self.calls == self.dies_at:
            raise KilledError
        return result

    def put(self, key: str, data: bytes, *, content_type: str = "") -> None:
        self._call(lambda: MemoryObjectStore.put(self, key, data))

    def delete(self, key: str) -> None:
        self._call(lambda: MemoryObjectStore.delete(self, key))

    def list(self, prefix: str = "") -> Any:
        return self._call(lambda: iter([*MemoryObjectStore.list(self, prefix)]))


NAMES = (
    "manifest.json",
    "1.2.3.dcm",
    "1.2.3.sha256",
    "1.2.4.dcm",
    "focus.png",
    "ome.zarr/zarr.json",
)


def copies(slide: Slide, store: Any = None) -> tuple[MortalStore, MortalStore, MortalStore]:
    """Warm as it is, some of it cold, all of it twice; and somebody else's slide beside it."""
    folder = slide_folder(slide.id)
    held = {} if store is None else store.objects
    everything = {k: v for k, v in held.items() if k.startswith(folder)}
    everything = everything or {folder + name: name.encode() for name in NAMES}
    cold = {f"{folder}1.2.3.jxl": b"cold"}
    other = {"slides/00000000-0000-0000-0000-000000000000/manifest.json": b"another"}
    return (
        MortalStore(everything | other),
        MortalStore(cold | other),
        MortalStore(everything | cold | other),
    )


@pytest.fixture
def destroyer(settings: Settings, database: Database, slide: Slide, store: Any) -> Destroyer:
    warm, cold, second = copies(slide, store)
    return Destroyer(settings, database, Stores(warm, cold, second))


def left(destroyer: Destroyer, slide: Slide) -> list[str]:
    stores = (destroyer.stores.warm, destroyer.stores.cold, destroyer.stores.second)
    keys = [key for store in stores if isinstance(store, MortalStore) for key in store.objects]
    return [key for key in keys if str(slide.id) in key]


def certificate_in(destroyer: Destroyer, slide: Slide, destruction_id: Any) -> Certificate:
    warm = destroyer.stores.warm
    return Certificate.model_validate_json(
        warm.read(certificate_key(slide.establishment_id, destruction_id))
    )


def test_nothing_is_left_anywhere_and_it_is_certified(
    run: Any,
    database: Database,
    destroyer: Destroyer,
    slide: Slide,
    approve: Any,
    audit_rows: Any,
    here: Any,
) -> None:
    before = left(destroyer, slide)
    approved = approve(slide)
    run(destroyer.destroy(here.id, approved.id))
    assert left(destroyer, slide) == []
    told = certificate_in(destroyer, slide, approved.id)
    assert told.slide_id == slide.id
    assert told.source_sha256 == slide.source_sha256
    assert told.objects == len(before)
    assert {answer.store: answer.left for answer in told.stores} == {
        "warm": 0,
        "cold": 0,
        "second": 0,
    }
    assert (told.asked_by.name, told.approved_by.name) == ("first", "second")
    assert told.size_bytes > slide.instances[0].size_bytes
    assert slide.file_name not in told.model_dump_json(), "nothing that may name a patient"
    actions = [row["action"] for row in audit_rows(here)]
    assert actions[-2:] == ["begin_destruction", "destroy_slide"]

    async def look() -> None:
        async with database.transaction(here.id) as connection:
            assert await slides.by_id(connection, slide.id) is None
            assert await slides.newest(connection, limit=10) == []
            assert await arrivals.newest(connection, 10) == []
            known = await destructions.certificate(connection, approved.id)
            assert known == told
            sha256 = bytes.fromhex(slide.source_sha256)
            assert await destructions.destroyed_content(connection, sha256) == told.began_at

    run(look())


def test_a_death_at_any_call_of_a_store_changes_nothing_in_the_end(
    run: Any,
    settings: Settings,
    database: Database,
    publish_row: Any,
    approve: Any,
    here: Any,
    state_of: Any,
) -> None:
    slide = publish_row(here)
    warm, cold, second = copies(slide)
    calm = Destroyer(settings, database, Stores(warm, cold, second))
    run(calm.destroy(here.id, approve(slide).id))
    wanted = [warm.calls, cold.calls, second.calls]
    assert min(wanted) >= 3
    deaths = 0
    for which, calls in enumerate(wanted):
        for number in range(1, calls + 1):
            slide = publish_row(here)
            mortals = copies(slide)
            before = sum(str(slide.id) in key for mortal in mortals for key in mortal.objects)
            approved = approve(slide)
            mortals[which].dies_at, mortals[which].after = number, number % 2 == 0
            dying = Destroyer(settings, database, Stores(*mortals))
            with pytest.raises(KilledError):
                run(dying.destroy(here.id, approved.id))
            run(dying.destroy(here.id, approved.id))
            assert left(dying, slide) == []
            assert state_of(here.id, approved.id).state is DestructionState.DONE
            told = certificate_in(dying, slide, approved.id)
            assert told.objects == before, "counted before the first one went"
            assert destruction_key(here.id, approved.id) not in mortals[0].objects
            deaths += 1
            run(dying.destroy(here.id, approved.id))  # once more: nothing happens
            assert certificate_in(dying, slide, approved.id) == told
    assert deaths >= 20


def test_what_a_copy_brings_back_goes_a_day_later(
    run: Any, destroyer: Destroyer, slide: Slide, approve: Any, here: Any
) -> None:
    approved = approve(slide)
    run(destroyer.destroy(here.id, approved.id))
    told = certificate_in(destroyer, slide, approved.id)
    assert destroyer.stores.second
    destroyer.stores.second.put(f"{slide_folder(slide.id)}manifest.json", b"a repair was under way")
    run(destroyer.destroy(here.id, approved.id))
    assert left(destroyer, slide) == []
    assert certificate_in(destroyer, slide, approved.id) == told


def test_a_certificate_stands_when_the_database_comes_back_from_an_earlier_day(
    run: Any, url: str, destroyer: Destroyer, slide: Slide, approve: Any, here: Any, state_of: Any
) -> None:
    approved = approve(slide)
    run(destroyer.destroy(here.id, approved.id))
    told = certificate_in(destroyer, slide, approved.id)
    with psycopg.connect(url) as owner:
        owner.execute("set session_replication_role = replica")  # past the triggers
        owner.execute(
            """update destruction set state = 'approved', began_at = null, done_at = null,
                   certificate = null, inventory = null where id = %s""",
            [approved.id],
        )
    run(destroyer.destroy(here.id, approved.id))
    assert state_of(here.id, approved.id).state is DestructionState.DONE
    assert certificate_in(destroyer, slide, approved.id) == told


def test_a_slide_that_a_rebuild_brought_back_goes_all_the_same(
    run: Any,
    url: str,
    database: Database,
    destroyer: Destroyer,
    slide: Slide,
    approve: Any,
    here: Any,
) -> None:
    approved = approve(slide)
    cold = destroyer.stores.cold
    assert isinstance(cold, MortalStore)
    cold.dies_at = 1
    with pytest.raises(KilledError):
        run(destroyer.destroy(here.id, approved.id))
    with psycopg.connect(url) as owner:  # from a manifest that was still there
        owner.execute(
            """with came as (insert into arrival (establishment_id, source_path, file_name, state,
                   size_bytes, modified_ns) values (%(here)s, '', 'x', 'published', 0, 0)
                   returning id)
               insert into slide (id, establishment_id, arrival_id, file_name, study_uid,
                   series_uid, source_sha256, source_size_bytes, facts)
               select %(slide)s::uuid, %(here)s, id, 'x', '', %(slide)s::text, '', 0, '{}'
               from came""",
            {"here": here.id, "slide": str(slide.id)},
        )
    run(destroyer.destroy(here.id, approved.id))

    async def look() -> None:
        async with database.transaction(here.id) as connection:
            assert await slides.by_id(connection, slide.id) is None

    run(look())
    assert left(destroyer, slide) == []


def test_a_slide_is_seen_by_nobody_from_the_first_step_on(
    run: Any, database: Database, destroyer: Destroyer, slide: Slide, approve: Any, here: Any
) -> None:
    approved = approve(slide)
    cold = destroyer.stores.cold
    assert isinstance(cold, MortalStore)
    cold.dies_at = 1
    with pytest.raises(KilledError):
        run(destroyer.destroy(here.id, approved.id))
    pending = json.loads(destroyer.stores.warm.read(destruction_key(here.id, approved.id)))
    assert pending["state"] == "destroying"

    async def look() -> None:
        async with database.transaction(here.id) as connection:
            assert await slides.by_id(connection, slide.id) is None
            waiting = await destructions.without_job(connection, timedelta(days=1))
            assert [each.id for each in waiting] == [approved.id], "found and queued again"

    run(look())


def test_what_a_store_keeps_is_not_certified(
    run: Any, destroyer: Destroyer, slide: Slide, approve: Any, here: Any, state_of: Any
) -> None:
    approved = approve(slide)
    second = destroyer.stores.second
    assert isinstance(second, MortalStore)
    second.delete = lambda key: None  # type: ignore[method-assign]
    with pytest.raises(VerificationError):
        run(destroyer.destroy(here.id, approved.id))
    assert state_of(here.id, approved.id).state is DestructionState.DESTROYING


def test_a_store_that_is_away_is_waited_for(
    run: Any, destroyer: Destroyer, slide: Slide, approve: Any, here: Any, state_of: Any
) -> None:
    approved = approve(slide)
    second = destroyer.stores.second
    assert isinstance(second, MortalStore)
    kept, second.list = second.list, away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        run(destroyer.destroy(here.id, approved.id))
    second.list = kept  # type: ignore[method-assign]
    run(destroyer.destroy(here.id, approved.id))
    assert state_of(here.id, approved.id).state is DestructionState.DONE
    assert left(destroyer, slide) == []


def away(prefix: str = "") -> Any:
    raise StoreUnavailableError("It does not answer.")


def test_the_waiting_time_is_waited(
    run: Any, destroyer: Destroyer, slide: Slide, approve: Any, here: Any, state_of: Any
) -> None:
    approved = approve(slide, timedelta(days=7))
    before = left(destroyer, slide)
    run(destroyer.destroy(here.id, approved.id))
    assert left(destroyer, slide) == before
    assert state_of(here.id, approved.id).state is DestructionState.APPROVED


def test_a_held_slide_stays_whatever_was_approved(
    run: Any,
    database: Database,
    destroyer: Destroyer,
    slide: Slide,
    approve: Any,
    here: Any,
    state_of: Any,
) -> None:
    approved = approve(slide)

    async def hold() -> None:
        async with database.transaction(here.id) as connection:
            await holds.place(connection, here.id, slide.id, "a lawsuit", "somebody")

    run(hold())
    before = left(destroyer, slide)
    run(destroyer.destroy(here.id, approved.id))
    assert left(destroyer, slide) == before
    assert state_of(here.id, approved.id).state is DestructionState.APPROVED


def test_no_other_establishment_destroys_it(
    run: Any, destroyer: Destroyer, slide: Slide, approve: Any, here: Any, there: Any
) -> None:
    approved = approve(slide)
    before = left(destroyer, slide)
    run(destroyer.destroy(there.id, approved.id))
    assert left(destroyer, slide) == before


def test_quarantined_bytes_go_too(
    run: Any, destroyer: Destroyer, slide: Slide, approve: Any, here: Any
) -> None:
    # No row says so: a rebuilt catalogue has no incidents.
    key = quarantine_key(slide.id, uuid.uuid4(), "1.2.3.dcm")
    destroyer.stores.warm.put(key, b"damaged")
    run(destroyer.destroy(here.id, approve(slide).id))
    assert isinstance(destroyer.stores.warm, MortalStore)
    assert key not in destroyer.stores.warm.objects


def test_what_was_damaged_is_over_with_its_slide(
    run: Any, database: Database, slide: Slide, destroyer: Destroyer, approve: Any, here: Any
) -> None:
    key = f"{slide_folder(slide.id)}1.2.3.dcm"
    lost = Finding(Place.WARM, key, Damage.MISSING, "There is no such object.")

    async def report() -> None:
        async with database.transaction(here.id) as connection:
            await incidents.report(connection, here.id, slide.id, lost, FoundBy.SCRUB)

    async def look() -> tuple[list[Incident], list[Incident]]:
        async with database.transaction(here.id) as connection:
            return await incidents.newest(connection, 9), await incidents.standing(
                connection, slide.id
            )

    run(report())
    run(destroyer.destroy(here.id, approve(slide).id))
    (told,), standing = run(look())
    assert told.state is IncidentState.GONE
    assert told.ended_at is not None
    assert standing == []


@pytest.mark.parametrize("changed", [False, True])
def test_the_original_goes_from_where_it_was_put_away(
    run: Any,
    url: str,
    destroyer: Destroyer,
    slide: Slide,
    approve: Any,
    here: Any,
    changed: bool,
) -> None:
    drop = destroyer.settings.drop.resolve()
    done = drop / ".done" / "monday" / "slide.svs"
    done.parent.mkdir(parents=True)
    done.write_bytes(b"pixels")
    found = done.stat()
    remember(url, slide, drop / "monday" / "slide.svs", found.st_size, found.st_mtime_ns)
    if changed:
        done.write_bytes(b"another file of that name")
    approved = approve(slide)
    run(destroyer.destroy(here.id, approved.id))
    assert done.exists() is changed
    told = certificate_in(destroyer, slide, approved.id).originals
    assert told.deleted == (0 if changed else 1)
    assert not told.still_in_use
    assert changed or not done.parent.exists(), "nor the folder's name"


def test_an_original_where_the_scanner_put_it_is_not_ours_to_delete(
    run: Any, url: str, destroyer: Destroyer, slide: Slide, approve: Any, here: Any, tmp_path: Path
) -> None:
    path = tmp_path / "scanner" / "slide.svs"
    path.parent.mkdir()
    path.write_bytes(b"pixels")
    remember(url, slide, path, 6, path.stat().st_mtime_ns)
    approved = approve(slide)
    run(destroyer.destroy(here.id, approved.id))
    assert path.exists()
    assert certificate_in(destroyer, slide, approved.id).originals.left_in_place == 1


def remember(url: str, slide: Slide, path: Path, size: int, modified_ns: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            """update arrival set part_paths = %s, part_sizes = %s, part_times = %s
               where id = %s""",
            [[bytes(path)], [size], [modified_ns], slide.arrival_id],
        )


def test_a_patient_who_came_back_takes_the_destruction_back(
    run: Any,
    database: Database,
    destroyer: Destroyer,
    slide: Slide,
    here: Any,
    url: str,
    laboratory: Any,
    state_of: Any,
) -> None:
    lab = laboratory(here)
    patient_id = lab.patient()
    lab.case("05P1", patient_id)
    glass_id = lab.asset("05P1.A", accession_number="05P1")
    lab.do(lambda c: attachments.attach(c, here.id, slide.id, glass_id, How.PERSON))
    long_ago = datetime.now(UTC) - timedelta(days=365 * 25)
    with psycopg.connect(url) as owner:
        owner.execute("update slide set published_at = %s where id = %s", [long_ago, slide.id])
        owner.execute("update lab_case set received_at = %s", [long_ago])

    async def agree(connection: Any) -> Any:
        until = await retention.end_of(connection, slide.id)
        ended = Ground.RETENTION_ENDED
        asked = await destructions.ask(connection, slide.id, until, ended, "due", someone("a"))
        assert asked
        return await destructions.approve(connection, asked.id, someone("b"), timedelta(0))

    approved = lab.do(agree)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    lab.do(lambda c: patient_days.hear(c, here.id, patient_id, stay=yesterday))
    run(destroyer.destroy(here.id, approved.id))
    found = state_of(here.id, approved.id)
    assert (found.state, found.withdrawn_by) == (DestructionState.WITHDRAWN, "SGI")
    assert in_french(found.withdrawal_reason or "", table=CONFLICTS)
    assert left(destroyer, slide), "nothing was deleted"
    stored = json.loads(destroyer.stores.warm.read(destruction_key(here.id, approved.id)))
    assert stored["state"] == "withdrawn"


def someone(name: str) -> Person:
    return Person(uuid.uuid4(), name, uuid.uuid4())
