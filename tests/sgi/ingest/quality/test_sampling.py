from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sgi.ingest.quality.sampling import (
    CELLS,
    LARGEST_TILE,
    LEAST_TILES,
    MOST_PIXELS,
    MOST_TILES,
    plan_samples,
)
from sgi.ingest.quality.views import Samples
from tiling.geometry import Size, TileGrid


@dataclass
class NoPixels:
    size: Size
    tile: Size
    downsample: float = 1.0

    def pixels(self, column: int, row: int) -> Samples:
        raise AssertionError("a plan reads nothing")


levels = st.builds(
    NoPixels,
    st.builds(Size, st.integers(1, 2_000_000), st.integers(1, 2_000_000)),
    st.builds(Size, st.integers(16, 2048), st.integers(16, 2048)),
)


@settings(max_examples=40, deadline=None)
@given(levels, st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_the_plan_is_bounded_even_and_the_same_every_time(
    level: NoPixels, seed: int, share: float
) -> None:
    tissue = np.random.default_rng(seed).random((40, 30)) < share
    plan = plan_samples(level, tissue)
    assert plan is not None
    assert plan == plan_samples(level, tissue)
    assert len(plan.samples) <= MOST_TILES
    assert len(plan.samples) * level.tile.area <= max(MOST_PIXELS, LEAST_TILES * level.tile.area)
    assert max(plan.cells.columns, plan.cells.rows) <= CELLS
    assert bool(plan.samples) == bool(tissue.any())
    assert len({sample.cell for sample in plan.samples}) == len(plan.samples)
    grid = TileGrid(level.size, level.tile)
    for sample in plan.samples:
        assert (sample.column, sample.row) in grid
        row, column = sample.cell
        assert row == sample.row * level.tile.rows // plan.cell.rows
        assert column == sample.column * level.tile.columns // plan.cell.columns


def test_every_tile_of_a_small_slide_is_looked_at() -> None:
    plan = plan_samples(NoPixels(Size(1000, 700), Size(256, 256)), np.ones((70, 100), np.bool_))
    assert plan is not None
    assert len(plan.samples) == 12
    assert plan.cell == Size(256, 256)


def test_only_tissue_is_looked_at() -> None:
    tissue = np.zeros((100, 100), np.bool_)
    tissue[:, :50] = True
    plan = plan_samples(NoPixels(Size(4096, 4096), Size(512, 512)), tissue)
    assert plan is not None
    assert {sample.column for sample in plan.samples} == {0, 1, 2, 3}
    assert len(plan.samples) == 32


def test_a_tile_too_large_to_decode_is_not_planned() -> None:
    side = int(LARGEST_TILE**0.5) + 1
    level = NoPixels(Size(9000, 9000), Size(side, side))
    assert plan_samples(level, np.ones((9, 9), np.bool_)) is None
