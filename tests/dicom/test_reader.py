"""Files that others wrote: the frames must be those that pydicom finds."""

from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import generate_frames

from dicom.reader import Instance
from dicom.testing import MemorySource

FILES = [
    "gcp-jpeg.dcm",
    "gcp-jpeg2000.dcm",
    "gcp-raw.dcm",
    "pathml-small_dicom.dcm",
    "cmu-1-small-region/level-0-frames-0-30.dcm",
    "cmu-1-small-region/level-11-frames-0-1.dcm",
    "3dhistech-BPAEC-fluo/5_0",
    "openslide-boxes/boxes_0.dcm",
    "highdicom/sm_image.dcm",
    "highdicom/sm_image_jpegls.dcm",
    "highdicom/sm_image_jpegls_nobot.dcm",
]


@pytest.mark.parametrize("name", FILES)
def test_frames_are_those_of_pydicom(test_data: Path, name: str) -> None:
    path = test_data / "dicom-wsi" / name
    if not path.is_file():
        pytest.skip(f"no {path}")
    instance = Instance.open(MemorySource(path.read_bytes()))
    with pydicom.config.disable_value_validation():
        expected = pydicom.dcmread(path)
        uid = str(expected.SOPInstanceUID)
    count = int(expected.NumberOfFrames)
    assert instance.header.number_of_frames == count
    assert instance.header.sop_instance_uid == uid
    assert instance.header.tile.rows == expected.Rows
    assert instance.header.size.columns == expected.TotalPixelMatrixColumns
    if instance.header.encapsulated:
        frames = list(generate_frames(expected.PixelData, number_of_frames=count))
    else:
        length = len(expected.PixelData) // count
        frames = [expected.PixelData[n * length :][:length] for n in range(count)]
    assert [instance.frame(n) for n in range(count)] == frames
