"""Retention: how long slides are kept, legal holds, destruction by two people, certificates."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TENANT_TABLES = ("retention_rule", "legal_hold", "destruction")


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    op.execute(NEWS)
    op.execute(GUARDS)
    op.execute(STEPS)
    for table in TENANT_TABLES:
        op.execute(WALL.format(table=table))
    op.execute(GRANTS)


SCHEMA = """
create table retention_rule (
    establishment_id uuid primary key references establishment,
    years integer not null check (years between 1 and 100),
    wait interval not null check (wait between interval '0' and interval '90 days'),
    reason text not null,
    changed_by text not null,
    changed_at timestamptz not null default now()
);

-- No reference to the slide: a hold may be written before a rebuild has come to its slide, and
-- stays on record after it.
create table legal_hold (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    slide_id uuid not null,
    reason text not null check (reason <> ''),
    placed_by text not null,
    placed_at timestamptz not null default now(),
    lifted_by text,
    lifted_at timestamptz,
    lift_reason text,
    check ((lifted_at is null) = (lifted_by is null)),
    check ((lifted_at is null) = (lift_reason is null))
);
create unique index legal_hold_open on legal_hold (slide_id) where lifted_at is null;
create index legal_hold_slide on legal_hold (slide_id, placed_at);

-- Outlives its slide: the row of one that is done is all that is left of it, and tells a second
-- drop of the same file.
create table destruction (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    slide_id uuid not null,
    arrival_id uuid not null,
    scene integer not null,
    source_sha256 bytea not null,
    source_size_bytes bigint not null,
    study_uid text not null,
    series_uid text not null,
    published_at timestamptz not null,
    kept_until date not null,
    state text not null check (state in ('asked', 'approved', 'destroying', 'done', 'withdrawn')),
    ground text not null
        check (ground in ('retention_ended', 'wrong_slide', 'duplicate', 'test', 'other')),
    reason text not null check (reason <> ''),
    asked_by uuid not null,
    asked_name text not null,
    asked_session uuid not null,
    asked_at timestamptz not null default now(),
    approved_by uuid,
    approved_name text,
    approved_session uuid,
    approved_at timestamptz,
    not_before timestamptz,
    withdrawn_by text,
    withdrawn_at timestamptz,
    withdrawal_reason text,
    began_at timestamptz,
    done_at timestamptz,
    -- What was found in each store before anything was deleted.
    inventory jsonb,
    certificate jsonb,
    -- Why the last try did not end it; null once it goes on.
    failure text,
    -- When the stores were looked at once more, a day after.
    swept_at timestamptz,
    -- Where the originals lay, until they are gone: arrays of one length, since names need not be
    -- text. A second drop of the same file left a second original.
    original_arrivals uuid[] not null default '{}',
    original_paths bytea[] not null default '{}',
    original_sizes bigint[] not null default '{}',
    original_times bigint[] not null default '{}',
    -- Two people with two sessions, whoever writes the row.
    constraint destruction_two_people check (
        state in ('asked', 'withdrawn') or (
            approved_by is not null and approved_session is not null
            and approved_name is not null and approved_at is not null and not_before is not null
            and approved_by <> asked_by and approved_session <> asked_session)),
    check (state <> 'withdrawn' or (withdrawn_by is not null and withdrawn_at is not null)),
    check (state not in ('destroying', 'done') or began_at is not null),
    check (state <> 'done' or (done_at is not null and certificate is not null)),
    check (ground <> 'retention_ended' or kept_until <= (asked_at at time zone 'UTC')::date)
);
create unique index destruction_open on destruction (slide_id)
    where state in ('asked', 'approved', 'destroying');
create index destruction_content on destruction (establishment_id, source_sha256)
    where state in ('destroying', 'done');
create index destruction_asked on destruction (establishment_id, asked_at desc, id);
"""

# Every server forgets a slide at once when it goes.
NEWS = """
create function slide_gone() returns trigger language plpgsql as $$
begin
    perform pg_notify('sgi_slide_gone', old.id::text);
    return null;
end $$;
create trigger slide_gone after delete on slide
    for each row execute function slide_gone();
"""

# A slide under a legal hold is not destroyed, whatever the code above believes: the row of the
# slide is locked by both sides, so that neither misses the other.
GUARDS = """
create function is_held(slide uuid) returns boolean language sql stable as $$
    select exists (select from legal_hold where slide_id = slide and lifted_at is null)
$$;

create function held_slide_stays() returns trigger language plpgsql as $$
begin
    if is_held(old.id) then
        raise exception 'slide % is under a legal hold', old.id
            using errcode = 'restrict_violation';
    end if;
    return old;
end $$;
create trigger held_slide_stays before delete on slide
    for each row execute function held_slide_stays();

create function held_instance_stays() returns trigger language plpgsql as $$
begin
    if is_held(old.slide_id) then
        raise exception 'slide % is under a legal hold', old.slide_id
            using errcode = 'restrict_violation';
    end if;
    return old;
