"""Words that no instance may hold, whatever the slide's file says: whoever converts knows them."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any, Protocol

import pydicom
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue

from tiling.slide import OpticalPath, SlideMetadata

_WORDS = ("manufacturer", "model", "serial_number", "software", "label_text", "barcode")
_PATIENT_GROUP = 0x0010
_NO_WORDS = frozenset(
    ("AS", "AT", "DA", "DS", "DT", "FD", "FL", "IS", "SL", "SS", "SV", "TM", "UI", "UL", "US", "UV")
)
_BINARY = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_MOST_BYTES = 1 << 20
"""Of a private element without a type of text, in which words are looked for."""


class Withholds(Protocol):
    """Says of words whether they are to be left out."""

    def __call__(self, words: str, *, of_patient: bool) -> bool:
        """`of_patient` where they stand in an attribute of the Patient Module (group 0010), which
        is there to say who somebody is.
        """


def nothing(words: str, *, of_patient: bool) -> bool:  # noqa: ARG001 - a `Withholds`
    """Leaves all of it."""
    return False


def allowed(words: str | None, withholds: Withholds) -> str | None:
    """The words; None in place of those that are withheld."""
    return None if words is None or withholds(words, of_patient=False) else words


def metadata_without_withheld(said: SlideMetadata, withholds: Withholds) -> SlideMetadata:
    """What a file says of its scanner and its label; the vendor's own words are as they were."""
    words: dict[str, Any] = {name: allowed(getattr(said, name), withholds) for name in _WORDS}
    return replace(said, **words)


def paths_without_withheld(
    paths: Iterable[OpticalPath], withholds: Withholds
) -> tuple[OpticalPath, ...]:
    """Without such names."""
    return tuple(replace(path, name=allowed(path.name, withholds)) for path in paths)


def without_withheld(dataset: pydicom.Dataset, withholds: Withholds) -> pydicom.Dataset:
    """A dataset of those elements that hold no such words, at any depth; the elements themselves
    are shared. A sequence goes whole: what is left of an item may be no item.
    """
    kept = pydicom.Dataset()
    for element in dataset:
        if not _holds(element, withholds):
            kept[element.tag] = element
    return kept


def item_without_withheld(item: pydicom.Dataset, withholds: Withholds) -> pydicom.Dataset:
    """As `without_withheld`, of an item that is there in any case, as sequences in it are, without
    such elements.
    """
    kept = pydicom.Dataset()
    for element in item:
        if element.VR == "SQ":
            inner = deepcopy(element)
            inner.value = [item_without_withheld(each, withholds) for each in element.value]
            kept[element.tag] = inner
        elif not _holds(element, withholds):
            kept[element.tag] = element
    return kept


def _holds(element: DataElement, withholds: Withholds) -> bool:
    of_patient = element.tag.group == _PATIENT_GROUP
    return any(withholds(words, of_patient=of_patient) for words in _words(element))


def _words(element: DataElement) -> Iterator[str]:
    value: Any = element.value
    if element.VR == "SQ":
        for item in value:
            for inner in item:
                yield from _words(inner)
    elif element.VR in _BINARY and not element.tag.is_private:
        return  # profiles, tables, pixels
    elif element.VR not in _NO_WORDS and value is not None:
        many = value if isinstance(value, MultiValue | list | tuple) else [value]
        for each in many:
            is_raw = isinstance(each, bytes)
            yield each[:_MOST_BYTES].decode("latin-1") if is_raw else str(each)
