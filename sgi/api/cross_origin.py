"""Other sites' viewers: which may read slides from a browser (CORS), and nothing else.

A slide is read with a session, and a session is a cookie that browsers send by themselves. So no
answer is ever open to every site (`*`): an origin that the administrator has named may read with
the session of whoever looks at it, and no other learns anything. What it gets is kept apart in
caches (`Vary`), since one that another site has filled must not answer for this one.
"""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = "GET, HEAD"
_REQUEST_HEADERS = "If-None-Match"
_TOLD = "ETag, Link"
_REMEMBERED_S = "600"


class CrossOrigin:
    """Lets the pages of `origins` read what an application answers."""

    def __init__(self, application: ASGIApp, origins: Collection[str]) -> None:
        self._application = application
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asking = Headers(scope=scope)
        origin = asking.get("origin")
        allowed = origin if origin in self._origins else None

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers.add_vary_header("Origin")
                if allowed is not None:
                    headers["Access-Control-Allow-Origin"] = allowed
                    headers["Access-Control-Allow-Credentials"] = "true"
                    headers["Access-Control-Expose-Headers"] = _TOLD
            await send(message)

        preflight = "access-control-request-method" in asking
        if scope["method"] == "OPTIONS" and preflight and allowed is not None:
            permission = {
                "Access-Control-Allow-Methods": _METHODS,
                "Access-Control-Allow-Headers": _REQUEST_HEADERS,
                "Access-Control-Max-Age": _REMEMBERED_S,
            }
            answer = Response(status_code=204, headers=permission)
            await answer(scope, receive, send_with_origin)
            return
        await self._application(scope, receive, send_with_origin)
