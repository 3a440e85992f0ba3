"""LAB-103: the laboratory accepts a work order of ours, and says what the slide will be called."""

from dataclasses import replace

from sgi.domain.case import Asset, AssetKind
from sgi.hl7.assets import asset_of, word_of
from sgi.hl7.cases import accession_number_of, service_of
from sgi.hl7.errors import UnknownCodeError
from sgi.hl7.interface import AssetWord
from sgi.hl7.order_groups import Group
from sgi.hl7.preparation import translated
from sgi.hl7.scope import LONGEST_NUMBER, Scope
from sgi.hl7.statements import WorkOrderAccepted

ACCEPTED = "CM"
"""ORC-5."""
NO_SLIDE = "{place} is no slide, and nothing else comes of a work order; send GLASS."

_OF_THE_ORDER = frozenset({("ORC", 2), ("ORC", 3), ("OBR", 2), ("OBR", 3)})
"""Our number of the work order and the laboratory's, whatever stands there in other messages."""


def accepted_order(scope: Scope, group: Group) -> WorkOrderAccepted:
    """SPM-2.1 is the name that we gave, SPM-2.2 the definitive one; raises MessageError."""
    orc = group.own[0]
    status = orc.value(5)
    if status not in {None, ACCEPTED}:
        place = orc.at(5)
        raise UnknownCodeError(f"{place} is not {ACCEPTED}, which says that it is accepted.", place)
    scope.places |= {"placer_number": orc.at(2), "filler_number": orc.at(3)}
    placer = scope.bounded(orc.required(2), orc.at(2), LONGEST_NUMBER)
    accession_number = accession_number_of(scope, _OF_THE_ORDER)
    filler = orc.value(3)
    if filler is not None:
        scope.bounded(filler, orc.at(3), LONGEST_NUMBER)
    asset, temporary = None, None
    if group.specimen:
        spm = group.specimen[0]
        temporary = spm.value(2, 1)
        if temporary is not None:
            scope.bounded(temporary, spm.at(2), LONGEST_NUMBER)
        scope.places["temporary_id"] = spm.at(2, component=1)
        if spm.value(2, 2) is not None:
            asset = _definitive(scope, group, accession_number)
    return WorkOrderAccepted(placer, filler, temporary, asset, accession_number)


def _definitive(scope: Scope, group: Group, accession_number: str | None) -> Asset:
    """The slide to come; OBR-4 is what was asked of it.

    Raises UnknownCodeError for what is no slide, and as `asset_of` does.
    """
    spm = group.specimen[0]
    word = word_of(scope, spm, None) if spm.value(27) else AssetWord.SLIDE
    if word.kind is not AssetKind.SLIDE:
        place = scope.places.get("kind", spm.at(27))
        raise UnknownCodeError(NO_SLIDE.format(place=place), place)
    asset = asset_of(scope, group.specimen, word, accession_number)
    service = service_of(scope)
    if service is None:
        return asset
    codes = scope.interface.codes
    place = scope.places.pop("service")
    if service.code in codes.stains:
        scope.places.setdefault("stains", place)
        return replace(asset, stains=asset.stains or translated(scope, service))
    scope.places["technique"] = place
    known = codes.techniques.get(service.code)
    return replace(asset, technique=known.as_code() if known else service)
