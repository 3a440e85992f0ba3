"""The slides of the table: our own, which anybody can make, and those of a collection."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dicom.formats import open_any
from sgi.ingest.gather import gather, walk
from tiling.array_slide import ArraySlide
from tiling.errors import TilingError
from tiling.geometry import Size
from tiling.slide import Illumination, OpticalPath, SlideMetadata, SlideReader
from tiling.svs import SvsOptions, write_svs
from tiling.testing import draw_pattern

_SCALE = SlideMetadata(pixel_spacing_mm=(0.00025, 0.00025), objective_power=40.0)
_LIT = (
    OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255), 358.0, 461.0),
    OpticalPath("Cy5", Illumination.FLUORESCENCE),
)
_FOLDERS = (
    "aperio",
    "hamamatsu-ndpi",
    "perkinelmer-qptiff",
    "olympus-vsi",
    "dicom-wsi",
    "ome-tiff",
    "ome-zarr",
    "generic-tiff",
    "synthetic",
)
_MOST_PIXELS = 1 << 26
"""Of a base level: the table is made in every test run."""


@dataclass(frozen=True, slots=True)
class TableSlide:
    """A row."""

    name: str
    open: Callable[[], SlideReader]
    source: Path | None = None


def own_slides(folder: Path) -> Iterator[TableSlide]:
    """Drawn here: colours in JPEG, light in 8 and 16 bits, planes of focus."""
    svs = folder / "drawn.svs"
    picture = draw_pattern(1500, 1100)
    options = SvsOptions(factors=(1, 4), label=picture[:80, :90], overview=picture[:90, :240])
    write_svs(svs, picture, options)
    yield TableSlide("drawn: JPEG in colours, label, overview", partial(open_any, svs))
    for bits in (8, 16):
        yield TableSlide(f"drawn: 2 paths, 3 planes, {bits} bits", partial(_light, bits))
    yield TableSlide("drawn: 3 planes in colours", _planes)


def real_slides(data: Path) -> Iterator[TableSlide]:
    """Every slide of the collection that opens and is no larger than a table can bear."""
    for folder in filter(Path.is_dir, (data / name for name in _FOLDERS)):
        for candidate in gather(list(walk(folder))):
            if candidate.missing is None and _is_small_slide(candidate.main):
                name = candidate.main.relative_to(data).as_posix()
                yield TableSlide(name, partial(open_any, candidate.main), candidate.main)


def _is_small_slide(path: Path) -> bool:
    try:
        reader = open_any(path)
    except TilingError:
        return False
    try:
        layers = len(reader.optical_paths) * len(reader.focal_planes_um)
        return reader.levels[0].size.area * layers <= _MOST_PIXELS
    finally:
        reader.close()


def _light(bits: int) -> SlideReader:
    shape = (2, 3, 300, 420, 1)
    numbers = np.random.default_rng(bits).integers(0, 1 << bits, shape)
    pixels = numbers.astype(np.uint8 if bits == 8 else np.uint16)
    heights = (-1.5, 0.0, 1.5)
    return ArraySlide(pixels, _LIT, heights, bits=bits, tile=Size(128, 128), metadata=_SCALE)


def _planes() -> SlideReader:
    picture = draw_pattern(700, 500)
    planes = np.stack([picture, picture[::-1], picture[:, ::-1]])[None]
    heights = (-2.0, 0.0, 2.0)
    return ArraySlide(planes, [OpticalPath()], heights, tile=Size(256, 256), metadata=_SCALE)
