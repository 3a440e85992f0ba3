"""A whole system of one's own for the length of a benchmark, and a slide's way into it."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from obstore.store import S3Store

from sgi.app import database_url
from sgi.catalogue import accounts, arrivals
from sgi.catalogue.database import Database
from sgi.commands.up import Up
from sgi.domain.arrival import STOPPED, ArrivalState
from sgi.domain.words import Language, sentence
from sgi.errors import ConfigurationError, SgiError
from sgi.settings import Settings

QUIET_S = 0.5
"""How long a file must be unchanged here; of the time to publish, this is a setting and no work."""

_LOOK_S = 0.05
_LONGEST_S = 1800.0
_ROOM_FACTOR = 10
"""Free space asked for, in sizes of the slide: copies, uploads, and what the store cleans later."""


@dataclass(frozen=True, slots=True)
class System:
    """Engines, server, worker and watcher, all on this machine and ended with the benchmark."""

    folder: Path
    """For files of the benchmark, on the same disk as the engines' data."""
    settings: Settings
    address: str
    password: str

    def bare_client(self) -> S3Store:
        """The store by its client library alone, without any code of ours."""
        chosen = self.settings.storage
        return S3Store(
            chosen.bucket,
            endpoint=chosen.endpoint or "",
            region=chosen.region,
            access_key_id=chosen.access_key_id,
            secret_access_key=chosen.secret_access_key.get_secret_value(),
            virtual_hosted_style_request=False,
            client_options={"allow_http": True, "timeout": timedelta(seconds=60)},
        )


@dataclass(frozen=True, slots=True)
class Published:
    """One slide's way in; times in seconds after its file was there."""

    slide_id: UUID
    establishment_id: UUID
    total_s: float
    reached_s: dict[ArrivalState, float]
    """When each state was first seen."""

    def between(self, first: ArrivalState, last: ArrivalState) -> float:
        """Seconds from one state to another; one too short to be seen begins at the end."""
        return self.reached_s.get(last, self.total_s) - self.reached_s.get(first, self.total_s)


@contextmanager
def own_system(slide_bytes: int, **more: str) -> Iterator[System]:
    """A fresh system in a temporary folder (TMPDIR says where), on free ports of the loopback.

    `more` are settings by their variables. Those of a real system in the environment are put
    aside, so that it is never touched.
    """
    folder = Path(tempfile.mkdtemp(prefix="sgi-bench-"))
    try:
        # The database engine gives up root's rights and must still find its own folder.
        folder.chmod(0o711)
        if shutil.disk_usage(folder).free < _ROOM_FACTOR * slide_bytes:
            raise ConfigurationError(
                f"{folder.parent} has too little room: make {_ROOM_FACTOR * slide_bytes >> 20} MiB "
                "free, set TMPDIR to another disk, or SGI_BENCH_MB to a smaller slide."
            )
        with _environment(folder, more):
            up = Up(Settings())
            try:
                up.start()
                yield System(folder, up.settings, up.address, up.password)
            finally:
                up.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _environment(folder: Path, more: Mapping[str, str]) -> Iterator[None]:
    """What the processes of the system read, and nothing of any other system."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("SGI_"):
            del os.environ[name]
    os.environ.update(
        SGI_DATA=str(folder / "data"),
        SGI_PORT="0",
        SGI_HL7__PORT="0",
        SGI_INGEST__QUIET_S=str(QUIET_S),
        SGI_INGEST__ORIGINALS="delete",
        **more,
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def publish(system: System, source: Path, look: Callable[[], None] = lambda: None) -> Published:
    """Link a file into the drop folder and wait for its slide; `look` is called meanwhile.

    Raises SgiError when the file is refused or takes for ever.
    """
    return asyncio.run(_publish(system, source, look))


async def _publish(system: System, source: Path, look: Callable[[], None]) -> Published:
    target = system.settings.drop / source.name
    reached: dict[ArrivalState, float] = {}
    async with Database(database_url(system.settings), size=1) as database:
        async with database.anonymous() as connection:
            establishment_id, _ = (await accounts.establishments(connection))[0]
        # A link: the source stays for the other measurements, and no byte is copied.
        target.hardlink_to(source)
        began = time.monotonic()
        while (passed := time.monotonic() - began) < _LONGEST_S:
            async with database.transaction(establishment_id) as connection:
                arrival = await arrivals.latest_at(connection, target)
            if arrival is not None:
                reached.setdefault(arrival.state, passed)
                if arrival.state is ArrivalState.PUBLISHED:
                    return Published(arrival.slide_id, establishment_id, passed, reached)
                if arrival.state in STOPPED and arrival.reason is not None:
                    raise SgiError(sentence(arrival.reason, Language.ENGLISH))
            look()
            await asyncio.sleep(_LOOK_S)
    raise SgiError(f"No slide came of the file within {_LONGEST_S:.0f} s.")
