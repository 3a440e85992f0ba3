"""What the document of an array says, of Zarr 2 (`.zarray`) or Zarr 3 (`zarr.json`).

Only what holds samples of 8 or 16 bits without a sign is read. Objects, which would be unpickled,
are refused like every other type, before a byte of a chunk is looked at.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.formats.ome_zarr.codecs import (
    Chain,
    Sharding,
    chain_of_v2,
    codecs_of_v3,
)
from tiling.formats.ome_zarr.files import Files, join
from tiling.formats.ome_zarr.values import (
    DAMAGED,
    Mapped,
    integer,
    integers,
    mapping,
    optional_mapping,
    read_document,
    sequence,
    text,
)
from tiling.limits import Limits
from tiling.omezarr.documents import STORED_OBJECTS

Dtype = type[np.uint8] | type[np.uint16]

_LARGEST_EXTENT = 1 << 32
_MOST_AXES = 5
_SAMPLE_TYPES: dict[str, Dtype] = {
    "|u1": np.uint8,
    "<u1": np.uint8,
    "<u2": np.uint16,
    ">u2": np.uint16,
}
_SAMPLE_TYPES_V3: dict[str, Dtype] = {"uint8": np.uint8, "uint16": np.uint16}
_CHUNK_FACTOR = 4
"""How many times the samples of the largest tile a chunk of several channels may have."""


@dataclass(frozen=True, slots=True)
class ArrayLayout:
    """An array cut into chunks, each a file or a part of one."""

    shape: tuple[int, ...]
    dtype: Dtype
    fill_value: int
    file_shape: tuple[int, ...]
    """Extent of what one file holds: a chunk, or a shard of chunks."""
    chunk_shape: tuple[int, ...]
    chain: Chain
    sharding: Sharding | None
    separator: str
    key_prefix: str
    """What a chunk's key begins with: "c" in Zarr 3."""
    stored_objects: int | None = None
    """How many files were written, where the array tells; blank ones are left out."""

    def key(self, place: Sequence[int]) -> str:
        """The name of a file by its place in the grid of files, below the array's folder."""
        numbers = [self.key_prefix] if self.key_prefix else []
        return self.separator.join([*numbers, *map(str, place)])

    @property
    def most_objects(self) -> int:
        """How many files there are when none is left out."""
        pairs = zip(self.shape, self.file_shape, strict=True)
        return math.prod(-(-whole // part) for whole, part in pairs)

    @property
    def chunk_samples(self) -> int:
        return math.prod(self.chunk_shape)

    def empty_chunk(self) -> NDArray[np.unsignedinteger]:
        """A chunk that is not there: the fill value all over, without memory of its own."""
        value = np.array(self.fill_value, self.dtype)
        return np.broadcast_to(value, self.chunk_shape)


def read_layout(files: Files, path: str, limits: Limits) -> ArrayLayout:
    """The array in a folder; raises DamagedSlideError when there is none."""
    v3 = read_document(files, join(path, "zarr.json"))
    if v3 is not None:
        layout = _layout_v3(v3)
    else:
        v2 = read_document(files, join(path, ".zarray"))
        if v2 is None:
            raise DamagedSlideError("A level of the slide is missing; copy the slide again.")
        layout = _layout_v2(v2)
    if layout.chunk_samples > _CHUNK_FACTOR * limits.tile_pixels:
        raise SlideTooLargeError(
            "The slide is cut into larger chunks than can be held; write it in smaller ones."
        )
    return layout


def _layout_v2(document: Mapped) -> ArrayLayout:
    if document.get("zarr_format") != 2:
        raise DamagedSlideError(DAMAGED)
    shape, chunk_shape = _shapes(document.get("shape"), document.get("chunks"))
    said = document.get("dtype")
    dtype = _SAMPLE_TYPES.get(said) if isinstance(said, str) else None
    if dtype is None:
        raise _other_samples()
    if document.get("filters"):
        raise UnsupportedSlideError("The slide's chunks are filtered; write them without filters.")
    big_endian = str(said).startswith(">")
    column_major = text(document.get("order", "C")) == "F"
    axes = tuple(range(len(shape)))
    separator = text(document.get("dimension_separator", "."))
    _check_separator(separator)
    return ArrayLayout(
        shape,
        dtype,
        _fill_value(document.get("fill_value"), dtype),
        chunk_shape,
        chunk_shape,
        chain_of_v2(
            document.get("compressor"),
            axes[::-1] if column_major else axes,
            big_endian=big_endian,
        ),
        None,
        separator,
        "",
    )


def _layout_v3(document: Mapped) -> ArrayLayout:
    if document.get("zarr_format") != 3 or document.get("node_type") != "array":
        raise DamagedSlideError(DAMAGED)
    if document.get("storage_transformers"):
        raise UnsupportedSlideError("The slide's chunks are transformed; write them as they are.")
    grid = mapping(document.get("chunk_grid"))
    if grid.get("name") != "regular":
        raise UnsupportedSlideError("The slide's chunks differ in size; write them all alike.")
    chunks = mapping(grid.get("configuration")).get("chunk_shape")
    shape, file_shape = _shapes(document.get("shape"), chunks)
    said = document.get("data_type")
    dtype = _SAMPLE_TYPES_V3.get(said) if isinstance(said, str) else None
    if dtype is None:
        raise _other_samples()
    chain, sharding = codecs_of_v3(sequence(document.get("codecs")), file_shape)
    prefix, separator = _key_encoding(document.get("chunk_key_encoding"))
    return ArrayLayout(
        shape,
        dtype,
        _fill_value(document.get("fill_value"), dtype),
        file_shape,
        file_shape if sharding is None else sharding.chunk_shape,
        chain,
        sharding,
        separator,
        prefix,
        _stored_objects(optional_mapping(document.get("attributes"))),
    )


def _stored_objects(attributes: Mapped) -> int | None:
    told = attributes.get(STORED_OBJECTS)
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _shapes(shape: object, chunks: object) -> tuple[tuple[int, ...], tuple[int, ...]]:
    found = integers(shape, None, 1, _LARGEST_EXTENT)
    if not 2 <= len(found) <= _MOST_AXES:
        raise UnsupportedSlideError("A slide has two to five axes; write it with those alone.")
    return found, integers(chunks, len(found), 1, _LARGEST_EXTENT)


def _key_encoding(said: object) -> tuple[str, str]:
    """What keys begin with, and what separates their numbers."""
    encoding = mapping(said)
    configuration = optional_mapping(encoding.get("configuration"))
    name = encoding.get("name")
    if name not in ("default", "v2"):
        raise UnsupportedSlideError("The slide's chunks are named in a way that is not known here.")
    separator = text(configuration.get("separator", "/" if name == "default" else "."))
    _check_separator(separator)
    return ("c" if name == "default" else ""), separator


def _check_separator(separator: str) -> None:
    if separator not in {"/", "."}:
        raise DamagedSlideError(DAMAGED)


def _fill_value(said: object, dtype: Dtype) -> int:
    return 0 if said is None else integer(said, 0, int(np.iinfo(dtype).max))


def _other_samples() -> UnsupportedSlideError:
    return UnsupportedSlideError(
        "The image is not of whole numbers of 8 or 16 bits without a sign; "
        "write it as uint8 or uint16."
    )
