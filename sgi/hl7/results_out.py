"""What we tell the laboratory, as bytes: LAB-104, LAB-101 and LAB-102 of IHE PaLM DPOW, and an
`ORU^R01` with a link for systems that want only that. Pure: rows in, a message out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sgi.domain.case import AssetKind, Case, CaseState, Code, Priority, WorkKind, WorkOrder
from sgi.domain.patient import Patient
from sgi.hl7.events import Profile
from sgi.hl7.interface import Interface
from sgi.hl7.interface_out import CodeWord, Out
from sgi.hl7.patient_out import patient_segment
from sgi.hl7.preparation import STAIN
from sgi.hl7.writing import FieldOut, RepetitionOut, header, segment, timestamp, write_message

TISSUE = Code("TISS", "Tissue", "HL70487")
_PRIORITIES = {Priority.STAT: "Stat", Priority.ASAP: "ASAP", Priority.ROUTINE: "Routine"}
_ORDER_STATUS = {CaseState.SIGNED_OUT: "CM", CaseState.CANCELLED: "CA"}
"""ORC-5; every other state is IP, in process."""
_MODIFIERS = {
    CaseState.READING: "Draft",
    CaseState.REPORTED: "Preliminary",
    CaseState.SIGNED_OUT: "Final",
}
"""ORC-25 (99DPOW); of a ready case none: its images are all there."""
_IN_PROCESS = "IP"
_SOME_RESULTS = "S"
"""OBR-25: a link is no report."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Through which interface, under which control id (MSH-10, 20 characters at most), when."""

    interface: Interface
    control_id: str
    sent_at: datetime
    """With an offset."""

    @property
    def out(self) -> Out:
        return self.interface.out

    def header(self, type_: tuple[str, ...], profile: Profile | None) -> str:
        out = self.out
        return header(
            sender=(out.sender.application, out.sender.facility),
            receiver=(out.receiver.application, out.receiver.facility),
            sent_at=self.local(self.sent_at),
            type_=type_,
            control_id=self.control_id,
            charset=out.encoding,
            processing=out.processing,
            enhanced=out.enhanced,
            profiles=None if profile is None else (profile.value, "IHE"),
        )

    def local(self, moment: datetime) -> datetime:
        """In the zone of the interface, as its people read the clock; so is one that comes without,
        as scanners write them.
        """
        zone = self.interface.timezone
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


@dataclass(frozen=True, slots=True)
class SlideTold:
    """A glass slide as it was named to us, and what is known of its tissue."""

    identifier: str
    parent: str | None = None
    specimen_type: Code | None = None
    site: Code | None = None
    laterality: Code | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """Where a slide's image is; None where that is not known any more."""

    study_uid: str | None
    series_uid: str | None
    scanned_at: datetime | None


def image_notice(
    envelope: Envelope,
    case: Case,
    patient: Patient | None,
    slide: SlideTold,
    image: Image,
    *,
    available: bool,
) -> bytes:
    """LAB-104: a slide has an image (SPM-20 Y), or has it no more (N), whatever the reason."""
    lines = [
        *_head(envelope, Profile.IMAGE_NOTICE, patient),
        _orc("NW", case),
        _obr(case, envelope, case.service),
        _spm(envelope, case, slide, (slide.identifier,), image.scanned_at, available),
    ]
    if available:
        lines += _uids(image)
    return write_message(lines, envelope.out.encoding)


def case_status(
    envelope: Envelope,
    case: Case,
    patient: Patient | None,
    state: CaseState,
    comment: str | None = None,
) -> bytes:
    """LAB-101: what became of a case here."""
    modifier = _MODIFIERS.get(state)
    more: dict[int, FieldOut] = {5: _ORDER_STATUS.get(state, _IN_PROCESS)}
    if modifier is not None:
        more[25] = (modifier, modifier, "99DPOW")
    lines = [
        *_head(envelope, Profile.CASE_UPDATE, patient),
        _orc("SC", case, more),
        _obr(case, envelope, case.service, _reader(case)),
    ]
    if comment:
        lines.append(segment("NTE", {1: "1", 2: "L", 3: comment}))
    return write_message(lines, envelope.out.encoding)


def work_order(
    envelope: Envelope,
    case: Case,
    patient: Patient | None,
    order: WorkOrder,
    slide: SlideTold | None = None,
    asked_number: str | None = None,
) -> bytes:
    """LAB-102: a recut, a stain or a new scan is asked for, by whom `asked_number` (RPPS) names.

    `slide` has what is known of the tissue of the block, or, of a new scan, the glass itself with
    its block.
    """
    known = slide or SlideTold(order.parent_identifier)
    rescan = order.kind is WorkKind.RESCAN
    told = SlideTold(
        known.identifier if rescan else order.temporary_id,
        known.parent if rescan else order.parent_identifier,
        known.specimen_type,
        known.site,
        known.laterality,
    )
    wanted = order.stains[0] if order.stains else _work_code(envelope.out, order)
    own: dict[int, FieldOut] = {3: None, 38: case.accession_number}
    if order.asked_name:
        own[12] = (asked_number, order.asked_name)
    lines = [
        *_head(envelope, Profile.PLACE_WORK_ORDER, patient),
        segment("ORC", {1: "NW", 2: order.placer_number, **own}),
        _tq1(case.priority),
        segment("OBR", {1: "1", 2: order.placer_number, 4: _code(wanted)}),
    ]
    if order.words:
        lines.append(segment("NTE", {1: "1", 2: "L", 3: order.words}))
    name = (None, told.identifier) if rescan else (told.identifier,)
    lines.append(_spm(envelope, case, told, name))
    lines += _stains(order.stains)
    return write_message(lines, envelope.out.encoding)


