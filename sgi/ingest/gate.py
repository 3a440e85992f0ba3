"""The quality gate in front of an open slide and its pyramid."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sgi.domain.quality import QualityThresholds
from sgi.ingest.quality.examine import examine
from sgi.ingest.quality.report import Examination
from sgi.ingest.quality.views import Image
from tiling.errors import TilingError
from tiling.geometry import Size
from tiling.pyramid import EncodedLevel
from tiling.slide import AssociatedKind, Samples, SlideReader, plane_shown_first

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _LevelView:
    """A level in one focal plane, through the first optical path."""

    level: EncodedLevel
    plane: int

    @property
    def size(self) -> Size:
        return self.level.size

    @property
    def tile(self) -> Size:
        return self.level.tile

    @property
    def downsample(self) -> float:
        return self.level.downsample

    def pixels(self, column: int, row: int) -> Samples:
        return self.level.pixels(column, row, 0, self.plane)


@dataclass(frozen=True, slots=True)
class _View:
    """The slide as the gate sees it."""

    levels: Sequence[_LevelView]
    pixel_spacing_mm: tuple[float, float] | None
    overview: Image | None


def judge_slide(
    reader: SlideReader, levels: Sequence[EncodedLevel], thresholds: QualityThresholds
) -> Examination | None:
    """The report and the heat map; None where the slide's own pixels cannot be unpacked, and for
    light, which the gate was never proved on.

    A slide that nobody could judge is no worse for it: whoever opens it sees that it was not.
    """
    if reader.pixel_format.samples == 1:
        return None
    try:
        overview = _overview(reader)
        plane = plane_shown_first(reader.focal_planes_um)
        views = [_LevelView(level, plane) for level in levels]
        view = _View(views, reader.metadata.pixel_spacing_mm, overview)
        return examine(view, thresholds)
    except Exception as error:  # noqa: BLE001 - no defect of the judge's may keep a slide out
        _log.warning("a slide was not judged: %s", type(error).__name__)
        return None


def _overview(reader: SlideReader) -> Image | None:
    if AssociatedKind.OVERVIEW not in reader.associated:
        return None
    try:
        return np.asarray(reader.read_associated(AssociatedKind.OVERVIEW), np.uint8)
    except TilingError:
        return None
