"""What is told to the laboratory, beside the samples and before another parser."""

import re
import uuid
import warnings
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from sgi.domain.case import Case, CaseState, Code, Priority, WorkKind, WorkOrder, WorkState
from sgi.domain.interface import NoticeKind
from sgi.domain.patient import (
    Identifier,
    IdentifierKind,
    IdentityAttribute,
    IdentityStatus,
    Patient,
    Traits,
)
from sgi.hl7.encodings import Charset
from sgi.hl7.interfaces import Interface, parse_interface
from sgi.hl7.mapping import read_message, statements_of
from sgi.hl7.message import Message, Segment
from sgi.hl7.results_out import (
    Envelope,
    Image,
    SlideTold,
    case_link,
    case_status,
    image_notice,
    work_order,
)
from sgi.hl7.statements import AssetRecorded

PARIS = timezone(timedelta(hours=2))
SENT_AT = datetime(2026, 6, 12, 8, 15, tzinfo=UTC)
CASE_ID = uuid.UUID(int=7)
INS = Identifier("279035121518989", "1.2.250.1.213.1.4.10", IdentifierKind.INS)
PATIENT = Patient(
    id=uuid.UUID(int=1),
    identifiers=(Identifier("000003", "CHU-X"), INS),
    traits=Traits(
        birth_name="PAT-TROIS",
        first_given_name="DOMINIQUE",
        given_names="DOMINIQUE MARIE",
        used_name="PAT-TROIS",
        used_given_name="DOMINIQUE",
        sex="F",
        birth_date=date(1979, 3, 28),
        birth_place="63220",
    ),
    status=IdentityStatus.QUALIFIED,
)
SERVICE = Code("ACPNUM", "Anatomie et cytologie pathologiques", "L")
SLIDE = SlideTold(
    "26P00123.A.01.01",
    "26P00123.A.01",
    site=Code("80248007", "Breast structure", "SCT"),
    laterality=Code("7771000", "Left", "SCT"),
)
SCANNED = datetime(2026, 6, 12, 14, 30, 12, tzinfo=PARIS)
IMAGE = Image(
    "2.25.113059749145936325402354257176981405696",
    "2.25.113059749145936325402354257176981405697",
    SCANNED,
)


def interface(**out: object) -> Interface:
    usual: dict[str, object] = {
        "host": "127.0.0.1",
        "port": 2600,
        "processing": "T",
        "sender": {"application": "SGI", "facility": "CHU-X"},
        "receiver": {"application": "SGL", "facility": "CHU-X"},
        "authorities": {"CHU-X": {"id": "000897406", "type": "N"}},
    }
    document = {"events": {"processing": ["P", "T"]}, "out": usual | out}
    return parse_interface(document, "own.toml", "own")


def envelope(control_id: str = "T07", **out: object) -> Envelope:
    return Envelope(interface(**out), control_id, SENT_AT)


def case(**said: object) -> Case:
    fields: dict[str, object] = dict.fromkeys(Case.__dataclass_fields__)
    fields |= {
        "id": CASE_ID,
        "establishment_id": uuid.UUID(int=9),
        "accession_number": "26P00123",
        "placer_number": "D26-4486",
        "filler_number": "26P00123",
        "priority": Priority.STAT,
        "service": SERVICE,
        "state": CaseState.READY,
    }
    return Case(**(fields | said))  # type: ignore[arg-type]


def order(**said: object) -> WorkOrder:
    fields: dict[str, object] = dict.fromkeys(WorkOrder.__dataclass_fields__)
    fields |= {
        "kind": WorkKind.IHC,
        "parent_identifier": "26P00123.A.01",
        "stains": (Code("KI67", "IHC Ki-67", "L"),),
        "placer_number": "SGI-WO-77",
        "temporary_id": "TMP-77",
        "state": WorkState.ASKED,
    }
    return WorkOrder(**(fields | said))  # type: ignore[arg-type]


def parsed(raw: bytes) -> Message:
    return read_message(raw, interface())


def values(segment: Segment) -> dict[int, str]:
    """Every field that is not empty, as it stands."""
    return {n: segment.field(n).raw for n in range(1, len(segment) + 1) if segment.field(n).raw}


