"""A specimen, block or slide: what an SPM and the segments after it say (DPOW A.4, A.5, A.10)."""

from collections.abc import Sequence

from sgi.domain.case import Asset, AssetKind, Code
from sgi.hl7.errors import MissingFieldError, UnknownCodeError
from sgi.hl7.events import Profile
from sgi.hl7.interface import LONGEST_IDENTIFIER, AssetWord
from sgi.hl7.message import Segment
from sgi.hl7.preparation import embedding_of, fixative_of, stains_of
from sgi.hl7.scope import Scope

PROFILED = {
    Profile.SPECIMEN: AssetWord.SPECIMEN,
    Profile.BLOCK: AssetWord.BLOCK,
    Profile.SLIDE: AssetWord.SLIDE,
}
NOT_SCANNED = "OTH"
"""SAC-48 of what is not for a whole slide image."""


def word_of(scope: Scope, spm: Segment, profile: Profile | None) -> AssetWord:
    """What kind of thing an SPM tells of: the message's profile, SPM-27, or the interface's file.

    Raises UnknownCodeError for a container that is not known or contradicts the profile,
    MissingFieldError where nothing says it.
    """
    profiled = PROFILED.get(profile) if profile is not None else None
    found = scope.first(scope.interface.read.container, "kind")
    said = None if found is None else scope.interface.codes.containers.get(found.value)
    if found is not None and said is None and profiled is None:
        raise UnknownCodeError(
            f"{found.location} is no container that is known here: CONTAINER, CASSETTE or GLASS.",
            found.location,
        )
    if found is not None and said is not None and profiled not in {None, said}:
        raise UnknownCodeError(
            f"{found.location} is not the container that MSH-21 makes it.",
            found.location,
        )
    word = profiled or said or scope.interface.read.otherwise
    if word is None:
        place = spm.at(27)
        raise MissingFieldError(
            f"{place} is empty; it says what this is: CONTAINER, CASSETTE or GLASS.", place
        )
    return word


def asset_of(
    scope: Scope, run: Sequence[Segment], word: AssetWord, accession_number: str | None
) -> Asset:
    """What is said of one; `run` is its SPM and what follows it, `scope` the order around it too.

    Raises MissingFieldError where it has no identifier, WrongTypeError where a field is not right.
    """
    spm = run[0]
    own = scope.within(run)
    identifier = scope.name(getattr(scope.interface.read, word), word, "identifier")
    if identifier is None:
        place = spm.at(2)
        raise MissingFieldError(f"{place} is empty; it is the identifier.", place)
    if spm.field(6):
        scope.note(
            "SPM-6 is not read: fixative, embedding and stain are told by OBX after the SPM."
        )
    if len(spm.field(3).repetitions) > 1:
        scope.note("SPM-3 has several parents; the first was taken.")
    return Asset(
        kind=word.kind,
        identifier=identifier,
        accession_number=accession_number,
        parent=_parent(own, word),
        specimen_type=own.code(spm, 4, "specimen_type"),
        collection=own.code(spm, 7, "collection"),
        site=_site(own, spm),
        laterality=own.code(spm, 9, "laterality"),
        description=_description(own, spm),
        collected_at=own.moment(spm, 17, "collected_at"),
        received_at=own.moment(spm, 18, "received_at"),
        fixative=fixative_of(own),
        embedding=embedding_of(own),
        stains=stains_of(own) if word.kind is AssetKind.SLIDE else (),
        to_be_scanned=_to_be_scanned(own),
        comment=comment_of(own),
    )


_ABOVE = {
    AssetWord.SLIDE: (AssetWord.BLOCK, AssetWord.SPECIMEN),
    AssetWord.BLOCK: (AssetWord.SPECIMEN, AssetWord.BLOCK),
    AssetWord.SPECIMEN: (AssetWord.SPECIMEN,),
}


def _parent(scope: Scope, word: AssetWord) -> str | None:
    """As its own message names it: by the pattern of what is above."""
    found = scope.first(scope.interface.read.parent, "parent")
    if found is None:
        return None
    said = scope.bounded(found.value, found.location, LONGEST_IDENTIFIER)
    names = (scope.interface.identifier(above, said) for above in _ABOVE[word])
    return next((name for name in names if name is not None), said)


def comment_of(scope: Scope) -> str | None:
    """NTE-3 of every NTE, one below the other."""
    notes = scope.all("NTE")
    lines = [text for note in notes if (text := note.field(3).text)]
    if not lines:
        return None
    scope.places["comment"] = notes[0].at(3)
    return scope.bounded("\n".join(lines), notes[0].at(3))


def _to_be_scanned(scope: Scope) -> bool | None:
    sac = scope.segment("SAC")
    material = sac.value(48) if sac is not None else None
    if sac is None or material is None:
        return None
    scope.places["to_be_scanned"] = sac.at(48)
    return material != NOT_SCANNED


def _site(scope: Scope, spm: Segment) -> Code | None:
    code = scope.code(spm, 8, "site")
    known = scope.interface.codes.sites.get(code.code) if code is not None else None
    return known.as_code() if known is not None else code


def _description(scope: Scope, spm: Segment) -> str | None:
    text = spm.field(14).text
    if text is None:
        return None
    scope.places["description"] = spm.at(14)
    return scope.bounded(text, spm.at(14))
