"""An iSyntax file of blank glass, written for tests.

Its header, its tables and its label are as the format has them; every block of coefficients is
empty, since nobody but Philips has an encoder. It proves how the file is read around its pixels.
"""

import base64
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tiling.codecs import jpeg
from tiling.formats.philips_isyntax.header import BLOCK, Geometry
from tiling.geometry import Size
from tiling.testing import draw_pattern

LABEL, MACRO = draw_pattern(90, 80), draw_pattern(240, 90)
LEVELS = 3
SIZE, OFFSET = Size(900, 700), (1000, 2000)


def write_isyntax(path: Path, size: Size = SIZE, *, blocks: bool = True) -> Path:
    """`blocks` False leaves all tiles out, as a scanner does where there is no tissue."""
    padding = (3 << LEVELS) - 3
    padded = Size(size.columns + 2 * padding, size.rows + 2 * padding)
    geometry = Geometry(size, padded, OFFSET, LEVELS)
    records = list(_blocks(geometry)) if blocks else list(_blocks(geometry))[:66]
    table = b"".join(_block(*record) for record in records)
    xml = _xml(geometry, base64.b64encode(struct.pack("<I", len(table)) + table).decode())
    per_colour = sum(geometry.tiles(level).area for level in range(LEVELS))
    entries = 3 * (per_colour + geometry.tiles(LEVELS - 1).area)
    place = struct.pack(
        "<2HI2HIQ2HIQ", 0xFFFE, 0xE000, 32, 0x301D, 0x2010, 8, 0, 0x301D, 0x2011, 8, 0
    )
    seek_table = struct.pack("<2HI", 0x301D, 0x2015, len(place) * entries) + place * entries
    path.write_bytes(xml.encode() + b"\r\n\x04" + seek_table)
    return path


def _blocks(geometry: Geometry) -> Iterator[tuple[int, int, int, int, int]]:
    """x, y, colour, level and coefficient of each block, the tiles of the top one by one."""
    top = geometry.tiles(LEVELS - 1)
    for row in range(top.rows):
        for column in range(top.columns):
            for colour in range(3):
                for level in reversed(range(LEVELS)):
                    many = 1 << (LEVELS - 1 - level)
                    for y in range(row * many, (row + 1) * many):
                        for x in range(column * many, (column + 1) * many):
                            yield *_place(x, y, level, 1), colour, level, 1
                yield *_place(column, row, LEVELS - 1, 0), colour, LEVELS - 1, 0


def _place(column: int, row: int, level: int, coefficient: int) -> tuple[int, int]:
    first = (3 << level) - 2 + (0 if coefficient else 1 << level)
    side = 2 * BLOCK << level
    return OFFSET[0] + first + column * side, OFFSET[1] + first + row * side


def _block(x: int, y: int, colour: int, level: int, coefficient: int) -> bytes:
    return struct.pack(
        "<2HI2HI2i3I2HII", 0xFFFE, 0xE000, 40, 0x301D, 0x200E, 20, x, y, colour, level, coefficient,
        0x301D, 0x2012, 4, 0,
    )  # fmt: skip


def _attribute(
    name: str, element: int, text: str, kind: str = "IString", group: int = 0x301D
) -> str:
    return (
        f'<Attribute Name="{name}" Group="0x{group:04X}" Element="0x{element:04X}" '
        f'PMSVR="{kind}">{text}</Attribute>'
    )


def _list(name: str, element: int, kind: str, items: list[str]) -> str:
    inside = "".join(f'<DataObject ObjectType="{kind}">{item}</DataObject>' for item in items)
    return _attribute(name, element, f"\n<Array>\n{inside}</Array>\n", "IDataObjectArray")


def _range(ranges: list[tuple[int, int, int]]) -> str:
    return _list(
        "UFS_IMAGE_DIMENSION_RANGES", 0x200A, "UFSImageDimensionRange",
        [
            _attribute("UFS_IMAGE_DIMENSION_RANGE", 0x200B, " ".join(map(str, one)), "IInt32Array")
            for one in ranges
        ],
    )  # fmt: skip


