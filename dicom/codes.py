"""Coded concepts (PS3.16) and the sequence items that carry them (PS3.3 table 8.8-1)."""

from typing import NamedTuple

import pydicom


class Code(NamedTuple):
    """A concept in a coding scheme."""

    value: str
    scheme: str
    meaning: str

    def item(self) -> pydicom.Dataset:
        item = pydicom.Dataset()
        item.CodeValue = self.value
        item.CodingSchemeDesignator = self.scheme
        item.CodeMeaning = self.meaning
        return item


MICROSCOPE_SLIDE = Code("433466003", "SCT", "Microscope slide")
EPIFLUORESCENCE = Code("111743", "DCM", "Epifluorescence illumination")
BRIGHTFIELD = Code("111744", "DCM", "Brightfield illumination")
FULL_SPECTRUM = Code("414298005", "SCT", "Full Spectrum")
MODIFYING_EQUIPMENT = Code("109103", "DCM", "Modifying Equipment")