def differences(ours: bytes, sample: Path) -> dict[str, tuple[str, str]]:
    """Every field in which two messages are not the same; ours first."""
    found = {}
    one, other = list(parsed(ours)), list(parsed(sample.read_bytes()))
    assert [s.name for s in one] == [s.name for s in other]
    for mine, theirs in zip(one, other, strict=True):
        left, right = values(mine), values(theirs)
        for number in sorted(left.keys() | right.keys()):
            if left.get(number) != right.get(number):
                place = f"{mine.name}-{number}"
                found[place] = (left.get(number, ""), right.get(number, ""))
    return found


NOT_KEPT = {
    # The day from which an INS is in force, the address, the administrative file and the time of
    # the last change of the identity are not kept here; the status is told as we understand it.
    "PID-3": (
        "000003^^^CHU-X&000897406&N^PI"
        "~279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS",
        "000003^^^CHU-X&000897406&N^PI"
        "~279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS^^20240306",
    ),
    "PID-11": (
        "^^^^^^BDL^^63220",
        "28 Av de Breteuil^^PARIS^^75007^FRA^H~^^^^^^BDL^^63220",
    ),
    "PID-18": ("", "24000006^^^CHU-X&000897406&M^AN"),
    "PID-32": ("QUAL", "VALI"),
    "PID-33": ("", "20240306111153"),
}


def test_an_image_is_available_as_in_the_sample(interop: Path) -> None:
    raw = image_notice(envelope(), case(), PATIENT, SLIDE, IMAGE, available=True)
    sample = interop / "synthetic" / "T07_LAB-104_image_available.hl7"
    assert differences(raw, sample) == NOT_KEPT


def test_an_image_is_removed_as_in_the_sample(interop: Path) -> None:
    raw = image_notice(envelope("T08"), case(), PATIENT, SLIDE, IMAGE, available=False)
    sample = interop / "synthetic" / "T08_LAB-104_image_deassociated.hl7"
    assert differences(raw, sample) == NOT_KEPT


def test_a_final_case_is_told_as_in_the_sample(interop: Path) -> None:
    comment = "Lecture sur image, validée"
    raw = case_status(envelope("T05B"), case(), PATIENT, CaseState.SIGNED_OUT, comment)
    sample = interop / "synthetic" / "T05b_LAB-101_case_final_from_SGI.hl7"
    assert differences(raw, sample) == NOT_KEPT


def test_a_stain_is_asked_for_as_in_the_sample(interop: Path) -> None:
    block = SlideTold("26P00123.A.01", site=SLIDE.site, laterality=SLIDE.laterality)
    raw = work_order(envelope("T06A"), case(), PATIENT, order(), block)
    lines = raw.split(b"\r")
    assert lines[-2].startswith(b"OBX|1|CWE|397165007^Stain^SCT|1|KI67^IHC Ki-67^L")
    without = b"\r".join((*lines[:-2], b""))  # DPOW has the stain in OBR-4 alone
    sample = interop / "synthetic" / "T06a_LAB-102_place_work_order.hl7"
    assert differences(without, sample) == NOT_KEPT


@pytest.mark.parametrize(
    ("state", "status", "modifier"),
    [
        (CaseState.RECEIVED, "IP", None),
        (CaseState.IN_PROGRESS, "IP", None),
        (CaseState.READY, "IP", None),
        (CaseState.READING, "IP", "Draft"),
        (CaseState.REPORTED, "IP", "Preliminary"),
        (CaseState.SIGNED_OUT, "CM", "Final"),
        (CaseState.CANCELLED, "CA", None),
    ],
)
def test_every_state_is_told(state: CaseState, status: str, modifier: str | None) -> None:
    message = parsed(case_status(envelope(), case(), PATIENT, state))
    assert message.value("ORC-1") == "SC"
    assert (message.value("ORC-5"), message.value("ORC-25")) == (status, modifier)
    assert message.profiles == ["DPOW-CASE-UPDATE"]


def test_who_reads_is_told_where_the_laboratory_said_it() -> None:
    told = case(pathologist="810100000001", pathologist_name="DURAND ALICE")
    message = parsed(case_status(envelope(), told, PATIENT, CaseState.READING))
    assert message.value("OBR-32.1.1") == "810100000001"
    assert message.value("OBR-32.1.2") == "DURAND ALICE"