def _xml(geometry: Geometry, table: str) -> str:
    (left, top), padded = geometry.offset, geometry.padded
    dimensions = [
        _attribute("UFS_IMAGE_DIMENSION_NAME", 0x2004, name)
        + _attribute("UFS_IMAGE_DIMENSION_UNIT", 0x2006, unit)
        + _attribute("UFS_IMAGE_DIMENSION_SCALE_FACTOR", 0x2007, str(scale), "IDouble")
        for name, unit, scale in (
            ("x", "MicroMeter", 0.25),
            ("y", "MicroMeter", 0.26),
            ("component", "", 1),
        )
    ]
    general = (
        _attribute("UFS_IMAGE_NUMBER_OF_BLOCKS", 0x2001, "1000", "IUInt32")
        + _list("UFS_IMAGE_DIMENSIONS", 0x2003, "UFSImageDimension", dimensions)
        + _range(
            [
                (left, 1, left + padded.columns - 1),
                (top, 1, top + padded.rows - 1),
                (0, 1, 2),
                (0, 1, LEVELS - 1),
                (0, 1, 3),
            ]
        )
    )
    template = _range([(0, 1, BLOCK - 1), (0, 1, BLOCK - 1), (0, 1, 0), (0, 1, 0), (1, 1, 3)])
    scan = (
        _attribute("PIM_DP_IMAGE_TYPE", 0x1004, "WSI")
        + _attribute("DICOM_ICCPROFILE", 0x2000, base64.b64encode(_profile()).decode(), group=0x28)
        + _list("UFS_IMAGE_GENERAL_HEADERS", 0x2000, "UFSImageGeneralHeader", [general])
        + _list(
            "UFS_IMAGE_BLOCK_HEADER_TEMPLATES", 0x2009, "UFSImageBlockHeaderTemplate", [template]
        )
        + _attribute("UFS_IMAGE_BLOCK_COMPRESSION_METHOD", 0x200F, "16", "IUInt32")
        + _attribute("UFS_IMAGE_BLOCK_HEADER_TABLE", 0x2014, table)
    )
    others = [
        _attribute("PIM_DP_IMAGE_TYPE", 0x1004, kind)
        + _attribute("PIM_DP_IMAGE_DATA", 0x1005, base64.b64encode(jpeg.encode(pixels)).decode())
        for kind, pixels in (("LABELIMAGE", LABEL), ("MACROIMAGE", MACRO))
    ]
    said = (
        _attribute("DICOM_ACQUISITION_DATETIME", 0x002A, "20260312101112.000000", group=0x08)
        + _attribute("DICOM_MANUFACTURER", 0x0070, "PHILIPS", group=0x08)
        + _attribute("DICOM_MANUFACTURERS_MODEL_NAME", 0x1090, "UFS Scanner", group=0x08)
        + _attribute("DICOM_DEVICE_SERIAL_NUMBER", 0x1000, "FMT0001", group=0x18)
        + _attribute(
            "DICOM_SOFTWARE_VERSIONS",
            0x1020,
            "&quot;1.8.6824&quot; &quot;20180906_R51&quot;",
            group=0x18,
        )
        + _attribute("PIM_DP_UFS_INTERFACE_VERSION", 0x1001, "5.0")
        + _attribute("PIM_DP_UFS_BARCODE", 0x1002, base64.b64encode(b"26H00123-A1").decode())
        + _list("PIM_DP_SCANNED_IMAGES", 0x1003, "DPScannedImage", [scan, *others])
    )
    declaration = '<?xml version="1.0" encoding="UTF-8" ?>'
    return f'{declaration}<DataObject ObjectType="DPUfsImport">{said}</DataObject>'


def _profile() -> bytes:
    profile = np.zeros(128, np.uint8)
    profile[36:40] = np.frombuffer(b"acsp", np.uint8)
    return profile.tobytes()
