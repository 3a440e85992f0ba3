"""`/tiles/{slide}/{level}/{column}/{row}`: the hot path, a bare ASGI application.

What a tile costs: the session from memory, the grant from memory, the offset from memory, one
range read. The first tile of a slide in a session asks the catalogue, and leaves a view in the
audit where opening the slide has not left one already. A tile that was given once is ready: asked
for again by somebody who is known to be let to it, it is answered without any of that.

`path` and `plane` choose an optical path and a focal plane by their index; `window=low-high`
shows a path of light between two samples; `icc=srgb` or `icc=display-p3` converts colours.
`/tiles/{slide}/{level}?columns=a-b&rows=c-d` gives a whole field of view (`sgi.api.field`).
"""

from collections.abc import Hashable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from sgi.api.ahead import Ahead
from sgi.api.errors import problem
from sgi.api.field import Field, send_field
from sgi.api.frames import ServedInstance
from sgi.api.grants import Grants, slide_id_of
from sgi.api.guard import Guard
from sgi.api.language import language_of
from sgi.api.layer import Layer, layer_of, number_of, parse_query
from sgi.api.ready import RAW_HEAD, RawHeaders, ReadyTiles, is_plain
from sgi.api.rendered import Rendered
from sgi.api.slide_store import ServedSlide
from sgi.catalogue.audit import Action
from sgi.domain.account import Session
from sgi.errors import NotFoundError, NotSignedInError

PREFIX = "/tiles/"
_UNCHANGING = (
    (b"cache-control", b"private, max-age=31536000, immutable"),
    (b"vary", b"cookie"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose request it is and what it names."""

    session: Session
    served: ServedSlide
    position: list[str]
    """Level; column and row, unless a field is asked for."""
    said: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Tile:
    etag: bytes
    data: bytes | None
    """JPEG; None when the browser has it already."""


class Tiles:
    """Tiles by position; `guard` admits, `grants` gives the slide."""

    def __init__(
        self, guard: Guard, grants: Grants, rendered: Rendered, ready: ReadyTiles, ahead: Ahead
    ) -> None:
        self._guard = guard
        self._ahead = ahead
        self._grants = grants
        self._rendered = rendered
        self._ready = ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: RawHeaders = scope["headers"]
        visitor, target = _visitor(scope), _target(scope)
        known = self._ready.find(visitor, target) if scope["method"] == "GET" else None
        if known is not None:
            await send({"type": "http.response.start", "status": 200, "headers": known.headers})
            await send({"type": "http.response.body", "body": known.frame})
            return
        headers, forgettings = Headers(raw=raw), self._ready.forgettings
        try:
            asked = await self._admit(scope, headers)
            if len(asked.position) == 1:
                field = await self._field(asked)
                language = language_of(headers.get("accept-language"))
                head_alone = scope["method"] == "HEAD"
                await send_field(field, send, language=language, head_alone=head_alone)
                return
            tile = await self._find(asked, headers)
        except Exception as error:  # noqa: BLE001 - every failure becomes an answer
            await problem(error, language_of(headers.get("accept-language")))(scope, receive, send)
            return
        if tile.data is None:
            answer = [(b"etag", tile.etag), *_UNCHANGING]
            await send({"type": "http.response.start", "status": 304, "headers": answer})
            await send({"type": "http.response.body", "body": b""})
            return
        length = str(len(tile.data)).encode()
        answer = [
            (b"etag", tile.etag),
            *_UNCHANGING,
            (b"content-type", b"image/jpeg"),
            (b"content-length", length),
        ]
        if scope["method"] == "GET" and is_plain(raw) and forgettings == self._ready.forgettings:
            # Permissions were not taken back since this one was looked up.
            until, slide_id = self._guard.trusted_until(headers), asked.served.slide.id
            size = sum(len(name) + len(value) for name, value in raw)
            self._ready.admit(visitor, size, asked.session, until, slide_id)
            self._ready.keep(target, slide_id, answer, tile.data)
        await send({"type": "http.response.start", "status": 200, "headers": answer})
        body = b"" if scope["method"] == "HEAD" else tile.data
        await send({"type": "http.response.body", "body": body})

    async def _admit(self, scope: Scope, headers: Headers) -> _Asked:
        session = await self._guard.admit(scope["method"], scope["path"], headers)
        if session is None:
            raise NotSignedInError("Sign in first.")
        slide, *position = scope["path"][len(PREFIX) :].split("/")
        slide_id = slide_id_of(slide)
        served = await self._grants.slide(session, slide_id)
        address = self._guard.address(scope, headers)
        await self._grants.record(session, address, slide_id, Action.VIEW_SLIDE)
        query = scope["query_string"]
        return _Asked(session, served, position, parse_query(query) if query else {})

    async def _find(self, asked: _Asked, headers: Headers) -> _Tile:
        level, column, row = map(number_of, asked.position)
        layer = layer_of(asked.said)
        instance = await asked.served.level(level)
        frame_index = _frame_index(instance, column, row, layer)
        etag = f'"{instance.etag_stem}-{frame_index}{layer}"'
        if etag in headers.get("if-none-match", ""):
            return _Tile(etag.encode(), None)
        tile = await self._rendered.tile(asked.served, instance, frame_index, layer)
        self._ahead.under(asked.served, level, column, row, layer)
        return _Tile(etag.encode(), tile)

    async def _field(self, asked: _Asked) -> Field:
        level = number_of(asked.position[0])
        instance = await asked.served.level(level)
        return Field.parse(self._rendered, asked.served, level, instance, asked.said)


def _frame_index(instance: ServedInstance, column: int, row: int, layer: Layer) -> int:
    try:
        return instance.order.frame_index(column, row, layer.path, layer.plane)
    except IndexError as error:
        raise NotFoundError("The slide has no such tile.") from error


def _visitor(scope: Scope) -> Hashable:
    """The header block: as it came, where the server tells it."""
    told = scope.get("extensions", {}).get(RAW_HEAD)
    return told["bytes"] if told else tuple(map(tuple, scope["headers"]))


def _target(scope: Scope) -> bytes:
    query: bytes = scope["query_string"]
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return b"%b?%b" % (path, query) if query else path
