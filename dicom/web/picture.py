"""One frame as a picture: for processes that are confined, since frames and profiles came from
files.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from dicom.web.media import JPEG
from dicom.web.rendering import Box
from tiling.codecs import frames
from tiling.colour import Target, convert_colour, profile_of
from tiling.composite import Window
from tiling.geometry import Size
from tiling.slide import PixelFormat, TileEncoding

USUAL_QUALITY = 90
_MOST_PIXELS = 1 << 27


@dataclass(frozen=True, slots=True)
class FramePicture:
    """What is made of a frame."""

    box: Box
    size: Size
    media_type: str
    quality: int = USUAL_QUALITY
    window: Window | None = None
    profile: bytes | None = None
    """Of the frame's colours; None for sRGB."""
    target: Target | None = None
    """Colours are converted into these."""
    with_profile: bool = False
    """Whether the picture says what its colours mean."""


def draw_frame(
    frame: bytes,
    encoding: TileEncoding,
    tile: Size,
    pixel_format: PixelFormat,
    asked: FramePicture,
) -> bytes:
    """The picture as a file. Raises DamagedSlideError and its kin."""
    samples = frames.decode(frame, encoding, tile, pixel_format)
    box = asked.box
    samples = samples[box.top : box.top + box.rows, box.left : box.left + box.columns]
    if pixel_format.samples == 1:
        window = asked.window or Window(0, pixel_format.brightest)
        pixels = window.apply(samples)[:, :, 0]
    else:
        pixels = np.asarray(samples >> max(pixel_format.bits - 8, 0), np.uint8)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if image.size != (asked.size.columns, asked.size.rows):
        image = image.resize((asked.size.columns, asked.size.rows), Image.Resampling.HAMMING)
    profile = asked.profile or profile_of(Target.SRGB)
    if pixel_format.samples == 3 and asked.target is not None:
        image = _converted(image, profile, asked.target)
        profile = profile_of(asked.target)
    return _encoded(image, asked.media_type, asked.quality, profile if asked.with_profile else None)


def _converted(image: Image.Image, profile: bytes, target: Target) -> Image.Image:
    if profile == profile_of(target):
        return image
    return Image.fromarray(convert_colour(np.asarray(image), profile, target))


def encode_again(
    picture: bytes,
    media_type: str,
    quality: int,
    profile: bytes | None,
    target: Target | None = None,
) -> bytes:
    """A lossless picture of ours in another quality, with a profile, or from sRGB into a target's
    colours.
    """
    with Image.open(io.BytesIO(picture), formats=("PNG",)) as image:
        if image.width * image.height > _MOST_PIXELS:
            raise ValueError("no picture of ours is so large")
        pixels = image.convert("RGB")
    if target is not None:
        pixels = _converted(pixels, profile_of(Target.SRGB), target)
    return _encoded(pixels, media_type, quality, profile)


def _encoded(image: Image.Image, media_type: str, quality: int, profile: bytes | None) -> bytes:
    file = io.BytesIO()
    extra = {} if profile is None or image.mode != "RGB" else {"icc_profile": profile}
    if media_type == JPEG:
        image.save(file, "JPEG", quality=quality, subsampling=0, **extra)
    else:
        image.save(file, "PNG", compress_level=3, **extra)
    return file.getvalue()
