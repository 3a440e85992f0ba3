"""Integrity: what each object must be, when a slide was last verified, and what was found."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    for table in ("side_object", "incident", "scrub"):
        op.execute(WALL.format(table=table))
    op.execute(FUNCTIONS)
    op.execute(GRANTS)


SCHEMA = """
alter table slide
    add verified_at timestamptz,
    add attempted_at timestamptz,  -- the last try to verify it, where that failed
    add copied_at timestamptz,
    add copy_attempted_at timestamptz;  -- the same of its second copy
create index slide_verified on slide (establishment_id, verified_at nulls first, id);
create index slide_attempted on slide (establishment_id, attempted_at, id)
    where attempted_at is not null;
create index slide_unverified on slide (establishment_id) where verified_at is null;
create index slide_uncopied on slide (establishment_id, published_at, id) where copied_at is null;
-- Levels that a tier policy may move: once most of an archive is cold, they are few.
create index instance_movable on instance (establishment_id, (greatest(columns, rows)))
    include (slide_id) where tier = 'warm' and level is not null;

-- Of the object that holds the frames' hashes; null until a scrub has read the manifest of a
-- slide that is older than this column.
alter table instance add frames_sha256 bytea;

-- What lies in a slide's folder beside its instances and must never change.
create table side_object (
    slide_id uuid not null references slide on delete cascade,
    establishment_id uuid not null references establishment,
    name text not null,
    size_bytes bigint not null,
    sha256 bytea not null,
    primary key (slide_id, name)
);

create table incident (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    slide_id uuid,  -- no reference: what happened to a slide outlives it
    place text not null check (place in ('warm', 'cold', 'second', 'catalogue')),
    object_key text not null,
    kind text not null,
    found_by text not null check (found_by in ('scrub', 'read')),
    state text not null default 'open' check (state in ('open', 'repaired', 'accepted')),
    detail text not null,
    found_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    ended_at timestamptz,
    quarantine_key text
);
create unique index incident_standing on incident (establishment_id, place, object_key)
    where state <> 'repaired';
create index incident_found on incident (establishment_id, found_at desc, id);
create index incident_slide on incident (slide_id) where state <> 'repaired';

create table scrub (
    establishment_id uuid primary key references establishment,
    slides bigint not null default 0,
    objects bigint not null default 0,
    bytes bigint not null default 0,
    updated_at timestamptz not null default now()
);
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""

# An alarm knows the slide alone; a monitor knows nobody, and is told numbers alone.
FUNCTIONS = """
create function establishment_of_slide(wanted uuid) returns uuid
    language sql stable security definer set search_path = public, pg_temp
    as $$ select establishment_id from slide where id = wanted $$;

create function slides_known(wanted uuid[]) returns setof uuid
    language sql stable security definer set search_path = public, pg_temp
    as $$ select id from slide where id = any(wanted)
          union
          select slide_id from arrival
          where slide_id = any(wanted) and state not in ('vanished', 'duplicate') $$;

create function integrity_figures()
    returns table (slides bigint, never_verified bigint, oldest_verified_at timestamptz,
                   not_copied bigint, scrubbed_slides bigint, scrubbed_objects bigint,
                   scrubbed_bytes bigint)
    language plpgsql stable security definer set search_path = public, pg_temp
    as $$ begin return query  -- capacity_change comes with the next migration
        select (select coalesce(sum(c.slides), 0)::bigint from capacity_change c),
               (select count(*) from slide where verified_at is null),
               (select min(oldest.verified_at) from establishment e cross join lateral (
                    select o.verified_at from slide o
                    where o.establishment_id = e.id and o.verified_at is not null
                    order by o.verified_at nulls first limit 1) oldest),
               (select count(*) from slide where copied_at is null),
               coalesce(sum(s.slides), 0)::bigint, coalesce(sum(s.objects), 0)::bigint,
               coalesce(sum(s.bytes), 0)::bigint
        from scrub s;
    end $$;

create function incident_figures()
    returns table (kind text, state text, incidents bigint)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select kind, state, count(*) from incident group by kind, state $$;

create function arrival_figures() returns table (state text, arrivals bigint)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select state, count(*) from arrival
          where state not in ('published', 'duplicate', 'vanished') group by state $$;

create function job_figures() returns table (queue text, status text, jobs bigint)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select queue_name, status::text, count(*) from procrastinate_jobs
          where status in ('todo', 'doing', 'failed') group by queue_name, status $$;
"""

# Slides and instances may be put right where their manifest and their objects agree against them.
GRANTS = """
revoke all on function establishment_of_slide, slides_known, integrity_figures,
    incident_figures, arrival_figures, job_figures from public;
grant execute on function establishment_of_slide, slides_known, integrity_figures,
    incident_figures, arrival_figures, job_figures to sgi_app;
grant update (scene, file_name, study_uid, series_uid, source_sha256, source_size_bytes,
    published_at, facts, quality, verified_at, attempted_at, copied_at,
    copy_attempted_at) on slide to sgi_app;
grant update (role, level, columns, rows, tile_columns, tile_rows, downsample, transfer_syntax,
    photometric, origin, size_bytes, sha256, frames, frames_sha256) on instance to sgi_app;
grant select, insert, update, delete on side_object to sgi_app;
grant select, insert, update on incident, scrub to sgi_app;
"""
