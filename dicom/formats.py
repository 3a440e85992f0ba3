"""Every format that a slide may be read from: those of `tiling`, and DICOM."""

from pathlib import Path
from typing import cast

from dicom import source
from tiling.limits import Limits
from tiling.registry import Format, known_formats, open_slide
from tiling.slide import SlideReader

_USUAL_LIMITS = Limits()


def open_any(path: Path, limits: Limits = _USUAL_LIMITS) -> SlideReader:
    """Open a slide of any format; raises what `tiling.registry.open_slide` raises."""
    return open_slide(path, limits, (*known_formats(), cast("Format", source)))
