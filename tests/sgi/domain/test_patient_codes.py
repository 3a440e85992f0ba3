"""A patient's INS code is known in whatever dress, and other words are not taken for one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.ins import key_of
from sgi.domain.patient_codes import (
    before_patient_code,
    holds_patient_code,
    identity_on,
    is_patient_code,
    is_withheld,
)

NIR = "279035121518989"
BODY = f"S1{NIR}S21.2.250.1.213.1.4.8\x1dS3DOMINIQUE\x1dS4PAT-TROIS\x1dS5FS628-03-1979S763220"
CODE = f"IS01{'0' * 22}{BODY}"
PACKED = base64.b64encode(CODE.encode()).decode()
DRESSES = {
    "as it is": CODE,
    "in a sentence": f"read: {CODE}.",
    "with marks": CODE.replace("\x1d", "<GS>"),
    "lower": CODE.lower(),
    "letters for digits": CODE.replace("0" * 22, "O" * 22),
    "no beginning": BODY,
    "a mark in the beginning": CODE.replace("IS01", "IS01<GS>"),
    "in lines": "\n".join(CODE[at : at + 9] for at in range(0, len(CODE), 9)),
    "broken": CODE[:40] + "\ufffd",
    "with gaps": "\ufffd".join(CODE),
    "two bytes a letter": "\0".join(CODE),
    "wide": CODE.translate({n: n + 0xFEE0 for n in range(33, 127)}),
    "base64": PACKED,
    "of a field": f"Barcode={PACKED}",
    "of an element": f"<Barcode>{PACKED}</Barcode>",
    "after letters": f"Barcode {PACKED}",
    "base64 of URLs": base64.urlsafe_b64encode(("\x7f?>" * 3 + CODE).encode()).decode(),
    "base64 in lines": "\n".join(PACKED[at : at + 20] for at in range(0, len(PACKED), 20)),
    "twice": base64.b64encode(PACKED.encode()).decode(),
    "UTF-16 in base64": base64.b64encode(CODE.encode("utf-16")).decode(),
    "hexadecimal": CODE.encode().hex(),
    "hexadecimal apart": CODE.encode().hex(":").upper(),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_a_patients_code_is_known(dress: str) -> None:
    assert is_patient_code(DRESSES[dress])
    assert holds_patient_code(DRESSES[dress])
    assert is_withheld(DRESSES[dress], of_patient=True)
    assert before_patient_code(DRESSES[dress]) is not None


@pytest.mark.parametrize("dress", ["as it is", "with marks", "base64", "hexadecimal"])
def test_whom_it_names_is_read(dress: str) -> None:
    identity = identity_on(["26P1", DRESSES[dress]])
    assert identity
    assert identity.ins
    assert (identity.ins.value, identity.traits.birth_name) == (NIR, "PAT-TROIS")
    other = CODE.replace("PAT-TROIS", "AUTRE")
    assert identity_on([DRESSES[dress], other]) is None


@pytest.mark.parametrize(
    "words", [NIR, f"NIR {NIR}", "2 79 03 51 215 189 89", "2-79-03-51-215-189-89", f"x\n{NIR}\ny"]
)
def test_a_matricule_alone_is_told_to_nobody_and_may_be_a_glass(words: str) -> None:
    assert holds_patient_code(words)
    assert not is_patient_code(words)
    assert is_withheld(words, of_patient=False)
    assert not is_withheld(words, of_patient=True), "there it says who the patient is"


@pytest.mark.parametrize(
    "words",
    [
        "",
        "26P00135.A.1.1",
        "279035121518988",
        f"1{NIR}",
        f"{NIR}0",
        f"1.2.276.0.{NIR}.1",
        "979035121518989",
        "IS0123",
        "0" * 60,
        "x" * 3000,
        "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkI",
    ],
)
def test_other_words_are_not_taken_for_one(words: str) -> None:
    assert not holds_patient_code(words)
    assert before_patient_code(words) is None
    assert identity_on([words]) is None


@pytest.mark.parametrize(
    ("words", "before"),
    [
        (f"26P1\n{CODE}\nDUPONT", "26P1"),
        (CODE, ""),
        (f"26P1 {BODY}", ""),
        (f"{NIR} {CODE}", ""),
    ],
)
def test_what_stands_before_is_told_where_one_sees_it(words: str, before: str) -> None:
    assert before_patient_code(words) == before


@given(st.integers(10**6, 4 * 10**6 - 1), st.sampled_from("12"), st.binary(max_size=30))
def test_no_right_matricule_is_told_whatever_is_around_it(
    rest: int, sex: str, noise: bytes
) -> None:
    number = f"{sex}7903{rest:08d}"
    matricule = f"{number}{key_of(number):02d}"
    packed = base64.b64encode(noise + f"S1{matricule}S2".encode()).decode()
    assert holds_patient_code(packed)
    assert holds_patient_code(f"n {matricule} n")


@given(st.text(max_size=200))
def test_any_text_is_an_answer(text: str) -> None:
    assert (before_patient_code(text) is None) != holds_patient_code(text)
