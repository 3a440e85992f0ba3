"""The sample slide opens, is the same each time, and has tissue, glass and a label."""

from pathlib import Path

import numpy as np

from tiling.geometry import Size
from tiling.registry import open_slide
from tiling.sample import draw_sample
from tiling.sample.section import draw_section
from tiling.slide import AssociatedKind


def test_it_is_a_whole_slide(tmp_path: Path) -> None:
    path = tmp_path / "sample.svs"
    draw_sample(path, size=Size(2048, 1536))
    reader = open_slide(path)
    assert reader.format == "Aperio SVS"
    assert set(reader.associated) == set(AssociatedKind)
    assert [level.downsample for level in reader.levels] == [1, 4, 16]
    assert reader.metadata.objective_power == 40
    assert reader.read_tile(0, 4, 3).std() > 10
    assert (tmp_path / "sample.svs").stat().st_size > 100_000


def test_the_same_seed_draws_the_same_tissue() -> None:
    size = Size(768, 640)
    first, again, other = (draw_section(size, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
