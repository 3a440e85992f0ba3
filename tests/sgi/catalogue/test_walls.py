"""Row-level security, asked raw: what a query that forgets the establishment gets to see."""

import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dicom.models.told import Told
from dicom.web.document import Document
from sgi.access import sign_in
from sgi.catalogue import (
    accounts,
    arrivals,
    assignments,
    attachments,
    capacity,
    cases,
    destructions,
    dicomweb,
    groups,
    holds,
    identification,
    identities,
    incidents,
    integrity,
    interfaces,
    launch,
    messages,
    outbox,
    patient_days,
    patients,
    quality,
    reports,
    retention,
    saved_filters,
    slides,
    specimens,
    tiers,
    turnaround,
    work_orders,
)
from sgi.catalogue.case_history import Author
from sgi.catalogue.database import Database
from sgi.catalogue.launch import LaunchClient, SglLink
from sgi.catalogue.messages import MessageKeys, ToKeep
from sgi.catalogue.patient_assigners import assigned
from sgi.catalogue.reports import ReportRow
from sgi.domain.account import Role
from sgi.domain.arrival import FoundFile
from sgi.domain.assignment import AssignmentRule, To
from sgi.domain.case import Asset, AssetKind, WorkKind
from sgi.domain.forecast import Activity
from sgi.domain.identification import How
from sgi.domain.integrity import Damage, Finding, FoundBy, Place, Scrubbed, SideObject
from sgi.domain.interface import Direction, NoticeKind, Outcome
from sgi.domain.patient import Identifier, Identity, Traits
from sgi.domain.quality import DEFAULTS
from sgi.domain.retention import Ground, Person, RetentionRule
from sgi.domain.tier import Tier
from sgi.domain.tiers import TierPolicy
from sgi.domain.turnaround import TargetKind
from sgi.domain.worklist import Worklist
from sgi.stored.identity import StoredIdentity
from storage.memory import MemoryObjectStore

TABLES = (
    "account",
    "session",
    "arrival",
    "slide",
    "instance",
    "audit",
    "quality_limits",
    "tier_policy",
    "tier_move",
    "side_object",
    "incident",
    "scrub",
    "retention_rule",
    "legal_hold",
    "destruction",
    "forecast_activity",
    "capacity_change",
    "dicom_series",
    "dicom_instance",
    "patient",
    "patient_identifier",
    "patient_history",
    "patient_link",
    "patient_assigner",
    "patient_days",
    "retention_due",
    "pathologist_group",
    "group_member",
    "professional",
    "assignment_rule",
    "turnaround_target",
    "lab_case",
    "case_words",
    "specimen",
    "glass",
    "case_history",
    "work_order",
    "report",
    "saved_filter",
    "slide_code",
    "attachment",
    "slide_identity",
    "rejection_note",
    "identity_due",
    "launch_client",
    "launch_link",
    "sgl_link",
    "interface",
    "message",
    "outbox",
)

ACTIVITY = Activity(slides_per_day=1, working_days_per_year=1, mean_size_bytes=1)


@pytest.fixture(scope="module")
def here(make_establishment: Callable[[], Any]) -> Any:
    return make_establishment()


@pytest.fixture(scope="module")
def there(make_establishment: Callable[[], Any]) -> Any:
    return make_establishment()


