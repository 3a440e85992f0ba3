"""From which day a slide's retention runs: its patient's newest case, stay, birth and death."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TENANT_TABLES = ("patient_days", "retention_due")


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    op.execute(RULE)
    op.execute(TRIGGERS)
    op.execute(SEEN)
    for table in TENANT_TABLES:
        op.execute(WALL.format(table=table))


SCHEMA = """
create table patient_days (
    patient_id uuid primary key references patient,
    establishment_id uuid not null references establishment,
    stay date,  -- the last day on which the administration said that the patient was there
    died_on date
);

-- Cold slides whose date may have moved on; only ever added to, so that no writer waits.
create table retention_due (
    id bigint generated always as identity primary key,
    establishment_id uuid not null references establishment,
    slide_id uuid not null references slide on delete cascade
);
create index retention_due_slide on retention_due (slide_id);

grant select, insert, update on patient_days to sgi_app;
grant select, insert, delete on retention_due to sgi_app;
"""

# As `sgi.domain.retention` has it, for lists: a test compares the two.
RULE = """
create function years_after(day date, years integer) returns date language sql immutable as $$
    select greatest(day + make_interval(years => years),
                    day - 1 + make_interval(years => years) + interval '1 day')::date
$$;

create function kept_until(start date, years integer, born date, died_on date)
    returns date language sql immutable as $$
    select greatest(
        years_after(start, years),
        case when born is not null then years_after(least(born, start), 28) end,
        case when died_on < years_after(start, 10) then years_after(died_on, 10) end)
$$;

-- What is said of the future is said of today.
create function until_today(day date) returns date language sql stable as $$
    select case when day is not null then least(day, (now() at time zone 'UTC')::date) end
$$;

create view slide_days with (security_invoker = true) as
    select s.id as slide_id, s.establishment_id, s.published_at, s.file_name,
           k.last_case, k.last_stay, k.died_on,
           case when alive.id is null then named.birth_date else alive.birth_date end as born,
           greatest((s.published_at at time zone 'UTC')::date, k.last_case, k.last_stay) as start
    from slide s
        left join glass g on g.id = s.glass_id
        left join lab_case own on own.id = g.case_id
        left join patient named on named.id = own.patient_id
        left join patient alive on alive.id = named.merged_into
        cross join lateral (
            select max(greatest(c.received_at, c.signed_out_at)) as newest,
                   max(d.stay) as stay, max(d.died_on) as died_on
            from (select coalesce(alive.id, named.id) as id union all
                  select m.id from patient m
                  where m.merged_into = coalesce(alive.id, named.id)) record
                left join lab_case c on c.patient_id = record.id
                left join patient_days d on d.patient_id = record.id) told
        cross join lateral (
            select until_today((greatest(own.received_at, own.signed_out_at, told.newest)
                                at time zone 'UTC')::date) as last_case,
                   until_today(told.stay) as last_stay,
                   until_today(told.died_on) as died_on) k;
grant select on slide_days to sgi_app;
"""

TRIGGERS = """
create function retention_of_patient(changed uuid) returns void language sql as $$
    insert into retention_due (establishment_id, slide_id)
        select s.establishment_id, s.id
        from patient p
            cross join lateral (
                select coalesce(p.merged_into, p.id) as id
                union all
                select m.id from patient m where m.merged_into = coalesce(p.merged_into, p.id)
            ) record
            join lab_case c on c.patient_id = record.id
            join glass g on g.case_id = c.id
            join slide s on s.glass_id = g.id
        where p.id = changed
          and exists (select from instance i where i.slide_id = s.id and i.tier <> 'warm')
        order by s.id
$$;

create function lab_case_prolongs() returns trigger language plpgsql as $$
begin
    if new.patient_id is not null then
        perform retention_of_patient(new.patient_id);
    else
        insert into retention_due (establishment_id, slide_id)
            select s.establishment_id, s.id from glass g join slide s on s.glass_id = g.id
            where g.case_id = new.id
              and exists (select from instance i where i.slide_id = s.id and i.tier <> 'warm')
            order by s.id;
    end if;
    return null;
end $$;
create trigger lab_case_prolongs after update on lab_case for each row
    when (old.patient_id is distinct from new.patient_id
          or old.received_at is distinct from new.received_at
          or old.signed_out_at is distinct from new.signed_out_at)
    execute function lab_case_prolongs();
create trigger lab_case_first_prolongs after insert on lab_case for each row
    when (new.patient_id is not null) execute function lab_case_prolongs();

create function patient_prolongs() returns trigger language plpgsql as $$
begin
    perform retention_of_patient(new.id);
    return null;
end $$;
create trigger patient_prolongs after update on patient for each row
    when (old.merged_into is distinct from new.merged_into
          or old.birth_date is distinct from new.birth_date)
    execute function patient_prolongs();

create function patient_days_prolong() returns trigger language plpgsql as $$
begin
    perform retention_of_patient(new.patient_id);
    return null;
end $$;
create trigger patient_days_prolong after insert or update on patient_days
    for each row execute function patient_days_prolong();

create function slide_prolonged() returns trigger language plpgsql as $$
begin
    if exists (select from instance i where i.slide_id = new.id and i.tier <> 'warm') then
        insert into retention_due (establishment_id, slide_id)
            values (new.establishment_id, new.id);
    end if;
    return null;
end $$;
create trigger slide_prolonged after update of glass_id on slide for each row
    when (new.glass_id is not null and old.glass_id is distinct from new.glass_id)
    execute function slide_prolonged();

create function glass_prolongs() returns trigger language plpgsql as $$
begin
    insert into retention_due (establishment_id, slide_id)
        select s.establishment_id, s.id from slide s
        where s.glass_id = new.id
          and exists (select from instance i where i.slide_id = s.id and i.tier <> 'warm')
        order by s.id;
    return null;
end $$;
create trigger glass_prolongs after update of case_id on glass for each row
    when (new.case_id is not null and old.case_id is distinct from new.case_id)
    execute function glass_prolongs();
"""

# Whoever asked for a restore is told of its end until they have seen it.
SEEN = """
alter table tier_move add seen_at timestamptz;
update tier_move set seen_at = ended_at where ended_at is not null;
create index tier_move_unseen on tier_move (asked_by, ended_at)
    where target = 'warm' and asked_by is not null and ended_at is not null and seen_at is null;
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""
