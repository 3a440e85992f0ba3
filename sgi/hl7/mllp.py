"""MLLP as a pure state machine: bytes in pieces of any size -> messages and what is wrong.

A message is VT, content, FS, CR. The content holds neither VT nor FS, as none of the encodings
read here has these bytes within a letter.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from sgi.hl7.errors import UnreadableMessageError

VT = 0x0B
FS = 0x1C
CR = 0x0D
_START = bytes([VT])
_END = bytes([FS])
_BLANKS = b"\r\n\t \x00"
"""Between messages: some send a line end, or a byte now and then to keep a connection open."""
_MOST_NOISE = 256
"""Other bytes between two messages; who sends more does not speak MLLP."""
HEAD_BYTES = 8_192
"""What is kept of a message that is too large: enough to answer it by name."""


class Trouble(StrEnum):
    """What may be wrong with the bytes."""

    NOT_MLLP = "not_mllp"
    """Too much that is no message: nothing more is read."""
    UNFINISHED = "unfinished"
    """A message began before the one before had ended, or the connection ended within one."""
    END_INSIDE = "end_inside"
    """Neither CR nor VT followed FS: what came before may be half a message."""
    TOO_LARGE = "too_large"
    """The message has more bytes than allowed; the rest of it was passed over."""
    EMPTY = "empty"
    """A message of no bytes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole message, without VT, FS and CR."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Bytes that are no message; `head` is how the message began, where one did."""

    trouble: Trouble
    head: bytes = b""


Event = Frame | Refusal


class _State(Enum):
    BETWEEN = auto()
    WITHIN = auto()
    PASSING = auto()
    """Within a message that is too large."""
    ENDED = auto()
    """After FS: CR must follow."""
    CLOSED = auto()


class Framer:
    """Finds the messages of one connection; holds at most `most_bytes` of one.

    Each byte is looked at once, however the bytes were cut: the cost is that of their number.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._state = _State.BETWEEN
        self._content = bytearray()
        self._passed = 0
        self._noise = 0

    @property
    def is_within(self) -> bool:
        """A message has begun, and not ended."""
        return self._state in {_State.WITHIN, _State.PASSING, _State.ENDED}

    @property
    def awaits_return(self) -> bool:
        """Only the CR of a message is missing; see `settle`."""
        return self._state is _State.ENDED

    @property
    def held(self) -> int:
        """Bytes of the message that has begun."""
        return len(self._content)

    @property
    def closed(self) -> bool:
        """After `Trouble.NOT_MLLP`: nothing more is read."""
        return self._state is _State.CLOSED

    def feed(self, data: bytes) -> list[Event]:
        """What these bytes complete, in order."""
        events: list[Event] = []
        position = 0
        while position < len(data) and self._state is not _State.CLOSED:
            if self._state is _State.BETWEEN:
                position = self._skip(data, position, events)
            elif self._state is _State.ENDED:
                position = self._end(data, position, events)
            else:
                position = self._take(data, position, events)
        return events

    def settle(self) -> list[Event]:
        """The message whose CR has not come, once nothing else has come for a while either."""
        return [self._whole()] if self._state is _State.ENDED else []

    def finish(self) -> list[Event]:
        """What there is at the end of the bytes: a message without CR, or half a one."""
        if self._state is _State.ENDED:
            return [self._whole()]
        if self._state in {_State.WITHIN, _State.PASSING}:
            return [self._abandon(Trouble.UNFINISHED)]
        return []

    def _skip(self, data: bytes, position: int, events: list[Event]) -> int:
        start = data.find(_START, position)
        between = data[position : start if start >= 0 else len(data)]
        self._make_noise(len(between) - sum(between.count(blank) for blank in _BLANKS), events)
        if start < 0:
            return len(data)
        if self._state is _State.BETWEEN:
            self._begin()
        return start + 1

    def _take(self, data: bytes, position: int, events: list[Event]) -> int:
        """Content up to its end, or to a VT, at which another message begins."""
        end = data.find(_END, position)
        limit = end if end >= 0 else len(data)
        again = data.find(_START, position, limit)
        stop = again if again >= 0 else limit
        self._keep(data, position, stop)
        if again >= 0:
            self._restart(events)
        elif end >= 0:
            self._state = _State.ENDED
        return stop + 1

    def _end(self, data: bytes, position: int, events: list[Event]) -> int:
        if data[position] in {CR, VT}:  # without CR, the next message tells as well
            events.append(self._whole())
            return position + (data[position] == CR)
        events.append(self._abandon(Trouble.END_INSIDE))
        self._make_noise(1, events)
        return position

    def _keep(self, data: bytes, start: int, stop: int) -> None:
        if self._state is _State.PASSING:
            self._passed += stop - start
            return
        room = self._most_bytes - len(self._content)
        if stop - start > room:
            self._content += memoryview(data)[start : start + room]
            del self._content[HEAD_BYTES:]
            self._passed = stop - start - room
            self._state = _State.PASSING
        else:
            self._content += memoryview(data)[start:stop]

    def _begin(self) -> None:
        self._content = bytearray()
        self._passed = 0
        self._state = _State.WITHIN

    def _restart(self, events: list[Event]) -> None:
        if self._content:
            events.append(self._abandon(Trouble.UNFINISHED))
        self._make_noise(1, events)
        if self._state is not _State.CLOSED:
            self._begin()

    def _whole(self) -> Event:
        if self._passed:
            return self._abandon(Trouble.TOO_LARGE)
        if not self._content.strip(_BLANKS):
            return self._abandon(Trouble.EMPTY)
        self._noise = 0
        content, self._content = bytes(self._content), bytearray()
        self._state = _State.BETWEEN
        return Frame(content)

    def _abandon(self, trouble: Trouble) -> Refusal:
        head = bytes(memoryview(self._content)[:HEAD_BYTES])
        self._content = bytearray()
        self._passed = 0
        self._state = _State.BETWEEN
        return Refusal(trouble, head)

    def _make_noise(self, count: int, events: list[Event]) -> None:
        self._noise += count
        if self._noise > _MOST_NOISE:
            self._content = bytearray()
            self._state = _State.CLOSED
            events.append(Refusal(Trouble.NOT_MLLP))


def encode_frame(content: bytes) -> bytes:
    """A message for the wire; raises UnreadableMessageError where it would not come out as one."""
    if VT in content or FS in content:
        raise UnreadableMessageError("The message holds VT or FS, which end messages in MLLP.")
    return b"%c%b%c%c" % (VT, content, FS, CR)
