"""`sgi verify`: read what is stored again, tell what is wrong, and put it right where it can be."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sgi.catalogue import accounts, integrity, slides
from sgi.catalogue.database import Database
from sgi.domain.integrity import Finding, Scrubbed
from sgi.errors import NotFoundError
from sgi.integrity.pace import Pace
from sgi.integrity.strays import find_strays
from sgi.integrity.verify import Verified, Verifier
from sgi.stores import Stores
from storage.cache import scrub_cache


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

    Raises NotFoundError for a slide that is not there, and the stores' errors.
    """
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
            done = [
                verified
                for establishment_id, slide_id in work
                if (verified := await verifier.verify(establishment_id, slide_id)) is not None
            ]
            strays = [] if wanted else await find_strays(database, stores)
    cached = (0, 0) if wanted or cache is None else await asyncio.to_thread(scrub_cache, cache)
    if as_json:
        print(json.dumps(_document(done, strays, cached)))  # noqa: T201 - what was asked for
    else:
        _say(done, strays, cached)
    return not strays and not any(verified.left for verified in done)


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


def _say(done: Sequence[Verified], strays: Sequence[Finding], cached: tuple[int, int]) -> None:
    console = Console()
    for verified in done:
        for finding in verified.findings:
            is_repaired = finding in verified.repaired
            outcome = "repaired" if is_repaired else finding.damage
            console.print(
                f"{finding.place} {finding.key}: {outcome}. {finding.detail}",
                style="yellow" if is_repaired else "red",
                markup=False,
                soft_wrap=True,
            )
    for stray in strays:
        console.print(
            f"{stray.place} {stray.key}: {stray.detail}", style="red", markup=False, soft_wrap=True
        )
    damaged = sum(len(verified.findings) for verified in done)
    repaired = sum(len(verified.repaired) for verified in done)
    told = f"{len(done)} slides verified, {damaged} damaged objects"
    if repaired:
        told += f", {repaired} repaired"
    if strays:
        told += f", {len(strays)} folders of no slide"
    if cached[1]:  # dropped, and read anew from the store when they are asked for
        told += f", {cached[1]} of {cached[0]} cached tiles dropped"
    console.print(told)


def _document(
    done: Sequence[Verified], strays: Sequence[Finding], cached: tuple[int, int]
) -> dict[str, object]:
    read = sum((verified.read for verified in done), Scrubbed())
    return {
        "slides": read.slides,
        "objects": read.objects,
        "bytes": read.bytes,
        "findings": [
            {
                "slide": str(verified.slide_id),
                **_told(finding),
                "repaired": finding in verified.repaired,
            }
            for verified in done
            for finding in verified.findings
        ],
        "strays": [_told(stray) for stray in strays],
        "cache": {"entries": cached[0], "dropped": cached[1]},
    }


def _told(finding: Finding) -> dict[str, str]:
    return {
        "place": finding.place,
        "object": finding.key,
        "damage": finding.damage,
        "detail": finding.detail,
    }
