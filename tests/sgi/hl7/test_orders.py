"""What orders say, field by field, with messages written here."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from sgi.domain.case import Asset, AssetKind, CaseSaid, CaseState, Code, Priority
from sgi.domain.patient import Identifier
from sgi.errors import SgiError
from sgi.hl7 import errors
from sgi.hl7.interfaces import Interface, built_in, parse_interface
from sgi.hl7.mapping import Reading, read_message, statements_of
from sgi.hl7.orders import CANCELLING, RECORDING
from sgi.hl7.statements import (
    AssetCancelled,
    AssetRecorded,
    CaseCancelled,
    CaseRecorded,
    OrderAnswered,
    PatientSaid,
    SlideScanned,
    Statement,
    WorkOrderAccepted,
)

NOW = datetime(2026, 6, 12, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
PATIENT = Identifier("000003", "CHU-X")
PID = "PID|1||000003^^^CHU-X&000897406&N^PI||MARTIN^JEANNE^JEANNE^^^^L||19500102|F"
HE = (Code("12710003", "Hematoxylin stain", "SCT"), Code("36879007", "Eosin", "SCT"))
SERVICE = Code("ACP", "Anatomie pathologique", "L")


def message(*segments: str, profile: str = "", type_: str = "OML^O21^OML_O21") -> bytes:
    header = f"MSH|^~\\&|SGL|CHU-X|SGI|CHU-X|20260612101500+0200||{type_}|C1|P|2.5.1|||||FRA"
    header += f"|UNICODE UTF-8|||{profile}^IHE" if profile else "|UNICODE UTF-8"
    return "\r".join((header, *segments)).encode() + b"\r"


def numbered(name: str, **fields: str) -> str:
    """A segment by its field numbers: `numbered("SPM", f2="A")`."""
    values = {int(key[1:]): value for key, value in fields.items()}
    return "|".join([name, *(values.get(n, "") for n in range(1, max(values) + 1))])


def read(raw: bytes, interface: Interface | None = None) -> Reading:
    interface = interface or built_in()
    return statements_of(read_message(raw, interface), interface, NOW)


def orc(control: str = "NW", **more: str) -> str:
    return numbered("ORC", **{"f1": control, "f2": "D26-1", "f3": "26P1", "f38": "26P1"} | more)


def obr(**more: str) -> str:
    return numbered("OBR", **{"f1": "1", "f4": "ACP^Anatomie pathologique^L"} | more)


def spm(name: str = "26P1.A.1.1", container: str = "GLASS", **more: str) -> str:
    return numbered("SPM", **{"f1": "1", "f2": name, "f27": container, "f30": "26P1"} | more)


def stain(code: str, group: str = "1", **more: str) -> str:
    fields = {"f1": "1", "f2": "CWE", "f3": "397165007^Stain^SCT", "f4": group, "f5": code}
    return numbered("OBX", **fields | {"f11": "F"} | more)


def only(reading: Reading, kind: type[Statement]) -> Statement:
    found = [statement for statement in reading.statements if isinstance(statement, kind)]
    assert len(found) == 1, reading.statements
    return found[0]


def asset(raw: bytes, interface: Interface | None = None) -> Asset:
    statement = only(read(raw, interface), AssetRecorded)
    assert isinstance(statement, AssetRecorded)
    return statement.asset


def case(raw: bytes, interface: Interface | None = None) -> CaseSaid:
    statement = only(read(raw, interface), CaseRecorded)
    assert isinstance(statement, CaseRecorded)
    return statement.case


# LAB-100 ----------------------------------------------------------------------------------------


def test_a_specimen_is_registered_with_all_that_is_said() -> None:
    raw = message(
        PID,
        "PV1|1|I|||||||||||||||||V77",
        orc(f15="20260612101400"),
        "TQ1|1||||||||S^Stat^HL70485",
        obr(f13="Nodule", f32="810100000001&DURAND&ALICE"),
        "NTE|1|L|Urgent\\.br\\merci",
        spm(
            "^26P1.A",
            "CONTAINER",
            f4="TISS^Tissue^HL70487",
            f7="INC^Biopsie^L",
            f8="80248007^Breast structure^SCT",
            f9="7771000^Left^SCT",
            f14="Sein gauche",
            f17="20260612084500",
            f18="20260612100500+0100",
        ),
        "OBX|1|CWE|430864009^Tissue fixative^SCT||431510009^Formalin^SCT||||||F",
        numbered("SAC", f3="26P1.A", f48="OTH"),
        "NTE|1|L|Fil bleu en haut|SBOX",
        profile="DPOW-SPECIMEN",
    )
    reading = read(raw)
    assert [type(one) for one in reading.statements] == [PatientSaid, CaseRecorded, AssetRecorded]
    received = datetime(2026, 6, 12, 10, 5, tzinfo=timezone(timedelta(hours=1)))
    assert case(raw) == CaseSaid(
        accession_number="26P1",
        placer_number="D26-1",
        filler_number="26P1",
        priority=Priority.STAT,
        service=SERVICE,
        clinical_information="Nodule",
        received_at=received,
        pathologist="810100000001",
        pathologist_name="DURAND ALICE",
        visit_number="V77",
        comment="Urgent\nmerci",
    )
    assert asset(raw) == Asset(
        kind=AssetKind.SPECIMEN,
        identifier="26P1.A",
        accession_number="26P1",
        specimen_type=Code("TISS", "Tissue", "HL70487"),
        collection=Code("INC", "Biopsie", "L"),
        site=Code("80248007", "Breast structure", "SCT"),
        laterality=Code("7771000", "Left", "SCT"),
        description="Sein gauche",
        collected_at=datetime(2026, 6, 12, 8, 45, tzinfo=PARIS),
        received_at=received,
        fixative=Code("431510009", "Formalin", "SCT"),
        to_be_scanned=False,
        comment="Fil bleu en haut",
    )
    recorded = only(reading, CaseRecorded)
    assert isinstance(recorded, CaseRecorded)
    assert recorded.patient == PATIENT
    assert reading.ignored == []


def test_every_part_says_where_it_was_read() -> None:
    raw = message(PID, orc(), obr(), spm("TMP^26P1.A.1.1", f3="26P1.A.1"), profile="DPOW-SLIDE")
    reading = read(raw)
    places = {what: str(place) for what, place in reading.places[-1].items()}
    assert places["identifier"] == "SPM-2.2"
    assert places["parent"] == "SPM-3"
    assert places["accession_number"] == "ORC-38"
    assert len(reading.places) == len(reading.statements)


def test_the_definitive_identifier_is_preferred_to_the_temporary_one() -> None:
    raw = message(PID, orc(), obr(), spm("TMP-1^26P1-A-1-1"), profile="DPOW-SLIDE")
    assert asset(raw).identifier == "26P1-A-1-1"


@pytest.mark.parametrize("name", ["26P1.A.1.1", "B23-17890-A1-01", "CASE-x1;A;1;1"])
def test_parents_are_never_cut_out_of_identifiers(name: str) -> None:
    assert asset(message(PID, orc(), obr(), spm(name), profile="DPOW-SLIDE")).parent is None
    raw = message(PID, orc(), obr(), spm(name, f3="elsewhere 7"), profile="DPOW-SLIDE")
    assert asset(raw).parent == "elsewhere 7"


def test_of_several_parents_the_first_is_taken_and_told() -> None:
    reading = read(message(PID, orc(), obr(), spm(f3="B1~B2"), profile="DPOW-SLIDE"))
    statement = only(reading, AssetRecorded)
    assert isinstance(statement, AssetRecorded)
    assert statement.asset.parent == "B1"
    assert reading.ignored == ["SPM-3 has several parents; the first was taken."]


def test_the_parts_of_a_stain_are_kept_together_in_order() -> None:
    raw = message(
        PID,
        orc(),
        obr(),
        spm(),
        stain("12710003^Hematoxylin stain^SCT", "1"),
        stain("KI67^Ki-67^L", "2"),
        stain("36879007^Eosin^SCT", "1"),
        stain("KI67^Ki-67^L", "2"),
        stain("PAS^PAS^L", "3", f11="D"),
        profile="DPOW-SLIDE",
    )
    assert asset(raw).stains == (*HE, Code("KI67", "Ki-67", "L"))


def test_a_slide_without_stain_is_not_stained() -> None:
    assert asset(message(PID, orc(), obr(), spm(), profile="DPOW-SLIDE")).stains == ()


@pytest.mark.parametrize(("material", "expected"), [("WSI", True), ("OTH", False), ("", None)])
def test_which_slides_are_to_be_scanned(material: str, expected: bool | None) -> None:
    sac = numbered("SAC", f3="x", f48=material)
    raw = message(PID, orc(), obr(), spm(), sac, profile="DPOW-SLIDE")
    assert asset(raw).to_be_scanned is expected
    assert asset(message(PID, orc(), obr(), spm(), profile="DPOW-SLIDE")).to_be_scanned is None


def test_an_update_says_the_stain() -> None:
    raw = message(PID, orc("XO"), obr(), spm(), stain("KI67^Ki-67^L"), profile="DPOW-SLIDE")
    assert asset(raw).stains == (Code("KI67", "Ki-67", "L"),)


def test_a_cancellation_records_nothing_else() -> None:
    reading = read(message(PID, orc("CA"), obr(), spm(), profile="DPOW-SLIDE"))
    assert [type(one) for one in reading.statements] == [PatientSaid, AssetCancelled]


def test_additives_of_older_systems_are_told_and_not_read() -> None:
    reading = read(
        message(PID, orc(), obr(), spm(f6="FORM^Formalin^HL70371"), profile="DPOW-SLIDE")
    )
    assert reading.ignored[0].startswith("SPM-6 is not read")


def test_several_specimens_of_one_order() -> None:
    raw = message(PID, orc(), obr(), spm("A.1"), stain("HES^^L"), spm("A.2"), spm("B", "CASSETTE"))
    found = [one.asset for one in read(raw).statements if isinstance(one, AssetRecorded)]
    assert [(one.identifier, one.kind) for one in found] == [
        ("A.1", AssetKind.SLIDE),
        ("A.2", AssetKind.SLIDE),
        ("B", AssetKind.BLOCK),
    ]
    assert found[0].stains == (Code("HES", "Hématéine éosine safran", "L"),)
    assert found[1].stains == ()


# What is refused, and where -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segments", "profile", "kind", "place"),
    [
        ((PID, obr(), spm()), "DPOW-SLIDE", errors.SegmentSequenceError, "ORC"),
        ((PID,), "DPOW-SLIDE", errors.SegmentSequenceError, "None"),
        ((PID, orc(), obr()), "DPOW-SLIDE", errors.SegmentSequenceError, "SPM"),
        ((orc(), obr(), spm()), "DPOW-SLIDE", errors.SegmentSequenceError, "PID"),
        (("PID|1", orc(), obr(), spm()), "DPOW-SLIDE", errors.MissingFieldError, "PID-3"),
        ((PID, orc("SC"), obr(), spm()), "DPOW-SLIDE", errors.UnknownCodeError, "ORC-1"),
        ((PID, orc("HD"), obr(), spm()), "", errors.UnknownCodeError, "ORC-1"),
        ((PID, orc(""), obr(), spm()), "", errors.MissingFieldError, "ORC-1"),
        ((PID, orc(), obr(), spm("")), "DPOW-SLIDE", errors.MissingFieldError, "SPM-2"),
        ((PID, orc(), obr(), spm("no figure")), "", errors.WrongTypeError, "SPM-2"),
        ((PID, orc(), obr(), spm("1" * 101)), "", errors.WrongTypeError, "SPM-2"),
        ((PID, orc(), obr(), spm(container="")), "", errors.MissingFieldError, "SPM-27"),
        ((PID, orc(), obr(), spm(container="BAG")), "", errors.UnknownCodeError, "SPM-27"),
        (
            (PID, orc(), obr(), spm(container="CASSETTE")),
            "DPOW-SLIDE",
            errors.UnknownCodeError,
            "SPM-27",
        ),
        ((PID, orc(), obr(), spm(), spm(f17="soon")), "", errors.WrongTypeError, "SPM[2]-17"),
        ((PID, orc(), obr(), spm(), stain("")), "", errors.MissingFieldError, "OBX-5"),
        ((PID, orc(), obr(), spm(), stain("1", f2="NM")), "", errors.WrongTypeError, "OBX-2"),
        ((PID, orc(f38="26P2"), obr(), spm()), "", errors.ContradictionError, "SPM-30"),
        ((PID, orc(f3="", f38=""), obr()), "", errors.MissingFieldError, "ORC-38"),
        ((PID, orc(), obr(), PID, orc(), obr()), "", errors.SegmentSequenceError, "PID[2]-1"),
        ((PID, orc(), obr(f13="x" * 20_001)), "", errors.WrongTypeError, "OBR-13"),
        ((PID, orc(), obr(), *[spm()] * 1_001), "", errors.MessageTooLargeError, "None"),
        ((PID, orc(), obr()), "DPOW-PLACE-WO", errors.UnsupportedEventError, "MSH-21"),
        ((PID, *["ZZZ|x"] * 900, *[orc(), obr()] * 900), "", errors.MessageTooLargeError, "None"),
        (
            (PID, orc(), obr(), spm(), stain("~".join("1" * 51))),
            "",
            errors.CardinalityError,
            "OBX-5",
        ),
        (
            (PID, orc(), obr(), spm(), *[stain("1~2~3~4~5~6")] * 9),
            "",
            errors.CardinalityError,
            "OBX[9]-5",
        ),
        ((PID, orc("SC", f25="Odd"), obr()), "DPOW-CASE-UPDATE", errors.UnknownCodeError, "ORC-25"),
        ((PID, orc("SC", f5="IP"), obr()), "DPOW-ACCEPT-WO", errors.UnknownCodeError, "ORC-5"),
        ((PID, orc("SC", f2=""), obr()), "DPOW-ACCEPT-WO", errors.MissingFieldError, "ORC-2"),
    ],
)
def test_what_is_not_right_is_refused_with_its_place(
    segments: tuple[str, ...], profile: str, kind: type[SgiError], place: str
) -> None:
    with pytest.raises(kind) as raised:
        read(message(*segments, profile=profile))
    assert str(raised.value.location) == place  # type: ignore[attr-defined]
    assert "MARTIN" not in str(raised.value)


# LAB-101 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, None),
        ({"f5": "IP"}, None),
        ({"f5": "IP", "f25": "Draft^Draft^99DPOW"}, CaseState.READING),
        ({"f5": "IP", "f25": "Preliminary"}, CaseState.REPORTED),
        ({"f5": "IP", "f25": "ForTranscription"}, CaseState.REPORTED),
        ({"f5": "CM", "f25": "Final"}, CaseState.SIGNED_OUT),
        ({"f5": "CM", "f25": "Ended"}, CaseState.SIGNED_OUT),
        ({"f5": "CM"}, CaseState.SIGNED_OUT),
    ],
)
def test_the_state_of_a_case(fields: dict[str, str], state: CaseState | None) -> None:
    raw = message(PID, orc("SC", **fields), obr(), profile="DPOW-CASE-UPDATE")
    assert case(raw).state is state
    assert not any(isinstance(one, AssetRecorded) for one in read(raw).statements)


@pytest.mark.parametrize("fields", [{"f1": "CA"}, {"f1": "SC", "f5": "CA"}])
def test_a_case_is_cancelled(fields: dict[str, str]) -> None:
    raw = message(PID, orc(**{"control": "NW"} | {}, **fields), obr(), profile="DPOW-CASE-UPDATE")
    assert only(read(raw), CaseCancelled) == CaseCancelled("26P1")


@pytest.mark.parametrize(
    ("participant", "number", "name"),
    [
        ("PRT||AD||PI^Primary Interpreter|10101010101^ROUX^MARIE", "810101010101", "ROUX MARIE"),
        ("PRT||AD||PI|path01^SMITH^JACQUELINE", "path01", "SMITH JACQUELINE"),
        ("PRT||AD||RCT|1^X^Y", "810100000001", "DURAND ALICE"),
    ],
)
def test_who_reads_a_case(participant: str, number: str, name: str) -> None:
    raw = message(
        PID,
        orc("XO"),
        obr(f32="810100000001&DURAND&ALICE"),
        participant,
        profile="DPOW-CASE-UPDATE",
    )
    assert (case(raw).pathologist, case(raw).pathologist_name) == (number, name)


def test_a_name_as_XCN_is_read_from_OBR_32_too() -> None:
    raw = message(PID, orc("XO"), obr(f32="7^DURAND^ALICE"), profile="DPOW-CASE-UPDATE")
    assert (case(raw).pathologist, case(raw).pathologist_name) == ("7", "DURAND ALICE")


@pytest.mark.parametrize(
    ("control", "service", "expected"),
    [
        ("NW", "EXTEMPORANE^Examen extemporané^L", True),
        ("NW", "x^extempo^L", True),
        ("NW", "ACP^Anatomie^L", None),
        ("XO", "ACP^Anatomie^L", False),
        ("XO", "", None),
    ],
)
def test_frozen_sections_are_known_by_the_interface_s_words(
    control: str, service: str, expected: bool | None
) -> None:
    raw = message(PID, orc(control), obr(f4=service), profile="DPOW-CASE-UPDATE")
    assert case(raw).extemporane is expected


@pytest.mark.parametrize(
    ("segment", "field", "priority"),
    [
        ("TQ1", "|||||||||A", Priority.ASAP),
        ("TQ1", "|||||||||R^Routine^HL70485", Priority.ROUTINE),
        ("TQ1", "|||||||||T", None),
    ],
)
def test_priorities(segment: str, field: str, priority: Priority | None) -> None:
    raw = message(PID, orc(), segment + field, obr(), profile="DPOW-CASE-UPDATE")
    assert case(raw).priority is priority
    assert bool(read(raw).ignored) is (priority is None)


def test_the_priority_of_older_versions_is_in_ORC_7() -> None:
    assert case(message(PID, orc(f7="^^^^^S"), obr(), type_="ORM^O01")).priority is Priority.STAT


# LAB-103, LAB-104, answers ------------------------------------------------------------------------


def test_a_work_order_is_accepted() -> None:
    raw = message(
        PID,
        orc("SC", f2="WO-7", f3="SGL-9", f5="CM"),
        obr(f4="KI67^IHC Ki-67^L"),
        spm("TMP-7^26P1.A.1.3", f3="26P1.A.1"),
        profile="DPOW-ACCEPT-WO",
    )
    accepted = only(read(raw), WorkOrderAccepted)
    assert accepted == WorkOrderAccepted(
        "WO-7",
        "SGL-9",
        "TMP-7",
        Asset(
            AssetKind.SLIDE,
            "26P1.A.1.3",
            "26P1",
            "26P1.A.1",
            technique=Code("KI67", "IHC Ki-67", "L"),
        ),
        "26P1",
    )
    assert not any(isinstance(one, CaseRecorded) for one in read(raw).statements)


def test_a_work_order_is_accepted_without_a_name_yet() -> None:
    raw = message(PID, orc("OK", f2="WO-7", f5="CM"), obr(), profile="DPOW-ACCEPT-WO")
    assert only(read(raw), WorkOrderAccepted) == WorkOrderAccepted(
        "WO-7", "26P1", None, None, "26P1"
    )


@pytest.mark.parametrize(
    "paths", ["ORC-2|OBR-2", "OBR-2", "OBR-3|ORC-3", "ORC-2.1|ORC-38|OBR-3", "OBR-3.1|SPM-30"]
)
def test_the_numbers_of_a_work_order_are_no_case(paths: str) -> None:
    """Wherever the interface has the case's number in other messages."""
    interface = parse_interface({"read": {"case": paths}}, "sgl.toml", "sgl")
    segments = (orc(f2="WO-7", f3="SGL-9", f5="CM"), obr(f2="WO-7", f3="SGL-9"))
    raw = message(PID, *segments, spm("TMP-7^26P1.A.1.3"), profile="DPOW-ACCEPT-WO")
    accepted = only(read(raw, interface), WorkOrderAccepted)
    assert isinstance(accepted, WorkOrderAccepted)
    expected = "26P1" if {"ORC-38", "SPM-30"} & set(paths.split("|")) else None
    assert accepted.accession_number == expected
    assert accepted.asset is not None
    assert accepted.asset.accession_number == expected
    assert (accepted.placer_number, accepted.filler_number) == ("WO-7", "SGL-9")


