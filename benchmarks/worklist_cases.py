"""Cases of a laboratory's ten years, made in the database itself: nobody's, and none like another.

A case has four glass slides. Names, organs and stains are as uneven as in life: a few surnames are
everywhere, most are rare. The cases of the last fortnight and a few stragglers are open. A second
establishment has a tenth as many, so that the walls have something to keep out.
"""

from uuid import UUID

import psycopg

from benchmarks.run import say

SLIDES_A_CASE = 4
NAMES = 20_000
GIVEN = 400
PATHOLOGISTS = 25
GROUPS = 5

_SET_UP = """
create temp table names as
    select n, initcap(
        (array['mar','ber','du','le','ro','mo','gar','fon','che','per','gi','bou','la','car','lam',
            'vin','mou','bar','fer','de'])[1 + n %% 20]
        || (array['tin','nard','bois','fèvre','ger','reau','nier','taine','va','rin','rard','cher',
            'court','pen','bert','cent','lin','bier','rand','lmas'])[1 + n / 20 %% 20]
        || case when n < 400 then '' else (array['eau','ot','et','ard','in','ier','y','é','on',
            'as'])[1 + n / 400 %% 10] || case when n < 4000 then '' else
            (array['ville','mont','s','le','x'])[1 + n / 4000 %% 5] end end) as name
    from generate_series(0, 19999) n;
create temp table given as
    select n, initcap((array['marie','jean','pierre','anne','paul','léa','luc','rené','zoé','hugo',
        'inès','noël','rose','guy','eve','ali','maud','yves','lou','max'])[1 + n %% 20]
        || case when n < 20 then '' else '-' || (array['claude','louis','rose','paul','anne','luc',
        'jo','lise','marc','eve','ange','yann','noé','may','guy','léo','zoé','pia','tom','ida'])
        [1 + n / 20 %% 20] end) as name from generate_series(0, 399) n;
create unique index on names (n); create unique index on given (n); analyze names; analyze given;
"""

_PEOPLE = """
insert into account (establishment_id, name, role, password_hash)
    select %(establishment)s, 'pathologist ' || n || ' ' || %(establishment)s, 'pathologist', ''
    from generate_series(1, %(pathologists)s) n;
insert into pathologist_group (establishment_id, name)
    select %(establishment)s, 'group ' || n from generate_series(1, %(groups)s) n;
insert into group_member (group_id, account_id, establishment_id)
    select g.id, a.id, %(establishment)s
    from (select id, row_number() over (order by name) as n from account
          where establishment_id = %(establishment)s) a
    join (select id, row_number() over (order by name) as n from pathologist_group
          where establishment_id = %(establishment)s) g on g.n = 1 + a.n %% %(groups)s;
"""

# `n` counts back from now: case 1 is the newest.
_CASES = """
create temp table drawn as
    select n, gen_random_uuid() as case_id, gen_random_uuid() as patient_id,
        now() - interval '10 years' * (n::float8 / %(cases)s) as received_at,
        (20000 * power(random(), 3))::int %% 20000 as surname,
        (400 * random() * random())::int %% 400 as given,
        1 + (40 * random() * random())::int %% 40 as organ,
        1 + (30 * random() * random())::int %% 30 as stain, random() as urgent, random() as cold,
        case when n < %(cases)s * 14 / 3650 then random() else random() / 600 + case
            when random() < 0.002 then 0 else 1 end end as stage,
        random() as one, random() as other, date '1925-01-01' + (36000 * random())::int as born
    from generate_series(%(first)s::int, %(last)s::int) n;
insert into patient (id, establishment_id, birth_name, first_given_name, sex, birth_date, status)
    select patient_id, %(establishment)s, upper(s.name), upper(g.name),
        case when one < 0.5 then 'F' else 'M' end, born, 'VALI'
    from drawn join names s on s.n = surname join given g on g.n = given;
insert into patient_identifier (establishment_id, patient_id, kind, assigner, value)
    select %(establishment)s, patient_id, 'PI', 'CHU', lpad(n::text, 9, '0') from drawn;
insert into lab_case (id, establishment_id, accession_number, filler_number, patient_id, state,
        priority, extemporane, study_uid, account_id, group_id, received_at, due_at, said_at,
        signed_out_at, held_at, expected, scanned, rescans, organs, stains, service)
    select case_id, %(establishment)s, accession, accession, patient_id, state,
        case when urgent < 0.02 then 'S' when urgent < 0.08 then 'A' else 'R' end, cold < 0.02,
        case_id::text,
        case when one < 0.75 or state in ('signed_out', 'reading', 'reported') then
            (%(accounts)s::uuid[])[1 + (other * %(pathologists)s)::int %% %(pathologists)s] end,
        case when one between 0.6 and 0.9 then
            (%(group_ids)s::uuid[])[1 + (other * %(groups)s)::int %% %(groups)s] end,
        received_at, received_at + interval '7 days', received_at,
        case when state = 'signed_out' then received_at + interval '5 days' * (0.5 + one) end,
        case when one < 0.02 then received_at end, 4, 4, (other < 0.02)::int,
        array['Organe ' || organ], array['HES', 'Coloration ' || stain],
        '{"code": "ACP", "text": "Anatomie pathologique"}'
    from (select *, to_char(received_at, 'YY') || 'P' || lpad(n::text, 8, '0') as accession,
              case when stage >= 1 then case when cold > 0.99 then 'cancelled' else 'signed_out' end
                  when stage < 0.1 then 'received' when stage < 0.3 then 'in_progress'
                  when stage < 0.6 then 'ready' when stage < 0.9 then 'reading'
                  else 'reported' end as state
          from drawn) told;
insert into case_words (case_id, establishment_id, received_at, words)
    select c.id, c.establishment_id, c.received_at, array_to_tsvector(array(
        select words_begin(c.establishment_id, c.open, c.received_at) || word from unnest(
            array[lower(c.accession_number), lpad(d.n::text, 9, '0'), to_char(born, 'YYYYMMDD'),
                'organe', organ::text, '=oorgane' || organ, 'hes', 'coloration', stain::text, 'acp',
                'anatomie', 'pathologique', '=sacp']
            || search_words(s.name, false) || search_words(g.name, false)
            || array['=a' || left(c.account_id::text, 8), '=g' || left(c.group_id::text, 8),
                case when c.priority <> 'R' then '=p' || lower(c.priority) end,
                case when c.extemporane then '=x' end,
                case when c.state = 'cancelled' then '=c' end]) word where word is not null))
    from drawn d join lab_case c on c.id = d.case_id
        join names s on s.n = surname join given g on g.n = given;
insert into specimen (establishment_id, case_id, kind, identifier, said, said_at)
    select %(establishment)s, case_id, 'part', accession || '.A', '{}', c.received_at
    from drawn d join lab_case c on c.id = d.case_id,
        lateral (select c.accession_number) a (accession);
insert into glass (establishment_id, case_id, identifier, parent_identifier, stains, said_at)
    select %(establishment)s, case_id, c.accession_number || '.A.01.0' || g,
        c.accession_number || '.A.01', '[{"code": "HES"}]', c.received_at
    from drawn d join lab_case c on c.id = d.case_id, generate_series(1, %(slides)s) g;
drop table drawn;
"""

