"""Text is folded in one way, here and in the database."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.catalogue.database import Database
from sgi.domain.assignment import AssignmentRule, CaseTraits, To, first_that_fits
from sgi.domain.case import Priority
from sgi.domain.folding import plain
from sgi.domain.patient import folded

LETTERS = "".join(map(chr, range(0xC0, 0x180))) + string.ascii_letters + " -'’\u0301\u0327ﬁ"


@pytest.mark.parametrize(
    ("text", "folds"),
    [("Cœur", "coeur"), ("ŒSOPHAGE", "oesophage"), ("Łódź", "lodz"), ("Straße", "strasse")],
)
def test_ligatures_strokes_and_accents(text: str, folds: str) -> None:
    assert plain(text) == folds
    assert folded(text) == folds.upper()


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert plain(plain(text)) == plain(text)


def test_the_database_folds_alike(run: Any, database: Database, here: Any) -> None:
    async def ask() -> list[tuple[str, str]]:
        async with database.transaction(here.id) as connection:
            cursor = await connection.execute(
                "select text, folded(text) as folds from unnest(%s::text[]) text", [list(LETTERS)]
            )
            return [(row["text"], row["folds"]) for row in await cursor.fetchall()]

    apart = [(text, folds, plain(text)) for text, folds in run(ask()) if folds != plain(text)]
    assert apart == []


def test_a_rule_finds_an_organ_however_it_is_written() -> None:
    rule = AssignmentRule(1, To(), organ="oesophage")
    traits = CaseTraits(("Bas ŒSOPHAGE",), None, Priority.ROUTINE, extemporane=False)
    assert first_that_fits([rule], traits) is rule
