"""The ids of a page of a worklist, words among what is asked.

Words that many cases have are found soon by looking through the list in its order; words that few
have, by their index. So the list is looked through for a while first, and only then the index is
asked: neither way has to find thousands for the sake of sixty.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.worklist_conditions import Conditions
from sgi.domain.case import CaseState, Priority
from sgi.domain.worklist import MOST_WORDS, CaseFilter, text_with_dates

_LOOKED_THROUGH = 250
_LOOKED_FURTHER = 1500
_MOST_FOUND = 30_000
_FEW = 4
_FEW_OF_ALL = 80
"""Cases of a month that take as long to read as the index of a word which all have (17,000 a month,
in a laboratory of a million slides a year)."""
_SHORT = {1: 0.5, 2: 0.2}
"""Of beginnings of so few characters, the share of cases that may have them in other years."""
_MUCH = 2500
_INDEXED = 0.6
"""The share of cases that may have a word which the index is asked for."""
_MOST_INDEXED = 4
_ENOUGH_MORE = 4
_FURTHER = 8
_LONGEST_WORD = 62


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Words that a case must have, as `search_words` makes them."""

    text: list[str]
    """Beginnings of the case's; of organ and service, whole words."""
    whole: list[str]
    """What the filter asks besides, as words: the list's conditions ask for it as well."""

    @property
    def all(self) -> list[str]:
        return self.text + self.whole


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
    if not wanted.text:
        return []
    looked = await _look_through(connection, asked, wanted.text, _LOOKED_THROUGH, limit)
    further = looked.until_enough(limit)
    if _LOOKED_THROUGH < further <= _LOOKED_FURTHER:
        looked = await _look_through(connection, asked, wanted.text, further, limit)
    if looked.is_all or len(looked.found) >= limit:
        return looked.found
    if asked.is_open:
        return await _by_index(connection, asked, wanted, limit)
    return await _by_index_of_all(connection, asked, wanted, looked, limit)


async def _wanted(connection: Connection, narrowed: CaseFilter) -> _Wanted | None:
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
    return _Wanted(words, list(_whole(narrowed)))


def _whole(narrowed: CaseFilter) -> Iterator[str]:
    if narrowed.account_id is not None:
        yield f"=a{narrowed.account_id}"[:10]
    if narrowed.group_id is not None:
        yield f"=g{narrowed.group_id}"[:10]
    if narrowed.priority not in (None, Priority.ROUTINE):
        yield f"=p{narrowed.priority}".lower()
    if narrowed.extemporane:
        yield "=x"
    if narrowed.states == (CaseState.CANCELLED,):
        yield "=c"


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
            order by {asked.order} limit %(limit)s""",  # noqa: S608 - `Conditions` holds fixed words; values are parameters
        {**asked.parameters, "limit": limit},
    )
    return [row["id"] for row in await cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the beginning of a list shows."""

    found: list[UUID]
    seen: int
    is_all: bool
    """Whether that was the whole list."""
    having: list[tuple[str, int]]
    """How many of the cases seen have each word, the rarest first; of words as rare, the longest,
    which is the beginning of fewer."""

    def until_enough(self, limit: int) -> int:
        """How many cases of the list probably have so many among them, with some to spare."""
        return 3 * limit * self.seen // (2 * len(self.found)) if self.found else 0

    def indexed(self) -> list[str]:
        """Words that the index may be asked for, the rarest first."""
        words = [word for word, n in self.having if n <= _INDEXED * self.seen]
        return words[:_MOST_INDEXED] or [self.having[0][0]]

    def few(self, word: str) -> int:
        """How many cases of a month are read rather than to ask the index for this word too."""
        share = max(dict(self.having)[word] / self.seen, _SHORT.get(len(word), 0.0))
        return max(_FEW, round(_FEW_OF_ALL * share))


async def _look_through(
    connection: Connection, asked: Conditions, wanted: list[str], most: int, limit: int
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
                    from generate_series(1, cardinality(%(wanted)s)) n) as having""",  # noqa: S608 - `Conditions` holds fixed words; values are parameters
        {**asked.parameters, "wanted": wanted, "looked": most, "limit": limit},
    )
    row = await cursor.fetchone()
    if row is None:
        return _Looked([], 0, is_all=True, having=[])
    having = sorted(
        zip(wanted, row["having"], strict=True), key=lambda each: (each[1], -len(each[0]))
    )
    return _Looked(row["found"], row["seen"], row["seen"] < most, having)


async def _by_index(
    connection: Connection, asked: Conditions, wanted: _Wanted, limit: int
) -> list[UUID]:
    found = "c.id in (select open_cases_found(%(wanted)s, %(most)s))"
    only = asked.narrowed(found, {"wanted": wanted.all, "most": _MOST_FOUND})
    return await _first(connection, only, limit)


async def _by_index_of_all(
    connection: Connection, asked: Conditions, wanted: _Wanted, looked: _Looked, limit: int
) -> list[UUID]:
    """Open ones and the newest closed ones; further back where other conditions leave too few.

    An open one that is older than the closed ones looked at may have others before it.
    """
    indexed = looked.indexed()
    enough = _ENOUGH_MORE * limit if asked.has_more else limit
    until = asked.parameters.get("after_0") or asked.parameters.get("received_before")
    while True:
        cursor = await connection.execute(
            f"""with found as materialized (
                    select id, at from closed_cases_found(%(wanted)s, %(indexed)s, %(first)s,
                        coalesce(%(since)s, '-infinity'::timestamptz),
                        coalesce(%(until)s, 'infinity'::timestamptz),
                        %(enough)s, %(few)s, %(much)s)),
                closed as materialized (select count(*) as n, min(at) as oldest from found)
                select array(
                    select c.id from lab_case c, closed where {asked.sql} and c.id in (
                        select id from found
                        union all select open_cases_found(%(wanted)s, %(most)s))
                      and (closed.n < %(enough)s or c.received_at >= closed.oldest)
                    order by {asked.order} limit %(limit)s) as ids,
                    (select n from closed) as n""",  # noqa: S608 - `Conditions` holds fixed words; values are parameters
            {
                **asked.parameters,
                "wanted": wanted.all,
                "indexed": wanted.whole + indexed,
                "first": len(wanted.whole) + 1,
                "since": asked.parameters.get("received_from"),
                "until": until,
                "enough": enough,
                "few": [_FEW] * len(wanted.whole) + [looked.few(word) for word in indexed[1:]],
                "much": _MUCH,
                "most": _MOST_FOUND,
                "limit": limit,
            },
        )
        row = await cursor.fetchone()
        if row is None:
            return []
        found = cast("list[UUID]", row["ids"])
        if len(found) >= limit or row["n"] < enough:
            return found
        enough *= _FURTHER
