"""Which frames carry a padding byte: the private element that keeps frames exact.

An item's length is even (PS3.5 A.4), so a frame of odd length is followed by a zero byte. Readers
in use demand that the Extended Offset Table Lengths count it, and then nothing standard tells a
frame's own bytes from the padding. One bit a frame does, in a private block (PS3.5 7.8) just
before the pixel data; where it was stripped on the way, frames read with their padding.
"""

import struct

import numpy as np
from numpy.typing import NDArray

CREATOR_TAG = 0x7FDF0010
PADDED_TAG = 0x7FDF1001
CREATOR = b"SGI WSI "


def padding_elements(lengths: NDArray[np.int64]) -> bytes:
    """The private block, explicit VR: bit n, least significant first, is set if frame n is odd."""
    bits = np.packbits((lengths % 2).astype(np.uint8), bitorder="little").tobytes()
    bits += bytes(len(bits) % 2)
    creator = struct.pack("<HH2sH", 0x7FDF, 0x0010, b"LO", len(CREATOR)) + CREATOR
    return creator + struct.pack("<HH2s2xI", 0x7FDF, 0x1001, b"OB", len(bits)) + bits


def padding_length(frames: int) -> int:
    """Bytes of the element's value for so many frames."""
    return (frames + 15) // 16 * 2


def parse_padding(value: bytes, frames: int) -> NDArray[np.int64]:
    """Padding of each frame, 0 or 1 byte, shape `(frames,)`."""
    bits = np.unpackbits(np.frombuffer(value, np.uint8), count=frames, bitorder="little")
    return bits.astype(np.int64)
