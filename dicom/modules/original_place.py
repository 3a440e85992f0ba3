"""Where an image lies on the glass and how large it is, as its file said."""

import math
from typing import Any

import numpy as np
import pydicom
from pydicom.valuerep import format_number_as_ds

from dicom.source.part import first_item

_ROUNDING = 0.01
_FARTHEST_MM = 1e6
_MEASURES = "PixelMeasuresSequence"


def is_positive(value: Any) -> bool:
    """Whether it is a finite number above zero, which Imaged Volume Depth, too, has to be."""
    return bool(_numbers([value])) and float(value) > 0


def is_orientation(value: Any) -> bool:
    """Whether these are two unit vectors at right angles, in x, y and z (PS3.3 C.8.12.2)."""
    numbers = _numbers(value)
    if len(numbers) != 6:
        return False
    row, column = numbers[:3], numbers[3:]
    return all(
        abs(float(np.dot(one, other)) - expected) < _ROUNDING
        for one, other, expected in ((row, row, 1), (column, column, 1), (row, column, 0))
    )


def is_origin(value: Any) -> bool:
    """Whether a sequence has one item, with X and Y in millimetres of any glass."""
    if not isinstance(value, pydicom.Sequence) or len(value) != 1:
        return False
    axes = ("XOffsetInSlideCoordinateSystem", "YOffsetInSlideCoordinateSystem")
    offsets = _numbers([value[0].get(axis) for axis in axes])
    return len(offsets) == 2 and all(abs(offset) <= _FARTHEST_MM for offset in offsets)


def turn_stand_in(new: pydicom.Dataset, replaced_by: pydicom.Dataset) -> None:
    """Where the file tells how an image is turned and not where it lies, turn its stand-in too.

    The far corner is on the glass's own then (see `Describer`), so that no coordinate is negative.
    """
    if is_origin(replaced_by.get("TotalPixelMatrixOriginSequence")):
        return
    if not is_orientation(replaced_by.get("ImageOrientationSlide")):
        return
    row_x, row_y, _, column_x, column_y, _ = (float(n) for n in new.ImageOrientationSlide)
    (item,) = new.TotalPixelMatrixOriginSequence
    height = float(item.XOffsetInSlideCoordinateSystem)
    width = float(item.YOffsetInSlideCoordinateSystem)
    x_mm = max(0.0, -width * row_x - height * column_x)
    y_mm = max(0.0, -width * row_y - height * column_y)
    item.XOffsetInSlideCoordinateSystem = format_number_as_ds(x_mm)
    item.YOffsetInSlideCoordinateSystem = format_number_as_ds(y_mm)


def keep_measures(new: pydicom.Dataset, original: pydicom.Dataset, *, own: bool) -> None:
    """Take over how thick the image is, and its scale where none is said."""
    measures = new.SharedFunctionalGroupsSequence[0][_MEASURES].value[0]
    groups = first_item(original, "SharedFunctionalGroupsSequence")
    before = None if groups is None else first_item(groups, _MEASURES)
    if before is None:
        return
    if is_positive(before.get("SliceThickness")):
        measures.SliceThickness = format_number_as_ds(float(before.SliceThickness))
    spacing = _numbers(before.get("PixelSpacing"))
    known = len(spacing) == 2 and min(spacing) > 0
    if own and known and "PixelSpacing" not in measures:
        measures.PixelSpacing = [format_number_as_ds(each) for each in spacing]


def _numbers(value: Any) -> list[float]:
    """Finite numbers; none at all where one of the values is none."""
    try:
        numbers = [float(one) for one in value]
    except (TypeError, ValueError):
        return []
    return numbers if all(map(math.isfinite, numbers)) else []
