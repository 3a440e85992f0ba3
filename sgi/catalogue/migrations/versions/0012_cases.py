"""Cases, their specimens, blocks and glass slides, and the work on them.

What worklists show and sort by lies on the case's own row, and what they search by in a table
beside it, so that a list is read from one index whatever the number of cases.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = (
    "pathologist_group",
    "group_member",
    "professional",
    "assignment_rule",
    "turnaround_target",
    "lab_case",
    "case_words",
    "specimen",
    "glass",
    "case_history",
    "work_order",
    "report",
    "saved_filter",
)


def upgrade() -> None:
    """Apply."""
    op.execute(SCHEMA)
    for table in TABLES:
        op.execute(WALL.format(table=table))
    op.execute(FUNCTIONS)
    op.execute(GRANTS)


SCHEMA = """
create table pathologist_group (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    name text not null,
    created_at timestamptz not null default now(),
    removed_at timestamptz  -- closed cases still say that they were its
);
create unique index pathologist_group_name on pathologist_group (establishment_id, name)
    where removed_at is null;

create table group_member (
    group_id uuid not null references pathologist_group on delete cascade,
    account_id uuid not null references account on delete cascade,
    establishment_id uuid not null references establishment,
    given_at timestamptz,  -- when the rotation last gave them a case
    primary key (group_id, account_id)
);
create index group_member_account on group_member (account_id);

-- By which number the laboratory names an account's pathologist (RPPS).
create table professional (
    account_id uuid primary key references account on delete cascade,
    establishment_id uuid not null references establishment,
    number text not null,
    unique (establishment_id, number)
);

-- The first rule by position that fits a new case says whose it is; null fits everything.
create table assignment_rule (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    position integer not null check (position > 0),
    organ text,
    service text,
    priority text check (priority in ('S', 'A', 'R')),
    extemporane boolean,
    account_id uuid references account,
    group_id uuid references pathologist_group,
    rotate boolean not null default false,  -- to each of the group in turn
    check ((account_id is null) <> (group_id is null)),
    check (not rotate or group_id is not null),
    unique (establishment_id, position)
);

create table turnaround_target (
    establishment_id uuid not null references establishment,
    kind text not null check (kind in ('extemporane', 'S', 'A', 'R')),
    hours double precision not null check (hours > 0),
    primary key (establishment_id, kind)
);

create table lab_case (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    accession_number text not null,
    placer_number text,
    filler_number text,
    patient_id uuid references patient,
    state text not null default 'received' check (state in ('received', 'in_progress', 'ready',
        'reading', 'reported', 'signed_out', 'cancelled')),
    open boolean not null generated always as (state not in ('signed_out', 'cancelled')) stored,
    priority text not null default 'R' check (priority in ('S', 'A', 'R')),
    extemporane boolean not null default false,
    urgency smallint not null generated always as (
        case when extemporane then 0 when priority = 'S' then 1 when priority = 'A' then 2
             else 3 end) stored,
    service jsonb,
    clinical_information text,
    comment text,
    visit_number text,
    pathologist text,  -- the professional's number and name, as the laboratory says
    pathologist_name text,
    study_uid text not null unique,
    account_id uuid references account,
    group_id uuid references pathologist_group,
    assigned_rule integer not null default 0,  -- by which it was given; -1: by somebody's word
    received_at timestamptz not null default now(),
    due_at timestamptz not null default now(),
    state_at timestamptz not null default now(),
    ready_at timestamptz,
    signed_out_at timestamptz,
    held_at timestamptz,  -- put aside by a person
    hold_reason text,
    -- Counted anew whenever one comes or goes.
    expected integer not null default 0,
    scanned integer not null default 0,
    rescans integer not null default 0,
    orders integer not null default 0,
    reports integer not null default 0,
    organs text[] not null default '{}',
    stains text[] not null default '{}',
    -- When what is said in each column was true.
    times jsonb not null default '{}',
    said_at timestamptz not null,
    cancel_said_at timestamptz,
    created_at timestamptz not null default now(),
    unique (establishment_id, accession_number)
);
create index lab_case_of_patient on lab_case (patient_id);
create index lab_case_placer on lab_case (establishment_id, placer_number)
    where placer_number is not null;
