"""What labels read, and how near codes are to identifiers."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgi.domain.facts import SlideFacts
from sgi.domain.identification import (
    LONGEST_CODE,
    MOST_CODES,
    Unidentified,
    codes_of,
    contradicts,
    distance,
    folded,
    nothing_read,
    variants,
)

INS = "IS010000000000000000000000S1279035121518989S21.2.250.1.213.1.4.8"
LETTERS = st.text("0123456789ABC.-", min_size=1, max_size=12)


def facts(*barcodes: str, label: str | None = None, contradiction: bool = False) -> SlideFacts:
    return SlideFacts(
        format="x",
        pixel_spacing_mm=None,
        objective_power=None,
        scanned_at=None,
        manufacturer=None,
        model=None,
        serial_number=None,
        icc=False,
        metadata={},
        label_text=label,
        barcodes=barcodes,
        barcode_contradicts=contradiction,
    )


def reader(text: str) -> str | None:
    match = re.fullmatch(r"SGL;(?P<id>[^;]+);.*", text)
    return match["id"] if match else None


def test_codes_are_taken_whole_and_as_an_interface_reads_them() -> None:
    said = facts(" 26P1.A ", "SGL;26P2.B;x", INS)
    assert codes_of(said) == ("26P1.A", "SGL;26P2.B;x")
    assert codes_of(said, [reader]) == ("26P1.A", "SGL;26P2.B;x", "26P2.B")


def test_the_labels_text_counts_where_no_code_was_read_line_by_line() -> None:
    assert codes_of(facts(label="DUPONT Jean\n 26P1.A.1 \n")) == ("DUPONT Jean", "26P1.A.1")
    assert codes_of(facts("26P9", label="26P1.A.1")) == ("26P9",)


def test_codes_are_bounded() -> None:
    assert codes_of(facts("x" * (LONGEST_CODE + 1))) == ()
    many = facts(*[str(number) for number in range(40)])
    assert len(codes_of(many)) == MOST_CODES


def test_a_patients_datamatrix_names_no_glass() -> None:
    assert codes_of(facts(INS)) == ()
    assert nothing_read(facts(INS)) is Unidentified.PATIENT_CODE
    assert nothing_read(facts()) is Unidentified.NOTHING_READ


@pytest.mark.parametrize(
    ("codes", "said", "contradicted"),
    [
        (("A", "B"), True, True),
        (("A", "B"), False, False),
        (("26P2.B", "SGL;26P2.B;x"), True, False),
        (("a ", "A"), True, False),
    ],
)
def test_codes_contradict_where_they_have_nothing_in_common(
    codes: tuple[str, ...], said: bool, contradicted: bool
) -> None:
    assert contradicts(facts(*codes, contradiction=said), [reader]) is contradicted


@settings(max_examples=20, deadline=None)
@given(LETTERS)
def test_variants_are_at_one_edit_or_two_neighbours_swapped(code: str) -> None:
    for other in variants(code):
        assert distance(code, other) in {1, 2}
    assert folded(code) not in variants(code)


@settings(deadline=None)
@given(LETTERS, st.integers(0, 11), st.sampled_from("0123456789ABC.-"))
def test_every_single_misread_letter_is_a_variant(code: str, at: int, letter: str) -> None:
    at %= len(code)
    misread = code[:at] + letter + code[at + 1 :]
    if misread != code:
        assert misread in variants(code)


@given(LETTERS, LETTERS)
def test_distance_is_symmetric_and_zero_for_itself_alone(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (folded(one) == folded(other))


def test_distance_counts_up_to_its_bound() -> None:
    assert distance("26P1", "26P1X") == 1
    assert distance("26P1", "62P1") == 2
    assert distance("26P1", "99X9") is None
    assert distance("a", "abcd") is None
