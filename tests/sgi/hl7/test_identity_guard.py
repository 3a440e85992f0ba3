"""Several IPPs in merges, changes of identifier, links and orders: two people stay two."""

import pytest

from sgi.catalogue import patients
from sgi.domain.patient import Identifier, Patient
from tests.sgi.hl7.conftest import AA, AE, INS, ONE, OTHER_INS, TWO, Lab, person

THREE = "3^^^CHU&1.2.3&ISO^PI"
HOP, OTHER_HOP = "9^^^HOP^PI", "8^^^HOP^PI"
LEFT = "identifier.left_aside"


def borne(lab: Lab) -> list[tuple[str, bool]]:
    """Every IPP, and whether it is not borne any more."""
    return lab.rows(
        "select value, retired_at is not null from patient_identifier order by assigner, value"
    )


def living(lab: Lab) -> int:
    return len(lab.rows("select from patient where merged_into is null"))


def patient(lab: Lab, value: str) -> Patient:
    async def read() -> Patient:
        async with lab._database.transaction(lab._establishment.id) as connection:
            patient_id = await patients.named(connection, Identifier(value, "CHU"))
            assert patient_id
            found = await patients.by_id(connection, patient_id)
            assert found
            return found

    found: Patient = lab._run(read())
    return found


# What goes has another assigner's IPP too


@pytest.mark.parametrize("event", ["A40", "A47"])
@pytest.mark.parametrize("pid", [f"{TWO}~{HOP}", f"{HOP}~{TWO}"])
def test_the_office_that_speaks_decides_by_its_own_ipp(lab: Lab, event: str, pid: str) -> None:
    lab.adt(person(f"{ONE}~{HOP}"))
    lab.slide(person(ONE))
    assert lab.adt(person(pid), "MRG|" + ONE, event=event) == AA
    assert borne(lab) == [("1", True), ("2", False), ("9", False)]
    assert living(lab) == 1
    assert lab.slide(person(TWO), name="26P1-A-2") == AA
    assert patient(lab, "1").local == Identifier("2", "CHU")


@pytest.mark.parametrize("gone", [ONE, f"{ONE}~{HOP}"])
def test_who_is_kept_takes_over_what_the_other_bore(lab: Lab, gone: str) -> None:
    lab.adt(person(f"{ONE}~{HOP}"))
    lab.adt(person(TWO))
    assert lab.adt(person(f"{TWO}~{HOP}"), "MRG|" + gone, event="A40") == AA
    assert borne(lab) == [("1", True), ("2", False), ("9", False)]
    assert patient(lab, "1").identifiers == (Identifier("2", "CHU"), Identifier("9", "HOP"))


def test_an_ipp_goes_though_the_other_is_of_the_same_record(lab: Lab) -> None:
    lab.adt(person(f"{ONE}~{HOP}"))
    assert lab.adt(person(ONE), "MRG|" + HOP, event="A40") == AA
    assert borne(lab) == [("1", False), ("9", True)]
    assert "identifier.changed" in lab.whats()
    assert lab.slide(person(HOP)) == AA
    assert lab.adt(person(HOP), "MRG|" + ONE, event="A47") == AA
    assert borne(lab) == [("1", True), ("9", False)]
    assert living(lab) == 1


def test_a_change_of_two_ipps_at_once(lab: Lab) -> None:
    lab.adt(person(f"{ONE}~{HOP}"))
    changed = f"MRG|{ONE}~{HOP}"
    assert lab.adt(person(f"{TWO}~{OTHER_HOP}"), changed, event="A47") == AA
    assert borne(lab) == [("1", True), ("2", False), ("8", False), ("9", True)]
    assert living(lab) == 1


def test_a_merge_leads_all_that_go(lab: Lab) -> None:
    for identifiers in (ONE, TWO, THREE):
        lab.adt(person(identifiers))
    assert lab.adt(person(ONE), f"MRG|{TWO}~{THREE}", event="A40") == AA
    assert borne(lab) == [("1", False), ("2", True), ("3", True)]
    assert living(lab) == 1


