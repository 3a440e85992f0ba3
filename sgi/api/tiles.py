"""`/tiles/{slide}/{level}/{column}/{row}`: the hot path, a bare ASGI application.

What a tile costs: the session from memory, the grant from memory, the offset from memory, one
range read. The first tile of a slide in a session asks the catalogue, and leaves a view in the
audit where opening the slide has not left one already.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from sgi.api.errors import problem
from sgi.api.grants import Grants, slide_id_of
from sgi.api.guard import Guard
from sgi.api.language import language_of
from sgi.api.slide_store import ServedSlide
from sgi.catalogue.audit import Action
from sgi.domain.account import Session
from sgi.errors import NotFoundError, NotSignedInError

PREFIX = "/tiles/"
_CACHE = b"private, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Tile:
    etag: str
    media_type: str
    data: bytes | None
    """None when the browser has it already."""


class Tiles:
    """Stored frames by position; `guard` admits, `grants` gives the slide."""

    def __init__(self, guard: Guard, grants: Grants) -> None:
        self._guard = guard
        self._grants = grants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            tile = await self._find(scope, headers)
        except Exception as error:  # noqa: BLE001 - every failure becomes an answer
            await problem(error, language_of(headers.get("accept-language")))(scope, receive, send)
            return
        answer = [
            (b"etag", tile.etag.encode()),
            (b"cache-control", _CACHE),
            (b"vary", b"cookie"),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        if tile.data is not None:
            answer += [
                (b"content-type", tile.media_type.encode()),
                (b"content-length", str(len(tile.data)).encode()),
            ]
        status = 304 if tile.data is None else 200
        await send({"type": "http.response.start", "status": status, "headers": answer})
        sent = b"" if tile.data is None or scope["method"] == "HEAD" else tile.data
        await send({"type": "http.response.body", "body": sent})

    async def _find(self, scope: Scope, headers: Headers) -> _Tile:
        session = await self._guard.admit(scope["method"], scope["path"], headers)
        if session is None:
            raise NotSignedInError("Sign in first.")
        served, level, column, row = await self._parse(session, scope, headers)
        instance = await served.level(level)
        if (column, row) not in instance.grid:
            raise NotFoundError("The tile lies beyond the grid.")
        frame_index = instance.grid.frame_index(column, row)
        etag = f'"{instance.etag_stem}-{frame_index}"'
        if etag in headers.get("if-none-match", ""):
            return _Tile(etag, instance.media_type, None)
        return _Tile(etag, instance.media_type, await served.frame(instance, frame_index))

    async def _parse(
        self, session: Session, scope: Scope, headers: Headers
    ) -> tuple[ServedSlide, int, int, int]:
        slide, *position = scope["path"][len(PREFIX) :].split("/")
        slide_id = slide_id_of(slide)
        served = await self._grants.slide(session, slide_id)
        address = self._guard.address(scope, headers)
        await self._grants.record(session, address, slide_id, Action.VIEW_SLIDE)
        if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in position):
            raise NotFoundError("A tile is named by three numbers.")
        level, column, row = (int(part) for part in position)
        return served, level, column, row
