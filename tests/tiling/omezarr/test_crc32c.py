import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.omezarr.crc32c import crc32c


def bit_by_bit(data: bytes) -> int:
    """As RFC 3720 tells it, without a table."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_known_checksums(data: bytes, checksum: int) -> None:
    assert crc32c(data) == checksum


@given(st.binary(max_size=3000))
def test_lanes_make_no_difference(data: bytes) -> None:
    assert crc32c(data) == bit_by_bit(data)
