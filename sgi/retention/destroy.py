"""One destruction from its approval to its certificate: every step can be run again."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sgi import recovery
from sgi.catalogue import audit, destructions, incidents, retention
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Connection, Database
from sgi.domain.retention import Destruction, DestructionState, is_early
from sgi.errors import ConflictError, SgiError, VerificationError
from sgi.jobs.decisions import verdict_on
from sgi.retention.erase import Shelf
from sgi.retention.objections import heed_store
from sgi.retention.originals import end_originals
from sgi.settings import Settings
from sgi.stored.retention import (
    Certificate,
    Originals,
    StoreAnswer,
    read_certificate,
    stored_destruction,
    write_certificate,
    write_destruction,
)
from sgi.stores import Stores
from storage.errors import StorageError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Destroyer:
    """What destroying works with."""

    settings: Settings
    database: Database
    stores: Stores

    async def destroy(self, establishment_id: UUID, destruction_id: UUID) -> None:
        """Carry an approved destruction out, or go on with one that was cut short.

        Does nothing for one that was withdrawn, whose waiting time has not ended, or whose slide
        is held: by the catalogue or by the store. Raises StorageError or VerificationError: it is
        run again later, and its row says why.
        """
        try:
            await self._destroy(establishment_id, destruction_id)
        except (StorageError, SgiError) as error:
            async with self.database.transaction(establishment_id) as connection:
                kind = verdict_on(error).reason
                await destructions.set_failure(connection, destruction_id, str(error), kind)
            raise

    async def _destroy(self, establishment_id: UUID, destruction_id: UUID) -> None:
        async with self.database.transaction(establishment_id) as connection:
            if await recovery.is_marked(connection):
                raise VerificationError(
                    "The database came back from a backup: destructions go on once "
                    "`sgi rebuild --missing` has told it what was decided since."
                )
        begun = await self._begin(establishment_id, destruction_id)
        if begun is None:
            await self._sweep(establishment_id, destruction_id)
            return
        shelves = await self._shelves(begun)
        found = await self._inventory(begun, shelves)
        await asyncio.to_thread(_erase, shelves)
        async with self.database.transaction(establishment_id) as connection:
            files = await destructions.originals(connection, destruction_id)
        originals = await asyncio.to_thread(end_originals, files, self.settings.drop)
        # Last of all, so that nothing that was in work meanwhile is left behind.
        answers = await asyncio.to_thread(_prove, shelves, found)
        await self._finish(begun, answers, originals)
        _log.info("destruction %s is done", destruction_id)

    async def _sweep(self, establishment_id: UUID, destruction_id: UUID) -> None:
        """Once more, a day after: for what a copy or a repair in that very moment brought back."""
        async with self.database.transaction(establishment_id) as connection:
            ended = await destructions.unswept(connection, destruction_id)
        if ended is None:
            return
        for shelf in await self._shelves(ended):
            found = await asyncio.to_thread(shelf.count)
            if found.left:
                _log.warning("%s objects of a destroyed slide came back", found.left)
                await asyncio.to_thread(shelf.erase)
                await asyncio.to_thread(shelf.prove, found)
        async with self.database.transaction(establishment_id) as connection:
            await destructions.set_swept(connection, destruction_id)

    async def _begin(self, establishment_id: UUID, destruction_id: UUID) -> Destruction | None:
        async with self.database.transaction(establishment_id) as connection:
            before = await destructions.by_id(connection, destruction_id)
        if before is not None and before.state is DestructionState.APPROVED:
            await heed_store(self.database, self.stores.warm, before)
        try:
            async with self.database.transaction(establishment_id) as connection:
                if before is not None and await self._withdrawn(connection, before):
                    return None
                begun = await destructions.begin(connection, destruction_id)
                if begun is not None and before is not None and before.state != begun.state:
                    await audit.record(
                        connection,
                        establishment_id,
                        SYSTEM,
                        Action.BEGIN_DESTRUCTION,
                        begun.slide_id,
                    )
                    await asyncio.to_thread(write_destruction, self.stores.warm, begun)
        except ConflictError:
            _log.warning("destruction %s may not begin", destruction_id)
            return None
        return begun

    async def _withdrawn(self, connection: Connection, approved: Destruction) -> bool:
        """Whether its ground does not hold any more, and it was taken back: since it was asked for
        the patient came back, or the rule was prolonged.
        """
        if approved.state is not DestructionState.APPROVED or is_early(approved.ground):
            return False
        until = await retention.end_of(connection, approved.slide_id)
        if until is None or until <= datetime.now(UTC).date():
            return False
        withdrawn = await destructions.withdraw(connection, approved.id, _ITSELF, _NOT_ENDED)
        if withdrawn is not None:
            await audit.record(
                connection,
                approved.establishment_id,
                SYSTEM,
                Action.WITHDRAW_DESTRUCTION,
                approved.slide_id,
            )
            await asyncio.to_thread(write_destruction, self.stores.warm, withdrawn)
            _log.warning("destruction %s is withdrawn: the retention has moved on", approved.id)
        return True

    async def _shelves(self, begun: Destruction) -> list[Shelf]:
        places = {"warm": self.stores.warm, "cold": self.stores.cold, "second": self.stores.second}

        def shelves() -> list[Shelf]:
            return [
                Shelf(name, store, begun.slide_id)
                for name, store in places.items()
                if store is not None
            ]

        return await asyncio.to_thread(shelves)

    async def _inventory(self, begun: Destruction, shelves: list[Shelf]) -> list[StoreAnswer]:
        """What there was before the first object went, whichever run this is."""
        async with self.database.transaction(begun.establishment_id) as connection:
            known = await destructions.inventory(connection, begun.id)
        if known is not None:
            return known
        found = await asyncio.to_thread(lambda: [shelf.count() for shelf in shelves])
        async with self.database.transaction(begun.establishment_id) as connection:
            await destructions.set_inventory(connection, begun.id, found)
        return found

    async def _finish(
        self, begun: Destruction, answers: list[StoreAnswer], originals: Originals
    ) -> None:
        written = await asyncio.to_thread(read_certificate, self.stores.warm, begun)
        async with self.database.transaction(begun.establishment_id) as connection:
            cursor = await connection.execute("select name from establishment")
            row = await cursor.fetchone()
            certificate = written or Certificate(
                **stored_destruction(begun).model_dump(
                    exclude={"version", "state"} | _OF_WITHDRAWAL
                ),
                establishment_name=row["name"] if row else "",
                done_at=datetime.now(UTC),
                objects=sum(answer.objects for answer in answers),
                size_bytes=sum(answer.size_bytes for answer in answers),
                stores=tuple(answers),
                originals=originals,
            )
            if await destructions.finish(connection, certificate):
                await incidents.end_with_slide(connection, begun.slide_id)
                await audit.record(
                    connection, begun.establishment_id, SYSTEM, Action.DESTROY_SLIDE, begun.slide_id
                )
                # Once more where it was there: whoever wrote it may have died before its end.
                await asyncio.to_thread(write_certificate, self.stores.warm, certificate)


_ITSELF = "SGI"
_NOT_ENDED = "The retention does not end yet: the patient was seen since, or the rule is longer."
_OF_WITHDRAWAL = {"withdrawn_by", "withdrawn_at", "withdrawal_reason"}


def _erase(shelves: list[Shelf]) -> None:
    # The warm store first: a rebuild of the catalogue begins with the manifests there.
    for shelf in shelves:
        shelf.erase()


def _prove(shelves: list[Shelf], found: list[StoreAnswer]) -> list[StoreAnswer]:
    """A store that was added since the first run held nothing then."""
    before = {answer.store: answer for answer in found}
    nothing = {"objects": 0, "size_bytes": 0}
    answers = []
    for shelf in shelves:
        known = before.get(shelf.name) or shelf.count().model_copy(update=nothing)
        answers.append(shelf.prove(known))
    return answers
