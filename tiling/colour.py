"""Colours as a scanner measured them, made into those of a screen.

A profile came from a file: what reads it (littlecms) belongs in a process that is confined.
"""

import io
from enum import StrEnum
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.matrix_profile import BT_709, DISPLAY_P3, SCREEN, matrix_profile
from tiling.slide import Pixels

MOST_PROFILE_BYTES = 1 << 22
"""Far more than a scanner's profile with its largest tables has."""
INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
"""What a screen can show is shown as it was measured against the white of the glass; what lies
beyond goes to the nearest colour. A profile that has tables for another intent alone is used
with these."""

_HEADER_BYTES = 128
_COLOURS = b"RGB "
_CLASSES = frozenset((b"scnr", b"mntr", b"prtr", b"spac"))
"""Profiles of a device or a colour space: the others lead from a profile to another."""
_APP2 = b"\xff\xe2"
_ICC_MARK = b"ICC_PROFILE\0"


class Target(StrEnum):
    """The colours that pixels are made into."""

    SRGB = "srgb"
    DISPLAY_P3 = "display-p3"


_PROFILES = {
    Target.SRGB: matrix_profile("sRGB", BT_709, SCREEN),
    Target.DISPLAY_P3: matrix_profile("Display P3", DISPLAY_P3, SCREEN),
}


def profile_of(target: Target) -> bytes:
    """The ICC profile that says what converted pixels mean."""
    return _PROFILES[target]


def convert_colour(pixels: Pixels, profile: bytes, target: Target) -> Pixels:
    """Pixels `(rows, columns, 3)` of a slide's profile in the colours of a target; a new array.

    Raises SlideTooLargeError for a profile beyond `MOST_PROFILE_BYTES`, DamagedSlideError for
    one that is broken or speaks of anything but red, green and blue.
    """
    if len(profile) > MOST_PROFILE_BYTES:
        raise SlideTooLargeError("The slide's colour profile is larger than any; it is not used.")
    shown = ImageCms.applyTransform(Image.fromarray(pixels), _transform(bytes(profile), target))
    return np.asarray(shown)


def with_profile(jpeg: bytes, target: Target) -> bytes:
    """A JPEG stream that says that its colours are a target's."""
    profile = profile_of(target)
    content = _ICC_MARK + bytes((1, 1)) + profile  # the first of one piece (ISO 15076-1 B.4)
    segment = _APP2 + (len(content) + 2).to_bytes(2, "big") + content
    return jpeg[:2] + segment + jpeg[2:]


@lru_cache(maxsize=8)
def _transform(profile: bytes, target: Target) -> ImageCms.ImageCmsTransform:
    """Built once a profile and target: tables of a profile take longer than a tile's pixels."""
    space, device = profile[16:20], profile[12:16]
    if len(profile) < _HEADER_BYTES or space != _COLOURS or device not in _CLASSES:
        raise _unusable()
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.ImageCmsProfile(io.BytesIO(profile_of(target))),
            "RGB",
            "RGB",
            INTENT,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise _unusable() from error


def _unusable() -> DamagedSlideError:
    return DamagedSlideError(
        "The slide's colour profile cannot be used; look at the slide without converting it."
    )
