"""A worker's process that is really killed, at one call of its stores after the other."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState
from storage.local import LocalObjectStore

WORKER = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from contextlib import contextmanager
    from pathlib import Path
    from uuid import UUID
    from sgi.catalogue.database import Database
    from sgi.jobs.keeping import Keeping
    from sgi.keeping.moves import Moves
    from sgi.settings import KeepingSettings, Settings
    from sgi.stores import Stores
    from storage.local import LocalObjectStore

    url, folder, establishment, slide, move, at = sys.argv[1:]
    left = int(at)

    def step():
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    class Mortal(LocalObjectStore):
        @contextmanager
        def open_write(self, key, **options):
            step()
            with LocalObjectStore.open_write(self, key) as sink:
                yield sink
                step()
            step()

        def delete(self, key):
            step()
            LocalObjectStore.delete(self, key)
            step()

    async def main():
        stores = Stores(Mortal(Path(folder, "warm")), Mortal(Path(folder, "cold")))
        async with Database(url, size=2) as database:
            settings = Settings(keeping=KeepingSettings(memory_mb=512))
            keeping = Keeping(settings, database, stores)
            moves = Moves(keeping)
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


@pytest.fixture
def on_disk(kept: Any, tmp_path: Path) -> Any:
    """The same slide in stores that outlive a process."""
    warm, cold = LocalObjectStore(tmp_path / "warm"), LocalObjectStore(tmp_path / "cold")
    for key, data in kept.warm.objects.items():
        warm.put(key, data)
    return kept.with_stores(warm, cold)


def run(on_disk: Any, url: str, folder: Path, move: Any, at: int) -> int:
    return subprocess.run(
        [
            *(sys.executable, "-c", WORKER, url, str(folder), str(on_disk.establishment.id)),
            *(str(on_disk.slide_id), str(move.id), str(at)),
        ],
        timeout=100,
    ).returncode


def test_nothing_is_lost(on_disk: Any, url: str, tmp_path: Path) -> None:
    before = on_disk.slide
    for target, kills in ((Tier.COLD, (2, 3, 1)), (Tier.WARM, (2,))):
        move = on_disk.ask(target)
        for at in kills:
            assert run(on_disk, url, tmp_path, move, at) == -signal.SIGKILL
            on_disk.assert_nothing_is_lost()
        assert run(on_disk, url, tmp_path, move, 1000) == 0
        on_disk.assert_nothing_is_lost()
        assert on_disk.tiers[0] is target
        (row,) = on_disk.query("select state from tier_move where id = %s", move.id)
        assert row["state"] == MoveState.DONE
    assert on_disk.slide == before