end $$;
create trigger held_instance_stays before delete on instance
    for each row execute function held_instance_stays();

create function destruction_changes() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (old.state, new.state) not in (
        ('asked', 'asked'), ('asked', 'approved'), ('asked', 'withdrawn'),
        ('approved', 'approved'), ('approved', 'withdrawn'), ('approved', 'destroying'),
        ('destroying', 'destroying'), ('destroying', 'done'), ('done', 'done')
    ) then
        raise exception 'a destruction does not go from % to %', old.state, new.state
            using errcode = 'restrict_violation';
    end if;
    if tg_op = 'UPDATE' and (
        new.slide_id, new.establishment_id, new.asked_by, new.asked_session, new.asked_at,
        new.ground, new.reason, new.source_sha256
    ) is distinct from (
        old.slide_id, old.establishment_id, old.asked_by, old.asked_session, old.asked_at,
        old.ground, old.reason, old.source_sha256
    ) then
        raise exception 'who asked, for what and why stays as it is'
            using errcode = 'restrict_violation';
    end if;
    if tg_op = 'UPDATE' and old.state <> 'asked' and (
        new.approved_by, new.approved_session, new.approved_at, new.not_before
    ) is distinct from (
        old.approved_by, old.approved_session, old.approved_at, old.not_before
    ) then
        raise exception 'who approved, and from when on, stays as it is'
            using errcode = 'restrict_violation';
    end if;
    if tg_op = 'UPDATE' and old.state = 'done'
       and (new.certificate, new.done_at) is distinct from (old.certificate, old.done_at) then
        raise exception 'a certificate stays as it is' using errcode = 'restrict_violation';
    end if;
    if new.state = 'destroying' and tg_op = 'UPDATE' and old.state = 'approved'
       and now() < new.not_before then
        raise exception 'the waiting time of destruction % has not ended', new.id
            using errcode = 'restrict_violation';
    end if;
    if new.state in ('destroying', 'done') and is_held(new.slide_id) then
        raise exception 'slide % is under a legal hold', new.slide_id
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger destruction_changes before insert or update on destruction
    for each row execute function destruction_changes();

create function hold_comes_in_time() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.lifted_at is null then
        perform from slide where id = new.slide_id for update;
        if exists (select from destruction
                   where slide_id = new.slide_id and state in ('destroying', 'done')) then
            raise exception 'slide % is being destroyed', new.slide_id
                using errcode = 'restrict_violation';
        end if;
    end if;
    return new;
end $$;
create trigger hold_comes_in_time before insert or update on legal_hold
    for each row execute function hold_comes_in_time();
"""

# The two steps of a destruction that no role of the application may take by itself. Both answer
# for the establishment of the transaction alone.
STEPS = """
create function begin_destruction(wanted uuid) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    doomed destruction;
begin
    select * into doomed from destruction
        where id = wanted and state in ('approved', 'destroying')
          and establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid
        for update;
    if not found then return false; end if;
    perform from slide where id = doomed.slide_id for update;
    if doomed.state = 'approved' then
        update destruction set state = 'destroying', began_at = now() where id = wanted;
    elsif not exists (select from slide where id = doomed.slide_id) then
        return true;  -- else a rebuild has brought it back meanwhile
    end if;
    update destruction set
        (original_arrivals, original_paths, original_sizes, original_times) = (
            select coalesce(array_agg(a.id), '{}'), coalesce(array_agg(p.path), '{}'),
                   coalesce(array_agg(p.size), '{}'), coalesce(array_agg(p.modified), '{}')
            from arrival a, unnest(a.part_paths, a.part_sizes, a.part_times)
                as p (path, size, modified)
            where a.establishment_id = doomed.establishment_id
              and (a.id = doomed.arrival_id
                   or (a.sha256 = doomed.source_sha256 and a.state = 'duplicate')))
        where id = wanted;
    -- With all that other tables keep of them; what is in their way fails here, for all to see.
    delete from slide where id = doomed.slide_id;
    if not exists (select from slide where arrival_id = doomed.arrival_id) then
        delete from arrival
        where establishment_id = doomed.establishment_id
          and (id = doomed.arrival_id
               or (sha256 = doomed.source_sha256 and state = 'duplicate'));
    end if;
    return true;
end $$;

-- Whether another slide of the same file is still kept: then the file is not an original to end.
create function original_in_use(wanted uuid) returns boolean
    language sql stable security definer set search_path = public, pg_temp as $$
    select exists (
        select from slide s join destruction d on d.arrival_id = s.arrival_id
        where d.id = wanted
          and d.establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
$$;
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""

GRANTS = """
revoke all on function begin_destruction, original_in_use, hold_comes_in_time from public;
grant execute on function begin_destruction, original_in_use, hold_comes_in_time to sgi_app;
grant select, insert, update, delete on retention_rule to sgi_app;
grant select, insert, update on legal_hold, destruction to sgi_app;
"""
