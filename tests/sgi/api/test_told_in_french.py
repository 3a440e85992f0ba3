"""Whoever reads French reads in French why work does not go on, and what is left out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue import destructions, tiers
from sgi.catalogue.database import Database
from sgi.domain.arrival import ReasonCode
from sgi.domain.retention import Ground, Person
from sgi.domain.slide import Slide
from sgi.domain.tier import Tier

ENGLISH = "The store did not answer for slides/x: timed out."


@pytest.fixture
def slide(here: Any, store: Any, publish: Callable[..., Slide]) -> Slide:
    return publish(here, store)


def test_in_each_language(
    web: Any, run: Any, url: str, database: Database, here: Any, slide: Slide
) -> None:
    client = web.signed_in(here)

    async def stop() -> None:
        async with database.transaction(here.id) as connection:
            move = await tiers.ask(connection, here.id, slide.id, Tier.COLD, None)
            assert move
            kind = ReasonCode.STORE_UNAVAILABLE
            await tiers.wait(connection, move.id, ENGLISH, timedelta(minutes=1), kind)
            person = Person(here.id, "x", here.id)
            today = datetime.now(UTC).date()
            asked = await destructions.ask(
                connection, slide.id, today, Ground.TEST, "a test", person
            )
            assert asked
            await destructions.set_failure(connection, asked.id, ENGLISH, kind)

    run(stop())
    with psycopg.connect(url) as owner:
        owner.execute(
            """update slide set facts = jsonb_set(facts, '{not_kept}',
                   '["Segmentations are not kept.", "A surprise."]') where id = %s""",
            [slide.id],
        )

    def told(language: str) -> tuple[str, str, str, list[str]]:
        client.headers["accept-language"] = language
        (move,) = web.get(client, "/api/v1/tiers/moves").json()["items"]
        (destruction,) = web.get(client, "/api/v1/destructions").json()["items"]
        shown = web.get(client, f"/api/v1/slides/{slide.id}").json()
        reason = shown["tiers"]["move"]["reason"]
        return move["reason"], destruction["failure"], reason, shown["not_kept"]

    left_out = ["Segmentations are not kept.", "A surprise."]
    assert told("en") == (ENGLISH, ENGLISH, ENGLISH, left_out)
    *reasons, left_out = told("fr")
    for reason in reasons:
        assert reason.startswith("Le stockage des lames ne répond pas")
    assert left_out == ["Les segmentations ne sont pas conservées.", "A surprise."]
