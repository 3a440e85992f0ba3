"""A compressed tile as a JPEG that every browser shows, whatever it was compressed with."""

import numpy as np

from tiling.codecs import frames, jpeg
from tiling.composite import Window
from tiling.geometry import Size
from tiling.slide import Codec, Colour, PixelFormat, Pixels, Samples, TileEncoding

_QUALITY = 95
"""Above what tiles are compressed with when they are made: little is lost a second time."""
_GREY = TileEncoding(Colour.GREY)
_COLOURS = TileEncoding(Colour.YCBCR, (1, 1))


def is_shown_as_it_is(encoding: TileEncoding, pixel_format: PixelFormat) -> bool:
    """Whether a browser shows a stored frame: a JPEG in colours. Light alone needs its window."""
    return encoding.codec is Codec.JPEG and pixel_format.samples == 3


def render_tile(
    frame: bytes,
    encoding: TileEncoding,
    tile: Size,
    pixel_format: PixelFormat,
    window: Window | None = None,
) -> bytes:
    """The tile as baseline JPEG: grey between the ends of `window`, or in its colours.

    Raises DamagedSlideError and its kin for a frame that is broken.
    """
    samples = frames.decode(frame, encoding, tile, pixel_format)
    if pixel_format.samples == 1:
        shown = (window or Window(0, pixel_format.brightest)).apply(samples)
        return jpeg.encode(shown, _GREY, _QUALITY)
    return jpeg.encode(_eight_bits(samples, pixel_format), _COLOURS, _QUALITY)


def _eight_bits(samples: Samples, pixel_format: PixelFormat) -> Pixels:
    return np.asarray(samples >> max(pixel_format.bits - 8, 0), np.uint8)
