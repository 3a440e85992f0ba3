"""Several optical paths in colours, such as polarised light beside the usual: none is lost."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from wsidicom import WsiDicom
from wsidicom.geometry import Point

from dicom.conversion import convert
from dicom.formats import open_any
from dicom.models import SlideIdentity
from dicom.source.testing import JPEG_420, instance_of, write
from dicom.targets import DirectoryTarget
from tiling.codecs import jpeg
from tiling.geometry import Size
from tiling.pyramid import Origin, PyramidOptions, build_pyramid
from tiling.rendering import is_shown_as_it_is, render_tile
from tiling.slide import RGB8, Codec, Colour, SlideReader, TileEncoding
from tiling.testing import SlideReaderContract, draw_pattern

TILE = Size(64, 48)
USUAL = draw_pattern(200, 150)
POLARISED = 255 - USUAL[::-1]


def write_source(folder: Path, encoding: TileEncoding = JPEG_420) -> Path:
    """What a scanner might send: one instance, seen twice."""
    usual, polarised = (instance_of(image, TILE, encoding) for image in (USUAL, POLARISED))
    frames = [*usual.frames, *polarised.frames]
    return write(folder / "sent.dcm", replace(usual, frames=frames, paths=["usual", "polarised"]))


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SlideReader]:
    (tmp_path / "sent").mkdir()
    reader = open_any(write_source(tmp_path / "sent"))
    yield reader
    reader.close()


@pytest.fixture
def stored(source: SlideReader, identity: SlideIdentity, tmp_path: Path) -> Path:
    levels = build_pyramid(source, tmp_path, PyramidOptions(top_pixels=100))
    assert [level.origin for level in levels] == [Origin.PASSED_THROUGH, Origin.BUILT]
    folder = tmp_path / "stored"
    folder.mkdir()
    convert(source, levels, identity, DirectoryTarget(folder))
    return folder


class TestSent(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> SlideReader:
        return open_any(write_source(tmp_path))


class TestStored(SlideReaderContract):
    @pytest.fixture
    def reader(self, stored: Path) -> SlideReader:
        return open_any(stored / "level-0.dcm")


def test_every_path_comes_from_the_file_to_the_store_and_to_a_tile(
    source: SlideReader, stored: Path
) -> None:
    assert source.metadata.not_kept == ()
    kept = open_any(stored / "level-0.dcm")
    assert [path.name for path in kept.optical_paths] == ["Path usual", "Path polarised"]
    assert (kept.pixel_format, len(kept.levels)) == (RGB8, 2)
    encoding = kept.levels[0].encoding
    assert encoding is not None
    assert is_shown_as_it_is(encoding, RGB8)
    for path, drawn in enumerate((USUAL, POLARISED)):
        frame = kept.read_encoded_tile(0, 1, 1, path)
        assert frame == source.read_encoded_tile(0, 1, 1, path), "the file's own bytes"
        seen = jpeg.decode(frame)
        assert np.abs(seen.astype(int) - drawn[48:96, 64:128]).mean() < 12
    coarse = kept.read_tile(1, 0, 0, 1)[:48, :64].astype(int)
    assert np.abs(coarse - POLARISED[:96:2, :128:2]).mean() < 20, "built of its own path"
    kept.close()


def test_a_raw_path_is_rendered_as_it_is(tmp_path: Path) -> None:
    raw = TileEncoding(Colour.RGB, codec=Codec.RAW)
    reader = open_any(write_source(tmp_path, raw))
    frame = reader.read_encoded_tile(0, 0, 0, 1)
    shown = jpeg.decode(render_tile(frame, raw, TILE, RGB8))
    assert np.abs(shown.astype(int) - POLARISED[:48, :64]).max() < 30
    reader.close()


def test_dciodvfy_finds_no_error(stored: Path) -> None:
    for path in sorted(stored.iterdir()):
        checked = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        errors = [line for line in checked.stderr.splitlines() if line.startswith("Error")]
        assert not errors, (path.name, errors)


def test_each_path_has_its_profile_and_its_place_in_the_order(stored: Path) -> None:
    dataset = pydicom.dcmread(stored / "level-0.dcm")
    assert (dataset.SamplesPerPixel, dataset.NumberOfOpticalPaths) == (3, 2)
    assert dataset.DimensionOrganizationType == "TILED_FULL"
    assert all(item.ICCProfile for item in dataset.OpticalPathSequence)


def test_wsidicom_finds_each_path(stored: Path) -> None:
    with WsiDicom.open(stored) as opened:
        base = opened.levels[0]
        assert sorted(base.optical_paths) == ["1", "2"]
        image = np.asarray(base.get_tile(Point(1, 1), 0, "2"), int)
        assert np.abs(image - POLARISED[48:96, 64:128]).mean() < 12


def test_the_thumbnail_is_of_the_first_path(stored: Path) -> None:
    thumbnail = pydicom.dcmread(stored / "thumbnail.dcm").pixel_array
    assert np.abs(thumbnail.astype(int) - USUAL).mean() < 20
