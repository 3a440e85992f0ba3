"""Scans that nobody can name, put right by a person who sees what each choice does."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

NUMBER = "26P00123"
GLASS = "26P00123.A.01.01"


def test_a_scan_finds_its_glass_by_hand_and_loses_it_again(
    shared_system: Any,
    page: Page,
    laboratory: Any,
    labelled_slide: Callable[..., Path],
    eyes: Any,
) -> None:
    laboratory.identity()
    laboratory.case(NUMBER)
    laboratory.specimen(NUMBER, f"{NUMBER}.A", "Sein droit")
    laboratory.block(NUMBER, f"{NUMBER}.A.01", f"{NUMBER}.A")
    assert laboratory.glass(NUMBER, GLASS, f"{NUMBER}.A.01") == "AA"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/identification")
    expect(page.get_by_test_id("nothing-to-identify")).to_be_visible()

    # An O for a 0: the label is shown, and what was read.
    read = GLASS[:-2] + "O1"
    shared_system.put(labelled_slide("scan-1.svs", read, 5), "scan-1.svs")
    slide = shared_system.wait_for("scan-1.svs", "published")["slide"]
    expect(page.get_by_test_id("to-identify")).to_have_count(1, timeout=30_000)
    expect(page.get_by_test_id("to-identify")).to_have_attribute("data-reason", "unknown")
    expect(page.get_by_test_id("code-read")).to_have_text(read)
    stage = page.get_by_test_id("label-stage")
    stage.focus()
    page.keyboard.press("r")
    expect(stage).to_have_attribute("data-degrees", "90")
    page.wait_for_timeout(300)
    eyes.picture("identify-turned-fr")
    page.keyboard.press("0")
    expect(stage).to_have_attribute("data-degrees", "0")

    # What the choice does is told before it is made.
    candidate = page.locator(f'[data-testid=candidate][data-glass="{GLASS}"]')
    expect(candidate).to_contain_text("à 1 caractère près")
    expect(candidate).to_contain_text("LEFEVRE CLAIRE · 17/05/1961")
    effects = candidate.get_by_test_id("effects")
    expect(effects).to_contain_text(f"rejoint le cas {NUMBER}")
    expect(effects).to_contain_text("complet et prêt à lire")
    expect(effects).not_to_contain_text("le laboratoire apprend")  # nothing sends to it
    page.wait_for_timeout(300)
    eyes.picture("identify-fr")
    page.set_viewport_size({"width": 1280, "height": 720})
    eyes.picture("identify-small-fr")
    page.set_viewport_size({"width": 1440, "height": 900})

    # Any other glass is found by its number, or its case's.
    page.get_by_test_id("glass-search").fill(NUMBER)
    expect(page.get_by_role("heading", name="Lames trouvées")).to_be_visible()
    candidate.get_by_test_id("attach").click()

    # What was read is another number than this slide's: that is asked, however near it is.
    expect(page.get_by_test_id("doubt-not_named")).to_contain_text(read)
    page.wait_for_timeout(300)
    eyes.picture("identify-other-code-fr")
    page.get_by_test_id("attach-signed-out").click()
    expect(page.get_by_test_id("nothing-to-identify")).to_be_visible()
    page.goto("/cases?list=ready")
    expect(page.get_by_test_id("case-row")).to_contain_text("1/1")

    # The laboratory names the slide of that code after all: it is told, and nothing moves.
    assert laboratory.glass(NUMBER, read, f"{NUMBER}.A.01") == "AA"
    page.goto("/identification")
    expect(page.get_by_test_id("undo-tab")).to_contain_text("à revoir")
    page.get_by_test_id("undo-tab").click()
    attached = page.get_by_test_id("attached")
    expect(attached.get_by_test_id("label-names")).to_contain_text(read)
    expect(attached).to_contain_text(GLASS)
    expect(attached).to_contain_text("LEFEVRE CLAIRE · 17/05/1961")
    expect(attached).to_contain_text(f"Cas {NUMBER}")
    expect(page.get_by_test_id("code-read")).to_have_text(read)
    expect(page.get_by_test_id("attach")).to_have_count(0)
    page.wait_for_timeout(300)
    eyes.picture("identify-contradicted-fr")
    page.set_viewport_size({"width": 1024, "height": 768})
    eyes.picture("identify-contradicted-1024-fr")
    page.set_viewport_size({"width": 1440, "height": 900})

    # Taken back, with a reason that stays.
    page.get_by_test_id("undo").click()
    page.get_by_test_id("reason").fill("les étiquettes étaient interverties")
    page.wait_for_timeout(300)
    eyes.picture("identify-undo-fr")
    page.get_by_test_id("reason-submit").click()
    expect(page.get_by_test_id("attachment")).to_contain_text("interverties")
    expect(page.get_by_test_id("attachment")).to_have_attribute("data-undone", "true")
    eyes.open(slide)
    expect(page.get_by_test_id("case-strip")).to_contain_text("n’est rattachée à aucune lame")
    eyes.picture("viewer-unidentified-fr")
    page.get_by_test_id("identify-this").click()
    expect(page.get_by_test_id("to-identify")).to_have_attribute("data-reason", "undone")
    expect(candidate.get_by_test_id("refused-before")).to_be_visible()

    # In English too.
    page.get_by_role("button", name="English").or_(page.get_by_text("EN", exact=True)).first.click()
    expect(page.get_by_role("heading", name="Possible slides")).to_be_visible()
    eyes.picture("identify-en")


def test_a_case_that_is_signed_out_changes_only_when_somebody_says_yes(
    shared_system: Any, page: Page
) -> None:
    client = shared_system.client()
    (waiting,) = client.get("/api/v1/identification").json()["items"]
    path = f"/api/v1/identification/{waiting['slide_id']}/candidates"
    case = client.get(path).json()["items"][0]["case_id"]
    for body in ({"event": "begin"}, {"event": "sign_out", "reason": "no image is needed"}):
        assert client.post(f"/api/v1/cases/{case}/state", json=body).status_code == 200
    page.goto("/identification")
    candidate = page.locator(f'[data-testid=candidate][data-glass="{GLASS}"]')
    expect(candidate.get_by_test_id("effects")).to_contain_text("est déjà validé")
    candidate.get_by_test_id("attach").click()
    page.get_by_role("button", name="Annuler").click()
    expect(page.get_by_test_id("to-identify")).to_have_count(1)
    candidate.get_by_test_id("attach").click()
    page.get_by_test_id("attach-signed-out").click()
    expect(page.get_by_test_id("nothing-to-identify")).to_be_visible()
    page.get_by_test_id("undo-tab").click()
    page.get_by_test_id("undo").first.click()
    expect(page.get_by_test_id("undo-signed-out")).to_contain_text(NUMBER)
    page.goto(f"/cases/{case}")
    expect(page.get_by_test_id("changed-since")).to_contain_text("Changé depuis la validation")
    expect(page.get_by_test_id("case-history")).to_contain_text(f"Image ajoutée à la lame {GLASS}")


def test_a_patients_code_is_named_and_not_spelt_out(
    shared_system: Any, page: Page, labelled_slide: Callable[..., Path]
) -> None:
    code = (
        f"IS01{'0' * 22}S1279035121518989S21.2.250.1.213.1.4.10"
        "S3DOMINIQUE\x1dS4PAT-TROIS\x1dS5FS628-03-1979S763220"
    )
    shared_system.put(labelled_slide("ins.svs", code, 8), "ins.svs")
    slide = shared_system.wait_for("ins.svs", "published")["slide"]
    page.goto(f"/identification?slide={slide}")
    entry = page.get_by_test_id("to-identify").filter(has_text="ins.svs")
    expect(entry).to_have_attribute("data-reason", "patient_code")
    expect(page.get_by_test_id("code-read")).to_have_text("Code INS du patient")
    expect(page.get_by_test_id("identification")).not_to_contain_text("279035121518989")


def test_the_list_is_walked_with_the_keys_and_keeps_the_focus(
    shared_system: Any,
    page: Page,
    laboratory: Any,
    labelled_slide: Callable[..., Path],
    eyes: Any,
) -> None:
    number = "26P00777"
    glasses = [f"{number}.A.01.0{n}" for n in range(1, 4)]
    laboratory.identity()
    laboratory.case(number)
    laboratory.specimen(number, f"{number}.A", "Sein gauche")
    laboratory.block(number, f"{number}.A.01", f"{number}.A")
    for seed, glass in enumerate(glasses, 20):
        assert laboratory.glass(number, glass, f"{number}.A.01") == "AA"
        name = f"{glass}.svs"
        shared_system.put(labelled_slide(name, glass[:-2] + "O" + glass[-1], seed), name)
        shared_system.wait_for(name, "published")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/identification")
    entries = page.get_by_test_id("to-identify")
    expect(entries.filter(has_text=number)).to_have_count(3, timeout=30_000)
    expect(page.locator('[data-testid=to-identify][tabindex="0"]')).to_have_count(1)
    page.keyboard.press("j")
    expect(entries.nth(1)).to_be_focused()
    expect(entries.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowUp")
    expect(entries.nth(0)).to_be_focused()
    page.get_by_test_id("glass-search").focus()
    page.keyboard.press("j")
    expect(entries.nth(0)).to_have_attribute("aria-current", "true")
    page.get_by_test_id("glass-search").fill("")

    # What was attached leaves the list, and the next is where one goes on.
    entries.nth(1).click()
    following = entries.nth(2).inner_text()
    page.get_by_test_id("attach").first.click()
    page.get_by_test_id("attach-signed-out").click()
    expect(entries.nth(1)).to_be_focused()
    expect(entries.nth(1)).to_have_text(following, use_inner_text=True)
    expect(entries.nth(1)).to_have_attribute("aria-current", "true")
    for width, language in ((1024, "fr"), (1440, "fr"), (1440, "en"), (1024, "en")):
        page.set_viewport_size({"width": width, "height": 768 if width == 1024 else 900})
        page.get_by_text(language.upper(), exact=True).click()
        page.get_by_role("tab").first.click()
        expect(entries.first).to_be_visible()
        page.wait_for_timeout(400)
        eyes.picture(f"identify-{width}-{language}")
        page.get_by_test_id("undo-tab").click()
        expect(page.get_by_test_id("attached")).to_be_visible()
        page.wait_for_timeout(400)
        eyes.picture(f"identify-attached-{width}-{language}")


def test_what_there_is_of_a_label_is_what_is_shown(page: Page, eyes: Any) -> None:
    def told(has_label: bool, **more: Any) -> Callable[[Any], None]:
        def answer(route: Any) -> None:
            body = route.fetch().json()
            for each in body["items"]:
                each.update({"has_label": has_label, **more})
            route.fulfill(json=body)

        return answer

    lists = re.compile(r"/api/v1/identification$")
    codes = ["26P00888.A.01.01", "26P00888.A.01.02"]
    page.set_viewport_size({"width": 1440, "height": 900})
    page.route(lists, told(False, codes=codes, first_is_scanners=True, reason="contradiction"))
    page.goto("/identification")
    overview = page.get_by_role("button", name="Vue d’ensemble")
    expect(overview).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Étiquette", exact=True)).to_be_disabled()
    expect(page.get_by_test_id("label-stage").locator("img")).to_be_visible()
    read = page.get_by_test_id("code-read")
    expect(read.nth(0).locator("xpath=..")).to_contain_text("Lu par le scanner")
    expect(read.nth(1).locator("xpath=..")).to_contain_text("Vu sur l’étiquette")
    page.wait_for_timeout(300)
    eyes.picture("identify-without-label-fr")
    page.unroute(lists)
    page.route(lists, told(False, has_overview=False))
    page.reload()
    expect(page.get_by_test_id("label-stage")).to_contain_text("Image indisponible")
