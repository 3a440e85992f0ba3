"""How light went through the slide."""

from dataclasses import dataclass

from dicom.codes import BRIGHTFIELD, FULL_SPECTRUM, Code
from tiling.slide import SlideMetadata


@dataclass(frozen=True, slots=True)
class OpticalPath:
    """One optical path (PS3.3 C.8.12.5): white light through a stained section by default."""

    icc_profile: bytes | None = None
    """The file's own profile; without one the samples are taken for sRGB, as screens do."""
    objective_power: float | None = None
    illumination: Code = BRIGHTFIELD
    """From CID 8123 Microscopy Illumination Method."""
    illumination_colour: Code = FULL_SPECTRUM
    """From CID 8122 Microscopy Illuminator and Sensor Colour."""

    @classmethod
    def of(cls, metadata: SlideMetadata) -> "OpticalPath":
        return cls(metadata.icc_profile, metadata.objective_power)
