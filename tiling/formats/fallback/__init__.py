"""Everything that OpenSlide opens and no reader here knows better: pixels, no pass-through."""

from pathlib import Path

import openslide

from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, TilingError, UnsupportedSlideError
from tiling.formats.fallback.mirax import check_companions, looks_like_mirax
from tiling.formats.fallback.reader import FallbackSlide
from tiling.limits import Limits
from tiling.slide import SlideReader

NAME = "OpenSlide"


def sniff(path: Path, head: bytes) -> Confidence:
    """GENERIC for what OpenSlide detects, and for a MIRAX that it does not for want of files."""
    if looks_like_mirax(path, head) or openslide.OpenSlide.detect_format(path) is not None:
        return Confidence.GENERIC
    return Confidence.NONE


def open_(path: Path, limits: Limits) -> SlideReader:
    """Open a slide through OpenSlide.

    Raises IncompleteSlideError when companion files are missing, UnsupportedSlideError for a
    variant that OpenSlide names as such, DamagedSlideError when it fails in any other way.
    """
    with path.open("rb") as file:
        if looks_like_mirax(path, file.read(2)):
            check_companions(path)
    vendor = openslide.OpenSlide.detect_format(path) or "MIRAX"
    try:
        slide = openslide.OpenSlide(path)
    except openslide.OpenSlideError as error:
        # OpenSlide's own words may hold the file's path, so they stay in the cause.
        if "nsupported" in str(error):
            raise UnsupportedSlideError(
                f"The slide ({vendor}) is compressed in a way that cannot be read; "
                "export it again as JPEG."
            ) from error
        raise DamagedSlideError(
            f"The slide ({vendor}) cannot be opened: it is damaged, incomplete or of an unknown "
            "variant; copy it again from the scanner."
        ) from error
    try:
        return FallbackSlide(path, slide, vendor, limits)
    except ValueError as error:
        slide.close()
        raise DamagedSlideError(
            f"The slide ({vendor}) announces an image without pixels; "
            "copy it again from the scanner."
        ) from error
    except TilingError:
        slide.close()
        raise
