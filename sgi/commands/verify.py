"""`sgi verify`: read every stored slide again."""

import asyncio

from rich.console import Console
from rich.progress import Progress

from dicom.errors import DicomError
from sgi.catalogue import accounts, slides
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide
from sgi.errors import VerificationError
from sgi.ingest.verify import verify_instance
from sgi.stored import frame_hashes_key, instance_key, manifest_key
from storage.errors import StorageError
from storage.store import ObjectStore


async def verify_all(url: str, store: ObjectStore) -> bool:
    """Compare every frame of every slide with its stored hash; True when all are sound."""
    damaged: list[str] = []
    checked = 0
    async with Database(url, size=2) as database:
        async with database.anonymous() as connection:
            establishments = await accounts.establishments(connection)
        with Progress(console=Console(stderr=True)) as bars:
            for establishment_id, _ in establishments:
                async with database.transaction(establishment_id) as connection:
                    ids = await slides.ids(connection)
                bar = bars.add_task("verifying", total=len(ids))
                for slide_id in ids:
                    async with database.transaction(establishment_id) as connection:
                        slide = await slides.by_id(connection, slide_id)
                    if slide is not None:
                        damaged += await asyncio.to_thread(_damage, store, slide)
                        checked += 1
                    bars.advance(bar)
    console = Console()
    for line in damaged:
        console.print(line, style="red", markup=False)
    console.print(f"{checked} slides verified, {len(damaged)} damaged objects")
    return not damaged


def _damage(store: ObjectStore, slide: Slide) -> list[str]:
    """One line for every damaged or missing object of a slide."""
    found = []
    for stored in slide.instances:
        key = instance_key(slide.id, stored.sop_uid)
        try:
            hashes = store.read(frame_hashes_key(slide.id, stored.sop_uid))
            verify_instance(store, key, stored.size_bytes, hashes)
        except (StorageError, DicomError, VerificationError) as error:
            found.append(f"{key}: {error}")
    try:
        store.read(manifest_key(slide.id))
    except StorageError as error:
        found.append(f"{manifest_key(slide.id)}: {error}")
    return found
