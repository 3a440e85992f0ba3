"""Other people's readers find in our DICOM what was written."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from conformance.table import PAGE, make_table, row_of
from conformance.verdict import ABSENT, Verdict

# A pyramid's spool of built frames is closed by its finalizer, which Python remarks upon; the
# checkers have remarks of their own.
pytestmark = pytest.mark.filterwarnings("ignore")


def collection() -> Path | None:
    """The folder of slides beyond our own, where it is at hand."""
    data = os.environ.get("SGI_TEST_DATA")
    beside = Path(__file__).resolve().parents[3] / "shared" / "slides"
    folder = Path(data) if data else beside
    return folder if folder.is_dir() else None


@pytest.fixture(scope="module")
def table() -> Mapping[str, Mapping[str, Verdict]]:
    return make_table(collection())


def test_no_checker_objects(table: Mapping[str, Mapping[str, Verdict]]) -> None:
    objections = {
        (slide, checker): verdict.words
        for slide, row in table.items()
        for checker, verdict in row.items()
        if not verdict.passed
    }
    assert objections == {}


def test_our_own_slides_are_among_them(table: Mapping[str, Mapping[str, Verdict]]) -> None:
    assert sum(name.startswith("drawn") for name in table) == 4


def test_the_documented_table_is_this_one(table: Mapping[str, Mapping[str, Verdict]]) -> None:
    told = documented()
    for slide, row in table.items():
        if ABSENT not in row.values():
            assert told.get(slide) == row_of(slide, row), "run `python -m conformance`"


def test_every_documented_row_is_still_made(
    table: Mapping[str, Mapping[str, Verdict]],
) -> None:
    if collection() is None:
        drawn = {slide for slide in documented() if slide.startswith("drawn")}
        assert drawn == set(table)
        pytest.skip("the shared rows were not made: SGI_TEST_DATA names no folder of slides")
    assert list(documented()) == list(table), "run `python -m conformance`"


def documented() -> dict[str, str]:
    """The rows of the page by their slide."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return {line.removeprefix("| ").partition(" | ")[0]: line for line in lines[1:]}
