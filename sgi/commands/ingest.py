"""`sgi ingest FILE…`: the drop folder by command, with a progress bar."""

import asyncio
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from sgi.catalogue import accounts, arrivals
from sgi.catalogue.database import Database
from sgi.domain.arrival import STOPPED, Arrival, ArrivalState
from sgi.domain.words import Language, sentence
from sgi.errors import UnreadableFileError, VanishedError
from sgi.ingest.gather import candidate_at, is_zarr_folder
from sgi.settings import Settings

_DONE = {ArrivalState.PUBLISHED, ArrivalState.DUPLICATE}
_OVER = _DONE | STOPPED | {ArrivalState.VANISHED}


async def ingest_files(settings: Settings, url: str, files: Sequence[Path]) -> bool:
    """Put copies into the drop folder and wait; True when every file is a slide.

    The files themselves are never touched. Raises VanishedError or UnreadableFileError before
    anything is copied.
    """
    for file in files:
        if not file.is_file() and not is_zarr_folder(file.resolve()):
            raise VanishedError(f"There is no file {file}; check the name.")
        if not os.access(file, os.R_OK):
            raise UnreadableFileError(f"{file} cannot be read; give yourself access to it.")
    async with Database(url, size=2) as database:
        async with database.anonymous() as connection:
            establishment_id, _ = (await accounts.establishments(connection))[0]
        dropped = [await asyncio.to_thread(_drop, settings.drop, file.resolve()) for file in files]
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[said]}", markup=False),
        )
        with Progress(*columns, console=Console(stderr=True)) as bars:
            tasks = {path: bars.add_task(path.name, total=1.0, said="waiting") for path in dropped}
            return await _follow(database, establishment_id, tasks, bars)


def _drop(drop: Path, file: Path) -> Path:
    """Copy (or link, on the same disk) a slide's files into a folder of their own."""
    candidate = candidate_at(file)
    parts = [part.path for part in candidate.parts] if candidate else [file]
    folder = drop.resolve() / f"ingest-{uuid.uuid4()}"
    hidden = folder.with_name(f".{folder.name}")
    for part in parts:
        target = hidden / part.relative_to(file.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(part, target)
        except OSError:  # another disk, or one without links
            shutil.copy2(part, target)
    hidden.replace(folder)
    return folder / file.name


async def _follow(
    database: Database, establishment_id: uuid.UUID, tasks: dict[Path, TaskID], bars: Progress
) -> bool:
    latest: dict[Path, Arrival | None] = dict.fromkeys(tasks)
    while True:
        async with database.transaction(establishment_id) as connection:
            for path in tasks:
                latest[path] = await arrivals.latest_at(connection, path)
        for path, arrival in latest.items():
            if arrival is not None:
                reason = arrival.reason
                said = sentence(reason, Language.ENGLISH) if reason else arrival.state.value
                bars.update(tasks[path], completed=arrival.progress, said=said)
        if all(arrival is not None and arrival.state in _OVER for arrival in latest.values()):
            return all(arrival and arrival.state in _DONE for arrival in latest.values())
        await asyncio.sleep(0.2)
