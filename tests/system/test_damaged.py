"""What a pathologist sees of a slide of which something stored is damaged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Page, expect


def damage(system: Any, slide: str) -> None:
    """On record, as a reader or a scrub puts it there."""
    told = json.loads((system.data / "run" / "engines.json").read_text())
    with psycopg.connect(told["database"]["url"]) as connection:
        connection.execute(
            """insert into incident (establishment_id, slide_id, place, object_key, kind,
                                     found_by, detail)
               select establishment_id, id, 'warm', id::text, 'bytes', 'scrub', '' from slide
               where id = %s""",
            [slide],
        )


def test_its_card_says_so(
    page: Page, eyes: Any, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    for seed, name in enumerate(("sound.svs", "a-slide-with-a-rather-long-name.svs"), 1):
        shared_system.put(own_slide(name, seed))
    shared_system.wait_for("sound.svs", "published")
    slide = shared_system.wait_for("a-slide-with-a-rather-long-name.svs", "published")["slide"]
    damage(shared_system, slide)
    page.reload()
    card = page.locator(f"[data-slide='{slide}']")
    expect(card.get_by_test_id("damage-badge")).to_have_text("Endommagée")
    expect(page.get_by_test_id("damage-badge")).to_have_count(1)
    page.wait_for_timeout(800)  # the pictures fade in
    eyes.picture("worklist-damaged-fr")
    eyes.open(slide)
    expect(page.get_by_test_id("damage-banner")).to_be_visible()
