"""The whole catalogue again, from the stores alone: all of it in one transaction, or nothing.

What cannot be taken (a manifest that is none, or says what another says) is named, and the rest
goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Container
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from sgi import recovery
from sgi.catalogue import identities, integrity, recovered, slides
from sgi.catalogue import rebuild as rows
from sgi.catalogue.recovered import Owner
from sgi.domain.integrity import SideObject
from sgi.domain.tier import Tier
from sgi.errors import ConflictError, SgiError
from sgi.integrity.decisions import Decision, read_decisions
from sgi.integrity.expected import Manifest, parse_manifest
from sgi.stored.identity import StoredIdentity, parse_identity
from sgi.stored.keys import (
    MANIFEST,
    SLIDES,
    establishment_key,
    identity_name,
    identity_revision,
    instance_key,
    manifest_key,
    side_object_key,
    slide_folder,
)
from sgi.stores import Stores
from storage.errors import ObjectNotFoundError, ObjectTooLargeError
from storage.store import ObjectStore

_AT_ONCE = 16
_COLD = ".cold"

Told = Callable[[int, int], None]
_REFUSED = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.ProgrammingError,
    psycopg.NotSupportedError,
    ValueError,
    TypeError,
    OverflowError,
)
"""What comes of hostile values; a database that goes away ends everything."""


@dataclass(slots=True)
class Rebuilt:
    """What came of it."""

    establishments: int = 0
    slides: int = 0
    known: int = 0
    """Slides that the catalogue had already."""
    decisions: int = 0
    asked_again: int = 0
    """Destructions among them that somebody has to approve anew."""
    still_held: list[UUID] = field(default_factory=list)
    """Slides whose hold is lifted in the store alone: it goes on until somebody lifts it anew."""
    handed_over: list[UUID] = field(default_factory=list)
    """Establishments of a first start: they are others' now."""
    problems: list[str] = field(default_factory=list)
    """A line for every object that could not be taken, which it names."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A slide as it lies in the stores."""

    manifest: Manifest
    cold: dict[str, int]
    """Packed size by SOP Instance UID, of what lies in the cold store."""
    only_cold: set[str]
    """Those of them that lie nowhere else."""


@dataclass(slots=True)
class _There:
    """What the listings of the stores hold."""

    slides: set[UUID] = field(default_factory=set)
    """With a folder in the warm store."""
    whole: set[UUID] = field(default_factory=set)
    """Those with a manifest in it, which is the first object to go in a destruction."""
    cold: dict[UUID, dict[str, int]] = field(default_factory=dict)
    """Packed size by SOP Instance UID, of what the cold store holds of each slide."""
    identities: dict[UUID, list[int]] = field(default_factory=dict)
    """Revisions of what the instances of each slide were told to say."""

    def contradicts(self, ended: UUID | None, known: Container[UUID], gone: set[UUID]) -> bool:
        """Whether a slide that a certificate of the store says is destroyed is not, as far as
        anybody but the store knows.

        What has come back after a destruction on record is not for a rebuild to take.
        """
        if ended is None or ended in gone:
            return False
        return ended in self.whole or (
            ended in known and (ended in self.slides or ended in self.cold)
        )


async def rebuild(
    url: str, stores: Stores, *, missing: bool = False, told: Told = lambda _done, _all: None
) -> Rebuilt:
    """Fill an empty, migrated database; with `missing`, add to one what it lacks.

    `told` hears how many slides are done, and of how many. Raises ConflictError for a database
    that is not empty, and the stores' errors: then nothing was written.
    """
    connection: Owner = await AsyncConnection.connect(url, row_factory=dict_row)
    async with connection:  # one transaction, committed on leaving
        filled = await rows.filled_tables(connection)
        if filled and not missing:
            raise ConflictError(
                f"The database is not empty ({', '.join(filled)}): rebuild into a new one that "
                "`sgi migrate` has made, or add what it lacks with --missing."
            )
        rebuilt = await _Rebuild(connection, stores, told).run()
    for gone in rebuilt.handed_over:
        await asyncio.to_thread(stores.warm.delete, establishment_key(gone))
    return rebuilt