@pytest.mark.parametrize(
    ("status", "attributes", "shown"),
    [
        (IdentityStatus.QUALIFIED, (), True),
        (IdentityStatus.VALIDATED, (), False),
        (IdentityStatus.RETRIEVED, (), False),
        (IdentityStatus.PROVISIONAL, (), False),
        (None, (), False),
        (IdentityStatus.QUALIFIED, (IdentityAttribute.DOUBTFUL,), False),
        (IdentityStatus.QUALIFIED, (IdentityAttribute.HOMONYM,), True),
    ],
)
@pytest.mark.parametrize("kind", list(NoticeKind))
def test_the_matricule_leaves_only_with_a_qualified_identity(
    status: IdentityStatus | None,
    attributes: tuple[IdentityAttribute, ...],
    shown: bool,
    kind: NoticeKind,
) -> None:
    patient = Patient(
        PATIENT.id, PATIENT.identifiers, PATIENT.traits, status, frozenset(attributes)
    )
    way = envelope(send=["ORU"], link="https://sgi.example/case/{case}")
    raw = {
        NoticeKind.IMAGE: image_notice(way, case(), patient, SLIDE, IMAGE, available=True),
        NoticeKind.CASE: case_status(way, case(), patient, CaseState.READY),
        NoticeKind.WORK_ORDER: work_order(way, case(), patient, order()),
        NoticeKind.LINK: case_link(way, case(), patient, IMAGE),
    }[kind]
    assert (INS.value.encode() in raw) is shown
    assert b"000003^^^CHU-X" in raw


def test_a_new_scan_names_the_glass_itself() -> None:
    rescan = order(
        kind=WorkKind.RESCAN,
        parent_identifier="26P00123.A.01.01",
        stains=(),
        words="Flou\nen haut",
        asked_name="Dr Roux",
    )
    message = parsed(work_order(envelope(), case(), PATIENT, rescan, SLIDE))
    assert message.value("OBR-4") == "RESCAN"
    assert message.value("SPM-2.2") == "26P00123.A.01.01"
    assert message.value("SPM-2.1") is None
    assert message.value("SPM-3") == "26P00123.A.01"
    assert message.required("NTE").field(3).text == "Flou\nen haut"
    assert message.value("ORC-12.2") == "Dr Roux"
    assert message.value("ORC-12.1") is None
    named = work_order(envelope(), case(), PATIENT, rescan, SLIDE, "810003456789")
    assert parsed(named).value("ORC-12.1") == "810003456789"


def test_of_several_stains_the_first_is_ordered_and_all_are_told() -> None:
    stains = (Code("PAS"), Code("ALC", "Bleu alcian", "L"))
    message = parsed(work_order(envelope(), case(), PATIENT, order(stains=stains)))
    assert message.value("OBR-4") == "PAS"
    assert [obx.value(5) for obx in message.segments("OBX")] == ["PAS", "ALC"]


@pytest.mark.parametrize("kind", list(WorkKind))
def test_every_kind_of_work_has_a_code(kind: WorkKind) -> None:
    message = parsed(work_order(envelope(), case(), PATIENT, order(kind=kind, stains=())))
    assert message.value("OBR-4")
    bare = envelope(work={})
    bare = Envelope(
        bare.interface.model_copy(update={"out": bare.out.model_copy(update={"work": {}})}),
        "C",
        SENT_AT,
    )
    message = parsed(work_order(bare, case(), PATIENT, order(kind=kind, stains=())))
    assert message.value("OBR-4") == kind.name


def test_a_link_says_where_and_nothing_of_the_patient_in_the_address() -> None:
    way = envelope(send=["ORU"], link="https://sgi.example/case/{case}")
    message = parsed(case_link(way, case(), PATIENT, IMAGE))
    assert message.type == "ORU^R01"
    assert message.profiles == []
    assert message.value("OBX-5") == f"https://sgi.example/case/{CASE_ID}"
    assert message.value("OBR-25") == "S"
    assert [obx.value(3) for obx in message.segments("OBX")] == ["URL_VIEWER", "StudyInstanceUID"]


