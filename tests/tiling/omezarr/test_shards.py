import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.errors import DamagedSlideError
from tiling.omezarr.shards import ABSENT, build_shard, index_bytes, parse_index

chunks = st.lists(st.none() | st.binary(min_size=1, max_size=20), min_size=1, max_size=20)


@given(chunks)
def test_what_goes_in_comes_out(chunks: list[bytes | None]) -> None:
    shard = build_shard(chunks)
    if not any(chunks):
        assert shard is None
        return
    assert shard is not None
    index = parse_index(shard[-index_bytes(len(chunks)) :])
    for chunk, (offset, length) in zip(chunks, index.tolist(), strict=True):
        if chunk is None:
            assert (offset, length) == (ABSENT, ABSENT)
        else:
            assert shard[offset : offset + length] == chunk


@given(chunks.filter(any), st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_of_the_index_is_seen(chunks: list[bytes | None], at: int, bit: int) -> None:
    shard = build_shard(chunks)
    assert shard is not None
    index = bytearray(shard[-index_bytes(len(chunks)) :])
    index[at % len(index)] ^= 1 << bit
    with pytest.raises(DamagedSlideError):
        parse_index(bytes(index))
