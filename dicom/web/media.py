"""Media types of frames by their transfer syntax (PS3.18 table 8.7.3-4 and its like)."""

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
OCTETS = "application/octet-stream"
DICOM = "application/dicom"
JSON = "application/dicom+json"
MULTIPART = "multipart/related"
JPEG = "image/jpeg"
PNG = "image/png"

_MEDIA_TYPES = {
    "1.2.840.10008.1.2": OCTETS,
    EXPLICIT_LITTLE_ENDIAN: OCTETS,
    "1.2.840.10008.1.2.4.50": JPEG,
    "1.2.840.10008.1.2.4.51": JPEG,
    "1.2.840.10008.1.2.4.57": JPEG,
    "1.2.840.10008.1.2.4.70": JPEG,
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.110": "image/jxl",
    "1.2.840.10008.1.2.4.111": "image/jxl",
    "1.2.840.10008.1.2.4.112": "image/jxl",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}


def media_type_of(transfer_syntax: str) -> str:
    """What one frame of that transfer syntax is; bytes without a name where nobody gave it one."""
    return _MEDIA_TYPES.get(transfer_syntax, OCTETS)


def content_type(media_type: str, transfer_syntax: str | None) -> str:
    """As the header of an answer or of a part has it (PS3.18 8.7.3.4)."""
    if transfer_syntax is None:
        return media_type
    return f"{media_type}; transfer-syntax={transfer_syntax}"