def test_what_is_not_known_is_left_empty() -> None:
    unknown = case(placer_number=None, filler_number=None, service=None, visit_number=None)
    raw = image_notice(
        envelope(), unknown, None, SlideTold("S-1"), Image(None, None, None), available=True
    )
    message = parsed(raw)
    assert message.segments("OBX") == []
    assert values(message.required("PID")) == {1: "1"}
    assert message.value("OBR-4") == "ACP"
    assert message.value("ORC-3") == "26P00123"
    assert message.value("SPM-18") is None


def test_hostile_names_stay_within_their_fields() -> None:
    patient = Patient(
        PATIENT.id, PATIENT.identifiers, Traits(birth_name="O|^~\\&NEIL\rMSH|x", sex="F")
    )
    message = parsed(case_status(envelope(), case(), patient, CaseState.READY))
    assert [s.name for s in message] == ["MSH", "PID", "ORC", "OBR"]
    assert message.value("PID-5") == "O|^~\\&NEIL\nMSH|x"
    assert message.value("PID-8") == "F"


def test_times_are_those_of_the_interface_s_zone() -> None:
    message = parsed(image_notice(envelope(), case(), PATIENT, SLIDE, IMAGE, available=True))
    assert message.value("MSH-7") == "20260612101500+0200"
    assert message.value("SPM-18") == "20260612143012+0200"


def test_a_scanner_s_time_without_a_zone_is_the_interface_s() -> None:
    image = Image("1.2", "1.3", datetime.fromisoformat("2026-01-12T14:30:12"))
    message = parsed(image_notice(envelope(), case(), PATIENT, SLIDE, image, available=True))
    assert message.value("SPM-18") == "20260112143012+0100"


def test_the_encoding_of_the_interface() -> None:
    traits = Traits(birth_name="CŒUR", first_given_name="ÉLOÏSE")
    patient = Patient(PATIENT.id, PATIENT.identifiers, traits)
    raw = case_status(envelope(encoding="8859/15"), case(), patient, CaseState.READY)
    assert "CŒUR^ÉLOÏSE".encode("iso8859-15") in raw
    assert parsed(raw).charset is Charset.LATIN_9


def every_message() -> list[bytes]:
    way = envelope(send=["ORU"], link="https://sgi.example/case/{case}")
    return [
        image_notice(way, case(), PATIENT, SLIDE, IMAGE, available=True),
        image_notice(way, case(), PATIENT, SLIDE, IMAGE, available=False),
        case_status(way, case(), PATIENT, CaseState.SIGNED_OUT, "Vu"),
        work_order(way, case(), PATIENT, order(words="Merci"), SLIDE),
        case_link(way, case(), PATIENT, IMAGE),
    ]


@pytest.mark.parametrize("raw", every_message())
def test_another_parser_finds_the_groups(raw: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser = pytest.importorskip("hl7apy.parser")
        consts = pytest.importorskip("hl7apy.consts")
        text = raw.decode()
        read = parser.parse_message(
            text, validation_level=consts.VALIDATION_LEVEL.TOLERANT, find_groups=True
        )
        # Fields from later versions (ORC-38) are read, and written again without their gap.
        again = re.sub(r"\|+", "|", read.to_er7().rstrip("\r"))
        assert again == re.sub(r"\|+", "|", text.rstrip("\r"))
        assert {child.name.rpartition("_")[2] for child in read.children} & {"ORDER", "RESULT"}
        oml = read.msh.msh_9.to_er7().startswith("OML")
        if oml:
            order_group = read.oml_o21_order
            assert order_group.orc.orc_1.to_er7() in {"NW", "SC"}
            assert order_group.oml_o21_observation_request.obr.obr_4.to_er7()


def test_what_we_say_of_an_image_can_be_read_by_who_waits_for_it() -> None:
    """As a manager of images elsewhere would read it, were it an order."""
    raw = image_notice(envelope(), case(), PATIENT, SLIDE, IMAGE, available=True)
    own = interface()
    reading = statements_of(
        read_message(raw.replace(b"DPOW-IMAGE-NOTIF", b"DPOW-SLIDE"), own), own, SENT_AT
    )
    (asset,) = [one.asset for one in reading.statements if isinstance(one, AssetRecorded)]
    assert (asset.identifier, asset.parent) == (SLIDE.identifier, SLIDE.parent)
    assert (asset.site, asset.laterality) == (SLIDE.site, SLIDE.laterality)
