"""Who does something with a case, in which words, and the trace of it in the audit."""

from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import StringConstraints

from sgi.api.services import ONE_LINE, actor_of, session_of
from sgi.catalogue import audit
from sgi.catalogue.audit import Action
from sgi.catalogue.case_history import Author
from sgi.catalogue.database import Connection
from sgi.domain.account import Session

Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=ONE_LINE),
]


async def note(connection: Connection, request: Request, action: Action, case_id: UUID) -> None:
    """In the transaction of what was done."""
    session = session_of(request)
    await audit.record(connection, session.establishment_id, actor_of(request), action, case_id)


def author_of(session: Session) -> Author:
    """As a case's history names who is signed in."""
    return Author(session.account_id, session.account_name)
