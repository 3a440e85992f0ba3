"""One patient is not taken for another: such messages are refused, and a person looks."""

from typing import Any

import pytest

from sgi.catalogue.database import Database
from sgi.domain.case import Asset, AssetKind, WorkKind, WorkOrder
from sgi.domain.interface import Outcome
from sgi.domain.patient import Trait
from sgi.hl7.acceptance_guard import guard_acceptance
from sgi.hl7.errors import ContradictionError
from sgi.hl7.statements import WorkOrderAccepted
from tests.sgi.hl7.conftest import AA, AE, INS, ONE, OTHER_INS, TWO, Lab, person

# Whose the case is


def test_an_order_does_not_take_a_case_from_its_patient(lab: Lab) -> None:
    assert lab.slide(person(ONE)) == AA
    assert lab.slide(person(TWO, "AUTRE"), name="26P1-A-2") == AE
    assert lab.outcome is Outcome.REFUSED
    assert lab.name_of_case() == "ESSAI"
    assert lab.rows("select identifier from glass") == [("26P1-A-1",)]


def test_a_correction_moves_a_case_and_says_so(lab: Lab) -> None:
    lab.slide(person(ONE))
    assert lab.slide(person(TWO, "AUTRE"), control="XO") == AA
    assert "case.moved" in lab.whats()
    assert lab.name_of_case() == "AUTRE"
    orc = "ORC|SC|26P1|26P1||IP" + "|" * 33 + "26P1"
    case = (person(ONE), orc, "OBR|1|26P1|26P1|ACP^x^L")
    assert lab.send("OML^O21", *case, profile="DPOW-CASE-UPDATE^IHE") == AA
    assert lab.name_of_case() == "ESSAI"
    assert lab.rows("select kind from case_history where kind = 'patient'") == [("patient",)] * 2


def test_a_patient_who_was_merged_is_the_same(lab: Lab) -> None:
    lab.slide(person(ONE))
    assert lab.adt(person(TWO), "MRG|" + ONE, event="A40") == AA
    assert lab.slide(person(TWO), name="26P1-A-2") == AA
    assert lab.slide(person(ONE), name="26P1-A-3") == AA


def test_what_is_anothers_is_not_cancelled(lab: Lab) -> None:
    lab.slide(person(ONE))
    lab.slide(person(TWO, "AUTRE"), case="26P2")
    assert lab.slide(person(TWO, "AUTRE"), "26P2", "26P1-A-1", control="CA") == AE
    assert lab.slide(person(TWO, "AUTRE"), "26P1", "26P1-A-1", control="CA") == AE
    assert lab.send("OUL^R21", person(ONE), "ORC|CA||26P2|26P1-A-1^SLIDE") == AE
    assert lab.rows("select from glass where cancelled_at is not null") == []
    assert lab.slide(person(ONE), control="CA") == AA
    assert len(lab.rows("select from glass where cancelled_at is not null")) == 1


def test_a_slide_of_another_patient_is_not_taken(lab: Lab) -> None:
    lab.slide(person(ONE))
    assert lab.slide(person(TWO, "AUTRE"), case="26P2", name="26P1-A-1") == AE
    assert lab.slide(person(ONE), case="26P3", name="26P1-A-1") == AA
    assert "asset.moved" in lab.whats()
    assert lab.slide(person(TWO, "AUTRE"), case="26P2", name="26P1-A-1", control="XO") == AA
    assert "asset.moved" in lab.whats()


HOP = "9^^^HOP^PI"


