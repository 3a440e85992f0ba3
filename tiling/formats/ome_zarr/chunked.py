"""Parts of an array, put together from its chunks; what was unpacked last is kept for a while."""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError
from tiling.formats.ome_zarr.arrays import ArrayLayout
from tiling.formats.ome_zarr.files import Files, join
from tiling.omezarr.shards import ABSENT, index_bytes, parse_index

Array = NDArray[np.unsignedinteger]

_KEPT_BYTES = 1 << 26


class Kept:
    """The arrays that were used last, as many as fit; shared by all levels of a slide."""

    def __init__(self, most_bytes: int = _KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._arrays: OrderedDict[tuple[str, ...], Array] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, *place: str) -> Array | None:
        with self._lock:
            found = self._arrays.get(place)
            if found is not None:
                self._arrays.move_to_end(place)
            return found

    def put(self, array: Array, *place: str) -> None:
        with self._lock:
            if place in self._arrays or array.nbytes > self._most_bytes:
                return
            self._arrays[place] = array
            self._bytes += array.nbytes
            while self._bytes > self._most_bytes:
                _, dropped = self._arrays.popitem(last=False)
                self._bytes -= dropped.nbytes


class ChunkedArray:
    """One array of a slide; reads are safe from several threads at once."""

    def __init__(self, files: Files, path: str, layout: ArrayLayout, kept: Kept) -> None:
        self.layout = layout
        self._files = files
        self._path = path
        self._kept = kept

    def read(self, ranges: Sequence[tuple[int, int]]) -> Array:
        """The samples between `(start, stop)` of each axis, all of them within the array."""
        layout = self.layout
        result = np.empty([stop - start for start, stop in ranges], layout.dtype)
        grids = [
            range(start // chunk, -(-stop // chunk))
            for (start, stop), chunk in zip(ranges, layout.chunk_shape, strict=True)
        ]
        for place in itertools.product(*grids):
            chunk = self._chunk(place)
            here, there = [], []
            for at, size, (start, stop) in zip(place, layout.chunk_shape, ranges, strict=True):
                first, last = max(start, at * size), min(stop, (at + 1) * size)
                here.append(slice(first - start, last - start))
                there.append(slice(first - at * size, last - at * size))
            result[tuple(here)] = chunk[tuple(there)]
        return result

    def _chunk(self, place: tuple[int, ...]) -> Array:
        """A whole chunk by its place in the grid of chunks."""
        name = ".".join(map(str, place))
        chunk = self._kept.get(self._path, name)
        if chunk is None:
            data = self._chunk_data(place)
            if data is None:
                return self.layout.empty_chunk()
            chunk = self.layout.chain.decode(data, self.layout.chunk_shape, self.layout.dtype)
            self._kept.put(chunk, self._path, name)
        return chunk

    def _chunk_data(self, place: tuple[int, ...]) -> bytes | None:
        """The packed bytes of a chunk; None when it is not there."""
        layout = self.layout
        longest = layout.chain.longest(layout.chunk_samples * np.dtype(layout.dtype).itemsize)
        if layout.sharding is None:
            return self._files.read(join(self._path, layout.key(place)), longest)
        divided = [divmod(at, n) for at, n in zip(place, layout.sharding.chunks, strict=True)]
        name = join(self._path, layout.key([shard for shard, _ in divided]))
        index = self._index(name)
        if index is None:
            return None
        within = np.ravel_multi_index([at for _, at in divided], layout.sharding.chunks)
        offset, length = (int(number) for number in index[within])
        if offset == length == ABSENT:
            return None
        if length > longest:
            raise DamagedSlideError("A shard of the slide is damaged; copy the slide again.")
        return self._files.read_range(name, offset, length)

    def _index(self, name: str) -> Array | None:
        """The index of a shard, shape `(chunks, 2)`; None when there is no such file."""
        sharding = self.layout.sharding
        if sharding is None:
            raise AssertionError("only shards have an index")
        index = self._kept.get(name)
        if index is None:
            size = self._files.size(name)
            if size is None:
                return None
            length = index_bytes(int(np.prod(sharding.chunks)), sealed=sharding.index_sealed)
            start = 0 if sharding.index_first else size - length
            data = self._files.read_range(name, start, length)
            index = parse_index(data, sealed=sharding.index_sealed)
            self._kept.put(index, name)
        return index
