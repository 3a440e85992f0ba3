"""`OUL^R21`: a scanner has made an image of a slide, tells its progress, or something is withdrawn.

The shape is that of the hubs of slide scanners: OBR-3 is the slide, OBR-4 what happened to it; a
withdrawal has `CA` in ORC-1 and the thing and its kind in ORC-4.
"""

from sgi.domain.case import Asset, AssetKind
from sgi.hl7.cases import no_number
from sgi.hl7.errors import Location, MissingFieldError, SegmentSequenceError, UnknownCodeError
from sgi.hl7.interface import AssetWord, Interface
from sgi.hl7.message import Message, Segment
from sgi.hl7.order_groups import groups_of
from sgi.hl7.orders import CANCELLING, Placed
from sgi.hl7.scope import Scope
from sgi.hl7.statements import AssetCancelled, CaseCancelled, SlideScanned, Statement


def read_scanner(message: Message, interface: Interface, notes: list[str]) -> list[Placed]:
    """What it tells; raises MessageError."""
    told: dict[Statement, dict[str, Location]] = {}
    for group in groups_of(message):
        scope = Scope(interface, group.segments, notes)
        orc = scope.segment("ORC")
        if orc is not None and orc.value(1) in CANCELLING:
            statement: Statement | None = _withdrawn(scope, orc)
        else:
            statement = _event(scope)
        if statement is not None:
            told.setdefault(statement, scope.places)
    return list(told.items())


def _event(scope: Scope) -> Statement | None:
    obr = scope.segment("OBR")
    if obr is None:
        raise SegmentSequenceError("The message has no OBR segment; it says what happened.")
    said = {value for at in (1, 2) if (value := obr.value(4, at))}
    place = obr.at(4)
    if said & set(scope.interface.scanner.status):
        scope.note(f"{place} tells how far a slide is; nothing is done for that.")
        return None
    if not said & set(scope.interface.scanner.scanned):
        raise UnknownCodeError(
            f"{place} is nothing that is known here to happen to a slide.", place
        )
    slide = scope.name(scope.interface.read.scanned, AssetWord.SLIDE, "identifier")
    if slide is None:
        place = obr.at(3)
        raise MissingFieldError(f"{place} is empty; it is the identifier.", place)
    return SlideScanned(slide)


def _withdrawn(scope: Scope, orc: Segment) -> Statement:
    """ORC-4 is `identifier^KIND`; without it, the whole case is withdrawn."""
    number = scope.name(scope.interface.read.case, None, "accession_number")
    if orc.value(4) is None:
        if number is None:
            raise no_number(scope)
        return CaseCancelled(number)
    word = scope.interface.codes.containers.get(orc.value(4, 2) or "")
    if word is None:
        place = orc.at(4, component=2)
        raise UnknownCodeError(
            f"{place} does not say what is withdrawn: SLIDE, BLOCK or SPECIMEN.", place
        )
    identifier = scope.interface.identifier(word, orc.value(4) or "")
    if identifier is None:
        place = orc.at(4)
        raise UnknownCodeError(f"{place} is no identifier as this interface has them.", place)
    scope.places["identifier"] = orc.at(4)
    return AssetCancelled(Asset(AssetKind(word.kind), identifier, number))