@pytest.mark.parametrize("identifiers", [f"{HOP}~{ONE}", f"{ONE}~{HOP}"])
def test_an_order_with_the_ipps_of_two_patients_is_refused(lab: Lab, identifiers: str) -> None:
    order = ordered(lab)
    lab.adt(person(HOP, "AUTRE"))
    both = person(identifiers, "AUTRE")
    accepts = accepted(order, "26P1-A-9")
    assert lab.slide(both, name="26P1-A-2") == AE
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("PID", "3")
    assert lab.slide(both, control="XO") == AE
    assert lab.slide(both, control="CA") == AE
    assert lab.slide(both, case="26P9") == AE
    assert lab.send("OML^O21", both, *accepts, profile=ACCEPTS) == AE
    assert lab.name_of_case() == "ESSAI"
    assert lab.rows("select from glass where cancelled_at is not null") == []
    assert lab.adt(person(ONE), "MRG|" + HOP, event="A40") == AA
    assert lab.slide(both, name="26P1-A-2") == AA
    assert lab.send("OML^O21", both, *accepts, profile=ACCEPTS) == AA


def test_a_report_with_the_ipps_of_two_patients_is_refused(lab: Lab) -> None:
    lab.slide(person(ONE))
    lab.adt(person(HOP, "AUTRE"))
    report = ("OBR|1|26P1|26P1|CR^Compte rendu^L", "OBX|1|TX|CR^Compte rendu^L||Texte||||||F")
    assert lab.send("ORU^R01", person(f"{HOP}~{ONE}"), *report) == AE
    assert lab.send("ORU^R01", person(ONE), *report) == AA


def test_an_order_names_one_patient_by_several_ipps(lab: Lab) -> None:
    lab.slide(person(ONE))
    assert lab.slide(person(f"{HOP}~{ONE}"), name="26P1-A-2") == AA  # HOP is not known yet
    assert lab.adt(person(f"{ONE}~{HOP}")) == AA
    assert lab.slide(person(f"{HOP}~{ONE}"), name="26P1-A-3") == AA
    assert lab.slide(person(HOP), name="26P1-A-4") == AA
    assert "case.moved" not in lab.whats()
    assert lab.rows("select count(*) from patient") == [(1,)]


def test_an_order_with_an_ins_alone_does_not_take_a_case_to_a_record_of_its_own(lab: Lab) -> None:
    lab.adt(person(f"{ONE}~{INS}", codes="VALI"))
    lab.slide(person(ONE))
    assert lab.slide(person(INS), name="26P1-A-2") == AE
    assert lab.rows("select count(*) from patient") == [(1,)]
    assert lab.slide(person(INS), case="26P2") == AA
    assert lab.slide(person(INS), case="26P2", name="26P2-A-2") == AA


# Who the patient is


def test_two_patients_do_not_become_one_without_a_merge(lab: Lab) -> None:
    lab.adt(person(ONE))
    other = "9^^^HOP^PI"
    lab.adt(person(other, "DEUX"))
    assert lab.adt(person(f"{ONE}~{other}", "DEUX")) == AE
    assert {row[0] for row in lab.rows("select birth_name from patient")} == {"ESSAI", "DEUX"}
    assert lab.adt(person(ONE), "MRG|" + other, event="A40") == AA
    assert lab.adt(person(f"{ONE}~{other}")) == AA


def test_the_universal_id_says_who_gave_an_ipp(lab: Lab) -> None:
    lab.adt(person("7^^^GAM&1.2.1&ISO^PI", "ALPHA"))
    lab.adt(person("7^^^GAM&1.2.2&ISO^PI", "BETA"))
    lab.adt(person("7^^^&1.2.1&ISO^PI", "ALPHA"))
    lab.adt(person("7^^^AUTRE&1.2.1&ISO^PI", "ALPHA"))
    lab.adt(person("7^^^AUTRE^PI", "ALPHA"))
    found = lab.rows(
        "select assigner, birth_name from patient_identifier i join patient p on p.id = patient_id"
        " order by birth_name"
    )
    assert found == [("GAM", "ALPHA"), ("GAM&1.2.2&ISO", "BETA")]
    assert lab.adt(person("7^^^GAM^PI", "ALPHA")) == AE


def test_a_namespace_told_without_its_id_is_the_same(lab: Lab) -> None:
    for assigner in ("GAM", "GAM&1.2.1&ISO", "GAM", "&1.2.1&ISO"):
        assert lab.adt(person(f"7^^^{assigner}^PI")) == AA
    assert lab.rows("select assigner from patient_identifier") == [("GAM",)]


