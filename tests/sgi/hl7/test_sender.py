"""The outbox sent: in order, with patience, and under one control id until it is answered."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from sgi.catalogue import cases, groups, interfaces, kept_messages, outbox, specimens, work_orders
from sgi.catalogue.case_history import Author
from sgi.catalogue.database import Connection, Database
from sgi.catalogue.kept_messages import Filter, Kept
from sgi.catalogue.outbox import Notice
from sgi.domain.case import Asset, AssetKind, CaseSaid, CaseState, Code, WorkKind, WorkState
from sgi.domain.interface import NoticeKind, NoticeState, Outcome
from sgi.hl7 import answers, notices
from sgi.hl7.client import Address, MllpClient
from sgi.hl7.connection_out import Late
from sgi.hl7.errors import (
    BadAnswerError,
    LinkTimeoutError,
    LinkUnavailableError,
    NoAnswerError,
)
from sgi.hl7.interfaces import parse_interface
from sgi.hl7.message import Message, parse_message
from sgi.hl7.mllp import encode_frame
from sgi.hl7.receive import Receiver
from sgi.hl7.sender import Sender
from sgi.hl7.settling import Patience, Sent

NOW = datetime(2026, 6, 12, 8, 30, tzinfo=UTC)
OUT = {
    "host": "127.0.0.1",
    "port": 1,
    "send": ["LAB-104", "LAB-101", "LAB-102", "ORU"],
    "link": "https://sgi.example/cases/{case}",
}
AT_ONCE = Patience(first_s=0, longest_s=0, tries=3, outage_s=0)
Answer = Callable[[Message], bytes]


def ack(code: str, more: str = "") -> Answer:
    """Answers that, whatever it is told."""

    def told(message: Message) -> bytes:
        head = "MSH|^~\\&|SGL||SGI||20260612||ACK^O21^ACK|A1|P|2.5.1"
        return f"{head}\rMSA|{code}|{message.control_id}\r{more}".encode()

    return told


class Laboratory:
    """The other side: answers as it is told to, and AA after that."""

    def __init__(self) -> None:
        self.plan: list[Answer | Exception] = []
        self.received: list[Message] = []
        self.told = asyncio.Event()
        self.afterwards = asyncio.Queue[Late]()

    async def send(self, raw: bytes) -> bytes:
        self.told.set()
        planned = self.plan.pop(0) if self.plan else ack("AA")
        if isinstance(planned, LinkUnavailableError):
            raise planned
        self.received.append(parse_message(raw))
        if isinstance(planned, Exception):
            raise planned
        return planned(self.received[-1])

    async def late(self) -> Late:
        return await self.afterwards.get()

    @property
    def control_ids(self) -> list[str]:
        return [message.control_id for message in self.received]


class Bench:
    """A case with a block and a glass, an interface that sends all, and its sender."""

    def __init__(self, run: Any, database: Database, establishment: Any) -> None:
        self.run, self.database, self.here = run, database, establishment
        self.laboratory = Laboratory()
        document = {
            "name": "sgl",
            "out": OUT,
        }
        self.interface = parse_interface(document, "sgl.toml", "sgl")
        self.sender = self.make_sender()
        self.run(self.sender.register())
        self.case_id: UUID
        self.glass_id: UUID
        self.case_id, self.glass_id = self.run(self._fill())

    def make_sender(self) -> Sender:
        return Sender(
            self.database,
            self.here.id,
            self.interface,
            self.laboratory,
            2575,
            AT_ONCE,
            clock=lambda: NOW,
        )

    async def _fill(self) -> tuple[UUID, UUID]:
        said: Any = {"said_at": NOW, "source": "test"}
        async with self.database.transaction(self.here.id) as connection:
            case = CaseSaid("26P1", placer_number="O1", filler_number="26P1")
            case_id = await cases.record_case(connection, self.here.id, case, None, **said)
            part = Asset(AssetKind.SPECIMEN, "26P1-A", "26P1", site=Code("80248007", "Breast"))
            block = Asset(AssetKind.BLOCK, "26P1-A-1", "26P1", parent="26P1-A")
            glass = Asset(AssetKind.SLIDE, "26P1-A-1-1", "26P1", parent="26P1-A-1")
            for asset in (part, block):
                await specimens.record_asset(connection, self.here.id, asset, **said)
            glass_id = await specimens.record_asset(connection, self.here.id, glass, **said)
        return case_id, glass_id

    def ask(self, function: Any, *args: Any, **options: Any) -> Any:
        async def asked() -> Any:
            async with self.database.transaction(self.here.id) as connection:
                return await function(connection, *args, **options)

        return self.run(asked())

    def tell(self, state: CaseState = CaseState.SIGNED_OUT) -> None:
        self.ask(outbox.case, self.here.id, self.case_id, state)

    def send(self, sender: Sender | None = None) -> int:
        """Everything that is due; how many tries it took."""
        tries = 0
        while sent := self.run((sender or self.sender).send_due()):
            tries += sent
            assert tries < 50, "it never ends"
        return tries

    @property
    def notices(self) -> list[Notice]:
        async def read(connection: Connection) -> list[Notice]:
            cursor = await connection.execute("select id from outbox order by number")
            found = [await outbox.by_id(connection, row["id"]) for row in await cursor.fetchall()]
            return [notice for notice in found if notice is not None]

        result: list[Notice] = self.ask(read)
        return result

    @property
    def messages(self) -> list[Kept]:
        found: list[Kept] = self.ask(kept_messages.list_, Filter(), 50)
        return found[::-1]


@pytest.fixture
def bench(run: Any, database: Database, here: Any) -> Bench:
    return Bench(run, database, here)


def test_what_is_accepted_is_over(bench: Bench) -> None:
    bench.tell()
    assert bench.send() == 1
    (notice,) = bench.notices
    assert (notice.state, notice.attempts, notice.last_error) == (NoticeState.ACCEPTED, 1, None)
    (told,) = bench.laboratory.received
    assert (told.type, told.control_id) == ("OML^O21", notice.control_id)
    assert told.value("ORC-38") == "26P1"
    (kept,) = bench.messages
    assert (kept.direction, kept.outcome, kept.control_id) == ("out", "accepted", notice.control_id)
    assert (kept.accession_number, kept.sender, kept.id) == ("26P1", "SGI|", notice.message_id)
    content = bench.ask(kept_messages.content, kept.id)
    assert content.raw.startswith(b"MSH|")
    assert b"MSA|AA|" in content.answer
    assert bench.send() == 0


def test_what_is_refused_waits_for_a_person(bench: Bench) -> None:
    bench.laboratory.plan = [ack("AE", "ERR||ORC^1^38|101^Required field missing^HL70357|E\r")]
    bench.tell()
    assert bench.send() == 1
    (notice,) = bench.notices
    assert notice.state is NoticeState.REFUSED
    assert notice.last_error == "Required field missing"
    assert bench.messages[0].outcome is Outcome.REFUSED
    assert bench.ask(outbox.retry, notice.id)
    assert bench.send() == 1
    first, second = bench.laboratory.control_ids
    assert first != second, "a new message, or the old answer would be given again"
    assert [kept.outcome for kept in bench.messages] == [Outcome.REFUSED, Outcome.ACCEPTED]


@pytest.mark.parametrize(
    "odd",
    [
        ack("AR"),
        ack("CR"),
        LinkTimeoutError("It did not answer."),
        BadAnswerError("Odd."),
        lambda _: b"garbage",
        ack("XX"),
    ],
)
def test_without_a_proper_answer_the_same_is_sent_again(bench: Bench, odd: Any) -> None:
    bench.laboratory.plan = [odd, odd]
    bench.tell()
    assert bench.send() == 3
    assert len(set(bench.laboratory.control_ids)) == 1
    assert len(bench.laboratory.control_ids) == 3
    raws = {str(list(message)) for message in bench.laboratory.received}
    assert len(raws) == 1, "not a byte differs"
    assert [notice.state for notice in bench.notices] == [NoticeState.ACCEPTED]
    assert len(bench.messages) == 1


@pytest.mark.parametrize("said", ["UNICODE UTF-8", "UNICODE UTF-16", "8859/1"])
@pytest.mark.parametrize("always", [None, "8859/1"])
def test_an_answer_is_read_in_spite_of_its_encoding(
    run: Any, database: Database, here: Any, said: str, always: str | None
) -> None:
    bench = Bench(run, database, here)
    document = {"name": "sgl", "out": OUT, "encoding_always": always}
    bench.interface = parse_interface(
        {key: value for key, value in document.items() if value}, "sgl.toml", "sgl"
    )

    def told(message: Message) -> bytes:
        head = f"MSH|^~\\&|SGL||SGI||20260612||ACK^O21^ACK|A1|P|2.5.1||||||{said}"
        return f"{head}\rMSA|AE|{message.control_id}|Dossier refusé\r".encode("latin-1")

    bench.laboratory.plan = [told]
    bench.tell()
    assert bench.send(bench.make_sender()) == 1
    (notice,) = bench.notices
    assert (notice.state, notice.last_error) == (NoticeState.REFUSED, "Dossier refusé")


def test_an_answer_that_names_nothing_is_that_of_what_was_sent(bench: Bench) -> None:
    nameless = b"MSH|^~\\&|SGL||SGI||20260612||ACK|A1|P|2.5.1\rMSA|AA|\r"
    bench.laboratory.plan = [lambda _: nameless]
    bench.tell()
    assert bench.send() == 1
    assert [notice.state for notice in bench.notices] == [NoticeState.ACCEPTED]
    out = {**OUT, "enhanced": True}
    bench.interface = parse_interface({"name": "sgl", "out": out}, "sgl.toml", "sgl")
    bench.laboratory.plan = [lambda _: nameless]
    bench.tell(CaseState.READING)
    assert bench.send(bench.make_sender()) == 2, "it may be the last word on another"


@pytest.mark.parametrize("odd", [ack("AR", "ERR|||||||||Later.\r"), BadAnswerError("Odd.")])
def test_after_enough_tries_a_person_must_look(bench: Bench, odd: Any) -> None:
    bench.laboratory.plan = [odd] * 3
    bench.tell()
    assert bench.send() == 3
    (notice,) = bench.notices
    assert (notice.state, notice.attempts) == (NoticeState.DEAD, 3)
    assert notice.last_error
    assert bench.messages[0].outcome is Outcome.SENT


def test_an_outage_kills_no_message(bench: Bench) -> None:
    bench.laboratory.plan = [LinkUnavailableError("Away.")] * 20
    bench.tell()
    assert bench.send() == 21
    assert [(n.state, n.attempts) for n in bench.notices] == [(NoticeState.ACCEPTED, 1)]


SILENCE = [LinkTimeoutError("Silence."), NoAnswerError("It closed the connection.")]


@pytest.mark.parametrize("silence", SILENCE)
def test_nor_does_one_that_is_met_with_silence(bench: Bench, silence: Exception) -> None:
    """Such as a proxy that accepts, with nobody behind it."""
    bench.laboratory.plan = [silence] * 20
    bench.tell()
    assert bench.send() == 21
    assert [(n.state, n.attempts) for n in bench.notices] == [(NoticeState.ACCEPTED, 2)]


@pytest.mark.parametrize("silence", SILENCE)
def test_what_alone_is_never_answered_is_for_a_person(bench: Bench, silence: Exception) -> None:
    said: Any = {"said_at": NOW, "source": "test"}
    other = bench.ask(cases.record_case, bench.here.id, CaseSaid("26P2"), None, **said)
    bench.tell()

    async def later(connection: Connection) -> None:
        await connection.execute(
            "update outbox set next_try_at = now() + interval '1 h' where state = 'waiting'"
        )

    async def now(connection: Connection) -> None:
        await connection.execute("update outbox set next_try_at = now() where state = 'waiting'")

    for tries in (1, 2, 3):
        bench.ask(now)
        bench.laboratory.plan = [silence]
        assert bench.run(bench.sender.send_due()) == 1
        assert bench.notices[0].attempts == tries
        bench.ask(later)
        bench.ask(outbox.case, bench.here.id, other, CaseState.READING)
        assert bench.send() == 1
    assert bench.notices[0].state is NoticeState.DEAD
    assert {notice.state for notice in bench.notices[1:]} == {NoticeState.ACCEPTED}


def test_a_case_is_told_in_order_whatever_happens(bench: Bench) -> None:
    bench.laboratory.plan = [ack("AR"), LinkTimeoutError("x"), ack("AA"), ack("AR"), ack("AE")]
    for state in (CaseState.IN_PROGRESS, CaseState.READING, CaseState.SIGNED_OUT):
        bench.tell(state)
    bench.send()
    order = list(dict.fromkeys(bench.laboratory.control_ids))
    assert order == [notice.control_id for notice in bench.notices]
    assert [notice.state for notice in bench.notices] == ["accepted", "refused", "accepted"]


def test_who_died_after_sending_sends_the_same_again(bench: Bench) -> None:
    bench.tell()

    async def die() -> None:
        _, (claimed,) = await bench.sender._claim(1)
        await bench.laboratory.send(claimed.raw)

    bench.run(die())
    bench.tell(CaseState.READING)
    again = bench.make_sender()
    assert bench.send(again) == 0, "it may still be on its way"

    async def pass_time(connection: Connection) -> None:
        await connection.execute("update outbox set next_try_at = now()")

    bench.ask(pass_time)
    assert bench.send(again) == 2
    one, two, three = bench.laboratory.control_ids
    assert one == two != three


def test_a_ready_case_is_told_with_its_link(bench: Bench) -> None:
    bench.tell(CaseState.READY)
    assert bench.send() == 2
    assert [message.type for message in bench.laboratory.received] == ["OML^O21", "ORU^R01"]
    assert str(bench.case_id) in str(bench.laboratory.received[1].value("OBX-5"))


def test_a_work_order_names_its_block(bench: Bench) -> None:
    author = Author(account_id=None, account_name="ESSAI")
    stains = (Code("KI67", "Ki-67"),)
    order = bench.ask(
        work_orders.ask, bench.case_id, WorkKind.IHC, "26P1-A-1", stains, None, author
    )
    bench.laboratory.plan = [ack("AA", f"ORC|UA|{order.placer_number}\r")]
    bench.send()
    (told,) = bench.laboratory.received
    assert told.value("SPM-3") == "26P1-A-1"
    assert told.value("SPM-8") == "80248007"
    assert told.value("ORC-2") == order.placer_number
    (notice,) = bench.notices
    assert notice.state is NoticeState.ACCEPTED, "it got there"
    assert bench.ask(work_orders.by_id, order.id).state is WorkState.REFUSED, "and was turned down"


def test_who_asks_is_named_by_the_number_of_their_account(bench: Bench) -> None:
    async def with_number(connection: Any) -> Author:
        cursor = await connection.execute("select id, name from account limit 1")
        row = await cursor.fetchone()
        await groups.set_number(connection, bench.here.id, row["id"], "810003456789")
        return Author(account_id=row["id"], account_name=row["name"])

    author = bench.ask(with_number)
    bench.ask(work_orders.ask, bench.case_id, WorkKind.RECUT, "26P1-A-1", (), None, author)
    bench.send()
    (told,) = bench.laboratory.received
    assert (told.value("ORC-12.1"), told.value("ORC-12.2")) == ("810003456789", author.account_name)


def test_an_answer_that_comes_as_a_message_settles_it(bench: Bench) -> None:
    author = Author(account_id=None, account_name="ESSAI")
    order = bench.ask(work_orders.ask, bench.case_id, WorkKind.RECUT, "26P1-A-1", (), None, author)
    bench.laboratory.plan = [LinkTimeoutError("It answers on its own.")]
    bench.run(bench.sender.send_due(1))
    (control_id,) = bench.laboratory.control_ids
    answer = (
        "MSH|^~\\&|SGL||SGI||20260612||ORL^O22^ORL_O22|A9|P|2.5.1\r"
        f"MSA|AA|{control_id}\rORC|UA|{order.placer_number}\r"
    )
    receiver = Receiver(bench.database, bench.here.id, bench.interface)
    result = bench.run(receiver.receive(answer.encode()))
    assert result.outcome is Outcome.APPLIED
    assert [notice.state for notice in bench.notices] == [NoticeState.ACCEPTED]
    assert bench.ask(work_orders.by_id, order.id).state is WorkState.REFUSED
    assert bench.send() == 0


def test_what_is_not_true_any_more_is_not_told(bench: Bench) -> None:
    bench.ask(outbox.image, bench.here.id, bench.glass_id, uuid.uuid4(), available=True)
    bench.ask(outbox.image, bench.here.id, uuid.uuid4(), uuid.uuid4(), available=False)
    assert bench.send() == 2
    assert bench.laboratory.received == []
    assert {notice.state for notice in bench.notices} == {NoticeState.GIVEN_UP}


def test_an_image_is_told_with_what_its_instances_say(
    bench: Bench, publish: Callable[..., Any], store: Any
) -> None:
    slide = publish(bench.here, store)

    async def attach(connection: Connection, glass_id: UUID | None) -> None:
        await connection.execute(
            "update slide set glass_id = %s, unidentified = %s where id = %s",
            [glass_id, None if glass_id else "undone", slide.id],
        )

    bench.ask(attach, bench.glass_id)
    bench.ask(outbox.image, bench.here.id, bench.glass_id, slide.id, available=True)
    bench.send()
    bench.ask(attach, None)
    bench.ask(outbox.image, bench.here.id, bench.glass_id, slide.id, available=False)
    bench.send()
    told = [message for message in bench.laboratory.received if message.value("SPM-20")]
    assert [message.value("SPM-20") for message in told] == ["Y", "N"]
    assert {message.value("SPM-2") for message in told} == {"26P1-A-1-1"}
    assert {message.value("SPM-3") for message in told} == {"26P1-A-1"}
    uids = [segment.value(5) for segment in told[0].segments("OBX")]
    assert uids == [slide.study_uid, slide.series_uid]


def test_uids_that_changed_in_an_outage_are_told(
    bench: Bench, publish: Callable[..., Any], store: Any
) -> None:
    slide = publish(bench.here, store)

    async def tell(connection: Connection) -> None:
        await connection.execute(
            "update slide set glass_id = %s, unidentified = null where id = %s",
            [bench.glass_id, slide.id],
        )
        subject = (bench.here.id, bench.glass_id, slide.id)
        await outbox.image(connection, *subject, available=True)

    async def tell_anew(connection: Connection) -> None:
        await connection.execute(
            """update slide set identity_revision = 1, told_study_uid = '2.25.777',
                   told_series_uid = '2.25.778' where id = %s""",
            [slide.id],
        )
        await tell(connection)

    bench.ask(tell)
    bench.laboratory.plan = [LinkUnavailableError("Away.")]
    bench.run(bench.sender.send_due())
    bench.ask(tell_anew)
    bench.send()
    told = [[obx.value(5) for obx in m.segments("OBX")] for m in bench.laboratory.received]
    assert told == [[slide.study_uid, slide.series_uid], ["2.25.777", "2.25.778"]]


def test_what_is_not_answered_for_good_holds_up_its_glass(bench: Bench) -> None:
    """Also where that is of another case by now."""
    slide_id = uuid.uuid4()

    async def tell(connection: Connection) -> None:
        subject = (bench.here.id, bench.glass_id, slide_id)
        await outbox.image(connection, *subject, available=False)
        await connection.execute("update outbox set case_id = null")  # as if put before its case
        await outbox.image(connection, bench.here.id, bench.glass_id, slide_id, available=True)
        await connection.execute("update outbox set is_available = false")

    bench.ask(tell)
    bench.laboratory.plan = [ack("AR")]
    assert bench.run(bench.sender.send_due()) == 2
    assert [(n.state, n.attempts) for n in bench.notices] == [("waiting", 1), ("waiting", 0)]
    bench.send()
    assert [n.state for n in bench.notices] == ["accepted", "accepted"]
    first, again, second = bench.laboratory.control_ids
    assert first == again != second


def test_a_slide_without_a_case_waits_for_it(bench: Bench) -> None:
    lone = Asset(AssetKind.SLIDE, "26P9-A-1-1")
    said: Any = {"said_at": NOW, "source": "test"}
    glass_id = bench.ask(specimens.record_asset, bench.here.id, lone, **said)
    bench.ask(outbox.image, bench.here.id, glass_id, uuid.uuid4(), available=False)
    bench.run(bench.sender.send_due(1))
    (notice,) = bench.notices
    assert (notice.state, notice.attempts) == (NoticeState.WAITING, 0)
    assert "which case" in str(notice.last_error)
    found = Asset(AssetKind.SLIDE, "26P9-A-1-1", "26P9")
    bench.ask(specimens.record_asset, bench.here.id, found, **said)
    bench.send()
    assert [message.value("ORC-38") for message in bench.laboratory.received] == ["26P9"]


def test_a_defect_holds_up_nobody_and_is_told_without_names(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("ESSAI ALIX")

    with monkeypatch.context() as patched:
        patched.setattr(notices, "write", fail)
        bench.tell()
        bench.send()
    with monkeypatch.context() as patched:
        patched.setattr(answers, "settle", fail)
        bench.tell(CaseState.READING)
        bench.send()
    bench.tell(CaseState.REPORTED)
    bench.send()
    states = [notice.state for notice in bench.notices]
    assert states == [NoticeState.DEAD, NoticeState.DEAD, NoticeState.ACCEPTED]
    assert len(set(bench.laboratory.control_ids)) == 2
    assert "ESSAI" not in caplog.text
    assert "ESSAI" not in str(bench.notices)
    assert "test_sender.py" in caplog.text


def test_it_runs_until_it_is_stopped(bench: Bench) -> None:
    async def run_for_a_while() -> None:
        task = asyncio.create_task(bench.sender.run())
        await asyncio.sleep(0.2)
        async with bench.database.transaction(bench.here.id) as connection:
            await outbox.case(connection, bench.here.id, bench.case_id, CaseState.SIGNED_OUT)
        async with asyncio.timeout(4):  # told at once, not at the next look around
            await bench.laboratory.told.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    bench.run(run_for_a_while())
    ((interface, _),) = bench.ask(interfaces.all_)
    assert (interface.port, interface.sends) == (2575, frozenset(NoticeKind))


def test_without_an_address_it_only_gives_signs_of_life(
    run: Any, database: Database, here: Any
) -> None:
    interface = parse_interface({"name": "mute"}, "mute.toml", "mute")
    sender = Sender(database, here.id, interface, None, 2575)

    async def run_for_a_while() -> list[Any]:
        task = asyncio.create_task(sender.run())
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with database.transaction(here.id) as connection:
            return await interfaces.all_(connection)

    ((found, _),) = run(run_for_a_while())
    assert (found.name, found.sends) == ("mute", frozenset())


@pytest.mark.parametrize(
    ("attempts", "pause_s"),
    [(1, 5), (2, 10), (4, 40), (8, 640), (9, 900), (100, 900), (10**6, 900)],
)
def test_patience_grows_and_ends_growing(attempts: int, pause_s: float) -> None:
    assert Patience().pause(attempts).total_seconds() == pause_s
    assert 0.5 <= Patience().outage(attempts) <= 60


def test_what_was_received_may_be_turned_down_later(bench: Bench) -> None:
    bench.interface = parse_interface(
        {"name": "sgl", "out": {**OUT, "enhanced": True}}, "sgl.toml", "sgl"
    )
    receiver = Receiver(bench.database, bench.here.id, bench.interface)

    def reply(code: str) -> Any:
        (control_id,) = bench.laboratory.control_ids
        raw = f"MSH|^~\\&|SGL||SGI||20260612||ORL^O22|{code}9|P|2.5.1\rMSA|{code}|{control_id}|no\r"
        return bench.run(receiver.receive(raw.encode()))

    bench.laboratory.plan = [ack("CA")]
    bench.tell()
    bench.send(bench.make_sender())
    (sent,) = bench.laboratory.received
    assert (sent.value("MSH-15"), sent.value("MSH-16")) == ("AL", "AL")
    assert [notice.state for notice in bench.notices] == [NoticeState.ACCEPTED]
    for code, state in (
        ("AA", NoticeState.ACCEPTED),
        ("CE", NoticeState.ACCEPTED),
        ("AE", NoticeState.REFUSED),
        ("AA", NoticeState.REFUSED),
    ):
        reply(code)
        assert [notice.state for notice in bench.notices] == [state]
    (notice,) = bench.notices
    assert notice.last_error == "no"
    assert [kept.outcome for kept in bench.messages if kept.id == notice.message_id] == [
        Outcome.REFUSED
    ]
    assert bench.ask(outbox.retry, notice.id), "a person has it told anew"


class Application:
    """A laboratory in enhanced mode: a receipt at once, and what became of the message later, on
    the same connection."""

    def __init__(self, becomes: str, more: str = "", header: str = "") -> None:
        self.becomes, self.more, self.header = becomes, more, header
        self.address: Address
        self.returned = asyncio.Queue[bytes]()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = Address("127.0.0.1", self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = parse_message((await reader.readuntil(b"\x1c\r"))[1:-2])
        writer.write(encode_frame(ack("CA")(asked)))
        await asyncio.sleep(0.05)
        head = f"MSH|^~\\&|SGL||SGI||20260612||ORL^O22|L9|P|2.5.1{self.header}"
        said = f"{head}\rMSA|{self.becomes}|{asked.control_id}\r{self.more}"
        writer.write(encode_frame(said.encode()))
        with suppress(asyncio.IncompleteReadError):
            self.returned.put_nowait(await reader.readuntil(b"\x1c\r"))
        writer.close()


def enhanced(bench: Bench, application: Application, states: set[NoticeState]) -> None:
    """Send what is due, until the only notice is in one of the states."""
    bench.interface = parse_interface(
        {"name": "sgl", "out": {**OUT, "enhanced": True}}, "sgl.toml", "sgl"
    )

    async def scene() -> None:
        async with (
            application,
            MllpClient(application.address, hears_late=True) as client,
        ):
            sender = Sender(bench.database, bench.here.id, bench.interface, client, 1, AT_ONCE)
            running = asyncio.create_task(sender.run())
            async with asyncio.timeout(10):
                while True:
                    async with bench.database.transaction(bench.here.id) as connection:
                        cursor = await connection.execute("select state from outbox")
                        if {row["state"] for row in await cursor.fetchall()} <= states:
                            break
                    await asyncio.sleep(0.02)
                if application.header:
                    application.returned.put_nowait(await application.returned.get())
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    bench.run(scene())


@pytest.mark.parametrize("code", ["AE", "AR"])
def test_what_is_refused_after_its_receipt_on_the_same_connection_is_told(
    bench: Bench, code: str
) -> None:
    bench.tell()
    more = "ERR||ORC^1^38|103^Table value not found^HL70357|E||||No such case\r"
    enhanced(bench, Application(code, more), {NoticeState.REFUSED})
    (notice,) = bench.ask(outbox.unsettled, None, 10)
    assert (notice.state, notice.last_error) == (NoticeState.REFUSED, "No such case")
    (kept,) = bench.messages
    assert kept.outcome is Outcome.REFUSED
    content = bench.ask(kept_messages.content, kept.id)
    assert f"MSA|{code}|" in content.answer.decode()


def test_an_answer_that_asks_for_a_receipt_has_one(bench: Bench) -> None:
    bench.tell()
    application = Application("AE", "ERR||||E||||no\r", header="|||AL|NE")
    enhanced(bench, application, {NoticeState.REFUSED})
    assert b"MSA|CA|L9" in application.returned.get_nowait()


def test_a_work_order_that_is_turned_down_after_its_receipt(bench: Bench) -> None:
    author = Author(account_id=None, account_name="ESSAI")
    order = bench.ask(work_orders.ask, bench.case_id, WorkKind.RECUT, "26P1-A-1", (), None, author)
    application = Application("AE", f"ERR||||E||||no\rORC|UA|{order.placer_number}\r")
    enhanced(bench, application, {NoticeState.REFUSED})
    assert bench.ask(work_orders.by_id, order.id).state is WorkState.REFUSED


@pytest.mark.parametrize(
    ("code", "state"),
    [("AA", "accepted"), ("AE", "refused"), ("AR", "refused"), ("CE", "refused"), ("CR", "sent")],
)
def test_what_overtakes_the_receipt_is_the_last_word(bench: Bench, code: str, state: str) -> None:
    """It comes on another connection, while the receipt waits to be settled."""
    bench.interface = parse_interface(
        {"name": "sgl", "out": {**OUT, "enhanced": True}}, "sgl.toml", "sgl"
    )
    receiver = Receiver(bench.database, bench.here.id, bench.interface)
    sender = bench.make_sender()

    async def overtake() -> None:
        _, (outgoing,) = await sender._claim(1)
        asked = parse_message(outgoing.raw)
        head = "MSH|^~\\&|SGL||SGI||20260612||ORL^O22|L9|P|2.5.1"
        said = f"{head}\rMSA|{code}|{asked.control_id}|no\r"
        await receiver.receive(said.encode())
        async with bench.database.transaction(bench.here.id) as connection:
            notice = await outbox.by_id(connection, outgoing.notice.id)
        assert notice is not None
        assert notice.state == state
        await sender._settle([Sent(outgoing, answers.read(ack("CA")(asked)))], [])

    bench.tell()
    bench.run(overtake())
    (notice,) = bench.notices
    assert notice.state == ("accepted" if state == "sent" else state)
    assert bench.messages[0].outcome == notice.state


# Many at once


def test_many_notices_are_two_transactions(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the other side's answers, and not the database, are what is waited for."""
    begun = 0
    transaction = Database.transaction

    def counted(self: Database, establishment_id: UUID) -> Any:
        nonlocal begun
        begun += 1
        return transaction(self, establishment_id)

    for number in range(20):
        bench.tell(CaseState.READING if number % 2 else CaseState.REPORTED)
    monkeypatch.setattr(Database, "transaction", counted)
    assert bench.run(bench.sender.send_due()) == 20
    assert begun == 2
    assert bench.laboratory.control_ids == [notice.control_id for notice in bench.notices]
    assert {notice.state for notice in bench.notices} == {NoticeState.ACCEPTED}


