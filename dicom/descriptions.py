"""What each image of a slide truthfully says of itself: type, scale, place, losses."""

from collections.abc import Sequence

from pydicom.uid import JPEGBaseline8Bit

from dicom.errors import UnsupportedInstanceError
from dicom.models import (
    ImageDescription,
    ImageRole,
    LossyStep,
    Photometric,
    SlideIdentity,
)
from dicom.placeholders import NOMINAL_SPACING_MM
from tiling.geometry import Size
from tiling.pyramid import EncodedLevel, Origin
from tiling.slide import AssociatedKind, Colour, Pixels, SlideMetadata

_PHOTOMETRIC = {Colour.YCBCR: Photometric.YBR_FULL_422, Colour.RGB: Photometric.RGB}

_DERIVATION = {
    Origin.PASSED_THROUGH: None,
    Origin.RE_ENCODED: "Tiles of the scanner's file decoded and compressed again as JPEG",
    Origin.BUILT: "Made from the next finer level by averaging, compressed as JPEG",
}

_ROLE = {
    AssociatedKind.LABEL: ImageRole.LABEL,
    AssociatedKind.OVERVIEW: ImageRole.OVERVIEW,
    AssociatedKind.THUMBNAIL: ImageRole.THUMBNAIL,
}

_UNKNOWN_LOSS = LossyStep(ratio=1.0)
"""For an image taken to have been JPEG in the file: its ratio there is not known, and 1 is the
ratio of what is stored."""


class Describer:
    """Describes the images of one slide; instance numbers run in the order of the calls.

    A level's own frames decide what it says; one built from a finer level's frames lists the
    losses of those before its own.
    """

    def __init__(
        self, metadata: SlideMetadata, identity: SlideIdentity, levels: Sequence[EncodedLevel]
    ) -> None:
        self._metadata = metadata
        self._identity = identity
        self._levels = levels
        self._base_spacing_mm = metadata.pixel_spacing_mm or NOMINAL_SPACING_MM
        self._described = 0

    def level(self, number: int) -> ImageDescription:
        """Of a level. The base alone is not resampled; it is original while passed through.

        A re-encoded base is DERIVED PRIMARY VOLUME NONE: its samples come from others (PS3.3
        C.7.6.1.1.2), but not from a higher resolution. Raises UnsupportedInstanceError for frames
        without colour.
        """
        level = self._levels[number]
        photometric = _PHOTOMETRIC.get(level.encoding.colour)
        if photometric is None:
            raise UnsupportedInstanceError("Levels in grey are not written yet, only in colour.")
        return ImageDescription(
            role=ImageRole.VOLUME,
            sop_instance_uid=self._identity.instance_uid(f"level-{number}"),
            instance_number=self._next_number(),
            size=level.size,
            tile=level.tile,
            transfer_syntax_uid=JPEGBaseline8Bit,
            photometric=photometric,
            pixel_spacing_mm=self._spacing_mm(level.downsample, level.downsample),
            spacing_is_nominal=self._metadata.pixel_spacing_mm is None,
            origin_mm=self._origin_mm(),
            derived=number > 0 or level.origin is not Origin.PASSED_THROUGH,
            resampled=number > 0,
            derivation=_DERIVATION[level.origin],
            lossy_steps=self._lossy_steps(number),
            acquired_at=self._metadata.scanned_at,
            remarks=self._metadata.not_kept,
        )

    def associated(
        self, kind: AssociatedKind, pixels: Pixels, *, lossless: bool
    ) -> ImageDescription:
        """Of an image the file holds; `lossless` when it was never compressed with loss."""
        return self._whole(kind, pixels, () if lossless else (_UNKNOWN_LOSS,))

    def built_thumbnail(self, pixels: Pixels) -> ImageDescription:
        """Of the thumbnail made from the coarsest level, with that level's losses."""
        return self._whole(
            AssociatedKind.THUMBNAIL,
            pixels,
            self._lossy_steps(len(self._levels) - 1),
            "Made from the coarsest level by averaging",
        )

    def _whole(
        self,
        kind: AssociatedKind,
        pixels: Pixels,
        steps: tuple[LossyStep, ...],
        derivation: str | None = None,
    ) -> ImageDescription:
        size = Size(columns=pixels.shape[1], rows=pixels.shape[0])
        thumbnail = kind is AssociatedKind.THUMBNAIL
        base = self._levels[0].size
        return ImageDescription(
            role=_ROLE[kind],
            sop_instance_uid=self._identity.instance_uid(kind.value),
            instance_number=self._next_number(),
            size=size,
            tile=size,
            pixel_spacing_mm=(
                self._spacing_mm(base.rows / size.rows, base.columns / size.columns)
                if thumbnail
                else None
            ),
            spacing_is_nominal=thumbnail and self._metadata.pixel_spacing_mm is None,
            origin_mm=self._origin_mm() if thumbnail else (0.0, 0.0),
            derived=thumbnail,
            resampled=thumbnail,
            derivation=derivation,
            lossy_steps=steps,
            acquired_at=self._metadata.scanned_at,
        )

    def _next_number(self) -> int:
        self._described += 1
        return self._described

    def _spacing_mm(self, down_rows: float, down_columns: float) -> tuple[float, float]:
        between_rows, between_columns = self._base_spacing_mm
        return between_rows * down_rows, between_columns * down_columns

    def _origin_mm(self) -> tuple[float, float]:
        """X, Y of the upper left corner, the same for the whole pyramid.

        No file says where on the glass the scan lies. The far corner is put on the glass's own, so
        that coordinates are positive all over the image: X falls downwards and Y to the right.
        """
        between_rows, between_columns = self._base_spacing_mm
        base = self._levels[0].size
        return base.rows * between_rows, base.columns * between_columns

    def _lossy_steps(self, number: int) -> tuple[LossyStep, ...]:
        """Its own compression, after those of the level whose frames it was built from."""
        level = self._levels[number]
        built_from_finer = level.origin is Origin.BUILT and number > 0
        before = self._lossy_steps(number - 1) if built_from_finer else ()
        return (*before, LossyStep(_ratio(level)))


def _ratio(level: EncodedLevel) -> float:
    """Uncompressed bytes of all frames over their encoded bytes."""
    frames = level.frame_lengths
    return 3 * level.tile.area * len(frames) / float(frames.sum())
