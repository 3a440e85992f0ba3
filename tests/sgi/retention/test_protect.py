"""Holds and retention on the objects themselves, in a real store with object lock."""

import dataclasses
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import boto3
import pytest

from sgi.catalogue import holds
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide
from sgi.engines import EmbeddedSeaweed
from sgi.jobs.keeping import Keeping
from sgi.retention.destroy import Destroyer
from sgi.retention.erase import Shelf
from sgi.retention.protect import hold_objects, offers_lock, retain_objects
from sgi.retention.tasks import protect_slide, retain_slides
from sgi.settings import Settings
from sgi.stored.keys import slide_folder
from sgi.stores import Stores
from storage import MemoryObjectStore, S3ObjectStore, S3Options, StoreRefusedError
from storage.locks import lockable


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    engine = EmbeddedSeaweed(tmp_path_factory.mktemp("seaweed"))
    yield engine.start()
    engine.stop()


@pytest.fixture
def locked(s3: S3Options) -> S3ObjectStore:
    """A bucket with object lock."""
    name = f"locked-{uuid.uuid4()}"
    client = boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name=s3.region,
        aws_access_key_id=s3.access_key_id,
        aws_secret_access_key=s3.secret_access_key,
    )
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return S3ObjectStore(dataclasses.replace(s3, bucket=name))


def fill(store: Any, slide_id: UUID) -> None:
    for name in ("manifest.json", "1.2.3.dcm", "1.2.3.dcm"):  # the last one twice: two versions
        store.put(slide_folder(slide_id) + name, name.encode())


def listed(store: S3ObjectStore, slide_id: UUID) -> int:
    locks = lockable(store)
    assert locks
    return len(list(locks.versions(slide_folder(slide_id))))


def test_a_held_slide_is_erased_by_nobody(locked: S3ObjectStore) -> None:
    slide_id = uuid.uuid4()
    fill(locked, slide_id)
    assert offers_lock(locked)
    assert hold_objects(locked, slide_id, on=True) == 3
    shelf = Shelf("warm", locked, slide_id)
    with pytest.raises(StoreRefusedError):
        shelf.erase()
    assert listed(locked, slide_id) == 3
    assert hold_objects(locked, slide_id, on=False) == 3
    shelf.erase()
    assert shelf.prove(shelf.count()).left == 0
    assert listed(locked, slide_id) == 0


def test_every_version_goes_in_spite_of_a_retention(locked: S3ObjectStore) -> None:
    slide_id = uuid.uuid4()
    fill(locked, slide_id)
    until = datetime.now(UTC).date() + timedelta(days=400)
    assert retain_objects(locked, slide_id, until) == 3
    for info in list(locked.list(slide_folder(slide_id))):
        locked.delete(info.key)
    shelf = Shelf("cold", locked, slide_id)
    found = shelf.count()
    assert found.versioned
    assert found.objects >= 5, "three versions under two marks"
    assert found.size_bytes == len("manifest.json") + 2 * len("1.2.3.dcm")
    shelf.erase()
    assert shelf.count().objects == 0
    assert shelf.prove(found).objects == found.objects


def test_a_store_without_locks_is_left_as_it_is(s3: S3Options) -> None:
    slide_id = uuid.uuid4()
    for store in (S3ObjectStore(s3), MemoryObjectStore()):
        fill(store, slide_id)
        assert not offers_lock(store)
        assert hold_objects(store, slide_id, on=True) == 0
        assert retain_objects(store, slide_id, date(2999, 1, 1)) == 0
        Shelf("warm", store, slide_id).erase()
        assert list(store.list(slide_folder(slide_id))) == []


def test_a_lock_is_prolonged_and_never_shortened(locked: S3ObjectStore) -> None:
    slide_id = uuid.uuid4()
    fill(locked, slide_id)
    locks = lockable(locked)
    assert locks
    of_publication, of_a_stay = date(2046, 1, 1), date(2066, 1, 1)
    for until, holds_until in (
        (of_publication, of_publication),
        (of_a_stay, of_a_stay),
        (of_publication, of_a_stay),  # as after a rebuild, which knows of no stay
    ):
        assert retain_objects(locked, slide_id, until) == 3
        ends = {locks.retained_until(v) for v in locks.versions(slide_folder(slide_id))}
        assert ends == {datetime.combine(holds_until, time(), UTC)}


def test_a_retention_that_has_ended_is_not_put_on(locked: S3ObjectStore) -> None:
    slide_id = uuid.uuid4()
    fill(locked, slide_id)
    assert retain_objects(locked, slide_id, datetime.now(UTC).date()) == 0


def test_the_jobs_put_on_the_objects_what_the_catalogue_says(
    run: Any,
    settings: Settings,
    database: Database,
    slide: Slide,
    here: Any,
    approve: Any,
    locked: S3ObjectStore,
) -> None:
    fill(locked, slide.id)
    warm = MemoryObjectStore()
    keeping = Keeping(settings, database, Stores(warm, locked))
    folder = slide_folder(slide.id)

    async def change(held: bool) -> None:
        async with database.transaction(here.id) as connection:
            if held:
                await holds.place(connection, here.id, slide.id, "a lawsuit", "somebody")
            else:
                await holds.lift(connection, slide.id, "it is over", "somebody")

    run(change(True))
    run(protect_slide(keeping, here.id, slide.id))
    locks = lockable(locked)
    assert locks
    with pytest.raises(StoreRefusedError):
        locks.delete_version(next(iter(locks.versions(folder))))
    run(change(False))
    run(protect_slide(keeping, here.id, slide.id))
    run(retain_slides(keeping, here.id))
    approved = approve(slide)
    run(Destroyer(settings, database, keeping.stores).destroy(here.id, approved.id))
    assert listed(locked, slide.id) == 0
