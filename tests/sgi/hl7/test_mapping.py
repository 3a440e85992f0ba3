"""Which messages are read by whom, when they were true, and what all samples of others say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgi.errors import ConfigurationError, SgiError
from sgi.hl7 import errors
from sgi.hl7.acknowledge import answer
from sgi.hl7.batches import split_messages
from sgi.hl7.errors import MessageError
from sgi.hl7.events import EVENTS
from sgi.hl7.interfaces import Interface, built_in, parse_interface
from sgi.hl7.mapping import Reading, read_message, statements_of
from sgi.hl7.statements import OrderAnswered, Statement

NOW = datetime(2026, 6, 12, 12, 0, tzinfo=UTC)
SGL = built_in()


def message(
    type_: str = "ORM^O01",
    *,
    said_at: str = "20260612101500+0200",
    control_id: str = "C1",
    processing: str = "P",
    version: str = "2.5.1",
    evn: str = "",
) -> bytes:
    lines = [
        f"MSH|^~\\&|SGL|CHU-X|SGI|CHU-X|{said_at}||{type_}|{control_id}|{processing}|{version}"
    ]
    lines += [evn] if evn else []
    lines += ["PID|1||7^^^CHU-X^PI||MARTIN^JEANNE", "ORC|NW|D1|26P1", "OBR|1|D1|26P1|ACP^x^L"]
    return "\r".join(lines).encode()


def read(raw: bytes, interface: Interface = SGL, at: datetime = NOW) -> Reading:
    return statements_of(read_message(raw, interface), interface, at)


@pytest.mark.parametrize(
    ("raw", "kind", "place"),
    [
        (message(""), errors.MissingFieldError, "MSH-9"),
        (message(control_id=""), errors.MissingFieldError, "MSH-10"),
        (message(processing="X"), errors.UnsupportedProcessingError, "MSH-11"),
        (message(version="3.0"), errors.UnsupportedVersionError, "MSH-12"),
        (message("SIU^S12"), errors.UnsupportedMessageError, "MSH-9.1"),
        (message("ADT^A60"), errors.UnsupportedEventError, "MSH-9.2"),
        (message("OML"), errors.UnsupportedEventError, "MSH-9.2"),
    ],
)
def test_headers_that_are_refused(raw: bytes, kind: type[SgiError], place: str) -> None:
    with pytest.raises(kind) as raised:
        read(raw)
    assert isinstance(raised.value, MessageError)
    told = str(raised.value.location)
    assert told == place or told + ".1" == place


@pytest.mark.parametrize("processing", ["T", "D"])
def test_a_test_is_no_news_of_a_patient(processing: str) -> None:
    """HL7 v2.5.1 2.9.2.2 and table 0103: production does not take what is of training."""
    with pytest.raises(errors.UnsupportedProcessingError) as raised:
        read(message(processing=processing), own())
    assert str(raised.value.location) == "MSH-11"
    assert read(message(processing=processing), own(events={"processing": ["T", "D"]})).statements
    assert read(message(processing=processing)).statements, "nobody has written a file yet"


def test_an_interface_of_tests_takes_nothing_of_production() -> None:
    with pytest.raises(errors.UnsupportedProcessingError):
        read(message(), own(events={"processing": ["T"]}))
    with pytest.raises(ConfigurationError, match=r"events\.processing"):
        own(events={"processing": []})
    with pytest.raises(ConfigurationError, match=r"events\.processing"):
        own(events={"processing": ["X"]})


def test_an_answer_is_taken_in_any_mode() -> None:
    """It changes nothing but what became of our own message, which its control id names."""
    raw = "MSH|^~\\&|A|B|C|D|20260612||ACK^O21^ACK|C1|D|2.5.1\rMSA|AA|C9\r"
    assert [type(one) for one in read(raw.encode()).statements] == [OrderAnswered]


def own(**keys: object) -> Interface:
    return parse_interface(dict(keys), "own.toml", "own")


def test_an_interface_takes_only_the_events_that_its_file_names() -> None:
    narrow = own(events={"take": ["ADT", "OML^O21"]})
    with pytest.raises(errors.UnsupportedEventError):
        read(message(), narrow)
    assert read(message("ADT^A31", evn="EVN||20260612"), narrow).statements


@pytest.mark.parametrize("type_", ["ACK^O21^ACK", "ORL^O22^ORL_O22"])
def test_answers_to_ours_are_heard_whatever_is_taken(type_: str) -> None:
    head = f"MSH|^~\\&|SGL||SGI||20260612||{type_}|A9|P|2.5.1||||||UNICODE UTF-8"
    raw = f"{head}\rMSA|AE|7|Dossier refusé\r".encode("latin-1")
    (said,) = read(raw, own(events={"take": ["ADT"]})).statements
    assert isinstance(said, OrderAnswered)
    assert (said.control_id, said.code, said.words) == ("7", "AE", "Dossier refusé")
    assert read(raw, own(events={"ignore": [type_[:3]]})).statements == []


def test_what_is_to_be_ignored_is_answered_and_not_read() -> None:
    for event in ("SIU", "SIU^S12"):
        reading = read(message("SIU^S12"), own(events={"ignore": [event]}))
        assert reading.statements == []
        assert reading.ignored == [
            "The interface's file says that such messages are to be ignored."
        ]


@pytest.mark.parametrize("key", ["applications", "facilities"])
def test_an_interface_names_who_may_send(key: str) -> None:
    with pytest.raises(errors.SenderNotAllowedError):
        read(message(), own(sender={key: ["OTHER"]}))
    assert read(message(), own(sender={key: ["OTHER", "SGL", "CHU-X"]})).statements


@pytest.mark.parametrize(
    ("said_at", "evn", "expected", "noted"),
    [
        ("20260612101500+0200", "", datetime(2026, 6, 12, 8, 15, tzinfo=UTC), 0),
        ("20260612101500", "", datetime(2026, 6, 12, 8, 15, tzinfo=UTC), 0),
        ("20260112101500", "", datetime(2026, 1, 12, 9, 15, tzinfo=UTC), 0),
        ("20260612", "EVN||20260611", datetime(2026, 6, 10, 22, tzinfo=UTC), 0),
        ("202606", "", NOW, 1),
        ("", "", NOW, 0),
        ("nonsense", "EVN||nonsense", NOW, 2),
        ("20990101", "", NOW, 1),
        ("20260612140500+0200", "", NOW, 0),
        ("19691231", "", NOW, 1),
        ("20260612101500+0200", "EVN||19000101", datetime(2026, 6, 12, 8, 15, tzinfo=UTC), 1),
    ],
)
def test_when_a_message_is_true(said_at: str, evn: str, expected: datetime, noted: int) -> None:
    reading = read(message(said_at=said_at, evn=evn))
    assert reading.source.said_at == expected
    assert reading.source.said_at.tzinfo is not None
    assert len(reading.ignored) == noted


def test_the_zone_of_an_interface() -> None:
    reading = read(message(said_at="20260612101500"), own(zone="Indian/Reunion"))
    assert reading.source.said_at == datetime(2026, 6, 12, 6, 15, tzinfo=UTC)


def test_where_a_message_comes_from() -> None:
    source = read(message()).source
    assert (source.interface, source.control_id, source.sender) == ("sgl", "C1", "SGL|CHU-X")


def test_an_encoding_may_be_set_against_MSH_18() -> None:
    raw = message().replace(b"2.5.1", b"2.5.1||||||UNICODE UTF-8")
    raw = raw.replace(b"MARTIN", "HÉRAULT".encode("latin-1"))
    with pytest.raises(errors.UnreadableMessageError):
        read_message(raw, SGL)
    forced = own(encoding_always="8859/1")
    assert read_message(raw, forced).value("PID-5") == "HÉRAULT"


_LETTERS = st.text(alphabet="|^~\\&\r0123456789AZ-.é", max_size=40)
_NAMES = st.sampled_from(
    [
        "PID",
        "PV1",
        "ORC",
        "OBR",
        "SPM",
        "OBX",
        "SAC",
        "NTE",
        "TQ1",
        "PRT",
        "TXA",
        "MSA",
        "ERR",
        "MRG",
    ]
)
_PROFILES = st.sampled_from(["", "DPOW-SLIDE", "DPOW-CASE-UPDATE", "DPOW-ACCEPT-WO", "DPOW-X"])


@settings(max_examples=300, deadline=None)
@given(
    type_=st.sampled_from(sorted(EVENTS)),
    profile=_PROFILES,
    segments=st.lists(st.tuples(_NAMES, _LETTERS), max_size=12),
    hub=st.booleans(),
)
def test_any_message_is_read_or_refused(
    type_: str, profile: str, segments: list[tuple[str, str]], hub: bool
) -> None:
    raw = f"MSH|^~\\&|A|B|C|D|20260612||{type_}|1|P|2.5||||||UNICODE UTF-8|||{profile}\r"
    raw += "\r".join(f"{name}|{text}" for name, text in segments)
    interface = built_in("roche") if hub else SGL
    reading, refusal = tried(raw.encode(), interface)
    if reading is None:
        assert refusal.endswith(".")
    else:
        assert len(reading.places) == len(reading.statements)


WHOLE = "\r".join(
    (
        "MSH|^~\\&|SGL|C|SGI|C|20260612101500||OML^O21^OML_O21|1|P|2.5.1|||||FRA|UNICODE UTF-8",
        "PID|1||7^^^C&1&N^PI~279035121518989^^^A&1.2.250.1.213.1.4.8&ISO^INS||É^B^C^^^^L||19790328|F",
        "PV1|1|I|||||||||||||||||V1",
        "ORC|NW|D1|26P1||IP||^^^^^S||||||||20260612||||||||||Draft",
        "TQ1|1||||||||R",
        "OBR|1|D1|26P1|HES^x^L|||||||||a\\F\\b||26P1-1|||||||||||||||||810100000001&D&A",
        "NTE|1|L|x\\.br\\y",
        "SPM|1|T^26P1-1|26P1-A|TISS|||I^J|80248007^B^SCT|L|||||x|||20260612|20260612|||||||||GLASS",
        "OBX|1|CWE|397165007^Stain^SCT|1|1^H^SCT||||||F",
        "SAC||26P1|26P1-1",
        "PRT||AD||PI|1^X^Y",
        "OBX|2|ED|x^y^LN||^AP^PDF^Base64^JVBERi0x||||||F",
        "TXA|1|x|TEXT|||||||||8|7||||AU",
        "MSA|AA|C9|x",
        "ERR||PID^1^3|207^x|E|902^y",
        "MRG|8^^^C^PI",
    )
).encode()
"""Something of every segment that is read."""


@settings(max_examples=400, deadline=None)
@given(
    type_=st.sampled_from(sorted(EVENTS)),
    places=st.lists(st.tuples(st.integers(0, len(WHOLE)), st.binary(max_size=4)), max_size=6),
    end=st.integers(60, len(WHOLE) + 20),
)
def test_a_damaged_message_is_read_or_refused(
    type_: str, places: list[tuple[int, bytes]], end: int
) -> None:
    raw = WHOLE.replace(b"OML^O21^OML_O21", type_.encode())
    for place, put in places:
        raw = raw[:place] + put + raw[place + len(put) :]
    reading, refusal = tried(raw[:end])
    assert reading is not None or refusal.endswith(".")


def tried(raw: bytes, interface: Interface = SGL) -> tuple[Reading | None, str]:
    try:
        return read(raw, interface), ""
    except SgiError as error:
        return None, str(error)


def test_an_order_with_any_one_field_gone_or_odd_is_read_or_refused(interop: Path) -> None:
    for name in ("T01_LAB-100_specimen", "T03_LAB-100_slide_HE", "T06c_LAB-103_accept_work_order"):
        raw = (interop / "synthetic" / f"{name}.hl7").read_bytes()
        fields = raw.split(b"|")
        for number in range(3, len(fields)):
            for value in (b'""', b"^&^", b"x" * 300):
                odd = b"|".join((*fields[:number], value, *fields[number + 1 :]))
                reading, refusal = tried(odd)
                assert reading is not None or refusal.endswith(".")


# What others wrote ------------------------------------------------------------------------------

ORDER = ["PatientSaid", "CaseRecorded", "AssetRecorded"]
SYNTHETIC: dict[str, tuple[str, list[str]]] = {
    "E01_ORL_error_unknown_patient": ("AA", ["OrderAnswered"]),
    "L01_ORM_O01_legacy_order_latin1": ("AA", ORDER),
    "L02_OUL_R21_scanner_slide_scanned": ("AA", ["SlideScanned"]),
    "L03_OML_O33_ai_request": ("AE 101 SPM-27", []),
    "P01_ADT_A01_admission_INS_qualifiee": ("AA", ["PatientSaid"]),
    "P02_ADT_A28_identite_provisoire": ("AA", ["PatientSaid"]),
    "P03_ADT_A31_passage_qualifiee": ("AA", ["PatientSaid"]),
    "P04_ADT_A40_fusion": ("AA", ["PatientsMerged"]),
    "P05_ADT_A47_changement_IPP": ("AA", ["IdentifierChanged"]),
    "P06_ADT_A03_sortie": ("AA", ["PatientSaid"]),
    "P07_ADT_A13_annulation_sortie": ("AA", ["PatientSaid"]),
    "T01_LAB-100_specimen": ("AA", ORDER),
    "T02_LAB-100_block": ("AA", ORDER),
    "T03_LAB-100_slide_HE": ("AA", ORDER),
    "T04a_LAB-100_slide_unstained": ("AA", ORDER),
    "T04b_LAB-100_slide_stain_update": ("AA", ORDER),
    "T04c_LAB-100_slide_cancel": ("AA", ["PatientSaid", "AssetCancelled"]),
    "T05a_LAB-101_case_new": ("AA", ["PatientSaid", "CaseRecorded"]),
    "T05b_LAB-101_case_final_from_SGI": ("AA", ["PatientSaid", "CaseRecorded"]),
    "T06a_LAB-102_place_work_order": ("AE 201 MSH-21", []),
    "T06b_ORL_accept": ("AA", ["OrderAnswered"]),
    "T06c_LAB-103_accept_work_order": ("AA", ["PatientSaid", "WorkOrderAccepted"]),
    "T06d_ORL_refuse": ("AA", ["OrderAnswered"]),
    "T07_LAB-104_image_available": ("AA", []),
    "T08_LAB-104_image_deassociated": ("AA", []),
}
"""What each message is answered, and what it says: `docs/hl7-specification.md` has the reasons."""

REPORT = ["PatientSaid", "ReportSaid"]
OFFICIAL: dict[str, tuple[str, list[str]]] = {
    "admission.er7": ("AA", ["PatientSaid"]),
    "sortie.er7": ("AA", ["PatientSaid"]),
    "ConsentementConsultation_NonOppositionAlimentation.er7": ("AA", ["PatientSaid"]),
    "NonConsentementConsultation_NonOppositionAlimentation.er7": ("AA", ["PatientSaid"]),
    "NonConsentementConsultation_OppositionAlimentation.er7": ("AA", ["PatientSaid"]),
    "NonRecueillieConsentementConsultation_NonOppositionAlimentation.er7": ("AA", ["PatientSaid"]),
    "NonRecueillieConsentementConsultation_NonRecueillieOppositionAlimentation.er7": (
        "AA",
        ["PatientSaid"],
    ),
    "ack.er7": ("", ["OrderAnswered"]),
    "ack.hl7": ("", ["OrderAnswered"]),
    "message.hl7": ("AE 207 PID-3", []),  # its INS has a wrong key
    "patient1.hl7": ("AA", ["ReportSaid"]),
    "message_MDM_CR_Radio_INIT_N1.er7": ("AE 101 ORC-38", []),
    "message_MDM_CR_Radio_INIT_N1_Base64.er7": ("AA", REPORT),
    "message_MDM_CR_Radio_RPLC_N1.er7": ("AA", REPORT),
    "message_MDM_CR_Radio_DEL_N1.er7": ("AA", REPORT),
    "message_MDM__LPS_MSS_CR_Radio_INIT_N1.er7": ("AE 101 ORC-38", []),
    "message_MDM__LPS_MSS_CR_Radio_INIT_N1_Base64.er7": ("AA", REPORT),
    "message_MDM__LPS_MSS_CR_Radio_RPLC_N1.er7": ("AA", REPORT),
    "message_MDM__LPS_MSS_CR_Radio_DEL_N1.er7": ("AA", REPORT),
    "message_ORU_CR_Bio_INIT_N3_SEGUR.hl7": ("AA", REPORT),
    "message_ORU_CR_Bio_RPLC_N3_SEGUR.hl7": ("AA", REPORT),
    "message_ORU_CR_Bio_DEL_N3_SEGUR.hl7": ("AA", REPORT),
}
"""The samples of the authorities, by their files' names."""


