"""One image of a slide: what an instance's attributes say about its pixels."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydicom.uid import ExplicitVRLittleEndian

from tiling.geometry import Size, TileGrid
from tiling.slide import RGB8, PixelFormat
from tiling.tile_order import TileOrder


class ImageRole(StrEnum):
    """Image Type value 3 (PS3.3 C.8.12.4.1.1)."""

    VOLUME = "VOLUME"
    LABEL = "LABEL"
    OVERVIEW = "OVERVIEW"
    THUMBNAIL = "THUMBNAIL"

    @property
    def in_pyramid(self) -> bool:
        """Whether it shows the tissue at some resolution (PS3.3 C.7.11.1)."""
        return self in (ImageRole.VOLUME, ImageRole.THUMBNAIL)

    @property
    def shows_label(self) -> bool:
        """Whether the glass's label may be seen; an overview is of the entire slide."""
        return self in (ImageRole.LABEL, ImageRole.OVERVIEW)


class Photometric(StrEnum):
    """Photometric Interpretation (0028,0004) as far as it is written here."""

    RGB = "RGB"
    MONOCHROME2 = "MONOCHROME2"
    YBR_FULL_422 = "YBR_FULL_422"
    """The only YCbCr of JPEG that C.8.12.4 allows: it says nothing of the true subsampling."""
    YBR_ICT = "YBR_ICT"
    YBR_RCT = "YBR_RCT"


class LossyStep(NamedTuple):
    """A lossy compression the pixels went through (PS3.3 C.7.6.1.1.5)."""

    ratio: float
    method: str = "ISO_10918_1"


@dataclass(frozen=True, slots=True)
class ImageDescription:
    """Everything an instance says about its own pixels."""

    role: ImageRole
    sop_instance_uid: str
    instance_number: int
    size: Size
    tile: Size
    transfer_syntax_uid: str = ExplicitVRLittleEndian
    photometric: Photometric = Photometric.RGB
    pixel_format: PixelFormat = RGB8
    optical_paths: int = 1
    focal_planes_um: tuple[float, ...] = (0.0,)
    """Heights, rising."""
    pixel_spacing_mm: tuple[float, float] | None = None
    """Of this image, between rows and between columns; None only outside the pyramid."""
    spacing_is_nominal: bool = False
    """The scale is not known: the spacing only tells the levels' scales against each other."""
    origin_mm: tuple[float, float] = (0.0, 0.0)
    """Slide coordinates X, Y of the upper left corner of the total pixel matrix."""
    derived: bool = False
    """The samples are not the ones the scanner stored."""
    resampled: bool = False
    derivation: str | None = None
    """For people: how the samples came to be, at most 1024 characters."""
    lossy_steps: tuple[LossyStep, ...] = ()
    """Every lossy compression so far, the oldest first; empty for truly lossless."""
    acquired_at: datetime | None = None
    focus_method: str | None = None
    """AUTO or MANUAL; None where the file does not say."""
    label_text: str | None = None
    barcode: str | None = None
    remarks: tuple[str, ...] = ()
    """Sentences for people on what the image lacks; one paragraph with what is nominal."""

    def __post_init__(self) -> None:
        if self.role.in_pyramid and self.pixel_spacing_mm is None:
            raise ValueError(f"a {self.role} image needs a pixel spacing, if only a nominal one")

    @property
    def order(self) -> TileOrder:
        grid = TileGrid(self.size, self.tile)
        return TileOrder(grid, self.optical_paths, len(self.focal_planes_um))

    @property
    def plane_distance_um(self) -> float:
        """Mean distance of neighbouring focal planes; 0 where there is one."""
        planes = self.focal_planes_um
        return (planes[-1] - planes[0]) / (len(planes) - 1) if len(planes) > 1 else 0.0

    @property
    def image_type(self) -> tuple[str, str, str, str]:
        """Image Type (0008,0008), also the frames' Frame Type (0008,9007)."""
        return (
            "DERIVED" if self.derived else "ORIGINAL",
            "PRIMARY",
            self.role.value,
            "RESAMPLED" if self.resampled else "NONE",
        )
