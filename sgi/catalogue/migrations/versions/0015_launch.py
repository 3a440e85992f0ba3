"""Ways between the laboratory's system and us: links that open one case once, and the way back.

A session of such a link belongs to the account that was made for the system, and to one case.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = ("launch_client", "launch_link", "sgl_link")


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    for table in TABLES:
        op.execute(WALL.format(table=table))
    op.execute(FUNCTIONS)
    op.execute(GRANTS)


SCHEMA = """
-- A system that may ask for links; its account is a guest's, and has no password.
create table launch_client (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    account_id uuid not null unique references account,
    name text not null,
    token_hash bytea not null unique,
    created_at timestamptz not null default now(),
    disabled_at timestamptz
);
create unique index launch_client_name on launch_client (establishment_id, name)
    where disabled_at is null;

-- Kept for ever: who opened what by whom is on record here.
create table launch_link (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    client_id uuid not null references launch_client,
    case_id uuid not null references lab_case,
    person text not null,  -- as the system names them; empty where it does not
    token_hash bytea not null unique,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    used_from text,
    session_id uuid
);
create index launch_link_waiting on launch_link (client_id, expires_at) where used_at is null;

create table sgl_link (
    establishment_id uuid not null references establishment,
    name text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    method text not null check (method in ('GET', 'POST')),
    url text not null,
    field text not null default '',  -- of a form: where the accession number goes
    changed_at timestamptz not null default now(),
    primary key (establishment_id, name),
    check ((method = 'POST') = (field <> ''))
);

alter table session
    add case_id uuid references lab_case,  -- all that the session may see
    add guest_name text,
    add constraint session_guest check ((case_id is null) = (guest_name is null));
"""

# Before the establishment is known, as in the first migration.
FUNCTIONS = """
drop function session_of(bytea);
create function session_of(token bytea)
    returns table (id uuid, account_id uuid, account_name text, role text,
                   establishment_id uuid, establishment_name text, csrf_token text,
                   expires_at timestamptz, case_id uuid)
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select s.id, a.id, coalesce(s.guest_name, a.name), a.role, e.id, e.name, s.csrf_token,
            s.expires_at, s.case_id
        from session s
        join account a on a.id = s.account_id and a.disabled_at is null
        join establishment e on e.id = s.establishment_id
        where s.token_hash = token and s.expires_at > now()
          -- Nobody is a guest of all there is, and no guest's account is anybody else's.
          and (s.case_id is not null) = (a.role = 'guest')
    $$;

create function launch_client_of(token bytea)
    returns table (id uuid, establishment_id uuid, account_id uuid, name text)
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select c.id, c.establishment_id, c.account_id, c.name
        from launch_client c join account a on a.id = c.account_id and a.disabled_at is null
        where c.token_hash = token and c.disabled_at is null
    $$;

-- Whoever comes first has it: `taken` for one alone, and never after its time.
create function take_launch_link(token bytea, from_address text)
    returns table (id uuid, establishment_id uuid, account_id uuid, case_id uuid, person text,
                   client_name text, taken boolean)
    language sql volatile security definer set search_path = public, pg_temp
    as $$
        with mine as (
            select l.id, l.establishment_id, c.account_id, l.case_id, l.person, c.name
            from launch_link l
            join launch_client c on c.id = l.client_id and c.disabled_at is null
            join account a on a.id = c.account_id and a.disabled_at is null
            where l.token_hash = token),
        took as (
            update launch_link l set used_at = now(), used_from = from_address
            from mine where l.id = mine.id and l.used_at is null and l.expires_at > now()
            returning l.id)
        select mine.id, mine.establishment_id, mine.account_id, mine.case_id, mine.person,
            mine.name, exists (select from took)
        from mine
    $$;
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""

GRANTS = """
revoke all on function session_of, launch_client_of, take_launch_link from public;
grant execute on function session_of, launch_client_of, take_launch_link to sgi_app;
grant select, insert on launch_client, launch_link to sgi_app;
grant update (disabled_at) on launch_client to sgi_app;
grant update (session_id) on launch_link to sgi_app;
grant select, insert, update, delete on sgl_link to sgi_app;
"""