def test_an_ipp_that_has_ended_is_not_the_patients(lab: Lab) -> None:
    ended = "8^^^CHU&1.2.3&ISO^PI^^20100101^20110101"
    assert lab.adt(person(f"{ended}~{ONE}")) == AA
    assert lab.rows("select value from patient_identifier") == [("1",)]
    assert lab.adt(person(ended))[0] == "AE"


# INS


def test_another_ins_than_the_qualified_one_is_refused(lab: Lab) -> None:
    assert lab.adt(person(f"{ONE}~{INS}", codes="VALI")) == AA
    assert lab.adt(person(f"{ONE}~{OTHER_INS}", codes="VALI")) == ("AE", "904")
    assert lab.slide(person(f"{ONE}~{OTHER_INS}")) == ("AE", "904")
    assert lab.adt(person(f"{ONE}~{OTHER_INS}", codes="VALI"), "MRG|" + INS, event="A47") == AA


def test_two_with_one_ins_are_noticed(lab: Lab) -> None:
    lab.adt(person(f"{ONE}~{INS}", codes="VALI"))
    assert "patient.ins_shared" not in lab.whats()
    assert lab.adt(person(f"{TWO}~{INS}", codes="VALI")) == AA
    assert "patient.ins_shared" in lab.whats()
    (one, two) = lab.contradictions()
    assert one == [(Trait.INS,), ("2",)]
    assert two == [(Trait.INS,), ("1",)]


def test_orders_that_contradict_each_other_are_noticed(lab: Lab) -> None:
    lab.slide(person(ONE))
    assert lab.slide(person(ONE, "PETIT", "19990101"), case="26P2") == AA
    assert "patient.contradicted" in lab.whats()
    assert lab.rows("select birth_name from patient") == [("ESSAI",)]
    lab.adt(person(ONE, "PETIT", "19990101"))
    assert lab.rows("select birth_name from patient") == [("PETIT",)]


# Work orders that the laboratory accepts


def ordered(lab: Lab, kind: WorkKind = WorkKind.RECUT) -> WorkOrder:
    """Of the first patient's case, with a block and a glass; the second has a case of its own."""
    lab.slide(person(ONE), name="26P1-A-1")
    lab.block(person(ONE))
    lab.block(person(TWO, "AUTRE"), "26P2")
    lab.slide(person(ONE), "26P3")
    lab.slide(person(TWO, "AUTRE"), "26P2")
    return lab.ask("26P1", kind)


def accepted(
    order: WorkOrder,
    slide: str,
    case: str = "26P1",
    temporary: str = "",
    parent: str = "26P1-A",
    kind: str = "GLASS",
) -> tuple[str, ...]:
    orc = f"ORC|SC|{order.placer_number}|L1||CM" + "|" * 33 + case
    name = f"{temporary or order.temporary_id}^{slide}"
    spm = f"SPM|1|{name}|{parent}|TISS^Tissue^HL70487" + "|" * 23 + f"{kind}|||{case}"
    return orc, f"OBR|1|{order.placer_number}|L1|KI67^IHC^L", spm


ACCEPTS = "DPOW-ACCEPT-WO^IHE"


def test_a_work_order_is_accepted_for_its_own_case(lab: Lab) -> None:
    order = ordered(lab)
    told = accepted(order, "26P1-A-9")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA
    assert lab.rows("select state from work_order") == [("accepted",)]
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA


