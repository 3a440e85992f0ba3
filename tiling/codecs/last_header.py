"""What the last header said: the tiles of a level mostly begin alike, byte for byte."""

from typing import Generic, TypeVar

_Header = TypeVar("_Header")


class LastHeader(Generic[_Header]):
    """The bytes of the header that was parsed last, and what they said."""

    def __init__(self) -> None:
        self._parsed: tuple[bytes, _Header] | None = None

    def of(self, stream: bytes) -> _Header | None:
        """What the last stream's header said, if this one begins with the very same bytes."""
        parsed = self._parsed  # one read, since other threads replace it
        return parsed[1] if parsed and stream.startswith(parsed[0]) else None

    def remember(self, raw: bytes, header: _Header) -> None:
        self._parsed = raw, header
