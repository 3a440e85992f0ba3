"""A compressed tile as a JPEG that every browser shows, whatever it was compressed with."""

import numpy as np

from tiling.codecs import frames, jpeg
from tiling.colour import Target, convert_colour, with_profile
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
    profile: bytes | None = None,
    target: Target | None = None,
) -> bytes:
    """The tile as baseline JPEG: grey between the ends of `window`, or in its colours; these in
    those of `target`, and saying so, where it is given with the slide's ICC `profile`.

    Raises DamagedSlideError and its kin for a frame or a profile that is broken.
    """
    samples = frames.decode(frame, encoding, tile, pixel_format)
    if pixel_format.samples == 1:
        shown = (window or Window(0, pixel_format.brightest)).apply(samples)
        return jpeg.encode(shown, _GREY, _QUALITY)
    pixels = _eight_bits(samples, pixel_format)
    if profile is None or target is None:
        return jpeg.encode(pixels, _COLOURS, _QUALITY)
    converted = convert_colour(pixels, profile, target)
    return with_profile(jpeg.encode(converted, _COLOURS, _QUALITY), target)


def _eight_bits(samples: Samples, pixel_format: PixelFormat) -> Pixels:
    return np.asarray(samples >> max(pixel_format.bits - 8, 0), np.uint8)