def test_notices_of_images_are_for_others() -> None:
    reading = read(message(PID, orc(), obr(), spm(), profile="DPOW-IMAGE-NOTIF"))
    assert reading.statements == []
    assert len(reading.ignored) == 1


@pytest.mark.parametrize(
    ("segments", "answered"),
    [
        (
            ("MSA|AA|C9", PID, "ORC|OK|WO-7|SGL-9"),
            OrderAnswered("C9", "AA", "OK", "WO-7", "SGL-9", None),
        ),
        (("MSA|AA|C9", "ORC|UA|WO-7"), OrderAnswered("C9", "AA", "UA", "WO-7", None, None)),
        (
            ("MSA|AE|C9", "ERR||PID^1^3|207^x^HL70357|E|902^Patient inconnu^L"),
            OrderAnswered("C9", "AE", None, None, None, "Patient inconnu"),
        ),
        (("MSA|AR|C9|try later",), OrderAnswered("C9", "AR", None, None, None, "try later")),
    ],
)
def test_answers_that_come_as_messages(segments: tuple[str, ...], answered: OrderAnswered) -> None:
    assert read(message(*segments, type_="ORL^O22^ORL_O22")).statements == [answered]


# Plain orders -----------------------------------------------------------------------------------


def test_an_old_order_names_its_slide_in_OBR_15() -> None:
    raw = message(
        PID, orc(f38=""), obr(f4="HES^Hématéine éosine^L", f15="26P1-A-1-1"), type_="ORM^O01"
    )
    assert asset(raw) == Asset(
        AssetKind.SLIDE,
        "26P1-A-1-1",
        "26P1",
        stains=(Code("HES", "Hématéine éosine safran", "L"),),
    )
    assert case(raw).service is None


