"""`/tiles/{slide}/{level}/{column}/{row}`: the hot path, a bare ASGI application.

What a tile costs: the session from memory, the grant from memory, the offset from memory, one
range read. The first tile of a slide in a session asks the catalogue, and leaves a view in the
audit where opening the slide has not left one already.

`path` and `plane` choose an optical path and a focal plane by their index; `window=low-high`
shows a path of light between two samples.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from sgi.api.errors import problem
from sgi.api.frames import ServedInstance
from sgi.api.grants import Grants, slide_id_of
from sgi.api.guard import Guard
from sgi.api.language import language_of
from sgi.api.rendered import Rendered
from sgi.api.slide_store import ServedSlide
from sgi.catalogue.audit import Action
from sgi.domain.account import Session
from sgi.errors import NotFoundError, NotSignedInError
from tiling.composite import Window

PREFIX = "/tiles/"
_CACHE = b"private, max-age=31536000, immutable"
_LONGEST_QUERY = 200


@dataclass(frozen=True, slots=True)
class _Layer:
    """Which light of which height is asked for, and how it is shown."""

    path: int = 0
    plane: int = 0
    window: Window | None = None


_FIRST = _Layer()


@dataclass(frozen=True, slots=True)
class _Tile:
    etag: str
    data: bytes | None
    """JPEG; None when the browser has it already."""


class Tiles:
    """Tiles by position; `guard` admits, `grants` gives the slide."""

    def __init__(self, guard: Guard, grants: Grants, rendered: Rendered) -> None:
        self._guard = guard
        self._grants = grants
        self._rendered = rendered

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
                (b"content-type", b"image/jpeg"),
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
        query = scope["query_string"]
        layer = _parse_layer(query) if query else _FIRST
        instance = await served.level(level)
        frame_index = _frame_index(instance, column, row, layer)
        shown = "" if layer.window is None else f"-{layer.window}"
        etag = f'"{instance.etag_stem}-{frame_index}{shown}"'
        if etag in headers.get("if-none-match", ""):
            return _Tile(etag, None)
        tile = await self._rendered.tile(served, instance, frame_index, layer.window)
        return _Tile(etag, tile)

    async def _parse(
        self, session: Session, scope: Scope, headers: Headers
    ) -> tuple[ServedSlide, int, int, int]:
        slide, *position = scope["path"][len(PREFIX) :].split("/")
        slide_id = slide_id_of(slide)
        served = await self._grants.slide(session, slide_id)
        address = self._guard.address(scope, headers)
        await self._grants.record(session, address, slide_id, Action.VIEW_SLIDE)
        level, column, row = map(_number, position)
        return served, level, column, row


def _frame_index(instance: ServedInstance, column: int, row: int, layer: _Layer) -> int:
    try:
        return instance.order.frame_index(column, row, layer.path, layer.plane)
    except IndexError as error:
        raise NotFoundError("The slide has no such tile.") from error


def _parse_layer(query: bytes) -> _Layer:
    """Of a query string; names that are not known are left alone, as everywhere on the web."""
    if len(query) > _LONGEST_QUERY:
        raise NotFoundError("The query is longer than any that names a tile.")
    said = dict(parse_qsl(query.decode("latin-1")))
    window = None
    if "window" in said:
        darkest, _, brightest = said["window"].partition("-")
        try:
            window = Window(_number(darkest), _number(brightest))
        except ValueError as error:
            raise NotFoundError("A window goes from a lower to a higher sample.") from error
    return _Layer(_number(said.get("path", "0")), _number(said.get("plane", "0")), window)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise NotFoundError("A tile is named by numbers.")
    return int(text)
