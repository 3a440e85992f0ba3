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


@pytest.fixture(scope="module")
def table() -> Mapping[str, Mapping[str, Verdict]]:
    data = os.environ.get("SGI_TEST_DATA")
    beside = Path(__file__).resolve().parents[3] / "shared" / "slides"
    folder = Path(data) if data else beside
    return make_table(folder if folder.is_dir() else None)


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
    told = PAGE.read_text().splitlines()
    for slide, row in table.items():
        if ABSENT not in row.values():
            assert row_of(slide, row) in told, "run `python -m conformance`"
