"""Cells as stamps: drawn once in many shapes and directions, then laid down by the thousand."""

import math
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from tiling.sample.canvas import Dye, Stamp
from tiling.sample.noise import Field, drift, step
from tiling.sample.scale import px
from tiling.sample.stains import UNITS

DIRECTIONS = 24
"""Directions over half a turn in which every cell is drawn."""
_VARIANTS = 5


class Cell(Enum):
    """The cells of the section."""

    EPITHELIAL = auto()
    GOBLET = auto()
    LYMPHOCYTE = auto()
    PLASMA = auto()
    SPINDLE = auto()
    STROMAL = auto()
    RED = auto()
    EOSINOPHIL = auto()


@dataclass(frozen=True, slots=True)
class _Nucleus:
    """How a kind of nucleus looks."""

    half_length_um: float
    half_width_um: float
    density: float
    """Optical density of its chromatin."""
    clumping: float
    """How much the chromatin varies, from 0 to 1."""
    wobble: float
    """How far its outline departs from an ellipse, from 0 to 1."""


_NUCLEI = {
    Cell.EPITHELIAL: _Nucleus(4.6, 2.35, 0.95, 0.5, 0.10),
    Cell.LYMPHOCYTE: _Nucleus(3.3, 3.0, 1.38, 0.35, 0.10),
    Cell.PLASMA: _Nucleus(3.2, 2.8, 1.25, 0.6, 0.08),
    Cell.SPINDLE: _Nucleus(7.2, 1.45, 1.00, 0.35, 0.12),
    Cell.STROMAL: _Nucleus(4.8, 2.5, 0.70, 0.5, 0.16),
}