create index lab_case_filler on lab_case (establishment_id, filler_number)
    where filler_number is not null;
create index lab_case_received on lab_case (establishment_id, received_at desc, id desc);
create index lab_case_account on lab_case (establishment_id, account_id, received_at desc, id desc)
    where account_id is not null;
create index lab_case_open_urgency on lab_case (establishment_id, urgency, due_at, id) where open;
create index lab_case_open_due on lab_case (establishment_id, due_at, id) where open;
create index lab_case_open_received on lab_case (establishment_id, received_at, id) where open;
create index lab_case_open_state on lab_case (establishment_id, state, urgency, due_at, id)
    where open;
create index lab_case_open_account on lab_case (establishment_id, account_id, urgency, due_at, id)
    where open and account_id is not null;
create index lab_case_open_group on lab_case (establishment_id, group_id, urgency, due_at, id)
    where open and group_id is not null and account_id is null;
create index lab_case_open_unassigned on lab_case (establishment_id, urgency, due_at, id)
    where open and account_id is null and group_id is null;
create index lab_case_open_extemporane on lab_case (establishment_id, due_at, id)
    where open and extemporane;
create index lab_case_open_rescans on lab_case (establishment_id, urgency, due_at, id)
    where open and rescans > 0;
create index lab_case_open_held on lab_case (establishment_id, urgency, due_at, id)
    where open and held_at is not null;
create index lab_case_signed_out on lab_case (establishment_id, signed_out_at desc)
    where signed_out_at is not null;

-- What a case is found by. Each word begins with letters of its establishment and of its month (of
-- an open case: of the open ones): a search reads no others, and the newest first.
create table case_words (
    case_id uuid primary key references lab_case on delete cascade,
    establishment_id uuid not null references establishment,
    received_at timestamptz not null,
    words tsvector not null
);
create index case_words_received on case_words (establishment_id, received_at desc, case_id desc);
-- Without a list of pending entries: a search would read all of it.
create index case_words_words on case_words using gin (words) with (fastupdate = off);

create table specimen (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    case_id uuid references lab_case,
    kind text not null check (kind in ('part', 'block')),
    identifier text not null,
    parent_identifier text,
    said jsonb not null default '{}',
    times jsonb not null default '{}',
    said_at timestamptz not null,
    cancelled_at timestamptz,
    created_at timestamptz not null default now(),
    unique (establishment_id, kind, identifier)
);
create index specimen_case on specimen (case_id);
create index specimen_parent on specimen (establishment_id, parent_identifier);

create table glass (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    case_id uuid references lab_case,
    identifier text not null,
    parent_identifier text,
    stains jsonb not null default '[]',
    technique jsonb,
    said jsonb not null default '{}',
    to_be_scanned boolean not null default true,
    times jsonb not null default '{}',
    said_at timestamptz not null,
    cancelled_at timestamptz,
    rescan_asked_at timestamptz,
    rescan_reason text,
    rescan_asked_by text,
    created_at timestamptz not null default now(),
    unique (establishment_id, identifier)
);
create index glass_of_case on glass (case_id);
create index glass_parent on glass (establishment_id, parent_identifier);
create index glass_to_rescan on glass (establishment_id, rescan_asked_at)
    where rescan_asked_at is not null;

create table case_history (
    id bigint generated always as identity primary key,
    establishment_id uuid not null references establishment,
    case_id uuid not null references lab_case on delete cascade,
    at timestamptz not null default now(),
    kind text not null,
    before text,
    after text,
    why text,
    said_at timestamptz,
    source text,  -- of what a message said
    account_id uuid,
    account_name text,
    approved_name text  -- of a destruction: the second person
);
create index case_history_case on case_history (case_id, id);

create table work_order (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    case_id uuid not null references lab_case,
    kind text not null check (kind in ('recut', 'ihc', 'special_stain', 'rescan')),
    parent_identifier text not null,  -- the block that is cut; of a rescan, the glass
    stains jsonb not null default '[]',
    words text,
    placer_number text not null,
    temporary_id text not null,  -- of the glass to come, until the laboratory names it
    filler_number text,
    glass_id uuid references glass,
    state text not null default 'asked' check (state in ('asked', 'accepted', 'refused',
        'withdrawn', 'done')),
    said_at timestamptz,  -- when the laboratory's answer was true
    state_at timestamptz not null default now(),
    refused_why text,
    asked_by uuid,
    asked_name text,
    asked_at timestamptz not null default now(),
    unique (establishment_id, placer_number)
);
create unique index work_order_temporary on work_order (establishment_id, temporary_id)
    where kind <> 'rescan';
