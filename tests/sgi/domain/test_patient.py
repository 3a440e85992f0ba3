"""How far an identity is believed, and what may be shown of it."""

from datetime import date
from itertools import combinations
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.patient import (
    DOUBTS,
    INS_OIDS,
    UNUSABLE,
    Identifier,
    IdentifierKind,
    Identity,
    IdentityAttribute,
    IdentityStatus,
    Patient,
    Trait,
    Traits,
    differences,
    folded,
    is_of_test,
    matricule_shown,
    reliability,
)

INS = Identifier("279035121518989", "1.2.250.1.213.1.4.8", IdentifierKind.INS)
OTHER_ROOT = Identifier("279035121518989", "1.2.250.1.213.1.4.2", IdentifierKind.INS)
CODES = ["PROV", "RECUP", "VALI", "QUAL", "HOMA", "DOUT", "FICT", "USUR", "CACH", "x"]


@pytest.mark.parametrize(
    ("codes", "ins", "status"),
    [
        (["VALI"], INS, IdentityStatus.QUALIFIED),
        (["QUAL"], INS, IdentityStatus.QUALIFIED),
        (["RECUP", "VALI"], INS, IdentityStatus.QUALIFIED),
        (["VALI"], None, IdentityStatus.VALIDATED),
        (["VALI"], OTHER_ROOT, IdentityStatus.VALIDATED),
        (["QUAL"], None, IdentityStatus.VALIDATED),
        (["RECUP"], INS, IdentityStatus.RETRIEVED),
        (["RECUP"], None, IdentityStatus.RETRIEVED),
        (["PROV"], INS, IdentityStatus.PROVISIONAL),
        (["PROV", "VALI"], INS, IdentityStatus.QUALIFIED),
        ([], INS, None),
        (["CACH"], INS, None),
        (["DOUT"], None, IdentityStatus.PROVISIONAL),
        (["FICT", "VALI"], INS, IdentityStatus.PROVISIONAL),
        (["DOUT", "QUAL"], INS, IdentityStatus.PROVISIONAL),
        (["HOMA", "VALI"], INS, IdentityStatus.QUALIFIED),
        (["VALI", "USUR"], INS, IdentityStatus.PROVISIONAL),
        (["QUAL", "INVA"], INS, IdentityStatus.PROVISIONAL),
        (["VALI", "ANOM"], INS, IdentityStatus.PROVISIONAL),
        (["VALI", "COLP"], INS, IdentityStatus.PROVISIONAL),
        (["VALI", "COLV"], INS, IdentityStatus.PROVISIONAL),
        (["USUR"], None, IdentityStatus.PROVISIONAL),
        (["DOUB", "VALI"], INS, IdentityStatus.QUALIFIED),
    ],
)
def test_the_status_that_codes_and_ins_make(
    codes: list[str], ins: Identifier | None, status: IdentityStatus | None
) -> None:
    assert reliability(codes, ins).status is status


@pytest.mark.parametrize("count", range(4))
def test_no_doubt_is_qualified_and_nothing_is_without_an_ins(count: int) -> None:
    for codes in combinations(CODES, count):
        for ins in (None, INS, OTHER_ROOT):
            found = reliability(codes, ins)
            assert found.attributes == {a for a in IdentityAttribute if a in codes}
            if found.status is IdentityStatus.QUALIFIED:
                assert ins is INS
                assert not found.attributes & DOUBTS
                assert not UNUSABLE & set(codes)
            is_doubted = found.attributes & DOUBTS or UNUSABLE & set(codes)
            lowered = is_doubted and {"RECUP", "VALI", "QUAL"} & set(codes)
            unproved = not is_doubted and "QUAL" in codes and ins is not INS
            assert bool(found.notes) is bool(lowered or unproved)


@pytest.mark.parametrize("status", [*IdentityStatus, None])
@pytest.mark.parametrize("attribute", [*IdentityAttribute, None])
@pytest.mark.parametrize("oid", [*INS_OIDS, "1.2.250.1.213.1.4.2", None])
def test_a_matricule_is_shown_of_qualified_identities_without_doubt_alone(
    status: IdentityStatus | None, attribute: IdentityAttribute | None, oid: str | None
) -> None:
    borne = () if oid is None else (Identifier(INS.value, oid, IdentifierKind.INS),)
    attributes = frozenset() if attribute is None else frozenset({attribute})
    shown = (
        status is IdentityStatus.QUALIFIED
        and attribute in {None, IdentityAttribute.HOMONYM}
        and oid in INS_OIDS
    )
    identity = Identity((Identifier("1", "CHU-X"), *borne), Traits(), status, attributes)
    patient = Patient(uuid4(), identity.identifiers, Traits(), status, attributes)
    assert matricule_shown(identity) is shown
    assert matricule_shown(patient) is shown


@pytest.mark.parametrize(("end", "test"), [("8", False), ("9", False), ("10", True), ("11", True)])
def test_the_ins_of_people_who_do_not_exist(end: str, test: bool) -> None:
    assert is_of_test(Identifier("x", f"1.2.250.1.213.1.4.{end}", IdentifierKind.INS)) is test
    assert not is_of_test(Identifier("x", f"1.2.250.1.213.1.4.{end}"))


def test_what_differs_between_two_accounts() -> None:
    one = Traits("Müller-Évrard", "ÉLODIE", sex="F", birth_date=date(1979, 3, 28))
    other = Traits("MULLER EVRARD", "Elodie", "ELODIE ROSE", sex="F", birth_place="63220")
    assert differences(one, other) == ()
    assert differences(one, Traits("DUPONT", sex="M", birth_date=date(1979, 3, 29))) == (
        Trait.BIRTH_NAME,
        Trait.SEX,
        Trait.BIRTH_DATE,
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [("Lœuf", "LOEUF"), ("D'ÆGIR ", "D AEGIR"), ("Jean--Noël\t3", "JEAN NOEL 3"), ("\x00", "")],
)
def test_names_are_folded(name: str, words: str) -> None:
    assert folded(name) == words


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert folded(folded(name)) == folded(name)
