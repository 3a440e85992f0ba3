"""The project's own sample slide: drawn tissue that nobody owns, for demonstrations and tests."""

from pathlib import Path

from tiling.geometry import Size
from tiling.sample.glass import draw_label, draw_overview, draw_thumbnail
from tiling.sample.scale import MPP_UM, OBJECTIVE_POWER
from tiling.sample.section import draw_section
from tiling.slide import Colour, TileEncoding
from tiling.svs import SvsOptions, write_svs

__all__ = ["SAMPLE_SIZE", "draw_sample"]

SAMPLE_SIZE = Size(12288, 9216)
"""Pixels of the base: 3.1 mm x 2.3 mm of glass at 0.25 um/px."""


def draw_sample(path: Path, *, size: Size = SAMPLE_SIZE, seed: int = 2024) -> None:
    """Draw a synthetic H&E section of colon and write it as a pyramidal SVS to `path`.

    The same size and seed give the same pixels. The base is held in memory: 3 bytes a pixel, and
    2 more while it is drawn.
    """
    base = draw_section(size, seed)
    label = draw_label()
    write_svs(
        path,
        base,
        SvsOptions(
            factors=(1, 4, 16),
            encoding=TileEncoding(Colour.YCBCR, (2, 1)),
            quality=85,
            label=label,
            overview=draw_overview(base, label),
            thumbnail=draw_thumbnail(base),
            mpp_um=MPP_UM,
            objective_power=OBJECTIVE_POWER,
            fields={
                "ScanScope ID": "SYNTHETIC",
                "Title": "Synthetic sample, not a patient's tissue",
                "Date": "02/29/24",
                "Time": "09:00:00",
                "Time Zone": "GMT+00:00",
            },
        ),
    )