def test_what_goes_may_be_listed_with_what_stays(lab: Lab) -> None:
    for identifiers in (ONE, TWO):
        lab.adt(person(identifiers))
    assert lab.adt(person(f"{TWO}~{ONE}"), "MRG|" + TWO, event="A40") == AA
    assert borne(lab) == [("1", False), ("2", True)]
    assert lab.adt(person(f"{THREE}~{ONE}"), "MRG|" + ONE, event="A47") == AA
    assert borne(lab) == [("1", True), ("2", True), ("3", False)]


# Two people stay two


@pytest.mark.parametrize("pid", [f"{TWO}~{HOP}", f"{HOP}~{TWO}", HOP])
@pytest.mark.parametrize("event", ["A40", "A47"])
def test_nobody_becomes_somebody_else_by_a_second_ipp(lab: Lab, pid: str, event: str) -> None:
    lab.adt(person(ONE, "ALPHA", "19600101"))
    lab.adt(person(HOP, "CHARLIE", "19900101"))
    lab.slide(person(HOP, "CHARLIE", "19900101"))
    merges = event == "A40" and pid == HOP  # which says so
    told = lab.adt(person(pid, "ALPHA", "19600101"), "MRG|" + ONE, event=event)
    assert told == (AA if merges else AE)
    assert lab.name_of_case() == ("ALPHA" if merges else "CHARLIE")
    assert living(lab) == (1 if merges else 2)


def test_a_third_patient_is_told_of_as_such(lab: Lab) -> None:
    lab.adt(person(ONE))
    lab.adt(person(TWO))
    lab.adt(person(HOP))
    assert lab.adt(person(f"{TWO}~{HOP}"), "MRG|" + ONE, event="A40") == AE
    assert "troisième patient" in str(lab.told.value("ERR-8"))
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("PID", "3")


def test_a_change_does_not_merge_those_who_go(lab: Lab) -> None:
    lab.adt(person(ONE))
    lab.adt(person(HOP, "AUTRE"))
    assert lab.adt(person(TWO), f"MRG|{ONE}~{HOP}", event="A47") == AE
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("MRG", "1")
    assert living(lab) == 2


@pytest.mark.parametrize("ins", ["", f"~{OTHER_INS}"])
def test_two_who_have_each_a_qualified_ins_are_not_merged(lab: Lab, ins: str) -> None:
    lab.adt(person(f"{ONE}~{INS}", codes="VALI"))
    lab.adt(person(f"{TWO}~{OTHER_INS}", "AUTRE", codes="VALI"))
    assert lab.adt(person(TWO + ins, "AUTRE"), "MRG|" + ONE, event="A40") == ("AE", "904")
    assert living(lab) == 2
    lab.adt(person(ONE, codes="PROV"))
    assert lab.adt(person(TWO + ins, "AUTRE"), "MRG|" + ONE, event="A40") == AA


def test_a_wrong_merge_is_corrected_though_the_other_has_an_ins(lab: Lab) -> None:
    lab.adt(person(ONE))
    lab.slide(person(ONE))
    lab.adt(person(f"{TWO}~{INS}~{HOP}", "AUTRE", codes="VALI"))
    lab.adt(person(f"{THREE}~{OTHER_INS}", codes="VALI"))
    assert lab.adt(person(TWO, "AUTRE"), "MRG|" + ONE, event="A40") == AA
    assert lab.adt(person(f"{THREE}~{HOP}"), "MRG|" + ONE, event="A40") == AE
    assert lab.adt(person(f"{THREE}~{OTHER_INS}"), "MRG|" + ONE, event="A40") == AA
    assert living(lab) == 2
    assert patient(lab, "1").local == Identifier("3", "CHU")
    assert lab.slide(person(THREE), name="26P1-A-2") == AA


# Several of one assigner


def test_two_ipps_of_one_assigner_are_two_patients(lab: Lab) -> None:
    lab.adt(person(ONE))
    lab.adt(person(TWO, "AUTRE"))
    for both in (f"{ONE}~{TWO}", f"{TWO}~{ONE}"):
        assert lab.adt(person(both)) == AE
        assert lab.slide(person(both)) == AE
    assert lab.rows("select from lab_case") == []


