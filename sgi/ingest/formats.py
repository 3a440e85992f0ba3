"""Every format that can be taken in: the scanners' files, and DICOM from elsewhere."""

from pathlib import Path

from tiling.limits import Limits
from tiling.registry import open_slide
from tiling.slide import SlideReader

_USUAL_LIMITS = Limits()


def open_any(path: Path, limits: Limits = _USUAL_LIMITS) -> SlideReader:
    """Open a slide with the format that is surest of it; raises as `open_slide`."""
    return open_slide(path, limits)