def case_link(
    envelope: Envelope, case: Case, patient: Patient | None, image: Image | None = None
) -> bytes:
    """`ORU^R01`: the address at which a case can be looked at, by the interface's `out.link`."""
    address = envelope.out.link.replace("{case}", str(case.id))
    more: dict[int, FieldOut] = {25: _SOME_RESULTS}
    lines = [
        envelope.header(("ORU", "R01", "ORU_R01"), None),
        patient_segment(envelope.out, patient),
        _orc("RE", case),
        _obr(case, envelope, case.service, more),
        _pointer(1, ("URL_VIEWER", "Images de lames", "99SGI"), address),
    ]
    if image is not None and image.study_uid is not None:
        lines.append(_pointer(2, ("StudyInstanceUID", None, "DCM"), image.study_uid))
    return write_message(lines, envelope.out.encoding)


# Segments ---------------------------------------------------------------------------------------


def _head(envelope: Envelope, profile: Profile, patient: Patient | None) -> list[str]:
    return [
        envelope.header(("OML", "O21", "OML_O21"), profile),
        patient_segment(envelope.out, patient),
    ]


def _orc(control: str, case: Case, more: dict[int, FieldOut] | None = None) -> str:
    own: dict[int, FieldOut] = {1: control, 2: case.placer_number, 3: _filler(case)}
    return segment("ORC", own | {38: case.accession_number} | (more or {}))


def _filler(case: Case) -> str:
    """ORC-3 holds the case's number where the laboratory gave no other."""
    return case.filler_number or case.accession_number


def _obr(
    case: Case, envelope: Envelope, service: Code | None, more: dict[int, FieldOut] | None = None
) -> str:
    own: dict[int, FieldOut] = {1: "1", 2: case.placer_number, 3: _filler(case)}
    wanted = service or envelope.out.service.as_code()
    return segment("OBR", own | {4: _code(wanted)} | (more or {}))


def _reader(case: Case) -> dict[int, FieldOut]:
    """OBR-32 (NDL): who the laboratory said reads it."""
    if case.pathologist is None and case.pathologist_name is None:
        return {}
    return {32: ((case.pathologist, case.pathologist_name),)}


def _tq1(priority: Priority) -> str:
    return segment("TQ1", {1: "1", 9: (priority.value, _PRIORITIES[priority], "HL70485")})


def _spm(
    envelope: Envelope,
    case: Case,
    slide: SlideTold,
    name: tuple[str | None, ...],
    scanned_at: datetime | None = None,
    available: bool | None = None,
) -> str:
    scanned = None if scanned_at is None else timestamp(envelope.local(scanned_at))
    return segment(
        "SPM",
        {
            1: "1",
            2: name,
            3: slide.parent,
            4: _code(slide.specimen_type or TISSUE),
            8: _code(slide.site),
            9: _code(slide.laterality),
            18: scanned,
            20: {True: "Y", False: "N", None: None}[available],
            27: AssetKind.SLIDE.value,
            30: case.accession_number,
        },
    )


def _uids(image: Image) -> list[str]:
    named = (("StudyInstanceUID", image.study_uid), ("SeriesInstanceUID", image.series_uid))
    told = [(keyword, uid) for keyword, uid in named if uid is not None]
    return [
        _pointer(number, (keyword, None, "DCM"), uid)
        for number, (keyword, uid) in enumerate(told, 1)
    ]


def _pointer(number: int, what: tuple[str | None, ...], pointer: str) -> str:
    return segment("OBX", {1: str(number), 2: "RP", 3: what, 5: (pointer,), 11: "F"})


def _stains(stains: Sequence[Code]) -> list[str]:
    kind = (STAIN, "Stain", "SCT")
    return [
        segment("OBX", {1: str(n), 2: "CWE", 3: kind, 4: str(n), 5: _code(stain), 11: "F"})
        for n, stain in enumerate(stains, 1)
    ]


def _code(code: Code | None) -> RepetitionOut:
    return None if code is None else (code.code, code.text, code.system)


def _work_code(out: Out, order: WorkOrder) -> Code:
    word = out.work.get(order.kind) or CodeWord(code=order.kind.name, system="99SGI")
    return word.as_code()
