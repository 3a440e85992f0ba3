"""Crypts: a wall of columnar cells round a lumen, cut along as tubes or across as rosettes."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tiling.geometry import Size
from tiling.sample.canvas import MAP_STEP, Canvas, Kind
from tiling.sample.cells import Cell, CellBank
from tiling.sample.fragments import Fragment, place_at, to_canvas
from tiling.sample.noise import FIBRE_SIDE, Field, Places, step
from tiling.sample.scale import MPP_UM, px
from tiling.sample.stains import UNITS
from tiling.sample.stroma import Weave

_WALL_UM = 25
"""Height of the columnar cells."""
_MUCOSA = (Kind.LAMINA_PROPRIA, Kind.SURFACE)


@dataclass(frozen=True, slots=True)
class Gland:
    """A capsule round a gently winding axis; all lengths in pixels, angles in radians."""

    x: float
    y: float
    angle: float
    """Of the axis."""
    half_axis: float
    """Half the length of the axis; small for a rosette."""
    radius: float
    winding: tuple[float, float, float]
    """Amplitude, wavelength and phase of the axis' sway."""
    bulge: tuple[float, float]
    """Phases of the outline's irregularity."""

    def sway(self, along: Field) -> Field:
        """How far the axis lies to the side at a distance along it."""
        amplitude, wavelength, phase = self.winding
        return np.asarray(amplitude * np.sin(2 * math.pi * along / wavelength + phase), np.float32)

    def local_radius(self, along: Field, across: Field) -> Field:
        """Distance of the outline from the axis."""
        first, second = self.bulge
        turn = np.arctan2(across, along * 0.6 + 1e-3)
        slow = 0.07 * np.sin(2 * math.pi * along / px(95) + first)
        return np.asarray(self.radius * (1 + slow + 0.05 * np.cos(2 * turn + second)), np.float32)


def place_glands(rng: np.random.Generator, fragment: Fragment, canvas: Canvas) -> Iterator[Gland]:
    """Glands side by side through the mucosa of a fragment, as it has been painted."""
    if fragment.tubes:
        return _tubes(rng, fragment, canvas)
    return _rosettes(rng, fragment, canvas.size)


def _tubes(rng: np.random.Generator, fragment: Fragment, canvas: Canvas) -> Iterator[Gland]:
    along_um = -fragment.half_length_um * 0.93
    while along_um < fragment.half_length_um * 0.93:
        top, bottom = _mucosa_at(canvas, fragment, along_um)
        start = top + rng.uniform(20, 40) + (rng.random() < 0.15) * rng.uniform(40, 160)
        end = bottom - 48 - rng.uniform(0, 30)
        if end - start < 60:
            along_um += 30
            continue
        x, y = place_at(fragment, canvas.size, along_um, (start + end) / 2)
        yield Gland(
            x,
            y,
            fragment.angle + math.pi / 2 + _lean(fragment, along_um) + rng.normal(0, 0.05),
            px((end - start) / 2),
            px(rng.uniform(30, 35)),
            (px(rng.uniform(2, 8)), px(rng.uniform(150, 320)), rng.uniform(0, 2 * math.pi)),
            (rng.uniform(0, 2 * math.pi), rng.uniform(0, 2 * math.pi)),
        )
        along_um += rng.uniform(80, 96)


def _mucosa_at(canvas: Canvas, fragment: Fragment, along_um: float) -> tuple[float, float]:
    """Where a line across a fragment enters and leaves its mucosa, in micrometres across."""
    across = np.arange(-fragment.half_thickness_um - 120, fragment.half_thickness_um, 6)
    x, y = to_canvas(
        fragment,
        canvas.size,
        np.full(across.shape, px(along_um), np.float32),
        np.asarray(across / MPP_UM, np.float32),
    )
    mucosa = np.flatnonzero(np.isin(canvas.kind_at(x, y), _MUCOSA))
    return (across[mucosa[0]], across[mucosa[-1]]) if mucosa.size else (0.0, 0.0)


def _lean(fragment: Fragment, along_um: float) -> float:
    """The bent axis' slope, which crypts stand upright on."""
    return math.atan(2 * fragment.bend * along_um / fragment.half_length_um)


def _rosettes(rng: np.random.Generator, fragment: Fragment, size: Size) -> Iterator[Gland]:
    pitch = 84.0
    lines = math.ceil(fragment.mucosa_um / (pitch * 0.87))
    for line in range(lines):
        across_um = -fragment.half_thickness_um + 62 + line * pitch * 0.87
        if across_um > fragment.mucosa_um - fragment.half_thickness_um - 55:
            return
        along_um = -fragment.half_length_um + (line % 2) * pitch / 2
        while along_um < fragment.half_length_um:
            radius = rng.uniform(28, 37)
            x, y = place_at(
                fragment, size, along_um + rng.normal(0, 6), across_um + rng.normal(0, 6)
            )
            yield Gland(
                x,
                y,
                rng.uniform(0, math.pi),
                px(rng.choice((2, 6, 12, 20), p=(0.4, 0.3, 0.2, 0.1))),
                px(radius),
                (px(rng.uniform(0, 3)), px(90), rng.uniform(0, 2 * math.pi)),
                (rng.uniform(0, 2 * math.pi), rng.uniform(0, 2 * math.pi)),
            )
            along_um += pitch * rng.uniform(0.95, 1.12)


