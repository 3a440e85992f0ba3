"""Slides for `sgi bench quality`: real ones where the folder of test slides is named, and drawn."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import imagecodecs
import numpy as np

from benchmarks.spoiled import fade
from sgi.ingest.quality.testing import MemorySlide, blur, build_levels
from sgi.ingest.quality.views import Image
from tiling.downsample import halve
from tiling.registry import open_slide
from tiling.sample import SAMPLE_SIZE
from tiling.sample.glass import draw_label, draw_overview
from tiling.sample.section import draw_section
from tiling.slide import AssociatedKind, SlideReader

_SLIDES = (
    "aperio/CMU-1-Small-Region.svs",
    "ome-tiff/OS-2-ndpi.ome.tif",
    "ome-tiff/OS-2-vsi.ome.tif",
    "synthetic/aperio-jpeg.svs",
    "dicom-wsi/gcp-jpeg.dcm",
)
_PHOTOGRAPHS = (
    "he-images/hgsc_nest.jpg",
    "he-images/hgsc_stromal_he.jpg",
    "he-images/tiatoolbox-target.png",
    "he-images/skimage-ihc.png",
    "he-images/stardist-histo.jpg",
)
_MOST_PIXELS = 7_000_000
"""A larger base is cut to its upper left part of this many: everything is held in memory."""
_OVERVIEW_CUT = (68, 318, 404, 748)
"""Top, bottom, left, right of the scanned area on the overview of CMU-1, inside its green frame."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """A slide to be spoiled."""

    name: str
    base: Image
    pixel_spacing_mm: tuple[float, float] | None = None
    overview: Image | None = None
    """Set on the slides that stand for what is missing, and for nothing else."""

    def as_slide(self) -> MemorySlide:
        """With the levels that ingest would build."""
        return MemorySlide(build_levels(self.base), self.pixel_spacing_mm, self.overview)

    def of(self, base: Image) -> "Specimen":
        """The same slide with other pixels, compressed as a scanner would."""
        stream = imagecodecs.jpeg_encode(np.ascontiguousarray(base), level=85)
        return replace(self, base=np.asarray(imagecodecs.jpeg_decode(stream)))


def slides() -> Iterator[Specimen]:
    """The drawn slide, then every real one that is there."""
    section = draw_section(SAMPLE_SIZE, seed=2024)
    part = np.ascontiguousarray(section[:2560, 2048:5120])
    yield Specimen("drawn sample", part, (0.00025, 0.00025))
    small = halve(halve(halve(section)))
    yield Specimen("drawn sample, overview", small, None, draw_overview(section, draw_label()))
    del section
    folder = _folder()
    if folder is None:
        return
    for name in _SLIDES:
        yield _read(folder / name)
    for name in _PHOTOGRAPHS:
        pixels = np.asarray(imagecodecs.imread(folder / name))[:, :, :3]
        yield Specimen(name, np.ascontiguousarray(pixels))
    yield _level_and_overview(folder / "synthetic/aperio-jpeg.svs")
    yield _overview_alone(folder / _SLIDES[0])


def _folder() -> Path | None:
    given = os.environ.get("SGI_TEST_DATA")
    if not given:
        return None
    folders = (Path(given) / "slides", Path(given))
    return next((folder for folder in folders if (folder / _SLIDES[0]).is_file()), None)


def _read(path: Path) -> Specimen:
    """Its base, or the upper part of it, without the overview."""
    reader = open_slide(path)
    try:
        level = reader.levels[0]
        rows = max(1, _MOST_PIXELS // (level.size.columns * level.tile.rows))
        base = _pixels(reader, 0, rows)
        spacing = reader.metadata.pixel_spacing_mm
    finally:
        reader.close()
    return Specimen("/".join(path.parts[-2:]), base, spacing)


def _pixels(reader: SlideReader, index: int, most: int) -> Image:
    """A level, at most that many rows of tiles."""
    level = reader.levels[index]
    tiles = level.grid.tiles
    rows = [
        np.concatenate([reader.read_tile(index, c, r) for c in range(tiles.columns)], axis=1)
        for r in range(min(most, tiles.rows))
    ]
    whole = np.concatenate(rows)[: level.size.rows, : level.size.columns]
    return np.ascontiguousarray(whole)


def _level_and_overview(path: Path) -> Specimen:
    """Real pixels at a quarter of their size, and the overview that was put together from them."""
    reader = open_slide(path)
    try:
        overview = reader.read_associated(AssociatedKind.OVERVIEW)
        scan = _pixels(reader, 1, 1000)
    finally:
        reader.close()
    return Specimen("/".join((*path.parts[-2:], "overview")), scan, None, overview)


def _overview_alone(path: Path) -> Specimen:
    """A real overview, and its own scanned area, paler, as the scan."""
    reader = open_slide(path)
    try:
        overview = reader.read_associated(AssociatedKind.OVERVIEW)
    finally:
        reader.close()
    top, bottom, left, right = _OVERVIEW_CUT
    scan = overview[top:bottom, left:right].repeat(3, 0).repeat(3, 1)
    return Specimen("overview of CMU-1", fade(blur(scan, 1.5), 0.25), None, overview)
