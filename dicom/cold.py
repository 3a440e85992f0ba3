"""A stored instance packed for cold storage, and given back bit for bit.

Frames are most of an instance, and JPEG frames become a fifth to a quarter smaller as JPEG XL.
All numbers are little-endian:

    frames   every frame, one after the other: recompressed, or as it was
    rest     everything of the instance that is no frame, in order: one zlib stream (RFC 1950)
    index    three 32-bit numbers a frame: bytes of the rest between the frame before and this one,
             bytes of the frame, and bytes of it recompressed; 0 where it is as it was
    footer   of a fixed length: what `_FACTS` and `_END` below list, version and magic last

The index comes last, so that packing is one pass; a single frame is three range reads away.
"""

import hashlib
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.forward import (
    DAMAGED,
    PIECE_BYTES,
    Deflating,
    Forward,
    Inflating,
    read_exactly,
    read_pieces,
)
from dicom.frame_index import FrameIndex
from dicom.hashing import HashingSink
from dicom.ports import ByteSink, ByteSource
from dicom.writer import WrittenInstance
from tiling.parallel import map_in_order

Recompress = Callable[[Sequence[bytes]], Sequence[bytes | None]]
"""Frames made smaller; None for one that stays as it is."""
GiveBack = Callable[[Sequence[bytes], Sequence[int]], Sequence[bytes]]
"""Recompressed frames, and the bytes of each before; returns them as they were before."""

_VERSION = 1
_MAGIC = b"SGICOLD"
_FACTS = struct.Struct("<QQQI32s")
"""Bytes of the frames, of the rest, of the instance; frames; SHA-256 of the instance."""
_END = struct.Struct("<32sB7s")
"""SHA-256 of index and facts, version, magic."""
FOOTER_BYTES = _FACTS.size + _END.size
_ENTRY_BYTES = 12
_MOST_FRAMES = 1 << 24
_LONGEST_FRAME = 256 << 20
_LONGEST_RECOMPRESSED = 16 << 20
"""Longer frames stay as they are, so that memory stays bounded."""
_MOST_REST = 1 << 30
LONGEST_HEADER = 128 << 20
"""Bytes before the first frame: they hold the offsets of up to millions."""
_BATCH_BYTES = 2 << 20
_SPOOL_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class _Batch:
    first: int
    """The number of its first frame."""
    frames: list[bytes]


@dataclass(frozen=True, slots=True)
class PackedInstance:
    """What packing made."""

    size_bytes: int
    """Of the packed object."""
    recompressed: int
    """Frames that became smaller."""
    frames: int
    sha256: str
    """Of the instance that was packed, in hexadecimal."""


def pack(
    source: ByteSource, size_bytes: int, sink: ByteSink, recompress: Recompress | None
) -> PackedInstance:
    """Pack an instance of `size_bytes` bytes in bounded memory; without `recompress`, as it is.

    Raises DamagedInstanceError or UnsupportedInstanceError for what is no instance that can be
    packed, and whatever source, sink and `recompress` raise.
    """
    index = FrameIndex.read(source)
    gaps = _gaps(index)
    rest_is_short = size_bytes - int(index.lengths.sum()) <= _MOST_REST
    if int(index.lengths.max()) > _LONGEST_FRAME or int(gaps.min()) < 0 or not rest_is_short:
        raise UnsupportedInstanceError("The instance is not of a kind that is packed.")

    def smaller(batch: _Batch) -> tuple[_Batch, Sequence[bytes | None]]:
        short = len(batch.frames[0]) <= _LONGEST_RECOMPRESSED
        if recompress is None or not short:
            return batch, [None] * len(batch.frames)
        return batch, recompress(batch.frames)

    stored = np.zeros(len(gaps), dtype=np.int64)
    frames_bytes = 0
    instance = Forward(source, 0, size_bytes)
    with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as spool:
        rest = Deflating(spool)
        for batch, made in map_in_order(smaller, _batches(instance, rest, gaps, index.lengths), 1):
            for number, (frame, packed) in enumerate(zip(batch.frames, made, strict=True)):
                stored[batch.first + number] = 0 if packed is None else len(packed)
                data = frame if packed is None else packed
                sink.write(data)
                frames_bytes += len(data)
        rest.copy(instance, instance.left)
        rest_bytes = rest.finish()
        while piece := spool.read(PIECE_BYTES):
            sink.write(piece)
    table = np.stack([gaps, index.lengths, stored], axis=1).astype("<u4").tobytes()
    facts = _FACTS.pack(frames_bytes, rest_bytes, size_bytes, len(gaps), instance.digest())
    sink.write(table)
    sink.write(facts)
    sink.write(_END.pack(hashlib.sha256(table + facts).digest(), _VERSION, _MAGIC))
    total = frames_bytes + rest_bytes + len(table) + FOOTER_BYTES
    return PackedInstance(total, int((stored > 0).sum()), len(gaps), instance.digest().hex())


