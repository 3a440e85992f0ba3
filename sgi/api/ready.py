"""Tiles that need no more deciding: who may have them is known, and so is every byte of the answer.

A browser that looks at a slide sends the same header block with each of hundreds of requests. Once
the guard has admitted it, its view is on record and it may have the slide, the very same bytes mean
the very same permission, until its session ends or is asked for anew.
"""

import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from uuid import UUID

from sgi.access.sessions import Sessions
from sgi.domain.account import Session

RAW_HEAD = "sgi.raw_head"
"""Extension of the ASGI scope: the header block as it came, for a request that came alone."""
_KEPT_BYTES = 64 << 20
_ENTRY_BYTES = 1 << 10
"""What a tile costs beside its frame, roughly."""
_VISITORS = 4096
_VISITORS_OF_SESSION = 16
_SLIDES_OF_VISITOR = 64
_LONGEST_KEY = 4096

RawHeaders = list[tuple[bytes, bytes]]

_MATTERS = frozenset(
    {b"if-none-match", b"range", b"content-length", b"transfer-encoding", b"expect", b"upgrade"}
)
"""Headers that change what is answered, or what follows the request."""


@dataclass(frozen=True, slots=True)
class ReadyTile:
    """A whole answer."""

    slide_id: UUID
    headers: RawHeaders
    head: bytes
    """The headers as HTTP/1.1 has them, with the empty line after them."""
    frame: bytes


@dataclass(frozen=True, slots=True)
class _Visitor:
    """One header block of one session."""

    session_id: UUID
    until: float
    """Of the monotonic clock, in seconds."""
    slides: set[UUID]
    """Let to it, with the view on record."""


def is_plain(headers: RawHeaders) -> bool:
    """Whether a GET with these headers is answered with the whole tile, on a kept connection."""
    for name, value in headers:
        if name in _MATTERS or (name == b"connection" and value.lower() != b"keep-alive"):
            return False
    return True


class ReadyTiles:
    """Answers by header block and target, bounded in bytes and entries."""

    def __init__(self, sessions: Sessions, kept_bytes: int = _KEPT_BYTES) -> None:
        self._room = kept_bytes
        self._tiles: OrderedDict[bytes, ReadyTile] = OrderedDict()
        self._visitors: OrderedDict[Hashable, _Visitor] = OrderedDict()
        self._of_session: dict[UUID, list[Hashable]] = {}
        self.forgettings = 0
        """How often something was taken back: what was decided before is not remembered after."""
        sessions.when_forgotten(self._forget)

    def find(self, visitor: Hashable, target: bytes) -> ReadyTile | None:
        """The answer to a GET of `target` (path and query) with this header block, if known."""
        known = self._visitors.get(visitor)
        if known is None:
            return None
        tile = self._tiles.get(target)
        if tile is None or tile.slide_id not in known.slides or time.monotonic() >= known.until:
            return None
        self._tiles.move_to_end(target)
        return tile

    def admit(
        self, visitor: Hashable, length: int, session: Session, until: float, slide_id: UUID
    ) -> None:
        """Remember that a header block of `length` bytes is a session's that may see the slide."""
        if length > _LONGEST_KEY:
            return
        known = self._visitors.get(visitor)
        if known is None or known.session_id != session.id or known.until < until:
            slides = set() if known is None or known.session_id != session.id else known.slides
            self._drop_visitor(visitor)
            known = self._visitors[visitor] = _Visitor(session.id, until, slides)
            mine = self._of_session.setdefault(session.id, [])
            mine.append(visitor)
            if len(mine) > _VISITORS_OF_SESSION:
                self._drop_visitor(mine[0])
            if len(self._visitors) > _VISITORS:
                self._drop_visitor(next(iter(self._visitors)))
        if len(known.slides) >= _SLIDES_OF_VISITOR:
            known.slides.clear()
        known.slides.add(slide_id)

    def keep(self, target: bytes, slide_id: UUID, headers: RawHeaders, frame: bytes) -> None:
        """Keep the answer to a GET of `target`, for whoever is let to the slide."""
        head = b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n"
        self._drop_tile(target)
        self._tiles[target] = ReadyTile(slide_id, headers, head, frame)
        self._room -= len(frame) + _ENTRY_BYTES
        while self._room < 0 and self._tiles:
            self._drop_tile(next(iter(self._tiles)))

    def forget_slide(self, slide_id: UUID | None) -> None:
        """Drop what is kept of a slide that was destroyed; None: of every slide."""
        self.forgettings += 1
        gone = [t for t, tile in self._tiles.items() if slide_id in {None, tile.slide_id}]
        for target in gone:
            self._drop_tile(target)

    def _drop_tile(self, target: bytes) -> None:
        dropped = self._tiles.pop(target, None)
        if dropped is not None:
            self._room += len(dropped.frame) + _ENTRY_BYTES

    def _drop_visitor(self, visitor: Hashable) -> None:
        dropped = self._visitors.pop(visitor, None)
        if dropped is not None:
            mine = self._of_session[dropped.session_id]
            mine.remove(visitor)
            if not mine:
                del self._of_session[dropped.session_id]

    def _forget(self, session_id: UUID | None) -> None:
        self.forgettings += 1
        if session_id is None:
            self._visitors.clear()
            self._of_session.clear()
        else:
            for visitor in self._of_session.pop(session_id, ()):
                self._visitors.pop(visitor, None)
