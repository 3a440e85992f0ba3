"""`/api/v1/restores`: what came of the restores that the signed-in person asked for."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request

from sgi.api.language import requested_language
from sgi.api.services import services_of, session_of
from sgi.api.tiers import MovesOut, move_out
from sgi.catalogue import restores
from sgi.catalogue.database import Connection
from sgi.errors import NotFoundError

router = APIRouter(prefix="/api/v1", tags=["tiers"])

_LISTED = 20


@router.get("/restores")
async def list_restores(request: Request) -> MovesOut:
    """One's own restores that are over and that one has not seen yet, newest first."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        return await _unseen(connection, request)


@router.post("/restores/{move_id}/seen")
async def see_restore(move_id: UUID, request: Request) -> MovesOut:
    """One has seen it: it is not told again; answers with those that are left."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        if not await restores.set_seen(connection, session.account_id, move_id):
            raise NotFoundError("There is no such restore of yours that is over.")
        return await _unseen(connection, request)


async def _unseen(connection: Connection, request: Request) -> MovesOut:
    account_id, language = session_of(request).account_id, requested_language(request)
    found = await restores.unseen(connection, account_id, _LISTED)
    now = datetime.now(UTC)
    return MovesOut(items=[move_out(move, account_id, now, language) for move in found])
