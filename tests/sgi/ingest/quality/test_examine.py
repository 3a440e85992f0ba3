import imagecodecs
import numpy as np
import pytest

from sgi.domain.quality import FindingCode, Limit, QualityThresholds, Verdict
from sgi.ingest.quality.examine import examine
from sgi.ingest.quality.low_image import PIXELS
from sgi.ingest.quality.report import Examination
from sgi.ingest.quality.sampling import MOST_TILES
from sgi.ingest.quality.testing import MemoryLevel, MemorySlide, blur, build_levels
from sgi.ingest.quality.views import Image
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.sample.glass import draw_label, draw_overview

SPACING = (0.00025, 0.00025)


def look_at(base: Image, overview: Image | None = None) -> Examination:
    return examine(MemorySlide(build_levels(base), SPACING, overview))


def codes(seen: Examination) -> set[FindingCode]:
    return {finding.code for finding in seen.report.findings}


def test_a_sound_slide_passes(section: Image) -> None:
    seen = look_at(section, draw_overview(section, draw_label()))
    assert seen.report.verdict is Verdict.PASS, seen.report.findings
    measures = seen.report.measures
    assert measures.tissue_share == pytest.approx(0.45, abs=0.15)
    assert measures.edge_um == pytest.approx(0.85, abs=0.2)
    assert measures.brightness == pytest.approx(245 / 255, abs=0.01)
    assert seen.heat_map is not None
    assert seen.heat_map.values.shape == (6, 8)
    assert seen.heat_map.cell == Size(256, 256)
    assert seen.heat_map.values[0].max() == 0, "glass"
    assert np.median(seen.heat_map.values[2:4, 2:6]) > 128
    assert measures.missing_outside_share == pytest.approx(0, abs=0.01)
    alone = look_at(section).report.measures
    assert alone.overview_agreement is alone.missing_inside_share is None
    assert alone.blurred_share == measures.blurred_share


def test_a_slide_out_of_focus_wants_a_rescan(section: Image) -> None:
    seen = look_at(blur(section, 4))
    assert seen.report.verdict is Verdict.RESCAN
    assert codes(seen) == {FindingCode.OUT_OF_FOCUS}
    assert seen.heat_map is not None
    known = seen.heat_map.values[seen.heat_map.values > 0]
    assert np.median(known) < 128


def test_the_heat_map_shows_where(section: Image) -> None:
    spoiled = section.copy()
    spoiled[:, 1024:] = blur(section[:, 1024:], 4)
    seen = look_at(spoiled)
    assert codes(seen) == {FindingCode.OUT_OF_FOCUS}
    assert seen.heat_map is not None
    values = seen.heat_map.values
    left, right = values[2:4, 1:4], values[2:4, 4:7]
    assert left[left > 0].min() > 128 > right[right > 0].max()
    assert (imagecodecs.png_decode(seen.heat_map.as_png()) == values).all()


def test_pen_light_and_missing_tissue_are_found(section: Image) -> None:
    written = section.copy()
    written[700:900] = (30, 50, 170)
    assert FindingCode.PEN in codes(look_at(written))
    assert FindingCode.DIM in codes(look_at((section * 0.5).astype(np.uint8)))
    bright = np.clip(section * 1.6, 0, 255).astype(np.uint8)
    assert FindingCode.OVEREXPOSED in codes(look_at(bright))
    part = np.ascontiguousarray(section[:, :1200])
    seen = look_at(part, draw_overview(section, draw_label()))
    assert FindingCode.MISSING_TISSUE in codes(seen)


def test_empty_glass_has_no_tissue() -> None:
    seen = look_at(np.full((1000, 1000, 3), 243, np.uint8))
    assert codes(seen) == {FindingCode.NO_TISSUE}
    assert seen.heat_map is None
    assert seen.report.measures.blurred_share is None


def test_an_establishments_own_limits_are_used(section: Image) -> None:
    lenient = QualityThresholds(blurred=Limit(), blurred_edge_um=50)
    slide = MemorySlide(build_levels(blur(section, 4)), SPACING)
    assert examine(slide, lenient).report.verdict is Verdict.PASS


def test_what_would_cost_too_much_wants_a_look() -> None:
    slide = MemorySlide((MemoryLevel(np.broadcast_to(np.uint8(9), (9000, 9000, 3))),))
    seen = examine(slide)
    assert codes(seen) == {FindingCode.NOT_MEASURED}
    assert seen.heat_map is None


def test_reading_is_bounded_however_large_the_slide(section: Image) -> None:
    tile = np.ascontiguousarray(section[400:656, 600:856])
    base = _Endless(Size(200_000, 150_000), tile)
    low = MemoryLevel(np.tile(tile, (4, 5, 1)), downsample=160)
    seen = examine(MemorySlide((base, low), SPACING))  # type: ignore[arg-type]
    assert base.reads <= MOST_TILES
    assert low.size.area <= PIXELS
    assert seen.report.measures.tiles_read == base.reads
    assert seen.heat_map is not None
    assert max(seen.heat_map.values.shape) <= 256


def test_fluorescence_has_focus_only(section: Image) -> None:
    cells = 255 - section[:, :, 1:2]
    levels = [MemoryLevel(cells.astype(np.uint16) * 16)]
    levels.append(MemoryLevel(np.ascontiguousarray(levels[0].whole[::4, ::4]), downsample=4))
    sharp = examine(MemorySlide(tuple(levels), SPACING)).report
    assert sharp.measures.edge_pixels is not None
    assert sharp.measures.blurred_share == pytest.approx(0, abs=0.05)
    assert sharp.measures.pen_share is None
    assert sharp.measures.brightness is None


def test_a_damaged_tile_is_told() -> None:
    class Damaged(MemoryLevel):
        def pixels(self, column: int, row: int) -> Image:
            raise DamagedSlideError("A tile cannot be decoded; scan the slide again.")

    with pytest.raises(DamagedSlideError):
        examine(MemorySlide((Damaged(np.zeros((300, 300, 3), np.uint8)),)))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 700, 3), (5, 3, 1), (300, 2, 3)])
@pytest.mark.parametrize("value", [0, 90, 255])
def test_the_smallest_slides_have_an_answer(shape: tuple[int, int, int], value: int) -> None:
    examine(MemorySlide((MemoryLevel(np.full(shape, value, np.uint8)),), overview=None))


class _Endless:
    """A base of one tile, over and over."""

    downsample = 1.0

    def __init__(self, size: Size, tile: Image) -> None:
        self.size = size
        self.tile = Size(tile.shape[1], tile.shape[0])
        self._pixels = tile
        self.reads = 0

    def pixels(self, column: int, row: int) -> Image:
        self.reads += 1
        return self._pixels