@pytest.mark.parametrize(
    ("pid", "slide", "case", "parent", "place"),
    [
        (person(TWO, "AUTRE"), "26P1-A-9", "26P1", "26P1-A", ("ORC", "2")),
        (person("3^^^CHU&1.2.3&ISO^PI", "NEUF"), "26P1-A-9", "26P1", "26P1-A", ("ORC", "2")),
        (person(ONE), "26P1-A-9", "26P2", "26P1-A", ("ORC", "38")),
        (person(ONE), "26P1-A-9", "26P3", "26P1-A", ("ORC", "38")),
        (person(ONE), "26P2-A-1", "26P1", "26P1-A", ("SPM", "2")),
        (person(ONE), "26P3-A-1", "26P1", "26P1-A", ("SPM", "2")),
        (person(ONE), "26P1-A-9", "26P1", "26P2-A", ("SPM", "3")),
    ],
)
def test_an_acceptance_names_nothing_of_others(
    lab: Lab, pid: str, slide: str, case: str, parent: str, place: tuple[str, str]
) -> None:
    order = ordered(lab)
    told = accepted(order, slide, case, parent=parent)
    assert lab.send("OML^O21", pid, *told, profile=ACCEPTS) == AE
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == place
    assert lab.rows("select state from work_order") == [("asked",)]
    assert lab.rows("select from glass where identifier = '26P1-A-9'") == []


def test_an_acceptance_without_a_slide_is_of_the_same_case(lab: Lab) -> None:
    order = ordered(lab)
    _, obr, _ = accepted(order, "")
    orc = f"ORC|SC|{order.placer_number}|L1||CM" + "|" * 33
    assert lab.send("OML^O21", person(ONE), orc + "26P2", obr, profile=ACCEPTS) == AE
    assert lab.send("OML^O21", person(ONE), orc, obr, profile=ACCEPTS) == AA


def test_the_slide_to_come_is_of_the_case_it_was_asked_for(lab: Lab) -> None:
    order = ordered(lab)
    orc, obr, spm = accepted(order, "26P1-A-9", case="")
    assert lab.send("OML^O21", person(ONE), orc, obr, spm, profile=ACCEPTS) == AA
    assert lab.rows(
        "select accession_number from glass g join lab_case c on c.id = g.case_id"
        " where g.identifier = '26P1-A-9'"
    ) == [("26P1",)]
    assert lab.rows("select from lab_case where accession_number = 'L1'") == []


def test_an_acceptance_is_of_one_order(lab: Lab) -> None:
    order, other = ordered(lab), lab.ask("26P2", WorkKind.RECUT)
    told = accepted(order, "26P1-A-9", temporary=other.temporary_id)
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AE
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("SPM", "2")
    assert lab.rows("select state from work_order") == [("asked",)] * 2


def test_a_new_scan_is_of_the_glass_that_was_asked_for(lab: Lab) -> None:
    order = ordered(lab, WorkKind.RESCAN)
    lab.slide(person(ONE), name="26P1-A-2")
    told = accepted(order, "26P1-A-2")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AE
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("SPM", "2")
    told = accepted(order, "26P1-A-1")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA


@pytest.mark.parametrize(("name", "kind"), [("26P2-A", "CASSETTE"), ("26P2", "CONTAINER")])
def test_only_a_slide_comes_of_a_work_order(lab: Lab, name: str, kind: str) -> None:
    order = ordered(lab)
    before = lab.rows("select * from specimen order by id")
    told = accepted(order, name, kind=kind)
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == ("AE", None)
    assert lab.told.value("ERR-3") == "103"
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("SPM", "27")
    assert lab.rows("select * from specimen order by id") == before
    assert lab.rows("select state from work_order") == [("asked",)]


def test_the_guard_sees_what_kind_of_thing_is_named(
    lab: Lab, run: Any, database: Database, here: Any
) -> None:
    order = ordered(lab)
    block = Asset(AssetKind.BLOCK, "26P2-A")
    said = WorkOrderAccepted(order.placer_number, None, order.temporary_id, block)

    async def guarded() -> None:
        async with database.transaction(here.id) as connection:
            await guard_acceptance(connection, said, {}, lambda _: False, {})

    with pytest.raises(ContradictionError, match="SPM-27 is no slide"):
        run(guarded())


def test_what_was_there_before_a_work_order_did_not_come_of_it(lab: Lab) -> None:
    order = ordered(lab)
    stained = lab.rows("select * from glass where identifier = '26P1-A-1'")
    told = accepted(order, "26P1-A-1")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AE
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("SPM", "2")
    assert lab.rows("select * from glass where identifier = '26P1-A-1'") == stained
    assert lab.rows("select state from work_order") == [("asked",)]