@pytest.fixture(scope="module")
def full(run: Any, database: Database, there: Any, publish: Callable[..., Any]) -> dict[str, int]:
    """Rows of every table in another establishment, and how many."""
    publish(there, MemoryObjectStore())
    run(
        sign_in.sign_in(
            database,
            there.accounts[Role.TECHNICIAN],
            "correct horse battery staple",
            str(there.id),
            timedelta(hours=1),
        )
    )

    async def count() -> dict[str, int]:
        async with database.transaction(there.id) as connection:
            await quality.set_limits(connection, there.id, DEFAULTS)
            await capacity.set_activity(connection, there.id, ACTIVITY)
            (published,) = await slides.newest(connection, limit=1)
            await tiers.set_policy(connection, there.id, TierPolicy())
            await tiers.ask(connection, there.id, published.id, Tier.COLD, None)
            await integrity.set_side_objects(connection, published, [SideObject("x", 1, "00")])
            said: dict[str, Document] = {stored.sop_uid: {} for stored in published.instances}
            await dicomweb.add(connection, published, said)
            await integrity.count_read(connection, published, Scrubbed(1, 1, 1))
            found = Finding(Place.WARM, "x", Damage.BYTES, "x")
            await incidents.report(connection, there.id, published.id, found, FoundBy.SCRUB)
            await retention.set_rule(connection, there.id, RetentionRule(), "usual", "x")
            (slide,) = await slides.ids(connection)
            person = Person(uuid.uuid4(), "x", uuid.uuid4())
            until = datetime.now(UTC).date()
            await destructions.ask(connection, slide, until, Ground.TEST, "a test", person)
            await holds.place(connection, there.id, slide, "a lawsuit", "x")
            await merged(connection, there.id)
            await identified(connection, there.id, published)
            await launched(connection, there.id)
            await worked(connection, there)
            await told(connection, there.id)
            return {table: await rows(connection, table) for table in TABLES}

    counted: dict[str, int] = run(count())
    assert all(counted.values()), "a table has nothing to hide"
    return counted


async def identified(connection: Any, establishment_id: uuid.UUID, slide: Any) -> None:
    """A slide with a glass, told anew once."""
    cursor = await connection.execute(
        """insert into glass (establishment_id, identifier, said_at) values (%s, 'x', now())
           returning id""",
        [establishment_id],
    )
    glass_id = (await cursor.fetchone())["id"]
    await identification.set_codes(connection, establishment_id, slide.id, ["x"])
    await attachments.attach(connection, establishment_id, slide.id, glass_id, How.PERSON)
    now = datetime.now(UTC)
    stored = StoredIdentity(
        establishment_id=establishment_id,
        slide_id=slide.id,
        revision=1,
        made_at=now,
        glass_id=glass_id,
        patient_id=None,
        study_uid="1.2",
        series_uid="1.3",
        told=Told(),
    )
    await identities.add_note(
        connection, slide, identities.Note("1.4", "1.5", "1.2", 1, slide.id, now, b"x", {})
    )
    await connection.execute(
        """insert into slide_identity
               (slide_id, revision, establishment_id, study_uid, series_uid, made_at, identity)
           values (%s, 1, %s, '1.2', '1.3', %s, %s)""",
        [slide.id, establishment_id, now, stored.model_dump_json()],
    )


async def worked(connection: Any, establishment: Any) -> None:
    """A case with all that may be done with it."""
    now = datetime.now(UTC)
    case_id = await cases.ensure(connection, establishment.id, "y", now)
    block = Asset(AssetKind.BLOCK, "y", accession_number="y")
    await specimens.record_asset(connection, establishment.id, block, said_at=now, source="x")
    await work_orders.ask(connection, case_id, WorkKind.RECUT, "y", (), None, Author())
    await reports.attach_report(
        connection,
        establishment.id,
        ReportRow("y", None, "final", None, None, None, "text/plain", b"x"),
        said_at=now,
        source="x",
    )
    account_id = await accounts.add_account(
        connection, establishment.id, f"reader {uuid.uuid4()}", Role.PATHOLOGIST, "none"
    )
    await groups.set_group(connection, establishment.id, "x", [account_id])
    await groups.set_number(connection, establishment.id, account_id, "8000")
    rule = AssignmentRule(1, To(account_id=account_id))
    await assignments.set_rules(connection, establishment.id, [rule])
    await turnaround.set_targets(connection, establishment.id, {TargetKind.STAT: 1.0})
    await saved_filters.save(connection, establishment.id, account_id, "x", Worklist.MINE, "x")


async def told(connection: Any, establishment_id: uuid.UUID) -> None:
    """A message that came in, and a notice that waits to go out."""
    await interfaces.register(connection, establishment_id, "x", "mllp", 1, list(NoticeKind))
    raw = ToKeep("x", Direction.IN, b"x", MessageKeys(), Outcome.APPLIED)
    await messages.keep(connection, establishment_id, raw)
    case_id = await cases.ensure(connection, establishment_id, "x", datetime.now(UTC))
    await outbox.link(connection, establishment_id, case_id)


