"""Reports: what they are, which case they are about, and what they replace."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.case import Code
from sgi.errors import SgiError
from sgi.hl7 import errors
from sgi.hl7.cda import read_cda
from sgi.hl7.documents import media_type_of
from sgi.hl7.interfaces import built_in
from sgi.hl7.mapping import Reading, read_message, statements_of
from sgi.hl7.statements import ReportSaid, ReportStatus

NOW = datetime(2026, 6, 12, 12, 0, tzinfo=UTC)
PID = "PID|1||000003^^^CHU-X^PI||MARTIN^JEANNE"
PDF = b"%PDF-1.7\n1 0 obj\n"
CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:ps3-20="urn:dicom-org:ps3-20">
  <id root="1.2.3.4" extension="v2"/>
  <code code="60568-3" displayName="CR d'anatomie pathologique" codeSystemName="LOINC"/>
  <title>Compte rendu de Mme M.</title>
  <inFulfillmentOf><order><id root="1.2"/>
    <ps3-20:accessionNumber extension="26P9"/></order></inFulfillmentOf>
  <relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.3.4" extension="v1"/>
  </parentDocument></relatedDocument>
  <component><nonXMLBody/></component>
</ClinicalDocument>"""


def message(type_: str, *segments: str) -> bytes:
    header = f"MSH|^~\\&|SGL|CHU-X|SGI|CHU-X|20260612101500+0200||{type_}|R1|P|2.5|||||FRA"
    return "\r".join((f"{header}|UNICODE UTF-8", *segments)).encode()


def read(raw: bytes) -> Reading:
    interface = built_in()
    return statements_of(read_message(raw, interface), interface, NOW)


def reports(raw: bytes) -> list[ReportSaid]:
    return [one for one in read(raw).statements if isinstance(one, ReportSaid)]


def ed(content: bytes, status: str = "F", code: str = "60568-3^CR ACP^LN", kind: str = "") -> str:
    data = kind or f"^AP^PDF^Base64^{base64.b64encode(content).decode()}"
    return f"OBX|1|ED|{code}||{data}||||||{status}"


ORDER = ("ORC|RE|D26-1|26P1", "OBR|1|D26-1|26P1|ACP^Anatomie^L")


def oru(*observations: str, order: tuple[str, ...] = ORDER) -> bytes:
    return message("ORU^R01^ORU_R01", PID, *order, *observations)


def test_a_report_is_kept_whole_with_its_case() -> None:
    (report,) = reports(oru(ed(PDF)))
    assert report == ReportSaid(
        accession_number="26P1",
        placer_number="D26-1",
        patient=report.patient,
        status=ReportStatus.FINAL,
        document_id=None,
        replaces=None,
        title=Code("60568-3", "CR ACP", "LN"),
        media_type="application/pdf",
        content=PDF,
    )
    assert report.patient is not None
    assert report.patient.value == "000003"


@pytest.mark.parametrize(
    ("letter", "status"),
    [
        ("F", ReportStatus.FINAL),
        ("U", ReportStatus.FINAL),
        ("P", ReportStatus.PRELIMINARY),
        ("R", ReportStatus.PRELIMINARY),
        ("C", ReportStatus.REPLACED),
        ("D", ReportStatus.DELETED),
        ("W", ReportStatus.DELETED),
        ("", ReportStatus.PRELIMINARY),
    ],
)
def test_how_final_a_report_is(letter: str, status: ReportStatus) -> None:
    assert reports(oru(ed(PDF, letter)))[0].status is status


@pytest.mark.parametrize(
    ("orc", "obr_25", "status"),
    [
        ("RE", "F", ReportStatus.FINAL),
        ("RE", "C", ReportStatus.REPLACED),
        ("RO", "F", ReportStatus.REPLACED),
        ("CA", "F", ReportStatus.DELETED),
    ],
)
def test_the_order_tells_what_the_OBX_does_not(orc: str, obr_25: str, status: ReportStatus) -> None:
    order = (f"ORC|{orc}|D1|26P1", f"OBR|1|D1|26P1|ACP{'|' * 21}{obr_25}")
    assert reports(oru(ed(PDF, ""), order=order))[0].status is status


def test_lines_are_one_text() -> None:
    lines = ("OBX|1|TX|22637-3^Conclusion^LN||Adénocarcinome||||||F", "OBX|2|FT|||pT1 a^b\\.br\\N0")
    (report,) = reports(oru(*lines))
    assert report.media_type == "text/plain"
    assert report.content.decode() == "Adénocarcinome\npT1 a^b\nN0"
    assert report.title == Code("22637-3", "Conclusion", "LN")


