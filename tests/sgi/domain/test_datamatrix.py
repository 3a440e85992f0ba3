"""The INS datamatrix: read whatever its order, refused in one sentence, compared only."""

import contextlib
from dataclasses import replace
from datetime import date
from itertools import permutations
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgi.domain.datamatrix import (
    Whose,
    as_read,
    compare,
    identity_of,
    parse_datamatrix,
    whose,
)
from sgi.domain.patient import (
    Identifier,
    IdentifierKind,
    IdentityAttribute,
    Patient,
    Trait,
    Traits,
)
from sgi.domain.patient_codes import is_patient_code
from sgi.errors import UnreadableDatamatrixError

HEADER = b"IS01" + b"0" * 22
GS = b"\x1d"
INS = Identifier("279035121518989", "1.2.250.1.213.1.4.10", IdentifierKind.INS)
FIELDS = {
    "S1": b"279035121518989",
    "S2": b"1.2.250.1.213.1.4.10" + GS,
    "S3": b"CAMILLE ROSE" + GS,
    "S4": b"DUPONT-MARTIN" + GS,
    "S5": b"F",
    "S6": b"28-03-1979",
    "S7": b"2A004",
}
TRAITS = Traits(
    birth_name="DUPONT-MARTIN",
    first_given_name="CAMILLE",
    given_names="CAMILLE ROSE",
    sex="F",
    birth_date=date(1979, 3, 28),
    birth_place="2A004",
)


def written(**fields: bytes) -> bytes:
    return HEADER + b"".join(tag.encode() + value for tag, value in (FIELDS | fields).items())


def test_every_field_is_read() -> None:
    identity = parse_datamatrix(written())
    assert identity.identifiers == (INS,)
    assert identity.traits == TRAITS
    assert identity.status is None, "a scan proves nothing"


def test_the_published_example(interop: Path) -> None:
    identity = parse_datamatrix((interop / "identity" / "ins-datamatrix.bin").read_bytes())
    assert identity.ins == INS
    assert identity.traits.birth_name == "PAT-TROIS"
    assert identity.traits.given_names == "DOMINIQUE MARIE-LOUISE"


def test_fields_come_in_any_order() -> None:
    for order in permutations(FIELDS, 7):
        raw = HEADER + b"".join(tag.encode() + FIELDS[tag] for tag in order)
        assert parse_datamatrix(raw).traits == TRAITS


def test_the_last_field_needs_no_separator_and_a_full_one_has_none() -> None:
    longest = b"A" * 100
    raw = HEADER + b"S1279035121518989S21.2.250.1.213.1.4.8" + GS + b"S4" + longest + b"S3CAMILLE"
    identity = parse_datamatrix(raw)
    assert identity.traits.birth_name == longest.decode()
    assert identity.traits.given_names == "CAMILLE"
    assert identity.ins == replace(INS, assigner="1.2.250.1.213.1.4.8")


def test_what_is_left_open_stays_open() -> None:
    raw = HEADER + b"S1279035121518989S21.2.250.1.213.1.4.10S6" + b"00-03-1979" + b"S3" + GS
    assert parse_datamatrix(raw).traits == Traits()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"26P00123.A.01.01",
        HEADER,
        HEADER + b"S2" + FIELDS["S2"],
        HEADER + b"S1279035121518989",
        written(S1=b"279035121518988"),
        written(S1=b"27903512151898"),
        written(S2=b"1.2.250.1.213.1.4.2" + GS),
        written(S2=b"1.2.3" + GS),
        written(S4=b"A" * 101),
        written(S4=b"DUP\x00ONT" + GS),
        written(S5=b""),
        written() + b"S5M",
        written() + b"S9x",
        written() + b"S",
        written() + b"S3" + b"A" * 600,
        written().replace(b"IS01", b"IS02"),
        written().replace(b"IS01", b"is01"),
    ],
)
def test_what_is_not_one_is_refused_in_a_sentence(raw: bytes) -> None:
    with pytest.raises(UnreadableDatamatrixError, match=r"^[A-Z].*; .*\.$"):
        parse_datamatrix(raw)


