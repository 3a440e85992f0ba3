"""A pathologist's morning in a real browser: from the worklist to a case, its slides and back."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

NAME = "dr.adam"
DOUBTFUL = "8012234|LEFÈVRE-CASTELNAU|JEAN-BAPTISTE|JEAN-BAPTISTE MARIE|19481102|M|DOUT"
FROZEN = "8014402|NGUYEN|MINH ANH|MINH ANH|19850203|M|VALI"


@pytest.fixture(scope="module")
def password(shared_system: Any) -> str:
    """Of a pathologist."""
    done = shared_system.command("account", "add", NAME, "--role", "pathologist")
    found = re.search(r"with password (\S+)", done.stdout)
    assert found, done.stderr
    return found[1]


@pytest.fixture
def reader(browser: Browser, shared_system: Any, password: str) -> Iterator[Page]:
    """A pathologist who has just signed in; an error in the page's own code fails the test."""
    context = browser.new_context(
        base_url=shared_system.address, viewport={"width": 1440, "height": 900}, locale="fr-FR"
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/")
    page.get_by_test_id("sign-in-name").fill(NAME)
    page.get_by_test_id("sign-in-password").fill(password)
    page.get_by_test_id("sign-in-submit").click()
    expect(page.get_by_test_id("cases")).to_be_visible()
    yield page
    context.close()
    assert not errors


def breast(laboratory: Any, number: str, *, priority: str = "R") -> None:
    """A case of one block and three slides."""
    part, block = f"{number}.A", f"{number}.A.01"
    laboratory.identity()
    laboratory.case(number, priority=priority, why="Nodule du sein droit, ACR 5")
    laboratory.specimen(number, part, "Sein droit", "Tumorectomie")
    laboratory.block(number, block, part)
    for place, stain in (("01", "HES"), ("02", "RE"), ("03", "Ki-67")):
        assert laboratory.glass(number, f"{block}.{place}", block, stain) == "AA"


@contextmanager
def sending_requests(system: Any) -> Iterator[None]:
    """As if an interface served the laboratory with LAB-102."""
    told = json.loads((system.data / "run" / "engines.json").read_text())
    with psycopg.connect(told["database"]["url"], autocommit=True) as connection:
        connection.execute(
            """insert into interface (establishment_id, name, kind, sends)
               select id, 'requests', 'mllp', '{LAB-102}' from establishment"""
        )
        yield
        connection.execute("delete from outbox where interface = 'requests'")
        connection.execute("delete from interface where name = 'requests'")


def row(page: Page, number: str) -> Any:
    return page.locator(f'[data-testid=case-row][data-accession="{number}"]')


def test_from_the_worklist_to_a_signed_case(
    shared_system: Any,
    reader: Page,
    laboratory: Any,
    labelled_slide: Callable[..., Path],
    eyes_on: Any,
) -> None:
    page, eyes = reader, eyes_on(reader)
    expect(page.get_by_test_id("no-cases")).to_contain_text("Aucun cas ouvert ne vous est attribué")
    page.get_by_test_id("list-open").click()

    # What the laboratory says appears by itself, the frozen section first.
    breast(laboratory, "26P00412", priority="S")
    other = laboratory.of(DOUBTFUL)
    other.identity()
    other.case("26P00418")
    other.specimen("26P00418", "26P00418.A", "Côlon sigmoïde")
    frozen = laboratory.of(FROZEN)
    frozen.identity()
    frozen.case("26P00431", service="EXTEMPORANE")
    expect(page.get_by_test_id("case-row")).to_have_count(3)
    expect(page.get_by_test_id("case-row").first).to_have_attribute("data-accession", "26P00431")
    expect(row(page, "26P00431").get_by_test_id("due")).to_contain_text(re.compile(r"\d\d:\d\d"))
    expect(page.get_by_test_id("extemporane-clock")).to_have_text(re.compile(r"\d\d:\d\d"))
    expect(row(page, "26P00418").get_by_test_id("identity-DOUT")).to_be_visible()
    expect(row(page, "26P00412")).to_contain_text("LEFEVRE CLAIRE")
    expect(row(page, "26P00412")).to_contain_text("17/05/1961")
    expect(row(page, "26P00412")).to_contain_text("IPP 8013377")
    expect(row(page, "26P00412")).to_contain_text("0/3")
    eyes.picture("cases-fr")

    # Scans find their glass by the label, and the list counts them without being asked again.
    for seed, place in enumerate(("01", "02")):
        name = f"412-{place}.svs"
        shared_system.put(labelled_slide(name, f"26P00412.A.01.{place}", seed), name)
        shared_system.wait_for(name, "published")
    expect(row(page, "26P00412")).to_contain_text("2/3", timeout=30_000)
    expect(row(page, "26P00412")).to_contain_text("Numérisation")

    # Searched by the patient, whose name is in no address; kept under a name of its own.
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.keyboard.press("/")
    page.keyboard.type("lefevre cl", delay=20)
    expect(page.get_by_test_id("case-row")).to_have_count(1)
    page.keyboard.press("Enter")
    page.get_by_test_id("filter-name").fill("Madame du 412")
    page.get_by_test_id("save-filter").click()
    expect(page.get_by_test_id("saved-filter")).to_have_text("Madame du 412")
    assert not [url for url in [*addresses, page.url] if "lefevre" in url.lower()]
    eyes.picture("cases-search-fr")

    # By keyboard: choose, assign to oneself, open.
    page.locator("body").click(position={"x": 700, "y": 880})
    page.keyboard.press("j")
    expect(row(page, "26P00412")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("a")
    page.get_by_test_id(f"assign-{NAME}").click()
    expect(row(page, "26P00412").get_by_test_id("assign")).to_contain_text(NAME)
    expect(page.get_by_test_id("list-mine")).to_contain_text("1")
    page.keyboard.press("Enter")

    # The case: whose it is, what it is made of, what is still to come.
    banner = page.get_by_test_id("patient-banner")
    expect(banner).to_contain_text("LEFEVRE CLAIRE")
    expect(banner).to_contain_text("CLAIRE MARIE")
    expect(banner).to_contain_text("8013377")
    assert page.title() == "26P00412 – SGI"
    assert re.fullmatch(r".*/cases/[0-9a-f-]{36}", page.url)
    expect(page.get_by_test_id("clinical")).to_contain_text("ACR 5")
    expect(page.get_by_test_id("glass")).to_have_count(3)
    to_come = page.locator('[data-testid=glass][data-glass="26P00412.A.01.03"]')
    expect(to_come).to_contain_text("pas encore numérisée")
    page.wait_for_timeout(400)
    eyes.picture("case-fr")
    page.set_viewport_size({"width": 1280, "height": 720})
    eyes.picture("case-small-fr")
    page.set_viewport_size({"width": 1440, "height": 900})

    # From slide to slide with the patient in sight, and back to the case.
    page.get_by_test_id("open-slide").first.click()
    expect(page.locator("[data-testid=viewer][data-ready=true]")).to_be_visible(timeout=30_000)
    strip = page.get_by_test_id("case-strip")
    expect(strip).to_contain_text("LEFEVRE CLAIRE")
    expect(page.get_by_test_id("slide-place")).to_have_text("1/2")
    expect(page.get_by_test_id("previous-slide")).to_be_disabled()
    eyes.picture("case-viewer-fr")
    page.keyboard.press("n")
    expect(page.get_by_test_id("slide-place")).to_have_text("2/2")
    expect(strip).to_contain_text("RE")
    page.keyboard.press("p")
    expect(page.get_by_test_id("slide-place")).to_have_text("1/2")

    # A new scan and a stain are asked for from here.
    page.get_by_test_id("viewer-ask-rescan").click()
    page.get_by_role("button", name="Image floue").click()
    page.get_by_test_id("reason-submit").click()
    expect(page.get_by_test_id("case-section")).to_contain_text("Rescan demandé")
    page.get_by_test_id("viewer-ask-work").click()
    page.get_by_test_id("work-stain").fill("HER2")
    page.wait_for_timeout(300)
    eyes.picture("work-dialogue-fr")
    expect(page.get_by_test_id("work-hint")).to_contain_text("par téléphone")
    expect(page.get_by_test_id("work-submit")).to_be_disabled()
    page.keyboard.press("Escape")
    with sending_requests(shared_system):
        page.get_by_test_id("to-case").click()
        page.reload()
        page.get_by_role("button", name="Demander une lame").first.click()
        expect(page.get_by_test_id("work-hint")).to_contain_text("part au laboratoire")
        page.get_by_test_id("work-stain").fill("HER2")
        page.get_by_test_id("work-submit").click()
        expect(page.get_by_test_id("work-dialogue")).to_have_count(0)
        asked = page.get_by_test_id("work-order").filter(has_text="HER2")
        expect(asked).to_contain_text("demandé")
        asked.get_by_test_id("withdraw-work").click()
        page.get_by_test_id("withdraw-submit").click()
        expect(asked).to_contain_text("retiré")
        expect(page.get_by_test_id("case-history")).to_contain_text("Demande retirée")
    expect(page.get_by_test_id("rescan-asked")).to_contain_text("Image floue")

    # The scanner room has it in its list.
    page.goto("/cases?list=to-rescan")
    expect(page.get_by_test_id("rescan")).to_contain_text("26P00412.A.01.01")
    expect(page.get_by_test_id("rescan")).to_contain_text("Image floue")
    eyes.picture("cases-rescan-fr")
    page.get_by_role("link", name="26P00412").first.click()

    # The new scan closes the request, and both scans are kept.
    again = "412-01-again.svs"
    shared_system.put(labelled_slide(again, "26P00412.A.01.01", 11), again)
    shared_system.wait_for(again, "published")
    expect(page.get_by_test_id("rescan-asked")).to_have_count(0, timeout=30_000)
    expect(page.locator('[data-glass="26P00412.A.01.01"]')).to_contain_text("1 autre scan")

    # Put aside with a reason, taken up, read, and signed out though a slide is missing.
    page.get_by_test_id("case-hold").click()
    page.get_by_test_id("reason").fill("attente du résultat de l’HER2")
    page.get_by_test_id("reason-submit").click()
    expect(page.get_by_test_id("case-held")).to_contain_text("HER2")
    page.get_by_test_id("case-hold").click()
    expect(page.get_by_test_id("case-held")).to_have_count(0)
    page.get_by_test_id("case-begin").click()
    expect(page.get_by_test_id("case-state")).to_have_text("En lecture")
    page.get_by_test_id("case-sign_out").click()
    expect(page.get_by_test_id("reason-dialogue")).to_be_visible()
    page.get_by_test_id("reason").fill("le Ki-67 fera l’objet d’un complément")
    page.get_by_test_id("reason-submit").click()
    expect(page.get_by_test_id("case-state")).to_have_text("Validé")
    expect(page.get_by_test_id("case-history")).to_contain_text("complément")
    eyes.picture("case-signed-out-fr")
    page.goto("/cases")
    expect(page.get_by_test_id("no-cases")).to_be_visible()


def test_both_languages(reader: Page, eyes_on: Any) -> None:
    reader.goto("/cases?list=all")
    reader.get_by_role("button", name="English").or_(
        reader.get_by_text("EN", exact=True)
    ).first.click()
    expect(reader.get_by_role("heading", name="All cases")).to_be_visible()
    expect(row(reader, "26P00412")).to_contain_text("Signed out")
    reader.set_viewport_size({"width": 1280, "height": 720})
    eyes_on(reader).picture("cases-en")


def test_slides_are_still_there(reader: Page) -> None:
    reader.get_by_test_id("to-slides").click()
    expect(reader.get_by_test_id("slide-card").first).to_be_visible()
    reader.get_by_test_id("to-cases").click()
    expect(reader.get_by_test_id("rail")).to_be_visible()


def test_a_case_of_nobody(reader: Page) -> None:
    reader.goto("/cases/00000000-0000-4000-8000-000000000000")
    expect(reader.get_by_test_id("notice")).to_contain_text("Ce cas n’existe pas")
