"""Accounts, arrivals, slides, audit, and the walls between establishments."""

from typing import Any

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = ("account", "session", "arrival", "slide", "instance", "audit")


def upgrade() -> None:
    """Apply."""
    connection: Any = op.get_bind().connection.driver_connection
    with connection.cursor() as cursor:
        for statement in (SCHEMA, SchemaManager.get_schema(), FUNCTIONS, NOTIFICATIONS):
            cursor.execute(statement)
        for table in TENANT_TABLES:
            cursor.execute(WALL.format(table=table))
        cursor.execute(GRANTS)


SCHEMA = """
create table establishment (
    id uuid primary key default gen_random_uuid(),
    name text not null unique,
    created_at timestamptz not null default now()
);

create table account (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    name text not null,
    role text not null,
    password_hash text not null,
    created_at timestamptz not null default now(),
    disabled_at timestamptz
);
create unique index account_name on account (lower(name));

create table session (
    id uuid primary key default gen_random_uuid(),
    token_hash bytea not null unique,
    account_id uuid not null references account on delete cascade,
    establishment_id uuid not null references establishment,
    csrf_token text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);

create table sign_in_failure (
    name_hash bytea not null,
    address text not null,
    at timestamptz not null default now()
);
create index sign_in_failure_at on sign_in_failure (at);

create table arrival (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    source_path bytea not null,
    file_name text not null,
    state text not null,
    progress real not null default 0,
    reason_code text,
    reason_detail text,
    size_bytes bigint not null,
    modified_ns bigint not null,
    sha256 bytea,
    slide_id uuid not null unique default gen_random_uuid(),
    attempts integer not null default 0,
    seen_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    published_at timestamptz,
    released boolean not null default false,
    -- Its files as they were when they were hashed: three arrays of one length, since names
    -- need not be text.
    part_paths bytea[] not null default '{}',
    part_sizes bigint[] not null default '{}',
    part_times bigint[] not null default '{}'
);
create index arrival_seen on arrival (establishment_id, seen_at desc, id);
create index arrival_path on arrival (establishment_id, source_path, seen_at desc, id);
-- What is asked every few seconds must not become slower with every slide that was ever made.
create index arrival_in_work on arrival (establishment_id)
    where state in ('queued', 'converting', 'verifying', 'retrying');
create index arrival_unreleased on arrival (establishment_id)
    where state in ('published', 'duplicate') and not released;
create index arrival_live_seen on arrival (establishment_id, seen_at desc, id)
    where state not in ('published', 'duplicate', 'vanished');
-- One live arrival a path: a file seen twice is one row.
create unique index arrival_live on arrival (establishment_id, source_path)
    where state not in ('published', 'duplicate', 'vanished');
-- One arrival in work or published a content: a second drop is a no-op.
create unique index arrival_content on arrival (establishment_id, sha256)
    where state in ('queued', 'converting', 'verifying', 'retrying', 'published');

create table slide (
    id uuid primary key,
    establishment_id uuid not null references establishment,
    arrival_id uuid not null unique references arrival,
    file_name text not null,
    format text not null,
    study_uid text not null,
    series_uid text not null unique,
    source_sha256 bytea not null,
    source_size_bytes bigint not null,
    published_at timestamptz not null default now(),
    scanned_at text,  -- ISO 8601: with an offset only where the scanner gave one
    pixel_spacing_mm double precision[],
    objective_power double precision,
    manufacturer text,
    model text,
    serial_number text,
    icc boolean not null,
    metadata jsonb not null,
    unique (establishment_id, source_sha256)
);
create index slide_published on slide (establishment_id, published_at desc, id desc);

create table instance (
    sop_uid text primary key,
    slide_id uuid not null references slide on delete cascade,
    establishment_id uuid not null references establishment,
    role text not null,
    level integer,
    columns integer not null,
    rows integer not null,
    tile_columns integer not null,
    tile_rows integer not null,
    downsample double precision not null,
    transfer_syntax text not null,
    origin text not null,
    size_bytes bigint not null,
    sha256 bytea not null,
    frames integer not null,
    unique (slide_id, role, level)
);

create table audit (
    id bigint generated always as identity primary key,
    establishment_id uuid not null references establishment,
    at timestamptz not null default now(),
    account_id uuid,
    session_id uuid,
    action text not null,
    object_id uuid,
    outcome text not null default 'success',
    address text
);
create index audit_at on audit (establishment_id, at desc);
create index audit_object on audit (object_id, at desc);
"""

