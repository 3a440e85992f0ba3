"""No slide is published into a store that has not proved that it keeps what it is given."""

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sgi.errors import ConfigurationError
from sgi.settings import Settings
from sgi.stores import Stores
from storage.errors import StoreUnavailableError
from storage.probe import probe
from storage.s3 import S3ObjectStore
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_FILE = "proved-stores.json"
_REMEMBERED_S = 86_400.0
_PAUSE_S = 5.0


def named(stores: Stores) -> Iterator[tuple[str, ObjectStore]]:
    """Each store that there is, with the name that administrators know it by."""
    for name, store in (("main", stores.warm), ("cold", stores.cold), ("second", stores.second)):
        if store is not None:
            yield name, store


async def wait_for_proved_stores(settings: Settings, stores: Stores) -> None:
    """As `require_proved_stores`, waiting for a main store that does not answer yet."""
    while True:
        try:
            await asyncio.to_thread(require_proved_stores, settings, stores)
        except StoreUnavailableError as error:
            _log.warning("waiting for the store: %s", error)
            await asyncio.sleep(_PAUSE_S)
        else:
            return


def require_proved_stores(settings: Settings, stores: Stores) -> None:
    """Probe every bucket that this machine has not probed within a day.

    One of the others that does not answer is passed over; the main one is what all hangs on.

    Raises:
        ConfigurationError: a store breaks a promise without which slides are not safe.
        StoreUnavailableError: the main store does not answer.
    """
    path = settings.run / _FILE
    proved = _read(path)
    for name, store in named(stores):
        place = _place(store)
        if place is None or 0 <= time.time() - proved.get(place, 0.0) < _REMEMBERED_S:
            continue
        try:
            findings = probe(store)
        except StoreUnavailableError:
            if store is stores.warm:
                raise
            _log.warning("the %s store does not answer; it is not proved", name)
            continue
        broken = next((finding for finding in findings if finding.forbids_use), None)
        if broken is not None:
            raise ConfigurationError(
                f"The {name} store is not safe for slides ({broken.promise}: no). {broken.says} "
                "`sgi check` tells everything that is wrong with it."
            )
        proved[place] = time.time()
        _write(path, proved)


def _place(store: ObjectStore) -> str | None:
    """A bucket as it is reached with one key; None for what is no bucket."""
    if not isinstance(store, S3ObjectStore):
        return None
    chosen = store.options
    facts = (chosen.endpoint, chosen.region, chosen.bucket, chosen.access_key_id)
    return hashlib.sha256(json.dumps([*facts, chosen.storage_class]).encode()).hexdigest()


def _read(path: Path) -> dict[str, float]:
    with suppress(OSError, ValueError, TypeError):
        told = json.loads(path.read_text())
        return {str(place): float(at) for place, at in dict(told).items()}
    return {}


def _write(path: Path, proved: dict[str, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(proved))
    unfinished.replace(path)
