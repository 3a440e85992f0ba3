"""What an administrator sees of storage: how much there is, when it is full, what it will cost."""

import json
import re
import uuid
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect


@pytest.fixture(scope="module")
def history(shared_system: Any) -> None:
    """Two and a half years of a laboratory, as sums alone: the page reads nothing else."""
    told = json.loads((shared_system.data / "run" / "engines.json").read_text())
    today = datetime.now(UTC).date()
    begin = date(today.year - 3, today.month, 1)
    with psycopg.connect(told["database"]["url"]) as connection:
        (here,) = connection.execute("select id from establishment").fetchone() or (None,)
        slide = uuid.uuid4()
        connection.execute(
            """with came as (
                   insert into arrival (establishment_id, source_path, file_name, state,
                                        size_bytes, modified_ns, released)
                   values (%(here)s, '', 'first.svs', 'published', 0, 0, true) returning id)
               insert into slide (id, establishment_id, arrival_id, file_name, study_uid,
                                  series_uid, source_sha256, source_size_bytes, published_at,
                                  facts)
               select %(slide)s, %(here)s, id, '', '', '', '', 0, %(at)s, '{}' from came""",
            {"here": here, "slide": slide, "at": begin},
        )
        for number in range(37):
            count = begin.year * 12 + begin.month - 1 + number
            month = date(count // 12, count % 12 + 1, 1)
            slides = 3_900 + 55 * number - (1_700 if month.month == 8 else 0)
            if number == 36:
                slides = slides * today.day // 31
            size = slides * 1_180_000_000
            rows = [("warm", slides, size, size)]
            if number < 33:
                rows = [
                    ("warm", 0, size * 6 // 100, size * 6 // 100),
                    ("cold", slides, size * 94 // 100, size * 94 * 79 // 10_000),
                ]
            for tier, count_of, original, stored in rows:
                connection.execute(
                    "insert into capacity_change values (%s, %s, %s, %s, %s, %s)",
                    [here, month, tier, count_of, original, stored],
                )


def fill(page: Page, field: str, value: str) -> None:
    page.get_by_test_id(f"capacity-{field}").fill(value)


def open_storage(page: Page) -> None:
    page.get_by_test_id("to-storage").click()
    expect(page.get_by_test_id("capacity")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Téraoctets|terabytes"))).to_be_visible()


@pytest.mark.usefixtures("history")
def test_how_much_when_full_and_what_it_costs(page: Page, eyes: Any) -> None:
    open_storage(page)
    expect(page.get_by_test_id("capacity-today")).to_contain_text("To")
    expect(page.get_by_test_id("capacity-cost")).to_contain_text("Saisissez les prix")
    expect(page.get_by_test_id("capacity-full")).to_contain_text("Saisissez la place")
    eyes.picture("storage-capacity-first-fr")
    fill(page, "daysUntilCold", "90")
    fill(page, "priceWarm", "18,50")
    fill(page, "priceCold", "4")
    fill(page, "roomWarm", "60")
    fill(page, "roomCold", "250")
    expect(page.get_by_test_id("capacity-cost")).to_contain_text("€")
    expect(page.get_by_test_id("capacity-full")).to_contain_text(re.compile(r"20\d\d"))
    expect(page.get_by_test_id("capacity-formula").locator("li")).to_have_count(5)
    expect(page.get_by_test_id("capacity-formula")).to_contain_text("18,5\u00a0€")
    expect(page.get_by_test_id("capacity-years").locator("tbody tr")).to_have_count(5)
    page.get_by_test_id("capacity-keep").click()
    expect(page.get_by_test_id("capacity-keep")).to_be_disabled()
    page.reload()
    expect(page.get_by_test_id("capacity-priceWarm")).to_have_value(re.compile("18,50?"))
    expect(page.get_by_test_id("capacity-cost")).to_contain_text("€")
    page.wait_for_timeout(400)
    eyes.picture("storage-capacity-fr")
    chart = page.get_by_role("img", name=re.compile("Téraoctets"))
    chart.hover(position={"x": 400, "y": 120})
    expect(chart).to_contain_text("Coût du mois précédent")
    eyes.picture("storage-capacity-hover-fr")
    page.set_viewport_size({"width": 760, "height": 1300})
    page.wait_for_timeout(400)
    eyes.picture("storage-capacity-narrow-fr")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.get_by_test_id("language-en").click()
    expect(page.get_by_test_id("capacity-full")).to_contain_text("full in")
    page.wait_for_timeout(400)
    eyes.picture("storage-capacity-en")
    page.set_viewport_size({"width": 1280, "height": 2400})
    page.wait_for_timeout(400)
    eyes.picture("storage-capacity-whole-en")


@pytest.mark.usefixtures("history")
def test_what_if_keeps_nothing_and_can_be_undone(page: Page) -> None:
    open_storage(page)
    field = page.get_by_test_id("capacity-slidesPerDay")
    before = field.input_value()
    answer = page.get_by_test_id("capacity-five-years").inner_text()
    fill(page, "slidesPerDay", "2000")
    expect(page.get_by_test_id("capacity-five-years")).not_to_have_text(answer)
    fill(page, "copies", "9")
    expect(page.get_by_test_id("capacity-keep")).to_be_disabled()
    expect(page.get_by_test_id("capacity-form")).to_contain_text("De 1 à 5")
    page.get_by_test_id("capacity-undo").click()
    expect(field).to_have_value(before)
    fill(page, "slidesPerDay", "2000")
    page.get_by_test_id("capacity-use-seen").click()
    expect(field).to_have_value(re.compile(r"^2\d\d"))


@pytest.mark.usefixtures("history")
def test_tables_for_spreadsheets(page: Page) -> None:
    open_storage(page)
    with page.expect_download() as stored:
        page.get_by_test_id("capacity-csv").click()
    with page.expect_download() as coming:
        page.get_by_test_id("capacity-forecast-csv").click()
    lines = stored.value.path().read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("Mois;Niveau;Lames;")
    assert len(lines) > 60
    lines = coming.value.path().read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("Mois;Lames reçues;")
    assert len(lines) == 61


@pytest.mark.usefixtures("history")
def test_without_a_mouse(page: Page) -> None:
    page.goto("/storage")
    expect(page.get_by_test_id("capacity")).to_be_visible()
    page.get_by_test_id("storage-tab-capacity").focus()
    page.keyboard.press("Tab")  # into the panel
    seen: list[str] = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.getAttribute('data-testid')")
        seen.append(str(name))
    assert "capacity-forecast-csv" in seen
    assert seen.index("capacity-slidesPerDay") < seen.index("capacity-roomCold")
    summary = page.get_by_test_id("capacity-months").locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("capacity-months").locator("tbody tr")).to_have_count(60)