def test_those_that_wait_behind_many_cost_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements of a batch are as many whether a hundred notices of the case wait or two."""
    executed: list[int] = []

    async def count(waiting: int) -> None:
        async def put(connection: Connection) -> None:
            await connection.execute(
                """insert into outbox (establishment_id, interface, kind, case_state, case_id)
                   select %s, 'sgl', 'LAB-101', 'reading', %s from generate_series(1, %s)""",
                [bench.here.id, bench.case_id, waiting],
            )

        async with bench.database.transaction(bench.here.id) as connection:
            await put(connection)
        execute = AsyncConnection.execute
        executed.append(0)

        async def counted(self: Any, *args: Any, **options: Any) -> Any:
            executed[-1] += 1
            return await execute(self, *args, **options)

        with monkeypatch.context() as patched:
            patched.setattr(AsyncConnection, "execute", counted)
            assert await bench.sender.send_due(2) == 2

    bench.run(count(2))
    bench.run(count(100))
    assert executed[0] == executed[1]


def test_one_that_is_answered_later_holds_up_its_case_and_no_other(bench: Bench) -> None:
    said: Any = {"said_at": NOW, "source": "test"}
    other = bench.ask(cases.record_case, bench.here.id, CaseSaid("26P2"), None, **said)
    for state in (CaseState.READING, CaseState.REPORTED):
        bench.tell(state)
    bench.ask(outbox.case, bench.here.id, other, CaseState.READING)
    bench.laboratory.plan = [ack("AR")]
    assert bench.run(bench.sender.send_due()) == 3
    assert [m.value("ORC-38") for m in bench.laboratory.received] == ["26P1", "26P2"]
    assert [(n.state, n.attempts) for n in bench.notices] == [
        ("waiting", 1),
        ("waiting", 0),
        ("accepted", 1),
    ]
    bench.send()
    order = list(dict.fromkeys(bench.laboratory.control_ids))
    first, second, third = (notice.control_id for notice in bench.notices)
    assert order == [first, third, second]


def test_trouble_with_the_link_ends_the_batch(bench: Bench) -> None:
    for state in (CaseState.READING, CaseState.REPORTED, CaseState.SIGNED_OUT):
        bench.tell(state)
    bench.laboratory.plan = [ack("AA"), LinkTimeoutError("It did not answer.")]
    assert bench.run(bench.sender.send_due()) == 3
    assert [notice.state for notice in bench.notices] == ["accepted", "waiting", "waiting"]
    assert bench.run(bench.sender.send_due()) == 1, "one alone, until the link is well again"
    bench.send()
    assert {notice.state for notice in bench.notices} == {NoticeState.ACCEPTED}
    assert len(bench.laboratory.control_ids) == 4


def test_who_is_stopped_keeps_what_was_answered(bench: Bench) -> None:
    for state in (CaseState.READING, CaseState.REPORTED):
        bench.tell(state)
    send = bench.laboratory.send

    async def hang(raw: bytes) -> bytes:
        if bench.laboratory.received:
            await asyncio.sleep(60)
        return await send(raw)

    async def stop() -> None:
        task = asyncio.create_task(bench.sender.send_due())
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    bench.laboratory.send = hang  # type: ignore[method-assign]
    bench.run(stop())
    first, second = bench.notices
    assert first.state is NoticeState.ACCEPTED
    assert second.state in {NoticeState.SENT, NoticeState.WAITING}


# A new scan that is not wanted any more


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_new_scan_that_is_taken_back(
    bench: Bench, publish: Callable[..., Any], store: Any, is_gone: bool
) -> None:
    """What has not gone out is not sent; of a case that is whole again LAB-101 says so."""
    slide = publish(bench.here, store)
    author = Author(account_id=None, account_name="ESSAI")

    async def attach(connection: Connection) -> None:
        await connection.execute(
            "update slide set glass_id = %s, unidentified = null where id = %s",
            [bench.glass_id, slide.id],
        )
        await cases.reassess(connection, bench.case_id)

    bench.ask(attach)
    bench.send()
    bench.laboratory.received.clear()
    asked = (bench.case_id, bench.glass_id)
    bench.ask(work_orders.ask_rescan, *asked, "blurred", author)
    if is_gone:
        bench.send()
    bench.ask(work_orders.withdraw_rescan, *asked, author)
    bench.send()
    ready = ["DPOW-CASE-UPDATE", "ORU"]
    expected = ["DPOW-PLACE-WO", *ready] if is_gone else ready
    told = [message.value("MSH-21") or message.code for message in bench.laboratory.received]
    assert told == expected
    order = bench.ask(work_orders.of_case, bench.case_id)[0]
    assert order.state is WorkState.WITHDRAWN


# A work order that is withdrawn

ASKER = Author(account_id=None, account_name="ESSAI")


def ask_for_recut(bench: Bench) -> UUID:
    order = bench.ask(work_orders.ask, bench.case_id, WorkKind.RECUT, "26P1-A-1", (), None, ASKER)
    found: UUID = order.id
    return found


def withdrawing(bench: Bench, order_id: UUID, answered: Any) -> Any:
    """A laboratory; somebody withdraws the order while the first message is on its way there."""
    send = bench.laboratory.send

    async def withdraw(raw: bytes) -> bytes:
        bench.laboratory.send = send  # type: ignore[method-assign]
        bench.laboratory.plan = [answered]
        async with bench.database.transaction(bench.here.id) as connection:
            await work_orders.withdraw(connection, bench.case_id, order_id, ASKER)
        return await send(raw)

    return withdraw


@pytest.mark.parametrize(
    ("answered", "received"),
    [
        (LinkUnavailableError("Away."), 0),
        (LinkTimeoutError("Silence."), 1),
        (ack("AR"), 1),
    ],
)
def test_what_was_withdrawn_on_its_way_is_not_sent_again(
    bench: Bench, answered: Any, received: int
) -> None:
    order_id = ask_for_recut(bench)
    bench.laboratory.send = withdrawing(bench, order_id, answered)  # type: ignore[method-assign]
    bench.send()
    assert len(bench.laboratory.received) == received
    (notice,) = bench.notices
    assert notice.state is NoticeState.GIVEN_UP
    assert "not true" in str(notice.last_error)
    assert bench.ask(work_orders.by_id, order_id).state is WorkState.WITHDRAWN


def test_what_was_withdrawn_on_its_way_may_have_arrived(bench: Bench) -> None:
    order_id = ask_for_recut(bench)
    bench.laboratory.send = withdrawing(bench, order_id, ack("AA"))  # type: ignore[method-assign]
    bench.send()
    assert [notice.state for notice in bench.notices] == [NoticeState.ACCEPTED]


def test_what_was_withdrawn_behind_others_is_not_sent(bench: Bench) -> None:
    """It was claimed and written with them, and its turn had not come."""
    bench.tell(CaseState.READING)
    order_id = ask_for_recut(bench)
    bench.tell(CaseState.REPORTED)
    bench.laboratory.send = withdrawing(bench, order_id, ack("AA"))  # type: ignore[method-assign]
    bench.send()
    told = [message.value("MSH-21") for message in bench.laboratory.received]
    assert told == ["DPOW-CASE-UPDATE"] * 2
    assert [notice.state for notice in bench.notices] == ["accepted", "given_up", "accepted"]
