"""Two people, a hold, a destruction and its certificate, in a real browser and a real store."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

REASON = "lame de contrôle de la formation, sans patient"


@pytest.fixture(scope="module")
def second_person(shared_system: Any) -> tuple[str, str]:
    """An administrator beside the first: name and password."""
    done = shared_system.command("account", "add", "dr.second", "--role", "administrator")
    found = re.search(r"with password (\S+)", done.stdout)
    assert found, done.stderr
    return "dr.second", found[1]


@pytest.fixture
def second_page(
    browser: Browser, shared_system: Any, second_person: tuple[str, str]
) -> Iterator[Page]:
    """Their own browser."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="fr-FR")
    opened = context.new_page()
    opened.goto(f"{shared_system.address}/storage?tab=retention")
    opened.get_by_test_id("sign-in-name").fill(second_person[0])
    opened.get_by_test_id("sign-in-password").fill(second_person[1])
    opened.get_by_test_id("sign-in-submit").click()
    expect(opened.get_by_test_id("retention")).to_be_visible()
    yield opened
    context.close()


def grow_old(shared_system: Any, slide: str) -> None:
    """A slide whose retention ended yesterday."""
    told = json.loads((shared_system.data / "run" / "engines.json").read_text())
    with psycopg.connect(told["database"]["url"]) as connection:
        connection.execute(
            "update slide set published_at = now() - interval '20 years 1 day' where id = %s",
            [slide],
        )


def objects_left(shared_system: Any, slide: str) -> list[str]:
    """Asked of the embedded store itself, in every bucket."""
    from storage import S3ObjectStore, S3Options

    told = json.loads((shared_system.data / "run" / "engines.json").read_text())["storage"]
    left = []
    for bucket in (told["bucket"], "sgi-cold"):
        options = S3Options(
            bucket=bucket,
            endpoint=told["endpoint"],
            access_key_id=told["access_key_id"],
            secret_access_key=told["secret_access_key"],
        )
        left += [info.key for info in S3ObjectStore(options).list(f"slides/{slide}/")]
    return left


def give_reason(page: Page, text: str = REASON) -> None:
    page.get_by_label(re.compile("Motif")).fill(text)