def judged(raw: bytes) -> tuple[str, list[str]]:
    """How a message is answered, and the kinds of what it says; the INS of samples is of test."""
    interface = own(patients={"test_ins": True}, events={"processing": ["P", "T", "D"]})
    later = NOW + timedelta(days=1)
    error: SgiError | None = None
    statements: list[Statement] = []
    read_as = read_message(raw, interface)
    try:
        statements = statements_of(read_as, interface, later).statements
    except SgiError as refused:
        error = refused
    told = answer(read_as, error, later)
    if not told:
        return "", [type(one).__name__ for one in statements]
    answered = read_message(told, interface)
    code = answered.value("MSA-1") or ""
    if isinstance(error, MessageError):
        code += f" {answered.value('ERR-3')} {error.location}"
    return code, [type(one).__name__ for one in statements]


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_messages(name: str, interop: Path) -> None:
    raw = (interop / "synthetic" / f"{name}.hl7").read_bytes()
    assert judged(raw) == SYNTHETIC[name]


def test_no_synthetic_message_is_left_out(interop: Path) -> None:
    assert {path.stem for path in (interop / "synthetic").glob("*.hl7")} == set(SYNTHETIC)


def official(folder: Path) -> list[Path]:
    found = [*folder.glob("hl7v2/**/*"), *folder.glob("drimbox/*")]
    return sorted(path for path in found if path.suffix in {".hl7", ".er7"})


def test_official_samples(interop: Path) -> None:
    found = {}
    for path in official(interop):
        (raw,) = split_messages(path.read_bytes())
        assert judged(raw) == OFFICIAL[path.name], path
        found[path.name] = path
    assert set(found) == set(OFFICIAL)
