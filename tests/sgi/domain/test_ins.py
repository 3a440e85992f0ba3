"""The matricule's key, against numbers that others have checked and against arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.ins import InsFault, ins_fault, is_unusual, key_of, matricule_fault
from sgi.domain.patient import INS_OIDS

SOUND = [
    "279035121518989",
    "274075176079430",
    "277010115400329",
    "260058815400233",
    "253072B07300470",
    "146026322000196",
    "248039263001064",
]
"""Published numbers of nobody."""

numbers = st.from_regex(r"[1-8][0-9]{4}([0-9]{2}|2A|2B)[0-9]{6}", fullmatch=True)


@pytest.mark.parametrize("matricule", SOUND)
def test_published_numbers_are_sound(matricule: str) -> None:
    assert matricule_fault(matricule) is None
    for oid in INS_OIDS:
        assert ins_fault(matricule, oid) is None


@pytest.mark.parametrize("matricule", SOUND)
def test_one_wrong_or_two_swapped_digits_are_seen(matricule: str) -> None:
    for place, digit in enumerate(matricule):
        if place in {5, 6} and "B" in matricule:
            continue
        for other in set("0123456789") - {digit}:
            changed = matricule[:place] + other + matricule[place + 1 :]
            assert matricule_fault(changed) is not None
    for place in range(12):
        pair = matricule[place : place + 2]
        if pair.isdigit() and pair[0] != pair[1]:
            swapped = matricule[:place] + pair[::-1] + matricule[place + 2 :]
            assert matricule_fault(swapped) is not None


@given(numbers)
def test_every_number_has_one_key(number: str) -> None:
    right = f"{number}{key_of(number):02}"
    assert 1 <= key_of(number) <= 97
    assert matricule_fault(right) is None
    keys = [key for key in range(100) if matricule_fault(f"{number}{key:02}") is None]
    assert keys == [key_of(number)]


def test_corsica_counts_as_nineteen_and_eighteen() -> None:
    assert key_of("253072A073004") == key_of("2530719073004")
    assert key_of("253072B073004") == key_of("2530718073004")


@pytest.mark.parametrize(
    "matricule",
    [
        "",
        "27903512151898",
        "2790351215189890",
        "2 79 03 51 215 189 89",
        "279032C21518989",
        "279035121518 89",
        "²79035121518989",
        "٢79035121518989",
        "A79035121518989",
        "253072b07300470",
    ],
)
def test_what_is_no_matricule_by_its_form(matricule: str) -> None:
    assert matricule_fault(matricule) is InsFault.FORM


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    assert matricule_fault(text) in {None, *InsFault}


@pytest.mark.parametrize("number", ["", "279035121518X", "٢790351215189", "27903512151898"])
def test_what_has_no_key(number: str) -> None:
    with pytest.raises(ValueError, match="13 digits"):
        key_of(number)


def test_roots() -> None:
    assert ins_fault(SOUND[0], "1.2.250.1.213.1.4.2") is InsFault.OBSOLETE
    assert ins_fault(SOUND[0], "1.2.3") is InsFault.ROOT
    assert ins_fault(SOUND[0][:-1] + "8", "1.2.250.1.213.1.4.8") is InsFault.KEY


def test_temporary_registrations_are_looked_at_not_refused() -> None:
    number = "3790351215189"
    assert matricule_fault(f"{number}{key_of(number):02}") is None
    assert is_unusual(number)
    assert not is_unusual(SOUND[0])
