"""How an administrator shares work out: groups, rules, targets, and ways to the laboratory."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

READERS = ("dr.adam", "dr.martin")


@pytest.fixture(scope="module")
def readers(shared_system: Any) -> None:
    for name in READERS:
        done = shared_system.command("account", "add", name, "--role", "pathologist")
        assert "with password" in done.stdout, done.stderr


def open_work(page: Page, tab: str = "groups") -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_test_id("to-work").click()
    page.get_by_test_id(f"work-tab-{tab}").click()
    expect(page.get_by_test_id(f"work-{tab}")).to_be_visible()


def choose(page: Page, field: Any, option: str) -> None:
    field.click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.mark.usefixtures("readers")
def test_a_group_a_rule_and_whose_a_new_case_is(
    shared_system: Any, page: Page, laboratory: Any, eyes: Any
) -> None:
    open_work(page)
    expect(page.get_by_text("Aucun groupe pour l’instant")).to_be_visible()
    page.get_by_test_id("new-group").click()
    page.get_by_test_id("group-name").fill("Sein")
    page.get_by_test_id("group-members").click()
    for name in READERS:
        page.get_by_role("option", name=name).click()
    page.keyboard.press("Tab")
    page.get_by_test_id("group-submit").click()
    expect(page.get_by_test_id("group")).to_contain_text("dr.adam, dr.martin")

    # What the server refuses is said beside its field.
    page.get_by_test_id("new-group").click()
    page.get_by_test_id("group-name").fill("Sein")
    page.get_by_test_id("group-submit").click()
    expect(page.get_by_test_id("group-dialogue")).to_contain_text("déjà pris")
    expect(page.get_by_test_id("group-name")).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Escape")

    page.get_by_test_id("work-tab-rules").click()
    expect(page.get_by_text("Aucune règle")).to_be_visible()
    page.get_by_test_id("add-rule").click()
    rule = page.get_by_test_id("assignment-rule")
    expect(page.get_by_test_id("keep-rules")).to_be_disabled()
    rule.get_by_test_id("rule-organ").fill("sein")
    choose(page, rule.get_by_test_id("rule-to"), "Sein")
    rule.get_by_test_id("rule-rotate").check()
    laboratory.identity()
    laboratory.case("26P00901")
    page.get_by_test_id("simulate-rules").click()
    expect(page.get_by_test_id("simulated")).to_contain_text("1 sans règle")
    page.get_by_test_id("keep-rules").click()
    expect(page.get_by_text("Ces règles s’appliquent.")).to_be_visible()
    page.wait_for_timeout(300)
    eyes.picture("work-rules-fr")
    laboratory.case("26P00902")
    assert laboratory.specimen("26P00902", "26P00902.A", "Sein droit") == "AA"
    page.goto("/cases?list=all")
    row = page.locator('[data-testid=case-row][data-accession="26P00902"]')
    expect(row.get_by_test_id("assign")).to_contain_text(re.compile("dr\\.(adam|martin)"))

    # It goes only once no rule needs it, and when somebody says yes.
    open_work(page)
    page.get_by_test_id("remove-group").click()
    page.get_by_test_id("remove-submit").click()
    expect(page.get_by_test_id("remove-dialogue")).to_contain_text("changez-la d’abord")
    page.keyboard.press("Escape")
    page.get_by_test_id("work-tab-rules").click()
    page.get_by_role("button", name="Supprimer la règle 1").click()
    page.get_by_test_id("keep-rules").click()
    expect(page.get_by_text("Aucune règle")).to_be_visible()
    page.get_by_test_id("work-tab-groups").click()
    page.get_by_test_id("remove-group").click()
    page.get_by_test_id("remove-submit").click()
    expect(page.get_by_test_id("group")).to_have_count(0)


def test_targets_hold_at_once(shared_system: Any, page: Page) -> None:
    open_work(page, "targets")
    target = page.get_by_test_id("target-R").get_by_test_id("target-hours")
    expect(target).to_have_value("168\u00a0h")
    target.fill("0")
    expect(page.get_by_test_id("keep-targets")).to_be_disabled()
    target.fill("36,5")
    page.get_by_test_id("keep-targets").click()
    expect(page.get_by_test_id("keep-targets")).to_be_disabled()
    page.reload()
    expect(target).to_have_value("36,5\u00a0h")
    told = shared_system.client().get("/api/v1/turnaround").json()["items"]
    assert {each["kind"]: each["target_hours"] for each in told}["R"] == 36.5


def test_a_link_to_the_laboratory(page: Page, laboratory: Any, shared_system: Any) -> None:
    open_work(page, "links")
    expect(page.get_by_text("Aucun lien")).to_be_visible()
    page.get_by_test_id("new-link").click()
    page.get_by_test_id("link-name").fill("sgl")
    page.get_by_test_id("link-GET").check()
    page.get_by_test_id("link-url").fill("https://sgl.example.org/")
    page.get_by_test_id("link-name").click()
    expect(page.get_by_test_id("link-dialogue")).to_contain_text("une fois dans l’adresse")
    expect(page.get_by_test_id("link-submit")).to_be_disabled()
    page.get_by_test_id("link-url").fill("https://sgl.example.org/cas/{accession}")
    page.get_by_test_id("link-submit").click()
    expect(page.get_by_test_id("link")).to_contain_text("dans l’adresse")
    laboratory.identity()
    laboratory.case("26P00903")
    page.goto("/cases?list=all")
    page.get_by_role("link", name="26P00903").click()
    expect(page.get_by_test_id("sgl-link")).to_be_visible()
    open_work(page, "links")
    page.get_by_test_id("remove-link").click()
    page.get_by_test_id("remove-submit").click()
    expect(page.get_by_text("Aucun lien")).to_be_visible()


def test_who_may_not_change_it_does_not_see_it(shared_system: Any, page: Page) -> None:
    page.route(
        "**/api/v1/me",
        lambda route: route.fulfill(
            json={**shared_system.client().get("/api/v1/me").json()}
            | {"role": "pathologist", "permissions": ["view_cases", "assign_cases"]}
        ),
    )
    page.goto("/work")
    expect(page.get_by_test_id("notice")).to_contain_text("n’a pas le droit")
    expect(page.get_by_test_id("to-work")).to_have_count(0)
    expect(page.get_by_test_id("to-cases")).to_be_visible()
