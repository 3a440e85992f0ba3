"""Drawn tissue for every test of the quality gate."""

import numpy as np
import pytest

from sgi.ingest.quality.views import Image
from tiling.geometry import Size
from tiling.sample.section import draw_section


@pytest.fixture(scope="session")
def section() -> Image:
    """`(1536, 2048, 3)` at 0.25 um/px: drawn tissue amid a margin of glass. Not to be changed."""
    framed = np.full((1536, 2048, 3), 245, np.uint8)
    framed[192:1344, 256:1792] = draw_section(Size(1536, 1152), seed=2024)
    framed.setflags(write=False)
    return framed
