"""What the label of an open slide says to a machine."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from sgi.domain.patient_codes import holds_patient_code, is_patient_code
from sgi.ingest.barcodes import clean_text, read_barcodes
from tiling.errors import TilingError
from tiling.slide import AssociatedKind, SlideReader

_WHERE = (AssociatedKind.LABEL, AssociatedKind.OVERVIEW)
"""Scanners that keep no label of its own photograph it with the whole glass."""


@dataclass(frozen=True, slots=True)
class Label:
    """The barcode in the file, and those that we read from the picture."""

    said: str | None
    """As the scanner read it; None where the file does not say."""
    seen: tuple[str, ...]
    """From the label's picture, else from the overview."""

    @property
    def barcodes(self) -> tuple[str, ...]:
        """The file's own first, then the picture's; no code twice."""
        said = () if self.said is None else (self.said,)
        return tuple(dict.fromkeys((*said, *self.seen)))

    @property
    def contradicts(self) -> bool:
        """Whether the picture shows codes and none of them is the file's: perhaps another glass.

        White space does not count, nor do codes of the patient.
        """
        seen = [code for code in self.seen if not is_patient_code(code)]
        if self.said is None or not seen or is_patient_code(self.said):
            return False
        return _bare(self.said) not in map(_bare, seen)

    @property
    def of_glass(self) -> str | None:
        """The likeliest of those that may be told: none that is the patient's."""
        return next((code for code in self.barcodes if not holds_patient_code(code)), None)

    @property
    def warning(self) -> str | None:
        """What a person is told where they contradict each other."""
        if not self.contradicts:
            return None
        said, seen = shown_codes([self.said or ""]), shown_codes(self.seen)
        return (
            f"The file says that the barcode is {said}, but the picture of the label reads "
            f"{seen}: make sure which glass this is."
        )


def shown_codes(codes: Iterable[str]) -> str:
    """As a person is told of them: that one is the patient's, never what it says."""
    return ", ".join("a patient's INS code" if holds_patient_code(code) else code for code in codes)


def read_label(reader: SlideReader) -> Label:
    """Of one slide; an image that is broken or shows none gives none: the slide is worth more
    than its label.
    """
    seen: list[str] = []
    kind = next((kind for kind in _WHERE if kind in reader.associated), None)
    if kind is not None:
        with suppress(TilingError):
            seen = [code.text for code in read_barcodes(reader.read_associated(kind))]
    return Label(clean_text(reader.metadata.barcode or ""), tuple(dict.fromkeys(seen)))


def _bare(code: str) -> str:
    return "".join(code.split())
