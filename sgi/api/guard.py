"""The door: no request reaches a route unless a rule of `sgi.access.rules` lets it.

A bare ASGI layer, so that nothing of a request is read before its sender is known.
"""

import secrets
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sgi.access.guests import Guests
from sgi.access.rules import Open, methods_of, rule_for
from sgi.access.sessions import Sessions
from sgi.api.errors import problem
from sgi.api.language import language_of
from sgi.api.overload import asked_by
from sgi.domain.account import Role, Session
from sgi.errors import CrossSiteRequestError, ForbiddenError, NotFoundError, NotSignedInError

SECURE_COOKIE = "__Host-sgi_session"
LOOPBACK_COOKIE = "sgi_session"
SECURE_GUEST_COOKIE = "__Host-sgi_guest"
LOOPBACK_GUEST_COOKIE = "sgi_guest"
"""Of who came by a link of another system's: a cookie of its own, so that nobody is made a guest
who is somebody."""
CSRF_HEADER = "x-csrf-token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_BODY_BYTES = 1 << 20

_SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def session_token(headers: Headers, cookie_name: str) -> str | None:
    """The session cookie's value; HTTP/2 may send each cookie in a header of its own."""
    return cookie_parser("; ".join(headers.getlist("cookie"))).get(cookie_name)


class Guard:
    """Lets a request through to `application`, with `scope["state"]["session"]` set, or not."""

    def __init__(
        self,
        application: ASGIApp,
        sessions: Sessions,
        guests: Guests,
        *,
        secure: bool,
        behind_proxy: bool,
    ) -> None:
        self._application = application
        self._guests = guests
        self.sessions = sessions
        self._secure = secure
        self._behind_proxy = behind_proxy
        self._cookie = SECURE_COOKIE if secure else LOOPBACK_COOKIE
        self._guest_cookie = SECURE_GUEST_COOKIE if secure else LOOPBACK_GUEST_COOKIE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_security_headers(MutableHeaders(raw=message["headers"]))
            await send(message)

        try:
            session = await self.admit(scope["method"], scope["path"], headers)
        except Exception as error:  # noqa: BLE001 - every refusal and failure becomes an answer
            response = problem(error, language_of(headers.get("accept-language")))
            await response(scope, receive, send_with_headers)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        state["session"] = session
        state["address"] = self.address(scope, headers)
        state["head"] = scope["method"] == "HEAD"
        if state["head"]:  # routes know GET alone
            scope, answer = {**scope, "method": "GET"}, _without_body(send_with_headers)
        else:
            answer = send_with_headers
        await self._application(scope, _bounded(receive), answer)

    async def admit(self, method: str, path: str, headers: Headers) -> Session | None:
        """The session that may call this route; None where the route is public.

        Raises NotSignedInError, ForbiddenError, CrossSiteRequestError, NotFoundError, or
        HTTPException (405) for a path that has other methods.
        """
        rule = rule_for(method, path)
        if rule is not None and rule.need is Open.PUBLIC:
            if method not in _SAFE_METHODS:
                _refuse_other_sites(headers)
            return None
        session = await self._session_of(headers)
        if session is None:
            raise NotSignedInError("Sign in first.")
        if rule is None and (methods := methods_of(path)):
            raise HTTPException(405, headers={"Allow": ", ".join(methods)})
        if rule is None:
            raise NotFoundError("There is no such route.")
        if not rule.allows(session):
            raise ForbiddenError("The account may not do this.")
        if session.role is Role.GUEST:
            await self._guests.check(session, method, path)
        if method not in _SAFE_METHODS:
            _refuse_other_sites(headers)
            sent = headers.get(CSRF_HEADER, "")
            if not secrets.compare_digest(sent.encode(), session.csrf_token.encode()):
                raise CrossSiteRequestError("The CSRF token is missing or wrong.")
        asked_by(session.id)
        return session

    async def _session_of(self, headers: Headers) -> Session | None:
        """A person's before a guest's; each in its own cookie."""
        session = await self.sessions.of(session_token(headers, self._cookie))
        if session is not None and session.role is not Role.GUEST:
            return session
        guest = await self.sessions.of(session_token(headers, self._guest_cookie))
        return guest if guest is not None and guest.role is Role.GUEST else None

    def trusted_until(self, headers: Headers) -> float:
        """Until when what was decided for these headers holds; as `Sessions.trusted_until`."""
        return self.sessions.trusted_until(session_token(headers, self._cookie))

    def address(self, scope: Scope, headers: Headers) -> str:
        """The client's address: only what the nearest proxy itself added is believed."""
        if self._behind_proxy and (forwarded := headers.getlist("x-forwarded-for")):
            return forwarded[-1].split(",")[-1].strip()[:64]
        client = scope.get("client")
        return client[0] if client else "unknown"

    def _add_security_headers(self, headers: MutableHeaders) -> None:
        for name, value in _SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if self._secure:
            headers.setdefault("strict-transport-security", "max-age=31536000")


def _refuse_other_sites(headers: Headers) -> None:
    """Browsers say where a request comes from; another site may not change anything."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise CrossSiteRequestError("The request comes from another site.")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        raise CrossSiteRequestError("The request comes from another site.")


def _without_body(send: Send) -> Send:
    """An answer's head as it is, and nothing after it."""

    async def send_head(message: Message) -> None:
        if message["type"] != "http.response.start":  # a piece of the body, or a file's path
            more = message.get("more_body", False)
            message = {"type": "http.response.body", "body": b"", "more_body": more}
        await send(message)

    return send_head


def _bounded(receive: Receive) -> Receive:
    """Stop reading a body at `MAX_BODY_BYTES`: no route takes more."""
    taken = 0

    async def receive_bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            return {"type": "http.disconnect"}
        return message

    return receive_bounded
