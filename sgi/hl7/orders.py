"""Orders: LAB-100, LAB-101 and LAB-103 of IHE PaLM DPOW, and `OML^O21`, `OML^O33`, `ORM^O01` as
systems send them without a profile.

`ORL^O22` and its like, which answer orders of ours, are read in `replies`.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from sgi.domain.case import Asset, AssetKind, CaseSaid, Code
from sgi.domain.patient import Identifier
from sgi.hl7.acceptances import accepted_order
from sgi.hl7.assets import PROFILED, asset_of, word_of
from sgi.hl7.cases import (
    accession_number_of,
    case_of,
    is_cancelled,
    joined,
    no_number,
    service_of,
)
from sgi.hl7.errors import (
    Location,
    SegmentSequenceError,
    UnknownCodeError,
    UnsupportedEventError,
)
from sgi.hl7.events import Profile
from sgi.hl7.interface import AssetWord, Interface
from sgi.hl7.message import Message
from sgi.hl7.order_groups import Group, groups_of
from sgi.hl7.preparation import translated
from sgi.hl7.scope import Scope
from sgi.hl7.statements import (
    AssetCancelled,
    AssetRecorded,
    CaseCancelled,
    CaseRecorded,
    Statement,
)

Places = dict[str, Location]
Placed = tuple[Statement, Places]
"""A statement, and where each part of it was read."""

RECORDING = {"NW", "XO", "XX", "SC", "RO", "PA", "CH"}
CANCELLING = {"CA", "OC", "DC"}
"""ORC-1 (table 0119)."""
CONTROLS = {
    **dict.fromkeys(PROFILED, frozenset({"NW", "XO", "CA"})),
    Profile.CASE_UPDATE: frozenset({"NW", "SC", "XO", "CA"}),
    Profile.ACCEPT_WORK_ORDER: frozenset({"NW", "SC", "XO", "OK"}),
}
"""What DPOW allows of each transaction, and CA of a whole case; LAB-103 leaves it open."""


def read_orders(
    message: Message, interface: Interface, patient: Identifier | None, notes: list[str]
) -> list[Placed]:
    """What the orders of a message say; its patient is told apart.

    Raises MessageError for what is not right, with its place.
    """
    reading = _Reading(interface, patient, notes, profile_of(message))
    for group in groups_of(message):
        reading.take(group)
    return reading.told()


def is_for_us(message: Message, notes: list[str]) -> bool:
    """Whether there is anything to do for an order.

    Raises UnsupportedEventError for a work order, which must not be believed to be in good hands.
    """
    profile = profile_of(message)
    if profile is Profile.PLACE_WORK_ORDER:
        raise UnsupportedEventError(
            "A work order (LAB-102) is for the laboratory: nothing is cut or stained here.",
            message.header.at(21),
        )
    if profile is Profile.IMAGE_NOTICE:
        notes.append("A notice of an image (LAB-104) tells others; there is nothing to do here.")
    return profile is not Profile.IMAGE_NOTICE


def profile_of(message: Message) -> Profile | None:
    """The transaction of DPOW that MSH-21 names."""
    for name in message.profiles:
        if name in Profile.__members__.values():
            return Profile(name)
    return None


@dataclass(slots=True)
class _Reading:
    """Group after group; of one case there is one statement, of one asset one of each wording."""

    interface: Interface
    patient: Identifier | None
    notes: list[str]
    profile: Profile | None
    cases: dict[str, tuple[CaseSaid, Places]] = field(default_factory=dict)
    others: dict[Statement, Places] = field(default_factory=dict)
    moving: set[str] = field(default_factory=set)
    """Cases that may be another patient's from now on."""

    def told(self) -> list[Placed]:
        """Cases before what they are made of."""
        cases: list[Placed] = [
            (CaseRecorded(case, self.patient, moves=number in self.moving), places)
            for number, (case, places) in self.cases.items()
        ]
        return [*cases, *self.others.items()]

    def take(self, group: Group) -> None:
        scope = Scope(self.interface, group.segments, self.notes)
        cancels = self._cancels(scope)
        if self.profile is Profile.ACCEPT_WORK_ORDER:
            self.others[accepted_order(scope, group)] = scope.places
        elif self.profile is Profile.CASE_UPDATE:
            self._case_alone(scope, cancels=cancels)
        elif group.specimen:
            self._specimen(scope, group, cancels=cancels)
        elif self.profile in PROFILED:
            raise SegmentSequenceError(
                "The message has no SPM segment; it says what is registered.", Location("SPM")
            )
        else:
            self._plain(scope, cancels=cancels)

    def _cancels(self, scope: Scope) -> bool:
        orc = scope.segment("ORC")
        if orc is None:
            if self.profile is not None:
                raise SegmentSequenceError("The message has no ORC segment.", Location("ORC"))
            return False
        control, place = orc.required(1), orc.at(1)
        allowed = CONTROLS.get(self.profile) if self.profile else None
        if control not in (allowed or RECORDING | CANCELLING):
            raise UnknownCodeError(f"{place} is not taken here for such a message.", place)
        scope.places["control"] = place
        return control in CANCELLING or is_cancelled(scope)

    def _case_alone(self, scope: Scope, *, cancels: bool) -> None:
        number = self._number(scope)
        if cancels:
            self.others[CaseCancelled(number)] = scope.places
        else:
            self._case(scope, number, update=True, service=True)

    def _specimen(self, scope: Scope, group: Group, *, cancels: bool) -> None:
        spm = group.specimen[0]
        word = word_of(scope, spm, self.profile)
        number = accession_number_of(scope)
        asset = asset_of(scope, group.specimen, word, number)
        if number is None and (self.profile is not None or asset.parent is None):
            raise no_number(scope)
        asset, ordered = self._with_order(scope, asset)
        self._asset(asset, scope, cancels=cancels)
        if number is not None and not cancels:
            self._case(self._order_alone(scope, group), number, service=not ordered)
            if asset.kind is AssetKind.SPECIMEN and asset.received_at is not None:
                self._arrived(number, asset.received_at, scope.places["received_at"])

    def _arrived(self, number: str, at: datetime, place: Location) -> None:
        """A case is there when the first of its specimens is."""
        case, places = self.cases[number]
        if case.received_at is None or at < case.received_at:
            self.cases[number] = replace(case, received_at=at), places | {"received_at": place}

    def _order_alone(self, scope: Scope, group: Group) -> Scope:
        """The case is told by its order: an NTE of the specimen is not the case's."""
        kept = (*group.own, *(s for s in group.specimen if s.name != "NTE"), *group.above)
        return Scope(scope.interface, kept, scope.notes)

    def _plain(self, scope: Scope, *, cancels: bool) -> None:
        """Orders without SPM: OBR names the slide, and its block and specimen where it does."""
        number = accession_number_of(scope)
        chain: list[Asset] = []
        for word in AssetWord:
            what = f"{word}.identifier"
            paths = getattr(self.interface.read, word)
            identifier = scope.name(paths, word, what, strict=False)
            if identifier is not None:
                parent = chain[-1].identifier if chain else None
                chain.append(Asset(word.kind, identifier, number, parent))
        if number is None and (not chain or not cancels):
            raise no_number(scope)
        ordered = False
        if chain:
            chain[-1], ordered = self._with_order(scope, chain[-1])
        if not cancels:
            for asset in chain:
                self._asset(asset, scope, cancels=False)
        elif chain:  # what is cancelled is the slide, not its block
            self._asset(chain[-1], scope, cancels=True)
        elif number is not None:
            self.others[CaseCancelled(number)] = scope.places
        if number is not None and not cancels:
            own = Scope(scope.interface, scope.segments, scope.notes)
            self._case(own, number, service=not ordered)

    def _with_order(self, scope: Scope, asset: Asset) -> tuple[Asset, bool]:
        """A slide with the stain or technique that was ordered of it; whether OBR-4 is that, and
        so nothing that was ordered of the whole case.
        """
        if asset.kind is not AssetKind.SLIDE:
            return asset, False
        stain = scope.first(self.interface.read.stain, "stains")
        if stain is not None and not asset.stains:
            code = scope.code_in(stain.repetition, stain.location)
            return replace(asset, stains=translated(scope, code) if code else ()), False
        service = service_of(scope)
        if service is None:
            return asset, False
        if service.code in self.interface.codes.stains:
            if not asset.stains:
                asset = replace(asset, stains=translated(scope, service))
            scope.places["stains"] = scope.places.pop("service")
            return asset, True
        technique = self._technique(service, asset)
        if technique is None:
            return asset, False
        scope.places["technique"] = scope.places.pop("service")
        return replace(asset, technique=technique), True

    def _technique(self, service: Code, asset: Asset) -> Code | None:
        """DPOW has the case's service in the OBR of a slide; plain orders have what is asked for
        of the slide, unless an OBX says how it is stained.
        """
        known = self.interface.codes.techniques.get(service.code)
        if known is not None:
            return known.as_code()
        return service if self.profile is None and not asset.stains else None

    def _asset(self, asset: Asset, scope: Scope, *, cancels: bool) -> None:
        moves = _corrects(scope)
        statement = AssetCancelled(asset) if cancels else AssetRecorded(asset, moves=moves)
        self.others.setdefault(statement, scope.places)

    def _case(self, scope: Scope, number: str, *, update: bool = False, service: bool) -> None:
        scope.name(self.interface.read.case, None, "accession_number")
        said = case_of(scope, number, update=update, service=service)
        if update or _corrects(scope):
            self.moving.add(number)
        if number in self.cases:
            before, places = self.cases[number]
            self.cases[number] = joined(before, said), scope.places | places
        else:
            self.cases[number] = said, scope.places

    def _number(self, scope: Scope) -> str:
        number = accession_number_of(scope)
        if number is None:
            raise no_number(scope)
        return number


def _corrects(scope: Scope) -> bool:
    orc = scope.segment("ORC")
    return orc is not None and orc.value(1) == "XO"
