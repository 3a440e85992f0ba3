"""How much memory a large CZI takes on its way to a pyramid, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tiling.formats.zeiss.testing import (
    ZSTD_WITH_HEADER,
    WrittenSubblock,
    pack_samples,
    write_czi,
)
from tiling.testing import draw_pattern

SIDE = 12288
CAMERA = draw_pattern(2464, 2056)
STEP = (2217, 1850)
"""Columns and rows by which the camera moves: its images overlap by a tenth."""
MOST_MIB = 400

# The kernel counts a parent's memory into its child's ru_maxrss, though not into VmHWM.
MEASURED = """
import sys
from pathlib import Path
from tiling.pyramid import PyramidOptions, build_pyramid
from tiling.registry import open_slide

levels = build_pyramid(open_slide(Path(sys.argv[1])), Path(sys.argv[2]), PyramidOptions(workers=2))
status = Path("/proc/self/status").read_text()
peak_kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
print(len(levels), peak_kib)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_a_large_mosaic_is_built_in_little_memory(tmp_path: Path) -> None:
    packed = pack_samples(CAMERA, ZSTD_WITH_HEADER)
    places = [(x, y) for y in range(0, SIDE, STEP[1]) for x in range(0, SIDE, STEP[0])]
    shots = [
        WrittenSubblock(
            CAMERA, x, y, {"C": 0, "M": number}, compression=ZSTD_WITH_HEADER, data=packed
        )
        for number, (x, y) in enumerate(places)
    ]
    slide = tmp_path / "large.czi"
    write_czi(slide, shots)
    said = subprocess.run(
        [sys.executable, "-c", MEASURED, slide, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    levels, peak_kib = map(int, said.stdout.split())
    assert levels == 6
    assert peak_kib / 1024 <= MOST_MIB