def test_a_kind_of_tissue_in_OBR_15_is_no_slide() -> None:
    raw = message(PID, orc(f38=""), obr(f15="BIOPSIE"), type_="ORM^O01")
    assert [type(one) for one in read(raw).statements] == [PatientSaid, CaseRecorded]
    assert case(raw).service == SERVICE


def test_what_is_ordered_of_a_slide_is_its_technique() -> None:
    raw = message(PID, orc(), obr(f4="FISH^FISH HER2^L"), spm())
    assert asset(raw).technique == Code("FISH", "FISH HER2", "L")
    assert case(raw).service is None


@pytest.mark.parametrize("control", sorted(CANCELLING))
def test_a_plain_cancellation_is_of_the_slide_or_of_the_case(control: str) -> None:
    slide = message(PID, orc(control), obr(f15="26P1-A-1-1"), type_="ORM^O01")
    assert only(read(slide), AssetCancelled)
    whole = message(PID, orc(control), obr(), type_="ORM^O01")
    assert only(read(whole), CaseCancelled) == CaseCancelled("26P1")


@pytest.mark.parametrize("control", sorted(RECORDING))
def test_every_recording_control_records(control: str) -> None:
    assert case(message(PID, orc(control), obr(), type_="ORM^O01")).accession_number == "26P1"


