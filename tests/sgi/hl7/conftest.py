"""A laboratory that sends messages, and what is on record of them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from sgi.catalogue import attachments, patients, specimens, work_orders
from sgi.catalogue.case_history import Author
from sgi.catalogue.database import Database
from sgi.domain.case import WorkKind, WorkOrder
from sgi.domain.identification import How
from sgi.domain.interface import Outcome
from sgi.domain.patient import Identifier
from sgi.hl7.interfaces import built_in
from sgi.hl7.message import Message, parse_message
from sgi.hl7.receive import Receiver

NOW = datetime(2026, 6, 12, 8, 30, tzinfo=UTC)
INS = "279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
OTHER_INS = "279035121518890^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
AA, AE = ("AA", None), ("AE", "906")
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

    def at(self, minute: int) -> "Lab":
        """As of when the next message says that it is true."""
        self._minute = minute - 1
        return self

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

    def uncased(
        self, pid: str | None, name: str, parent: str, kind: str = "GLASS", control: str = "NW"
    ) -> tuple[str | None, str | None]:
        """A slide or block that is ordered without its case, by what it comes from."""
        spm = f"SPM|1|{name}|{parent}|TISS^Tissue^HL70487" + "|" * 23 + kind
        lines = (*([pid] if pid else []), f"ORC|{control}|X1", "OBR|1|X1||ACP^x^L", spm)
        return self.send("OML^O21^OML_O21", *lines)

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

    def glasses(self) -> list[tuple[str, str | None]]:
        """By identifier, each with its case."""
        return self.rows(
            "select identifier, accession_number from glass g"
            " left join lab_case c on c.id = g.case_id order by identifier"
        )

    def name_of_case(self, number: str = "26P1") -> str:
        (row,) = self.rows(
            "select p.birth_name from lab_case c join patient p on p.id = c.patient_id"
            f" where accession_number = '{number}'"
        )
        return str(row[0])


@pytest.fixture
def lab(run: Any, database: Database, here: Any) -> Lab:
    return Lab(run, database, here)
