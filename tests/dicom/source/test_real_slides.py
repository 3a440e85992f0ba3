"""Slides that others wrote, read beside OpenSlide, wsidicom and pydicom.

The slides of `synthetic` were made from the public notes of formats and prove only that such a
view of DICOM is read.
"""

from pathlib import Path

import numpy as np
import openslide
import pydicom
import pytest
import wsidicom
from pydicom.encaps import generate_frames

from dicom.formats import open_any
from dicom.source import DicomSlide
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.slide import AssociatedKind, Illumination, SlideReader
from tiling.testing import SlideReaderContract

FLUORESCENCE = "dicom-wsi/3dhistech-BPAEC-fluo/5_0"
SLIDES = [
    FLUORESCENCE,
    "dicom-wsi/cmu-1-small-region/level-0-frames-0-30.dcm",
    "dicom-wsi/gcp-jpeg.dcm",
    "dicom-wsi/gcp-jpeg2000.dcm",
    "dicom-wsi/gcp-raw.dcm",
    "dicom-wsi/pathml-small_dicom.dcm",
    "dicom-wsi/openslide-boxes/boxes_0.dcm",
    "dicom-wsi/highdicom/sm_image_grayscale.dcm",
    "dicom-wsi/highdicom/sm_image_jpegls.dcm",
    "dicom-wsi/highdicom/sm_image_jpegls_nobot.dcm",
    "synthetic/dicom/concatenation/level-0-part2.dcm",
    "synthetic/dicom/tiled-full-htj2k/level-0.dcm",
    "synthetic/dicom/tiled-full-j2k-lossless/level-0.dcm",
    "synthetic/dicom/tiled-full-j2k/level-0.dcm",
    "synthetic/dicom/tiled-full-jpeg/level-0.dcm",
    "synthetic/dicom/tiled-full-jpegls/level-0.dcm",
    "synthetic/dicom/tiled-full-raw/level-0.dcm",
    "synthetic/dicom/tiled-sparse/level-0.dcm",
    "synthetic/dicom/two-optical-paths/level-0.dcm",
    "synthetic/dicom/z-stack/level-0.dcm",
]
pytestmark = pytest.mark.filterwarnings("ignore")


def opened(path: Path) -> DicomSlide:
    reader = open_any(path)
    assert isinstance(reader, DicomSlide)
    return reader


class TestContract(SlideReaderContract):
    @pytest.fixture(params=SLIDES)
    def reader(self, request: pytest.FixtureRequest, shared_slides: Path) -> SlideReader:
        return opened(shared_slides / request.param)


@pytest.mark.parametrize(
    "name", [name for name in SLIDES if "tiled-full-j" in name or "raw" in name]
)
def test_frames_are_the_files(shared_slides: Path, name: str) -> None:
    reader = opened(shared_slides / name)
    dataset = pydicom.dcmread(shared_slides / name)
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        length = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
        frames = [dataset.PixelData[n * length :][:length] for n in range(dataset.NumberOfFrames)]
    else:
        frames = list(
            generate_frames(dataset.PixelData, number_of_frames=int(dataset.NumberOfFrames))
        )
    lengths = reader.encoded_tile_lengths(0)
    for number, (column, row) in enumerate(reader.levels[0].grid.positions()):
        stream = reader.read_encoded_tile(0, column, row)
        assert frames[number] in (stream, stream + b"\0")
        assert len(stream) == lengths[number]


