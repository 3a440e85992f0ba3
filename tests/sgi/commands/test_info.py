"""`sgi info` in a process of its own, since it gives up what it may do."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from tiling.svs import SvsOptions, write_svs
from tiling.testing import draw_pattern


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("info") / "slide.svs"
    code = zxingcpp.create_barcode("26H00123-A1", zxingcpp.BarcodeFormat.DataMatrix)
    grey = np.pad(np.asarray(code.to_image(scale=8)), 32, constant_values=255)
    fields = {"Barcode": "26H00999-Z9", "ScanScope ID": "[/red]\x1b[31mS"}
    label = np.repeat(grey[..., None], 3, axis=2)
    write_svs(path, draw_pattern(256, 256), SvsOptions(label=label, fields=fields))
    return path


def info_of(path: Path) -> str:
    """What is printed, in one line."""
    done = subprocess.run(
        [sys.executable, "-m", "sgi", "info", str(path)],
        capture_output=True,
        check=True,
        encoding="utf-8",
        env={"COLUMNS": "400", "PATH": "/usr/bin:/bin"},
    )
    return " ".join(done.stdout.split())


def test_a_barcode_of_the_file_that_the_picture_denies_is_told(slide: Path) -> None:
    told = info_of(slide)
    assert "The file says that the barcode is 26H00999-Z9" in told
    assert "the picture of the label reads 26H00123-A1" in told


def test_words_of_the_file_neither_act_nor_break_anything(slide: Path) -> None:
    assert "[/red] [31mS" in info_of(slide)


def test_a_barcode_that_only_the_picture_has_is_told_as_such(slide: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.svs"
    silent.write_bytes(
        slide.read_bytes().replace(b"Barcode = 26H00999-Z9", b"Barcode = " + 11 * b" ")
    )
    assert "barcode not in the file; its label reads 26H00123-A1" in info_of(silent)