create index work_order_case on work_order (case_id);
create index work_order_glass on work_order (glass_id) where glass_id is not null;

create table report (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    case_id uuid references lab_case,
    patient_id uuid references patient,  -- whom the message says that it is about
    accession_number text,
    placer_number text,
    status text not null check (status in ('final', 'preliminary', 'replaced', 'deleted')),
    document_id text,
    replaces text,
    title jsonb,
    media_type text not null,
    content bytea not null,
    sha256 bytea not null,
    said_at timestamptz not null,
    source text,
    attached_at timestamptz not null default now(),
    withdrawn_at timestamptz,  -- replaced or deleted; kept all the same
    withdrawn_by uuid references report
);
create index report_case on report (case_id, said_at);
create index report_document on report (establishment_id, document_id);
create index report_waiting on report (establishment_id, accession_number) where case_id is null;
create index report_waiting_placer on report (establishment_id, placer_number)
    where case_id is null;
-- The same document twice is one.
create unique index report_once on report
    (establishment_id, sha256, status, coalesce(accession_number, ''), coalesce(document_id, ''),
     coalesce(patient_id, '00000000-0000-0000-0000-000000000000'), said_at);

create table saved_filter (
    id uuid primary key default gen_random_uuid(),
    establishment_id uuid not null references establishment,
    account_id uuid not null references account on delete cascade,
    name text not null,
    filter jsonb not null,
    created_at timestamptz not null default now(),
    unique (account_id, name)
);

create function case_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('sgi_case', new.establishment_id || ' ' || new.id);
    return null;
end $$;
create trigger case_changed after insert or update on lab_case
    for each row execute function case_changed();
"""

WALL = """
alter table {table} enable row level security;
create policy own_establishment on {table}
    using (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid)
    with check (establishment_id = nullif(current_setting('sgi.establishment', true), '')::uuid);
grant select, insert, update on {table} to sgi_app;
"""

# How a case is found by words. The two that search run as the owner, since row-level security keeps
# an index on words from being used; they ask for the establishment themselves, as the wall does.
FUNCTIONS = r"""
create function folded(said text) returns text
    language sql immutable strict parallel safe
    as $$ select lower(regexp_replace(normalize(translate(
        replace(replace(replace(replace(replace(said, 'œ', 'oe'), 'Œ', 'OE'), 'æ', 'ae'),
            'Æ', 'AE'), 'ß', 'ss'), 'łŁøØđĐıħĦ', 'lLoOdDihH'), NFKD),
        '[\u0300-\u036f]', '', 'g')) $$;

-- The words of a text, and the text as one word where it has several parts, such as "B23-17890".
create function search_words(said text, whole boolean) returns text[]
    language sql immutable strict parallel safe
    as $$ select array(
        select left(word, 60) from regexp_split_to_table(folded(said), '[^a-z0-9]+') word
        where word <> ''
        union
        select left(regexp_replace(folded(said), '[^a-z0-9]+', '', 'g'), 60)
        where whole and folded(said) ~ '[a-z0-9]') $$;

-- Of a closed case: the month in which it was received, of 30.4375 days.
create function words_month(at timestamptz) returns integer
    language sql immutable parallel safe
    as $$ select greatest(1, least(4095, floor(extract(epoch from at) / 2629800)))::integer $$;

create function words_begin(establishment uuid, is_open boolean, at timestamptz) returns text
    language sql immutable parallel safe
    as $$ select left(md5(establishment::text), 3) || case when is_open then '000' else
        lpad(to_hex(words_month(at)), 3, '0') end $$;

-- `wanted`: words, each the beginning of one of the case's, and "=..." for a whole one.
create function words_query(begin_with text, wanted text[]) returns tsquery
    language sql immutable parallel safe
    as $$ select string_agg(
        '''' || begin_with || word
            || case when word like '=%' then '''' else ''':*' end, ' & '
        )::tsquery
    from unnest(wanted) word where word ~ '^=?[a-z0-9]+$' $$;