async def launched(connection: Any, establishment_id: uuid.UUID) -> None:
    """A system that was given a link, and the way back to it."""
    account_id = await accounts.add_account(
        connection, establishment_id, f"guest {uuid.uuid4()}", Role.GUEST, "none"
    )
    client_id = await launch.add_client(
        connection, establishment_id, account_id, "sgl", uuid.uuid4().bytes
    )
    client = LaunchClient(client_id, establishment_id, account_id, "sgl")
    case_id = await cases.ensure(connection, establishment_id, "x", datetime.now(UTC))
    await launch.add_link(connection, client, case_id, "", uuid.uuid4().bytes, timedelta(1))
    way_back = SglLink("sgl", "POST", "https://sgl.example/", "x")
    await launch.set_sgl_link(connection, establishment_id, way_back)


async def merged(connection: Any, establishment_id: uuid.UUID) -> None:
    """Two patients who are one."""
    kept = Identity((Identifier("1", "x"),), Traits("x"))
    when = {"said_at": datetime.now(UTC), "source": "x"}
    await patients.merge(connection, establishment_id, kept, Identifier("2", "x"), **when)
    await assigned(connection, establishment_id, [Identifier("1", "x", oid="1.2.3")])
    patient_id = await patients.named(connection, Identifier("1", "x"))
    assert patient_id
    today = datetime.now(UTC).date()
    await patient_days.hear(connection, establishment_id, patient_id, stay=today)
    await connection.execute(
        """insert into retention_due (establishment_id, slide_id)
           select establishment_id, id from slide"""
    )


async def rows(connection: Any, table: str) -> int:
    cursor = await connection.execute(f"select count(*) as n from {table}")
    return int((await cursor.fetchone())["n"])


def test_every_table_with_an_establishment_has_its_wall(url: str) -> None:
    with psycopg.connect(url) as connection:
        walled = connection.execute(
            """select relname from pg_class join pg_policy on polrelid = pg_class.oid
               where relrowsecurity"""
        ).fetchall()
        tenants = connection.execute(
            """select distinct table_name from information_schema.columns
               where table_schema = 'public' and column_name = 'establishment_id'
                 and table_name in (select tablename from pg_tables)"""
        ).fetchall()
        owned = connection.execute(
            """select count(*) from pg_class where relowner = 'sgi_app'::regrole"""
        ).fetchone()
        role = connection.execute(
            """select rolsuper or rolbypassrls or rolcreaterole or rolcanlogin from pg_roles
               where rolname = 'sgi_app'"""
        ).fetchone()
    assert {name for (name,) in tenants} == set(TABLES)
    assert {name for (name,) in walled} == {*TABLES, "establishment"}
    assert owned == (0,)
    assert role == (False,)


@pytest.mark.parametrize("table", [*TABLES, "establishment"])
def test_a_query_that_forgets_sees_nothing_of_others(
    run: Any, database: Database, here: Any, there: Any, full: dict[str, int], table: str
) -> None:
    async def look() -> None:
        column = "id" if table == "establishment" else "establishment_id"
        async with database.transaction(here.id) as connection:
            cursor = await connection.execute(f"select * from {table}")
            assert {row[column] for row in await cursor.fetchall()} <= {here.id}
            cursor = await connection.execute(
                f"select * from {table} where {column} = %s or true", [there.id]
            )
            assert there.id not in {row[column] for row in await cursor.fetchall()}
        async with database.anonymous() as connection:
            assert await rows(connection, table) == 0

    run(look())


@pytest.mark.parametrize("setting", ["", str(uuid.UUID(int=0))])
def test_no_establishment_or_one_that_is_none_sees_nothing(
    run: Any, database: Database, full: dict[str, int], setting: str
) -> None:
    async def look() -> None:
        async with database.anonymous() as connection:
            await connection.execute("select set_config('sgi.establishment', %s, true)", [setting])
            for table in TABLES:
                assert await rows(connection, table) == 0

    run(look())


def test_the_establishment_is_forgotten_with_the_transaction(
    run: Any, url: str, here: Any, there: Any, full: dict[str, int]
) -> None:
    async def look() -> None:
        async with Database(url, size=1) as one:  # a single connection, used again and again
            async with one.transaction(there.id) as connection:
                assert await rows(connection, "slide") == 1
            async with one.anonymous() as connection:
                assert await rows(connection, "slide") == 0
            with pytest.raises(RuntimeError):
                async with one.transaction(there.id) as connection:
                    raise RuntimeError
            async with one.anonymous() as connection:
                assert await rows(connection, "slide") == 0
            async with one.transaction(here.id) as connection:
                assert await rows(connection, "slide") == 0

    run(look())