def test_orders_below_specimens() -> None:
    raw = message(
        PID,
        spm("26P1.A.1.1"),
        stain("KI67^Ki-67^L"),
        orc(),
        obr(),
        spm("26P1.A.1.2"),
        orc(),
        obr(),
        type_="OML^O33^OML_O33",
    )
    found = [one.asset for one in read(raw).statements if isinstance(one, AssetRecorded)]
    assert [(one.identifier, len(one.stains)) for one in found] == [
        ("26P1.A.1.1", 1),
        ("26P1.A.1.2", 0),
    ]
    assert case(raw).accession_number == "26P1"


def test_two_OBR_under_one_ORC_are_two_orders() -> None:
    raw = message(PID, orc(), obr(f15="26P1-1"), obr(f15="26P1-2"), type_="ORM^O01")
    found = [one.asset for one in read(raw).statements if isinstance(one, AssetRecorded)]
    assert [one.identifier for one in found] == ["26P1-1", "26P1-2"]


def test_two_cases_in_one_message_are_told_apart() -> None:
    raw = message(PID, orc(), obr(), orc(f3="26P2", f38="26P2"), obr(), type_="ORM^O01")
    found = [one.case for one in read(raw).statements if isinstance(one, CaseRecorded)]
    assert [one.accession_number for one in found] == ["26P1", "26P2"]


