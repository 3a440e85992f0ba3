"""A search through closed cases takes several months at once where few of them have its words."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(CLOSED_CASES)


# A question to the index about a month in which little is found costs more to ask than to answer.
# Without those two settings the planner takes several months for much, and reads the whole table.
CLOSED_CASES = """
create function words_of_months(said text, establishment uuid, first integer, last integer)
    returns tsquery language sql immutable parallel safe
    as $$ select string_agg('(' || replace(said, '@',
            left(md5(establishment::text), 3) || lpad(to_hex(month), 3, '0')) || ')', '|')::tsquery
        from generate_series(first, last) month $$;

-- Closed cases that have all the words, received within a time, the newest first: month by
-- month, but for those without a case, until there are enough. Where few are found, one month more
-- is taken with the next, up to three: the index reads all that these have of a word, and some
-- words are those of one year. Where that is much, the newest month is taken alone.
-- The index is asked for the `first` of the words `indexed`, and the others are looked for in what
-- it finds; where that is more than is `few` with so many words, for one word more, from then on.
-- A month of which `much` is found with all of them is gone through in its order instead.
create or replace function closed_cases_found(
    wanted text[], indexed text[], first integer, since timestamptz, until timestamptz,
    enough integer, few integer[], much integer)
    returns table (id uuid, at timestamptz)
    language plpgsql stable security definer set search_path = public, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan
    as $$
declare
    own uuid := nullif(current_setting('sgi.establishment', true), '')::uuid;
    oldest timestamptz;
    newest timestamptz;
    last integer;
    months integer := 1;
    begun timestamptz;
    -- As texts, of which a month makes its own sooner than the function would.
    of_all text := words_query('@', wanted)::text;
    of_some text := words_query('@', indexed[1:first])::text;
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
        last := words_month(newest);
        months := least(months, last);
        loop
            whole := words_of_months(of_all, own, last - months + 1, last);
            part := words_of_months(of_some, own, last - months + 1, last);
            most := months * case when first < cardinality(indexed) then few[first] else much end;
            -- As a function, the second comparison is none that the index is asked for.
            select array_agg(case_id) filter (where fits),
                array_agg(received_at) filter (where fits), count(*) into ids, times, found_now
                from (select w.case_id, w.received_at, ts_match_vq(w.words, whole)
                          and w.received_at between oldest and until as fits
                      from case_words w
                      where w.establishment_id = own and w.words @@ part
                      limit most) some_of_them;
            exit when found_now < most;
            if months > 1 then
                months := 1;
                continue;
            end if;
            exit when first >= cardinality(indexed);
            first := first + 1;
            of_some := words_query('@', indexed[1:first])::text;
        end loop;
        begun := to_timestamp(2629800::float8 * (last - months + 1));
        if found_now < most then
            return query select * from unnest(ids, times);
            found_now := coalesce(cardinality(ids), 0);
        else
            return query select w.case_id, w.received_at from case_words w
                where w.establishment_id = own and ts_match_vq(w.words, whole)
                  and w.received_at between oldest and newest
                  and (last = 1 or w.received_at >= begun)
                order by w.received_at desc, w.case_id desc
                limit enough - found_all;
            get diagnostics found_now = row_count;
        end if;
        found_all := found_all + found_now;
        -- All that is before the second month of 1970, or after 2311, has the same letters.
        exit when found_all >= enough or last - months + 1 = 1;
        select max(received_at) into newest from lab_case
            where establishment_id = own and received_at < begun;
        months := least(months + 1, 3);
    end loop;
end $$;
"""
