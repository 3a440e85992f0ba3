"""The cells between the glands, strewn by what the ground is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiling.geometry import Size
from tiling.sample.canvas import Canvas, Kind
from tiling.sample.cells import Cell, CellBank
from tiling.sample.fragments import Terrain
from tiling.sample.noise import Places
from tiling.sample.scale import LATTICE, px


@dataclass(frozen=True, slots=True)
class _Population:
    """Which cells live on a kind of ground, and how densely."""

    ground: Kind
    spacing_um: float
    share: float
    """Part of the places that are taken, from 0 to 1, where the ground is even."""
    cells: Sequence[tuple[Cell, float]]
    """Kinds and their proportions, which sum to 1."""
    crowding: float = 0.0
    """How strongly the cells keep together in patches."""
    aligned: bool = True
    """Whether long cells follow the layers."""


_POPULATIONS = (
    _Population(
        Kind.LAMINA_PROPRIA,
        9.0,
        0.62,
        ((Cell.LYMPHOCYTE, 0.42), (Cell.PLASMA, 0.27), (Cell.SPINDLE, 0.12), (Cell.STROMAL, 0.16),
         (Cell.EOSINOPHIL, 0.03)),
        crowding=0.22,
        aligned=False,
    ),
    _Population(Kind.MUSCLE, 13.5, 0.62, ((Cell.SPINDLE, 0.96), (Cell.LYMPHOCYTE, 0.04))),
    _Population(
        Kind.SUBMUCOSA,
        20.0,
        0.55,
        ((Cell.SPINDLE, 0.74), (Cell.STROMAL, 0.12), (Cell.LYMPHOCYTE, 0.12), (Cell.PLASMA, 0.02)),
        crowding=0.10,
    ),
    _Population(
        Kind.FOLLICLE,
        6.6,
        0.93,
        ((Cell.LYMPHOCYTE, 0.93), (Cell.STROMAL, 0.07)),
        aligned=False,
    ),
)  # fmt: skip


def scatter_cells(
    canvas: Canvas, terrain: Terrain, bank: CellBank, rng: np.random.Generator
) -> None:
    """Strew every population over its ground, and stand the surface epithelium in its row."""
    for population in _POPULATIONS:
        _scatter(canvas, terrain, bank, rng, population)
    _line_surface(canvas, terrain, bank, rng)


def _scatter(
    canvas: Canvas, terrain: Terrain, bank: CellBank, rng: np.random.Generator,
    population: _Population,
) -> None:  # fmt: skip
    x, y = _jittered(rng, canvas.size, px(population.spacing_um), 0.42)
    ground = canvas.kind_at(x, y) == population.ground
    x, y = x[ground], y[ground]
    crowd = 1 + population.crowding * _at(terrain.patchiness, x, y)
    keep = rng.random(x.size) < population.share * crowd
    x, y = x[keep], y[keep]
    kinds = rng.choice(len(population.cells), x.size, p=[part for _, part in population.cells])
    if population.aligned:
        slope = np.asarray(np.gradient(terrain.warp[1], LATTICE, axis=1))
        angles = _at(terrain.angle, x, y) - _at(slope, x, y) + rng.normal(0, 0.22, x.size)
    else:
        angles = rng.uniform(0, np.pi, x.size)
    for at_x, at_y, kind, angle in zip(x, y, kinds, angles, strict=True):
        canvas.stamp(at_x, at_y, bank.pick(population.cells[kind][0], angle))


def _line_surface(
    canvas: Canvas, terrain: Terrain, bank: CellBank, rng: np.random.Generator
) -> None:
    """Nuclei of the surface epithelium: in its basal half, upright on the outline."""
    down, across = (np.asarray(slope) for slope in np.gradient(terrain.depth_px, LATTICE))
    for cell, spacing, low, high, share in (
        (Cell.GOBLET, 9.0, 6.5, 10.5, 0.5),
        (Cell.EPITHELIAL, 4.6, 15.0, 19.5, 0.95),
    ):
        x, y = _jittered(rng, canvas.size, px(spacing), 0.25)
        near = canvas.kind_at(x, y) == Kind.SURFACE
        x, y = x[near], y[near]
        depth = _at(terrain.depth_px, x, y)
        keep = (depth > px(low)) & (depth < px(high)) & (rng.random(x.size) < share)
        x, y = x[keep], y[keep]
        angles = np.arctan2(_at(down, x, y), _at(across, x, y)) + rng.normal(0, 0.1, x.size)
        for at_x, at_y, angle in zip(x, y, angles, strict=True):
            canvas.stamp(at_x, at_y, bank.pick(cell, angle))


def _jittered(
    rng: np.random.Generator, size: Size, spacing: float, jitter: float
) -> tuple[Places, Places]:
    """Places over the whole canvas, one in each square of `spacing` pixels."""
    rows, columns = int(size.rows / spacing), int(size.columns / spacing)
    y, x = np.mgrid[:rows, :columns].reshape(2, -1) + 0.5
    # Every other row is set off by half, as packed things are.
    x = x + 0.5 * (np.floor(y).astype(int) % 2)
    return (
        (x + rng.uniform(-jitter, jitter, x.size)) * spacing,
        (y + rng.uniform(-jitter, jitter, y.size)) * spacing,
    )


def _at(field: Places, x: Places, y: Places) -> Places:
    """A lattice field at places in pixels."""
    rows = np.clip((y / LATTICE + 0.5).astype(int), 0, field.shape[0] - 1)
    columns = np.clip((x / LATTICE + 0.5).astype(int), 0, field.shape[1] - 1)
    values: Places = field[rows, columns]
    return values