class _Rebuild:
    def __init__(self, connection: Owner, stores: Stores, told: Told) -> None:
        self._connection = connection
        self._stores = stores
        self._told = told
        self._out = Rebuilt()
        self._new: dict[UUID, str] = {}
        """Establishments that came out of the stores, and their names."""

    async def run(self) -> Rebuilt:
        before = await rows.establishments(self._connection)
        known = await rows.slide_ids(self._connection)
        on_record = await rows.ended_slides(self._connection)
        there = await asyncio.to_thread(self._list)
        if known and self._stores.cold is not None:
            await self._follow_moves(there.cold)
        decisions = []
        for decision in await asyncio.to_thread(self._decisions):
            if isinstance(decision, str):
                self._out.problems.append(decision)
            elif there.contradicts(decision.ended_slide, known, on_record):
                self._out.problems.append(
                    f"{decision.key} is not taken: the slide that it says is destroyed is there."
                )
            else:
                decisions.append(decision)
        ended = on_record | {each.ended_slide for each in decisions if each.ended_slide}
        lacking = sorted(there.slides - known)
        self._out.known = len(there.slides & known)
        halves = {each.halved_slide for each in decisions} - there.whole - known
        todo = [each for each in lacking if each not in ended and each not in halves]
        # As they are called now; slides say how they were called then.
        named = [each for each in decisions if each.is_establishment]
        for decision in sorted(named, key=lambda each: each.at):
            await self._decide(decision, before)
        await self._take(todo, there.cold, before)
        for slide_id, revisions in sorted(there.identities.items()):
            await self._tell_anew(slide_id, sorted(revisions))
        for decision in decisions:
            if not decision.is_establishment and decision.unless_ended not in ended:
                await self._decide(decision, before)
        await self._hand_over(before)
        await self._end_recovery()
        self._out.establishments = len(self._new)
        return self._out

    async def _take(
        self, todo: list[UUID], cold: dict[UUID, dict[str, int]], before: dict[UUID, str]
    ) -> None:
        done = 0
        async for name, found in self._read(todo, cold):
            done += 1
            self._told(done, len(todo))
            if isinstance(found, str):
                self._out.problems.append(found)
            else:
                await self._add(name, found, before)

    async def _tell_anew(self, slide_id: UUID, revisions: list[int]) -> None:
        """Whose a slide was last said to be, also where the database is of an earlier moment: its
        UIDs are not to be given out again for anything else.
        """
        slide = await slides.by_id(self._connection, slide_id)
        if slide is None:
            return
        last = slide.told.revision if slide.told else 0
        for revision in (each for each in revisions if each > last):
            key = side_object_key(slide_id, identity_name(revision))
            stored, data = await asyncio.to_thread(_read_identity, self._stores.warm, key)
            expected = (slide_id, slide.establishment_id, revision)
            if stored is None or expected != (
                stored.slide_id,
                stored.establishment_id,
                stored.revision,
            ):
                self._out.problems.append(f"{key} is not taken: it is not what it should be.")
                continue
            try:
                async with self._connection.transaction():
                    await identities.add(self._connection, slide, stored, data)
            except _REFUSED as error:
                self._out.problems.append(f"{key} is not taken: {_why(error)}")

    async def _end_recovery(self) -> None:
        """A database that came back from an earlier moment has heard everything now."""
        if not await recovery.is_marked(self._connection):
            return
        try:
            async with self._connection.transaction():
                await recovery.clear(self._connection)
        except psycopg.errors.InsufficientPrivilege:
            self._out.problems.append(
                "Destructions still wait: let the database's owner `alter database … reset "
                "sgi.recovered`."
            )

    async def _follow_moves(self, cold: dict[UUID, dict[str, int]]) -> None:
        """Slides that moved after the moment from which the database came back."""
        packed = {uid: size for of_slide in cold.values() for uid, size in of_slide.items()}
        for each in await recovered.doubtful(self._connection, list(packed)):
            key = instance_key(each.slide_id, each.sop_uid)
            is_here = await asyncio.to_thread(_is_there, self._stores.warm, key, each.size_bytes)
            if each.tier is Tier.WARM and not is_here:
                await recovered.set_cold(self._connection, each.sop_uid, packed[each.sop_uid])
            elif each.tier is not Tier.WARM and is_here:
                await integrity.bring_back(self._connection, each.sop_uid)

    def _list(self) -> "_There":
        """What lies in the stores, by slide."""
        there = _There()
        for info in self._stores.warm.list(SLIDES):
            slide_id = self._slide_id(info.key)
            if slide_id is not None:
                there.slides.add(slide_id)
                if info.key == manifest_key(slide_id):
                    there.whole.add(slide_id)
                revision = identity_revision(info.key.removeprefix(slide_folder(slide_id)))
                if revision is not None:
                    there.identities.setdefault(slide_id, []).append(revision)
        for info in self._stores.cold.list(SLIDES) if self._stores.cold is not None else ():
            slide_id = self._slide_id(info.key)
            if slide_id is not None and info.key.endswith(_COLD):
                sop_uid = info.key.rpartition("/")[2].removesuffix(_COLD)
                there.cold.setdefault(slide_id, {})[sop_uid] = info.size_bytes
        return there

    def _slide_id(self, key: str) -> UUID | None:
        name = key.removeprefix(SLIDES).partition("/")[0]
        try:
            slide_id = UUID(name)
        except ValueError:
            slide_id = None
        if slide_id is None or str(slide_id) != name:
            problem = f"{SLIDES}{name}/ is no folder of a slide."
            if problem not in self._out.problems:
                self._out.problems.append(problem)
            return None
        return slide_id

    async def _read(
        self, todo: list[UUID], cold: dict[UUID, dict[str, int]]
    ) -> AsyncIterator[tuple[UUID, _Found | str]]:
        """Manifests, some at a time, in order."""
        for start in range(0, len(todo), _AT_ONCE):
            page = todo[start : start + _AT_ONCE]
            reading = [
                asyncio.to_thread(_read_slide, self._stores.warm, each, cold.get(each, {}))
                for each in page
            ]
            for slide_id, found in zip(page, await asyncio.gather(*reading), strict=True):
                yield slide_id, found

    async def _add(self, slide_id: UUID, found: _Found, before: dict[UUID, str]) -> None:
        stored, slide = found.manifest.told, found.manifest.slide
        objects = [
            SideObject(MANIFEST, found.manifest.whole.size_bytes, found.manifest.whole.sha256),
            *(SideObject(each.name, each.size_bytes, each.sha256) for each in stored.objects),
        ]
        try:
            async with self._connection.transaction():
                await self._establish(
                    stored.establishment_id,
                    await self._own_name(
                        stored.establishment_id, stored.establishment_name, before
                    ),
                    stored.establishment_created_at or stored.written_at,
                    before,
                )
                await rows.add_arrival(self._connection, stored, slide_id)
                await rows.add_slide(self._connection, slide, objects, found.cold, found.only_cold)
        except _REFUSED as error:
            self._out.problems.append(f"{manifest_key(slide_id)} is not taken: {_why(error)}")
        else:
            self._new[stored.establishment_id] = stored.establishment_name
            self._out.slides += 1

    async def _decide(self, decision: Decision, before: dict[UUID, str]) -> None:
        """Make its rows, or say why not."""
        establishment_id = decision.establishment_id
        try:
            async with self._connection.transaction():
                if establishment_id not in self._new and establishment_id not in before:
                    if decision.establishment_name is None:
                        self._out.problems.append(
                            f"{decision.key} is not taken: no slide says whose it is."
                        )
                        return
                    await self._establish(
                        establishment_id, decision.establishment_name, decision.at, before
                    )
                    self._new[establishment_id] = decision.establishment_name
                asked_again = await decision.add(self._connection)
        except _REFUSED as error:
            self._out.problems.append(f"{decision.key} is not taken: {_why(error)}")
        else:
            self._out.decisions += not decision.is_establishment
            if asked_again is True and decision.of_holds is not None:
                self._out.still_held.append(decision.of_holds)
            else:
                self._out.asked_again += asked_again is True

    async def _establish(
        self, establishment_id: UUID, name: str, created_at: datetime, before: dict[UUID, str]
    ) -> None:
        """An establishment of the stores; one that a first start made gives its name up."""
        if establishment_id in self._new:
            return
        holder = await rows.named(self._connection, name)
        if holder and holder != establishment_id and await self._is_first_start(holder, before):
            await rows.free_name(self._connection, holder)
        await rows.add_establishment(self._connection, establishment_id, name, created_at)

    async def _is_first_start(self, holder: UUID, before: dict[UUID, str]) -> bool:
        return holder in before and not await rows.is_in_use(self._connection, holder)

    async def _own_name(self, establishment_id: UUID, name: str, before: dict[UUID, str]) -> str:
        """The one that a slide says, unless another establishment bears it: no slide is lost for
        that.
        """
        holder = await rows.named(self._connection, name)
        if holder is None or holder == establishment_id:
            return name
        if await self._is_first_start(holder, before):
            return name
        return f"{name} ({establishment_id})"

    def _decisions(self) -> list[Decision | str]:
        return list(read_decisions(self._stores.warm))

    async def _hand_over(self, before: dict[UUID, str]) -> None:
        """What a first start made stands for the establishment of its name, or the only one.

        A catalogue in use has no such thing: its establishments are what they say.
        """
        for empty, name in before.items():
            if empty in self._new or not self._new:
                continue
            same = [each for each, taken in self._new.items() if taken == name]
            only = len(self._new) == 1 and not self._out.known
            heirs = same or (list(self._new) if only else [])
            try:
                async with self._connection.transaction():
                    for heir in heirs:
                        await rows.hand_over(self._connection, empty, heir)
                        self._out.handed_over.append(empty)
            except psycopg.errors.ForeignKeyViolation:  # it holds more: --missing, into a used one
                continue


