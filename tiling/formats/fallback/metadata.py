"""What OpenSlide's properties say about an acquisition, in our words."""

import re
from collections.abc import Mapping
from datetime import datetime

import openslide

from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.limits import Limits
from tiling.numerals import positive
from tiling.printed_code import code, code_in_base64
from tiling.slide import ONE_FOCAL_PLANE, ONE_OPTICAL_PATH, SlideMetadata

_MANUFACTURERS = {
    "aperio": "Aperio",
    "hamamatsu": "Hamamatsu",
    "leica": "Leica Microsystems",
    "mirax": "3DHISTECH",
    "philips": "Philips",
    "sakura": "Sakura",
    "trestle": "Trestle",
    "ventana": "Roche Ventana",
    "zeiss": "Zeiss",
}
"""Vendors whose format nobody else writes; a DICOM or a plain TIFF says nothing of its maker."""

_MODELS = ("aperio.ScannerType", "hamamatsu.Product", "leica.device-model", "ventana.ScannerModel",
           "philips.DICOM_MANUFACTURERS_MODEL_NAME", "dicom.ManufacturerModelName")  # fmt: skip
_SERIAL_NUMBERS = ("aperio.ScanScope ID", "hamamatsu.NDP.S/N", "ventana.UnitNumber",
                   "philips.DICOM_DEVICE_SERIAL_NUMBER", "dicom.DeviceSerialNumber")  # fmt: skip
_DATES = (
    (("leica.creation-date",), "%Y-%m-%dT%H:%M:%S.%f%z"),
    (("leica.creation-date",), "%Y-%m-%dT%H:%M:%S%z"),
    (("mirax.GENERAL.SLIDE_CREATIONDATETIME",), "%d/%m/%Y %H:%M:%S"),
    (("philips.DICOM_ACQUISITION_DATETIME",), "%Y%m%d%H%M%S.%f"),
    (("zeiss.Information.Document.CreationDate",), "%Y-%m-%dT%H:%M:%S%z"),
    (("aperio.Date", "aperio.Time"), "%m/%d/%y %H:%M:%S"),
    (("dicom.AcquisitionDateTime",), "%Y%m%d%H%M%S.%f"),
    (("dicom.AcquisitionDateTime",), "%Y%m%d%H%M%S"),
    (("tiff.DateTime",), "%Y:%m:%d %H:%M:%S"),
)
"""Properties that together name the time of scanning, and how they write it."""
_BARCODES = re.compile(
    r"aperio\.Barcode|leica\.barcode|ventana\.Barcode[12]D"
    r"|mirax\.NONHIERLAYER_\d+_LEVEL_\d+_SECTION\.BARCODE_VALUE"
)
_LABEL_TEXTS = ("hamamatsu.SlideLabel", "hamamatsu.Reference")
_MIRAX_PLANES = "Microscope focus level"
"""What MIRAX calls its hierarchy of focal planes."""


def read_metadata(slide: openslide.OpenSlide, limits: Limits) -> SlideMetadata:
    """Translate the properties; raises DamagedSlideError when the colour profile is unreadable."""
    properties: Mapping[str, str] = dict(slide.properties)
    mpp_x = positive(properties.get(openslide.PROPERTY_NAME_MPP_X))
    mpp_y = positive(properties.get(openslide.PROPERTY_NAME_MPP_Y))
    vendor = properties.get(openslide.PROPERTY_NAME_VENDOR, "")
    metadata = SlideMetadata(
        pixel_spacing_mm=(mpp_y / 1000, mpp_x / 1000) if mpp_x and mpp_y else None,
        objective_power=positive(properties.get(openslide.PROPERTY_NAME_OBJECTIVE_POWER)),
        scanned_at=_scanned_at(properties),
        manufacturer=properties.get("dicom.Manufacturer") or _MANUFACTURERS.get(vendor),
        model=_first(properties, _MODELS),
        serial_number=_first(properties, _SERIAL_NUMBERS),
        software=_first(properties, ("tiff.Software", "dicom.SoftwareVersions")),
        icc_profile=_icc_profile(slide, properties, limits),
        label_text=code(*map(properties.get, _LABEL_TEXTS)),
        barcode=read_barcode(properties),
        vendor={
            name: text for name, text in properties.items() if not name.startswith("openslide.")
        },
    )
    return metadata.keeping_less(*read_not_kept(properties))


def read_barcode(properties: Mapping[str, str]) -> str | None:
    """As the scanner read it; of two kinds on one label, the one in two dimensions."""
    named = sorted((name for name in properties if _BARCODES.fullmatch(name)), reverse=True)
    packed = code_in_base64(properties.get("philips.PIM_DP_UFS_BARCODE"))
    return code(*map(properties.get, named), packed)


def read_not_kept(properties: Mapping[str, str]) -> tuple[str, ...]:
    """What OpenSlide passes over, as far as DICOM's or MIRAX's own properties tell of it."""
    planes = [properties.get("dicom.TotalPixelMatrixFocalPlanes")]
    planes += [
        properties.get(name.removesuffix("_NAME") + "_COUNT")
        for name, text in properties.items()
        if name.startswith("mirax.HIERARCHICAL.HIER_") and text == _MIRAX_PLANES
    ]
    told = (
        (ONE_FOCAL_PLANE, planes),
        (ONE_OPTICAL_PATH, [properties.get("dicom.NumberOfOpticalPaths")]),
    )
    return tuple(
        sentence for sentence, counts in told if any((positive(count) or 0) > 1 for count in counts)
    )


def _icc_profile(
    slide: openslide.OpenSlide, properties: Mapping[str, str], limits: Limits
) -> bytes | None:
    size = int(properties.get("openslide.icc-size", "0"))
    if size > limits.text_bytes:
        raise SlideTooLargeError("The slide's colour profile is absurdly long; it is refused.")
    if not size:
        return None
    try:
        # The profile comes with every region, as the file has it; `color_profile` writes it anew.
        coarsest = slide.level_count - 1
        profile = slide.read_region((0, 0), coarsest, (1, 1)).info.get("icc_profile")
    except openslide.OpenSlideError as error:
        raise DamagedSlideError(
            "The slide's colour profile cannot be read; copy the file again from the scanner."
        ) from error
    return bytes(profile) if profile else None


def _first(properties: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((properties[name] for name in names if properties.get(name)), None)


def _scanned_at(properties: Mapping[str, str]) -> datetime | None:
    for names, pattern in _DATES:
        text = " ".join(properties.get(name, "") for name in names)
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007  naive where the file is
        except ValueError:
            continue
    return None
