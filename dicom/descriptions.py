"""What each image of a slide truthfully says of itself: type, scale, place, losses."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypedDict

from dicom.models import (
    ImageDescription,
    ImageRole,
    LossyStep,
    Photometric,
    SlideIdentity,
)
from dicom.placeholders import NOMINAL_SPACING_MM, UNKNOWN_WAVELENGTH_COMMENT
from dicom.transfer_syntax import loss_of, photometric_of, transfer_syntax_of
from dicom.withheld import Withholds, allowed, metadata_without_withheld, nothing
from tiling.geometry import Size
from tiling.pyramid import EncodedLevel, Origin
from tiling.slide import AssociatedKind, Illumination, Pixels, SlideReader

_DERIVATION = {
    Origin.RE_ENCODED: "Tiles of the scanner's file decoded and compressed again as {codec}",
    Origin.BUILT: "Made from the next finer level by averaging, compressed as {codec}",
}

_ROLE = {
    AssociatedKind.LABEL: ImageRole.LABEL,
    AssociatedKind.OVERVIEW: ImageRole.OVERVIEW,
    AssociatedKind.THUMBNAIL: ImageRole.THUMBNAIL,
}

_UNKNOWN_LOSS = LossyStep(ratio=1.0)
"""For an image taken to have been JPEG in the file: its ratio there is not known, and 1 is the
ratio of what is stored."""


_SHOW_LABEL = frozenset({AssociatedKind.LABEL, AssociatedKind.OVERVIEW})
"""The images that say what the label reads; where a slide has neither, its levels do."""


class _Label(TypedDict):
    label_text: str | None
    barcode: str | None


_EVEN = 0.01
"""Part by which the distances of focal planes may differ and still be called one distance."""


class Describer:
    """Describes the images of one slide; instance numbers run in the order of the calls.

    A level's own frames decide what it says; one built from a finer level's frames lists the
    losses of those before its own.
    """

    def __init__(
        self,
        reader: SlideReader,
        identity: SlideIdentity,
        levels: Sequence[EncodedLevel],
        barcode: str | None = None,
        withholds: Withholds = nothing,
    ) -> None:
        metadata = metadata_without_withheld(reader.metadata, withholds)
        self._metadata = metadata
        self._planes_um = tuple(reader.focal_planes_um)
        self._barcode = allowed(barcode, withholds) or metadata.barcode
        self._label_in_levels = not reader.associated.keys() & _SHOW_LABEL
        self._remarks = (*metadata.not_kept, *_remarks(reader))
        self._identity = identity
        self._levels = levels
        self._base_spacing_mm = metadata.pixel_spacing_mm or NOMINAL_SPACING_MM
        self._described = 0

    def level(self, number: int) -> ImageDescription:
        """Of a level. The base alone is not resampled; it is original while passed through.

        A re-encoded base is DERIVED PRIMARY VOLUME NONE: its samples come from others (PS3.3
        C.7.6.1.1.2), but not from a higher resolution.
        """
        level = self._levels[number]
        return ImageDescription(
            role=ImageRole.VOLUME,
            sop_instance_uid=self._identity.instance_uid(f"level-{number}"),
            instance_number=self._next_number(),
            size=level.size,
            tile=level.tile,
            transfer_syntax_uid=transfer_syntax_of(level.encoding),
            photometric=Photometric(photometric_of(level.encoding)),
            pixel_format=level.pixel_format,
            optical_paths=level.order.optical_paths,
            focal_planes_um=self._planes_um,
            pixel_spacing_mm=self._spacing_mm(level.downsample, level.downsample),
            spacing_is_nominal=self._metadata.pixel_spacing_mm is None,
            origin_mm=self._origin_mm(),
            derived=number > 0 or level.origin is not Origin.PASSED_THROUGH,
            resampled=number > 0,
            derivation=_derivation(level),
            lossy_steps=self._lossy_steps(number),
            acquired_at=self._metadata.scanned_at,
            focus_method=self._metadata.focus_method,
            **self._label(told=self._label_in_levels),
            remarks=self._remarks,
        )

    def associated(
        self, kind: AssociatedKind, pixels: Pixels, *, lossless: bool
    ) -> ImageDescription:
        """Of an image the file holds; `lossless` when it was never compressed with loss."""
        return self._whole(kind, pixels, () if lossless else (_UNKNOWN_LOSS,))

    def built_thumbnail(self, pixels: Pixels, number: int) -> ImageDescription:
        """Of the thumbnail made from the level of that number, with that level's losses."""
        return self._whole(
            AssociatedKind.THUMBNAIL,
            pixels,
            self._lossy_steps(number),
            "Made from a level of the pyramid by averaging",
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
            **self._label(told=kind in _SHOW_LABEL),
        )

    def _label(self, *, told: bool) -> _Label:
        return {
            "label_text": self._metadata.label_text if told else None,
            "barcode": self._barcode if told else None,
        }

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
        """Its own compression, after those that its pixels had gone through before."""
        level = self._levels[number]
        before = self._lossy_steps_before(number)
        method = loss_of(level.encoding)
        return before if method is None else (*before, LossyStep(_ratio(level), method))

    def _lossy_steps_before(self, number: int) -> tuple[LossyStep, ...]:
        level = self._levels[number]
        if level.origin is Origin.BUILT and number > 0:
            below = self._lossy_steps_before if level.from_pixels else self._lossy_steps
            return below(number - 1)
        if level.origin is Origin.RE_ENCODED and level.lossy_before:
            return (_UNKNOWN_LOSS,)
        return ()


def _ratio(level: EncodedLevel) -> float:
    """Uncompressed bytes of all frames over their encoded bytes."""
    lengths = level.frame_lengths
    uncompressed = level.pixel_format.bytes_per_pixel * level.tile.area * len(lengths)
    return uncompressed / float(lengths.sum())


def _derivation(level: EncodedLevel) -> str | None:
    text = _DERIVATION.get(level.origin)
    return None if text is None else text.format(codec=level.encoding.codec.value)


def _remarks(reader: SlideReader) -> list[str]:
    """What the attributes of the levels cannot say, or say only in a stand-in's way."""
    remarks = []
    dark = [path for path in reader.optical_paths if path.illumination is Illumination.FLUORESCENCE]
    if any(path.excitation_nm is None for path in dark):
        remarks.append(UNKNOWN_WAVELENGTH_COMMENT)
    heights = reader.focal_planes_um
    distances = [upper - lower for lower, upper in pairwise(heights)]
    if distances and max(distances) - min(distances) > _EVEN * max(distances):
        listed = ", ".join(f"{height:g}" for height in heights)
        remarks.append(f"The focal planes lie unevenly, at {listed} um.")
    return remarks
