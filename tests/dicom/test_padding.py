import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dicom.padding import CREATOR, padding_elements, padding_length, parse_padding


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=100))
def test_odd_frames_are_found_again(lengths: list[int]) -> None:
    block = padding_elements(np.array(lengths))
    value = block[8 + len(CREATOR) + 12 :]
    assert len(value) == padding_length(len(lengths))
    assert len(value) % 2 == 0
    assert parse_padding(value, len(lengths)).tolist() == [length % 2 for length in lengths]
