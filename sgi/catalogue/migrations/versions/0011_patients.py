"""Patients: whom each identifier names, who leads to whom, and everything ever said of them."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "patient",
    "patient_identifier",
    "patient_history",
    "patient_link",
    "patient_assigner",
)


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    op.execute(FUNCTIONS)
    for table in TENANT_TABLES:
        op.execute(WALL.format(table=table))


# What a row of `patient` shows is made of `patient_history` and `patient_link`, which are never
# taken back: whatever order messages come in, the same is made of them.
SCHEMA = """
create sequence patient_rank;  -- the order in which things were heard

create table patient (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    birth_name text,
    first_given_name text,
    given_names text,
    used_name text,
    used_given_name text,
    sex text,
    birth_date date,
    birth_place text,
    died boolean,
    status text,
    attributes text[] not null default '{}',
    ins_value text,
    ins_oid text,
    -- Always the living patient itself, however many merges lead there; null: this one lives.
    merged_into uuid references patient,
    dmp jsonb,  -- whether the shared record may be fed and read
    said_at timestamptz,  -- of the newest that changed anything; null: it was only named
    created_at timestamptz not null default now(),
    check ((ins_value is null) = (ins_oid is null)),
    check (merged_into <> id)
);
create index patient_merged on patient (merged_into) where merged_into is not null;
create index patient_born on patient (establishment_id, birth_date);
create index patient_ins on patient (establishment_id, ins_value) where ins_value is not null;

-- Whom an identifier names. It stays with its row for ever; the row leads to the living patient.
create table patient_identifier (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    patient_id uuid not null references patient,
    kind text not null check (kind in ('PI', 'INS')),
    assigner text not null check (length(assigner) <= 250),
    value text not null check (value <> '' and length(value) <= 250),
    retired_at timestamptz,  -- merged away, or changed for another
    created_at timestamptz not null default clock_timestamp(),
    unique (establishment_id, kind, assigner, value)
);
create index patient_identifier_patient on patient_identifier (patient_id);
create index patient_identifier_value on patient_identifier (establishment_id, value);

-- One row for each thing said of whoever an identifier names: of what is said again, the first
-- and the last time.
create table patient_history (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    patient_id uuid not null references patient,
    identifier_id uuid not null references patient_identifier,
    by_order boolean not null,  -- went with an order: the administration did not say it
    said jsonb not null,
    said_sha256 bytea not null,
    first_said_at timestamptz not null,
    first_source text not null,
    last_said_at timestamptz not null,
    last_source text not null,
    rank bigint not null default nextval('patient_rank'),
    received_at timestamptz not null default now(),
    unique (identifier_id, by_order, said_sha256)
);
create index patient_history_patient on patient_history (patient_id);

-- Merges (`one` leads to `other`), changes of identifier (likewise), and links between two who
-- stay two, each with the moment since which it is so.
create table patient_link (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    kind text not null check (kind in ('merge', 'change', 'link', 'unlink')),
    one uuid not null references patient,
    other uuid not null references patient,
    -- What is not used any more; of a link, nothing.
    gone uuid references patient_identifier,
    said_at timestamptz not null,
    source text not null,
    rank bigint not null default nextval('patient_rank'),
    received_at timestamptz not null default now(),
    check ((gone is not null) = (kind in ('merge', 'change'))),
    unique nulls not distinct (one, other, kind, gone, said_at)
);
create index patient_link_other on patient_link (other);

-- Which universal ids (CX-4.2) came with which namespaces (CX-4.1), and how the two are called in
-- `patient_identifier`: one universal id has one name, whatever it came with.
create table patient_assigner (
    establishment_id uuid not null references establishment,
    oid text not null check (oid <> '' and length(oid) <= 250),
    namespace text not null check (length(namespace) <= 250),
    assigner text not null check (length(assigner) <= 250),
    primary key (establishment_id, oid, namespace)
);
create index patient_assigner_namespace on patient_assigner (establishment_id, namespace);

grant usage on sequence patient_rank to sgi_app;
grant select, insert, update on patient, patient_identifier, patient_history to sgi_app;
grant select, insert on patient_link, patient_assigner to sgi_app;
"""

# Each is one question instead of several: every message of the laboratory's asks them.
FUNCTIONS = """
-- The row of an identifier; whom nobody knew is made. Two who make the same one take turns.
create function identifier_made(
        establishment uuid, its_kind text, its_assigner text, its_value text)
    returns setof patient_identifier language plpgsql as $$
declare
    made uuid;
begin
    return query select * from patient_identifier
        where kind = its_kind and assigner = its_assigner and value = its_value;
    if found then return; end if;
    perform pg_advisory_xact_lock(
        hashtextextended(concat_ws(' ', establishment, its_kind, its_assigner, its_value), 11));
    return query select * from patient_identifier
        where kind = its_kind and assigner = its_assigner and value = its_value;
    if found then return; end if;
    insert into patient (establishment_id) values (establishment) returning id into made;
    return query insert into patient_identifier
            (establishment_id, patient_id, kind, assigner, value)
        values (establishment, made, its_kind, its_assigner, its_value) returning *;
end $$;

-- All records that merges and changes of identifier join to these, in either direction.
create function kin_of_patients(wanted uuid[]) returns setof uuid language sql stable as $$
    with recursive kin(id) as (
        select unnest(wanted)
        union
        select joined.id from kin, lateral (
            select other as id from patient_link
                where one = kin.id and kind in ('merge', 'change')
            union all
            select one from patient_link
                where other = kin.id and kind in ('merge', 'change')) joined)
    select id from kin
$$;

-- The same, locked: whoever adds something meanwhile waits, and those who did are waited for.
-- Planned once, and not anew for each array.
create function locked_kin_of_patients(wanted uuid[])
    returns setof patient language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    known uuid[] := array(select kin_of_patients(wanted));
    now_known uuid[];
begin
    loop
        perform from patient where id = any(known) order by id for no key update;
        now_known := array(select kin_of_patients(known));
        exit when now_known <@ known;
        known := now_known;
    end loop;
    return query select * from patient where id = any(known);
end $$;
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""
