"""The stained section as a scanner would see it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from tiling.geometry import Size
from tiling.sample.canvas import Canvas, Dye
from tiling.sample.cells import CellBank
from tiling.sample.features import paint_fat, paint_vessels, place_follicle
from tiling.sample.fragments import FRAGMENTS, survey
from tiling.sample.glands import paint_gland, place_glands
from tiling.sample.scatter import scatter_cells
from tiling.sample.stains import colour_table, grain
from tiling.sample.stroma import paint_stroma, weave
from tiling.slide import Pixels

_STRIP = 256
"""Rows developed at once."""


def draw_section(size: Size, seed: int) -> Pixels:
    """Paint the tissue and develop it as RGB `(rows, columns, 3)`, the same for the same seed."""
    rng = np.random.default_rng(seed)
    canvas, terrain, textures, bank = Canvas(size), survey(rng, size), weave(rng), CellBank(rng)
    paint_stroma(canvas, terrain, textures)
    place_follicle(canvas)
    for fragment in FRAGMENTS:
        for gland in place_glands(rng, fragment, canvas):
            paint_gland(canvas, gland, textures, bank, rng)
    paint_fat(canvas, rng)
    paint_vessels(canvas, bank, rng)
    scatter_cells(canvas, terrain, bank, rng)
    return _develop(canvas, rng)


def _develop(canvas: Canvas, rng: np.random.Generator) -> Pixels:
    """From dyes to light, strip by strip, with the lens' softness and the camera's noise."""
    table = colour_table().reshape(-1, 3)
    noise = np.tile(grain(rng, _STRIP), (1, -(-canvas.size.columns // _STRIP), 1))
    noise = noise[:, : canvas.size.columns]
    pixels = np.empty((canvas.size.rows, canvas.size.columns, 3), np.uint8)

    def develop(top: int) -> None:
        rows = min(_STRIP, canvas.size.rows - top)
        haematoxylin = _soften(canvas.haematoxylin, top, rows)
        eosin = _soften(canvas.eosin, top, rows)
        light = table.take(eosin.astype(np.int32) * 256 + haematoxylin, axis=0).astype(np.int16)
        # The glass itself stays without noise: it is most of the slide, and should cost nothing.
        light += noise[:rows] * (haematoxylin + eosin > 0)[:, :, None]
        pixels[top : top + rows] = np.clip(light, 0, 255)

    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(develop, range(0, canvas.size.rows, _STRIP)):
            pass
    return pixels


def _soften(dye: Dye, top: int, rows: int) -> NDArray[np.uint16]:
    """A strip of a dye blurred by 1-2-1 both ways, which is a lens in good focus."""
    start, stop = max(0, top - 1), min(dye.shape[0], top + rows + 1)
    part = np.pad(
        dye[start:stop].astype(np.uint16),
        ((int(top == 0), int(top + rows == dye.shape[0])), (1, 1)),
        mode="edge",
    )
    down = part[:-2] + 2 * part[1:-1] + part[2:]
    return np.asarray((down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:] + 8) >> 4, np.uint16)
