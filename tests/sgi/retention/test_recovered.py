"""A database that came back from an earlier day destroys nothing that was spared since."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi import recovery
from sgi.catalogue import destructions, holds
from sgi.catalogue.database import Database
from sgi.domain.retention import Destruction, DestructionState, Hold
from sgi.domain.slide import Slide
from sgi.errors import VerificationError
from sgi.integrity.rebuild import rebuild
from sgi.jobs.keeping import Keeping
from sgi.retention.destroy import Destroyer
from sgi.retention.tasks import resume
from sgi.settings import Settings
from sgi.stored.keys import destruction_key, holds_key, manifest_key
from sgi.stored.retention import write_destruction, write_holds
from sgi.stores import Stores


@pytest.fixture
def destroyer(settings: Settings, database: Database, store: Any) -> Destroyer:
    return Destroyer(settings, database, Stores(store))


@pytest.fixture
def is_there(store: Any, slide: Slide) -> Any:
    return lambda: manifest_key(slide.id) in store.objects


def a_hold(slide: Slide) -> Hold:
    return Hold(uuid.uuid4(), slide.id, "a lawsuit", "somebody", datetime.now(UTC))


def withdrawn(approved: Destruction) -> Destruction:
    return replace(
        approved,
        state=DestructionState.WITHDRAWN,
        withdrawn_by="somebody",
        withdrawn_at=datetime.now(UTC) - timedelta(hours=1),
        withdrawal_reason="still needed",
    )


def test_a_hold_of_the_store_alone_is_a_hold(
    run: Any,
    database: Database,
    destroyer: Destroyer,
    store: Any,
    slide: Slide,
    approve: Any,
    here: Any,
    state_of: Any,
    is_there: Any,
    audit_rows: Any,
) -> None:
    approved = approve(slide)
    held = a_hold(slide)
    write_holds(store, here.id, slide.id, [held])
    run(destroyer.destroy(here.id, approved.id))
    assert is_there()
    assert state_of(here.id, approved.id).state is DestructionState.WITHDRAWN
    told = json.loads(store.objects[destruction_key(here.id, approved.id)])
    assert told["state"] == "withdrawn"

    async def look() -> Hold | None:
        async with database.transaction(here.id) as connection:
            return await holds.open_hold(connection, slide.id)

    assert run(look()) == held, "taken over"
    actions = [row["action"] for row in audit_rows(here)]
    assert actions[-2:] == ["place_hold", "withdraw_destruction"]
    run(destroyer.destroy(here.id, approved.id))
    assert is_there()


def test_a_withdrawal_of_the_store_alone_is_one(
    run: Any,
    destroyer: Destroyer,
    store: Any,
    slide: Slide,
    approve: Any,
    here: Any,
    state_of: Any,
    is_there: Any,
) -> None:
    told = withdrawn(approve(slide))
    write_destruction(store, told)
    before = store.objects[destruction_key(here.id, told.id)]
    run(destroyer.destroy(here.id, told.id))
    assert is_there()
    assert state_of(here.id, told.id) == told
    assert store.objects[destruction_key(here.id, told.id)] == before


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("which", ["hold", "destruction"])
def test_what_cannot_be_read_is_an_objection(
    run: Any,
    destroyer: Destroyer,
    store: Any,
    slide: Slide,
    approve: Any,
    here: Any,
    state_of: Any,
    is_there: Any,
    which: str,
    later: bool,
) -> None:
    approved = approve(slide)
    write_holds(store, here.id, slide.id, [])
    write_destruction(store, approved)
    key = holds_key(here.id, slide.id)
    key = key if which == "hold" else destruction_key(here.id, approved.id)
    known = store.objects[key]
    other = json.dumps(json.loads(known) | {"version": 2}).encode() if later else known[:-9]
    store.objects[key] = other
    with pytest.raises(VerificationError, match="cannot be read"):
        run(destroyer.destroy(here.id, approved.id))
    assert is_there()
    assert state_of(here.id, approved.id).state is DestructionState.APPROVED


def test_a_hold_that_was_lifted_is_none(
    run: Any, destroyer: Destroyer, store: Any, slide: Slide, approve: Any, here: Any, is_there: Any
) -> None:
    approved = approve(slide)
    lifted = replace(
        a_hold(slide), lifted_by="somebody", lifted_at=datetime.now(UTC), lift_reason="over"
    )
    write_holds(store, here.id, slide.id, [lifted])
    write_destruction(store, approved)
    run(destroyer.destroy(here.id, approved.id))
    assert not is_there()


def test_a_hold_that_the_store_alone_says_is_lifted_goes_on(
    run: Any,
    url: str,
    database: Database,
    destroyer: Destroyer,
    store: Any,
    slide: Slide,
    here: Any,
) -> None:
    async def place() -> list[Hold]:
        async with database.transaction(here.id) as connection:
            await holds.place(connection, here.id, slide.id, "a lawsuit", "somebody")
            return await holds.of_slide(connection, slide.id)

    async def look() -> Hold | None:
        async with database.transaction(here.id) as connection:
            return await holds.open_hold(connection, slide.id)

    (held,) = run(place())
    lifted = replace(held, lifted_by="x", lifted_at=datetime.now(UTC), lift_reason="forged")
    write_holds(store, here.id, slide.id, [lifted])
    outcome = run(rebuild(url, destroyer.stores, missing=True))
    assert outcome.still_held == [slide.id]
    assert run(look()) == held


def test_a_recovered_database_destroys_nothing_before_it_has_heard_the_store(
    run: Any,
    url: str,
    settings: Settings,
    database: Database,
    destroyer: Destroyer,
    store: Any,
    slide: Slide,
    approve: Any,
    here: Any,
    state_of: Any,
    is_there: Any,
) -> None:
    approved = approve(slide)
    write_destruction(store, approved)
    with psycopg.connect(url, autocommit=True) as owner:
        recovery.mark(owner)
    keeping = Keeping(settings, database, destroyer.stores)
    try:
        run(resume(keeping))
        with pytest.raises(VerificationError, match="sgi rebuild --missing"):
            run(destroyer.destroy(here.id, approved.id))
        assert is_there()
        assert state_of(here.id, approved.id).state is DestructionState.APPROVED
        assert "sgi rebuild --missing" in (state_of(here.id, approved.id).failure or "")
    finally:
        run(rebuild(url, destroyer.stores, missing=True))
    run(destroyer.destroy(here.id, approved.id))
    assert not is_there()


def test_a_rebuild_holds_a_slide_whose_holds_cannot_be_read(
    run: Any, url: str, database: Database, store: Any, slide: Slide, here: Any
) -> None:
    key = holds_key(here.id, slide.id)
    store.put(key, b"{")

    async def look() -> list[Hold]:
        async with database.transaction(here.id) as connection:
            return await holds.of_slide(connection, slide.id)

    for _ in range(2):  # once more changes nothing
        rebuilt = run(rebuild(url, Stores(store), missing=True))
        assert any(problem.startswith(key) for problem in rebuilt.problems)
        (held,) = run(look())
        assert held.lifted_at is None
        assert held.placed_by == "sgi rebuild"


def test_a_rebuild_holds_nothing_that_was_destroyed(
    run: Any,
    url: str,
    database: Database,
    destroyer: Destroyer,
    store: Any,
    slide: Slide,
    approve: Any,
    here: Any,
) -> None:
    approved = approve(slide)
    run(destroyer.destroy(here.id, approved.id))
    store.put(holds_key(here.id, slide.id), b"{")
    run(rebuild(url, destroyer.stores, missing=True))

    async def look() -> tuple[Any, Any]:
        async with database.transaction(here.id) as connection:
            return (
                await holds.open_hold(connection, slide.id),
                await destructions.certificate(connection, approved.id),
            )

    held, certificate = run(look())
    assert held is None
    assert certificate is not None