@settings(max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 200), st.integers(0, 40))
def test_damage_is_a_value_or_the_one_error(noise: bytes, place: int, gone: int) -> None:
    whole = written()
    raw = whole[:place] + noise + whole[place + gone :]
    with contextlib.suppress(UnreadableDatamatrixError):
        assert parse_datamatrix(raw).ins is not None


def test_a_barcode_of_another_kind_is_known_for_none() -> None:
    assert is_patient_code(written().decode())
    assert is_patient_code((HEADER + b"damaged").decode())
    assert not is_patient_code("IS0123")


def test_a_scan_is_only_compared() -> None:
    identity = parse_datamatrix(written())
    patient = Patient(uuid4(), (Identifier("1", "CHU-X"), INS), TRAITS)
    assert compare(identity, patient) == ()
    short = replace(patient, traits=replace(TRAITS, given_names="CAMILLE"))
    assert compare(identity, short) == ()
    other = replace(INS, value="274075176079430")
    stranger = Patient(uuid4(), (other,), replace(TRAITS, sex="M", birth_name="DURAND"))
    assert set(compare(identity, stranger)) == {Trait.SEX, Trait.BIRTH_NAME, Trait.INS}
    swapped = replace(patient, traits=replace(TRAITS, given_names="ROSE CAMILLE"))
    assert compare(identity, swapped) == (Trait.GIVEN_NAMES,)
    assert compare(identity, Patient(uuid4(), ())) == ()


@pytest.mark.parametrize("mark", ["\x1d", "\u241d", "<GS>", "{GS}", "^]", " ", "|", "#", ""])
@pytest.mark.parametrize(("before", "after"), [("", ""), ("]d2", "\r\n"), ("", "\t")])
def test_a_hand_held_reader_writes_separators_as_it_can(mark: str, before: str, after: str) -> None:
    text = before + written().decode().replace("\x1d", mark) + after
    assert is_patient_code(text)
    identity = parse_datamatrix(as_read(text))
    assert identity.traits == TRAITS
    assert identity.ins == INS
    assert identity_of(["26P1", text, text]) == identity


def test_without_separators_fields_still_come_in_any_order() -> None:
    for order in permutations(FIELDS, 7):
        raw = HEADER + b"".join(tag.encode() + FIELDS[tag].rstrip(GS) for tag in order)
        assert parse_datamatrix(raw).traits == TRAITS


@pytest.mark.parametrize("text", ["", "26P1", "\u4e00" * 30, "x" * 601, "IS0123"])
def test_other_text_is_no_such_code(text: str) -> None:
    assert not is_patient_code(text)
    with pytest.raises(UnreadableDatamatrixError):
        parse_datamatrix(as_read(text))


@given(st.text(max_size=80), st.integers(0, 200))
def test_any_text_is_a_value_or_the_one_error(noise: str, place: int) -> None:
    text = written().decode()
    with contextlib.suppress(UnreadableDatamatrixError):
        parse_datamatrix(as_read(text[:place] + noise + text[place:]))


def test_labels_of_two_people_name_nobody() -> None:
    one, other = written().decode(), written(S5=b"M").decode()
    assert identity_of([one, other]) is None
    assert identity_of(["26P1", HEADER.decode() + "damaged"]) is None


def test_whose_a_code_is() -> None:
    scanned = parse_datamatrix(written())
    known = Patient(uuid4(), (INS,), TRAITS)
    assert whose(scanned, known) is Whose.SAME
    renamed = replace(known, traits=replace(TRAITS, birth_name="DURAND"))
    assert whose(scanned, renamed) is Whose.CANNOT_TELL, "the number is theirs, the name is not"
    without = replace(known, identifiers=())
    assert whose(scanned, without) is Whose.SAME
    homonym = replace(without, attributes=frozenset({IdentityAttribute.HOMONYM}))
    assert whose(scanned, homonym) is Whose.CANNOT_TELL
    assert whose(scanned, replace(renamed, identifiers=())) is Whose.ANOTHER
    assert whose(scanned, Patient(uuid4(), ())) is Whose.CANNOT_TELL
    new_number = (replace(INS, value="274075176079430"),)
    assert whose(scanned, replace(known, identifiers=new_number)) is Whose.CANNOT_TELL
    assert whose(scanned, Patient(uuid4(), new_number)) is Whose.ANOTHER