# A hub of scanners ------------------------------------------------------------------------------

HUB = parse_interface({"like": "roche"}, "hub.toml", "hub")
HUB_PID = "PID|||MN-1^^^LAB^PI||LAST^FIRST||19800101|M"


def hub(*segments: str, type_: str = "OML^O21") -> bytes:
    header = f"MSH|^~\\&|LIS|Lab|Ventana|Lab|20240518170503||{type_}|M1|P|2.4|"
    return "\n".join((header, *segments)).encode()


def hub_order(slide: str, control: str = "NW") -> tuple[str, str]:
    own = numbered(
        "OBR",
        f1="1",
        f2="CASE-1 A1",
        f4="123^H. Advance^STAIN",
        f15="Breast^Left^Biopsy",
        f16="I1^ROUX^MARIE",
        f19=f"{slide}^1",
        f20="CASE-1;A;1^1",
        f21="CASE-1;A^A",
    )
    return f"ORC|{control}|CASE-1", own


def test_one_order_a_slide_with_its_block_and_specimen() -> None:
    above = (HUB_PID, "PV1|", "SAC|||||||20240518170503|")
    raw = hub(*above, *hub_order("CASE-1;A;1;1"), *hub_order("CASE-1;A;1;2"))
    reading = read(raw, HUB)
    found = [one.asset for one in reading.statements if isinstance(one, AssetRecorded)]
    assert [(one.kind.name, one.identifier, one.parent) for one in found] == [
        ("SPECIMEN", "CASE-1;A", None),
        ("BLOCK", "CASE-1;A;1", "CASE-1;A"),
        ("SLIDE", "CASE-1;A;1;1", "CASE-1;A;1"),
        ("SLIDE", "CASE-1;A;1;2", "CASE-1;A;1"),
    ]
    assert found[-1].stains == (Code("123", "H. Advance", "STAIN"),)
    assert case(raw, HUB).pathologist_name == "ROUX MARIE"