-- Whole words begin with "=": an organ, a service, and what else a search is narrowed to.
create function refresh_case_words(wanted uuid[]) returns void language sql as $$
    with recursive same as (
        select distinct c.patient_id as of, c.patient_id as id, 0 as depth from lab_case c
        where c.id = any(wanted) and c.patient_id is not null
        union
        select same.of, p.merged_into, depth + 1 from patient p join same on p.id = same.id
        where p.merged_into is not null and depth < 20),
    of_patients as materialized (
        select of, array_agg(distinct word) as words from (
            select same.of, search_words(concat_ws(' ', p.birth_name, p.first_given_name,
                    p.given_names, p.used_name, p.used_given_name), false)
                || to_char(p.birth_date, 'YYYYMMDD') as words
            from same join patient p on p.id = same.id
            union all
            select same.of, search_words(i.value, true)
            from same join patient_identifier i on i.patient_id = same.id) told,
            unnest(told.words) word
        where word is not null group by of)
    insert into case_words (case_id, establishment_id, received_at, words)
    select c.id, c.establishment_id, c.received_at, array_to_tsvector(array(
        select words_begin(c.establishment_id, c.open, c.received_at) || left(word, 62) from (
            select unnest(search_words(c.accession_number, true))
            union
            select unnest(search_words(number, true)) from unnest(array[
                nullif(c.placer_number, c.accession_number),
                nullif(c.filler_number, c.accession_number)]) number
            union
            select unnest(search_words(concat_ws(' ', array_to_string(c.organs, ' '),
                array_to_string(c.stains, ' '), c.service ->> 'text', c.service ->> 'code'), false))
            union
            select '=o' || regexp_replace(folded(organ), '[^a-z0-9]+', '', 'g')
                from unnest(c.organs) organ
            union
            select unnest(of_patients.words)) said (word)
        where word is not null limit 400)
        || array(select words_begin(c.establishment_id, c.open, c.received_at) || left(word, 62)
            from unnest(array[
                '=s' || regexp_replace(folded(c.service ->> 'code'), '[^a-z0-9]+', '', 'g'),
                '=a' || left(c.account_id::text, 8), '=g' || left(c.group_id::text, 8),
                case when c.priority <> 'R' then '=p' || lower(c.priority) end,
                case when c.extemporane then '=x' end,
                case when c.state = 'cancelled' then '=c' end]) word
            where word is not null))
    from lab_case c left join of_patients on of_patients.of = c.patient_id
    where c.id = any(wanted)
    on conflict (case_id) do update
        set received_at = excluded.received_at, words = excluded.words
        where (case_words.received_at, case_words.words)
            is distinct from (excluded.received_at, excluded.words)
$$;

create function case_said() returns trigger language plpgsql as $$
begin
    perform refresh_case_words(array[new.id]);
    return null;
end $$;
create trigger case_said_first after insert on lab_case
    for each row execute function case_said();
create trigger case_said_later after update on lab_case for each row
    when (old.open <> new.open or old.received_at <> new.received_at
          or old.patient_id is distinct from new.patient_id or old.organs <> new.organs
          or old.stains <> new.stains or old.service is distinct from new.service
          or old.placer_number is distinct from new.placer_number
          or old.filler_number is distinct from new.filler_number
          or old.account_id is distinct from new.account_id
          or old.group_id is distinct from new.group_id or old.priority <> new.priority
          or old.extemporane <> new.extemporane
          or (old.state = 'cancelled') <> (new.state = 'cancelled'))
    execute function case_said();

create function cases_of_patient_said(changed uuid) returns void language sql as $$
    with recursive same as (
        select changed as id
        union
        select p.id from patient p join same on p.merged_into = same.id)
    select refresh_case_words(array(
        select c.id from same join lab_case c on c.patient_id = same.id))
$$;

create function patient_said() returns trigger language plpgsql as $$
begin
    perform cases_of_patient_said(new.id);
    return null;
end $$;
create trigger patient_said after update on patient for each row
    when ((old.birth_name, old.first_given_name, old.given_names, old.used_name,
           old.used_given_name, old.birth_date, old.merged_into)
        is distinct from (new.birth_name, new.first_given_name, new.given_names, new.used_name,
           new.used_given_name, new.birth_date, new.merged_into))
    execute function patient_said();

