"""A screen of 1024 pixels: no name is cut, and nothing stands on something else."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

NAME = "dr.petit"
LONG = "000101|LEFEBVRE-DE LA TOUR D’AUVERGNE|MARIE-FRANÇOISE|MARIE-FRANÇOISE|19421203|F|VALI"
CASE, GLASS = "26H00123", "26H00123-A1"

# As the page itself would, with its own cookie.
POST = """async ([address, body]) => {
    const session = await (await fetch("/api/v1/me")).json();
    const headers = {"content-type": "application/json", "x-csrf-token": session.csrf_token};
    const answer = await fetch(address, {method: "POST", headers, body: JSON.stringify(body)});
    return answer.status;
}"""
IS_WHOLE = """(element) => {
    const text = document.createRange();
    text.selectNodeContents(element);
    const drawn = text.getBoundingClientRect();
    for (let each = element; each; each = each.parentElement) {
        if (getComputedStyle(each).overflowX === "visible") continue;
        const seen = each.getBoundingClientRect();
        if (drawn.right > seen.right + 1 || drawn.bottom > seen.bottom + 1) return false;
    }
    return true;
}"""


@pytest.fixture
def reader(browser: Browser, shared_system: Any) -> Iterator[Page]:
    """A pathologist at a small screen, in French."""
    done = shared_system.command("account", "add", NAME, "--role", "pathologist")
    password = re.search(r"with password (\S+)", done.stdout)
    assert password, done.stderr
    context = browser.new_context(
        base_url=shared_system.address, viewport={"width": 1024, "height": 768}, locale="fr-FR"
    )
    page = context.new_page()
    page.goto("/")
    page.get_by_test_id("sign-in-name").fill(NAME)
    page.get_by_test_id("sign-in-password").fill(password[1])
    page.get_by_test_id("sign-in-submit").click()
    expect(page.get_by_test_id("cases")).to_be_visible()
    yield page
    context.close()


def right_of(element: Locator) -> float:
    """Where its text ends."""
    found: float = element.evaluate(
        """(element) => {
            const text = document.createRange();
            text.selectNodeContents(element);
            return text.getBoundingClientRect().right;
        }"""
    )
    return found


def test_names_counts_and_holds(
    shared_system: Any,
    reader: Page,
    laboratory: Any,
    labelled_slide: Callable[..., Path],
    eyes_on: Any,
) -> None:
    told = laboratory.of(LONG)
    told.identity()
    told.case(CASE, priority="A")
    told.specimen(CASE, f"{CASE}-A", "Sein gauche, quadrant supéro-externe")
    told.block(CASE, f"{CASE}-A01", f"{CASE}-A")
    assert told.glass(CASE, GLASS, f"{CASE}-A01", "Hématéine éosine safran") == "AA"
    shared_system.put(labelled_slide("small.svs", GLASS), "small.svs")
    slide = shared_system.wait_for("small.svs", "published")["slide"]
    items = reader.evaluate("fetch('/api/v1/cases?accession_number=26H00123').then(a => a.json())")
    path = f"/api/v1/cases/{items['items'][0]['id']}"
    (part,) = reader.evaluate(f"fetch('{path}').then(a => a.json())")["specimens"]
    (glass,) = part["blocks"][0]["slides"]
    for address, why in ((f"/glass/{glass['id']}/rescan", "Flou"), ("/hold", "avis du chirurgien")):
        assert reader.evaluate(POST, [path + address, {"reason": why}]) in {200, 204}

    for language in ("FR", "EN"):
        reader.goto("/cases?list=open")
        reader.get_by_text(language, exact=True).first.click()
        row = reader.locator(f'[data-testid=case-row][data-accession="{CASE}"]')
        expect(row.get_by_test_id("hold-reason")).to_contain_text("avis du chirurgien")
        cells = row.locator("td")
        due = cells.nth(5).bounding_box()
        assert due
        assert right_of(cells.nth(4).locator("span").first) < due["x"]
        eyes_on(reader).picture(f"small-cases-{language.lower()}")
        reader.goto(f"/view/{slide}")
        name = reader.get_by_test_id("patient-banner").locator("strong")
        expect(name).to_contain_text("LEFEBVRE-DE LA TOUR D’AUVERGNE")
        assert name.evaluate(IS_WHOLE)
        eyes_on(reader).picture(f"small-viewer-{language.lower()}")
