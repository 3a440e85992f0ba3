from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.hashing import HashingSink
from dicom.testing import MemorySink


@given(st.lists(st.integers(0, 700_000).map(bytes), max_size=6))
def test_everything_arrives_and_is_hashed(writes: list[bytes]) -> None:
    sink = MemorySink()
    with HashingSink(sink) as out:
        for data in writes:
            out.write(data)
    assert sink.data == b"".join(writes)
    assert out.hexdigest() == sha256(sink.data).hexdigest()
    assert out.size_bytes == len(sink.data)


def test_after_an_error_the_rest_is_not_written() -> None:
    sink = MemorySink()

    def fail() -> None:
        with HashingSink(sink) as out:
            out.write(b"held back")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert sink.data == b""
