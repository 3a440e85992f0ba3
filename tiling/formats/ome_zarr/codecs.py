"""How the bytes of a chunk become samples: a closed list of codecs, each bounded by its chunk."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats.ome_zarr.values import DAMAGED, Mapped, integers, mapping, optional_mapping
from tiling.omezarr.crc32c import crc32c

_BROKEN = "A chunk of the slide is damaged; copy the slide again from where it was written."
_LARGEST_SHARD = 1 << 32
_MOST_CHUNKS = 1 << 16
"""Chunks of one shard: its index takes a megabyte."""
_BLOSC_HEADER_BYTES = 16

Unpack = Callable[[bytes, int], bytes]
"""The bytes that were packed, of which there must be as many as are told."""


def _unpack_zlib(data: bytes, length: int) -> bytes:
    """Also gzip: the header tells them apart."""
    return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, length + 1)


def _unpack_zstd(data: bytes, length: int) -> bytes:
    return bytes(imagecodecs.zstd_decode(data, out=length))


def _unpack_blosc(data: bytes, length: int) -> bytes:
    said = int.from_bytes(data[4:8], "little"), int.from_bytes(data[12:16], "little")
    if len(data) < _BLOSC_HEADER_BYTES or said != (length, len(data)):
        raise ValueError("the header tells other lengths")
    return bytes(imagecodecs.blosc_decode(data, numthreads=1, out=length))


def _unpack_lz4(data: bytes, length: int) -> bytes:
    """As numcodecs has it: the length in front of one block."""
    return bytes(imagecodecs.lz4_decode(data[4:], out=length))


_UNPACKERS_V2: Mapping[str, Unpack] = {
    "blosc": _unpack_blosc,
    "zstd": _unpack_zstd,
    "zlib": _unpack_zlib,
    "gzip": _unpack_zlib,
    "lz4": _unpack_lz4,
}
_UNPACKERS_V3: Mapping[str, Unpack] = {
    "blosc": _unpack_blosc,
    "zstd": _unpack_zstd,
    "gzip": _unpack_zlib,
}


@dataclass(frozen=True, slots=True)
class Chain:
    """What was done to the samples of a chunk, in that order."""

    order: tuple[int, ...]
    """The axes as they lie in the bytes, slowest first."""
    big_endian: bool = False
    unpack: Unpack | None = None
    sealed: bool = False
    """Whether a CRC-32C follows all else."""

    def longest(self, length: int) -> int:
        """More bytes than a chunk of that length can take once packed."""
        return length + length // 8 + 4096

    def decode(
        self, data: bytes, shape: Sequence[int], dtype: type[np.uint8] | type[np.uint16]
    ) -> NDArray[np.unsignedinteger]:
        """A chunk of that shape; raises DamagedSlideError when its bytes are not one."""
        length = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if self.sealed:
            data = unseal(data)
        if self.unpack is not None:
            try:
                data = self.unpack(data, length)
            except Exception as error:
                raise DamagedSlideError(_BROKEN) from error
        if len(data) != length:
            raise DamagedSlideError(_BROKEN)
        stored = np.frombuffer(data, np.dtype(dtype).newbyteorder(">" if self.big_endian else "<"))
        stored = stored.reshape([shape[axis] for axis in self.order])
        samples: NDArray[np.unsignedinteger] = stored.transpose(np.argsort(self.order)).astype(
            dtype, copy=False
        )
        return samples


@dataclass(frozen=True, slots=True)
class Sharding:
    """Chunks in one file, and the index that tells where."""

    chunk_shape: tuple[int, ...]
    chunks: tuple[int, ...]
    """How many lie along each axis of a shard."""
    index_first: bool
    index_sealed: bool


def unseal(data: bytes) -> bytes:
    """The bytes before a CRC-32C that fits them; raises DamagedSlideError for another."""
    body, seal = data[:-4], data[-4:]
    if len(seal) != 4 or crc32c(body) != int.from_bytes(seal, "little"):
        raise DamagedSlideError(_BROKEN)
    return body


def chain_of_v2(compressor: object, order: tuple[int, ...], *, big_endian: bool) -> Chain:
    """Of `.zarray`'s compressor, or of none."""
    if compressor is None:
        return Chain(order, big_endian)
    name = mapping(compressor).get("id")
    unpack = _UNPACKERS_V2.get(name) if isinstance(name, str) else None
    if unpack is None:
        raise _unknown_codec()
    return Chain(order, big_endian, unpack)


