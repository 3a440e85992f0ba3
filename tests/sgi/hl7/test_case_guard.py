"""Orders about another patient's case, block or slide, in whatever order and by whatever clock."""

import pytest

from tests.sgi.hl7.conftest import AA, AE, INS, ONE, TWO, Lab, person

OTHER = person(TWO, "AUTRE", "19500101")
THREE = "3^^^CHU&1.2.3&ISO^PI"


# Clocks


def test_a_clock_that_is_behind_opens_nobody_elses_case(lab: Lab) -> None:
    assert lab.at(10).slide(person(ONE)) == AA
    assert lab.at(5).slide(OTHER, name="26P1-A-2") == AE
    assert lab.at(5).slide(person(THREE), name="26P1-A-3") == AE
    assert lab.at(5).slide(OTHER, name="26P1-A-1", control="CA") == AE
    assert lab.at(5).slide(OTHER, name="26P1-A-2", control="XO") == AE
    assert lab.at(5).slide(OTHER, case="26P2", name="26P1-A-1") == AE
    assert lab.glasses() == [("26P1-A-1", "26P1")]
    assert lab.at(4).slide(person(ONE), name="26P1-A-2") == AA


def test_an_older_order_of_anothers_tells_nothing_of_the_case(lab: Lab) -> None:
    lab.at(10).slide(person(ONE))
    orc = "ORC|NW|26P1|26P1" + "|" * 35 + "26P1"
    spm = "SPM|1|26P1-A-2|26P1-A|TISS^Tissue^HL70487" + "|" * 23 + "GLASS|||26P1"
    obr = "OBR|1|26P1|26P1|ACP^x^L|||||||||greffe"
    lab.at(5).send("OML^O21^OML_O21", OTHER, orc, obr, spm, profile="DPOW-SLIDE^IHE")
    assert lab.rows("select clinical_information from lab_case") == [(None,)]


def test_an_older_cancellation_of_anothers_cancels_no_case(lab: Lab) -> None:
    lab.at(10).slide(person(ONE))
    orc = "ORC|CA|26P1|26P1" + "|" * 35 + "26P1"
    case = (orc, "OBR|1|26P1|26P1|ACP^x^L")
    assert lab.at(5).send("OML^O21", OTHER, *case, profile="DPOW-CASE-UPDATE^IHE") == AE
    assert lab.at(5).send("OML^O21", person(ONE), *case, profile="DPOW-CASE-UPDATE^IHE") == AA


def test_what_was_ordered_before_the_case_was_moved_is_taken_late(lab: Lab) -> None:
    lab.at(1).slide(person(ONE))
    lab.at(10).slide(OTHER, control="XO")
    assert lab.at(5).slide(person(ONE), name="26P1-A-2") == AA
    assert lab.at(5).slide(person(THREE), name="26P1-A-3") == AE
    assert lab.at(11).slide(person(ONE), name="26P1-A-3") == AE
    assert lab.name_of_case() == "AUTRE"
    assert lab.glasses() == [("26P1-A-1", "26P1"), ("26P1-A-2", "26P1")]


def test_what_was_ordered_before_the_slide_was_moved_is_taken_late(lab: Lab) -> None:
    lab.at(1).slide(person(ONE))
    lab.at(10).slide(OTHER, case="26P2", name="26P1-A-1", control="XO")
    assert lab.at(5).slide(person(ONE)) == AA
    assert lab.at(5).slide(person(THREE), case="26P3", name="26P1-A-1") == AE
    assert lab.at(5).slide(person(ONE), case="26P4", name="26P1-A-1") == AE
    assert lab.glasses() == [("26P1-A-1", "26P2")]


# Merges that are corrected


@pytest.mark.parametrize("control", ["NW", "XO"])
def test_a_case_stays_with_whom_it_was_ordered_for(lab: Lab, control: str) -> None:
    lab.slide(person(ONE))
    lab.adt(OTHER, "MRG|" + ONE, event="A40")
    assert lab.slide(OTHER, name="26P1-A-2", control=control) == AA
    assert lab.adt(person(THREE), "MRG|" + ONE, event="A40") == AA
    assert lab.name_of_case() == "ESSAI"
    assert lab.slide(person(THREE), name="26P1-A-3") == AA
    assert lab.rows("select from case_history where kind = 'patient'") == []


