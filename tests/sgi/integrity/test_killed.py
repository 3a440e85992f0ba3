"""A worker's process that is really killed while it reads a slide again."""

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from sgi.domain.slide import Slide
from sgi.integrity.rebuild import rebuild
from sgi.stores import Stores
from storage.local import LocalObjectStore

WORKER = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from pathlib import Path
    from sgi.catalogue.database import Database
    from sgi.integrity.jobs import SCRUB
    from sgi.integrity.keeper import register
    from sgi.jobs.keeping import Keeping
    from sgi.jobs.queue import KEEPING_QUEUE, open_queue, take_over_stalled
    from sgi.settings import Settings
    from sgi.stores import Stores
    from storage.local import LocalObjectStore

    url, folder, at = sys.argv[1:]
    left = int(at)

    class Mortal(LocalObjectStore):
        def read_chunks(self, key, *options):
            global left
            left -= 1
            for data in LocalObjectStore.read_chunks(self, key, 1000):
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield data

    async def main():
        queue = open_queue(url)
        async with Database(url, size=2) as database, queue.open_async():
            register(queue, Keeping(Settings(), database, Stores(Mortal(Path(folder)))))
            await take_over_stalled(queue.job_manager, KEEPING_QUEUE)
            if left:
                await queue.configure_task(SCRUB).defer_async(timestamp=0)
            await queue.run_worker_async(
                queues=[KEEPING_QUEUE], wait=False, install_signal_handlers=False)

    asyncio.run(main())
    """
)
_IN_THE_SECOND_SLIDE = 20


def work(url: str, folder: Path, at: int) -> int:
    command = [sys.executable, "-c", WORKER, url, str(folder), str(at)]
    return subprocess.run(command, timeout=100).returncode


def verified(url: str) -> dict[Any, datetime]:
    with psycopg.connect(url) as connection:
        found = connection.execute("select id, verified_at from slide").fetchall()
    return {slide_id: at for slide_id, at in found if at is not None}


def test_it_goes_on_with_the_slide_that_it_was_reading(
    run: Any,
    make_empty: Callable[[], str],
    tmp_path: Path,
    here: Any,
    store: Any,
    publish: Callable[..., Slide],
) -> None:
    made = {publish(here, store).id for _ in range(3)}
    on_disk = LocalObjectStore(tmp_path)
    for key, data in store.objects.items():
        on_disk.put(key, data)
    url = make_empty()
    assert run(rebuild(url, Stores(on_disk))).problems == []
    assert work(url, tmp_path, _IN_THE_SECOND_SLIDE) == -signal.SIGKILL
    before = verified(url)
    assert len(before) == 1, "it died in the second slide"
    with psycopg.connect(url) as connection:  # as if it had been silent for long enough
        connection.execute(
            "update procrastinate_workers set last_heartbeat = now() - interval '1h'"
        )
    assert work(url, tmp_path, 0) == 0
    after = verified(url)
    assert set(after) == made
    assert before.items() <= after.items(), "nothing was read twice"
    with psycopg.connect(url) as connection:
        assert connection.execute("select slides from scrub").fetchall() == [(3,)]
        assert connection.execute("select count(*) from incident").fetchone() == (0,)