create function patient_identifier_said() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then perform cases_of_patient_said(old.patient_id); end if;
    if tg_op <> 'DELETE' then perform cases_of_patient_said(new.patient_id); end if;
    return null;
end $$;
create trigger patient_identifier_said after insert or delete on patient_identifier
    for each row execute function patient_identifier_said();
create trigger patient_identifier_said_later after update on patient_identifier for each row
    when ((old.patient_id, old.value) is distinct from (new.patient_id, new.value))
    execute function patient_identifier_said();

-- Open cases that have all the words.
create function open_cases_found(wanted text[], most integer) returns setof uuid
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select w.case_id from case_words w, (select nullif(
            current_setting('sgi.establishment', true), '')::uuid as establishment_id) own
        where w.establishment_id = own.establishment_id
          and w.words @@ words_query(words_begin(own.establishment_id, true, null), wanted)
        limit most
    $$;

-- Closed cases that have all the words, received within a time, the newest first: month by
-- month, but for those without a case, until there are enough. The index is asked for the `first`
-- of the words `indexed`, and the others are looked for in what it finds; where that is more than
-- is `few` with so many words, for one word more, from then on. A month of which `much` is found
-- with all of them is gone through in its order instead.
create function closed_cases_found(
    wanted text[], indexed text[], first integer, since timestamptz, until timestamptz,
    enough integer, few integer[], much integer)
    returns table (id uuid, at timestamptz)
    language plpgsql stable security definer set search_path = public, pg_temp
    as $$
declare
    own uuid := nullif(current_setting('sgi.establishment', true), '')::uuid;
    oldest timestamptz;
    newest timestamptz;
    number integer;
    -- As texts, of which a month makes its own sooner than the function would.
    of_all text := words_query('@', wanted)::text;
    of_some text := words_query('@', indexed[1:first])::text;
    begin_with text;
    whole tsquery;
    part tsquery;
    most integer;
    ids uuid[];
    times timestamptz[];
    found_now integer;
    found_all integer := 0;
begin
    select greatest(min(received_at), since) into oldest from lab_case
        where establishment_id = own;
    select least(until, max(received_at)) into newest from lab_case where establishment_id = own;
    while newest >= oldest loop
        number := words_month(newest);
        begin_with := words_begin(own, false, newest);
        whole := replace(of_all, '@', begin_with)::tsquery;
        loop
            part := replace(of_some, '@', begin_with)::tsquery;
            most := case when first < cardinality(indexed) then few[first] else much end;
            -- As a function, the second comparison is none that the index is asked for.
            select array_agg(case_id) filter (where fits),
                array_agg(received_at) filter (where fits), count(*) into ids, times, found_now
                from (select w.case_id, w.received_at, ts_match_vq(w.words, whole)
                          and w.received_at between oldest and until as fits
                      from case_words w
                      where w.establishment_id = own and w.words @@ part
                      limit most) some_of_them;
            exit when found_now < most or first >= cardinality(indexed);
            first := first + 1;
            of_some := words_query('@', indexed[1:first])::text;
        end loop;
        if found_now < most then
            return query select * from unnest(ids, times);
            found_now := coalesce(cardinality(ids), 0);
        else
            return query select w.case_id, w.received_at from case_words w
                where w.establishment_id = own and ts_match_vq(w.words, whole)
                  and w.received_at between oldest and newest
                  and (number = 1 or w.received_at >= to_timestamp(2629800::float8 * number))
                order by w.received_at desc, w.case_id desc
                limit enough - found_all;
            get diagnostics found_now = row_count;
        end if;
        found_all := found_all + found_now;
        -- All that is before the second month of 1970, or after 2311, has the same letters.
        exit when found_all >= enough or number = 1;
        select max(received_at) into newest from lab_case
            where establishment_id = own and received_at < to_timestamp(2629800::float8 * number);
    end loop;
end $$;
"""

GRANTS = """
revoke all on function open_cases_found, closed_cases_found from public;
grant execute on function open_cases_found, closed_cases_found to sgi_app;
grant delete on group_member, professional, assignment_rule, turnaround_target, saved_filter,
    pathologist_group to sgi_app;
revoke update on case_history from sgi_app;
"""
