"""What people write into the search."""

import pytest

from sgi.domain.worklist import text_with_dates


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("martin 12/03/1960", "martin 19600312"),
        ("1.3.1960", "19600301"),
        ("1960-03-12 sein", "19600312 sein"),
        ("B23-17890-A1", "B23-17890-A1"),
        ("26P00123", "26P00123"),
        ("12/03/60", "12/03/60"),
    ],
)
def test_dates_are_one_word(text: str, found: str) -> None:
    assert text_with_dates(text) == found
