"""Identification: which glass a scan is of, whose it is said to be, and what was said before.

Whatever changes of a patient, a case or an asset puts the slides concerned into `identity_due`:
a job tells them anew, so that no writer of those tables has to remember them.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("slide_code", "attachment", "slide_identity", "rejection_note", "identity_due")


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    op.execute(BEFORE)
    for table in TABLES:
        op.execute(WALL.format(table=table))
    op.execute(TRIGGERS)
    op.execute(MISTOLD)
    op.execute(GRANTS)


SCHEMA = """
alter table slide
    add glass_id uuid references glass,
    add current boolean not null default false,  -- of several scans of one glass
    add current_said boolean not null default false,  -- a person chose it
    -- Why it is nobody's; null exactly where it has a glass.
    add unidentified text default 'waiting' check (unidentified in (
        'waiting', 'nothing_read', 'patient_code', 'unknown', 'several', 'cancelled',
        'contradiction', 'undone')),
    add identity_revision integer not null default 0,
    add told_study_uid text,
    add told_series_uid text,
    add constraint slide_glass check ((glass_id is null) = (unidentified is not null)),
    add constraint slide_told check ((identity_revision = 0) = (told_series_uid is null)
        and (told_study_uid is null) = (told_series_uid is null));
create index slide_glass on slide (glass_id) where glass_id is not null;
create index slide_unidentified on slide (establishment_id, published_at desc, id desc)
    where unidentified is not null;
-- Of a glass's scans a person chose one; `current` are all images of that one's file.
create unique index slide_current_said on slide (glass_id) where current_said;
create index slide_to_be_identified on slide (establishment_id, published_at)
    where unidentified = 'waiting';
create index slide_told_study on slide (establishment_id, told_study_uid)
    where told_study_uid is not null;
create index slide_told_series on slide (establishment_id, told_series_uid)
    where told_series_uid is not null;

-- Compared without case: a generated column, since row-level security keeps indexes on functions
-- from being used; by code points, so that beginnings are found by the index too.
alter table glass
    add folded text collate "C" generated always as (upper(btrim(identifier))) stored;
create index glass_folded on glass (establishment_id, folded);
create index glass_newest on glass (establishment_id, created_at desc);

-- What a slide's label reads, compared in the same way.
create table slide_code (
    slide_id uuid not null references slide on delete cascade,
    establishment_id uuid not null references establishment,
    code text collate "C" not null,
    primary key (slide_id, code)
);
create index slide_code_code on slide_code (establishment_id, code);

create table attachment (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    slide_id uuid not null references slide on delete cascade,
    glass_id uuid not null references glass,
    how text not null check (how in ('barcode', 'late', 'person')),
    attached_at timestamptz not null default clock_timestamp(),
    attached_by uuid,  -- an account; null for the system
    undone_at timestamptz,
    undone_by uuid,
    undo_reason text,
    changed_at timestamptz not null generated always as (coalesce(undone_at, attached_at)) stored,
    -- The new scan that was asked for, and that this ended.
    rescan_asked_at timestamptz,
    rescan_reason text,
    rescan_asked_by text,
    check ((undone_at is null) = (undo_reason is null))
);
create unique index attachment_living on attachment (slide_id) where undone_at is null;
create index attachment_slide on attachment (slide_id, attached_at);
create index attachment_glass on attachment (glass_id);
create index attachment_by_persons on attachment (establishment_id, changed_at desc, id)
    where how = 'person' or undone_by is not null;

-- What instances were told to be, from each moment on; the object beside them says the same.
create table slide_identity (
    slide_id uuid not null references slide on delete cascade,
    revision integer not null check (revision > 0),
    establishment_id uuid not null references establishment,
    study_uid text not null,
    series_uid text not null,
    made_at timestamptz not null,
    identity jsonb not null,
    primary key (slide_id, revision)
);
create index slide_identity_series on slide_identity (establishment_id, series_uid);
create index slide_identity_study on slide_identity (establishment_id, study_uid);

-- Key objects that say which instances are not to be used any more (IHE IOCM).
create table rejection_note (
    sop_uid text primary key,
    id uuid not null unique default gen_random_uuid(),
    slide_id uuid not null references slide on delete cascade,
    establishment_id uuid not null references establishment,
    revision integer not null,
    study_uid text not null,
    series_uid text not null,
    made_at timestamptz not null,
    file bytea not null,
    -- As of slides: what is searched, and names without case and accents.
    document jsonb not null default '{}',
    folded jsonb not null default '{}',
    unique (slide_id, revision)
);
create index rejection_note_series on rejection_note (establishment_id, series_uid);
create index rejection_note_study on rejection_note (establishment_id, study_uid);

