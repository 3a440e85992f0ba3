"""Sums by month and tier follow every change of an instance."""

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from sgi.catalogue import capacity
from sgi.catalogue.database import Database
from sgi.domain.capacity import StoredMonth
from sgi.domain.forecast import Activity, Prices
from sgi.domain.tier import Tier
from storage.memory import MemoryObjectStore

LEVELS = (8000, 2000, 500)

SLIDE = """
    with came as (
        insert into arrival (establishment_id, source_path, file_name, state, size_bytes,
                             modified_ns)
        values (%(establishment)s, '', '', 'published', 0, 0) returning id)
    insert into slide (id, establishment_id, arrival_id, file_name, study_uid, series_uid,
                       source_sha256, source_size_bytes, published_at, facts)
    select %(slide)s, %(establishment)s, id, '', '', %(slide)s::text, %(hash)s, 0, %(at)s, '{}'
    from came
"""
INSTANCES = """
    insert into instance (establishment_id, sop_uid, slide_id, role, level, columns, rows,
        tile_columns, tile_rows, downsample, transfer_syntax, photometric, origin, size_bytes,
        sha256, frames)
    select %(establishment)s, gen_random_uuid()::text, %(slide)s,
        case when level is null then 'label' else 'volume' end, level, 1, 1, 1, 1, 1, '', '', '',
        size, '', 1
    from unnest(%(levels)s::int[], %(sizes)s::bigint[]) as one (level, size)
"""


@pytest.fixture
def add_slide(url: str) -> Callable[..., uuid.UUID]:
    """A slide of three levels and a label in the catalogue alone, published when one likes."""

    def add(establishment: Any, at: datetime, sizes: Sequence[int] = LEVELS) -> uuid.UUID:
        slide = uuid.uuid4()
        values = {
            "establishment": establishment.id,
            "slide": slide,
            "hash": slide.bytes,
            "at": at,
            "levels": [*range(len(sizes)), None],
            "sizes": [*sizes, 7],
        }
        with psycopg.connect(url) as connection:
            connection.execute(SLIDE, values)
            connection.execute(INSTANCES, values)
        return slide

    return add


@pytest.fixture
def stored(run: Any, database: Database) -> Callable[[Any], list[StoredMonth]]:
    async def read(establishment: Any) -> list[StoredMonth]:
        async with database.transaction(establishment.id) as connection:
            return await capacity.by_month(connection)

    return lambda establishment: list(run(read(establishment)))


@pytest.fixture
def execute(url: str) -> Callable[..., None]:
    def change(statement: str, *values: Any) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(statement, values)

    return change


