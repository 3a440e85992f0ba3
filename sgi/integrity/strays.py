"""Objects that belong to no slide: told of, and left where they are.

They may be what a slide left that the catalogue lost, so that nothing here ever deletes one.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sgi.catalogue import accounts, audit, incidents, integrity
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Database
from sgi.domain.integrity import Damage, Finding, FoundBy, IncidentState, Place
from sgi.integrity.examine import YOUNG
from sgi.integrity.expected import parse_manifest
from sgi.stored.keys import MANIFEST, SLIDES
from sgi.stores import Stores
from storage.errors import StorageError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Strays:
    """What belongs to no slide."""

    found: Sequence[Finding] = ()
    young: int = 0
    """Folders of no slide that are too young to be judged: slides on their way in, perhaps."""


async def find_strays(database: Database, stores: Stores, young: timedelta = YOUNG) -> Strays:
    """Look through every store once; raises the stores' errors when one does not answer."""
    found: list[Finding] = []
    not_judged = 0
    for store, place in (
        (stores.warm, Place.WARM),
        (stores.cold, Place.COLD),
        (stores.second, Place.SECOND),
    ):
        if store is None:
            continue
        folders = await asyncio.to_thread(_folders, store)
        unknown = await _unknown(database, sorted(folders))
        since = datetime.now(UTC) - young
        not_judged += sum(folders[name] > since for name in unknown)
        unknown = [name for name in unknown if folders[name] <= since]
        found += [await asyncio.to_thread(_finding, store, place, name) for name in unknown]
    await _tell(database, found)
    return Strays(found, not_judged)


def _folders(store: ObjectStore) -> dict[str, datetime]:
    """Every folder of slides, and when something was written there last."""
    newest: dict[str, datetime] = {}
    for info in store.list(SLIDES):
        name = info.key.removeprefix(SLIDES).partition("/")[0]
        newest[name] = max(info.modified, newest.get(name, info.modified))
    return newest


async def _unknown(database: Database, names: list[str]) -> list[str]:
    ids = {name: _id(name) for name in names}
    known: set[UUID] = set()
    asked = [each for each in ids.values() if each is not None]
    for start in range(0, len(asked), _PAGE):
        async with database.anonymous() as connection:
            known |= await integrity.known(connection, asked[start : start + _PAGE])
    return [name for name, slide_id in ids.items() if slide_id not in known]


def _id(name: str) -> UUID | None:
    """Of a folder's name, if it is one that we gave."""
    try:
        slide_id = UUID(name)
    except ValueError:
        return None
    return slide_id if str(slide_id) == name else None


def _finding(store: ObjectStore, place: Place, name: str) -> Finding:
    """Of a folder; the one with a manifest is a slide that the catalogue lost."""
    detail = "Objects that belong to no slide; they are left where they are."
    key = f"{SLIDES}{name}/"
    try:
        if parse_manifest(store.read(f"{key}{MANIFEST}")) is not None:
            detail = "A slide that is not in the catalogue; `sgi rebuild` would find it."
    except StorageError:
        pass
    return Finding(place, key, Damage.EXTRA, detail)


async def _tell(database: Database, found: list[Finding]) -> None:
    """Nobody's objects are the first establishment's matter: it runs the place."""
    async with database.anonymous() as connection:
        known = await accounts.establishments(connection)
    if not known:
        return
    establishment_id, _ = known[0]
    still = {(finding.place, finding.key) for finding in found}
    async with database.transaction(establishment_id) as connection:
        for finding in found:
            reported = await incidents.report(
                connection, establishment_id, None, finding, FoundBy.SCRUB
            )
            if reported.is_new:
                _log.error("INTEGRITY incident %s: %s", reported.id, finding.key)
                await audit.record(connection, establishment_id, SYSTEM, Action.FIND_DAMAGE)
        for incident in await incidents.standing_without_slide(connection):
            if (incident.place, incident.object_key) not in still:
                await incidents.end(connection, incident.id, IncidentState.REPAIRED)