def paint_gland(
    canvas: Canvas, gland: Gland, textures: Mapping[Weave, Field], bank: CellBank,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Paint wall and lumen, then the cells along the wall; a gland off the tissue is left out."""
    for _ in range(4):
        if _fits(canvas, gland):
            break
        gland = replace(gland, half_axis=gland.half_axis * 0.85)
    else:
        return
    _paint_wall(canvas, gland, textures)
    _place_cells(canvas, gland, bank, rng)


def _fits(canvas: Canvas, gland: Gland) -> bool:
    """Whether all of the outline lies in mucosa that no other gland has taken."""
    x, y, _ = _perimeter(gland, px(10), inset=-px(5))
    kinds = canvas.kind_at(x, y)
    return bool(np.isin(kinds, _MUCOSA).mean() > 0.95)


def _paint_wall(canvas: Canvas, gland: Gland, textures: Mapping[Weave, Field]) -> None:
    reach = gland.half_axis + gland.radius * 1.2
    side = gland.radius * 1.25 + abs(gland.winding[0])
    cos, sin = math.cos(gland.angle), math.sin(gland.angle)
    width, height = abs(reach * cos) + abs(side * sin), abs(reach * sin) + abs(side * cos)
    left, top = (
        max(0, int(middle - extent) // MAP_STEP * MAP_STEP)
        for middle, extent in ((gland.x, width), (gland.y, height))
    )
    right = min(canvas.size.columns, int(gland.x + width) + 1)
    bottom = min(canvas.size.rows, int(gland.y + height) + 1)
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    x, y = x - gland.x, y - gland.y
    along, across = x * cos + y * sin, y * cos - x * sin
    across -= gland.sway(along)
    beyond = np.maximum(np.abs(along) - gland.half_axis, 0)
    grain = _repeat(textures[Weave.FINE], top, left, y.shape)
    inward = gland.local_radius(along, across) - np.hypot(beyond, across)
    wall = px(_WALL_UM) * (0.97 + 0.07 * grain)

    lumen = step(inward - wall, -1.5, 2.5)
    eosin = 0.38 - 0.12 * step(inward, px(8), px(20)) + 0.12 * (grain - 0.5)
    eosin += 0.26 * np.exp(-(((inward - wall + px(0.8)) / px(0.8)) ** 2))
    eosin += lumen * (0.025 + 0.05 * grain - eosin)
    eosin += 0.30 * np.exp(-((inward / px(0.8)) ** 2))
    haematoxylin = 0.15 + 0.05 * grain
    haematoxylin += lumen * (0.02 + 0.05 * grain - haematoxylin)

    inside = step(inward, -px(0.9), px(0.3))
    place = np.s_[top:bottom, left:right]
    for dye, density in ((canvas.eosin, eosin), (canvas.haematoxylin, haematoxylin)):
        dye[place] = dye[place] + inside * (np.clip(density * UNITS, 0, 255) - dye[place])
    kinds = canvas.kinds[
        top // MAP_STEP : -(-bottom // MAP_STEP), left // MAP_STEP : -(-right // MAP_STEP)
    ]
    kinds[inward[::MAP_STEP, ::MAP_STEP] > -px(2.5)] = Kind.OCCUPIED


def _place_cells(canvas: Canvas, gland: Gland, bank: CellBank, rng: np.random.Generator) -> None:
    """Goblets first, then nuclei near the base of the wall, each upright on the outline."""
    for spacing, inset, spread, kind, share in (
        (px(8.6), px(15.5), px(1.6), Cell.GOBLET, 0.74),
        (px(4.7), px(5.6), px(1.3), Cell.EPITHELIAL, 0.96),
    ):
        x, y, normal = _perimeter(gland, spacing, inset)
        shift = rng.normal(0, spread, x.size)
        keep = rng.random(x.size) < share
        tilt = rng.normal(0, 0.12, x.size)
        x, y = x + shift * np.cos(normal), y + shift * np.sin(normal)
        for index in np.flatnonzero(keep):
            canvas.stamp(x[index], y[index], bank.pick(kind, normal[index] + tilt[index]))


def _perimeter(gland: Gland, spacing: float, inset: float) -> tuple[Places, Places, Places]:
    """Places round the outline, `inset` pixels inside it, and the direction of its normal."""
    radius = gland.radius
    straight, arc = 2 * gland.half_axis, math.pi * radius
    walked = np.arange(0, 2 * (straight + arc), spacing)
    half = walked % (straight + arc)
    first = walked < straight + arc
    on_side = half < straight
    turn = np.where(on_side, math.pi / 2, math.pi / 2 - (half - straight) / radius)
    axis = np.where(on_side, half - gland.half_axis, gland.half_axis)
    normal_along, normal_across = np.cos(turn), np.sin(turn)
    sign = np.where(first, 1, -1)
    reach = radius - inset
    along = sign * (axis + np.where(on_side, 0, normal_along * reach))
    across = sign * normal_across * reach
    # The outline bulges, and the axis sways: follow both.
    along32, across32 = along.astype(np.float32), across.astype(np.float32)
    stretch = (gland.local_radius(along32, across32) - inset) / reach
    across = across * stretch + gland.sway(along32)
    cos, sin = math.cos(gland.angle), math.sin(gland.angle)
    x, y = gland.x + along * cos - across * sin, gland.y + along * sin + across * cos
    normal = np.arctan2(sign * normal_across, sign * normal_along) + gland.angle
    return x, y, normal


def _repeat(texture: Field, top: int, left: int, shape: tuple[int, ...]) -> Field:
    """A texture laid over a part of the canvas."""
    rows = np.arange(top, top + shape[0]) % FIBRE_SIDE
    columns = np.arange(left, left + shape[1]) % FIBRE_SIDE
    return texture[np.ix_(rows, columns)]
