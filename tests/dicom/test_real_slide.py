"""A scanner's file through the readers of `tiling`, into DICOM and out again."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import openslide
import pytest

from dicom.conversion import convert
from dicom.models import SlideIdentity
from dicom.reader import Instance
from dicom.targets import DirectoryTarget
from dicom.testing import MemorySource
from tiling.pyramid import Origin, PyramidOptions, build_pyramid
from tiling.registry import open_slide
from tiling.slide import AssociatedKind


@pytest.fixture(scope="module")
def svs(test_data: Path) -> Path:
    path = test_data / "aperio" / "CMU-1-Small-Region.svs"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return path


# A pyramid's spool of built frames is closed by its finalizer, which Python remarks upon.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_pixels_are_those_of_the_file(svs: Path, tmp_path: Path, identity: SlideIdentity) -> None:
    # Act
    dicom_path = tmp_path / "dicom"
    reader = open_slide(svs)
    try:
        levels = build_pyramid(reader, tmp_path, PyramidOptions(workers=1))
        result = convert(reader, levels, identity, DirectoryTarget(dicom_path))
        associated = {kind: reader.read_associated(kind) for kind in reader.associated}
        frames = [list(level.frames()) for level in levels]
    finally:
        reader.close()
    # Assert
    assert levels[0].origin is Origin.PASSED_THROUGH
    assert levels[-1].origin is Origin.BUILT
    for number, expected in enumerate(frames):
        instance = Instance.open(MemorySource((dicom_path / f"level-{number}.dcm").read_bytes()))
        assert [instance.frame(index) for index in range(len(expected))] == expected
        hashes = b"".join(sha256(frame).digest() for frame in expected)
        assert result.frame_hashes[instance.header.sop_instance_uid] == hashes
    with (
        openslide.OpenSlide(str(svs)) as before,
        openslide.OpenSlide(str(dicom_path / "level-0.dcm")) as after,
    ):
        assert after.level_dimensions[0] == before.level_dimensions[0]
        np.testing.assert_array_equal(
            after.read_region((0, 0), 0, after.dimensions),
            before.read_region((0, 0), 0, before.dimensions),
        )
        assert float(after.properties["openslide.mpp-x"]) == pytest.approx(
            float(before.properties["openslide.mpp-x"])
        )
        names = {AssociatedKind.LABEL: "label", AssociatedKind.OVERVIEW: "macro"}
        for kind, name in names.items():
            image = np.asarray(after.associated_images[name].convert("RGB"))
            np.testing.assert_array_equal(image, associated[kind])