def codecs_of_v3(codecs: Sequence[object], shape: tuple[int, ...]) -> tuple[Chain, Sharding | None]:
    """Of a chunk's codecs in Zarr 3; `shape` is the chunk's, or the shard's."""
    named = [_named(codec) for codec in codecs]
    if len(named) == 1 and named[0][0] == "sharding_indexed":
        return _sharding(named[0][1], shape)
    return _chain(named, len(shape)), None


def _named(codec: object) -> tuple[str, Mapped]:
    """Name and configuration; a codec without one may be its bare name."""
    if isinstance(codec, str):
        return codec, {}
    said = mapping(codec)
    name = said.get("name")
    if not isinstance(name, str):
        raise DamagedSlideError(DAMAGED)
    return name, optional_mapping(said.get("configuration"))


def _chain(named: Sequence[tuple[str, Mapped]], axes: int) -> Chain:
    """Transpositions, then the order of bytes, then compression, then a seal; each may be absent.

    More than one compression is not unpacked: nobody needs it.
    """
    order = tuple(range(axes))
    left = list(named)
    while left and left[0][0] == "transpose":
        turned = integers(left.pop(0)[1].get("order"), axes, 0, axes - 1)
        if len(set(turned)) != axes:
            raise DamagedSlideError(DAMAGED)
        order = tuple(order[axis] for axis in turned)
    if not left or left[0][0] != "bytes":
        raise _unknown_codec()
    endian = left.pop(0)[1].get("endian", "little")
    if endian not in ("little", "big"):
        raise DamagedSlideError(DAMAGED)
    unpack = None
    if left and left[0][0] in _UNPACKERS_V3:
        unpack = _UNPACKERS_V3[left.pop(0)[0]]
    sealed = bool(left) and left[0][0] == "crc32c"
    if len(left) > sealed:
        raise _unknown_codec()
    return Chain(order, endian == "big", unpack, sealed)


def _sharding(configuration: Mapped, shape: tuple[int, ...]) -> tuple[Chain, Sharding]:
    chunk_shape = integers(configuration.get("chunk_shape"), len(shape), 1, _LARGEST_SHARD)
    counts = [divmod(whole, part) for whole, part in zip(shape, chunk_shape, strict=True)]
    if any(left_over for _, left_over in counts):
        raise DamagedSlideError(DAMAGED)
    chunks = tuple(count for count, _ in counts)
    if int(np.prod(chunks, dtype=object)) > _MOST_CHUNKS:
        raise UnsupportedSlideError("The slide's shards hold too many chunks; write smaller ones.")
    index = _chain([_named(codec) for codec in _list(configuration, "index_codecs")], 1)
    location = configuration.get("index_location", "end")
    if index.unpack is not None or index.big_endian or location not in ("start", "end"):
        raise _unknown_codec()
    chain = _chain([_named(codec) for codec in _list(configuration, "codecs")], len(shape))
    return chain, Sharding(chunk_shape, chunks, location == "start", index.sealed)


def _list(configuration: Mapped, name: str) -> list[object]:
    value = configuration.get(name)
    if not isinstance(value, list):
        raise DamagedSlideError(DAMAGED)
    return value


def _unknown_codec() -> UnsupportedSlideError:
    return UnsupportedSlideError(
        "The slide's chunks are compressed in a way that cannot be read; "
        "write them with blosc, zstd or gzip."
    )
