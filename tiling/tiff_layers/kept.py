"""Unpacked pieces that are kept for a while, since several tiles are cut from each."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from tiling.slide import Samples

_KEPT_BYTES = 1 << 27
"""A band of 512 rows in 16 bits, 131072 columns wide."""


class KeptPieces:
    """The pieces that were used last, as many as fit; safe from several threads."""

    def __init__(self, most_bytes: int = _KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pieces: OrderedDict[Hashable, Samples | None] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, unpack: Callable[[], Samples | None]) -> Samples | None:
        """The piece of that key, unpacked when it is not kept; None is a piece that is not there.

        Two threads may unpack the same piece at once; both get the same samples.
        """
        with self._lock:
            if key in self._pieces:
                self._pieces.move_to_end(key)
                return self._pieces[key]
        piece = unpack()
        if piece is not None and piece.nbytes <= self._most_bytes:
            self._keep(key, piece)
        return piece

    def _keep(self, key: Hashable, piece: Samples) -> None:
        with self._lock:
            if key in self._pieces:
                return
            self._pieces[key] = piece
            self._bytes += piece.nbytes
            while self._bytes > self._most_bytes:
                _, oldest = self._pieces.popitem(last=False)
                self._bytes -= oldest.nbytes if oldest is not None else 0