_TABLES = (
    "patient",
    "patient_identifier",
    "lab_case",
    "case_words",
    "specimen",
    "glass",
)
_A_TIME = 100_000


_HOUSES = (("Laboratoire", 10), ("Autre laboratoire", 1))
"""With their parts of the slides."""


def make_cases(
    connection: "psycopg.Connection[tuple[object, ...]]", slides: int, *, alone: bool = False
) -> UUID:
    """Fill an empty catalogue, as its owner; returns the establishment that has nearly all, or, if
    it is `alone`, all.
    """
    connection.autocommit = True
    connection.execute("set synchronous_commit = off")
    connection.execute("set maintenance_work_mem = '1GB'")
    connection.execute("set session_replication_role = replica")  # no triggers: words are made here
    _run(connection, _SET_UP, {})
    indexes = _without_indexes(connection)
    ids = []
    for name, part in _HOUSES[:1] if alone else _HOUSES:
        ids.append(
            _one(connection, "insert into establishment (name) values (%s) returning id", name)
        )
        _fill(connection, ids[-1], slides * part // 11 // SLIDES_A_CASE)
    for number, definition in enumerate(indexes):
        say(f"index {number + 1} of {len(indexes)}")
        connection.execute(definition.encode())
    say("vacuum")
    for table in (*_TABLES, "account", "group_member"):
        connection.execute(f"vacuum analyze {table}".encode())
    connection.execute("checkpoint")
    return ids[0]


def _fill(
    connection: "psycopg.Connection[tuple[object, ...]]", establishment: UUID, cases: int
) -> None:
    told: dict[str, object] = {
        "establishment": establishment,
        "cases": cases,
        "pathologists": PATHOLOGISTS,
        "groups": GROUPS,
        "slides": SLIDES_A_CASE,
    }
    _run(connection, _PEOPLE, told)
    for key, table in (("accounts", "account"), ("group_ids", "pathologist_group")):
        rows = connection.execute(
            f"select id from {table} where establishment_id = %s order by name".encode(),
            [establishment],
        ).fetchall()
        told[key] = [row[0] for row in rows]
    for first in range(1, cases + 1, _A_TIME):
        last = min(cases, first + _A_TIME - 1)
        say(f"cases {first:,} to {last:,} of {cases:,}")
        _run(connection, _CASES, {**told, "first": first, "last": last})


def _without_indexes(connection: "psycopg.Connection[tuple[object, ...]]") -> list[str]:
    """Drop what can be made again faster once all rows are there; returns how."""
    rows = connection.execute(
        """select indexname, indexdef from pg_indexes
           where tablename = any(%s) and indexname not in (select conname from pg_constraint)""",
        [list(_TABLES)],
    ).fetchall()
    for name, _ in rows:
        connection.execute(f'drop index "{name}"'.encode())
    return [str(definition) for _, definition in rows]


def _run(
    connection: "psycopg.Connection[tuple[object, ...]]",
    statements: str,
    parameters: dict[str, object],
) -> None:
    cursor = psycopg.ClientCursor(connection)
    cursor.execute(statements.encode(), parameters)


def _one(
    connection: "psycopg.Connection[tuple[object, ...]]", question: str, value: object
) -> UUID:
    row = connection.execute(question.encode(), [value]).fetchone()
    if row is None or not isinstance(row[0], UUID):
        raise TypeError("the question has no id for an answer")
    return row[0]