INSERTS = {
    "account": "(establishment_id, name, role, password_hash) values (%s, 'x', 'pathologist', '')",
    "arrival": "(establishment_id, source_path, file_name, state, size_bytes, modified_ns)"
    " values (%s, '', '', 'waiting', 0, 0)",
    "audit": "(establishment_id, action) values (%s, 'sign_in')",
    "session": "(establishment_id, token_hash, account_id, csrf_token, expires_at)"
    " select %s, '', id, '', now() from account limit 1",
    "slide": "(establishment_id, id, arrival_id, file_name, study_uid, series_uid,"
    " source_sha256, source_size_bytes, facts)"
    " select %s, gen_random_uuid(), id, '', '', gen_random_uuid()::text, '', 0, '{}'"
    " from arrival limit 1",
    "instance": "(establishment_id, sop_uid, slide_id, role, columns, rows, tile_columns,"
    " tile_rows, downsample, transfer_syntax, photometric, origin, size_bytes, sha256, frames)"
    " select %s, gen_random_uuid()::text, id, '', 1, 1, 1, 1, 1, '', '', '', 0, '', 1 from slide"
    " limit 1",
    "dicom_series": "(establishment_id, slide_id, study_uid, series_uid, published_at, document,"
    " folded) values (%s, gen_random_uuid(), '', '', now(), '{}', '{}')",
    "dicom_instance": "(establishment_id, sop_uid, told_uid, slide_id, number, document)"
    " values (%s, '', '', gen_random_uuid(), 1, '{}')",
    "pathologist_group": "(establishment_id, name) values (%s, 'y')",
    "group_member": "(establishment_id, group_id, account_id)"
    " select %s, g.id, a.id from pathologist_group g, account a order by a.created_at limit 1",
    "professional": "(establishment_id, number, account_id)"
    " select %s, '9', id from account order by created_at limit 1",
    "assignment_rule": "(establishment_id, position, account_id)"
    " select %s, 7, id from account limit 1",
    "turnaround_target": "values (%s, 'R', 1)",
    "lab_case": "(establishment_id, accession_number, study_uid, said_at)"
    " values (%s, 'z', gen_random_uuid()::text, now())",
    "case_words": "(establishment_id, case_id, received_at, words)"
    " values (%s, gen_random_uuid(), now(), '')",
    "specimen": "(establishment_id, kind, identifier, said_at) values (%s, 'part', 'z', now())",
    "glass": "(establishment_id, identifier, said_at) values (%s, 'z', now())",
    "case_history": "(establishment_id, case_id, kind) select %s, id, 'state' from lab_case"
    " limit 1",
    "work_order": "(establishment_id, case_id, kind, parent_identifier, placer_number,"
    " temporary_id) select %s, id, 'recut', '', 'z', 'z' from lab_case limit 1",
    "report": "(establishment_id, status, media_type, content, sha256, said_at)"
    " values (%s, 'final', '', '', '', now())",
    "saved_filter": "(establishment_id, account_id, name, filter)"
    " select %s, id, 'z', '{}' from account limit 1",
    "slide_code": "(establishment_id, slide_id, code) select %s, id, 'y' from slide limit 1",
    "attachment": "(establishment_id, slide_id, glass_id, how, undone_at, undo_reason)"
    " select %s, slide_id, glass_id, 'person', now(), 'y' from attachment limit 1",
    "slide_identity": "(establishment_id, slide_id, revision, study_uid, series_uid, made_at,"
    " identity) select %s, id, 7, '', '', now(), '{}' from slide limit 1",
    "rejection_note": "(establishment_id, slide_id, revision, sop_uid, study_uid, series_uid,"
    " made_at, file) select %s, id, 7, 'y', '', '', now(), '' from slide limit 1",
    "identity_due": "(establishment_id, slide_id) select %s, id from slide limit 1",
    "launch_client": "(establishment_id, account_id, name, token_hash)"
    " select %s, account_id, 'y', '' from launch_client limit 1",
    "launch_link": "(establishment_id, client_id, case_id, person, token_hash, expires_at)"
    " select %s, client_id, case_id, '', '', now() from launch_link limit 1",
    "interface": "(establishment_id, name, kind) values (%s, 'y', 'mllp')",
    "message": "(establishment_id, interface, direction, raw, raw_sha256, outcome)"
    " values (%s, 'y', 'in', '', '', 'applied')",
    "outbox": "(establishment_id, interface, kind, case_id)"
    " values (%s, 'y', 'ORU', gen_random_uuid())",
    "sgl_link": "(establishment_id, name, method, url) values (%s, 'y', 'GET', '')",
    "patient": "(establishment_id) values (%s)",
    "patient_identifier": "(establishment_id, patient_id, kind, assigner, value)"
    " select %s, id, 'PI', 'x', gen_random_uuid()::text from patient limit 1",
    "patient_history": "(establishment_id, patient_id, identifier_id, by_order, said, said_sha256,"
    " first_said_at, first_source, last_said_at, last_source)"
    " select %s, patient_id, id, true, '{}', '', now(), '', now(), '' from patient_identifier"
    " limit 1",
    "patient_link": "(establishment_id, kind, one, other, said_at, source)"
    " select %s, 'link', one, other, now(), '' from patient_link limit 1",
    "patient_assigner": "values (%s, gen_random_uuid()::text, '', '')",
    "patient_days": "(establishment_id, patient_id) select %s, id from patient offset 1 limit 1",
    "retention_due": "(establishment_id, slide_id) select %s, id from slide limit 1",
    "quality_limits": "(establishment_id, limits) values (%s, '{}')",
    "tier_policy": "(establishment_id, policy) values (%s, '{}')",
    "tier_move": "(establishment_id, slide_id, target) select %s, id, 'warm' from slide limit 1",
    "forecast_activity": "(establishment_id, activity) values (%s, '{}')",
    "capacity_change": "values (%s, '2026-11-01', 'warm', 1, 1, 1)",
    "side_object": "(establishment_id, slide_id, name, size_bytes, sha256)"
    " select %s, id, 'y', 1, '' from slide limit 1",
    "incident": "(establishment_id, place, object_key, kind, found_by, detail)"
    " values (%s, 'warm', 'y', 'bytes', 'scrub', 'y')",
    "scrub": "(establishment_id) values (%s)",
    "retention_rule": "(establishment_id, years, wait, reason, changed_by)"
    " values (%s, 20, interval '1 day', 'x', 'x')",
    "legal_hold": "(establishment_id, slide_id, reason, placed_by)"
    " values (%s, gen_random_uuid(), 'x', 'x')",
    "destruction": "(establishment_id, slide_id, arrival_id, scene, source_sha256,"
    " source_size_bytes, study_uid, series_uid, published_at, kept_until, state, ground, reason,"
    " asked_by, asked_name, asked_session)"
    " select %s, gen_random_uuid(), id, 0, '', 0, '', '', now(), now(), 'asked', 'test', 'x',"
    " id, '', id from arrival limit 1",
}


