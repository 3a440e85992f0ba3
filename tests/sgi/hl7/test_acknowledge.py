"""Answers: every error has its row, and every answer is one that the sender can take."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hl7
import psycopg
import psycopg_pool
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dicom.errors
import storage.errors
import tiling.errors
from sgi import errors
from sgi.engines.errors import EngineError
from sgi.hl7 import errors as wrong
from sgi.hl7.acknowledge import ANSWERS, Code, answer, verdict
from sgi.hl7.batches import split_messages
from sgi.hl7.errors import Location, MessageError, MissingFieldError
from sgi.hl7.message import Message, parse_message

NOW = datetime(2026, 6, 12, 10, 15, tzinfo=UTC)
PACKAGES = ("sgi", "tiling", "dicom", "storage")
ROOTS = (
    errors.SgiError,
    tiling.errors.TilingError,
    dicom.errors.DicomError,
    storage.errors.StorageError,
)
INHERITING = (
    # No message touches a slide's file or an engine: each is answered as the root of its package.
    EngineError,
    tiling.errors.TilingError,
    dicom.errors.DicomError,
    storage.errors.StorageError,
)


def classes() -> Iterator[type[Exception]]:
    for package in PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if module.name.rpartition(".")[2] == "errors":
                importlib.import_module(module.name)
    left: list[type[Exception]] = list(ROOTS)
    while left:
        kind = left.pop()
        left.extend(kind.__subclasses__())
        if kind.__module__.split(".")[0] in PACKAGES:
            yield kind


CLASSES = sorted(set(classes()), key=lambda kind: (kind.__module__, kind.__name__))


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_its_row(kind: type[Exception]) -> None:
    assert kind in ANSWERS or issubclass(kind, INHERITING)


def test_no_row_is_for_nothing() -> None:
    ours = {kind for kind in ANSWERS if kind.__module__.split(".")[0] in PACKAGES}
    assert ours <= set(CLASSES)


@pytest.mark.parametrize("kind", ANSWERS)
def test_the_codes_are_those_of_the_tables(kind: type[Exception]) -> None:
    row = ANSWERS[kind]
    assert row.code is not Code.AA
    assert row.condition in {100, 101, 102, 103, 198, 199, 200, 201, 202, 203, 207}
    # Table 0533 goes with "application error", and says which.
    assert (row.application is not None) == (row.condition == 207)
    assert row.application is None or 900 <= row.application <= 906


@pytest.mark.parametrize(
    ("error", "code", "condition", "application"),
    [
        (wrong.SegmentSequenceError("x"), Code.AE, 100, None),
        (MissingFieldError("x"), Code.AE, 101, None),
        (wrong.UnsupportedEventError("x"), Code.AE, 201, None),
        (wrong.UnknownPatientError("x"), Code.AE, 207, 902),
        (psycopg.OperationalError(), Code.AR, 207, 906),
        (psycopg.errors.DiskFull(), Code.AR, 207, 906),
        (psycopg_pool.PoolTimeout(), Code.AR, 207, 906),
        (OSError(28, "full"), Code.AR, 207, 906),
        (TimeoutError(), Code.AR, 207, 906),
        (wrong.BusyLinkError("x"), Code.AR, 207, 906),
        (storage.errors.StoreUnavailableError("x"), Code.AR, 207, 906),
        (psycopg.errors.NotNullViolation(), Code.AE, 207, 906),
        (ZeroDivisionError(), Code.AE, 207, 906),
    ],
)
def test_what_is_decided(
    error: Exception, code: Code, condition: int, application: int | None
) -> None:
    row = verdict(error)
    assert (row.code, row.condition, row.application) == (code, condition, application)


def asked(
    type_: str = "OML^O21^OML_O21",
    version: str = "2.5.1",
    said: str = "UNICODE UTF-8",
    more: str = "",
) -> Message:
    parties = ["SGL^1.2.3^ISO", "CHU-X", "SGI", r"CHU \T\ X"]
    told = ["20260612", "", type_, r"T\F\03", "T", version, "", "", *(more or "|").split("|")]
    fields = ["MSH", r"^~\&", *parties, *told, "FRA", said]
    return parse_message("|".join(fields).encode("iso8859-15" if said == "8859/15" else "utf-8"))


def said_to(message: Message | bytes, error: Exception | None = None, **options: bool) -> Message:
    return parse_message(answer(message, error, NOW, **options))


def test_all_is_well() -> None:
    told = said_to(asked())
    assert [one.name for one in told] == ["MSH", "MSA"]
    raw = [told.header.field(number).raw for number in range(3, 19)]
    assert raw[:5] == ["SGI", r"CHU \T\ X", "SGL^1.2.3^ISO", "CHU-X", "20260612101500+0000"]
    assert raw[6] == "ORL^O22^ORL_O22"
    assert 0 < len(raw[7]) <= 20
    assert raw[8:10] == ["T", "2.5.1"]
    assert raw[14:] == ["FRA", "UNICODE UTF-8"]
    assert told.value("MSA-1") == "AA"
    assert told.required("MSA").field(2).raw == r"T\F\03"


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("OML^O21^OML_O21", "ORL^O22^ORL_O22"),
        ("OML^O33", "ORL^O34^ORL_O34"),
        ("ORM^O01", "ACK^O01^ACK"),
        ("OUL^R21", "ACK^R21^ACK"),
        ("ADT^A40^ADT_A39", "ACK^A40^ACK"),
        ("MDM^T10^MDM_T02", "ACK^T10^ACK"),
        ("ORL^O22^ORL_O22", "ACK^O22^ACK"),
        ("ZZZ", "ACK"),
        ("", "ACK"),
    ],
)
def test_which_message_answers(type_: str, expected: str) -> None:
    assert said_to(asked(type_)).header.field(9).raw == expected


def test_an_interface_may_want_plain_acknowledgements() -> None:
    assert said_to(asked(), application=False).header.field(9).raw == "ACK^O21^ACK"


@pytest.mark.parametrize("type_", ["ACK", "ACK^A01^ACK", "NAK"])
def test_an_acknowledgement_is_not_acknowledged(type_: str) -> None:
    assert answer(asked(type_), None, NOW) == b""


def test_an_error_says_where_and_which_and_why() -> None:
    place = Location("SPM", 2, 3, component=1)
    told = said_to(asked(), MissingFieldError("SPM[2]-3.1 is empty; it is required.", place))
    assert told.value("MSA-1") == "AE"
    err = told.required("ERR")
    assert err.field(2).raw == "SPM^2^3^1^1"
    assert err.field(3).raw == "101^Required field missing^HL70357"
    assert err.value(4) == "E"
    assert not err.field(5)
    assert str(err.value(8)).startswith("SPM[2]-3.1 ")


def test_an_application_error_has_the_code_of_ci_sis() -> None:
    told = said_to(asked(), wrong.InsMismatchError("x", Location("PID", 1, 3)))
    assert told.required("ERR").field(5).raw == "904^INS non concordant^HL70533"
    assert told.value("ERR-2") == "PID"


def test_what_others_say_is_not_repeated() -> None:
    told = answer(asked(), psycopg.DataError("Key (name)=(DUPONT) exists"), NOW)
    assert b"DUPONT" not in told


@pytest.mark.parametrize(("country", "language", "french"), [
    ("FRA", "", True), ("FR", "", True), ("FRA", "FR", True), ("BEL", "fr^French", True),
    ("BEL", "", False), ("FRA", "EN", False), ("", "", False),
])  # fmt: skip
def test_people_are_told_in_their_language(country: str, language: str, french: bool) -> None:
    raw = f"MSH|^~\\&|SGL|X|SGI|Y|2026||ADT^A08|77|P|2.5|||||{country}|8859/15|{language}\rPID|1"
    told = said_to(raw.encode(), MissingFieldError("PID-3 is empty; it is required."))
    said = str(told.value("ERR-8"))
    assert said.startswith("PID-3 ")
    assert (said != "PID-3 is empty; it is required.") == french


def test_warnings_go_with_an_acceptance() -> None:
    warning = wrong.OtherMessageError("SPM-6 may not be there.", Location("SPM", 1, 6))
    told = parse_message(answer(asked(), None, NOW, warnings=[warning]))
    assert told.value("MSA-1") == "AA"
    assert told.value("ERR-4") == "W"
    assert told.value("ERR-3") == "199"


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4"])
def test_old_versions_have_their_own_error(version: str) -> None:
    told = said_to(asked(version=version), MissingFieldError("It is empty.", Location("PID", 1, 3)))
    assert told.value("MSA-3") == "It is empty."
    assert told.required("ERR").raw == "ERR|PID^1^3^101&Required field missing&HL70357"


@pytest.mark.parametrize("version", ["2.5^FRA^2.11", "2.5.1", "2.6", "", "x"])
def test_versions_are_sent_back(version: str) -> None:
    told = said_to(asked(version=version))
    assert told.header.field(12).raw == (version or "2.5")
    assert "MSA|AA|" in str([one.raw for one in told])


def test_the_answer_is_in_the_encoding_of_the_message() -> None:
    raw = answer(asked(said="8859/15"), wrong.SenderNotAllowedError("x"), NOW)
    assert "Auteur non autorisé" in raw.decode("iso8859-15")
    assert parse_message(raw).header.value(18) == "8859/15"
    raw = answer(asked(said=""), None, NOW)
    assert parse_message(raw).header.value(18) is None


# What cannot be read


@pytest.mark.parametrize("said", ["UNICODE UTF-16", "8859/5"])
def test_a_message_in_another_encoding_is_answered_by_name(said: str) -> None:
    raw = f"MSH|^~\\&|SGL|X|SGI|Y|2026||ADT^A08|77|P|2.5|||||FRA|{said}\rPID|1||é\r".encode()
    with pytest.raises(MessageError) as error:
        parse_message(raw)
    told = hl7.parse(answer(raw, error.value, NOW).decode("ascii"))
    assert str(told.segment("MSA")) == "MSA|AE|77"
    assert str(told.segment("MSH")[18]) == "ASCII"


def test_bytes_that_are_not_in_the_encoding_that_is_named() -> None:
    raw = "MSH|^~\\&|SGL|X|SGI|Y|2026||ADT^A08|77|P|2.5|||||FRA|UNICODE UTF-8\rPID|1||é".encode(
        "latin-1"
    )
    with pytest.raises(MessageError) as error:
        parse_message(raw)
    told = parse_message(answer(raw, error.value, NOW))
    assert told.value("MSA-2") == "77"
    assert told.required("ERR").field(2).raw == "MSH^1^18"


@pytest.mark.parametrize(
    "raw", [b"", b"nonsense", b"MSH", b"MSH|^~\\&", b"MSH|||||||||", b"\xff" * 9]
)
def test_what_has_no_header_is_answered_all_the_same(raw: bytes) -> None:
    told = parse_message(answer(raw, wrong.UnreadableMessageError("x"), NOW))
    assert told.value("MSA-1") == "AE"
    assert not told.required("MSA").field(2)


@given(st.binary(max_size=300))
def test_anything_is_answered_by_one_sound_message(raw: bytes) -> None:
    for text in (raw, b"MSH|^~\\&|" + raw):
        told = answer(text, wrong.UnreadableMessageError("x"), NOW)
        if told:
            read = parse_message(told)
            assert [one.name for one in read] == ["MSH", "MSA", "ERR"]
            assert not {0x0B, 0x1C} & set(told)


# Enhanced mode


@pytest.mark.parametrize(
    ("more", "error", "codes"),
    [
        ("|", False, ["AA"]), ("|", True, ["AE"]),
        ("AL|AL", False, ["CA", "AA"]), ("AL|AL", True, ["CE", "AE"]),
        ("AL|NE", False, ["CA"]), ("AL|", False, ["CA"]), ("AL|NE", True, ["CE"]),
        ("NE|AL", False, ["AA"]), ("ER|AL", False, ["AA"]), ("ER|AL", True, ["CE", "AE"]),
        ("NE|NE", False, []), ("NE|ER", True, ["AE"]), ("NE|ER", False, []),
        ("SU|SU", False, ["CA", "AA"]), ("SU|SU", True, []), ("NE|SU", False, ["AA"]),
    ],
)  # fmt: skip
def test_enhanced_mode_gives_what_was_asked_for(more: str, error: bool, codes: list[str]) -> None:
    raw = answer(asked(more=more), MissingFieldError("x") if error else None, NOW)
    told = [parse_message(one) for one in split_messages(raw)]
    assert [one.value("MSA-1") for one in told] == codes
    for one in told:
        commit = (one.value("MSA-1") or "").startswith("C")
        assert one.header.field(9).raw == ("ACK^O21^ACK" if commit else "ORL^O22^ORL_O22")
        assert one.required("MSA").field(2).raw == r"T\F\03"
    assert len({one.control_id for one in told}) == len(told)


@pytest.mark.parametrize("more", ["XX|", "|XX", "NE|XX", "al|NE"])
def test_what_is_in_no_table_is_answered_as_if_nothing_was_asked_for(more: str) -> None:
    raw = f"MSH|^~\\&|A|B|C|D|20260612||ADT^A08|1|P|2.5|||{more}\rPID|1\r".encode()
    told = answer(raw, None, datetime.now(UTC))
    assert parse_message(told).value("MSA-1") == "AA"


def test_a_reject_in_enhanced_mode() -> None:
    raw = answer(asked(more="AL|NE"), psycopg.OperationalError(), NOW)
    assert parse_message(raw).value("MSA-1") == "CR"


def test_the_error_of_the_samples(interop: Path) -> None:
    """Ours and the sample that was written from the specifications, field by field."""
    raw = next(interop.glob("synthetic/T01*")).read_bytes()
    expected = parse_message(next(interop.glob("synthetic/E01*")).read_bytes())
    error = wrong.UnknownPatientError("x", Location("PID", 1, 3, 1, 1))
    told = said_to(parse_message(raw), error)
    for path in ("MSH-3", "MSH-5", "MSH-9.1", "MSH-9.3", "MSH-12", "MSH-18", "MSA-1", "ERR-2",
                 "ERR-2.3", "ERR-2.5", "ERR-3", "ERR-3.3", "ERR-4", "ERR-5"):  # fmt: skip
        assert told.value(path) == expected.value(path), path
