"""How light went through the slide."""

from dataclasses import dataclass

from dicom.withheld import Withholds, nothing, paths_without_withheld
from tiling.slide import BRIGHTFIELD_PATH, OpticalPath, SlideReader


@dataclass(frozen=True, slots=True)
class Optics:
    """The optical paths of an instance (PS3.3 C.8.12.5): white light through tissue by default."""

    icc_profile: bytes | None = None
    """The file's own profile; without one colours are taken for sRGB, as screens do."""
    objective_power: float | None = None
    paths: tuple[OpticalPath, ...] = (BRIGHTFIELD_PATH,)
    coloured: bool = True
    """Whether the samples are colours; else each path has but one."""

    @classmethod
    def of(cls, reader: SlideReader, withholds: Withholds = nothing) -> "Optics":
        """Of a slide's levels."""
        said = reader.metadata
        return cls(
            said.icc_profile,
            said.objective_power,
            paths_without_withheld(reader.optical_paths, withholds),
            reader.pixel_format.samples == 3,
        )

    def of_picture(self) -> "Optics":
        """Of a label, an overview or a thumbnail, which are colour pictures."""
        return Optics(self.icc_profile if self.coloured else None, self.objective_power)
