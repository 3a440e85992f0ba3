"""An object is cut into pieces that hold every frame, and nothing wrong is handed on whole."""

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.errors import DamagedInstanceError
from dicom.frame_index import FrameIndex
from dicom.web.pieces import Proof, pieces_of

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=30)


def an_object(lengths: list[int], header: int) -> tuple[bytes, FrameIndex, bytes]:
    """Bytes with frames that have 8 bytes before each, their index, and their hashes."""
    data = np.random.default_rng(1).bytes(header + sum(lengths) + 8 * (len(lengths) + 1))
    ends = header + np.cumsum(np.asarray(lengths) + 8)
    offsets = ends - np.asarray(lengths)
    index = FrameIndex(None, offsets, np.asarray(lengths), exact=True)  # type: ignore[arg-type] # no header is looked at
    hashes = b"".join(
        sha256(data[o : o + n]).digest() for o, n in zip(offsets, lengths, strict=True)
    )
    return data, index, hashes


@given(LENGTHS, st.integers(1, 200), st.integers(1, 100))
def test_pieces_make_up_the_object(lengths: list[int], header: int, most: int) -> None:
    data, index, hashes = an_object(lengths, header)
    proof = Proof(index, hashes, sha256(data).hexdigest())
    position = 0
    proved: list[int] = []
    for piece in pieces_of(index, len(data), most):
        assert piece.offset == position
        assert 0 < piece.length <= most
        position += piece.length
        proved += range(piece.first_frame, piece.end_frame)
        proof.add(piece, data[piece.offset : position])
    proof.finish()
    assert position == len(data)
    assert proved == sorted(set(proved))
    if max(lengths) <= most:
        assert proved == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 200), st.integers(70, 200), st.data())
def test_a_flipped_bit_is_found(
    lengths: list[int], header: int, most: int, drawn: st.DataObject
) -> None:
    data, index, hashes = an_object(lengths, header)
    at = drawn.draw(st.integers(0, len(data) - 1))
    damaged = bytearray(data)
    damaged[at] ^= 1
    proof = Proof(index, hashes, sha256(data).hexdigest())
    frame_hit = any(o <= at < o + n for o, n in zip(index.offsets, index.lengths, strict=True))
    sent = bytearray()

    def send() -> None:
        for piece in pieces_of(index, len(data), most):
            data_of_piece = bytes(damaged[piece.offset : piece.offset + piece.length])
            proof.add(piece, data_of_piece)
            sent.extend(data_of_piece)
        proof.finish()

    with pytest.raises(DamagedInstanceError):
        send()
    if frame_hit:
        assert len(sent) <= at, "the frame was sent before it was compared"


def test_an_object_that_was_cut_short() -> None:
    data, index, hashes = an_object([10, 10], 20)
    proof = Proof(index, hashes, sha256(data).hexdigest())
    (piece,) = pieces_of(index, len(data))
    with pytest.raises(DamagedInstanceError):
        proof.add(piece, data[:-1])