@pytest.mark.parametrize(
    ("orc_", "statement"),
    [
        (
            "ORC|CA|CASE-1||CASE-1;A;1;1^SLIDE|CA",
            AssetCancelled(Asset(AssetKind.SLIDE, "CASE-1;A;1;1", "CASE-1")),
        ),
        (
            "ORC|CA|CASE-1||CASE-1;A^SPECIMEN|CA",
            AssetCancelled(Asset(AssetKind.SPECIMEN, "CASE-1;A", "CASE-1")),
        ),
        ("ORC|CA|CASE-1|||CA", CaseCancelled("CASE-1")),
    ],
)
def test_what_a_hub_withdraws(orc_: str, statement: Statement) -> None:
    raw = hub(HUB_PID, orc_, "OBR||CASE-1;A;1;1|", type_="OUL^R21")
    assert read(raw, HUB).statements == [statement]


@pytest.mark.parametrize("interface", [HUB, built_in()], ids=["roche", "sgl"])
def test_a_scanner_tells_of_a_slide(interface: Interface) -> None:
    scanned = ("ORC|RE||CASE-1;A;1;1", "OBR|1||CASE-1;A;1;1|SLIDE^sendScannedSlideImageLabelId")
    raw = hub(HUB_PID, *scanned, type_="OUL^R21")
    assert read(raw, interface).statements == [SlideScanned("CASE-1;A;1;1")]
    progress = ("ORC|SC|CASE-1||CASE-1;A;1;1^SLIDE|IP", "OBR|||CASE-1;A;1;1|SLIDE^StatusUpdate")
    reading = read(hub(HUB_PID, *progress, type_="OUL^R21"), interface)
    assert (reading.statements, len(reading.ignored)) == ([], 1)


