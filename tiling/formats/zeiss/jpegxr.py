"""JPEG XR images (ISO 29199-2), proved by their headers before they are unpacked.

The decoder behind imagecodecs trusts a header, and a damaged one can end the process. So both
headers are read here: the directory that stands before an image (annex A) is written anew, and
the image's own header (8.3) has to say what is expected, in the plain forms that microscopes write.
"""

import struct
from dataclasses import dataclass

import imagecodecs
import numpy as np

from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.slide import PixelFormat, Samples

_MARK = b"II\xbc"
_PIXEL_FORMAT, _WIDTH, _HEIGHT, _OFFSET, _LENGTH = 0xBC01, 0xBC80, 0xBC81, 0xBCC0, 0xBCC1
_BYTES, _LONG = 1, 4
_SIGNATURE = b"WMPHOTO\0"
_LONGEST_HEADER = 1 << 14
_FORMATS = {(1, 8): 0x08, (1, 16): 0x0B, (3, 8): 0x0D, (3, 16): 0x15}
"""Last byte of the identifier of a pixel format (A.7.18), by samples and bits."""
_FORMAT_FAMILY = bytes.fromhex("24c3dd6f034efe4bb1853d77768dc9")
_GREY, _RGB = 0, 7
_BLOCK = 16
"""Side of a macroblock, in pixels."""
_BROKEN = "A compressed image cannot be decoded; copy the file again from the scanner."


def decode(stream: bytes, expected: Size, pixel_format: PixelFormat) -> Samples:
    """Unpack as `(rows, columns, samples)`, colours as red, green and blue.

    The image may be smaller or larger than `expected` by a row or a column, as writers that round
    otherwise make it. Raises DamagedSlideError when it is not what is expected or is broken,
    UnsupportedSlideError for a form that no scanner is known to write.
    """
    image = _find_image(stream)
    size = _check_header(image, pixel_format)
    if abs(size.columns - expected.columns) > 1 or abs(size.rows - expected.rows) > 1:
        raise DamagedSlideError(_BROKEN)
    try:
        decoded = np.asarray(imagecodecs.jpegxr_decode(_wrap(image, size, pixel_format)))
    except Exception as error:
        raise DamagedSlideError(_BROKEN) from error
    samples: Samples = decoded[:, :, None] if decoded.ndim == 2 else decoded
    if samples.shape != (size.rows, size.columns, pixel_format.samples):
        raise DamagedSlideError(_BROKEN)
    if samples.dtype != pixel_format.dtype:
        raise DamagedSlideError(_BROKEN)
    return samples


def _find_image(stream: bytes) -> bytes:
    """The image that the directory before it points to."""
    try:
        (directory,) = struct.unpack_from("<I", stream, 4)
        (entries,) = struct.unpack_from("<H", stream, directory)
        values = {}
        for number in range(entries):
            tag, _, _, value = struct.unpack_from("<HHII", stream, directory + 2 + 12 * number)
            values[tag] = value
        image = stream[values[_OFFSET] :]
    except (struct.error, KeyError) as error:
        raise DamagedSlideError(_BROKEN) from error
    length = values.get(_LENGTH) or len(image)
    if stream[:3] != _MARK or not image.startswith(_SIGNATURE) or length > len(image):
        raise DamagedSlideError(_BROKEN)
    return image[:length]


def _wrap(image: bytes, size: Size, pixel_format: PixelFormat) -> bytes:
    """The image behind a directory of our own, as red, green and blue or as grey."""
    entries = 5
    format_at = 8 + 2 + 12 * entries + 4
    image_at = format_at + 16
    bits = 8 if pixel_format.dtype == np.uint8 else 16
    fields = (
        (_PIXEL_FORMAT, _BYTES, 16, format_at),
        (_WIDTH, _LONG, 1, size.columns),
        (_HEIGHT, _LONG, 1, size.rows),
        (_OFFSET, _LONG, 1, image_at),
        (_LENGTH, _LONG, 1, len(image)),
    )
    return b"".join(
        (
            struct.pack("<3sBIH", _MARK, 1, 8, entries),
            *(struct.pack("<HHII", *field) for field in fields),
            bytes(4),
            _FORMAT_FAMILY,
            bytes((_FORMATS[pixel_format.samples, bits],)),
            image,
        )
    )


def _check_header(image: bytes, pixel_format: PixelFormat) -> Size:
    """The size that an image states, once the rest of its header is what can be unpacked safely."""
    header = _Bits(image[len(_SIGNATURE) : _LONGEST_HEADER])
    version, subversion = header.take(4), header.take(4)
    tiled, _, orientation, _, overlap = (header.take(bits) for bits in (1, 1, 3, 1, 2))
    short, _, windowed, _, stretched, _, _, alpha = (header.take(1) for _ in range(8))
    colours, depth = header.take(4), header.take(4)
    if version != 1 or subversion not in {0, 1, 9} or overlap == 3:
        raise DamagedSlideError(_BROKEN)
    if orientation or windowed or stretched or alpha:
        raise UnsupportedSlideError("The slide's JPEG XR is of a kind unknown here; report it.")
    is_grey = pixel_format.samples == 1
    wide = pixel_format.dtype == np.uint16
    if colours != (_GREY if is_grey else _RGB) or depth != (2 if wide else 1):
        raise DamagedSlideError(_BROKEN)
    bits = 16 if short else 32
    size = Size(header.take(bits) + 1, header.take(bits) + 1)
    if tiled:
        _check_tiles(header, size, 8 if short else 16)
    header.align()
    internal = header.take(3)
    if internal not in ({0} if is_grey else {1, 2, 3}):
        raise DamagedSlideError(_BROKEN)
    header.take(1)
    if header.take(4) > 3:
        raise DamagedSlideError(_BROKEN)
    return size


def _check_tiles(header: "_Bits", size: Size, bits: int) -> None:
    """Raise DamagedSlideError unless the image's tiles lie within it; the last ones are implied."""
    columns, rows = header.take(12), header.take(12)
    for count, side in ((columns, size.columns), (rows, size.rows)):
        left = -(-side // _BLOCK)
        for _ in range(count):
            blocks = header.take(bits)
            left -= blocks
            if not blocks or left < 1:
                raise DamagedSlideError(_BROKEN)


@dataclass(slots=True)
class _Bits:
    """Bytes read bit by bit, the highest first."""

    data: bytes
    place: int = 0

    def take(self, count: int) -> int:
        """Raises DamagedSlideError where the bytes end."""
        first, last = self.place >> 3, (self.place + count + 7) >> 3
        if last > len(self.data):
            raise DamagedSlideError(_BROKEN)
        window = int.from_bytes(self.data[first:last], "big")
        self.place += count
        return (window >> (8 * last - self.place)) & ((1 << count) - 1)

    def align(self) -> None:
        """Go on at the next whole byte."""
        self.place = (self.place + 7) & ~7
