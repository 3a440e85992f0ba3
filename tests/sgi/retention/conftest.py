"""A slide whose destruction two people have agreed on."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from dicom.manifest import SlideManifest
from sgi.catalogue import destructions
from sgi.catalogue.database import Database
from sgi.domain.retention import Destruction, Ground, Person
from sgi.domain.slide import Slide
from storage.memory import MemoryObjectStore


@pytest.fixture
def slide(here: Any, store: Any, publish: Callable[..., Any]) -> Slide:
    made: Slide = publish(here, store)
    return made


@pytest.fixture
def approve(database: Database, run: Any) -> Callable[..., Destruction]:
    """Asks for a slide's destruction and approves it, as two people."""

    async def agree(slide: Slide, wait: timedelta) -> Destruction:
        async with database.transaction(slide.establishment_id) as connection:
            until = datetime.now(UTC).date()
            asked = await destructions.ask(
                connection, slide.id, until, Ground.TEST, "made for a test", someone("first")
            )
            assert asked
            approved = await destructions.approve(connection, asked.id, someone("second"), wait)
        assert approved
        return approved

    def make(slide: Slide, wait: timedelta = timedelta(0)) -> Destruction:
        result: Destruction = run(agree(slide, wait))
        return result

    return make


@pytest.fixture
def publish_row(convert_into: Any, publish_converted: Any) -> Callable[[Any], Slide]:
    """Slides of one conversion, each under an identity of its own: rows are all that is needed."""
    once = convert_into(MemoryObjectStore())

    def make(establishment: Any) -> Slide:
        text = once.manifest.to_json()
        for record in once.manifest.instances:
            text = text.replace(record.sop_instance_uid, f"2.25.{uuid.uuid4().int}")
        fresh = uuid.uuid4()
        text = text.replace(str(once.manifest.slide_uuid), str(fresh))
        text = text.replace(once.manifest.series_uid, f"2.25.{uuid.uuid4().int}")
        converted = replace(once, id=fresh, manifest=SlideManifest.from_json(text))
        made: Slide = publish_converted(establishment, MemoryObjectStore(), converted, "x.svs")
        return made

    return make


def someone(name: str) -> Person:
    return Person(uuid.uuid4(), name, uuid.uuid4())


@pytest.fixture
def state_of(database: Database, run: Any) -> Callable[[UUID, UUID], Destruction]:
    """A destruction as it stands."""

    async def read(establishment_id: UUID, destruction_id: UUID) -> Destruction:
        async with database.transaction(establishment_id) as connection:
            found = await destructions.by_id(connection, destruction_id)
        assert found
        return found

    return lambda establishment_id, destruction_id: run(read(establishment_id, destruction_id))
