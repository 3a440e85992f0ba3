"""Messages as they came and went, what waits to be told, and the interfaces they go through."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    for table in ("interface", "message", "outbox"):
        op.execute(WALL.format(table=table))
    op.execute(FIGURES)
    op.execute(GRANTS)


SCHEMA = """
create table interface (
    establishment_id uuid not null references establishment,
    name text not null,
    kind text not null check (kind in ('mllp', 'files')),
    port integer,  -- where it listens; null for files
    sends text[] not null default '{}',  -- the notices it wants; none without an address
    seen_at timestamptz not null default now(),  -- when its process last gave a sign of life
    primary key (establishment_id, name)
);

create table message (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    interface text not null,
    direction text not null check (direction in ('in', 'out')),
    received_at timestamptz not null default clock_timestamp(),  -- of one of ours: first sent
    said_at timestamptz,
    control_id text not null default '',
    sender text not null default '',
    type text not null default '',
    code text generated always as (split_part(type, '^', 1)) stored,  -- such as ADT
    raw bytea not null,
    raw_sha256 bytea not null,
    outcome text not null
        check (outcome in ('applied', 'unchanged', 'refused', 'sent', 'accepted')),
    answer bytea,
    error text,  -- names fields and rules, never what a field holds
    changes jsonb not null default '[]',
    accession_number text,
    patient_id uuid,
    replay_of uuid references message,
    reuses_control_id boolean not null default false,  -- of an earlier one with other content
    repeats integer not null default 0,  -- how often it came again
    repeated_at timestamptz
);
-- The same bytes are the same message, control id and sender included: it is read once.
create unique index message_once on message (establishment_id, interface, raw_sha256)
    where direction = 'in' and replay_of is null;
create index message_newest on message (establishment_id, received_at desc, id desc);
create index message_interface on message (establishment_id, interface, direction, received_at desc)
    include (outcome);
create index message_refused on message (establishment_id, interface, received_at desc)
    where outcome = 'refused';
create index message_control on message (establishment_id, control_id);
create index message_type on message (establishment_id, type, received_at desc, id desc);
create index message_code on message (establishment_id, code, received_at desc, id desc);
create index message_accession on message (establishment_id, accession_number, received_at desc)
    where accession_number is not null;
create index message_patient on message (establishment_id, patient_id, received_at desc)
    where patient_id is not null;
create index message_replay on message (replay_of) where replay_of is not null;

create table outbox (
    id uuid primary key default gen_random_uuid(),
    number bigint generated always as identity unique,  -- the order in which they were put
    establishment_id uuid not null references establishment,
    interface text not null,
    kind text not null check (kind in ('LAB-104', 'LAB-101', 'LAB-102', 'ORU')),
    case_id uuid,  -- those of one case are sent one after the other
    case_state text,  -- of LAB-101
    glass_id uuid,  -- of LAB-104, with the next two
    slide_id uuid,
    is_available boolean,  -- false: not the glass's image any more
    work_order_id uuid,  -- of LAB-102
    created_at timestamptz not null default now(),
    next_try_at timestamptz not null default now(),
    attempts integer not null default 0,
    state text not null default 'waiting'
        check (state in ('waiting', 'sent', 'accepted', 'refused', 'dead', 'given_up')),
    control_id text,  -- the same at every try, until a person asks anew
    message_id uuid references message,
    last_error text,
    ended_at timestamptz,
    check (kind not in ('LAB-101', 'ORU') or case_id is not null),
    check ((kind = 'LAB-101') = (case_state is not null)),
    check ((kind = 'LAB-102') = (work_order_id is not null)),
    check (case when kind = 'LAB-104' then (glass_id, slide_id, is_available) is not null
        else (glass_id, slide_id, is_available) is null end)
);
create index outbox_open on outbox (establishment_id, interface, number)
    where state in ('waiting', 'sent');
create index outbox_case on outbox (establishment_id, case_id, number)
    where state in ('waiting', 'sent');
create index outbox_stopped on outbox (establishment_id, interface, number)
    where state in ('refused', 'dead');
create index outbox_glass on outbox (establishment_id, glass_id, number)
    where state in ('waiting', 'sent') and glass_id is not null;
create index outbox_control on outbox (establishment_id, control_id)
    where control_id is not null;
create index outbox_message on outbox (message_id) where message_id is not null;

create function outbox_put() returns trigger language plpgsql as $$
begin
    perform pg_notify('sgi_outbox', '');
    return null;
end $$;
create trigger outbox_put after insert on outbox
    for each statement execute function outbox_put();
"""

# For a monitor: numbers alone, of all establishments.
FIGURES = """
create function message_figures()
    returns table (direction text, outcome text, messages bigint)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select m.direction, m.outcome, count(*)
          from interface i join message m
            on m.establishment_id = i.establishment_id and m.interface = i.name
          where m.direction in ('in', 'out') and m.received_at > now() - interval '1 day'
          group by m.direction, m.outcome $$;

create function outbox_figures()
    returns table (state text, notices bigint, oldest_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select state, count(*), min(created_at) from outbox
          where state in ('waiting', 'sent', 'refused', 'dead') group by state $$;
"""

GRANTS = """
revoke all on function message_figures, outbox_figures from public;
grant execute on function message_figures, outbox_figures to sgi_app;
grant select, insert, update, delete on interface to sgi_app;
grant select, insert on message to sgi_app;
grant update (outcome, answer, error, repeats, repeated_at) on message to sgi_app;
grant select, insert, update on outbox to sgi_app;
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""
