"""ICC profiles of screens and of scanners that bring none (ISO 15076-1, version 4).

Three colorants and sRGB's curve, shared by all. Built here because libraries put the time of the
call into theirs, and the same slide must give the same bytes.
"""

import struct

Colorants = tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
"""Red, green and blue as XYZ, adapted from D65 to D50, s15Fixed16."""

BT_709: Colorants = ((0x6FA2, 0x38F5, 0x0390), (0x6299, 0xB785, 0x18DA), (0x24A0, 0x0F84, 0xB6CF))
"""The primaries of sRGB (IEC 61966-2-1)."""
DISPLAY_P3: Colorants = (
    (0x83DF, 0x3DBF, -0x45),
    (0x4ABF, 0xB137, 0x0AB9),
    (0x2838, 0x110B, 0xC8B9),
)
"""The primaries of DCI-P3 (SMPTE RP 431-2) around the white of D65."""
INPUT, SCREEN = b"scnr", b"mntr"
"""Device classes."""

_D50 = (0xF6D6, 0x10000, 0xD32D)
"""The profile connection space's illuminant, s15Fixed16."""
_D65_TO_D50 = (
    (1.047882, 0.022919, -0.050201),
    (0.029587, 0.990479, -0.017059),
    (-0.009232, 0.015076, 0.751678),
)
"""Bradford adaptation, which a version 4 profile must declare."""
_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""Y = (aX + b)^g for X >= d, else cX: g, a, b, c, d."""


def matrix_profile(name: str, colorants: Colorants, device: bytes) -> bytes:
    """A profile of that name, which people see, and device class."""
    curve = _curve()
    red, green, blue = (_xyz(colorant) for colorant in colorants)
    tags = {
        b"desc": _text(name),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": _xyz(_D50),
        b"chad": _adaptation(),
        b"rXYZ": red,
        b"gXYZ": green,
        b"bXYZ": blue,
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    start = 128 + 4 + 12 * len(tags)
    placed: dict[bytes, int] = {}
    data = b""
    table = struct.pack(">I", len(tags))
    for signature, value in tags.items():
        if value not in placed:
            placed[value] = start + len(data)
            data += value + bytes(-len(value) % 4)
        table += struct.pack(">4sII", signature, placed[value], len(value))
    return _header(start + len(data), device) + table + data


def _fixed(value: float) -> int:
    return round(value * 0x10000)


def _xyz(values: tuple[int, int, int]) -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *values)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _curve() -> bytes:
    return struct.pack(">4sIHH5i", b"para", 0, 3, 0, *map(_fixed, _CURVE))


def _adaptation() -> bytes:
    values = [_fixed(value) for row in _D65_TO_D50 for value in row]
    return struct.pack(">4sI9i", b"sf32", 0, *values)


def _header(size: int, device: bytes) -> bytes:
    identity = struct.pack(">II4s4s4s4s", size, 0, b"\x04\x30\0\0", device, b"RGB ", b"XYZ ")
    created = struct.pack(">6H", 2025, 1, 1, 0, 0, 0)
    illuminant = struct.pack(">3i", *_D50)
    return (identity + created + b"acsp" + bytes(28) + illuminant).ljust(128, b"\0")
