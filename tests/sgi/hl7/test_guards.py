"""One patient is not taken for another: such messages are refused, and a person looks."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from sgi.catalogue import attachments, patients, specimens, work_orders
from sgi.catalogue.case_history import Author
from sgi.catalogue.database import Database
from sgi.domain.case import Asset, AssetKind, WorkKind, WorkOrder
from sgi.domain.identification import How
from sgi.domain.interface import Outcome
from sgi.domain.patient import Identifier, Trait
from sgi.hl7.acceptance_guard import guard_acceptance
from sgi.hl7.errors import ContradictionError
from sgi.hl7.interfaces import built_in
from sgi.hl7.message import Message, parse_message
from sgi.hl7.receive import Receiver
from sgi.hl7.statements import WorkOrderAccepted

NOW = datetime(2026, 6, 12, 8, 30, tzinfo=UTC)
INS = "279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
OTHER_INS = "279035121518890^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
ONE, TWO = "1^^^CHU&1.2.3&ISO^PI", "2^^^CHU&1.2.3&ISO^PI"


def header(type_: str, at: str, profile: str = "") -> str:
    return f"MSH|^~\\&|A|CHU|SGI|CHU|{at}||{type_}|C{at}|P|2.5.1|||||FRA|UNICODE UTF-8|||{profile}"


def person(identifiers: str, name: str = "ESSAI", born: str = "19790328", codes: str = "") -> str:
    pid = f"PID|1||{identifiers}||{name}^ALIX^^^^^L||{born}|F"
    return f"{pid}{'|' * 24}{codes}" if codes else pid


class Lab:
    """Messages, a minute after one another, and what is on record of them."""

    def __init__(self, run: Any, database: Database, establishment: Any) -> None:
        self._run, self._database, self._establishment = run, database, establishment
        self._receiver = Receiver(database, establishment.id, built_in(), clock=lambda: NOW)
        self._minute = 0
        self.outcome: Outcome | None = None
        self.told: Message

    def send(self, type_: str, *lines: str, profile: str = "") -> tuple[str | None, str | None]:
        """MSA-1 and the code of CI-SIS."""
        self._minute += 1
        head = header(type_, f"202606120{7 + self._minute // 60}{self._minute % 60:02}", profile)
        raw = "".join(f"{line}\r" for line in (head, *lines)).encode()
        result = self._run(self._receiver.receive(raw))
        self.outcome = result.outcome
        self.told = told = parse_message(result.answer)
        return told.value("MSA-1"), told.value("ERR-5") if told.segment("ERR") else None

    def adt(self, *lines: str, event: str = "A31") -> tuple[str | None, str | None]:
        return self.send(f"ADT^{event}", *lines)

    def slide(
        self, pid: str, case: str = "26P1", name: str = "", control: str = "NW"
    ) -> tuple[str | None, str | None]:
        name = name or f"{case}-A-1"
        orc = f"ORC|{control}|{case}|{case}" + "|" * 35 + case
        spm = f"SPM|1|{name}|{name[:-2]}|TISS^Tissue^HL70487" + "|" * 23 + f"GLASS|||{case}"
        lines = (pid, orc, f"OBR|1|{case}|{case}|ACP^x^L", spm)
        return self.send("OML^O21^OML_O21", *lines, profile="DPOW-SLIDE^IHE")

    def block(
        self, pid: str, case: str = "26P1", name: str = "", parent: str = ""
    ) -> tuple[str | None, str | None]:
        orc = f"ORC|NW|{case}|{case}" + "|" * 35 + case
        name = name or f"{case}-A"
        spm = f"SPM|1|{name}|{parent}|TISS^Tissue^HL70487" + "|" * 23 + f"CASSETTE|||{case}"
        lines = (pid, orc, f"OBR|1|{case}|{case}|ACP^x^L", spm)
        return self.send("OML^O21^OML_O21", *lines, profile="DPOW-BLOCK^IHE")

    def ask(self, case: str, kind: WorkKind) -> WorkOrder:
        """A work order for the case's block, or for its first glass."""

        async def asked() -> WorkOrder:
            async with self._database.transaction(self._establishment.id) as connection:
                cursor = await connection.execute(
                    """select c.id as case_id, g.id as glass_id from lab_case c
                           join glass g on g.case_id = c.id where c.accession_number = %s
                       order by g.identifier""",
                    [case],
                )
                row = await cursor.fetchone()
                assert row is not None
                who = Author(account_name="Dr Essai")
                if kind is WorkKind.RESCAN:
                    return await work_orders.ask_rescan(connection, *row.values(), "blurred", who)
                block, case_id = f"{case}-A", row["case_id"]
                return await work_orders.ask(connection, case_id, kind, block, (), None, who)

        found: WorkOrder = self._run(asked())
        return found

    def attach(self, slide_id: UUID, glass: str) -> None:
        async def attached() -> None:
            async with self._database.transaction(self._establishment.id) as connection:
                found = await specimens.glass_named(connection, glass)
                assert found is not None
                here = self._establishment.id
                await attachments.attach(connection, here, slide_id, found.id, How.PERSON)

        self._run(attached())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        async def read() -> list[tuple[Any, ...]]:
            async with self._database.transaction(self._establishment.id) as connection:
                cursor = await connection.execute(query)
                return [tuple(row.values()) for row in await cursor.fetchall()]

        found: list[tuple[Any, ...]] = self._run(read())
        return found

    def whats(self) -> list[str]:
        """Of the newest message."""
        (row,) = self.rows("select changes from message order by said_at desc limit 1")
        return [change["what"] for change in row[0]]

    def noted(self, what: str) -> list[str | None]:
        """The details of these, of the newest message."""
        (row,) = self.rows("select changes from message order by said_at desc limit 1")
        return [change.get("detail") for change in row[0] if change["what"] == what]

    def contradictions(self) -> list[list[Any]]:
        """Of each patient, by IPP: traits, and the values of others' identifiers."""

        async def read() -> list[list[Any]]:
            found: list[list[Any]] = []
            async with self._database.transaction(self._establishment.id) as connection:
                for value in ("1", "2"):
                    patient_id = await patients.named(connection, Identifier(value, "CHU"))
                    assert patient_id
                    told = await patients.contradictions(connection, patient_id)
                    found += [[one.traits, tuple(i.value for i in one.others)] for one in told]
            return found

        result: list[list[Any]] = self._run(read())
        return result

    def name_of_case(self, number: str = "26P1") -> str:
        (row,) = self.rows(
            "select p.birth_name from lab_case c join patient p on p.id = c.patient_id"
            f" where accession_number = '{number}'"
        )
        return str(row[0])


AA, AE = ("AA", None), ("AE", "906")


@pytest.fixture
def lab(run: Any, database: Database, here: Any) -> Lab:
    return Lab(run, database, here)


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
            await guard_acceptance(connection, said, {}, lambda _: False)

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