@pytest.mark.parametrize(
    ("segments", "kind"),
    [
        (("ORC|RE||1", "OBR|1||1|SLIDE^sendRescanSlide"), errors.UnknownCodeError),
        (("ORC|RE", "OBR|1|||SLIDE^sendScannedSlideImageLabelId"), errors.MissingFieldError),
        (("ORC|RE||1",), errors.SegmentSequenceError),
        (("ORC|CA|C1||1^CUP",), errors.UnknownCodeError),
        (("ORC|CA|",), errors.MissingFieldError),
    ],
)
def test_what_a_scanner_may_not_say(segments: tuple[str, ...], kind: type[SgiError]) -> None:
    with pytest.raises(kind):
        read(hub(*segments, type_="OUL^R21"), HUB)


# Interfaces that say otherwise ------------------------------------------------------------------


def with_keys(**keys: object) -> Interface:
    return parse_interface(dict(keys), "own.toml", "own")


def test_an_interface_says_where_the_slide_is() -> None:
    own = with_keys(
        read={"slide": "OBR-13", "case": "OBR-18"},
        patterns={"slide": r".*/(?P<id>[\w-]+)\.svs"},
    )
    raw = message(PID, orc(), obr(f13="/scans/26P1-1.svs", f18="26P1"), type_="ORM^O01")
    assert asset(raw, own).identifier == "26P1-1"
    assert own.slide_identifier("/x/26P9-2.svs") == "26P9-2"
    assert own.slide_identifier("26P9-2") is None


