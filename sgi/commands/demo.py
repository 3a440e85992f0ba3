"""`sgi demo`: the project's own sample slide, through the drop folder like any other."""

import asyncio
import sys
import time

from sgi.app import database_url
from sgi.catalogue import accounts, arrivals
from sgi.catalogue.database import Database
from sgi.commands.up import Up
from sgi.domain.arrival import STOPPED, Arrival, ArrivalState
from sgi.domain.words import Language, sentence
from sgi.errors import SgiError
from tiling.sample import draw_sample

NAME = "sample-he.svs"
_LONGEST_S = 600.0


def put_sample(everything: Up) -> None:
    """Draw the sample, drop it, and wait for its slide; nothing when it is there already."""
    asyncio.run(_put_sample(everything))


async def _put_sample(everything: Up) -> None:
    settings = everything.settings
    target = settings.drop.resolve() / NAME  # as the watcher names it
    async with Database(database_url(settings), size=2) as database:
        async with database.anonymous() as connection:
            establishment_id, _ = (await accounts.establishments(connection))[0]

        async def state() -> Arrival | None:
            async with database.transaction(establishment_id) as connection:
                return await arrivals.latest_at(connection, target)

        arrival = await state()
        if arrival is not None and arrival.state is ArrivalState.PUBLISHED:
            return
        if not target.exists():
            print("drawing the sample slide…", file=sys.stderr, flush=True)  # noqa: T201 - progress
            unfinished = target.parent / f".{NAME}.part"
            await asyncio.to_thread(draw_sample, unfinished)
            unfinished.replace(target)
        deadline = time.monotonic() + _LONGEST_S
        while not everything.stopping() and time.monotonic() < deadline:
            everything.keep_alive()
            arrival = await state()
            if arrival is not None and arrival.state in {
                ArrivalState.PUBLISHED,
                ArrivalState.DUPLICATE,
            }:
                return
            if arrival is not None and arrival.state in STOPPED and arrival.reason:
                raise SgiError(f"The sample slide: {sentence(arrival.reason, Language.ENGLISH)}")
            await asyncio.sleep(0.25)
