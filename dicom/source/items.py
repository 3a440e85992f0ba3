"""Sequences as bytes in memory: what lies in their items, in time that grows with the bytes alone.

`dicom.elements` finds its way through an object of any size; this reads the many small items of a
functional group sequence, which may be one for each of a million frames (PS3.5 7.5).
"""

from collections.abc import Callable
from struct import Struct, error

from pydicom.datadict import dictionary_VR

from dicom.elements import ITEM, ITEM_END, LONG_FORM, SEQUENCE_END, UNDEFINED_LENGTH
from dicom.errors import DamagedInstanceError

_TAG_AND_LENGTH = Struct("<HHI")
_EXPLICIT = Struct("<HH2sH")
_LENGTH = Struct("<I")
_DEEPEST = 8

Visit = Callable[[int, int, int], None]
"""Called with the tag of an element that is no sequence, and where its value begins and ends; with
`ITEM` and an empty value for every item of a sequence."""


def walk_item(data: bytes, position: int, *, explicit: bool, visit: Visit) -> int:
    """Visit every element of one item from its header on, through the sequences in it.

    Returns where the item ends. Raises DamagedInstanceError where there is no such structure.
    """
    try:
        return _item(data, position, len(data), explicit, visit, 0)
    except error as cause:
        raise DamagedInstanceError("A sequence ends within one of its items.") from cause


def walk_dataset(data: bytes, *, explicit: bool, visit: Visit) -> None:
    """Visit every element of a dataset that fills `data`; raises like `walk_item`."""
    try:
        _dataset(data, 0, len(data), explicit, visit, 0)
    except error as cause:
        raise DamagedInstanceError("The header ends within an element.") from cause


def _item(data: bytes, at: int, end: int, explicit: bool, visit: Visit, depth: int) -> int:
    group, element, length = _TAG_AND_LENGTH.unpack_from(data, at)
    if group << 16 | element != ITEM:
        raise DamagedInstanceError("A sequence holds something else than items.")
    visit(ITEM, at + 8, at + 8)
    return _dataset(data, at + 8, _end_of(at + 8, length, end), explicit, visit, depth)


def _dataset(
    data: bytes, at: int, end: int | None, explicit: bool, visit: Visit, depth: int
) -> int:
    """`end` is None where a delimiter tells it."""
    while end is None or at < end:
        group, element, length = _TAG_AND_LENGTH.unpack_from(data, at)
        tag = group << 16 | element
        at += 8
        if tag == ITEM_END and end is None:
            return at
        representation = b""
        if explicit:
            _, _, representation, length = _EXPLICIT.unpack_from(data, at - 8)
            if representation in LONG_FORM:
                (length,) = _LENGTH.unpack_from(data, at)
                at += 4
        undefined = length == UNDEFINED_LENGTH
        if undefined or representation == b"SQ" or (not explicit and _is_sequence(tag)):
            # The content of UN of undefined length is in implicit VR (PS3.5 6.2.2 note 4).
            within = explicit and representation == b"SQ"
            at = _sequence(data, at, length, within, visit, depth)
        else:
            visit(tag, at, at + length)
            at += length
        if at > (len(data) if end is None else end):
            raise DamagedInstanceError("An element reaches beyond its item.")
    return at


def _sequence(data: bytes, at: int, length: int, explicit: bool, visit: Visit, depth: int) -> int:
    if depth >= _DEEPEST:
        raise DamagedInstanceError(f"Sequences are nested more than {_DEEPEST} deep.")
    end = None if length == UNDEFINED_LENGTH else at + length
    while end is None or at < end:
        group, element, _ = _TAG_AND_LENGTH.unpack_from(data, at)
        if group << 16 | element == SEQUENCE_END and end is None:
            return at + 8
        at = _item(data, at, len(data) if end is None else end, explicit, visit, depth + 1)
    return at


def _end_of(at: int, length: int, end: int) -> int | None:
    if length == UNDEFINED_LENGTH:
        return None
    if at + length > end:
        raise DamagedInstanceError("An item reaches beyond its sequence.")
    return at + length


def _is_sequence(tag: int) -> bool:
    """What the dictionary says where the element itself does not."""
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False
