"""Guests of another system's: they look at one case, and at nothing else that there is.

What is not listed here is denied, whatever the table of rules allows.
"""

import re
import time
from uuid import UUID

from sgi.catalogue import launch
from sgi.catalogue.database import Database
from sgi.domain.account import Session
from sgi.errors import NotFoundError

_ID = "(?P<{}>[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})"
_CASE, _SLIDE = _ID.format("case"), _ID.format("slide")
_ALLOWED = tuple(
    (method, re.compile(pattern + r"\Z"))
    for method, pattern in (
        ("GET", "/api/v1/me"),
        ("POST", "/api/v1/sign-out"),
        ("GET", f"/api/v1/cases/{_CASE}"),
        ("GET", f"/api/v1/cases/{_CASE}/reports/[^/]+"),
        ("GET", f"/api/v1/slides/{_SLIDE}"),
        ("GET", f"/slides/{_SLIDE}/[^/]+"),
        ("GET", f"/tiles/{_SLIDE}/.+"),
        ("GET", f"/zarr/{_SLIDE}/.+"),
    )
)
_BELIEVED_S = 5.0
"""How long a slide is known to be of the case: it may turn out to be of another."""
_MOST = 10_000


class Guests:
    """Says what sessions that are bound to a case may ask for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[UUID, UUID], float] = {}

    async def check(self, session: Session, method: str, path: str) -> None:
        """Raises NotFoundError for all that is not of the session's case: to a guest there is
        nothing else.
        """
        method = "GET" if method == "HEAD" else method
        for allowed, pattern in _ALLOWED:
            match = pattern.match(path) if method == allowed else None
            if match is not None and await self._is_theirs(session, match.groupdict()):
                return
        raise NotFoundError("There is no such thing for a guest.")

    async def _is_theirs(self, session: Session, named: dict[str, str]) -> bool:
        if session.case_id is None:
            return False
        if "case" in named:
            return UUID(named["case"]) == session.case_id
        if "slide" in named:
            return await self._is_of_case(session, UUID(named["slide"]), session.case_id)
        return True

    async def _is_of_case(self, session: Session, slide_id: UUID, case_id: UUID) -> bool:
        until = self._known.get((case_id, slide_id), 0.0)
        if time.monotonic() < until:
            return True
        async with self._database.transaction(session.establishment_id) as connection:
            theirs = await launch.is_of_case(connection, slide_id, case_id)
        if theirs:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[case_id, slide_id] = time.monotonic() + _BELIEVED_S
        return theirs
