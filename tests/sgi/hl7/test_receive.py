"""From bytes to an answer: kept and applied in one transaction, and the same only once."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from sgi.catalogue import kept_messages
from sgi.catalogue.database import Database
from sgi.catalogue.kept_messages import Filter, Kept
from sgi.domain.interface import Outcome
from sgi.errors import ConflictError, IdentityConflictError, NotFoundError
from sgi.hl7 import apply, receive
from sgi.hl7.errors import ContradictionError, MessageTooLargeError
from sgi.hl7.interfaces import built_in, parse_interface
from sgi.hl7.receive import Receiver, Result

NOW = datetime(2026, 6, 12, 8, 30, tzinfo=UTC)


def adt(
    event: str = "A31",
    control_id: str = "C1",
    ipp: str = "8000001",
    name: str = "ESSAI",
    at: str = "20260612101500+0200",
    more: tuple[str, ...] = (),
) -> bytes:
    lines = [
        f"MSH|^~\\&|GAM|CHU|SGI|CHU|{at}||ADT^{event}|{control_id}|P|2.5|||||FRA|UNICODE UTF-8",
        f"EVN|{event}|{at}",
        f"PID|1||{ipp}^^^CHU&1.2.3&ISO^PI||{name}^ALIX^ALIX^^^^L||19790328|F",
        *more,
    ]
    return "".join(f"{line}\r" for line in lines).encode()


def slide(
    control_id: str = "S1",
    case: str = "26P1",
    name: str = "26P1-A-1",
    control: str = "NW",
    birth_date: str = "19790328",
    at: str = "20260612101500+0200",
) -> bytes:
    lines = [
        f"MSH|^~\\&|SGL|CHU|SGI|CHU|{at}||OML^O21^OML_O21|{control_id}|P|2.5.1|||||FRA"
        "|UNICODE UTF-8|||DPOW-SLIDE^IHE",
        f"PID|1||8000001^^^CHU&1.2.3&ISO^PI||ESSAI^ALIX^^^^^L||{birth_date}|F",
        f"ORC|{control}|{case}|{case}" + "|" * 35 + case,
        f"OBR|1|{case}|{case}|ACP^Anatomie pathologique^L",
        f"SPM|1|{name}|26P1-A|TISS^Tissue^HL70487" + "|" * 23 + f"GLASS|||{case}",
    ]
    return "".join(f"{line}\r" for line in lines).encode()


def code(answer: bytes) -> str:
    return answer.split(b"\rMSA|", 1)[1][:2].decode()


class Lab:
    """A receiver, and what is on record of it."""

    def __init__(self, run: Any, database: Database, establishment: Any, receiver: Receiver):
        self._run, self._database, self.establishment = run, database, establishment
        self.receiver = receiver

    def send(self, raw: bytes) -> Result:
        result: Result = self._run(self.receiver.receive(raw))
        return result

    def run_refuse(self, head: bytes) -> bytes:
        error = MessageTooLargeError("The message has more than 1 MiB; send less.")
        told: bytes = self._run(self.receiver.refuse(head, error))
        return told

    def replay(self, message_id: UUID | None) -> Result:
        assert message_id is not None
        result: Result = self._run(self.receiver.replay(message_id))
        return result

    def kept(self, **wanted: Any) -> list[Kept]:
        """Oldest first."""

        async def read() -> list[Kept]:
            async with self._database.transaction(self.establishment.id) as connection:
                return await kept_messages.list_(connection, Filter(**wanted), 100)

        found: list[Kept] = self._run(read())
        return found[::-1]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        async def read() -> list[tuple[Any, ...]]:
            async with self._database.transaction(self.establishment.id) as connection:
                cursor = await connection.execute(query)
                return [tuple(row.values()) for row in await cursor.fetchall()]

        found: list[tuple[Any, ...]] = self._run(read())
        return found


@pytest.fixture
def make_lab(run: Any, database: Database) -> Callable[..., Lab]:
    def make(establishment: Any, **document: Any) -> Lab:
        interface = parse_interface(document, "sgl.toml", "sgl") if document else built_in()
        receiver = Receiver(database, establishment.id, interface, clock=lambda: NOW)
        return Lab(run, database, establishment, receiver)

    return make


@pytest.fixture
def lab(make_lab: Callable[..., Lab], here: Any) -> Lab:
    return make_lab(here)


def whats(kept: Kept) -> list[str]:
    return [change["what"] for change in kept.changes]


def test_a_message_is_kept_with_what_it_changed(lab: Lab) -> None:
    raw = adt()
    result = lab.send(raw)
    assert (result.outcome, code(result.answer)) == (Outcome.APPLIED, "AA")
    (kept,) = lab.kept()
    assert kept.id == result.message_id
    assert (kept.interface, kept.direction, kept.control_id, kept.sender, kept.type) == (
        "sgl",
        "in",
        "C1",
        "GAM|CHU",
        "ADT^A31",
    )
    assert kept.said_at == datetime(2026, 6, 12, 8, 15, tzinfo=UTC)
    assert whats(kept) == ["patient.new", "identifier.new"]
    ((patient_id,),) = lab.rows("select id from patient")
    assert kept.patient_id == patient_id
    ((stored, answer),) = lab.rows("select raw, answer from message")
    assert (bytes(stored), bytes(answer)) == (raw, result.answer)


def test_what_it_changed_says_columns_and_no_values(lab: Lab) -> None:
    lab.send(adt())
    lab.send(adt(control_id="C2", name="AUTRE", at="20260612102000+0200"))
    kept = lab.kept()[-1]
    (change,) = kept.changes
    assert (change["what"], change["detail"]) == ("patient.changed", "birth_name")
    assert "AUTRE" not in str(kept)


def test_the_same_message_is_answered_as_before_and_changes_nothing(lab: Lab) -> None:
    first = lab.send(adt())
    lab.send(adt(control_id="C2", name="AUTRE", at="20260612102000+0200"))
    again = lab.send(adt())
    assert (again.answer, again.message_id) == (first.answer, first.message_id)
    assert [(kept.control_id, kept.repeats) for kept in lab.kept()] == [("C1", 1), ("C2", 0)]
    assert lab.rows("select birth_name from patient") == [("AUTRE",)]


def test_many_who_bring_the_same_at_once_bring_it_once(run: Any, lab: Lab) -> None:
    async def all_() -> list[Result]:
        return await asyncio.gather(*(lab.receiver.receive(slide()) for _ in range(6)))

    results = run(all_())
    assert {result.answer for result in results} == {results[0].answer}
    (kept,) = lab.kept()
    assert kept.repeats == 5


def test_many_messages_about_one_case_take_turns(run: Any, lab: Lab) -> None:
    sent = [slide(f"S{n}", name=f"26P1-A-{n}") for n in range(12)]

    async def all_() -> list[Result]:
        return await asyncio.gather(*(lab.receiver.receive(raw) for raw in sent))

    assert {result.outcome for result in run(all_())} == {Outcome.APPLIED}
    assert lab.rows("select count(*) from lab_case") == [(1,)]
    assert lab.rows("select expected from lab_case") == [(12,)]


def test_another_content_under_a_known_control_id_is_taken_and_marked(lab: Lab) -> None:
    lab.send(adt())
    result = lab.send(adt(ipp="8000002"))
    assert result.outcome is Outcome.APPLIED
    assert [kept.reuses_control_id for kept in lab.kept()] == [False, True]
    assert lab.rows("select count(*) from patient") == [(2,)]


def test_what_is_known_changes_nothing(lab: Lab) -> None:
    lab.send(slide())
    lab.send(slide("S2"))
    first, second = lab.kept()
    assert (first.outcome, second.outcome) == (Outcome.APPLIED, Outcome.UNCHANGED)
    assert first.accession_number == second.accession_number == "26P1"
    assert "glass.new" in whats(first)


@pytest.mark.parametrize(
    ("raw", "condition", "words"),
    [
        (adt("A99"), b"|201^", "MSH-9.2"),
        (adt().replace(b"ADT^A31|", b"SIU^S12|"), b"|200^", "MSH-9.1"),
        (adt().replace(b"|C1|", b"||"), b"|101^", "MSH-10"),
        (adt().replace(b"UNICODE UTF-8", b"KLINGON"), b"|102^", "MSH-18"),
        (slide(name=""), b"|101^", "SPM-2"),
    ],
)
def test_what_is_refused_is_kept_with_the_reason(
    lab: Lab, raw: bytes, condition: bytes, words: str
) -> None:
    result = lab.send(raw)
    assert (result.outcome, code(result.answer)) == (Outcome.REFUSED, "AE")
    assert condition in result.answer
    (kept,) = lab.kept()
    assert kept.outcome is Outcome.REFUSED
    assert kept.error is not None
    assert words in kept.error
    assert kept.changes == ()
    assert lab.rows("select count(*) from patient") == [(0,)]


@pytest.mark.parametrize("raw", [b"", b"garbage", b"\0\xff" * 9, b"MSH", b"MSH|^~\\&|", b"\xef"])
def test_what_cannot_be_read_is_kept_too(lab: Lab, raw: bytes) -> None:
    result = lab.send(raw)
    assert result.outcome is Outcome.REFUSED
    again = lab.send(raw)
    assert (again.outcome, again.answer) == (Outcome.REFUSED, result.answer)
    (kept,) = lab.kept()
    assert (kept.size_bytes, kept.repeats) == (len(raw), 1)


def test_half_a_message_is_not_applied(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: Any, **__: Any) -> UUID:
        raise ContradictionError("This cannot be.")

    monkeypatch.setattr(apply.specimens, "record_asset", refuse)
    result = lab.send(slide())
    assert (result.outcome, code(result.answer)) == (Outcome.REFUSED, "AE")
    assert lab.rows("select count(*) from patient") == [(0,)]
    assert lab.rows("select count(*) from lab_case") == [(0,)]
    assert [kept.error for kept in lab.kept()] == ["This cannot be."]


def test_a_defect_loses_nothing_and_tells_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any, **__: Any) -> UUID:
        raise KeyError("ESSAI ALIX")

    with monkeypatch.context() as patched:
        patched.setattr(apply.patients, "record", fail)
        with caplog.at_level(logging.INFO):
            result = lab.send(adt())
    assert (result.outcome, code(result.answer)) == (Outcome.REFUSED, "AE")
    assert "ESSAI" not in caplog.text
    assert "test_receive.py" in caplog.text, "where it was"
    (kept,) = lab.kept()
    assert "ESSAI" not in str(kept.error)
    assert lab.replay(kept.id).outcome is Outcome.APPLIED


def test_what_was_refused_is_taken_when_it_comes_again_and_is_right_by_then(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any, **__: Any) -> UUID:
        raise ContradictionError("This cannot be.")

    with monkeypatch.context() as patched:
        patched.setattr(apply.patients, "record", refuse)
        refused = lab.send(adt())
        assert lab.send(adt()).answer == refused.answer
    taken = lab.send(adt())
    assert (taken.outcome, code(taken.answer)) == (Outcome.APPLIED, "AA")
    assert lab.send(adt()).answer == taken.answer
    first, second = lab.kept()
    assert (first.outcome, first.repeats) == (Outcome.REFUSED, 1)
    assert (second.replay_of, second.repeats) == (first.id, 1)


def test_what_is_refused_for_another_reason_is_told_that(
    make_lab: Callable[..., Lab], here: Any
) -> None:
    """Who mends the first mistake of a mapping has to see the second."""
    not_ours = make_lab(here, name="sgl", sender={"applications": ["OTHER"]})
    of_tests = make_lab(here, name="sgl", events={"processing": ["T"]})
    first = not_ours.send(slide())
    assert not_ours.send(slide()) == first
    second = of_tests.send(slide())
    assert (second.outcome, code(second.answer)) == (Outcome.REFUSED, "AE")
    assert b"|202^" in second.answer
    assert of_tests.send(slide()) == second
    third = make_lab(here, name="sgl").send(slide())
    assert (third.outcome, code(third.answer)) == (Outcome.APPLIED, "AA")
    assert not_ours.send(slide()) == third, "once it was taken, it is"
    kept = of_tests.kept()
    assert [(one.outcome, one.repeats) for one in kept] == [
        (Outcome.REFUSED, 1),
        (Outcome.REFUSED, 1),
        (Outcome.APPLIED, 1),
    ]
    assert [one.replay_of for one in kept] == [None, kept[0].id, kept[0].id]


@pytest.mark.parametrize(
    "raw",
    [
        adt() + adt(control_id="C2", ipp="8000002"),
        slide() + adt(control_id="C2", ipp="8000002"),
        adt(more=("PID|1||8000002^^^CHU&1.2.3&ISO^PI||AUTRE^ALIX^^^^^L||19790328|F",)),
    ],
)
def test_nothing_is_taken_for_what_nobody_read(lab: Lab, raw: bytes) -> None:
    """One answer would be taken for both."""
    result = lab.send(raw)
    assert (result.outcome, code(result.answer)) == (Outcome.REFUSED, "AE")
    assert b"|100^" in result.answer
    (kept,) = lab.kept()
    assert (kept.control_id, kept.sender.partition("|")[2]) in {("C1", "CHU"), ("S1", "CHU")}
    assert lab.rows("select count(*) from patient") == [(0,)]


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.SerializationFailure,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.UniqueViolation,
    ],
)
def test_who_met_another_tries_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    record, calls = apply.patients.record, []

    async def fail_twice(*args: Any, **options: Any) -> UUID:
        calls.append(1)
        if len(calls) < 3:
            raise error
        return await record(*args, **options)

    monkeypatch.setattr(apply.patients, "record", fail_twice)
    assert lab.send(adt()).outcome is Outcome.APPLIED
    assert len(lab.kept()) == 1


@pytest.mark.parametrize(
    "error", [psycopg.errors.DeadlockDetected, psycopg.errors.DiskFull, psycopg.OperationalError]
)
def test_while_it_cannot_be_kept_it_is_to_be_sent_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def fail(*_: Any, **__: Any) -> UUID:
        raise error

    monkeypatch.setattr(receive, "_PAUSE_S", 0)
    with monkeypatch.context() as patched:
        patched.setattr(apply.patients, "record", fail)
        result = lab.send(adt())
    assert (result.outcome, code(result.answer)) == (None, "AR")
    assert lab.kept() == []
    assert lab.send(adt()).outcome is Outcome.APPLIED


def test_without_a_database_nothing_is_acknowledged(run: Any, here: Any, settings: Any) -> None:
    url = SecretStr("postgresql://nobody@127.0.0.1:9/none?connect_timeout=1")
    away = Database(url.get_secret_value())
    away._pool.timeout = 0.2

    async def send() -> Result:
        await away._pool.open()
        try:
            return await Receiver(away, here.id, built_in()).receive(adt())
        finally:
            await away._pool.close()

    result = run(send())
    assert (result.outcome, code(result.answer)) == (None, "AR")


def test_commits_are_durable_whatever_the_database_is_set_to(
    run: Any, database: Database, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    record = apply.patients.record

    async def look(connection: Any, *args: Any, **options: Any) -> UUID:
        cursor = await connection.execute("show synchronous_commit")
        seen.append((await cursor.fetchone())["synchronous_commit"])
        return await record(connection, *args, **options)

    monkeypatch.setattr(apply.patients, "record", look)

    async def send_on_a_hasty_connection() -> None:
        hasty = Database(f"{database._url}&options=-c%20synchronous_commit%3Doff", size=1)
        async with hasty:
            await Receiver(hasty, lab.establishment.id, built_in()).receive(adt())

    run(send_on_a_hasty_connection())
    assert seen == ["on"]


def test_an_order_with_another_birth_date_is_noted(lab: Lab) -> None:
    lab.send(adt())
    lab.send(slide(birth_date="19500101"))
    kept = lab.kept()[-1]
    (noted,) = [each for each in kept.changes if each["what"] == "patient.contradicted"]
    assert noted["detail"] == "birth_date"
    assert lab.rows("select birth_date::text from patient") == [("1979-03-28",)]


def test_replays_change_nothing(lab: Lab) -> None:
    merge = ("MRG|8000002^^^CHU&1.2.3&ISO^PI",)
    sent = [
        adt("A28", "C1"),
        adt("A28", "C2", ipp="8000002"),
        slide("S1"),
        slide("S2", control="CA"),
        slide("S3", control="XO"),
        adt("A40", "C3", more=merge),
    ]
    for raw in sent:
        assert lab.send(raw).outcome is Outcome.APPLIED
    first = lab.kept()
    for kept in [*first, *first[::-1]]:
        result = lab.replay(kept.id)
        assert result.outcome is Outcome.UNCHANGED, kept.type
        assert result.message_id is not None
    replays = lab.kept()[len(first) :]
    assert {replay.replay_of for replay in replays} == {kept.id for kept in first}
    again = lab.replay(replays[0].id)
    assert lab.kept()[-1].id == again.message_id
    assert lab.kept()[-1].replay_of == replays[0].replay_of


def test_a_replay_reads_with_the_mapping_of_today(make_lab: Callable[..., Lab], here: Any) -> None:
    before = make_lab(here, patterns={"slide": "never"})
    result = before.send(slide())
    assert result.outcome is Outcome.REFUSED
    now = make_lab(here)
    replayed = now.replay(result.message_id)
    assert replayed.outcome is Outcome.APPLIED
    assert now.rows("select identifier from glass") == [("26P1-A-1",)]
    assert now.send(slide()).message_id == replayed.message_id, "answered as it is now"


def test_what_is_not_there_cannot_be_replayed(
    lab: Lab, make_lab: Callable[..., Lab], there: Any
) -> None:
    kept = lab.send(adt()).message_id
    with pytest.raises(NotFoundError):
        make_lab(there).replay(kept)
    with pytest.raises(ConflictError):
        make_lab(lab.establishment, name="other").replay(kept)
    with pytest.raises(NotFoundError):
        lab.replay(UUID(int=1))


def test_establishments_do_not_meet(lab: Lab, make_lab: Callable[..., Lab], there: Any) -> None:
    other = make_lab(there)
    for each in (lab, other):
        assert each.send(adt()).outcome is Outcome.APPLIED
        assert each.send(slide()).outcome is Outcome.APPLIED
    assert len(lab.kept()) == len(other.kept()) == 2
    assert lab.rows("select count(*) from lab_case") == [(1,)]


def oru(case: str = "26P1", ipp: str = "8000001", control_id: str = "R1") -> bytes:
    lines = [
        "MSH|^~\\&|SGL|CHU|SGI|CHU|20260612111500+0200||ORU^R01^ORU_R01|"
        f"{control_id}|P|2.5|||||FRA|UNICODE UTF-8",
        f"PID|1||{ipp}^^^CHU&1.2.3&ISO^PI||ESSAI^ALIX^^^^^L||19790328|F",
        f"ORC|NW|{case}|{case}",
        f"OBR|1|{case}|{case}|60568-3^CR d'anatomie et de cytologie pathologiques^LN",
        "OBX|1|TX|60568-3^CR d'anatomie et de cytologie pathologiques^LN||Rien à signaler||||||F",
    ]
    return "".join(f"{line}\r" for line in lines).encode()


def cases_with_reports(lab: Lab) -> list[tuple[Any, ...]]:
    return lab.rows("select accession_number, reports from lab_case order by 1")


def test_a_report_of_another_patient_than_its_case_is_refused(lab: Lab) -> None:
    lab.send(slide())
    refused = lab.send(oru(ipp="8000002"))
    assert refused.outcome is Outcome.REFUSED
    assert code(refused.answer) == "AE"
    assert cases_with_reports(lab) == [("26P1", 0)]
    assert code(lab.send(oru()).answer) == "AA"
    assert cases_with_reports(lab) == [("26P1", 1)]


def test_a_report_of_another_patient_that_came_first_is_not_attached(lab: Lab) -> None:
    assert code(lab.send(oru(ipp="8000002")).answer) == "AA"
    assert code(lab.send(oru(control_id="R2")).answer) == "AA"
    lab.send(slide())
    assert cases_with_reports(lab) == [("26P1", 1)]


def specimen(received: str = "", parent: str = "", placer: str = "26P1") -> bytes:
    lines = [
        "MSH|^~\\&|SGL|CHU|SGI|CHU|20260612101500+0200||OML^O21^OML_O21|P1|P|2.5.1|||||FRA"
        "|UNICODE UTF-8|||DPOW-SPECIMEN^IHE",
        "PID|1||8000001^^^CHU&1.2.3&ISO^PI||ESSAI^ALIX^^^^^L||19790328|F",
        f"ORC|NW|{placer}|26P1" + "|" * 35 + "26P1",
        "OBR|1|26P1|26P1|ACP^Anatomie pathologique^L",
        f"SPM|1|26P1-A|{parent}|TISS^Tissue^HL70487||||||||||||||{received}"
        + "|" * 9
        + "CONTAINER|||26P1",
    ]
    return "".join(f"{line}\r" for line in lines).encode()


@pytest.mark.parametrize("received", ["19000101", "19691231", "99991201"])
def test_a_day_that_cannot_be_is_left_aside(lab: Lab, received: str) -> None:
    assert lab.send(specimen(received)).outcome is Outcome.APPLIED
    (kept,) = lab.kept()
    notes = [change["detail"] for change in kept.changes if change["what"] == "ignored"]
    assert notes == ["SPM-18 is before 1970 or far ahead; it was left aside."]
    ((at,),) = lab.rows("select received_at from lab_case")
    assert 2020 < at.year < 2100


LONG = "".join(chr(65 + (7 * index * index + index // 3) % 58) for index in range(9000))


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (specimen(parent=LONG.replace("\\", "").replace("^", "")), "SPM-3"),
        (specimen(placer=LONG.replace("\\", "").replace("^", "")), "ORC-2"),
    ],
)
def test_an_identifier_has_a_bound(lab: Lab, raw: bytes, place: str) -> None:
    result = lab.send(raw)
    assert (result.outcome, code(result.answer)) == (Outcome.REFUSED, "AE")
    assert place in str(lab.kept()[0].error)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.ProgramLimitExceeded,
        psycopg.errors.DatetimeFieldOverflow,
        psycopg.errors.QueryCanceled,
        psycopg.errors.UniqueViolation,
        psycopg.errors.ReadOnlySqlTransaction,
    ],
)
def test_what_the_database_would_refuse_again_is_not_asked_for_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def fail(*_: Any, **__: Any) -> UUID:
        raise error

    monkeypatch.setattr(receive, "_PAUSE_S", 0)
    monkeypatch.setattr(apply.patients, "record", fail)
    result = lab.send(adt())
    assert (result.outcome, code(result.answer)) == (Outcome.REFUSED, "AE")
    assert len(lab.kept()) == 1


def test_a_clock_that_is_ahead_wins_over_nobody(lab: Lab) -> None:
    lab.send(adt(name="AVANT", at="20260612083900+0000"))
    lab.send(adt(control_id="C2", name="APRES", at="20260612083100+0000"))
    assert lab.rows("select birth_name from patient") == [("APRES",)]


def test_an_identity_that_is_contradicted_says_where(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any, **__: Any) -> UUID:
        raise IdentityConflictError("The two are not one.")

    monkeypatch.setattr(apply.patients, "change_identifier", refuse)
    monkeypatch.setattr(apply.patients, "record", refuse)
    changed = adt("A47", more=("MRG|8000009^^^CHU&1.2.3&ISO^PI",))
    assert b"\rERR||MRG^1^1|207^" in lab.send(changed).answer
    assert b"\rERR||PID^1^3|207^" in lab.send(adt(control_id="C2")).answer
    assert {kept.error for kept in lab.kept()} == {"The two are not one."}


def test_the_beginning_of_a_message_is_kept_and_never_applied(lab: Lab) -> None:
    head = slide()[:-20]
    told = lab.run_refuse(head)
    assert code(told) == "AE"
    (kept,) = lab.kept()
    assert (kept.outcome, kept.control_id, kept.type, kept.sender, kept.size_bytes) == (
        Outcome.REFUSED,
        "S1",
        "OML^O21",
        "SGL|CHU",
        len(head),
    )
    assert kept.error == "The message has more than 1 MiB; send less."
    assert lab.run_refuse(head) == told
    with pytest.raises(ConflictError):
        lab.replay(kept.id)
    assert lab.rows("select count(*) from lab_case") == [(0,)]
