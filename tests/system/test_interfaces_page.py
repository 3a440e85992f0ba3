"""What an administrator sees of the links with the laboratory: health, messages, reading again."""

import json
from typing import Any

import psycopg
from playwright.sync_api import Page, expect

REFUSED = "MSH|^~\\&|SGL|CHU-X|SGI|CHU-X|20260612101500||SIU^S12|BAD1|P|2.5.1"


def test_health_messages_and_reading_again(
    shared_system: Any, page: Page, laboratory: Any, eyes: Any
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_test_id("to-interfaces").click()
    card = page.get_by_test_id("interface")
    expect(card).to_have_attribute("data-health", "never")
    expect(card).to_contain_text(f"port {shared_system.hl7_port}")
    expect(card).to_contain_text("Rien n’est encore arrivé")

    laboratory.identity()
    assert laboratory.case("26P00500") == "AA"
    expect(card).to_have_attribute("data-health", "well", timeout=30_000)
    eyes.picture("interfaces-fr")
    assert laboratory.tell(REFUSED) == "AE"
    expect(card).to_have_attribute("data-health", "refusing", timeout=30_000)
    expect(card).to_contain_text("regardez pourquoi")

    # Every message, what came of it, and those that are looked for.
    page.get_by_test_id("interfaces-tab-messages").click()
    rows = page.get_by_test_id("message-row")
    expect(rows).to_have_count(3)
    expect(rows.first).to_have_attribute("data-outcome", "refused")
    expect(rows.first).to_contain_text("pris en charge ici")
    page.get_by_test_id("filter-accession_number").fill("26P00500")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("nouveau cas")
    eyes.picture("messages-fr")

    # The message itself, field by field, only when it is asked for.
    rows.click()
    dialogue = page.get_by_test_id("message-dialogue")
    expect(dialogue.get_by_test_id("message-changes")).to_contain_text("nouveau cas")
    expect(dialogue).not_to_contain_text("LEFEVRE")
    assert "LEFEVRE" not in page.url
    dialogue.get_by_test_id("show-raw").click()
    raw = dialogue.get_by_test_id("raw").first
    expect(raw).to_contain_text("Noms et prénoms")
    expect(raw).to_contain_text("LEFEVRE^CLAIRE^CLAIRE MARIE")
    page.wait_for_timeout(300)
    eyes.picture("message-fr")
    dialogue.get_by_text("lignes brutes").first.click()
    expect(raw).to_contain_text("ORC|NW||26P00500")

    # Read again: nothing is new, and a row of its own says so.
    dialogue.get_by_test_id("replay").click()
    expect(dialogue).to_contain_text("Rien de nouveau")
    expect(dialogue).to_contain_text("première lecture")
    page.keyboard.press("Escape")
    expect(rows).to_have_count(2)

    page.get_by_test_id("interfaces-tab-outbox").click()
    expect(page.get_by_text("Tout a été transmis.")).to_be_visible()
    page.get_by_role("button", name="English").or_(page.get_by_text("EN", exact=True)).first.click()
    page.get_by_test_id("interfaces-tab-health").click()
    expect(card).to_contain_text("look at why")
    eyes.picture("interfaces-en")


def test_a_technician_sees_no_message_whole(shared_system: Any, page: Page) -> None:
    page.route(
        "**/api/v1/me",
        lambda route: route.fulfill(
            json={**shared_system.client().get("/api/v1/me").json()}
            | {"role": "technician", "permissions": ["view_interfaces"]}
        ),
    )
    page.goto("/interfaces?tab=messages")
    page.get_by_test_id("message-row").first.click()
    expect(page.get_by_test_id("message-changes")).to_be_visible()
    expect(page.get_by_test_id("show-raw")).to_have_count(0)
    expect(page.get_by_test_id("replay")).to_have_count(0)


def test_who_may_not_see_them_is_told_so_and_nothing_else(shared_system: Any, page: Page) -> None:
    page.route(
        "**/api/v1/me",
        lambda route: route.fulfill(
            json={**shared_system.client().get("/api/v1/me").json()}
            | {"role": "pathologist", "permissions": ["view_cases"]}
        ),
    )
    page.goto("/interfaces")
    expect(page.get_by_test_id("notice")).to_contain_text("n’a pas le droit")
    expect(page.get_by_role("button", name="Réessayer")).to_have_count(0)
    expect(page.get_by_test_id("interfaces")).to_have_count(0)


def test_one_that_nobody_serves_says_since_when_and_goes_when_somebody_says_so(
    shared_system: Any, page: Page
) -> None:
    told = json.loads((shared_system.data / "run" / "engines.json").read_text())
    with psycopg.connect(told["database"]["url"]) as connection:
        connection.execute(
            """insert into interface (establishment_id, name, kind, sends, seen_at)
               select id, 'ancien', 'files', '{}', now() - interval '3 days' from establishment"""
        )
    page.goto("/interfaces")
    card = page.get_by_test_id("interface").filter(has_text="ancien")
    expect(card.get_by_test_id("silent-since")).to_contain_text("Aucun signe de vie depuis le")
    expect(page.get_by_test_id("remove-interface")).to_have_count(1)
    card.get_by_test_id("remove-interface").click()
    expect(page.get_by_test_id("remove-dialogue")).to_contain_text("retiré exprès")
    page.get_by_test_id("remove-submit").click()
    expect(card).to_have_count(0)
    expect(page.get_by_test_id("interface")).to_have_count(1)
