"""What the files say about the slide and its acquisition."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from dicom.placeholders import (
    NOMINAL_SPACING_COMMENT,
    UNKNOWN,
    UNKNOWN_ACQUISITION_COMMENT,
)
from dicom.source.part import Part, first_item, number_of, text_of
from dicom.source.vendor import vendor_attributes
from tiling.slide import SlideMetadata

_NOT_SAID = frozenset({"?", "-", "", UNKNOWN.upper(), "NONE", "N/A"})
"""Words that scanners and this project write where a value is demanded and not known."""
_DATE_TIME = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?)?)?([+-]\d{4})?"
)
_FOCUS_METHODS = frozenset({"AUTO", "MANUAL"})


def metadata_of(base: Part, parts: Sequence[Part]) -> SlideMetadata:
    """Of the base's file; what the label reads is said by any file, the label's first."""
    said = base.dataset
    optics = first_item(said, "OpticalPathSequence")
    labels = sorted(parts, key=lambda part: part.role != "LABEL")
    profile: Any = (None if optics is None else optics.get("ICCProfile")) or said.get("ICCProfile")
    focus = base.text("FocusMethod")
    return SlideMetadata(
        pixel_spacing_mm=_spacing_mm(base),
        objective_power=None if optics is None else number_of(optics, "ObjectiveLensPower"),
        scanned_at=_scanned_at(base),
        manufacturer=known(base.text("Manufacturer")),
        model=known(base.text("ManufacturerModelName")),
        serial_number=known(base.text("DeviceSerialNumber")),
        software=known(base.text("SoftwareVersions")),
        icc_profile=profile if isinstance(profile, bytes) and profile else None,
        focus_method=focus if focus in _FOCUS_METHODS else None,
        label_text=_first(labels, "LabelText"),
        barcode=_first(labels, "BarcodeValue"),
        vendor=vendor_attributes(said),
    )


def _spacing_mm(part: Part) -> tuple[float, float] | None:
    """Pixel Spacing of all frames, else by the extent of the image on the glass."""
    if part.header.pixel_spacing_mm is not None:
        return part.header.pixel_spacing_mm
    if NOMINAL_SPACING_COMMENT in (part.text("ImageComments") or ""):
        return None
    width = number_of(part.dataset, "ImagedVolumeWidth")
    height = number_of(part.dataset, "ImagedVolumeHeight")
    if width is None or height is None:
        return None
    size = part.header.size
    return height / size.rows, width / size.columns


def _first(parts: Sequence[Part], keyword: str) -> str | None:
    found = (known(text_of(part.dataset, keyword)) for part in parts)
    return next((text for text in found if text is not None), None)


def known(text: str | None) -> str | None:
    """What is said; None where that is a word for what is not known."""
    return None if text is None or text.upper() in _NOT_SAID else text


def _scanned_at(part: Part) -> datetime | None:
    """Acquisition DateTime, or Date and Time; a stand-in that owns up to being one is none."""
    if UNKNOWN_ACQUISITION_COMMENT in (part.text("ImageComments") or ""):
        return None
    moment = part.text("AcquisitionDateTime")
    if moment is None:
        date, time = part.text("AcquisitionDate"), part.text("AcquisitionTime")
        moment = None if date is None or time is None else date + time
    return None if moment is None else _parse(moment, part.text("TimezoneOffsetFromUTC"))


def _parse(text: str, zone: str | None) -> datetime | None:
    """A DT value (PS3.5 6.2) to the second at least; None where it is none."""
    match = _DATE_TIME.fullmatch(text)
    if match is None or match[4] is None:
        return None
    year, month, day, hour, minute, second = (int(match[n] or 0) for n in range(1, 7))
    fraction = int((match[7] or "0").ljust(6, "0"))
    try:
        offset = _zone(match[8] or zone)
        return datetime(year, month, day, hour, minute, min(second, 59), fraction, offset)
    except ValueError:
        return None


def _zone(text: str | None) -> timezone | None:
    if text is None or not re.fullmatch(r"[+-]\d{4}", text):
        return None
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    if not offset:
        return UTC
    return timezone(-offset if text[0] == "-" else offset)
