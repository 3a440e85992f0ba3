"""A JPEG stream that restarts often, seen as pieces that can be put together anew.

Between two restart markers the decoder begins from nothing (ISO 10918-1 E.1.4), so that the bytes
of one restart segment mean the same wherever they stand, under a header with the same tables.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiling.codecs import segments
from tiling.codecs.segments import FrameHeader, Segment, iter_segments, parse_frame_header
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import TileEncoding

_TABLES = frozenset({segments.DQT, segments.DHT, segments.DRI, segments.SOS})
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {segments.DHT, 0xC8, 0xCC}
_ANY_SIZE = Size(8, 8)
_RST0, _EOI = 0xD0, 0xD9


@dataclass(frozen=True, slots=True)
class RestartHeader:
    """The header of a stream, and how its scan is divided."""

    length: int
    """Bytes from SOI to the first entropy-coded byte."""
    stated: Size | None
    """The size by the frame header; None where it says zero, as 16 bits are too few for some."""
    frame: FrameHeader
    """What the frame header says besides its size."""
    interval: int
    """MCUs between two restarts; 0 when there are none."""
    interleaved: bool
    """Whether the first scan holds all components."""
    tables: bytes = field(repr=False)
    """The header without comments and application data, for an image of `_ANY_SIZE`."""

    @property
    def mcu(self) -> Size:
        """Pixels of one MCU; a lone component is not interleaved, whatever its factors say."""
        if len(self.frame.components) == 1:
            return Size(8, 8)
        return Size(
            8 * max(component.horizontal for component in self.frame.components),
            8 * max(component.vertical for component in self.frame.components),
        )

    @property
    def encoding(self) -> TileEncoding | None:
        """What tiles of this stream are; None where they cannot be handed on."""
        return self.frame.encoding_as(self.frame.decoded_as) if self.interleaved else None

    def for_size(self, size: Size) -> bytes:
        """The header of an image of that size with the same tables; always of the same length."""
        header = bytearray(self.tables)
        for segment in iter_segments(self.tables):
            if segment.marker == self.frame.marker:
                header[segment.start + 5 : segment.start + 9] = size.rows.to_bytes(
                    2, "big"
                ) + size.columns.to_bytes(2, "big")
        return bytes(header)


def parse_restart_header(stream: bytes) -> RestartHeader:
    """Read the header at the beginning of a stream, of which the rest need not be there.

    Raises DamagedSlideError when it is not a whole header of one image.
    """
    found = list(iter_segments(stream))
    frames = [s for s in found if s.marker in _FRAME_HEADERS]
    if len(frames) != 1 or len(frames[0].payload(stream)) < 6 or found[-1].marker != segments.SOS:
        raise DamagedSlideError(
            "A compressed image has no header of its own; copy the file again from the scanner."
        )
    rows, columns = (int.from_bytes(frames[0].payload(stream)[at : at + 2], "big") for at in (1, 3))
    kept = b"\xff\xd8" + b"".join(_piece(s, stream) for s in found if _is_kept(s, stream))
    frame = parse_frame_header(kept)
    intervals = [s.payload(stream)[:2] for s in found if s.marker == segments.DRI]
    scan = found[-1].payload(stream)
    return RestartHeader(
        length=found[-1].end,
        stated=Size(columns, rows) if rows and columns else None,
        frame=frame,
        interval=int.from_bytes(intervals[-1], "big") if intervals else 0,
        interleaved=len(scan) == 4 + 2 * len(frame.components)
        and scan[1:-3:2] == bytes(component.identifier for component in frame.components),
        tables=kept,
    )


def _is_kept(segment: Segment, stream: bytes) -> bool:
    return (
        segment.marker in _TABLES
        or segment.marker in _FRAME_HEADERS
        or segments.is_jfif(segment, stream)
        or segments.is_adobe(segment, stream)
    )


def _piece(segment: Segment, stream: bytes) -> bytes:
    piece = stream[segment.start : segment.end]
    if segment.marker in _FRAME_HEADERS:
        size = _ANY_SIZE.rows.to_bytes(2, "big") + _ANY_SIZE.columns.to_bytes(2, "big")
        return piece[:5] + size + piece[9:]
    return piece


def join_segments(header: bytes, data: bytes, lengths: NDArray[np.int64]) -> bytes:
    """A stream of restart segments, each in `data` with the marker that followed it in its file.

    `lengths` `(segments,)` counts each one with its marker. The markers are numbered anew and the
    last becomes EOI; nothing else is touched. Raises DamagedSlideError when there is no marker
    where the lengths say, or one where they do not.
    """
    ends = np.cumsum(lengths)
    stream = np.frombuffer(bytearray(header + data), np.uint8)
    body = stream[len(header) :]
    _check_markers(body, ends)
    body[ends - 1] = _RST0 + np.arange(ends.size) % 8
    body[-1] = _EOI
    return stream.tobytes()


def _check_markers(body: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
    """Prove that exactly the expected places of entropy-coded data hold markers."""
    places = np.flatnonzero(body[:-1] == 0xFF)
    following = body[places + 1]
    # 0xFF 0x00 is a byte of data, and 0xFF 0xFF the filling before a marker.
    marked = places[(following != 0) & (following != 0xFF)]
    if (
        marked.size != ends.size
        or not np.array_equal(marked, ends - 2)
        or not np.all((body[marked + 1] & 0xF8 == _RST0) | (body[marked + 1] == _EOI))
    ):
        raise DamagedSlideError(
            "A compressed image restarts where it should not; copy the file again from the scanner."
        )


def find_restarts(data: bytes) -> NDArray[np.int64]:
    """Where the restart markers of `data` begin, shape `(markers,)`."""
    body = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(body[:-1] == 0xFF)
    return np.asarray(places[body[places + 1] & 0xF8 == _RST0], np.int64)
