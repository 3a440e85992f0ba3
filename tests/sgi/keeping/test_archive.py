"""The whole way through an S3 with GLACIER's rules, in worker processes that are really killed."""

import signal
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest

from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState
from sgi.retention.erase import Shelf
from sgi.stored.keys import cold_key
from storage import ObjectFrozenError, S3ObjectStore, S3Options
from storage.local import LocalObjectStore
from storage.s3_sdk import sdk_client
from storage.thaw import Thaw

WORKER = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from pathlib import Path
    from uuid import UUID
    from sgi.catalogue.database import Database
    from sgi.jobs.keeping import Keeping
    from sgi.keeping.moves import Moves
    from sgi.settings import ColdSettings, KeepingSettings, Settings, StorageSettings
    from sgi.stores import Stores
    from storage import S3ObjectStore, S3Options
    from storage.local import LocalObjectStore
    from storage.s3_thaw import S3Thaw

    url, folder, endpoint, bucket, establishment, slide, move, at = sys.argv[1:]
    left = int(at)

    def mortal(name):
        real = getattr(S3Thaw, name)

        def killed(self, *arguments):
            step()
            found = real(self, *arguments)
            step()
            return found

        setattr(S3Thaw, name, killed)

    def step():
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("state", "freeze", "thaw"):
        mortal(name)

    async def main():
        cold = ColdSettings(storage_class="GLACIER")
        options = S3Options(bucket=bucket, endpoint=endpoint, access_key_id="id",
                            secret_access_key="secret", storage_class="GLACIER")
        stores = Stores(LocalObjectStore(Path(folder, "warm")), S3ObjectStore(options))
        async with Database(url, size=2) as database:
            settings = Settings(keeping=KeepingSettings(memory_mb=512),
                                storage=StorageSettings(cold=cold))
            moves = Moves(Keeping(settings, database, stores))
            await moves.work(UUID(establishment), UUID(move))
            async with database.transaction(UUID(establishment)) as connection:
                cursor = await connection.execute(
                    "select sop_uid from instance where warm_left_at is not null")
                rows = await cursor.fetchall()
            for row in rows:
                await moves.reap(UUID(establishment), UUID(slide), row["sop_uid"])

    asyncio.run(main())
    """
)


class Archived:
    """The slide with its cold store in an archive, and one worker after the other."""

    def __init__(self, kept: Any, url: str, folder: Path, options: S3Options) -> None:
        warm = LocalObjectStore(folder / "warm")
        for key, data in kept.warm.objects.items():
            warm.put(key, data)
        self.cold = S3ObjectStore(options)
        self.kept = kept.with_stores(warm, self.cold)
        self.url, self.folder, self.options = url, folder, options

    def run(self, move: Any, at: int = 1000) -> int:
        return subprocess.run(
            [
                *(sys.executable, "-c", WORKER, self.url, str(self.folder)),
                *(str(self.options.endpoint), self.options.bucket),
                *(str(self.kept.establishment.id), str(self.kept.slide_id), str(move.id), str(at)),
            ],
            timeout=100,
        ).returncode

    def state(self, move: Any) -> str:
        (row,) = self.kept.query("select state from tier_move where id = %s", move.id)
        return str(row["state"])

    @property
    def key(self) -> str:
        return cold_key(self.kept.slide_id, self.kept.slide.levels[0].sop_uid)


@pytest.fixture
def archived(kept: Any, url: str, tmp_path: Path, archive_endpoint: str) -> Archived:
    options = S3Options(
        bucket=f"archive-{uuid.uuid4()}",
        endpoint=archive_endpoint,
        access_key_id="id",
        secret_access_key="secret",
        storage_class="GLACIER",
    )
    sdk_client(options).create_bucket(Bucket=options.bucket)
    return Archived(kept, url, tmp_path, options)


def test_frozen_thawed_and_given_back_bit_for_bit(archived: Archived) -> None:
    kept, before = archived.kept, archived.kept.slide
    move = kept.ask(Tier.COLD)
    for at in (4, 6):  # once it is frozen, and before the row says so
        assert archived.run(move, at) in {-signal.SIGKILL, 0}
    assert archived.run(move) == 0
    assert archived.state(move) == MoveState.DONE
    assert kept.tiers[0] is Tier.COLD
    assert archived.cold.archive().state(archived.key).thaw is Thaw.FROZEN
    with pytest.raises(ObjectFrozenError):
        archived.cold.read(archived.key)

    move = kept.ask(Tier.WARM)
    assert archived.run(move, 3) == -signal.SIGKILL, "before the archive is asked to thaw"
    assert archived.run(move) == 0
    assert archived.state(move) == MoveState.THAWING
    assert kept.tiers[0] is Tier.RESTORING
    assert archived.run(move, 2) in {-signal.SIGKILL, 0}
    assert archived.run(move) == 0
    assert archived.state(move) == MoveState.DONE
    assert kept.slide == before
    kept.assert_nothing_is_lost()
    assert archived.cold.archive().state(archived.key).thaw is Thaw.THAWED


def test_a_frozen_copy_is_destroyed_as_any_other(archived: Archived) -> None:
    kept = archived.kept
    assert archived.run(kept.ask(Tier.COLD)) == 0
    shelf = Shelf("cold", archived.cold, kept.slide_id)
    assert shelf.count().objects == 1
    shelf.erase()
    assert shelf.count().objects == 0