def _why(error: Exception) -> str:
    """Without the values that a row was to hold."""
    told = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return told or "it holds what no row can hold"


def _is_there(store: ObjectStore, key: str, size_bytes: int) -> bool:
    try:
        return store.size(key) == size_bytes
    except ObjectNotFoundError:
        return False


def _read_identity(warm: ObjectStore, key: str) -> tuple[StoredIdentity | None, bytes]:
    """Blocking."""
    try:
        data = warm.read(key)
    except (ObjectNotFoundError, ObjectTooLargeError):
        return None, b""
    return parse_identity(data), data


def _read_slide(warm: ObjectStore, slide_id: UUID, cold: dict[str, int]) -> _Found | str:
    """A slide, or why it is none. Blocking."""
    key = manifest_key(slide_id)
    try:
        data = warm.read(key)
    except ObjectNotFoundError:
        return f"{key} is not there: what lies in this folder is no slide, or has lost it."
    except ObjectTooLargeError:
        return f"{key} is not taken: it is larger than any manifest."
    manifest = parse_manifest(data)
    if manifest is None:
        return f"{key} is not taken: it is no manifest."
    if manifest.slide.id != slide_id:
        return f"{key} is not taken: it is the manifest of another slide."
    if not manifest.slide.levels:
        return f"{key} is not taken: its slide has no levels."
    here = {info.key for info in warm.list(slide_folder(slide_id))}
    try:
        keys = {i.sop_uid: instance_key(slide_id, i.sop_uid) for i in manifest.slide.instances}
    except SgiError:
        return f"{key} is not taken: it names an instance by what is no UID."
    # What lies in neither store is told by the next scrub, as an incident.
    mine = {uid: cold[uid] for uid in keys if uid in cold}
    return _Found(manifest, mine, {uid for uid in mine if keys[uid] not in here})
