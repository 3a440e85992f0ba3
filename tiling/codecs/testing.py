"""Makes JPEG 2000 codestreams that the encoders at hand do not make: YCbCr with halved chroma."""

from collections.abc import Sequence

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs.codestream import parse_header
from tiling.slide import Pixels

_LUMA = np.array([0.299, 0.587, 0.114])
_BY_COMPONENT = 4
"""The progression order CPRL, in which the packets of each component lie together."""


def to_ycbcr(pixels: Pixels) -> NDArray[np.uint8]:
    """`(rows, columns, 3)` by JFIF's equations."""
    luma = pixels @ _LUMA
    blue = (pixels[:, :, 2] - luma) / 1.772 + 128
    red = (pixels[:, :, 0] - luma) / 1.402 + 128
    return np.clip(np.stack((luma, blue, red), -1) + 0.5, 0, 255).astype(np.uint8)


def encode_ycbcr(
    pixels: Pixels, subsampling: tuple[int, int] = (1, 1), *, transform: bool = False
) -> bytes:
    """Aperio's 33003: YCbCr by the 9/7 wavelet without a component transform.

    `transform` says in the header that there is one all the same.
    """
    across, down = subsampling
    ycbcr = to_ycbcr(pixels)
    streams = [
        _encode(ycbcr[:, :, 0]),
        *(_encode(ycbcr[::down, ::across, number]) for number in (1, 2)),
    ]
    return _join(streams, [(1, 1), subsampling, subsampling], transform=transform)


def _encode(component: NDArray[np.uint8]) -> bytes:
    whole = np.ascontiguousarray(component)
    return bytes(
        imagecodecs.jpeg2k_encode(whole, 0, codecformat="j2k", reversible=False, resolutions=4)
    )


def _join(streams: Sequence[bytes], apart: Sequence[tuple[int, int]], *, transform: bool) -> bytes:
    """One codestream of several that are grey, coded alike and in a single tile-part."""
    first = streams[0]
    header = parse_header(first)
    siz_end = 6 + 36 + 3
    siz = bytearray(first[4 : siz_end - 3])
    siz[:2] = (38 + 3 * len(streams)).to_bytes(2, "big")
    siz[36:38] = len(streams).to_bytes(2, "big")
    components = b"".join(bytes((7, *each)) for each in apart)
    main = bytearray(first[:4] + siz + components + first[siz_end : header.length])
    moved = 3 * (len(streams) - 1)
    main[header.transform_at + moved] = transform
    main[header.transform_at + moved - 3] = _BY_COMPONENT
    packets = b"".join(_packets(stream) for stream in streams)
    tile_part = b"\xff\x90\0\x0a\0\0" + (14 + len(packets)).to_bytes(4, "big") + b"\0\1\xff\x93"
    return bytes(main) + tile_part + packets + b"\xff\xd9"


def _packets(stream: bytes) -> bytes:
    """What lies between SOD and EOC."""
    tile_part = parse_header(stream).length
    return stream[stream.index(b"\xff\x93", tile_part) + 2 : -2]