# Without the case's number


@pytest.mark.parametrize("kind", ["GLASS", "CASSETTE"])
def test_nothing_comes_from_anothers_block(lab: Lab, kind: str) -> None:
    lab.block(person(ONE))
    assert lab.uncased(OTHER, "26P1-A-9", "26P1-A", kind) == AE
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("SPM", "3")
    assert lab.uncased(OTHER, "26P1-A-9", "26P1-A", kind, control="XO") == AE
    assert lab.slide(OTHER, case="26P2", name="26P1-A-9") == AE
    assert lab.glasses() == []
    assert lab.uncased(person(ONE), "26P1-A-9", "26P1-A") == AA
    assert lab.glasses() == [("26P1-A-9", "26P1")]


def test_anothers_slide_is_not_changed(lab: Lab) -> None:
    lab.block(person(ONE))
    lab.slide(person(ONE))
    before = lab.rows("select * from glass")
    for control in ("NW", "XO", "CA"):
        assert lab.uncased(OTHER, "26P1-A-1", "26P1-B", control=control) == AE
    assert lab.rows("select * from glass") == before


def test_a_correction_moves_a_slide_before_its_block(lab: Lab) -> None:
    lab.block(person(ONE))
    lab.slide(person(ONE))
    assert lab.slide(OTHER, case="26P2", name="26P1-A-1", control="XO") == AA
    assert "asset.moved" in lab.whats()


def test_what_waits_joins_no_other_patients_case(lab: Lab) -> None:
    assert lab.uncased(OTHER, "S-9", "26P1-A") == AA
    assert lab.uncased(person(ONE), "S-8", "26P1-A") == AA
    assert lab.uncased(None, "S-7", "26P1-A") == AA
    assert lab.block(person(ONE)) == AA
    assert lab.noted("asset.apart") == ["S-9"]
    assert lab.glasses() == [("S-7", "26P1"), ("S-8", "26P1"), ("S-9", None)]
    assert lab.block(person(ONE), parent="26P1") == AA
    assert lab.glasses()[2] == ("S-9", None)
    assert lab.uncased(None, "S-9", "26P1-A") == AA
    assert lab.glasses()[2] == ("S-9", None)


def test_what_waits_is_of_whom_it_was_named_with(lab: Lab) -> None:
    lab.uncased(OTHER, "S-9", "26P1-A")
    assert lab.uncased(person(ONE), "S-9", "26P1-A") == AE
    assert lab.uncased(person(ONE), "S-9", "26P1-A", control="CA") == AE
    assert lab.slide(person(ONE), name="S-9") == AE
    assert lab.slide(OTHER, case="26P2", name="S-9") == AA
    assert "asset.moved" not in lab.whats()
    assert lab.glasses() == [("S-9", "26P2")]


def test_what_waits_joins_the_case_once_the_patients_are_one(lab: Lab) -> None:
    lab.uncased(OTHER, "S-9", "26P1-A")
    lab.adt(person(ONE), "MRG|" + TWO, event="A40")
    assert lab.block(person(ONE)) == AA
    assert lab.noted("asset.apart") == []
    assert lab.glasses() == [("S-9", "26P1")]


def test_what_waits_is_cancelled_by_its_own_patient(lab: Lab) -> None:
    lab.uncased(OTHER, "S-9", "26P1-A")
    assert lab.slide(OTHER, case="26P2", name="S-9", control="CA") == AA
    assert len(lab.rows("select from glass where cancelled_at is not null")) == 1