def test_from_a_hold_to_a_certificate(
    shared_system: Any,
    page: Page,
    second_page: Page,
    eyes: Any,
    eyes_on: Any,
    own_slide: Callable[..., Path],
) -> None:
    files = {
        name: own_slide(name, seed) for seed, name in enumerate(["26P00412-A1.svs", "old.svs"])
    }
    for name, file in files.items():
        shared_system.put(file, name)
    slides = {name: shared_system.wait_for(name, "published")["slide"] for name in files}
    doomed = slides["26P00412-A1.svs"]
    assert len(objects_left(shared_system, doomed)) > 5

    # A hold, seen on the slide.
    eyes.open(doomed)
    expect(page.get_by_test_id("kept")).to_contain_text("À conserver jusqu’au")
    page.get_by_test_id("hold").click()
    give_reason(page, "expertise demandée par le tribunal de Nancy")
    eyes.picture("retention-hold-dialogue-fr")
    page.get_by_test_id("hold-submit").click()
    expect(page.get_by_test_id("held")).to_contain_text("tribunal de Nancy")
    expect(page.get_by_test_id("ask")).to_have_count(0)
    eyes.picture("retention-hold-fr")
    page.get_by_test_id("hold").click()
    give_reason(page, "expertise rendue, dossier clos")
    page.get_by_test_id("hold-submit").click()
    expect(page.get_by_test_id("held")).to_have_count(0)

    # Asked for early, by the first.
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("ask-submit")).to_be_disabled()
    page.get_by_label("Lame d’essai").check()
    give_reason(page)
    eyes.picture("retention-ask-fr")
    page.get_by_test_id("ask-submit").click()
    expect(page.get_by_test_id("kept")).to_contain_text("Sa destruction a été demandée")

    # Without a waiting time from now on. A scrub puts right what we do to the row: then once more.
    for _ in range(5):
        grow_old(shared_system, slides["old.svs"])
        page.goto("/storage?tab=retention")
        expect(page.get_by_test_id("retention-rule")).to_contain_text("20\u00a0ans")
        expect(page.get_by_test_id("due")).not_to_be_empty()
        with suppress(AssertionError):
            expect(page.get_by_test_id("due")).to_contain_text("old.svs", timeout=2000)
            break
    expect(page.get_by_test_id("due")).to_contain_text("old.svs")
    eyes.picture("retention-fr")
    page.get_by_test_id("change-rule").click()
    page.get_by_label("Jours pour retirer").fill("0")
    give_reason(page, "décision de la commission du 3 mars")
    page.get_by_role("button", name="Fixer la règle").click()
    expect(page.get_by_test_id("retention-rule")).to_contain_text("commission du 3 mars")

    # The first may not approve; the second does, looking.
    expect(page.get_by_test_id("open-approve")).to_have_count(0)
    expect(page.get_by_test_id("destruction")).to_contain_text("une autre personne")
    second_page.reload()
    second_page.get_by_test_id("open-approve").click()
    expect(second_page.get_by_test_id("approve-submit")).to_be_disabled()
    hash_end = second_page.locator("dd strong").inner_text()
    second_page.get_by_test_id("confirm").fill(hash_end)
    second_page.wait_for_timeout(300)
    eyes_on(second_page).picture("retention-approve-fr")
    second_page.get_by_test_id("approve-submit").click()

    # Nothing of it is left, and that is proved.
    second_page.get_by_test_id("open-certificate").click(timeout=60_000)
    expect(second_page.get_by_test_id("certificate")).to_contain_text("Certificat de destruction")
    second_page.wait_for_timeout(300)
    eyes_on(second_page).picture("retention-certificate-fr")
    second_page.emulate_media(media="print")
    eyes_on(second_page).picture("retention-certificate-print-fr")
    second_page.emulate_media(media="screen")
    assert objects_left(shared_system, doomed) == []
    client = shared_system.client()
    assert client.get(f"/api/v1/slides/{doomed}").status_code == 404
    assert client.get(f"/tiles/{doomed}/0/0/0").status_code == 404
    done = shared_system.drop / ".done" / "26P00412-A1.svs"
    assert not done.exists(), "nor the scanner's file"
    page.reload()
    expect(page.get_by_test_id("open-certificate")).to_be_visible()
    eyes.picture("retention-done-fr")
    page.get_by_role("button", name="English").or_(page.get_by_text("EN", exact=True)).first.click()
    expect(page.get_by_test_id("retention-rule")).to_contain_text("kept for 20 years")
    page.get_by_test_id("change-rule").click()
    page.get_by_label("Years from the last contact").fill("10")
    page.wait_for_timeout(300)
    eyes.picture("retention-rule-en")
    page.keyboard.press("Escape")

    # The same file once more is held for a person.
    shared_system.put(files["26P00412-A1.svs"], "again.svs")
    held = shared_system.wait_for("again.svs", "held")
    assert "destroyed" in held["reason"]


def test_a_worker_that_is_killed_goes_on(
    shared_system: Any, own_slide: Callable[..., Path], second_person: tuple[str, str]
) -> None:
    client = shared_system.client()
    rule = {"years": 20, "wait_days": 0, "reason": REASON}
    client.put("/api/v1/retention", json=rule).raise_for_status()
    other = httpx.Client(base_url=shared_system.address, headers={"Accept-Language": "en"})
    signed = other.post(
        "/api/v1/sign-in", json=dict(zip(("name", "password"), second_person, strict=True))
    )
    other.headers["X-CSRF-Token"] = signed.json()["csrf_token"]
    names = [f"doomed-{number}.svs" for number in range(4)]
    for seed, name in enumerate(names):
        shared_system.put(own_slide(name, seed + 10), name)
    slides = [shared_system.wait_for(name, "published")["slide"] for name in names]
    for slide in slides:
        wish = {"slide_id": slide, "ground": "test", "reason": REASON}
        asked = client.post("/api/v1/destructions", json=wish).json()
        path = f"/api/v1/destructions/{asked['id']}/approve"
        other.post(path, json={"slide_id": slide}).raise_for_status()
    shared_system.kill("worker")
    deadline = time.monotonic() + 150
    states: dict[str, str] = {}
    while time.monotonic() < deadline and {states.get(slide) for slide in slides} != {"done"}:
        time.sleep(0.5)
        items = client.get("/api/v1/destructions").json()["items"]
        states = {item["slide_id"]: item["state"] for item in items}
    other.close()
    assert {states.get(slide) for slide in slides} == {"done"}
    for slide in slides:
        assert objects_left(shared_system, slide) == []
