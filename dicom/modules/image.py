"""What the image is: its type, its time, its extent on the glass."""

from datetime import datetime

import pydicom

from dicom.models import ImageDescription
from dicom.placeholders import (
    FOCUS_METHOD,
    NOMINAL_DEPTH_UM,
    NOMINAL_SPACING_COMMENT,
    UNKNOWN_ACQUISITION,
    UNKNOWN_ACQUISITION_COMMENT,
)
from dicom.text import short_text

_LONGEST_COMMENT = 10240
"""Characters of a Long Text (PS3.5 6.2)."""


def general_image(image: ImageDescription) -> pydicom.Dataset:
    """General Image (PS3.3 C.7.6.1).

    Image Comments own up to every stand-in for a number and to what of the file is not kept.
    """
    module = pydicom.Dataset()
    module.ImageType = list(image.image_type)
    module.InstanceNumber = image.instance_number
    # Type 1 for multi-frame images (C.7.6.16): when the pixels came to be, not when converted,
    # for a second conversion must give the same bytes.
    acquired_at = image.acquired_at or UNKNOWN_ACQUISITION
    module.ContentDate = f"{acquired_at:%Y%m%d}"
    module.ContentTime = f"{acquired_at:%H%M%S}"
    module.BurnedInAnnotation = "YES" if image.role.shows_label else "NO"
    if derivation := short_text(image.derivation, 1024):
        module.DerivationDescription = derivation
    comments = list(image.remarks)
    if image.spacing_is_nominal:
        comments.append(NOMINAL_SPACING_COMMENT)
    if image.acquired_at is None:
        comments.append(UNKNOWN_ACQUISITION_COMMENT)
    if comments:
        module.ImageComments = short_text(" ".join(comments), _LONGEST_COMMENT)
    return module


def whole_slide_image(image: ImageDescription) -> pydicom.Dataset:
    """Whole Slide Microscopy Image (PS3.3 C.8.12.4): one or several planes of focus.

    The extent is that of the total pixel matrix (TILED_FULL: all of it is encoded), in mm, its
    depth in um; left out where the standard allows and nothing is known, that is for label and
    overview.
    """
    module = pydicom.Dataset()
    module.AcquisitionDateTime = _date_time(image.acquired_at)
    module.VolumetricProperties = "VOLUME"
    module.SpecimenLabelInImage = "YES" if image.role.shows_label else "NO"
    module.FocusMethod = image.focus_method or FOCUS_METHOD
    module.ExtendedDepthOfField = "NO"
    if image.pixel_spacing_mm is not None:
        between_rows, between_columns = image.pixel_spacing_mm
        module.ImagedVolumeWidth = image.size.columns * between_columns
        module.ImagedVolumeHeight = image.size.rows * between_rows
        depth_um = image.focal_planes_um[-1] - image.focal_planes_um[0]
        module.ImagedVolumeDepth = NOMINAL_DEPTH_UM + depth_um
    return module


def _date_time(moment: datetime | None) -> str:
    """A DT value (PS3.5 6.2), with the offset from UTC where one is known."""
    return f"{moment or UNKNOWN_ACQUISITION:%Y%m%d%H%M%S%z}"