def test_a_case_of_nobody_takes_nothing_by_its_block(lab: Lab) -> None:
    orc = "ORC|NW|26P1|26P1" + "|" * 35 + "26P1"
    spm = "SPM|1|26P1-A||TISS^Tissue^HL70487" + "|" * 23 + "CASSETTE|||26P1"
    assert lab.send("OML^O21^OML_O21", orc, "OBR|1|26P1|26P1|ACP^x^L", spm) == AA
    assert lab.uncased(OTHER, "S-9", "26P1-A") == AA
    assert lab.noted("asset.apart") == ["S-9"]
    assert lab.glasses() == [("S-9", None)]


# Known by an INS alone


def test_a_case_ordered_with_an_ins_comes_to_whom_has_it(lab: Lab) -> None:
    assert lab.slide(person(INS, codes="VALI")) == AA
    assert lab.adt(person(f"{ONE}~{INS}", codes="VALI")) == AA
    assert lab.slide(person(ONE), name="26P1-A-2") == AE
    assert lab.slide(person(f"{ONE}~{INS}", codes="VALI"), name="26P1-A-2") == AA
    assert "case.moved" in lab.whats()
    assert lab.slide(person(ONE), name="26P1-A-3") == AA
    assert "case.moved" not in lab.whats()


def test_a_record_with_an_ins_alone_is_merged(lab: Lab) -> None:
    lab.slide(person(INS, codes="VALI"))
    lab.adt(person(f"{ONE}~{INS}", codes="VALI"))
    assert lab.adt(person(f"{ONE}~{INS}", codes="VALI"), "MRG|" + INS, event="A40") == AA
    living = "select status, ins_value from patient where merged_into is null"
    assert lab.rows(living) == [("QUAL", "279035121518989")]
    assert lab.slide(person(ONE), name="26P1-A-2") == AA
    assert lab.slide(person(INS, codes="VALI"), name="26P1-A-3") == AA
    assert len(lab.rows(living)) == 1


def test_an_ins_that_names_no_record_merges_nobody(lab: Lab) -> None:
    lab.adt(person(f"{TWO}~{INS}", "AUTRE", codes="VALI"))
    told = lab.adt(person(ONE), "MRG|" + INS, event="A40")
    assert told == ("AE", "902")
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("MRG", "1")
    assert lab.rows("select count(*) from patient") == [(1,)]


def test_an_ins_that_was_merged_with_one_opens_no_case_of_theirs(lab: Lab) -> None:
    lab.slide(person(INS, codes="VALI"), case="26P2")
    lab.slide(person(ONE))
    lab.adt(person(f"{ONE}~{INS}", codes="VALI"), "MRG|" + INS, event="A40")
    assert lab.slide(person(f"{TWO}~{INS}", "AUTRE"), name="26P1-A-2") == AE


# Whom nobody can know


@pytest.mark.parametrize(
    "identifiers", ["2^^^CHU&1.2.3&ISO^MR", "2^^^CHU&1.2.3&ISO^PI^^^20200101", ""]
)
def test_an_order_of_somebody_who_cannot_be_known_is_refused(lab: Lab, identifiers: str) -> None:
    lab.slide(person(ONE))
    orc = "ORC|{}|26P1|26P1" + "|" * 35 + "26P1"
    spm = "SPM|1|26P1-A-1|26P1-A|TISS^Tissue^HL70487" + "|" * 23 + "GLASS|||26P1"
    for control in ("NW", "CA"):
        order = (orc.format(control), "OBR|1|26P1|26P1|ACP^x^L", spm)
        told = lab.send("OML^O21^OML_O21", person(identifiers, "AUTRE", "19500101"), *order)
        assert told == ("AE", None)
        assert lab.told.value("ERR-3") == "101"
        assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("PID", "3")
    assert lab.rows("select from glass where cancelled_at is not null") == []


def test_a_report_of_somebody_who_cannot_be_known_says_so(lab: Lab) -> None:
    lab.slide(person(ONE))
    report = ("OBR|1|26P1|26P1|CR^Compte rendu^L", "OBX|1|TX|CR^Compte rendu^L||Texte||||||F")
    assert lab.send("ORU^R01", person("2^^^CHU&1.2.3&ISO^MR"), *report) == AA
    assert "ignored" in lab.whats()