@pytest.mark.parametrize(
    ("name", "worst"),
    [
        ("dicom-wsi/gcp-jpeg.dcm", 3),
        ("dicom-wsi/gcp-raw.dcm", 0),
        ("synthetic/dicom/concatenation/level-0-part2.dcm", 3),
        ("synthetic/dicom/tiled-full-jpeg/level-0.dcm", 3),
        ("synthetic/dicom/tiled-full-raw/level-0.dcm", 0),
        ("synthetic/dicom/tiled-full-j2k/level-0.dcm", 2),
    ],
)
def test_openslide_sees_the_same(shared_slides: Path, name: str, worst: int) -> None:
    """JPEG decoders differ in how they spread chroma."""
    reader = opened(shared_slides / name)
    try:
        peer = openslide.OpenSlide(shared_slides / name)
    except openslide.OpenSlideError:
        pytest.skip("OpenSlide does not open this one")
    base = reader.levels[0]
    assert Size(*peer.dimensions) == base.size
    for column, row in {(0, 0), (base.grid.tiles.columns // 2, base.grid.tiles.rows - 1)}:
        visible = base.grid.visible(column, row)
        corner = (column * base.tile.columns, row * base.tile.rows)
        region = peer.read_region(corner, 0, (visible.columns, visible.rows)).convert("RGB")
        own = reader.read_tile(0, column, row)[: visible.rows, : visible.columns]
        assert np.abs(own.astype(int) - np.asarray(region)).mean() <= worst


@pytest.mark.parametrize(
    "name",
    [
        FLUORESCENCE,
        "synthetic/dicom/tiled-sparse/level-0.dcm",
        "synthetic/dicom/tiled-full-htj2k/level-0.dcm",
        "synthetic/dicom/tiled-full-jpegls/level-0.dcm",
        "synthetic/dicom/z-stack/level-0.dcm",
        "synthetic/dicom/tiled-full-jpeg/level-0.dcm",
    ],
)
def test_wsidicom_sees_the_same(shared_slides: Path, name: str) -> None:
    reader = opened(shared_slides / name)
    with wsidicom.WsiDicom.open((shared_slides / name).parent) as peer:
        base = peer.pyramids[0].base_level
        assert (base.size.width, base.size.height) == (
            reader.levels[0].size.columns,
            reader.levels[0].size.rows,
        )
        assert sorted(base.focal_planes) == list(reader.focal_planes_um)
        tile = reader.levels[0].tile
        for number, path in enumerate(sorted(base.optical_paths)):
            for plane, z_um in enumerate(reader.focal_planes_um):
                theirs = peer.read_tile(0, (1, 1), z=z_um, path=path)
                own = reader.read_tile(0, 1, 1, number, plane)
                expected = np.asarray(theirs).reshape(tile.rows, tile.columns, -1)
                assert np.abs(own.astype(int) - expected).mean() < 3


def test_rgb_that_is_ycbcr_has_the_colours_of_its_source(shared_slides: Path) -> None:
    """Its header says RGB, its frames are JFIF: other readers show it in false colours."""
    reader = opened(shared_slides / "dicom-wsi/cmu-1-small-region/level-0-frames-0-30.dcm")
    with openslide.OpenSlide(shared_slides / "aperio/CMU-1-Small-Region.svs") as peer:
        region = peer.read_region((1000, 1500), 0, (500, 500)).convert("RGB")
    own = reader.read_tile(0, 2, 3)
    assert np.abs(own.astype(int) - np.asarray(region)).mean() < 10


def test_fluorescence_of_3dhistech(shared_slides: Path) -> None:
    reader = opened(shared_slides / FLUORESCENCE)
    assert [path.name for path in reader.optical_paths] == ["Green", "Blue", "Red"]
    assert [path.colour for path in reader.optical_paths] == [(0, 255, 0), (0, 0, 255), (255, 0, 0)]
    assert {path.illumination for path in reader.optical_paths} == {Illumination.FLUORESCENCE}
    assert len(reader.levels) == 8
    assert reader.read_associated(AssociatedKind.LABEL).shape == (441, 579, 3)
    assert reader.read_associated(AssociatedKind.OVERVIEW).shape == (500, 233, 3)
    assert reader.metadata.not_kept == ()
    assert reader.metadata.manufacturer == "3DHISTECH Kft."
    assert reader.metadata.model is None


def test_two_paths_in_colours(shared_slides: Path) -> None:
    reader = opened(shared_slides / "synthetic/dicom/two-optical-paths/level-0.dcm")
    assert (reader.pixel_format.samples, len(reader.optical_paths)) == (3, 2)
    assert reader.metadata.not_kept == ()


def test_the_level_that_jpeg_2000_kept_whole_is_that_of_raw(shared_slides: Path) -> None:
    lossless = opened(shared_slides / "dicom-wsi/gcp-jpeg2000.dcm")
    raw = opened(shared_slides / "dicom-wsi/gcp-raw.dcm")
    for column, row in raw.levels[0].grid.positions():
        np.testing.assert_array_equal(
            lossless.read_tile(0, column, row), raw.read_tile(0, column, row)
        )


def test_what_is_broken_or_no_slide(shared_slides: Path) -> None:
    with pytest.raises(UnsupportedSlideError, match="not a whole slide"):
        open_any(shared_slides / "bad/dicom-not-wsi.dcm")
    with pytest.raises(DamagedSlideError, match="cut short"):
        open_any(shared_slides / "bad/dicom-truncated.dcm")


def test_two_contents_of_one_identity_are_for_a_person(shared_slides: Path) -> None:
    with pytest.raises(UnsupportedSlideError, match="one identity"):
        open_any(shared_slides / "dicom-wsi" / "highdicom" / "sm_image.dcm")
