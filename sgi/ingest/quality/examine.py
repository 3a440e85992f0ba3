"""Look at a slide: one low image and a sample of the base, and what they say of its quality."""

import numpy as np

from sgi.domain.quality import DEFAULTS, Measures, QualityThresholds
from sgi.ingest.quality.boxes import box_mean, luma
from sgi.ingest.quality.exposure import measure_exposure
from sgi.ingest.quality.judge import judge
from sgi.ingest.quality.low_image import LowImage, read_low_image
from sgi.ingest.quality.missing import compare
from sgi.ingest.quality.overview import overview_density
from sgi.ingest.quality.report import Examination, HeatMap
from sgi.ingest.quality.sample import Focus, look_at_samples
from sgi.ingest.quality.sampling import plan_samples
from sgi.ingest.quality.stripes import stripe_step
from sgi.ingest.quality.tissue import TissueMap, map_tissue
from sgi.ingest.quality.views import Mask, SlideView

_MAP_SIDE = 512
"""Pixels of the longer side of the tissue map."""
_STRIPE_SIDE = 1536
"""Pixels of the longer side of the image in which stripes are sought."""


def examine(slide: SlideView, thresholds: QualityThresholds = DEFAULTS) -> Examination:
    """Measure and judge a slide; reads a bounded number of its tiles, the same ones every time.

    Whatever the levels raise passes through.
    """
    low = read_low_image(slide.levels)
    if low is None:
        return Examination(judge(Measures(), thresholds), None)
    small = low.shrunk(_MAP_SIDE)
    seen = map_tissue(small.pixels)
    spacing_um = _spacing_um(slide)
    limit = thresholds.blurred_from(spacing_um)
    values: dict[str, float | None] = {"tissue_share": float(seen.tissue.mean())}
    heat_map = None
    tiles = 0
    plan = plan_samples(slide.levels[0], seen.tissue)
    if plan is not None and plan.samples:
        focus = look_at_samples(slide.levels[0], plan, low.white)
        heat_map = HeatMap(focus.heat(limit), plan.cell)
        tiles = len(plan.samples)
        values |= _of_focus(focus, limit, spacing_um)
    if not seen.dark_field:
        values |= _of_light(low, seen)
        values |= _of_overview(slide, seen)
    measures = Measures(tiles_read=tiles, **values)
    return Examination(judge(measures, thresholds), heat_map)


def _spacing_um(slide: SlideView) -> float | None:
    spacing = slide.pixel_spacing_mm
    return None if spacing is None else 500 * (spacing[0] + spacing[1])


def _of_focus(focus: Focus, limit: float, spacing_um: float | None) -> dict[str, float | None]:
    edge = focus.edge_pixels
    return {
        "blurred_share": focus.blurred_share(limit),
        "focus_measured_share": focus.measured_share,
        "edge_pixels": edge,
        "edge_um": None if edge is None or spacing_um is None else edge * spacing_um,
        "seam_share": focus.seam_share,
    }


def _of_light(low: LowImage, seen: TissueMap) -> dict[str, float | None]:
    """Exposure, ink and stripes: what only a bright field can show."""
    image = low.shrunk(_STRIPE_SIDE).pixels
    tissue = box_mean(seen.tissue, 1) > 1 - 1e-3
    glass = box_mean(seen.tissue | seen.ink, 2) < 1e-3
    tissue, glass = (_enlarged(mask, image.shape) for mask in (tissue, glass))
    exposure = measure_exposure(image, tissue)
    return {
        "stripe_step": stripe_step(luma(image), tissue, glass),
        "overexposed_share": None if exposure is None else exposure.over,
        "underexposed_share": None if exposure is None else exposure.under,
        "brightness": None if seen.light is None else seen.light / 255,
        "pen_share": float(seen.ink.mean()),
    }


def _of_overview(slide: SlideView, seen: TissueMap) -> dict[str, float | None]:
    overview = slide.overview
    if overview is None or overview.shape[2] < 3:
        return {}
    density = np.where(seen.tissue, seen.absorption, 0).astype(np.float32)
    missing = compare(density, overview_density(overview))
    if missing is None:
        return {}
    return {
        "missing_outside_share": missing.outside,
        "missing_inside_share": missing.inside,
        "overview_agreement": missing.agreement,
    }


def _enlarged(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """The mask on the grid of an image of that shape, by the nearest pixel."""
    rows = np.arange(shape[0]) * mask.shape[0] // shape[0]
    columns = np.arange(shape[1]) * mask.shape[1] // shape[1]
    return np.asarray(mask[rows[:, None], columns], np.bool_)