@pytest.mark.parametrize("both", [f"{ONE}~{TWO}", f"{TWO}~{ONE}"])
def test_of_two_ipps_the_known_one_names_the_patient(lab: Lab, both: str) -> None:
    lab.adt(person(TWO))
    assert lab.slide(person(both)) == AA
    assert lab.noted(LEFT) == ["CHU"]
    assert lab.adt(person(both)) == AA
    assert lab.noted(LEFT) == ["CHU"]
    assert borne(lab) == [("2", False)]
    assert lab.slide(person(TWO), name="26P1-A-2") == AA
    assert lab.noted(LEFT) == []


def test_another_ipp_beside_a_known_one_is_noted(lab: Lab) -> None:
    lab.adt(person(f"{ONE}~{HOP}"))
    assert lab.slide(person(f"{TWO}~{HOP}")) == AA
    assert lab.noted(LEFT) == ["CHU"]
    assert lab.adt(person(f"{TWO}~{HOP}")) == AA
    assert lab.noted(LEFT) == ["CHU"]
    assert borne(lab) == [("1", False), ("9", False)]


def test_an_ipp_that_is_not_borne_any_more_makes_room(lab: Lab) -> None:
    lab.adt(person(f"{ONE}~{HOP}"))
    lab.adt(person(ONE), "MRG|" + HOP, event="A47")
    assert lab.adt(person(f"{ONE}~{OTHER_HOP}")) == AA
    assert lab.noted(LEFT) == []
    assert borne(lab) == [("1", False), ("8", False), ("9", True)]


# Links


def test_a_link_is_between_those_whom_the_ipps_name(lab: Lab) -> None:
    lab.adt(person(ONE))
    lab.adt(person(TWO))
    both = (person(f"5^^^LAB^PI~{ONE}"), person(TWO))
    assert lab.adt(*both, event="A24") == AA
    assert living(lab) == 2
    assert patient(lab, "1").linked == {patient(lab, "2").id}
    lab.adt(person(HOP))
    for pids in ((person(f"{ONE}~{HOP}"), person(TWO)), (person(TWO), person(f"{ONE}~{HOP}"))):
        assert lab.adt(*pids, event="A24") == AE
    assert lab.told.value("ERR-2.2") == "2"


@pytest.mark.parametrize("event", ["A24", "A37"])
def test_a_link_within_one_patient_is_noted(lab: Lab, event: str) -> None:
    lab.adt(person(ONE))
    lab.adt(person(TWO))
    lab.adt(person(ONE), "MRG|" + TWO, event="A40")
    assert lab.adt(person(ONE), person(TWO), event=event) == AA
    assert "link.of_one" in lab.whats()
    assert living(lab) == 1


# Who gave an IPP


def test_a_namespace_alone_names_whom_it_named_first(lab: Lab) -> None:
    alone = "1^^^CHU^PI"
    lab.slide(person(alone))
    lab.adt(person("1^^^GAM&1.2.3&ISO^PI"))
    lab.adt(person(THREE))  # from now on CHU alone is of 1.2.3, which is called GAM
    assert lab.slide(person(alone), name="26P1-A-2") == AA
    assert lab.adt(person("4^^^CHU^PI")) == AA
    assert lab.rows("select assigner from patient_identifier where value = '4'") == [("GAM",)]
    assert lab.adt(person(ONE), "MRG|" + alone, event="A40") == AA
    assert lab.slide(person(ONE), name="26P1-A-3") == AA


def test_a_namespace_of_two_ids_takes_over_nobody(lab: Lab) -> None:
    alone = "1^^^CHU^PI"
    lab.slide(person(alone))
    lab.adt(person("7^^^GAM&1.2.3&ISO^PI"))
    lab.adt(person(THREE))
    lab.adt(person("1^^^CHU&9.9&ISO^PI", "AUTRE", "19500101"))
    assert lab.name_of_case() == "ESSAI"
    assert lab.slide(person(alone), name="26P1-A-2") == AA
    assert lab.slide(person("1^^^CHU&9.9&ISO^PI", "AUTRE", "19500101"), name="26P1-A-3") == AE


def test_one_number_of_two_who_have_one_namespace(lab: Lab) -> None:
    both = [f"7^^^GAM&1.2.{number}&ISO^PI" for number in (1, 2)]
    assert lab.adt(person("~".join(both))) == AA
    assert lab.rows("select assigner from patient_identifier order by assigner") == [
        ("GAM",),
        ("GAM&1.2.2&ISO",),
    ]
    assert living(lab) == 1