def test_a_slide_may_be_registered_before_its_work_order_is_accepted(lab: Lab) -> None:
    order = ordered(lab)
    assert lab.slide(person(ONE), name="26P1-A-9") == AA
    told = accepted(order, "26P1-A-9")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA
    assert lab.rows("select g.identifier from work_order w join glass g on g.id = glass_id") == [
        ("26P1-A-9",)
    ]
    lab.ask("26P1", WorkKind.RESCAN)
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA


def test_a_slide_that_was_imaged_before_a_work_order_did_not_come_of_it(
    lab: Lab, here: Any, publish: Any, store: Any
) -> None:
    lab.slide(person(ONE), name="26P1-A-1")
    lab.block(person(ONE))
    slide = publish(here, store)
    order = lab.ask("26P1", WorkKind.IHC)
    lab.slide(person(ONE), name="26P1-A-9")
    lab.attach(slide.id, "26P1-A-9")
    told = accepted(order, "26P1-A-9")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AE


def test_a_slide_comes_of_one_work_order(lab: Lab) -> None:
    order, other = ordered(lab), lab.ask("26P1", WorkKind.IHC)
    told = accepted(order, "26P1-A-9")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA
    same = accepted(other, "26P1-A-9")
    assert lab.send("OML^O21", person(ONE), *same, profile=ACCEPTS) == AE
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.3")) == ("SPM", "2")
    assert lab.rows("select state from work_order order by asked_at") == [("accepted",), ("asked",)]


@pytest.mark.parametrize("is_known", [False, True])
def test_one_message_has_no_slide_come_of_two_work_orders(lab: Lab, is_known: bool) -> None:
    order, other = ordered(lab), lab.ask("26P1", WorkKind.IHC)
    one = accepted(order, "26P1-A-9")
    if is_known:
        assert lab.send("OML^O21", person(ONE), *one, profile=ACCEPTS) == AA
    told = (*one, *accepted(other, "26P1-A-9"))
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AE
    assert (lab.told.value("ERR-2.1"), lab.told.value("ERR-2.2")) == ("SPM", "2")
    states = {"accepted", "asked"} if is_known else {"asked"}
    assert {state for (state,) in lab.rows("select state from work_order")} == states
    told = (*one, *accepted(other, "26P1-A-8"))
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA


def test_a_work_order_may_become_two_slides(lab: Lab) -> None:
    """Both are there; the order goes with the last, and the message says that it has changed."""
    order = ordered(lab)
    for slide in ("26P1-A-8", "26P1-A-9"):
        told = accepted(order, slide)
        assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA
    assert any("glass_id" in detail for detail in lab.noted("order.changed"))
    assert lab.rows(
        """select g.identifier, w.id is not null from glass g left join work_order w
               on w.glass_id = g.id where g.identifier in ('26P1-A-8', '26P1-A-9') order by 1"""
    ) == [("26P1-A-8", False), ("26P1-A-9", True)]


def test_a_slide_that_is_cut_from_another_block_is_noted(lab: Lab) -> None:
    order = ordered(lab)
    lab.block(person(ONE), name="26P1-B")
    told = accepted(order, "26P1-B-9", parent="26P1-B")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA
    assert "parent_identifier" in lab.noted("order.changed")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA
    assert lab.noted("order.changed") == []


def test_a_slide_from_a_block_of_the_specimen_that_was_asked_for_is_as_asked(lab: Lab) -> None:
    ordered(lab)
    lab.block(person(ONE), name="26P1-B", parent="26P1-A")
    order = lab.ask("26P1", WorkKind.RECUT)
    told = accepted(order, "26P1-B-9", parent="26P1-B")
    assert lab.send("OML^O21", person(ONE), *told, profile=ACCEPTS) == AA
    assert "parent_identifier" not in lab.noted("order.changed")
