"""Barcodes as scanners write them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.printed_code import code, code_in_base64


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), None),
        ((None, "", " \r\n\0"), None),
        (("", " 26H00123-A1 "), "26H00123-A1"),
        (("first", "second"), "first"),
    ],
)
def test_the_first_that_says_anything_counts(
    texts: tuple[str | None, ...], expected: str | None
) -> None:
    assert code(*texts) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ("MjZIMDAxMjMtQTE=", "26H00123-A1"),
        ("MjZIMDAxMjMtQTE=/", "26H00123-A1"),
        ("26H00123-A1", "26H00123-A1"),
        ("12345678", "12345678"),
        ("AAAA", None),
        ("SVMwMVMxeB1TMnk=", "IS01S1x\x1dS2y"),
        ("\n  MjZIMDAx\n  MjMtQTE=\n", "26H00123-A1"),
        ("26H\n00123", "26H\n00123"),
    ],
)
def test_base64_is_undone_where_it_is_base64(text: str | None, expected: str | None) -> None:
    assert code_in_base64(text) == expected


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1))
def test_what_was_packed_is_given_back(said: str) -> None:
    assert code_in_base64(base64.b64encode(said.encode()).decode()) == said


@given(st.text())
def test_any_text_gives_a_code_or_none(text: str) -> None:
    assert code_in_base64(text) != ""
