"""Establishments come back from the bucket, those without a slide too."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from sgi import recovery
from sgi.access.first_account import ensure_establishment
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide
from sgi.integrity.rebuild import Rebuilt, rebuild
from sgi.jobs.keeping import Keeping
from sgi.keeping.establishments import keep_establishments
from sgi.settings import Settings
from sgi.stored.keys import establishment_key, manifest_key
from sgi.stores import Stores
from storage.errors import StoreUnavailableError
from storage.memory import MemoryObjectStore


def known(url: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return set(connection.execute("select id, name, created_at from establishment").fetchall())


@pytest.fixture
def again(run: Any, make_empty: Callable[[], str]) -> Callable[[Any], tuple[str, Rebuilt]]:
    """A catalogue made of a store."""

    def make(store: Any) -> tuple[str, Rebuilt]:
        empty = make_empty()
        return empty, run(rebuild(empty, Stores(store)))

    return make


def test_one_without_slides_comes_back(make_empty: Callable[[], str], again: Any) -> None:
    store = MemoryObjectStore({})
    url = make_empty()
    for _ in range(2):
        ensure_establishment(url, "Laboratoire", store)
    (one,) = known(url)
    other, rebuilt = again(store)
    assert known(other) == {one}
    assert (rebuilt.establishments, rebuilt.decisions, rebuilt.problems) == (1, 0, [])


def test_a_store_that_is_away_delays_no_first_start(make_empty: Callable[[], str]) -> None:
    class Away(MemoryObjectStore):
        def read(self, key: str, **_: Any) -> bytes:
            raise StoreUnavailableError(key)

    url = make_empty()
    ensure_establishment(url, "Laboratoire", Away())
    assert len(known(url)) == 1


def test_the_worker_tells_the_store_of_all_of_them(
    run: Any, settings: Settings, make_empty: Callable[[], str], again: Any
) -> None:
    objects: dict[str, bytes] = {}
    url = make_empty()
    with psycopg.connect(url) as owner:
        owner.execute("insert into establishment (name) values ('one'), ('two')")

    async def keep() -> int:
        async with Database(url, size=1) as database:
            return await keep_establishments(
                Keeping(settings, database, Stores(MemoryObjectStore(objects)))
            )

    assert [run(keep()), run(keep())] == [2, 0]
    with psycopg.connect(url) as owner:
        owner.execute("update establishment set name = 'deux' where name = 'two'")
    assert run(keep()) == 1
    assert known(again(MemoryObjectStore(objects))[0]) == known(url)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("update establishment set name = 'zwei' where name = 'deux'")
        recovery.mark(owner)
    assert run(keep()) == 0, "it may be an older name"


def test_a_slide_says_an_older_name(
    store: Any, here: Any, publish: Callable[..., Slide], again: Any
) -> None:
    publish(here, store)
    key = establishment_key(here.id)
    now = {
        "establishment_id": str(here.id),
        "establishment_name": "called so now",
        "created_at": "2020-01-01T00:00:00Z",
    }
    store.put(key, json.dumps(now).encode())
    url, rebuilt = again(store)
    assert rebuilt.problems == []
    assert [(each[0], each[1]) for each in known(url)] == [(here.id, "called so now")]


def test_what_a_first_start_wrote_goes_when_it_is_handed_over(
    run: Any,
    store: Any,
    here: Any,
    publish: Callable[..., Slide],
    make_empty: Callable[[], str],
    again: Any,
) -> None:
    publish(here, store)
    url = make_empty()
    ensure_establishment(url, here.name, store)
    ((first, _, _),) = known(url)
    assert establishment_key(first) in store.objects
    assert run(rebuild(url, Stores(store))).problems == []
    assert {each[0] for each in known(url)} == {here.id}
    assert establishment_key(first) not in store.objects
    assert again(store)[1].problems == []


def test_a_borrowed_name_loses_no_slide_and_renames_nobody_in_use(
    run: Any, store: Any, here: Any, publish: Callable[..., Slide], again: Any
) -> None:
    slide = publish(here, store)
    forged = uuid.uuid4()
    said = {
        "establishment_id": str(forged),
        "establishment_name": here.name,
        "created_at": "2001-01-01T00:00:00Z",
    }
    key = establishment_key(forged)
    store.put(key, json.dumps(said).encode())
    url, rebuilt = again(store)
    assert (rebuilt.slides, rebuilt.problems) == (1, [])
    assert {(each[0], each[1]) for each in known(url)} == {
        (forged, here.name),
        (here.id, f"{here.name} ({here.id})"),
    }
    store.delete(key)
    url, _ = again(store)
    other = publish(here, store)
    manifest = store.objects[manifest_key(other.id)]
    borrowed = manifest.replace(str(here.id).encode(), str(uuid.uuid4()).encode())
    store.objects[manifest_key(other.id)] = borrowed
    store.put(key, json.dumps(said).encode())
    rebuilt = run(rebuild(url, Stores(store), missing=True))
    assert any(problem.startswith(key) for problem in rebuilt.problems)
    assert (here.id, here.name) in {(each[0], each[1]) for each in known(url)}
    assert slide.id
