"""The pieces of tissue on the glass: their outlines and layers, on the coarse lattice."""

import math
from dataclasses import dataclass

import numpy as np

from tiling.geometry import Size
from tiling.sample.noise import Field, Places, drift
from tiling.sample.scale import LATTICE, MPP_UM, px


@dataclass(frozen=True, slots=True)
class Fragment:
    """A strip of colon, from its surface (above) to its submucosa (below), before it is bent."""

    centre: tuple[float, float]
    """Across and down, as parts of the canvas."""
    half_length_um: float
    half_thickness_um: float
    angle: float
    """Of its long axis, in radians, clockwise on the screen."""
    bend: float
    """Sag of the long axis at its ends, as a part of the half length."""
    mucosa_um: float
    """Thickness of the layer with glands."""
    tubes: bool
    """Whether its glands are cut along (tubes) or across (rosettes)."""


FRAGMENTS = (
    Fragment((0.475, 0.265), 1260, 420, -0.07, 0.10, 500, tubes=True),
    Fragment((0.36, 0.755), 880, 385, 0.10, -0.12, 560, tubes=False),
    Fragment((0.825, 0.73), 330, 400, -0.5, 0.15, 520, tubes=False),
)
"""Laid out for a canvas of 3.1 mm x 2.3 mm; on a smaller one they reach beyond its edges."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """Smooth facts about every place, on the lattice; all fields `(rows, columns)`."""

    depth_px: Field
    """Distance inwards from the nearest outline; negative on glass."""
    below_um: Field
    """Distance from the surface of the mucosa, across the layers."""
    mucosa_um: Field
    """Where the mucosa ends, in the measure of `below_um`."""
    angle: Field
    """Direction of the layers, in radians."""
    warp: tuple[Field, Field]
    """Displacement of textures, across and down, in pixels."""
    patchiness: Field
    """Noise of mean 0 and deviation 1: oedema, crowds of cells."""


def survey(rng: np.random.Generator, size: Size) -> Terrain:
    """Lay the fragments on a canvas of `size` pixels."""
    shape = (size.rows // LATTICE + 3, size.columns // LATTICE + 3)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) * LATTICE
    rough = [
        px(26) * drift(rng, shape, px(330) / LATTICE) + px(7) * drift(rng, shape, px(70) / LATTICE)
        for _ in range(2)
    ]
    depth = np.full(shape, -1e6, np.float32)
    below, mucosa, angle = (np.zeros(shape, np.float32) for _ in range(3))
    for fragment in FRAGMENTS:
        along, across = to_local(fragment, size, x + rough[0], y + rough[1])
        inside = _inside(fragment, along * MPP_UM, across * MPP_UM)
        slope_rows, slope_columns = np.gradient(inside, LATTICE)
        distance = inside / np.maximum(np.hypot(slope_rows, slope_columns), 1e-5)
        mine = distance > depth
        depth = np.where(mine, distance, depth)
        below = np.where(mine, across * MPP_UM + fragment.half_thickness_um, below)
        mucosa = np.where(mine, fragment.mucosa_um, mucosa)
        angle = np.where(mine, fragment.angle, angle)
    mucosa = mucosa + 14 * drift(rng, shape, px(160) / LATTICE)
    warp = [px(15) * drift(rng, shape, px(110) / LATTICE) for _ in range(2)]
    patchiness = drift(rng, shape, px(90) / LATTICE)
    return Terrain(depth, below, mucosa, angle, (warp[0], warp[1]), patchiness)


def to_local(fragment: Fragment, size: Size, x: Places, y: Places) -> tuple[Places, Places]:
    """Places of the canvas along and across a fragment's bent axis, in pixels from its middle."""
    dx, dy = x - fragment.centre[0] * size.columns, y - fragment.centre[1] * size.rows
    cos, sin = math.cos(fragment.angle), math.sin(fragment.angle)
    along, across = dx * cos + dy * sin, dy * cos - dx * sin
    return along, across - _sag(fragment, along)


def to_canvas(
    fragment: Fragment, size: Size, along: Places, across: Places
) -> tuple[Places, Places]:
    """The inverse of `to_local`."""
    across = across + _sag(fragment, along)
    cos, sin = math.cos(fragment.angle), math.sin(fragment.angle)
    return (
        fragment.centre[0] * size.columns + along * cos - across * sin,
        fragment.centre[1] * size.rows + along * sin + across * cos,
    )


def place_at(
    fragment: Fragment, size: Size, along_um: float, across_um: float
) -> tuple[float, float]:
    """One place of a fragment on the canvas, in pixels."""
    x, y = to_canvas(fragment, size, np.array([px(along_um)]), np.array([px(across_um)]))
    return float(x[0]), float(y[0])


def _sag(fragment: Fragment, along: Places) -> Places:
    half = px(fragment.half_length_um)
    return np.asarray(fragment.bend * half * (along / half) ** 2, along.dtype)


def _inside(fragment: Fragment, along_um: Places, across_um: Places) -> Field:
    """1 in the middle, 0 on the outline, negative beyond: a rounded strip."""
    a = np.abs(along_um) / fragment.half_length_um
    b = np.abs(across_um) / fragment.half_thickness_um
    return np.asarray(1 - (a**5 + b**5) ** 0.2, np.float32)


def enlarge(field: Field, top: int, left: int, rows: int, columns: int) -> Field:
    """A part of a lattice field at full resolution, `(rows, columns)`, bilinear.

    Two small matrix products: far quicker than gathering four neighbours for each pixel.
    """
    first_row, first_column = top // LATTICE, left // LATTICE
    part = field[
        first_row : first_row + rows // LATTICE + 2,
        first_column : first_column + columns // LATTICE + 2,
    ]
    down = _weights(top - first_row * LATTICE, rows, part.shape[0])
    across = _weights(left - first_column * LATTICE, columns, part.shape[1])
    return np.asarray(down @ part @ across.T, np.float32)


def _weights(start: int, count: int, points: int) -> Field:
    place = (np.arange(start, start + count) / LATTICE).astype(np.float32)
    distance = np.abs(place[:, None] - np.arange(points, dtype=np.float32)[None, :])
    return np.asarray(np.maximum(0, 1 - distance), np.float32)