@pytest.mark.parametrize("table", TABLES)
def test_nothing_can_be_put_into_another_establishment(
    run: Any, database: Database, here: Any, there: Any, full: dict[str, int], table: str
) -> None:
    async def put() -> None:
        # From inside the very establishment that has rows to refer to, so that only the wall
        # can refuse.
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            async with database.transaction(there.id) as connection:
                await connection.execute(f"insert into {table} {INSERTS[table]}", [here.id])

    run(put())


@pytest.mark.parametrize("table", TABLES)
def test_nothing_of_another_establishment_can_be_changed(
    run: Any, database: Database, here: Any, there: Any, full: dict[str, int], table: str
) -> None:
    async def change(statement: str) -> int:
        try:
            async with database.transaction(here.id) as connection:
                cursor = await connection.execute(statement)
                return cursor.rowcount
        except psycopg.errors.InsufficientPrivilege:
            return 0

    async def still_there() -> int:
        async with database.transaction(there.id) as connection:
            return await rows(connection, table)

    mine = f"establishment_id = '{here.id}'"
    assert run(change(f"update {table} set {mine} where not {mine}")) == 0
    assert run(change(f"delete from {table} where not {mine}")) == 0
    assert run(still_there()) == full[table]


def test_a_row_cannot_be_given_away(
    run: Any, database: Database, here: Any, there: Any, full: dict[str, int]
) -> None:
    async def give() -> None:
        for table in ("arrival", "account", "session"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                async with database.transaction(there.id) as connection:
                    await connection.execute(f"update {table} set establishment_id = %s", [here.id])

    run(give())


@pytest.mark.parametrize("table", ["audit", "slide", "instance"])
@pytest.mark.parametrize("verb", ["update {} set establishment_id = null", "delete from {}"])
def test_what_is_on_record_stays_as_it_is(
    run: Any, database: Database, there: Any, full: dict[str, int], table: str, verb: str
) -> None:
    async def change() -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            async with database.transaction(there.id) as connection:
                await connection.execute(verb.format(table))

    run(change())


@pytest.mark.parametrize(
    "statement",
    [
        "truncate audit",
        "drop table audit",
        "select * from sign_in_failure",
        "delete from sign_in_failure",
        "insert into establishment (name) values ('mine')",
        "alter table arrival disable row level security",
        "update alembic_version set version_num = '0'",
    ],
)
def test_the_application_owns_nothing(
    run: Any, database: Database, here: Any, statement: str
) -> None:
    async def execute() -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with database.transaction(here.id) as connection:
                await connection.execute(statement)

    run(execute())


def test_the_door_functions_give_no_more_than_is_asked(url: str) -> None:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            """select proname from pg_proc where prosecdef
               and pronamespace = 'public'::regnamespace"""
        ).fetchall()
        assert {name for (name,) in found} == {
            "establishments",
            "account_named",
            "session_of",
            "sign_in_failures",
            "record_sign_in_failure",
            "forget_sign_in_failures",
            "begin_destruction",
            "establishment_of_slide",
            "slides_known",
            "integrity_figures",
            "incident_figures",
            "arrival_figures",
            "job_figures",
            "original_in_use",
            "hold_comes_in_time",
            "open_cases_found",
            "closed_cases_found",
            "launch_client_of",
            "take_launch_link",
            "message_figures",
            "outbox_figures",
            "identity_figures",
        }
        for (name,) in found:
            row = connection.execute(
                "select proconfig, proacl::text from pg_proc where proname = %s", [name]
            ).fetchone()
            assert row
            assert "search_path=public, pg_temp" in row[0], name
            assert "{=X" not in row[1], f"anyone may call {name}"
            assert ",=X" not in row[1], f"anyone may call {name}"


