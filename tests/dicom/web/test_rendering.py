import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.web.errors import BadQueryError
from dicom.web.rendering import Box, IccProfile, Rendering, Viewport, parse_rendering
from tiling.composite import Window
from tiling.geometry import Size


def test_every_parameter() -> None:
    assert parse_rendering(b"") == Rendering()
    asked = parse_rendering(
        b"viewport=512,256,10,20.5,,40&window=100,50,linear&quality=80&iccprofile=displayp3"
    )
    assert asked == Rendering(
        Viewport(Size(512, 256), 10, 20, None, 40),
        Window(75, 125),
        80,
        IccProfile.DISPLAY_P3,
    )


@given(
    st.integers(1, 8192),
    st.integers(1, 8192),
    st.integers(1, 10**5),
    st.integers(1, 10**5),
)
def test_a_picture_fits_its_room_in_the_shape_of_the_image(
    across: int, down: int, columns: int, rows: int
) -> None:
    asked = Rendering(Viewport(Size(across, down)))
    box = asked.box(Size(columns, rows))
    assert box == Box(0, 0, columns, rows)
    size = asked.size(box)
    assert 1 <= size.columns <= min(across, columns)
    assert 1 <= size.rows <= min(down, rows)
    wide = size.columns in (across, columns)
    assert wide or size.rows in (down, rows) or size.area == 1


def test_a_part_ends_with_the_image() -> None:
    asked = Rendering(Viewport(Size(10, 10), 90, 0, 50, 50))
    assert asked.box(Size(100, 40)) == Box(90, 0, 10, 40)
    with pytest.raises(BadQueryError):
        asked.box(Size(90, 40))


@given(st.binary(max_size=120))
def test_any_query_is_read_or_refused(data: bytes) -> None:
    try:
        asked = parse_rendering(data)
    except BadQueryError:
        return
    assert isinstance(asked, Rendering)


def test_a_query_has_its_bound() -> None:
    with pytest.raises(BadQueryError):
        parse_rendering(b"a=1&" * 1000)