# The few questions that must be answered before the establishment is known. They run as the
# owner, give no more than is asked, and are the only way round the walls.
FUNCTIONS = """
create function establishments() returns setof establishment
    language sql stable security definer set search_path = public, pg_temp
    as $$ select * from establishment order by created_at, id $$;

create function account_named(wanted text) returns setof account
    language sql stable security definer set search_path = public, pg_temp
    as $$ select * from account where lower(name) = lower(wanted) and disabled_at is null $$;

create function session_of(token bytea)
    returns table (id uuid, account_id uuid, account_name text, role text,
                   establishment_id uuid, establishment_name text, csrf_token text,
                   expires_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select s.id, a.id, a.name, a.role, e.id, e.name, s.csrf_token, s.expires_at
        from session s
        join account a on a.id = s.account_id and a.disabled_at is null
        join establishment e on e.id = s.establishment_id
        where s.token_hash = token and s.expires_at > now()
    $$;

create function sign_in_failures(wanted bytea, from_address text, since interval)
    returns table (of_pair bigint, of_address bigint, of_name bigint)
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select count(*) filter (where name_hash = wanted and address = from_address),
               count(*) filter (where address = from_address),
               count(*) filter (where name_hash = wanted)
        from sign_in_failure where at > now() - since
    $$;

create function record_sign_in_failure(wanted bytea, from_address text) returns void
    language sql security definer set search_path = public, pg_temp
    as $$
        delete from sign_in_failure where at < now() - interval '1 day';
        insert into sign_in_failure (name_hash, address) values (wanted, from_address);
    $$;

create function forget_sign_in_failures(wanted bytea, from_address text) returns void
    language sql security definer set search_path = public, pg_temp
    as $$ delete from sign_in_failure where name_hash = wanted and address = from_address $$;
"""

NOTIFICATIONS = """
create function arrival_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('sgi_arrival', new.establishment_id || ' ' || new.id);
    return null;
end $$;
create trigger arrival_changed after insert or update on arrival
    for each row execute function arrival_changed();

create function session_ended() returns trigger language plpgsql as $$
begin
    perform pg_notify('sgi_session', old.id::text);
    return null;
end $$;
create trigger session_ended after delete on session
    for each row execute function session_ended();
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""

# The role that every request, job and watcher works as; it owns nothing, so that row-level
# security holds for it whoever logged in. Audit rows are written and read, never changed.
GRANTS = """
do $$ begin
    if not exists (select from pg_roles where rolname = 'sgi_app') then
        create role sgi_app nologin;
    end if;
    if not pg_has_role(current_user, 'sgi_app', 'set') then
        execute format('grant sgi_app to %I', current_user);
    end if;
end $$;
revoke all on function establishments, account_named, session_of, sign_in_failures,
    record_sign_in_failure, forget_sign_in_failures from public;
grant usage on schema public to sgi_app;
grant select on establishment to sgi_app;
grant select, insert, update, delete on account, session to sgi_app;
grant select, insert, update on arrival to sgi_app;
grant select, insert on slide, instance, audit to sgi_app;
grant execute on all functions in schema public to sgi_app;
grant select, insert, update, delete on procrastinate_jobs, procrastinate_events to sgi_app;
grant usage on all sequences in schema public to sgi_app;
alter table establishment enable row level security;
create policy own_establishment on establishment
    using (id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""
