"""What the store knows that speaks against a destruction, and a catalogue may have forgotten: one
that came back from an earlier day, or a server that died between the two.
"""

import asyncio

import psycopg

from sgi.catalogue import audit, destructions, holds
from sgi.catalogue import rebuild as rows
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Connection, Database
from sgi.domain.retention import Destruction, DestructionState
from sgi.errors import VerificationError
from sgi.stored.retention import (
    StoredDestruction,
    StoredHold,
    StoredHolds,
    read_destruction,
    read_holds,
    write_destruction,
)
from storage.store import ObjectStore

_BY_A_HOLD = "A legal hold was placed on the slide."


async def heed_store(database: Database, store: ObjectStore, approved: Destruction) -> None:
    """Take a hold or a withdrawal over into the catalogue, which then refuses by itself.

    Raises VerificationError where one of the two cannot be read: both might be there.
    """
    held = await asyncio.to_thread(read_holds, store, approved.establishment_id, approved.slide_id)
    told = await asyncio.to_thread(read_destruction, store, approved)
    lasting = [each for each in held.holds if each.lifted_at is None] if held else []
    if held is None or not lasting:
        if told is not None and told.state is DestructionState.WITHDRAWN:
            await _take_withdrawal(database, told)
        return
    async with database.transaction(approved.establishment_id) as connection:
        if await holds.open_hold(connection, approved.slide_id) is None:
            await _take_holds(connection, held)
        withdrawn = await _withdraw(connection, approved, told, lasting[0])
        if withdrawn is not None:
            await asyncio.to_thread(write_destruction, store, withdrawn)


async def _take_withdrawal(database: Database, told: StoredDestruction) -> None:
    async with database.transaction(told.establishment_id) as connection:
        withdrawn = await destructions.withdraw(
            connection,
            told.id,
            told.withdrawn_by or "",
            told.withdrawal_reason or "",
            told.withdrawn_at,
        )
        if withdrawn is not None:
            await _record(connection, withdrawn, Action.WITHDRAW_DESTRUCTION)


async def _take_holds(connection: Connection, held: StoredHolds) -> None:
    try:
        async with connection.transaction():
            await rows.add_holds(connection, held)
    except psycopg.IntegrityError as error:
        raise VerificationError(
            "The bucket has a legal hold on the slide that the catalogue does not take: run "
            "`sgi rebuild --missing`."
        ) from error
    await audit.record(connection, held.establishment_id, SYSTEM, Action.PLACE_HOLD, held.slide_id)


async def _withdraw(
    connection: Connection,
    approved: Destruction,
    told: StoredDestruction | None,
    hold: StoredHold,
) -> Destruction | None:
    """As the store has it, or for the hold, as whoever placed it would have."""
    by, reason, at = hold.placed_by, _BY_A_HOLD, hold.placed_at
    if told is not None and told.state is DestructionState.WITHDRAWN:
        by, reason, at = (
            told.withdrawn_by or by,
            told.withdrawal_reason or reason,
            (told.withdrawn_at or at),
        )
    withdrawn = await destructions.withdraw(connection, approved.id, by, reason, at)
    if withdrawn is not None:
        await _record(connection, withdrawn, Action.WITHDRAW_DESTRUCTION)
    return withdrawn


async def _record(connection: Connection, of: Destruction, action: Action) -> None:
    await audit.record(connection, of.establishment_id, SYSTEM, action, of.slide_id)
