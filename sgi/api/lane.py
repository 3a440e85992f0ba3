"""HTTP/1.1 with a short way for tiles: what is ready is written before anything is parsed.

A request is answered here only when it is, byte for byte, the header block of one that went the
whole way before (parser, guard, grants, audit) and asks for a tile that is ready for it. Every
other byte goes the whole way, which is uvicorn's.
"""

import time
from asyncio import AbstractEventLoop, Transport
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sgi.api.ready import RAW_HEAD, ReadyTiles

HEAD_SECONDS = 30.0
"""A request's head must be there within this time."""
HEAD_BYTES = 64 << 10
_GET = b"GET /tiles/"
_LINE_END = b" HTTP/1.1\r\n"
_END = b"\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\n"


class LaneProtocol(HttpToolsProtocol):
    """One connection; `ready` of the application that it serves knows the answers."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._ready: ReadyTiles = config.loaded_app.ready
        self._raw_head: bytes | None = None
        self._in_message = False
        self._in_head = False
        self._head_bytes = 0
        self._head_timer: TimerHandle | None = None
        self._answered_at = 0.0
        self._dated: object = None
        self._start = _OK

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as above it
        super().connection_made(transport)
        self._start_idling(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_head_timer()

    def data_received(self, data: bytes) -> None:
        self._raw_head = None
        line_end = data.find(b"\n") + 1 if data.startswith(_GET) else 0
        is_line = line_end > 0 and data.startswith(_LINE_END, line_end - len(_LINE_END))
        if is_line and not self._in_message:
            # Of the first line alone: the same words within a header would hide those before it.
            head = data[line_end:]
            tile = self._ready.find(head, data[4 : line_end - len(_LINE_END)])
            if tile is not None and self._is_idle():
                self._answered_at = time.monotonic()
                if self._dated is not self.server_state.default_headers:
                    self._date()
                self.transport.write(b"".join((self._start, tile.head, tile.frame)))
                return
            if data.find(_END) == len(data) - len(_END):
                self._raw_head = head
        super().data_received(data)
        self._bound_head(len(data))

    def _is_idle(self) -> bool:
        """Nothing else is being answered, and what was answered is being taken."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _date(self) -> None:
        self._dated = self.server_state.default_headers
        self._start = _OK + b"".join(b"%b: %b\r\n" % h for h in self.server_state.default_headers)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = self._in_head = True
        self._head_bytes = 0
        if self._raw_head is not None:
            self.scope["extensions"] = {RAW_HEAD: {"bytes": self._raw_head}}

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_message = False
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection: one that had its tiles the short way is not idle."""
        left = self._answered_at + self.timeout_keep_alive - time.monotonic()
        if left > 0:
            self._start_idling(left)
        else:
            super().timeout_keep_alive_handler()

    def _start_idling(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _bound_head(self, came: int) -> None:
        """Nobody keeps a connection, or memory, by never finishing what is asked."""
        if not self._in_head:
            self._stop_head_timer()
            if self.timeout_keep_alive_task is None and self._is_idle():  # empty lines alone came
                self._start_idling(self.timeout_keep_alive)
            return
        self._head_bytes += came
        if self._head_bytes > HEAD_BYTES:
            self.send_400_response("The head of the request is too long.")
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
