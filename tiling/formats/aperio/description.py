r"""The ImageDescription of an Aperio slide.

    Aperio Image Library v11.2.1 \r\n46000x32914 [42673,5576 2220x2967] (240x240) JPEG/RGB Q=30
    |AppMag = 20|ScanScope ID = CPAPERIOCS|Date = 12/29/09|Time = 09:59:15|MPP = 0.4990|...

The text before the first bar names the software and the geometry; each part after it is one
`name = value`. Fields differ between scanners and years, so every one may be absent.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo

from tiling.numerals import positive
from tiling.printed_code import code
from tiling.slide import SlideMetadata

_ZONE = re.compile(r"(?:GMT|UTC)?\s*([+-])(\d{2}):?(\d{2})")


def parse_description(text: str, icc_profile: bytes | None) -> SlideMetadata:
    """What an Aperio base image says about its acquisition; never raises on odd text."""
    header, *parts = text.split("|")
    vendor = dict(_pair(part) for part in parts if "=" in part)
    software = header.split("\n")[0].strip()
    mpp_um = positive(vendor.get("MPP"))
    return SlideMetadata(
        pixel_spacing_mm=None if mpp_um is None else (mpp_um / 1000, mpp_um / 1000),
        objective_power=positive(vendor.get("AppMag")),
        scanned_at=_scanned_at(vendor),
        manufacturer="Leica Biosystems" if "Leica Biosystems" in software else "Aperio",
        model=vendor.get("ScannerType") or None,
        serial_number=vendor.get("ScanScope ID") or None,
        software=software or None,
        icc_profile=icc_profile,
        barcode=code(vendor.get("Barcode")),
        vendor=vendor,
    )


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip(), value.strip()


def _scanned_at(vendor: Mapping[str, str]) -> datetime | None:
    """Date (American order), Time and Time Zone as one; naive without a zone."""
    text = f"{vendor.get('Date', '')} {vendor.get('Time', '')}"
    for pattern in ("%m/%d/%y %H:%M:%S", "%m/%d/%Y %H:%M:%S"):
        try:
            naive = datetime.strptime(text, pattern)  # noqa: DTZ007  the zone is its own field
        except ValueError:
            continue
        return naive.replace(tzinfo=_zone(vendor.get("Time Zone", "")))
    return None


def _zone(text: str) -> tzinfo | None:
    match = _ZONE.fullmatch(text.strip())
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset >= timedelta(hours=24):
        return None
    return timezone(-offset if sign == "-" else offset)
