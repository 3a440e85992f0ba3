"""What an NDPI says of its light and its focus."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.formats.hamamatsu.optics import read_focus_method, read_path
from tiling.slide import BRIGHTFIELD_PATH, Illumination, OpticalPath

SETS = (
    "Product=C9600-12\r\nName=FITC\r\nExcitationWaveLength=482\r\nEmissionWaveLength=536\r\n"
    "Name=DAPI 2 (387)\r\nExcitationWaveLength=387\r\nEmissionWaveLength=455\r\n"
)


def lit(name: str, excitation_nm: float | None, emission_nm: float | None) -> OpticalPath:
    return OpticalPath(name, Illumination.FLUORESCENCE, None, excitation_nm, emission_nm)


@pytest.mark.parametrize(
    ("filter_set", "wavelength_nm", "properties", "expected"),
    [
        ("", None, "", BRIGHTFIELD_PATH),
        # A scanner that can do both lists its filters in bright field too.
        ("", None, SETS, BRIGHTFIELD_PATH),
        ("", 455.0, SETS, BRIGHTFIELD_PATH),
        ("Bright", None, SETS, BRIGHTFIELD_PATH),
        ("DAPI 2 (387)", 455.0, SETS, lit("DAPI 2 (387)", 387, 455)),
        ("FITC", None, SETS, lit("FITC", 482, 536)),
        ("Cy5", 670.0, SETS, lit("Cy5", None, 670)),
        ("FITC", 536.0, "Name=FITC\nExcitationWaveLength=nan", lit("FITC", None, 536)),
    ],
)
def test_light_is_fluorescence_where_the_image_names_its_filters(
    filter_set: str, wavelength_nm: float | None, properties: str, expected: OpticalPath
) -> None:
    assert read_path(filter_set, wavelength_nm, properties) == expected


@given(st.text(), st.none() | st.floats(min_value=1, max_value=1e6), st.text())
def test_any_words_make_a_path(name: str, wavelength_nm: float | None, properties: str) -> None:
    assert isinstance(read_path(name, wavelength_nm, properties), OpticalPath)


@pytest.mark.parametrize(
    ("said", "expected"), [(None, None), (0, "MANUAL"), (1, "AUTO"), (7, None), (-1, None)]
)
def test_focus_is_automatic_where_nobody_had_a_part_in_it(
    said: int | None, expected: str | None
) -> None:
    assert read_focus_method(said) == expected
