"""Single things in the stroma: fat cells, vessels with blood, a lymphoid follicle."""

import math

import numpy as np

from tiling.sample.canvas import MAP_STEP, Canvas, Kind, Stamp
from tiling.sample.cells import Cell, CellBank
from tiling.sample.fragments import FRAGMENTS, place_at
from tiling.sample.noise import drift, step
from tiling.sample.scale import px
from tiling.sample.stains import UNITS


def place_follicle(canvas: Canvas) -> None:
    """Mark a round follicle at the foot of the second fragment's mucosa."""
    fragment = FRAGMENTS[1]
    foot_um = fragment.mucosa_um - fragment.half_thickness_um
    x, y = place_at(fragment, canvas.size, 300, foot_um - 105)
    rows, columns = np.ogrid[: canvas.kinds.shape[0], : canvas.kinds.shape[1]]
    dx, dy = columns * MAP_STEP - x, rows * MAP_STEP - y
    turn = np.arctan2(dy, dx)
    reach = px(135) * (1 + 0.08 * np.cos(3 * turn + 1) + 0.05 * np.cos(5 * turn))
    inside = (np.hypot(dx, dy * 1.1) < reach) & (canvas.kinds != Kind.GLASS)
    canvas.kinds[inside] = Kind.FOLLICLE


def paint_fat(canvas: Canvas, rng: np.random.Generator) -> None:
    """Lobules of fat cells in the submucosa: large, empty, each with the thinnest of walls."""
    bubbles = [_fat_cell(rng) for _ in range(14)]
    for x, y in _seeds(canvas, rng, Kind.SUBMUCOSA, count=16):
        for _ in range(int(rng.integers(40, 110))):
            reach, turn = px(125) * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
            at_x, at_y = x + 1.5 * reach * math.cos(turn), y + 0.62 * reach * math.sin(turn)
            bubble = bubbles[int(rng.integers(len(bubbles)))]
            if _is_free(canvas, at_x, at_y, bubble.eosin.shape[0] // 2, Kind.SUBMUCOSA):
                canvas.stamp(at_x, at_y, bubble)
                _occupy(canvas, at_x, at_y, bubble.eosin.shape[0] * 0.40)


def paint_vessels(canvas: Canvas, bank: CellBank, rng: np.random.Generator) -> None:
    """Vessels of the submucosa and capillaries of the mucosa, with the red cells they carry."""
    for ground, count, smallest, largest in (
        (Kind.SUBMUCOSA, 26, 14, 40),
        (Kind.LAMINA_PROPRIA, 90, 4.0, 7),
    ):
        for x, y in _seeds(canvas, rng, ground, count):
            radius = px(rng.uniform(smallest, largest))
            if _is_free(canvas, x, y, radius * 1.25, ground):
                _paint_vessel(canvas, bank, rng, x, y, radius)


def _paint_vessel(
    canvas: Canvas, bank: CellBank, rng: np.random.Generator, x: float, y: float, radius: float
) -> None:
    wall = min(px(6), radius * 0.28)
    half = math.ceil(radius * 1.25) + 2
    down, across = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    turn, oval = np.arctan2(down, across), rng.uniform(0.75, 1)
    distance = np.hypot(across, down / oval) * (1 + 0.06 * np.cos(3 * turn + rng.uniform(0, 6)))
    texture = drift(rng, distance.shape, px(1.5))
    in_wall = step(distance, radius - wall - 2, radius - wall + 2)
    eosin = 0.03 + in_wall * (0.46 + 0.06 * texture)
    opacity = step(distance, radius + 2, radius - 2)
    canvas.stamp(
        x,
        y,
        Stamp(
            np.asarray(np.clip((0.02 + 0.05 * in_wall) * UNITS, 0, 255), np.uint8),
            np.asarray(np.clip(eosin * UNITS, 0, 255), np.uint8),
            np.asarray(opacity * 250, np.uint8),
        ),
    )
    _occupy(canvas, x, y, radius + px(2))
    inner = radius - wall
    full = rng.uniform(0.3, 1)
    for _ in range(int(full * (inner / px(3.0)) ** 2)):
        reach, angle = (inner - px(3)) * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
        canvas.stamp(
            x + reach * math.cos(angle),
            y + reach * oval * math.sin(angle),
            bank.pick(Cell.RED, rng.uniform(0, math.pi)),
        )
    # A capillary is shorter round than one endothelial cell is long: a cut shows one at most.
    cells = max(1, round(2 * math.pi * inner / px(17)))
    for angle in 2 * math.pi * (np.arange(cells) + rng.random()) / cells:
        canvas.stamp(
            x + inner * math.cos(angle),
            y + inner * oval * math.sin(angle),
            bank.pick(Cell.SPINDLE if cells > 3 else Cell.STROMAL, angle + math.pi / 2),
        )


def _fat_cell(rng: np.random.Generator) -> Stamp:
    radius = px(rng.uniform(19, 30))
    half = math.ceil(radius * 1.2) + 2
    down, across = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    turn = np.arctan2(down, across)
    distance = np.hypot(across * rng.uniform(0.88, 1.12), down) * (
        1 + 0.05 * np.cos(3 * turn + rng.uniform(0, 6)) + 0.03 * np.cos(5 * turn)
    )
    membrane = np.exp(-(((distance - radius) / px(0.9)) ** 2))
    return Stamp(
        np.asarray(membrane * 6, np.uint8),
        np.asarray(membrane * 0.5 * UNITS, np.uint8),
        np.asarray(step(distance, radius + px(1.5), radius) * 250, np.uint8),
    )


def _seeds(
    canvas: Canvas, rng: np.random.Generator, ground: Kind, count: int
) -> list[tuple[float, float]]:
    """Places in pixels, at random on a kind of ground; none where there is no such ground."""
    places = np.flatnonzero(canvas.kinds == ground)
    if not places.size:
        return []
    rows, columns = np.divmod(rng.choice(places, count), canvas.kinds.shape[1])
    return [
        (float(column) * MAP_STEP, float(row) * MAP_STEP)
        for row, column in zip(rows, columns, strict=True)
    ]


def _is_free(canvas: Canvas, x: float, y: float, radius: float, ground: Kind) -> bool:
    turn = np.arange(0, 2 * math.pi, math.pi / 8)
    xs = np.concatenate(([x], x + 0.85 * radius * np.cos(turn)))
    ys = np.concatenate(([y], y + 0.85 * radius * np.sin(turn)))
    return bool((canvas.kind_at(xs, ys) == ground).all())


def _occupy(canvas: Canvas, x: float, y: float, radius: float) -> None:
    middle_row, middle_column, reach = int(y) // MAP_STEP, int(x) // MAP_STEP, radius / MAP_STEP
    top, left = max(0, middle_row - int(reach)), max(0, middle_column - int(reach))
    part = canvas.kinds[top : middle_row + int(reach) + 1, left : middle_column + int(reach) + 1]
    rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
    distance = np.hypot(rows + top - middle_row, columns + left - middle_column)
    part[distance <= reach] = Kind.OCCUPIED
