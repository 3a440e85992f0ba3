import pytest

from dicom.models import ImageDescription, ImageRole
from tiling.geometry import Size

SIZE = Size(columns=10, rows=10)


@pytest.mark.parametrize(
    ("derived", "resampled", "expected"),
    [
        (False, False, ("ORIGINAL", "PRIMARY", "VOLUME", "NONE")),
        (True, False, ("DERIVED", "PRIMARY", "VOLUME", "NONE")),
        (True, True, ("DERIVED", "PRIMARY", "VOLUME", "RESAMPLED")),
    ],
)
def test_image_type(derived: bool, resampled: bool, expected: tuple[str, ...]) -> None:
    image = ImageDescription(
        ImageRole.VOLUME,
        "1.2",
        1,
        SIZE,
        SIZE,
        pixel_spacing_mm=(1.0, 1.0),
        derived=derived,
        resampled=resampled,
    )
    assert image.image_type == expected


def test_an_image_of_the_pyramid_needs_a_spacing() -> None:
    with pytest.raises(ValueError, match="pixel spacing"):
        ImageDescription(ImageRole.THUMBNAIL, "1.2", 1, SIZE, SIZE)
