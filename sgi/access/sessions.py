"""Sessions: a random token in the cookie, its hash in the catalogue, a short memory in front."""

import hashlib
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from sgi.catalogue import accounts
from sgi.catalogue.database import Database
from sgi.domain.account import Session

TOKEN_BYTES = 32
_REMEMBERED = 10_000
_REMEMBER_S = 60.0


def new_token() -> str:
    """A token that cannot be guessed: 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """What the catalogue keeps of a token: 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


class Sessions:
    """Who is signed in, without a question to the database on every tile.

    A session is remembered for a minute, and forgotten at once when the catalogue says that it
    ended (`forget`), so that signing out holds everywhere.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_token: dict[str, tuple[float, Session]] = {}
        self._endings = 0
        self._told: list[Callable[[UUID | None], None]] = []

    def when_forgotten(self, tell: Callable[[UUID | None], None]) -> None:
        """Call `tell` with the id of every session that is forgotten; None: all of them."""
        self._told.append(tell)

    async def of(self, token: str | None) -> Session | None:
        """The living session of a cookie's token."""
        if not token or len(token) > 4 * TOKEN_BYTES:
            return None
        known = self._by_token.get(token)
        if known is not None and time.monotonic() < known[0]:
            session = known[1]
            return session if datetime.now(UTC) < session.expires_at else None
        return await self._look_up(token)

    def trusted_until(self, token: str | None) -> float:
        """Until when the memory of a session holds, unless it is forgotten before: a time of the
        monotonic clock, in the past for a session that is not remembered. What a guest may see is
        looked at anew each time.
        """
        known = self._by_token.get(token or "")
        if known is None or known[1].case_id is not None:
            return 0.0
        left_s = (known[1].expires_at - datetime.now(UTC)).total_seconds()
        return min(known[0], time.monotonic() + left_s)

    async def _look_up(self, token: str) -> Session | None:
        endings = self._endings
        async with self._database.anonymous() as connection:
            session = await accounts.session_of(connection, token_hash(token))
        if session is None:
            self._by_token.pop(token, None)
            return None
        if endings != self._endings:  # some session ended meanwhile: perhaps this one
            return session
        if len(self._by_token) >= _REMEMBERED:
            self._by_token.clear()
        self._by_token[token] = (time.monotonic() + _REMEMBER_S, session)
        return session

    def forget(self, session_id: UUID) -> None:
        """Drop one session from memory."""
        self._endings += 1
        self._by_token = {t: k for t, k in self._by_token.items() if k[1].id != session_id}
        for tell in self._told:
            tell(session_id)

    def forget_all(self) -> None:
        """Drop every session from memory: after notifications may have been missed."""
        self._endings += 1
        self._by_token.clear()
        for tell in self._told:
            tell(None)