def test_values_and_links_are_no_report() -> None:
    reading = read(oru("OBX|1|NM|KI67||20|%|||||F", "OBX|2|RP|x||https://sgl.example/1"))
    assert [type(one).__name__ for one in reading.statements] == ["PatientSaid"]
    assert len(reading.ignored) == 1


def test_the_words_of_a_mail_are_no_report() -> None:
    mail = ed(b"Cher confrere", code="CORPSMAIL_PS^Corps du mail", kind="")
    subject = ed(b"Corps", code="1^XDM/1.0/DDM+CR")
    assert [one.content for one in reports(oru(ed(PDF), mail, subject))] == [PDF]


def test_several_orders_have_each_their_reports() -> None:
    other = ("ORC|RE|D2|26P2", "OBR|2|D2|26P2|ACP")
    found = reports(oru(ed(PDF), *other, ed(PDF + b"2"), ed(b"<x/>")))
    assert [(one.accession_number, one.content[:4]) for one in found] == [
        ("26P1", b"%PDF"),
        ("26P2", b"%PDF"),
        ("26P2", b"<x/>"),
    ]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("^TEXT^^A^Conclusion", b"Conclusion"),
        ("^AP^PDF^Hex^25504446", b"%PDF"),
        ("^AP^PDF^base64^JVBE Rg", b"%PDF"),
        (base64.b64encode(CDA.encode()).decode(), CDA.encode()),
    ],
)
def test_how_documents_are_written(kind: str, content: bytes) -> None:
    assert reports(oru(ed(b"", kind=kind)))[0].content == content


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("^AP^PDF^Base64^%%%%", errors.WrongTypeError),
        ("^AP^PDF^Base64^A", errors.WrongTypeError),
        ("^AP^PDF^Hex^0", errors.WrongTypeError),
        ("^AP^PDF^ROT13^x", errors.WrongTypeError),
        ("^AP^PDF^Base64^", errors.MissingFieldError),
        ("^AP^PDF^Base64^JVBERg||||||F\r".join(["OBX|1|ED|x||"] * 52), errors.CardinalityError),
    ],
)
def test_documents_that_cannot_be_read(kind: str, error: type[SgiError]) -> None:
    with pytest.raises(error):
        read(oru(ed(b"", kind=kind)))


def test_a_withdrawn_report_needs_no_content() -> None:
    (report,) = reports(oru(ed(b"", "D", kind="^AP^PDF^Base64^")))
    assert (report.status, report.content) == (ReportStatus.DELETED, b"")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (b"\xef\xbb\xbf <?xml", "text/xml"),
        (CDA.encode(), "text/xml"),
        (b"<b>not a page</b>", "text/xml"),
        (b" <!DOCTYPE html>\n<html><p>x", "text/html"),
        (b"<HTML lang=fr>", "text/html"),
        (b"<!-- a --><body>", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (
            b"<?xml version='1.0'?>\n<!-- a > b -->\n<!DOCTYPE svg [<!ENTITY a 'b'>]>\n<svg/>",
            "image/svg+xml",
        ),
        (b"<?xml version='1.0'?><s:svg/>", "image/svg+xml"),
        (b"<?xml version='1.0'?><html/>", "application/xhtml+xml"),
        (b"<!--" + b"<" * 100_000, "text/xml"),
        (b"{\\rtf1", "application/rtf"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a", "image/png"),
        (b"PK\x03\x04", "application/zip"),
        ("Conclusion é".encode(), "text/plain"),
        (b"\x80\x81", "application/octet-stream"),
    ],
)
def test_documents_are_what_they_begin_as(content: bytes, media_type: str) -> None:
    assert media_type_of(content) == media_type


def test_a_CDA_tells_of_itself() -> None:
    order = ("ORC|NW", "OBR|1|||60568-3^CR^LN")
    (report,) = reports(oru(ed(CDA.encode(), "C"), order=order))
    assert report.accession_number == "26P9"
    assert (report.document_id, report.replaces) == ("1.2.3.4^v2", "1.2.3.4^v1")
    assert report.title == Code("60568-3", "Compte rendu de Mme M.", "LN")


