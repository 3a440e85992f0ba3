"""Reports: `ORU^R01`, and `MDM^T02`, `T04` and `T10` as CI-SIS sends documents."""

from collections.abc import Sequence

from sgi.domain.case import Code
from sgi.domain.patient import Identifier
from sgi.hl7.cases import no_number
from sgi.hl7.cda import ClinicalDocument, read_cda
from sgi.hl7.documents import XML, Document, documents_in, required
from sgi.hl7.errors import Location
from sgi.hl7.interface import Interface
from sgi.hl7.message import Message, Segment
from sgi.hl7.order_groups import groups_of
from sgi.hl7.orders import Placed
from sgi.hl7.scope import LONGEST_NUMBER, Scope
from sgi.hl7.statements import ReportSaid, ReportStatus

_BY_RESULT = {
    **dict.fromkeys("FU", ReportStatus.FINAL),
    **dict.fromkeys("PRSI", ReportStatus.PRELIMINARY),
    "C": ReportStatus.REPLACED,
    **dict.fromkeys("DW", ReportStatus.DELETED),
}
"""OBX-11 (table 0085), and OBR-25 (0123), which has the same letters."""
_BY_CONTROL = {"RO": ReportStatus.REPLACED, "CA": ReportStatus.DELETED}
_SIGNED = {"AU", "LA"}
"""TXA-17 (table 0271)."""
_NOTICE = "MDM"


def read_reports(
    message: Message, interface: Interface, patient: Identifier | None, notes: list[str]
) -> list[Placed]:
    """Every document of a message, with the case that it is about; raises MessageError.

    Of a message that has none, nothing is said: values and links are no report.
    """
    told: list[Placed] = []
    for segments in _parts(message):
        for document in documents_in(segments):
            scope = Scope(interface, segments, notes)
            told.append((_report(scope, message, document, patient), scope.places))
    if not told:
        notes.append("The message holds no document; its values and links are left aside.")
    return told


def _parts(message: Message) -> list[Sequence[Segment]]:
    """Each order of an ORU with its OBX; an MDM is about one document, whatever its orders.

    Raises MessageError for a second TXA: its document would be taken for one of the first's case.
    """
    message.only("TXA")
    orders = any(segment.name in {"ORC", "OBR"} for segment in message)
    if message.code == _NOTICE or not orders:
        return [tuple(message)]
    return [group.segments for group in groups_of(message)]


def _report(
    scope: Scope, message: Message, document: Document, patient: Identifier | None
) -> ReportSaid:
    cda = read_cda(document.content) if document.media_type == XML else None
    status = _status(scope, message, document)
    document_id, replaces = _identity(scope, cda)
    number = _number(scope, cda)
    placer = scope.text(scope.interface.read.placer, "placer_number")
    known = replaces or (status is ReportStatus.DELETED and document_id)
    if number is None and placer is None and not known:
        raise no_number(scope, scope.interface.read.report_case)
    if status is not ReportStatus.DELETED:
        required(document)
    scope.places["content"] = document.segment.at(5)
    return ReportSaid(
        accession_number=number,
        placer_number=placer,
        patient=patient,
        status=status,
        document_id=document_id,
        replaces=replaces,
        title=_title(scope, document, cda),
        media_type=document.media_type,
        content=document.content,
    )


def _number(scope: Scope, cda: ClinicalDocument | None) -> str | None:
    number = scope.name(scope.interface.read.report_case, None, "accession_number")
    if number is None and cda is not None and cda.accession_number is not None:
        return scope.interface.identifier(None, cda.accession_number)
    return number


def _identity(scope: Scope, cda: ClinicalDocument | None) -> tuple[str | None, str | None]:
    """The document's own id, and that of the one before it: TXA-12 and -13, else the CDA's."""
    txa = scope.segment("TXA")
    own = txa.value(12) if txa is not None else None
    before = txa.value(13) if txa is not None else None
    if txa is not None and own is not None:
        scope.places["document_id"] = txa.at(12)
    if txa is not None and before is not None:
        scope.places["replaces"] = txa.at(13)
    if cda is not None:
        own, before = own or cda.document_id, before or cda.replaces
    for number, name in ((12, own), (13, before)):
        place = Location("OBX", field=5) if txa is None else txa.at(number)
        scope.bounded(name or "", place, LONGEST_NUMBER)
    return own, before


def _status(scope: Scope, message: Message, document: Document) -> ReportStatus:
    """OBX-11 first, as CI-SIS has it for both; what is not said to be final is not."""
    segment = document.segment
    status = _BY_RESULT.get(segment.value(11) or "")
    if status is not None:
        scope.places["status"] = segment.at(11)
    else:
        status = _status_around(scope, message)
    txa = scope.segment("TXA")
    signed = txa.value(17) if txa is not None else None
    if status is ReportStatus.FINAL and txa is not None and signed not in {None, *_SIGNED}:
        scope.places["status"] = txa.at(17)
        return ReportStatus.PRELIMINARY
    return status


def _status_around(scope: Scope, message: Message) -> ReportStatus:
    orc, obr = scope.segment("ORC"), scope.segment("OBR")
    if message.event == "T10":
        return ReportStatus.REPLACED
    control = _BY_CONTROL.get(orc.value(1) or "") if orc is not None else None
    result = _BY_RESULT.get(obr.value(25) or "") if obr is not None else None
    return control or result or ReportStatus.PRELIMINARY


def _title(scope: Scope, document: Document, cda: ClinicalDocument | None) -> Code | None:
    """OBX-3, else TXA-2 or OBR-4; in words, the document's own title first."""
    segment = document.segment
    code = scope.code(segment, 3, "title")
    if code is None:
        code = _title_around(scope)
    if cda is None:
        return code
    code = code or cda.code
    if code is None or cda.title is None:
        return code
    return Code(code.code, cda.title, code.system)


def _title_around(scope: Scope) -> Code | None:
    for name, number in (("TXA", 2), ("OBR", 4)):
        segment = scope.segment(name)
        code = scope.code(segment, number, "title") if segment is not None else None
        if code is not None:
            return code
    return None