def test_others_are_not_found_by_their_ids(
    run: Any, database: Database, here: Any, there: Any, full: dict[str, int]
) -> None:
    async def look() -> None:
        async with database.transaction(there.id) as connection:
            (arrival,) = await arrivals.newest(connection, 10)
            (slide,) = await slides.newest(connection, limit=10)
        async with database.transaction(here.id) as connection:
            assert await slides.by_id(connection, slide.id) is None
            assert await slides.ids(connection) == []
            assert await slides.newest(connection, limit=10) == []
            assert await arrivals.by_id(connection, arrival.id) is None
            assert await arrivals.newest(connection, 10) == []
            assert await arrivals.known(connection, Path("/"), [arrival.source_path]) == {}
            assert await arrivals.owned_files(connection) == set()
            assert await arrivals.latest_at(connection, arrival.source_path) is None
            assert arrival.sha256
            assert await arrivals.content_in_use(connection, arrival.sha256) is None
            assert await arrivals.unreleased(connection) == []
            assert not await accounts.session_lives(connection, uuid.uuid4())
            await arrivals.mark_released(connection, arrival.id)
        async with database.transaction(there.id) as connection:
            found = await arrivals.by_id(connection, arrival.id)
            assert found == arrival

    run(look())


def test_the_same_content_is_a_slide_in_each_establishment(
    run: Any,
    database: Database,
    make_establishment: Any,
    arrive: Callable[..., Any],
) -> None:
    content = os.urandom(32)
    parts = [FoundFile(Path("/drop/a.svs"), 1, 1)]
    here, there = make_establishment(), make_establishment()

    async def queue(establishment: Any, arrival: Any) -> bool:
        async with database.transaction(establishment.id) as connection:
            return await arrivals.queue(connection, arrival.id, parts, content)

    assert run(queue(here, arrive(here)))
    assert run(queue(there, arrive(there)))
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(queue(here, arrive(here)))