class CellBank:
    """Every stamp, by kind; drawing it takes a fraction of a second."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._stamps = {
            kind: [
                [_draw(rng, kind, math.pi * turn / DIRECTIONS) for _ in range(_VARIANTS)]
                for turn in range(DIRECTIONS)
            ]
            for kind in Cell
        }

    def pick(self, kind: Cell, angle: float) -> Stamp:
        """One of the stamps of a kind whose long axis lies nearest to an angle, in radians."""
        turn = round(angle / math.pi * DIRECTIONS) % DIRECTIONS
        return self._stamps[kind][turn][int(self._rng.integers(_VARIANTS))]


def _draw(rng: np.random.Generator, kind: Cell, angle: float) -> Stamp:
    if kind is Cell.GOBLET:
        return _goblet(rng, angle)
    if kind is Cell.RED:
        return _red_cell(rng, angle)
    if kind is Cell.EOSINOPHIL:
        return _eosinophil(rng, angle)
    return _nucleated(rng, kind, _NUCLEI[kind], angle)


def _nucleated(rng: np.random.Generator, kind: Cell, looks: _Nucleus, angle: float) -> Stamp:
    grow = rng.uniform(0.86, 1.14)
    length, width = (
        px(looks.half_length_um) * grow * rng.uniform(0.92, 1.08),
        px(looks.half_width_um) * grow,
    )
    half = math.ceil(max(length, width, px(6.5) if kind is Cell.PLASMA else 0) * 1.15) + 3
    along, across = _axes(half, angle)
    if kind is Cell.SPINDLE:
        # Spindles follow their fibre, which is never straight.
        across = across + rng.normal(0, 0.35) * width * (along / length) ** 2
    radius = _outline(rng, along / length, across / width, looks.wobble)
    inward = (1 - radius) * width
    inside = step(inward, -1.6, 1.6)
    texture = drift(rng, along.shape, px(0.85)) * 0.6 + drift(rng, along.shape, px(1.8)) * 0.5
    membrane = np.exp(-((inward / px(0.45)) ** 2))
    chromatin = 0.80 + looks.clumping * 0.36 * texture + 0.28 * membrane
    density = looks.density * rng.uniform(0.82, 1.15) * np.clip(chromatin, 0.35, 1.6) * inside
    if kind in (Cell.EPITHELIAL, Cell.STROMAL):
        density = np.maximum(
            density, _nucleolus(rng, along, across, width) * looks.density * inside
        )
    eosin = np.zeros_like(density)
    if kind is Cell.PLASMA:
        # The nucleus lies to one side of a round, bluish body.
        body = step(np.hypot(along + px(2.1), across * 1.15), px(5.4), px(4.2))
        density = np.maximum(density, body * 0.24)
        eosin = body * 0.42
    return Stamp(_dye(density), _dye(eosin))


def _nucleolus(rng: np.random.Generator, along: Field, across: Field, width: float) -> Field:
    at_along, at_across = rng.uniform(-0.7, 0.7) * width, rng.uniform(-0.3, 0.3) * width
    distance = np.hypot(along - at_along, across - at_across)
    return np.asarray(1.45 * step(distance, px(0.95), px(0.45)), np.float32)


def _goblet(rng: np.random.Generator, angle: float) -> Stamp:
    """A drop of mucin: pale, a breath of blue, wider towards the lumen."""
    length, width = px(rng.uniform(6.5, 8.5)), px(rng.uniform(4.0, 5.2))
    half = math.ceil(length * 1.2) + 3
    along, across = _axes(half, angle)
    radius = _outline(rng, along / length, across / width, 0.05)
    inside = step((1 - radius) * width, -1.5, 2.0)
    foam = drift(rng, along.shape, px(1.1))
    rim = np.exp(-(((1 - radius) * width / px(0.5)) ** 2))
    return Stamp(
        _dye(0.13 + 0.035 * foam + 0.05 * rim),
        _dye(0.05 + 0.015 * foam + 0.20 * rim),
        np.asarray(inside * 235, np.uint8),
    )


def _red_cell(rng: np.random.Generator, angle: float) -> Stamp:
    length = px(rng.uniform(3.0, 3.5))
    half = math.ceil(length * 1.15) + 3
    along, across = _axes(half, angle)
    radius = _outline(rng, along / length, across / (length * rng.uniform(0.75, 1)), 0.05)
    inside = step((1 - radius) * length, -1.2, 1.2)
    hollow = 0.25 * np.exp(-((radius / 0.45) ** 2))
    return Stamp(_dye(inside * 0.04), _dye(inside * (rng.uniform(0.85, 1.1) - hollow)))


def _eosinophil(rng: np.random.Generator, angle: float) -> Stamp:
    """Two dark lobes in a body full of orange granules."""
    half = math.ceil(px(6.5)) + 3
    along, across = _axes(half, angle)
    body = step(np.hypot(along, across * 1.1), px(5.2), px(4.3))
    granules = drift(rng, along.shape, px(0.6))
    lobes = [np.hypot(along - shift, across - px(1.2)) for shift in (-px(2.0), px(2.0))]
    nucleus = step(np.minimum(*lobes), px(2.1), px(1.5))
    return Stamp(
        _dye(np.maximum(nucleus * 1.05, body * 0.05)),
        _dye(body * np.clip(1.05 + 0.25 * granules, 0.7, 1.6)),
    )


def _axes(half: int, angle: float) -> tuple[Field, Field]:
    """Pixels along and across an axis at `angle`, on a square of `2 half + 1`."""
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    cos, sin = math.cos(angle), math.sin(angle)
    return x * cos + y * sin, y * cos - x * sin


def _outline(rng: np.random.Generator, a: Field, b: Field, wobble: float) -> Field:
    """Distance from the middle in which the outline is 1: an ellipse, made irregular."""
    turn = np.arctan2(b, a)
    irregular = sum(
        rng.normal() / k * np.cos(k * turn + rng.uniform(0, 2 * math.pi)) for k in (2, 3, 4)
    )
    return np.asarray(np.hypot(a, b) * (1 + wobble * irregular), np.float32)


def _dye(density: Field) -> Dye:
    return np.asarray(np.clip(density * UNITS, 0, 255), np.uint8)
