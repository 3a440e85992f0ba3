import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from sgi.catalogue import slides
from sgi.catalogue.database import Database


def test_what_was_written_is_read(
    run: Any, database: Database, here: Any, store: Any, publish: Callable[..., Any]
) -> None:
    slide = publish(here, store, "été 😐.svs")

    async def read() -> list[Any]:
        async with database.transaction(here.id) as connection:
            found = await slides.by_id(connection, slide.id)
            return [found, *await slides.newest(connection, limit=10)]

    assert run(read()) == [slide, slide]
    assert slide.file_name == "été 😐.svs"
    assert slide.establishment_name == here.name
    assert [level.level for level in slide.levels] == list(range(len(slide.levels)))
    assert slide.levels[0].columns == 600
    for role in ("label", "overview", "thumbnail"):
        found = slide.instance(role)
        assert found
        assert found.level is None
    assert slide.instance("volume") is None


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=2))])
def test_a_scan_time_keeps_its_zone_or_the_lack_of_one(
    run: Any, database: Database, here: Any, store: Any, publish: Any, arrive: Any, zone: Any
) -> None:
    scanned_at = datetime(2024, 2, 29, 9, 30, 1, tzinfo=zone)
    published = publish(here, store)
    arrival = arrive(here)
    slide = replace(
        published,
        id=uuid.uuid4(),
        arrival_id=arrival.id,
        series_uid=f"2.25.{uuid.uuid4().int}",
        source_sha256=os.urandom(32).hex(),
        facts=published.facts.model_copy(update={"scanned_at": scanned_at}),
        instances=(),
    )

    async def write_and_read() -> Any:
        async with database.transaction(here.id) as connection:
            await slides.add(connection, slide)
            return await slides.by_id(connection, slide.id)

    found = run(write_and_read()).facts.scanned_at
    assert found.isoformat() == scanned_at.isoformat()


def test_a_slide_is_there_only_once_its_transaction_is(
    run: Any, database: Database, here: Any, store: Any, publish: Callable[..., Any], arrive: Any
) -> None:
    slide = publish(here, store)
    arrival = arrive(here)
    other = replace(
        slide,
        id=uuid.uuid4(),
        arrival_id=arrival.id,
        series_uid="1.2",
        source_sha256=os.urandom(32).hex(),
        instances=[replace(i, sop_uid=f"2.25.{uuid.uuid4().int}") for i in slide.instances],
    )

    async def seen() -> int:
        async with database.transaction(here.id) as connection:
            return len(await slides.ids(connection))

    async def publishing() -> None:
        async with database.transaction(here.id) as connection:
            await slides.add(connection, other)
            assert len(await slides.ids(connection)) == 2
            assert await seen() == 1, "another connection sees it already"
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(publishing())
    assert run(seen()) == 1


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({}, "slide_pkey"),
        ({"id": uuid.uuid4()}, "slide_series_uid_key"),
        (
            {"id": uuid.uuid4(), "series_uid": "2.25.1"},
            "slide_establishment_id_source_sha256_scene_key",
        ),
        (
            {"id": uuid.uuid4(), "series_uid": "2.25.2", "source_sha256": "00"},
            "instance_pkey",
        ),
    ],
)
def test_no_slide_is_there_twice(
    run: Any,
    database: Database,
    here: Any,
    store: Any,
    publish: Callable[..., Any],
    arrive: Any,
    changes: dict[str, Any],
    constraint: str,
) -> None:
    other = replace(publish(here, store), arrival_id=arrive(here).id)

    async def add() -> None:
        async with database.transaction(here.id) as connection:
            await slides.add(connection, replace(other, **changes))

    with pytest.raises(psycopg.errors.UniqueViolation, match=constraint):
        run(add())
