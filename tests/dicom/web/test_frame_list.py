import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.web.errors import BadQueryError, TooMuchAskedError
from dicom.web.frame_list import MOST_FRAMES, parse_frame_list


@given(st.lists(st.integers(1, 10**9 - 1), min_size=1, max_size=50))
def test_numbers_from_one_become_indexes_from_zero(numbers: list[int]) -> None:
    assert parse_frame_list(",".join(map(str, numbers))) == [number - 1 for number in numbers]


@pytest.mark.parametrize(
    "text", ["", "0", "00", "1,", ",1", "-1", "1-3", "1.0", "x", "٣", "1,0", "1" * 12]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadQueryError):
        parse_frame_list(text)


def test_a_list_has_its_bound() -> None:
    assert len(parse_frame_list(",".join(["1"] * MOST_FRAMES))) == MOST_FRAMES
    for text in (",".join(["1"] * (MOST_FRAMES + 1)), "1" * 20_000):
        with pytest.raises(TooMuchAskedError):
            parse_frame_list(text)