def counted(url: str, establishment: Any) -> dict[tuple[date, str], tuple[int, int]]:
    """Slides and bytes by month and tier, counted from the instances themselves."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """select date_trunc('month', s.published_at at time zone 'utc')::date, i.tier = 'warm',
                      i.level, i.size_bytes, i.cold_size_bytes
               from instance i join slide s on s.id = i.slide_id
               where i.establishment_id = %s""",
            [establishment.id],
        ).fetchall()
    sums: dict[tuple[date, str], tuple[int, int]] = {}
    for month, warm, level, size, cold_size in rows:
        for tier, base, taken in (
            ("warm", warm and level == 0, size if warm else None),
            ("cold", not warm and level == 0, cold_size),
        ):
            if taken is not None:
                slides, total = sums.get((month, tier), (0, 0))
                sums[month, tier] = (slides + base, total + taken)
    return sums


def found(months: list[StoredMonth]) -> dict[tuple[date, str], tuple[int, int]]:
    return {(m.month, m.tier.value): (m.slides, m.stored_bytes) for m in months}


OCTOBER = date(2026, 10, 1)


def test_months_are_those_of_utc(add_slide: Any, stored: Any, here: Any) -> None:
    add_slide(here, datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    add_slide(here, datetime(2026, 11, 1, 0, 0, tzinfo=UTC))
    assert stored(here) == [
        StoredMonth(month, Tier.WARM, 1, 10_507, 10_507) for month in (OCTOBER, date(2026, 11, 1))
    ]


def test_slides_that_are_published_count(
    publish: Callable[..., Any], stored: Any, url: str, here: Any
) -> None:
    slide = publish(here, MemoryObjectStore())
    (month,) = stored(here)
    assert month.slides == 1
    assert month.stored_bytes == sum(instance.size_bytes for instance in slide.instances)
    assert found([month]) == counted(url, here)


def test_what_moves_is_counted_where_it_went(
    add_slide: Any, stored: Any, execute: Any, url: str, here: Any
) -> None:
    slide = add_slide(here, datetime(2026, 10, 5, tzinfo=UTC))
    add_slide(here, datetime(2026, 10, 6, tzinfo=UTC))
    move = "update instance set tier = %s, cold_size_bytes = %s where slide_id = %s and level = 0"
    execute(move, "cold", 6000, slide)
    warm, cold = stored(here)
    assert warm == StoredMonth(OCTOBER, Tier.WARM, 1, 10_507 + 2507, 10_507 + 2507)
    assert cold == StoredMonth(OCTOBER, Tier.COLD, 1, 8000, 6000)
    execute(move, "restoring", 6000, slide)
    assert stored(here) == [warm, cold], "what is being restored is cold still"
    execute(move, "warm", 6000, slide)
    assert stored(here) == [
        StoredMonth(OCTOBER, Tier.WARM, 2, 21_014, 21_014),
        StoredMonth(OCTOBER, Tier.COLD, 0, 0, 6000),
    ], "the cold copy of what was restored stays and takes room"
    assert found(stored(here)) == counted(url, here)
    execute(move, "warm", None, slide)
    assert found(stored(here)) == counted(url, here) == {(OCTOBER, "warm"): (2, 21_014)}


@pytest.mark.parametrize("table", ["instance", "slide"])
def test_what_is_deleted_counts_no_more(
    add_slide: Any, stored: Any, execute: Any, here: Any, table: str
) -> None:
    slide = add_slide(here, datetime(2026, 10, 5, tzinfo=UTC))
    add_slide(here, datetime(2026, 10, 5, tzinfo=UTC))
    column = "slide_id" if table == "instance" else "id"
    execute(f"delete from {table} where {column} = %s", slide)
    assert stored(here) == [StoredMonth(OCTOBER, Tier.WARM, 1, 10_507, 10_507)]


def test_other_changes_leave_no_row(add_slide: Any, execute: Any, url: str, here: Any) -> None:
    slide = add_slide(here, datetime(2026, 10, 5, tzinfo=UTC))
    execute("update instance set frames = frames + 1 where slide_id = %s", slide)
    with psycopg.connect(url) as connection:
        (rows,) = connection.execute(
            "select count(*) from capacity_change where establishment_id = %s", [here.id]
        ).fetchone() or (0,)
    assert rows == 1


def test_many_changes_become_few_rows_and_say_the_same(
    run: Any, database: Database, add_slide: Any, stored: Any, url: str, here: Any, there: Any
) -> None:
    for day in range(1, 9):
        add_slide(here, datetime(2026, 10, day, tzinfo=UTC))
        add_slide(there, datetime(2026, 10, day, tzinfo=UTC))

    async def rows(establishment: Any) -> int:
        async with database.transaction(establishment.id) as connection:
            cursor = await connection.execute("select count(*) as n from capacity_change")
            return int((await cursor.fetchone() or {})["n"])

    async def put_together() -> None:
        async with database.transaction(here.id) as connection:
            await connection.execute("select put_changes_together()")

    before, others = stored(here), run(rows(there))
    run(put_together())
    assert run(rows(here)) == 1
    assert run(rows(there)) == others, "no other establishment's"
    assert stored(here) == before
    assert found(before) == counted(url, here)


def test_who_puts_together_waits_for_nobody(
    url: str, add_slide: Any, stored: Any, here: Any
) -> None:
    add_slide(here, datetime(2026, 10, 1, tzinfo=UTC))
    with psycopg.connect(url) as one, psycopg.connect(url) as other:
        one.execute("select put_changes_together()")
        other.execute("set lock_timeout = '2s'")
        other.execute("select put_changes_together()")
        other.commit()
    assert stored(here) == [StoredMonth(OCTOBER, Tier.WARM, 1, 10_507, 10_507)]


def test_the_first_day_is_that_of_the_oldest_slide(
    run: Any, database: Database, add_slide: Any, here: Any
) -> None:
    async def read() -> date | None:
        async with database.transaction(here.id) as connection:
            return await capacity.first_day(connection)

    assert run(read()) is None
    add_slide(here, datetime(2026, 10, 5, tzinfo=UTC))
    add_slide(here, datetime(2025, 3, 31, 23, 0, tzinfo=UTC))
    assert run(read()) == date(2025, 3, 31)


def test_what_was_typed_in_is_kept_for_its_establishment(
    run: Any, database: Database, here: Any, there: Any
) -> None:
    wanted = Activity(
        slides_per_day=12.5,
        working_days_per_year=220,
        mean_size_bytes=10**9,
        prices=Prices(warm=20, cold=4),
    )

    async def use() -> None:
        async with database.transaction(here.id) as connection:
            assert await capacity.activity(connection) is None
            await capacity.set_activity(connection, here.id, wanted)
            other = wanted.model_copy(update={"copies": 2})
            await capacity.set_activity(connection, here.id, other)
            assert await capacity.activity(connection) == other
        async with database.transaction(there.id) as connection:
            assert await capacity.activity(connection) is None

    run(use())
