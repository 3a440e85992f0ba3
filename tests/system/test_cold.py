"""A slide to cold storage and back, as a pathologist and an administrator see it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

RULES = {"rules": [{"after_days": 90, "event": "last_viewed"}], "warm_side": 600}


def moved(system: Any, slide: str, state: str = "done") -> Any:
    """The slide, once its move has come to that."""
    for _ in range(600):
        told = system.client().get(f"/api/v1/slides/{slide}").json()
        if told["tiers"]["move"]["state"] == state:
            return told
        time.sleep(0.2)
    pytest.fail(f"it did not become {state}: {told['tiers']}")


def test_a_cold_slide_opens_and_comes_back(
    page: Page, eyes: Any, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    client = shared_system.client()
    assert client.put("/api/v1/tiers/policy", json=RULES).status_code == 200
    shared_system.put(own_slide("cold.svs", seed=31))
    slide = shared_system.wait_for("cold.svs", "published")["slide"]
    assert client.post(f"/api/v1/slides/{slide}/cold").status_code == 202
    told = moved(shared_system, slide)
    assert told["levels"][0]["tier"] == "cold"
    assert told["levels"][-1]["tier"] == "warm"
    refused: list[int] = []
    page.on("response", lambda answer: refused.append(answer.status) if answer.status == 409 else 0)

    eyes.open(slide)
    banner = page.get_by_test_id("cold-banner")
    expect(banner).to_contain_text("stockage froid")
    page.keyboard.press("7")
    expect(page.locator("[data-testid=viewer][data-ready=true]")).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)
    assert refused == [], "nothing that is cold is asked for"
    eyes.picture("cold-fr")
    full: list[int] = []
    full_power = f"/tiles/{slide}/0/"
    page.on("response", lambda seen: full.append(seen.status) if full_power in seen.url else 0)
    page.get_by_test_id("ask-restore").click()
    expect(banner).to_have_attribute("data-tier", "warm", timeout=60_000)
    eyes.picture("cold-back-fr")
    assert set(full) == {200}, "it is drawn by now, at the power that was looked at"
    assert refused == []


def test_rules_are_tried_and_kept(page: Page, eyes: Any, shared_system: Any) -> None:
    page.goto("/storage?tab=policies")
    expect(page.get_by_test_id("policies")).to_be_visible()
    rules = page.get_by_test_id("policy-rule")
    before = rules.count()
    page.get_by_test_id("add-rule").click()
    page.get_by_test_id("rule-days").last.fill("400")
    page.get_by_test_id("simulate").click()
    expect(page.get_by_test_id("simulation")).to_contain_text("Aucune lame")
    eyes.picture("policies-fr")
    page.get_by_test_id("apply-policy").click()
    expect(rules).to_have_count(before + 1)
    expect(page.get_by_test_id("apply-policy")).to_be_disabled()
    kept = shared_system.client().get("/api/v1/tiers/policy").json()["policy"]["rules"]
    assert kept[-1] == {"after_days": 400, "event": "last_viewed", "to": "cold"}