@dataclass(frozen=True, slots=True, eq=False)
class ColdInstance:
    """A packed instance, open for reading."""

    source: ByteSource
    size_bytes: int
    """Of the instance."""
    sha256: str
    """Of the instance, in hexadecimal, as it was when it was packed."""
    _table: NDArray[np.int64]
    """Of each frame the bytes before it, its own, and its recompressed ones, shape (frames, 3)."""
    _starts: NDArray[np.int64]
    """Where each stored frame begins, and where the last ends."""
    _rest_bytes: int

    @classmethod
    def open(cls, source: ByteSource, packed_bytes: int) -> Self:
        """Read the index of a packed object of so many bytes.

        Nothing it says is believed before it fits. Raises DamagedInstanceError, or
        UnsupportedInstanceError for a version of later days.
        """
        end = packed_bytes - FOOTER_BYTES
        footer = read_exactly(source, end, FOOTER_BYTES) if end > 0 else b""
        if len(footer) != FOOTER_BYTES or not footer.endswith(_MAGIC):
            raise DamagedInstanceError("The object is no packed instance.")
        digest, version, _ = _END.unpack(footer[_FACTS.size :])
        if version != _VERSION:
            raise UnsupportedInstanceError("The instance was packed by a later version.")
        frames_bytes, rest_bytes, size_bytes, count, sha256 = _FACTS.unpack(footer[: _FACTS.size])
        table_bytes = count * _ENTRY_BYTES
        if not 0 < count <= _MOST_FRAMES or frames_bytes + rest_bytes + table_bytes != end:
            raise DamagedInstanceError(DAMAGED)
        data = b"".join(read_pieces(source, end - table_bytes, table_bytes))
        if hashlib.sha256(data + footer[: _FACTS.size]).digest() != digest:
            raise DamagedInstanceError(DAMAGED)
        table = np.frombuffer(data, "<u4").reshape(count, 3).astype(np.int64)
        stored = np.where(table[:, 2] > 0, table[:, 2], table[:, 1])
        starts = np.concatenate(([0], np.cumsum(stored)))
        rest = size_bytes - int(table[:, 1].sum())
        longest = int(table[:, 1].max())
        longest_recompressed = int(table[table[:, 2] > 0, 1].max(initial=0))
        if (
            starts[-1] != frames_bytes
            or not int(table[:, 0].sum()) <= rest <= _MOST_REST
            or longest > _LONGEST_FRAME
            or longest_recompressed > _LONGEST_RECOMPRESSED
        ):
            raise DamagedInstanceError(DAMAGED)
        return cls(source, size_bytes, sha256.hex(), table, starts, rest_bytes)

    @property
    def frames(self) -> int:
        return len(self._table)

    @property
    def recompressed(self) -> int:
        """Frames that are kept smaller than they were."""
        return int((self._table[:, 2] > 0).sum())

    def frame(self, frame_index: int, give_back: GiveBack) -> bytes:
        """One frame as it was.

        Raises IndexError outside the frames, DamagedInstanceError, and whatever `give_back` does.
        """
        if not 0 <= frame_index < self.frames:
            raise IndexError(f"no frame {frame_index} among {self.frames}")
        start, end = self._starts[frame_index : frame_index + 2].tolist()
        data = read_exactly(self.source, start, end - start)
        return self._as_they_were(_Batch(frame_index, [data]), give_back)[0]

    def header(self, limit_bytes: int = LONGEST_HEADER) -> bytes:
        """What the instance begins with, up to its first frame; read without any frame.

        Raises DamagedInstanceError where it is damaged, or longer than the limit.
        """
        length = int(self._table[0, 0])
        if length > limit_bytes:
            raise DamagedInstanceError(DAMAGED)
        rest = Inflating(read_pieces(self.source, int(self._starts[-1]), self._rest_bytes))
        return b"".join(rest.take(length))

    def unpack(self, sink: ByteSink, give_back: GiveBack) -> WrittenInstance:
        """Write the instance as it was, in bounded memory.

        Raises DamagedInstanceError when it is not, to the last byte, what was packed: what the
        sink has taken by then is worth nothing. Raises what source, sink and `give_back` raise.
        """

        def restored(batch: _Batch) -> list[bytes]:
            return self._as_they_were(batch, give_back)

        hashes = bytearray()
        header = hashlib.sha256()
        rest = Inflating(read_pieces(self.source, int(self._starts[-1]), self._rest_bytes))
        gaps = iter(self._table[:, 0].tolist())
        with HashingSink(sink) as out:
            for piece in rest.take(next(gaps)):
                header.update(piece)
                out.write(piece)
            for frames in map_in_order(restored, self._batches(), 1):
                for frame in frames:
                    out.write(frame)
                    hashes += hashlib.sha256(frame).digest()
                    for piece in rest.take(next(gaps, 0)):
                        out.write(piece)
            for piece in rest.take(self.size_bytes - int(self._table[:, :2].sum())):
                out.write(piece)
        if out.size_bytes != self.size_bytes or out.hexdigest() != self.sha256:
            raise DamagedInstanceError(DAMAGED)
        return WrittenInstance(
            size_bytes=out.size_bytes,
            sha256=self.sha256,
            frame_hashes=bytes(hashes),
            header_bytes=int(self._table[0, 0]),
            header_sha256=header.hexdigest(),
        )

    def _batches(self) -> Iterator[_Batch]:
        stored = Forward(self.source, 0, int(self._starts[-1]))
        nothing = np.zeros(self.frames, dtype=np.int64)
        return _batches(stored, None, nothing, np.diff(self._starts), self._table[:, 1])

    def _as_they_were(self, batch: _Batch, give_back: GiveBack) -> list[bytes]:
        entries = self._table[batch.first : batch.first + len(batch.frames)].tolist()
        changed = [number for number, entry in enumerate(entries) if entry[2]]
        if not changed:
            return batch.frames
        lengths = [entries[number][1] for number in changed]
        given = give_back([batch.frames[number] for number in changed], lengths)
        if [len(frame) for frame in given] != lengths:
            raise DamagedInstanceError(DAMAGED)
        frames = list(batch.frames)
        for number, frame in zip(changed, given, strict=True):
            frames[number] = frame
        return frames


def _batches(
    source: Forward,
    rest: Deflating | None,
    gaps: NDArray[np.int64],
    lengths: NDArray[np.int64],
    weights: NDArray[np.int64] | None = None,
) -> Iterator[_Batch]:
    """Frames that are read one after the other, some `_BATCH_BYTES` at a time.

    A frame that weighs too much to be recompressed is a batch of its own.
    """
    first, frames, held = 0, list[bytes](), 0
    weights = lengths if weights is None else weights
    for number, (gap, length, weight) in enumerate(
        zip(gaps.tolist(), lengths.tolist(), weights.tolist(), strict=True)
    ):
        if frames and (held >= _BATCH_BYTES or weight > _LONGEST_RECOMPRESSED):
            yield _Batch(first, frames)
            first, frames, held = number, [], 0
        if rest is not None:
            rest.copy(source, gap)
        frames.append(source.take(length))
        held += weight
    yield _Batch(first, frames)


def _gaps(index: FrameIndex) -> NDArray[np.int64]:
    """Bytes between the end of each frame's predecessor and its beginning."""
    ends = index.offsets + index.lengths
    return index.offsets - np.concatenate(([0], ends[:-1]))