def test_parents_are_named_as_their_own_messages_name_them() -> None:
    own = with_keys(patterns={"block": r"B(?P<id>\d+)", "slide": r"L(?P<id>\d+)"})
    raw = message(PID, orc(), obr(), spm("L071", f3="B07"), profile="DPOW-SLIDE")
    assert (asset(raw, own).identifier, asset(raw, own).parent) == ("071", "07")
    of_specimen = message(PID, orc(), obr(), spm("L071", f3="P07"), profile="DPOW-SLIDE")
    assert asset(of_specimen, own).parent == "P07"


def test_an_interface_translates_codes() -> None:
    own = with_keys(
        codes={
            "stains": {"01": [{"code": "12710003"}, {"code": "36879007"}]},
            "sites": {"S7": {"code": "80248007", "text": "Breast structure", "system": "SCT"}},
            "containers": {"JAR": "specimen"},
            "priorities": {"U": "S"},
            "techniques": {"99": {"code": "CC", "text": "Congelé"}},
            "states": {"VALIDE": "signed_out"},
        },
    )
    raw = message(PID, orc(f7="^^^^^U"), obr(), spm(f8="S7^Sein"), stain("01^HE"))
    assert asset(raw, own).stains == (Code("12710003"), Code("36879007"))
    assert asset(raw, own).site == Code("80248007", "Breast structure", "SCT")
    assert case(raw, own).priority is Priority.STAT
    jar = message(PID, orc(), obr(), spm("26P1.A", "JAR"))
    assert asset(jar, own).kind is AssetKind.SPECIMEN
    frozen = message(PID, orc(), obr(f4="99"), spm(), profile="DPOW-SLIDE")
    assert asset(frozen, own).technique == Code("CC", "Congelé")
    final = message(PID, orc("SC", f25="VALIDE"), obr(), type_="ORM^O01")
    assert case(final, own).state is CaseState.SIGNED_OUT


def test_an_interface_says_what_an_SPM_without_container_is() -> None:
    own = with_keys(read={"otherwise": "slide"})
    assert asset(message(PID, orc(), obr(), spm(container="")), own).kind is AssetKind.SLIDE


def test_an_asset_may_come_before_its_case_is_known() -> None:
    raw = message(PID, numbered("ORC", f1="NW", f2="A"), obr(), spm(f3="26P1.A.1", f30=""))
    assert asset(raw).accession_number is None
    assert not any(isinstance(one, CaseRecorded) for one in read(raw).statements)
