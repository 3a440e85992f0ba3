"""Tiers: where each instance lies, the policies that move it, and restores that were asked for."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    for table in ("tier_policy", "tier_move"):
        op.execute(WALL.format(table=table))


SCHEMA = """
alter table instance
    add column tier text not null default 'warm' check (tier in ('warm', 'cold', 'restoring')),
    add column cold_size_bytes bigint,  -- of the packed copy; null where there is none
    add column cold_sha256 bytea,  -- of the packed copy; null where it is not known
    -- Since when it is cold with its warm object still to be deleted.
    add column warm_left_at timestamptz check (warm_left_at is null or tier = 'cold'),
    add check (tier = 'warm' or cold_size_bytes is not null);
create index instance_warm_left on instance (establishment_id) where warm_left_at is not null;

create table tier_policy (
    establishment_id uuid primary key references establishment,
    policy jsonb not null,
    updated_at timestamptz not null default now()
);

create table tier_move (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    slide_id uuid not null references slide on delete cascade,
    target text not null check (target in ('warm', 'cold')),
    state text not null default 'waiting'
        check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
    asked_by uuid,  -- null: the policy
    asked_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz,
    expected_at timestamptz,
    progress double precision not null default 0 check (progress between 0 and 1),
    attempts integer not null default 0,
    reason text,
    check ((ended_at is null) = (state in ('waiting', 'running')))
);
create unique index tier_move_open on tier_move (slide_id) where ended_at is null;
create index tier_move_slide on tier_move (slide_id, asked_at desc);
create index tier_move_asked on tier_move (establishment_id, asked_at desc);

create function slide_moved() returns trigger language plpgsql as $$
begin
    perform pg_notify('sgi_tier', new.establishment_id || ' ' || new.slide_id);
    return null;
end $$;
create trigger slide_moved after update of tier on instance
    for each row when (old.tier is distinct from new.tier) execute function slide_moved();

create function slide_move_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('sgi_move', new.establishment_id || ' ' || new.slide_id);
    return null;
end $$;
create trigger slide_move_changed after insert or update on tier_move
    for each row execute function slide_move_changed();

grant update (tier, cold_size_bytes, cold_sha256, warm_left_at) on instance to sgi_app;
grant select, insert, update on tier_move, tier_policy to sgi_app;
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""
