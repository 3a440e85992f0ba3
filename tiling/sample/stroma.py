"""The ground that cells lie in: lamina propria, muscle and submucosa, painted block by block."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from math import cos, sin

import numpy as np

from tiling.sample.canvas import MAP_STEP, Canvas, Kind
from tiling.sample.fragments import Terrain, enlarge
from tiling.sample.noise import FIBRE_SIDE, Field, fibres, step
from tiling.sample.scale import LATTICE, px
from tiling.sample.stains import UNITS

_BLOCK = 256
"""Side of a block in pixels: its arrays stay in the processor's cache."""
_MUSCLE_UM = 42
"""Thickness of the muscularis mucosae."""
_SURFACE_UM = 24
"""Height of the surface epithelium."""


class Weave(Enum):
    """The three textures of connective tissue."""

    FINE = auto()
    MUSCLE = auto()
    BUNDLES = auto()


def weave(rng: np.random.Generator) -> Mapping[Weave, Field]:
    """One texture of each kind."""
    return {
        Weave.FINE: fibres(rng, px(9), px(2.2)),
        Weave.MUSCLE: fibres(rng, px(40), px(1.8)),
        Weave.BUNDLES: fibres(rng, px(45), px(6.5)),
    }


def paint_stroma(canvas: Canvas, terrain: Terrain, textures: Mapping[Weave, Field]) -> None:
    """Paint every block that has tissue; blocks share no pixels, so two threads do it."""
    corners = [
        (top, left)
        for top in range(0, canvas.size.rows, _BLOCK)
        for left in range(0, canvas.size.columns, _BLOCK)
    ]
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda corner: _paint_block(canvas, terrain, textures, *corner), corners):
            pass


def _paint_block(
    canvas: Canvas, terrain: Terrain, textures: Mapping[Weave, Field], top: int, left: int
) -> None:
    rows, columns = min(_BLOCK, canvas.size.rows - top), min(_BLOCK, canvas.size.columns - left)

    def here(field: Field) -> Field:
        return enlarge(field, top, left, rows, columns)

    depth = here(terrain.depth_px)
    if depth.max() < -4:
        return
    below, mucosa, patchiness = (
        here(field) for field in (terrain.below_um, terrain.mucosa_um, terrain.patchiness)
    )
    y, x = np.mgrid[top : top + rows, left : left + columns].astype(np.float32)
    x, y = x + here(terrain.warp[0]), y + here(terrain.warp[1])
    angle = float(terrain.angle[top // LATTICE, left // LATTICE])
    along = x * cos(angle) + y * sin(angle)
    across = y * cos(angle) - x * sin(angle)

    fine = _lookup(textures[Weave.FINE], along, across)
    eosin = (0.25 + 0.20 * fine) * (1 - 0.45 * step(patchiness, 0.2, 2.2))
    haematoxylin = 0.05 + 0.05 * fine
    in_muscle = step(below - mucosa, -4, 4)
    in_submucosa = step(below - mucosa, _MUSCLE_UM - 5, _MUSCLE_UM + 5)
    surface = step(depth, px(_SURFACE_UM) + 3, px(_SURFACE_UM) - 3) * step(below, 260, 200)
    surface *= 1 - in_muscle
    if in_muscle.any():
        muscle = _lookup(textures[Weave.MUSCLE], along, across)
        eosin += in_muscle * (0.35 + 0.34 * muscle - eosin)
    if in_submucosa.any():
        bundles = _lookup(textures[Weave.BUNDLES], along * 0.8 + across * 0.35, across)
        collagen = step(bundles, 0.30, 0.62) * (0.36 + 0.26 * fine)
        eosin += in_submucosa * (0.05 + collagen - eosin)
        haematoxylin -= 0.03 * in_submucosa
    if surface.any():
        border = step(np.abs(depth - px(1)), px(0.9), 0)
        eosin += surface * (0.40 - 0.10 * fine + 0.22 * border - eosin)
        haematoxylin += surface * (0.10 + 0.05 * fine - haematoxylin)

    tissue = step(depth, -1.5, 2.5)
    place = np.s_[top : top + rows, left : left + columns]
    canvas.eosin[place] = np.clip(eosin * tissue * UNITS, 0, 255)
    canvas.haematoxylin[place] = np.clip(haematoxylin * tissue * UNITS, 0, 255)

    kinds = np.full(depth.shape, Kind.LAMINA_PROPRIA, np.uint8)
    kinds[in_muscle > 0.5] = Kind.MUSCLE
    kinds[in_submucosa > 0.5] = Kind.SUBMUCOSA
    kinds[surface > 0.5] = Kind.SURFACE
    kinds[depth < px(2)] = Kind.GLASS
    canvas.kinds[
        top // MAP_STEP : -(-(top + rows) // MAP_STEP),
        left // MAP_STEP : -(-(left + columns) // MAP_STEP),
    ] = kinds[::MAP_STEP, ::MAP_STEP]


def _lookup(texture: Field, along: Field, across: Field) -> Field:
    """The texture at places in pixels, repeated in both directions."""
    mask = FIBRE_SIDE - 1
    index = (across.astype(np.int32) & mask) * FIBRE_SIDE + (along.astype(np.int32) & mask)
    return texture.ravel().take(index)
