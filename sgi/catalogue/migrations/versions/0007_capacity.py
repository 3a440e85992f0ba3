"""Capacity: bytes by month and tier, kept as they change, and what is typed in for a forecast."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    op.execute(PARTS)
    op.execute(CHANGES)
    op.execute(WALLS)


# Sums over every instance take minutes in a large catalogue, and a row for each sum would be
# fought over by all who publish: each change adds a row, and now and then the rows of a month and
# tier become one.
SCHEMA = """
create table forecast_activity (
    establishment_id uuid primary key references establishment,
    activity jsonb not null,
    updated_at timestamptz not null default now()
);

create table capacity_change (
    establishment_id uuid not null references establishment,
    month date not null,  -- first day of the month in which the slide was published, in UTC
    tier text not null check (tier in ('warm', 'cold')),
    slides bigint not null,  -- with their base in this tier
    original_bytes bigint not null,
    stored_bytes bigint not null
);
create index capacity_change_place on capacity_change (establishment_id, month, tier);
"""

# What is being restored is cold still; what was restored keeps its cold copy, which takes room.
PARTS = """
create function month_of(moment timestamptz) returns date language sql immutable as
    $$ select date_trunc('month', moment at time zone 'utc')::date $$;

create function parts_of(tier text, level integer, size_bytes bigint, cold_size_bytes bigint)
    returns table (place text, bases integer, original_bytes bigint, stored_bytes bigint)
    language sql immutable as $$
        select 'warm', case when level = 0 then 1 else 0 end, size_bytes, size_bytes
        where tier = 'warm'
        union all
        select 'cold', case when level = 0 then 1 else 0 end, size_bytes,
               coalesce(cold_size_bytes, size_bytes)
        where tier <> 'warm'
        union all
        select 'cold', 0, 0, cold_size_bytes
        where tier = 'warm' and cold_size_bytes is not null
    $$;

insert into capacity_change
    select i.establishment_id, month_of(s.published_at), p.place, sum(p.bases),
           sum(p.original_bytes), sum(p.stored_bytes)
    from instance i join slide s on s.id = i.slide_id
        cross join lateral parts_of(i.tier, i.level, i.size_bytes, i.cold_size_bytes) p
    group by 1, 2, 3;
"""

CHANGES = """
create function put_changes_together() returns void language sql as $$
    with taken as (
        delete from capacity_change c
        using (select ctid from capacity_change limit 20000 for update skip locked) few
        where c.ctid = few.ctid
        returning c.*
    )
    insert into capacity_change
        select establishment_id, month, tier, sum(slides), sum(original_bytes), sum(stored_bytes)
        from taken group by 1, 2, 3
        having sum(slides) <> 0 or sum(original_bytes) <> 0 or sum(stored_bytes) <> 0
$$;

create function instances_added() returns trigger language plpgsql as $$
begin
    insert into capacity_change
        select i.establishment_id, month_of(s.published_at), p.place, sum(p.bases),
               sum(p.original_bytes), sum(p.stored_bytes)
        from added i join slide s on s.id = i.slide_id
            cross join lateral parts_of(i.tier, i.level, i.size_bytes, i.cold_size_bytes) p
        group by 1, 2, 3;
    if random() < 0.002 then perform put_changes_together(); end if;
    return null;
end $$;

create function instances_changed() returns trigger language plpgsql as $$
begin
    insert into capacity_change
        select i.establishment_id, month_of(s.published_at), p.place, sum(i.sign * p.bases),
               sum(i.sign * p.original_bytes), sum(i.sign * p.stored_bytes)
        from (select 1 as sign, * from added union all select -1, * from removed) i
            join slide s on s.id = i.slide_id
            cross join lateral parts_of(i.tier, i.level, i.size_bytes, i.cold_size_bytes) p
        group by 1, 2, 3
        having sum(i.sign * p.original_bytes) <> 0 or sum(i.sign * p.stored_bytes) <> 0;
    if random() < 0.002 then perform put_changes_together(); end if;
    return null;
end $$;

create function instances_removed() returns trigger language plpgsql as $$
begin
    insert into capacity_change
        select i.establishment_id, month_of(s.published_at), p.place, -sum(p.bases),
               -sum(p.original_bytes), -sum(p.stored_bytes)
        from removed i join slide s on s.id = i.slide_id
            cross join lateral parts_of(i.tier, i.level, i.size_bytes, i.cold_size_bytes) p
        group by 1, 2, 3;
    return null;
end $$;

-- A slide takes its instances with it, and is gone itself before they go: they are counted here.
create function slide_removed() returns trigger language plpgsql as $$
begin
    insert into capacity_change
        select i.establishment_id, month_of(old.published_at), p.place, -sum(p.bases),
               -sum(p.original_bytes), -sum(p.stored_bytes)
        from instance i
            cross join lateral parts_of(i.tier, i.level, i.size_bytes, i.cold_size_bytes) p
        where i.slide_id = old.id
        group by 1, 2, 3;
    return old;
end $$;

create trigger instances_added after insert on instance
    referencing new table as added
    for each statement execute function instances_added();
create trigger instances_changed after update on instance
    referencing old table as removed new table as added
    for each statement execute function instances_changed();
create trigger instances_removed after delete on instance
    referencing old table as removed
    for each statement execute function instances_removed();
create trigger slide_removed before delete on slide
    for each row execute function slide_removed();
"""

WALLS = """
alter table forecast_activity enable row level security;
alter table capacity_change enable row level security;
create policy own_establishment on forecast_activity
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
create policy own_establishment on capacity_change
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
grant select, insert, update, delete on forecast_activity, capacity_change to sgi_app;
"""