def test_an_MDM_tells_of_its_document_in_TXA() -> None:
    txa = "TXA|1|60568-3^CR^LN|TEXT|20260612||||||||2.25.8^LAB|2.25.7^LAB||||AU"
    raw = message("MDM^T10^MDM_T02", "EVN||20260612", PID, "ORC|RO||26P1", "OBR|1|||x", txa)
    raw += b"\r" + ed(CDA.encode(), "C").encode()
    (report,) = reports(raw)
    assert (report.document_id, report.replaces) == ("2.25.8", "2.25.7")
    assert (report.accession_number, report.status) == ("26P1", ReportStatus.REPLACED)


@pytest.mark.parametrize(
    ("event", "letter", "signed", "status"),
    [
        ("T02", "F", "AU", ReportStatus.FINAL),
        ("T02", "F", "LA", ReportStatus.FINAL),
        ("T02", "F", "", ReportStatus.FINAL),
        ("T02", "F", "DI", ReportStatus.PRELIMINARY),
        ("T04", "D", "AU", ReportStatus.DELETED),
        ("T10", "", "AU", ReportStatus.REPLACED),
    ],
)
def test_an_MDM_is_final_when_it_is_signed(
    event: str, letter: str, signed: str, status: ReportStatus
) -> None:
    txa = f"TXA|1|x|TEXT|||||||||8|||||{signed}"
    raw = message(f"MDM^{event}", PID, "ORC|NW||26P1", txa, ed(PDF, letter))
    assert reports(raw)[0].status is status


@pytest.mark.parametrize(
    ("second", "place"), [(PID, "PID[2]-1"), ("TXA|2|x|TEXT|||||||||9", "TXA[2]-1")]
)
def test_an_MDM_is_of_one_patient_and_one_document(second: str, place: str) -> None:
    txa = "TXA|1|x|TEXT|||||||||8"
    order = "ORC|NW||26P2"
    raw = message(
        "MDM^T02", PID, "ORC|NW||26P1", txa, ed(PDF), second, order, ed(b"of another patient")
    )
    with pytest.raises(errors.SegmentSequenceError) as raised:
        read(raw)
    assert str(raised.value.location) == place


def test_a_report_of_no_case_is_refused_unless_it_replaces_one() -> None:
    alone = ("ORC|NW", "OBR|1|||60568-3^CR^LN")
    with pytest.raises(errors.MissingFieldError) as raised:
        read(oru(ed(PDF), order=alone))
    assert str(raised.value.location) == "ORC-38"
    txa = "TXA|1|x|TEXT|||||||||8|7||||AU"
    (report,) = reports(message("MDM^T10", PID, txa, ed(PDF, "C")))
    assert (report.accession_number, report.replaces) == (None, "7")


@pytest.mark.parametrize(
    "content",
    [
        b"<html/>",
        b"<ClinicalDocument",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><ClinicalDocument/>",
        b"<?xml version='1.0' encoding='nothing-1'?><ClinicalDocument/>",
        b"<" + b"a><" * 200 + b"/>",
    ],
)
def test_what_is_no_CDA_is_kept_as_it_is(content: bytes) -> None:
    assert read_cda(content) is None
    assert reports(oru(ed(content)))[0].content == content


def test_a_CDA_in_another_encoding() -> None:
    text = CDA.replace("UTF-8", "ISO-8859-1").replace("Mme M.", "Mme Mé")
    found = read_cda(text.encode("latin-1"))
    assert found is not None
    assert found.title == "Compte rendu de Mme Mé"


@given(st.binary(max_size=200))
def test_any_bytes_are_some_document(content: bytes) -> None:
    read_cda(content)
    try:
        found = reports(oru(ed(content)))
    except errors.MissingFieldError:
        assert not content.strip()
    else:
        assert [one.content for one in found] == [content]


def test_the_samples_of_the_authorities(interop: Path) -> None:
    """A replacement names what it replaces, and its own new name."""
    folder = interop / "hl7v2" / "ansforge-hl7V2-exemples"
    said = {}
    for path in folder.rglob("message_*"):
        if "INIT_N1.er7" not in path.name:
            (report,) = reports(path.read_bytes())
            said[path.name] = report
    assert len(said) == 9
    for name, report in said.items():
        status = {"INIT": "final", "RPLC": "replaced", "_DEL_": "deleted"}
        assert report.status == next(value for key, value in status.items() if key in name)
        assert (report.replaces is None) == ("INIT" in name), name
        assert report.document_id
        assert report.title is not None
        assert report.title.text
        assert report.media_type == "text/xml"
        assert report.accession_number in {"7252295367250056", "1001-E1"}
