"""`sgi verify`: read what is stored again, tell what is wrong, and put it right where it can be."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sgi.catalogue import accounts, integrity, slides
from sgi.catalogue.database import Database
from sgi.domain.integrity import Finding, Scrubbed
from sgi.errors import NotFoundError
from sgi.integrity.pace import Pace
from sgi.integrity.strays import Strays, find_strays
from sgi.integrity.verify import Verified, Verifier
from sgi.stores import Stores
from storage.cache import scrub_cache
from storage.errors import StorageError


@dataclass(slots=True)
class _Told:
    """What was found, and what could not be looked at."""

    done: list[Verified] = field(default_factory=list)
    strays: Strays = field(default_factory=Strays)
    not_read: dict[UUID, str] = field(default_factory=dict)
    """Slides of which a store did not give everything, and why."""
    strays_not_read: str | None = None
    cached: tuple[int, int] = (0, 0)

    @property
    def young(self) -> int:
        """Objects and folders that nobody knows, and that are too young to be judged."""
        return self.strays.young + sum(each.young for each in self.done)

    @property
    def is_sound(self) -> bool:
        whole = not self.not_read and self.strays_not_read is None
        return whole and not self.strays.found and not any(each.left for each in self.done)


async def verify_slides(
    url: str,
    stores: Stores,
    wanted: Sequence[UUID] = (),
    *,
    repair: bool = True,
    mb_per_s: float | None = None,
    as_json: bool = False,
    cache: Path | None = None,
) -> bool:
    """Verify these slides, or all, and this machine's cache; True when everything is sound now.

    A store that is away for one slide keeps no other from being verified. Raises NotFoundError for
    a slide that is not there.
    """
    told = _Told()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=as_json,
    ) as bars:
        bar = bars.add_task("verifying", total=None)
        pace = Pace(mb_per_s, progress=lambda length: bars.advance(bar, length))
        async with Database(url, size=2) as database:
            verifier = Verifier(database, stores, pace, repair)
            work, total_bytes = await _work(database, wanted)
            copies = 1 if stores.second is None else 2
            bars.update(bar, total=total_bytes * copies)
            for establishment_id, slide_id in work:
                await _verify(verifier, establishment_id, slide_id, told)
            if not wanted:
                try:
                    told.strays = await find_strays(database, stores)
                except StorageError as error:
                    told.strays_not_read = str(error)
    if not wanted and cache is not None:
        told.cached = await asyncio.to_thread(scrub_cache, cache)
    if as_json:
        print(json.dumps(_document(told)))  # noqa: T201 - what was asked for
    else:
        _say(told)
    return told.is_sound


async def _verify(verifier: Verifier, establishment_id: UUID, slide_id: UUID, told: _Told) -> None:
    try:
        verified = await verifier.verify_what_answers(establishment_id, slide_id)
    except StorageError as error:  # while it was being put right
        told.not_read[slide_id] = str(error)
        return
    if verified is not None:
        told.done.append(verified)
        if verified.away is not None:
            told.not_read[slide_id] = str(verified.away)


async def _work(database: Database, wanted: Sequence[UUID]) -> tuple[list[tuple[UUID, UUID]], int]:
    """`(establishment, slide)` of what is to be verified, and its bytes in one copy."""
    if wanted:
        return await _chosen(database, wanted)
    async with database.anonymous() as connection:
        establishments = await accounts.establishments(connection)
    work: list[tuple[UUID, UUID]] = []
    total_bytes = 0
    for establishment_id, _ in establishments:
        async with database.transaction(establishment_id) as connection:
            work += [(establishment_id, each) for each in await slides.ids(connection)]
            total_bytes += (await integrity.overview(connection)).bytes
    return work, total_bytes


async def _chosen(
    database: Database, wanted: Sequence[UUID]
) -> tuple[list[tuple[UUID, UUID]], int]:
    work: list[tuple[UUID, UUID]] = []
    total_bytes = 0
    for slide_id in wanted:
        async with database.anonymous() as connection:
            establishment_id = await integrity.establishment_of(connection, slide_id)
        if establishment_id is None:
            raise NotFoundError(f"There is no slide {slide_id}; see the address of its viewer.")
        async with database.transaction(establishment_id) as connection:
            slide = await slides.by_id(connection, slide_id)
            beside = await integrity.side_objects(connection, slide_id)
        if slide is not None:
            total_bytes += sum(instance.size_bytes for instance in slide.instances)
            total_bytes += sum(each.size_bytes for each in beside.values())
        work.append((establishment_id, slide_id))
    return work, total_bytes


def _say(told: _Told) -> None:
    console = Console()
    for verified in told.done:
        for finding in verified.findings:
            is_repaired = finding in verified.repaired
            outcome = "repaired" if is_repaired else finding.damage
            console.print(
                f"{finding.place} {finding.key}: {outcome}. {finding.detail}",
                style="yellow" if is_repaired else "red",
                markup=False,
                soft_wrap=True,
            )
    for line in [
        *(f"{stray.place} {stray.key}: {stray.detail}" for stray in told.strays.found),
        *(f"slide {slide_id} is not verified: {why}" for slide_id, why in told.not_read.items()),
        *(
            [f"Folders of no slide: not looked for. {told.strays_not_read}"]
            if told.strays_not_read
            else []
        ),
    ]:
        console.print(line, style="red", markup=False, soft_wrap=True)
    console.print(_summary(told))


def _summary(told: _Told) -> str:
    whole = sum(verified.away is None for verified in told.done)
    damaged = sum(len(verified.findings) for verified in told.done)
    repaired = sum(len(verified.repaired) for verified in told.done)
    parts = [f"{whole} slides verified, {damaged} damaged objects"]
    if repaired:
        parts.append(f"{repaired} repaired")
    if told.not_read:
        parts.append(f"{len(told.not_read)} slides not verified")
    if told.strays.found:
        parts.append(f"{len(told.strays.found)} folders of no slide")
    if told.young:  # of what is on its way the row comes last
        parts.append(f"{told.young} unknown ones younger than a day are not judged yet")
    if told.cached[1]:  # dropped, and read anew from the store when they are asked for
        parts.append(f"{told.cached[1]} of {told.cached[0]} cached tiles dropped")
    return ", ".join(parts)


def _document(told: _Told) -> dict[str, object]:
    read = sum((verified.read for verified in told.done), Scrubbed())
    return {
        "slides": read.slides,
        "objects": read.objects,
        "bytes": read.bytes,
        "findings": [
            {
                "slide": str(verified.slide_id),
                **_finding(finding),
                "repaired": finding in verified.repaired,
            }
            for verified in told.done
            for finding in verified.findings
        ],
        "not_verified": [
            {"slide": str(slide_id), "reason": why} for slide_id, why in told.not_read.items()
        ],
        "strays": [_finding(stray) for stray in told.strays.found],
        "young": told.young,
        "strays_not_verified": told.strays_not_read,
        "cache": {"entries": told.cached[0], "dropped": told.cached[1]},
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "place": finding.place,
        "object": finding.key,
        "damage": finding.damage,
        "detail": finding.detail,
    }
