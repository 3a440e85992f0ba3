"""No slide is put together of two glasses, cases, studies or patients."""

from dataclasses import replace
from pathlib import Path

import pytest

from dicom.formats import open_any
from dicom.source.testing import WrittenInstance, instance_of, with_uid, write
from tiling.errors import UnsupportedSlideError
from tiling.geometry import Size
from tiling.testing import draw_pattern

PIXELS = draw_pattern(128, 96)


def pair(folder: Path, role: str, keyword: str, values: tuple[str, str]) -> Path:
    """Two instances of a series that say each another value."""
    image = instance_of(PIXELS, Size(128, 96))
    beside = replace(image, role=role)
    if role == "VOLUME":
        beside = replace(instance_of(PIXELS[::2, ::2], Size(64, 48)), spacing_mm=0.001)
    found: list[WrittenInstance] = [image, beside]
    for number, (instance, value) in enumerate(zip(found, values, strict=True), start=1):
        named = replace(with_uid(instance, number), extra={keyword: value})
        write(folder / f"{number}.dcm", named)
    return folder / "1.dcm"


@pytest.mark.parametrize("role", ["LABEL", "OVERVIEW", "VOLUME"])
@pytest.mark.parametrize(
    ("keyword", "told"),
    [
        ("PatientID", "different patients"),
        ("IssuerOfPatientID", "different patients"),
        ("ContainerIdentifier", "different slides"),
        ("AccessionNumber", "different cases"),
        ("StudyInstanceUID", "different studies"),
    ],
)
def test_what_names_another_glass_is_refused(
    tmp_path: Path, role: str, keyword: str, told: str
) -> None:
    with pytest.raises(UnsupportedSlideError, match=f"{told}; put the files of each"):
        open_any(pair(tmp_path, role, keyword, ("1.2.3", "1.2.4")))


@pytest.mark.parametrize("keyword", ["PatientID", "ContainerIdentifier", "AccessionNumber"])
@pytest.mark.parametrize("unknown", ["", "?", "Unknown"])
def test_what_names_none_contradicts_nobody(tmp_path: Path, keyword: str, unknown: str) -> None:
    reader = open_any(pair(tmp_path, "LABEL", keyword, ("26H00123-A1", unknown)))
    assert len(reader.associated) == 1
    reader.close()
