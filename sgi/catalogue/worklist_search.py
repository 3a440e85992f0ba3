"""The ids of a page of a worklist, words among what is asked.

Words that many cases have are found soon by looking through the list in its order; words that few
have, by their index. So the list is looked through for a while first, and only then the index is
asked: neither way has to find thousands for the sake of sixty.
"""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.worklist_conditions import Conditions
from sgi.domain.worklist import MOST_WORDS, CaseFilter, text_with_dates

_LOOKED_THROUGH = 250
_MOST_FOUND = 30_000
_ENOUGH = 2000
_MUCH = 2500
_RARE = 0.05
"""The share of cases that may have a word which the index is asked for: of more, reading where they
are takes longer than to look into what the other words find."""
_FURTHER = 8
_LONGEST_WORD = 62


async def ids(
    connection: Connection, asked: Conditions, narrowed: CaseFilter, limit: int
) -> list[UUID]:
    """Of the first cases of a list, in its order."""
    wanted = await _wanted(connection, narrowed)
    if wanted is None:
        return await _first(connection, asked, limit)
    if narrowed.text is not None:
        labelled = await _labelled(connection, narrowed.text)
        if labelled:
            only = asked.narrowed("c.id = any(%(labelled)s)", {"labelled": labelled})
            return await _first(connection, only, limit)
    if not wanted:
        return []
    looked = await _look_through(connection, asked, wanted, limit)
    if looked.is_all or len(looked.found) >= limit:
        return looked.found
    if asked.is_open:
        return await _by_index(connection, asked, wanted, limit)
    return await _by_index_of_all(connection, asked, wanted, looked.rare, limit)


async def _wanted(connection: Connection, narrowed: CaseFilter) -> list[str] | None:
    """The words that a case must have; None where nothing is asked by words."""
    if narrowed.text is None and narrowed.organ is None and narrowed.service is None:
        return None
    cursor = await connection.execute(
        """select search_words(%(text)s, false) as words,
               regexp_replace(folded(%(organ)s), '[^a-z0-9]+', '', 'g') as organ,
               regexp_replace(folded(%(service)s), '[^a-z0-9]+', '', 'g') as service""",
        {
            "text": text_with_dates(narrowed.text or ""),
            "organ": narrowed.organ,
            "service": narrowed.service,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    words: list[str] = sorted(row["words"], key=len, reverse=True)[:MOST_WORDS]
    for mark, name in (("=o", "organ"), ("=s", "service")):
        if row[name] is not None:
            words.append((mark + row[name])[:_LONGEST_WORD])
    return words


async def _labelled(connection: Connection, text: str) -> list[UUID]:
    """Cases of which something has exactly this on its label."""
    cursor = await connection.execute(
        """select case_id from glass where identifier = %(text)s and case_id is not null
           union
           select case_id from specimen where kind in ('part', 'block')
               and identifier = %(text)s and case_id is not null""",
        {"text": text.strip()},
    )
    return [row["case_id"] for row in await cursor.fetchall()]


async def _first(connection: Connection, asked: Conditions, limit: int) -> list[UUID]:
    cursor = await connection.execute(
        f"""select c.id from lab_case c where {asked.sql}
            order by {asked.order} limit %(limit)s""",  # noqa: S608 - fixed words
        {**asked.parameters, "limit": limit},
    )
    return [row["id"] for row in await cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the beginning of a list shows."""

    found: list[UUID]
    is_all: bool
    """Whether that was the whole list."""
    rare: list[str]
    """Of the words wanted, those that few cases have; all of them where none is rare."""


async def _look_through(
    connection: Connection, asked: Conditions, wanted: list[str], limit: int
) -> _Looked:
    cursor = await connection.execute(
        f"""with looked as materialized (
                select c.id, words_begin(c.establishment_id, c.open, c.received_at) as begin_with,
                    row_number() over (order by {asked.order}) as place
                from lab_case c where {asked.sql} order by {asked.order} limit %(looked)s),
            queries as materialized (
                select begin_with, words_query(begin_with, %(wanted)s) as query,
                    array(select words_query(begin_with, array[word])
                        from unnest(%(wanted)s) with ordinality w (word, n) order by n) as each
                from (select distinct begin_with from looked) begins),
            read as materialized (
                select l.id, l.place, w.words @@ q.query as has_all,
                    array(select w.words @@ one from unnest(q.each) with ordinality e (one, n)
                        order by n) as has
                from looked l join queries q using (begin_with)
                    join case_words w on w.case_id = l.id)
            select array(select id from read where has_all order by place limit %(limit)s) as found,
                (select count(*) from looked) as seen,
                array(select (select count(*) filter (where has[n]) from read)
                    from generate_series(1, cardinality(%(wanted)s)) n) as having""",  # noqa: S608
        {**asked.parameters, "wanted": wanted, "looked": _LOOKED_THROUGH, "limit": limit},
    )
    row = await cursor.fetchone()
    if row is None:
        return _Looked([], is_all=True, rare=wanted)
    most = _RARE * row["seen"]
    rare = [word for word, n in zip(wanted, row["having"], strict=True) if n <= most]
    return _Looked(row["found"], row["seen"] < _LOOKED_THROUGH, rare or wanted)


async def _by_index(
    connection: Connection, asked: Conditions, wanted: list[str], limit: int
) -> list[UUID]:
    found = "c.id in (select open_cases_found(%(wanted)s, %(most)s))"
    only = asked.narrowed(found, {"wanted": wanted, "most": _MOST_FOUND})
    return await _first(connection, only, limit)


async def _by_index_of_all(
    connection: Connection,
    asked: Conditions,
    wanted: list[str],
    rare: list[str],
    limit: int,
) -> list[UUID]:
    """Open ones and the newest closed ones; further back where other conditions leave too few.

    An open one that is older than the closed ones looked at may have others before it.
    """
    enough = max(_ENOUGH, limit) if asked.has_more else limit
    until = asked.parameters.get("after_0") or asked.parameters.get("received_before")
    while True:
        cursor = await connection.execute(
            f"""with found as materialized (
                    select id, at from closed_cases_found(%(wanted)s, %(rare)s,
                        coalesce(%(since)s, '-infinity'::timestamptz),
                        coalesce(%(until)s, 'infinity'::timestamptz), %(enough)s, %(much)s)),
                closed as materialized (select count(*) as n, min(at) as oldest from found)
                select array(
                    select c.id from lab_case c, closed where {asked.sql} and c.id in (
                        select id from found
                        union all select open_cases_found(%(wanted)s, %(most)s))
                      and (closed.n < %(enough)s or c.received_at >= closed.oldest)
                    order by {asked.order} limit %(limit)s) as ids,
                    (select n from closed) as n""",  # noqa: S608 - fixed words
            {
                **asked.parameters,
                "wanted": wanted,
                "rare": rare,
                "since": asked.parameters.get("received_from"),
                "until": until,
                "enough": enough,
                "much": _MUCH,
                "most": _MOST_FOUND,
                "limit": limit,
            },
        )
        row = await cursor.fetchone()
        if row is None:
            return []
        found = cast("list[UUID]", row["ids"])
        if len(found) >= limit or row["n"] < enough or enough > _MOST_FOUND:
            return found
        enough *= _FURTHER
