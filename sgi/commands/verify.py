"""`sgi verify`: read every stored slide again."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.progress import Progress

from dicom.errors import DicomError
from sgi.catalogue import accounts, slides
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide, StoredInstance
from sgi.errors import VerificationError
from sgi.ingest.verify import verify_instance
from sgi.stored import frame_hashes_key, instance_key, manifest_key
from sgi.stored_slide import StoredSlide
from storage.errors import StorageError
from storage.store import ObjectStore


async def verify_all(url: str, store: ObjectStore) -> bool:
    """Compare every object of every slide with the catalogue; True when all are sound."""
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
            verify_instance(store, key, stored.size_bytes, stored.sha256, hashes)
        except (StorageError, DicomError, VerificationError) as error:
            found.append(f"{key}: {error}")
    try:
        _compare_manifest(store.read(manifest_key(slide.id)), slide)
    except (StorageError, VerificationError) as error:
        found.append(f"{manifest_key(slide.id)}: {error}")
    return found


def _compare_manifest(data: bytes, slide: Slide) -> None:
    """Raises VerificationError when the catalogue could not be made again from a manifest."""
    try:
        told = StoredSlide.model_validate_json(data).slide()
    except (ValueError, RecursionError) as error:  # pydantic's own among them
        raise VerificationError("The manifest cannot be read.") from error
    # Since when it is shown, and under which name the establishment goes by now, is the
    # catalogue's to say.
    told = replace(
        told,
        establishment_name=slide.establishment_name,
        published_at=slide.published_at,
        instances=_ordered(told.instances),
    )
    if told != replace(slide, instances=_ordered(slide.instances)):
        raise VerificationError("The manifest says something else than the catalogue.")


def _ordered(instances: Sequence[StoredInstance]) -> tuple[StoredInstance, ...]:
    return tuple(sorted(instances, key=lambda instance: instance.sop_uid))