-- Slides of which something changed; only ever added to, so that no writer waits for the job.
create table identity_due (
    id bigint generated always as identity primary key,
    establishment_id uuid not null references establishment,
    slide_id uuid not null references slide on delete cascade,
    asked_at timestamptz not null default clock_timestamp(),
    -- 0: it came to a glass or left it, and does not wait behind a correction of many.
    turn smallint not null default 1,
    whose boolean not null default true  -- it may be another patient's; false: words alone
);
create index identity_due_slide on identity_due (slide_id, id);
create index identity_due_turn on identity_due (establishment_id, turn, id);
create index identity_due_whose on identity_due (establishment_id, slide_id) where whose;

alter table dicom_instance add told_uid text;
"""

BEFORE = """
update dicom_instance set told_uid = sop_uid;
alter table dicom_instance alter told_uid set not null;
create unique index dicom_instance_told on dicom_instance (told_uid);

-- What is found in one study: its slides, and the notes of what was retired.
create view told_series with (security_invoker = true) as
    select slide_id as id, establishment_id, study_uid, series_uid, published_at, document, folded
    from dicom_series
    union all
    select id, establishment_id, study_uid, series_uid, made_at, document, folded
    from rejection_note;
create view told_instance with (security_invoker = true) as
    select slide_id as id, establishment_id, sop_uid, told_uid, number, document
    from dicom_instance
    union all
    select id, establishment_id, null, sop_uid, 1, document from rejection_note;
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
"""

TRIGGERS = """
create function tell_slides_of_patient(changed uuid, whose boolean) returns void language sql as $$
    with recursive same as (
        select changed as id
        union
        select p.id from patient p join same on p.merged_into = same.id)
    insert into identity_due (establishment_id, slide_id, whose)
        select s.establishment_id, s.id, whose
        from same join lab_case c on c.patient_id = same.id
            join glass g on g.case_id = c.id
            join slide s on s.glass_id = g.id
        order by s.id
$$;

create function tell_slides_of_case(changed uuid, whose boolean) returns void language sql as $$
    insert into identity_due (establishment_id, slide_id, whose)
        select s.establishment_id, s.id, whose
        from glass g join slide s on s.glass_id = g.id
        where g.case_id = changed order by s.id
$$;

create function patient_told() returns trigger language plpgsql as $$
begin
    perform tell_slides_of_patient(new.id, old.merged_into is distinct from new.merged_into);
    return null;
end $$;

create function patient_identifier_told() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then perform tell_slides_of_patient(old.patient_id, false); end if;
    if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.patient_id <> old.patient_id) then
        perform tell_slides_of_patient(new.patient_id, false);
    end if;
    return null;
end $$;

create function lab_case_told() returns trigger language plpgsql as $$
begin
    perform tell_slides_of_case(new.id, old.patient_id is distinct from new.patient_id);
    return null;
end $$;

create function specimen_told() returns trigger language plpgsql as $$
begin
    if new.case_id is not null then perform tell_slides_of_case(new.case_id, false); end if;
    return null;
end $$;

create function glass_told() returns trigger language plpgsql as $$
begin
    insert into identity_due (establishment_id, slide_id, whose)
        select s.establishment_id, s.id, old.case_id is distinct from new.case_id
        from slide s where s.glass_id = new.id order by s.id;
    return null;
end $$;

create function identity_told() returns trigger language plpgsql as $$
begin
    perform pg_notify('sgi_tier', new.establishment_id || ' ' || new.id);
    return null;
end $$;

create trigger patient_told after update on patient for each row
    when (old.* is distinct from new.*) execute function patient_told();
create trigger patient_identifier_told after insert or update or delete on patient_identifier
    for each row execute function patient_identifier_told();
create trigger lab_case_told after update on lab_case for each row
    when (old.patient_id is distinct from new.patient_id
          or old.accession_number is distinct from new.accession_number
          or old.study_uid is distinct from new.study_uid
          or old.received_at is distinct from new.received_at)
    execute function lab_case_told();
create trigger specimen_told after update on specimen for each row
    when (old.said is distinct from new.said or old.case_id is distinct from new.case_id
          or old.parent_identifier is distinct from new.parent_identifier
          or old.cancelled_at is distinct from new.cancelled_at)
    execute function specimen_told();
create trigger specimen_first_told after insert on specimen for each row
    execute function specimen_told();
create trigger glass_told after update on glass for each row
    when (old.case_id is distinct from new.case_id
          or old.identifier is distinct from new.identifier
          or old.parent_identifier is distinct from new.parent_identifier
          or old.stains is distinct from new.stains
          or old.technique is distinct from new.technique)
    execute function glass_told();
-- What servers hold of a slide in memory says who it is.
create trigger identity_told after update of identity_revision on slide for each row
    when (old.identity_revision <> new.identity_revision) execute function identity_told();
