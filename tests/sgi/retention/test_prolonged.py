"""Prolonging the locks of cold slides: one that the store refuses is in no other's way."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sgi.catalogue import attachments, patient_days, retention
from sgi.catalogue.database import Database
from sgi.domain.identification import How
from sgi.jobs.keeping import Keeping
from sgi.retention import tasks
from sgi.settings import Settings
from sgi.stores import Stores
from storage.errors import StorageError, StoreRefusedError, StoreUnavailableError
from storage.memory import MemoryObjectStore


@dataclass
class Cold:
    """A cold store in whose stead the test answers."""

    failing: dict[UUID, StorageError] = field(default_factory=dict)
    tried: list[UUID] = field(default_factory=list)

    def retain(self, _store: object, slide_id: UUID, _until: object) -> int:
        self.tried.append(slide_id)
        if slide_id in self.failing:
            raise self.failing[slide_id]
        return 1

    def was_tried(self) -> list[UUID]:
        tried, self.tried = self.tried, []
        return tried


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> Cold:
    found = Cold()
    monkeypatch.setattr(tasks, "retain_objects", found.retain)
    return found


@pytest.fixture
def keeping(settings: Settings, database: Database, url: str) -> Iterator[Keeping]:
    """With nothing left to be told by anybody else, nor to anybody else."""
    nothing_is_due(url)
    yield Keeping(settings, database, Stores(MemoryObjectStore(), MemoryObjectStore()))
    nothing_is_due(url)


def nothing_is_due(url: str) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("delete from retention_due")


@pytest.fixture
def stayed(
    laboratory: Any, publish: Any, store: Any, url: str, keeping: Keeping
) -> Callable[[Any, int], list[UUID]]:
    """Cold slides of an establishment, whose patients were there today, one after the other."""

    def come(establishment: Any, count: int) -> list[UUID]:
        lab = laboratory(establishment)
        patients, slide_ids = [], []
        for number in range(count):
            slide = publish(establishment, store)
            case = f"05P{number}"
            patients.append(lab.patient(f"IPP{number}"))
            lab.case(case, patients[-1])
            glass_id = lab.asset(f"{case}.A", accession_number=case)
            lab.do(
                lambda c, s=slide, g=glass_id: attachments.attach(
                    c, establishment.id, s.id, g, How.PERSON
                )
            )
            slide_ids.append(slide.id)
        with psycopg.connect(url) as owner:
            owner.execute(
                "update instance set tier = 'cold', cold_size_bytes = 1 where slide_id = any(%s)",
                [slide_ids],
            )
        today = datetime.now(UTC).date()
        for patient in patients:
            lab.do(lambda c, p=patient: patient_days.hear(c, establishment.id, p, stay=today))
        return slide_ids

    return come


def test_a_slide_that_the_store_refuses_is_in_no_others_way(
    run: Any,
    keeping: Keeping,
    cold: Cold,
    stayed: Callable[[Any, int], list[UUID]],
    here: Any,
    there: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second, third = stayed(here, 3)
    (elsewhere,) = stayed(there, 1)
    cold.failing[first] = StoreRefusedError("Nobody may: 'a secret of the store'.")
    with caplog.at_level(logging.WARNING):
        run(tasks.prolong(keeping))
    assert sorted(cold.was_tried()) == sorted([first, second, third, elsewhere])
    assert str(first) in caplog.text
    assert "StoreRefusedError" in caplog.text
    assert "secret" not in caplog.text
    run(tasks.prolong(keeping))
    assert cold.was_tried() == [first], "the others were told"
    cold.failing.clear()
    run(tasks.prolong(keeping))
    assert cold.was_tried() == [first]
    run(tasks.prolong(keeping))
    assert cold.was_tried() == []


def test_refused_slides_wait_behind_those_that_were_not_tried(
    run: Any,
    keeping: Keeping,
    cold: Cold,
    stayed: Callable[[Any, int], list[UUID]],
    here: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "_AT_ONCE", 1)
    first, second = stayed(here, 2)
    cold.failing[first] = StoreRefusedError("no")
    for _ in range(3):
        run(tasks.prolong(keeping))
    assert cold.was_tried() == [first, second, first]


def test_a_store_that_is_away_is_asked_once_for_an_establishment(
    run: Any,
    keeping: Keeping,
    cold: Cold,
    stayed: Callable[[Any, int], list[UUID]],
    here: Any,
    there: Any,
) -> None:
    first, second = stayed(here, 2)
    (elsewhere,) = stayed(there, 1)
    cold.failing[first] = StoreUnavailableError("damaged, or away")
    with pytest.raises(StoreUnavailableError):
        run(tasks.prolong(keeping))
    assert sorted(cold.was_tried()) == sorted([first, elsewhere])
    with pytest.raises(StoreUnavailableError):
        run(tasks.prolong(keeping))
    assert cold.was_tried() == [second, first], "one that stays away is in no other's way either"


def test_a_rule_reaches_the_slides_after_one_that_is_refused(
    run: Any,
    keeping: Keeping,
    cold: Cold,
    stayed: Callable[[Any, int], list[UUID]],
    here: Any,
    url: str,
) -> None:
    slide_ids = stayed(here, 3)
    nothing_is_due(url)
    refused = min(slide_ids)
    cold.failing[refused] = StoreRefusedError("no")
    run(tasks.retain_slides(keeping, here.id))
    assert set(slide_ids) <= set(cold.was_tried())
    run(tasks.prolong(keeping))
    assert cold.was_tried() == [refused], "it is tried again without the others"


def test_nothing_waits_of_a_slide_that_is_gone(run: Any, database: Database, here: Any) -> None:
    async def later() -> list[retention.Moved]:
        async with database.transaction(here.id) as connection:
            await retention.tell_later(connection, UUID(int=1))
            return await retention.moved(connection, 10)

    assert UUID(int=1) not in [each.slide_id for each in run(later())]