"""

MISTOLD = """
-- Slides that still say another patient's name than they are to say. One whose instances name
-- nobody yet is not among them.
create view mistold with (security_invoker = true) as
    select d.slide_id, d.establishment_id, d.asked_at
    from (select slide_id, establishment_id, min(asked_at) as asked_at
          from identity_due where whose group by slide_id, establishment_id) d
        join slide s on s.id = d.slide_id
        join slide_identity i on i.slide_id = s.id and i.revision = s.identity_revision
        left join patient told on told.id = (i.identity ->> 'patient_id')::uuid
        left join glass g on g.id = s.glass_id
        left join lab_case c on c.id = g.case_id
        left join patient known on known.id = c.patient_id
    where i.identity ->> 'patient_id' is not null
      and coalesce(told.merged_into, (i.identity ->> 'patient_id')::uuid)
          is distinct from coalesce(known.merged_into, known.id);

create function identity_figures()
    returns table (waiting bigint, withheld bigint)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select (select count(distinct slide_id) from identity_due
                  where asked_at < clock_timestamp() - interval '1 minute'),
                 (select count(*) from mistold
                  where asked_at < clock_timestamp() - interval '1 minute') $$;
revoke all on function identity_figures from public;
grant execute on function identity_figures to sgi_app;

-- A case that was another person's has another study: one study never tells of two patients. Of
-- the same case and person it is the same (a UUID of version 8, RFC 9562, under 2.25).
create function study_of_case(case_id uuid, patient_id uuid) returns text
    language plpgsql immutable as $$
declare
    hashed bytea := substr(sha256(uuid_send(case_id) || uuid_send(patient_id)), 1, 16);
    number numeric := 0;
begin
    hashed := set_byte(hashed, 6, get_byte(hashed, 6) & 15 | 128);
    hashed := set_byte(hashed, 8, get_byte(hashed, 8) & 63 | 128);
    for place in 0..15 loop
        number := number * 256 + get_byte(hashed, place);
    end loop;
    return '2.25.' || number;
end $$;

-- Whether what was told in a study named somebody who is not this person, by all that is known now.
create function told_of_another(study text, person uuid) returns boolean
    language sql stable as $$
    select exists (
        select from slide_identity i left join patient told
            on told.id = (i.identity ->> 'patient_id')::uuid
        where i.study_uid = study and i.identity ->> 'patient_id' is not null
          and coalesce(told.merged_into, told.id) is distinct from person)
$$;

-- Or another one, where that has told of others: of patients who were merged and parted again.
create function study_apart(case_id uuid, person uuid) returns text language plpgsql stable as $$
declare
    study text := study_of_case(case_id, person);
begin
    while told_of_another(study, person) loop
        study := study_of_case(md5(study)::uuid, person);
    end loop;
    return study;
end $$;

create function lab_case_of_another() returns trigger language plpgsql as $$
declare
    former uuid;
    latter uuid;
begin
    select coalesce(merged_into, id) into former from patient where id = old.patient_id;
    select coalesce(merged_into, id) into latter from patient where id = new.patient_id;
    if former <> latter then
        new.study_uid := study_apart(new.id, latter);
    end if;
    return new;
end $$;

create trigger lab_case_of_another before update on lab_case for each row
    when (old.patient_id <> new.patient_id) execute function lab_case_of_another();

-- A merge was corrected: they are two again, and so are the studies that told of both. At the
-- commit, when it is known whom every record leads to: a merge that is turned round parts nobody.
create function patient_parted() returns trigger language plpgsql as $$
declare
    one uuid;
    other uuid;
begin
    select coalesce(merged_into, id) into one from patient where id = new.id;
    select coalesce(merged_into, id) into other from patient where id = old.merged_into;
    if one <> other then
        update lab_case c set study_uid = study_apart(c.id, p.person)
            from (select id, coalesce(merged_into, id) as person from patient
                  where id in (one, other) or merged_into in (one, other)) p
            where c.patient_id = p.id and told_of_another(c.study_uid, p.person);
    end if;
    return null;
end $$;

create constraint trigger patient_parted after update on patient
    deferrable initially deferred for each row
    when (old.merged_into is distinct from new.merged_into and old.merged_into is not null)
    execute function patient_parted();
"""

GRANTS = """
grant update (glass_id, current, current_said, unidentified, identity_revision, told_study_uid,
    told_series_uid) on slide to sgi_app;
grant select, insert, update on attachment to sgi_app;
grant select, insert on slide_identity, rejection_note to sgi_app;
grant select, insert, delete on slide_code, identity_due to sgi_app;
grant select on told_series, told_instance, mistold to sgi_app;
grant delete on dicom_series to sgi_app;
"""
