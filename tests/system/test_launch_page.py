"""From the laboratory's system (another site) to a case here and back, in a real browser."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

CASE = "26P00700"


class Sgl(ThreadingHTTPServer):
    """A page with one link, and a form's target that remembers."""

    link = ""
    opened: list[dict[str, list[str]]]

    @property
    def address(self) -> str:
        # Another site than 127.0.0.1 to a browser, which looks at names alone.
        return f"http://localhost:{self.server_address[1]}"


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._say(f'<a id="images" href="{self.server.link}">images</a>')  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.opened.append(parse_qs(body))  # type: ignore[attr-defined]
        self._say("<p id=open>open</p>")

    def _say(self, page: str) -> None:
        data = f"<!doctype html>{page}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def sgl() -> Iterator[Sgl]:
    server = Sgl(("127.0.0.1", 0), Pages)
    server.opened = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def case(shared_system: Any, laboratory: Any) -> str:
    laboratory.identity()
    assert laboratory.case(CASE) == "AA"
    query = f"requestType=STUDY&accessionNumber={CASE}"
    answer = shared_system.client().post("/api/v1/launch", json={"query": query})
    path: str = answer.json()["path"]
    return path


def follow(page: Page, sgl: Sgl, link: str) -> None:
    sgl.link = link
    page.goto(sgl.address)
    page.click("#images")


def test_who_is_signed_in_gets_to_the_case(
    shared_system: Any, page: Page, sgl: Sgl, case: str
) -> None:
    asked = f"/IHEInvokeImageDisplay?requestType=STUDY&accessionNumber={CASE}"
    follow(page, sgl, shared_system.address + asked)
    page.wait_for_url(shared_system.address + case)
    expect(page.get_by_text(CASE).first).to_be_visible()
    assert "LEFEVRE" not in page.title()


def test_who_is_not_signs_in_first(
    shared_system: Any, browser: Browser, sgl: Sgl, case: str
) -> None:
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    asked = f"/IHEInvokeImageDisplay?requestType=STUDY&accessionNumber={CASE}"
    follow(page, sgl, shared_system.address + asked)
    page.locator("input[type=password]").fill("correct horse battery")
    page.locator("input:not([type=password])").first.fill("admin")
    page.locator("button[type=submit]").click()
    page.wait_for_url(shared_system.address + case)
    expect(page.get_by_text(CASE).first).to_be_visible()
    context.close()


def test_a_guest_by_a_link_and_nobody_twice(
    shared_system: Any, browser: Browser, sgl: Sgl, case: str, eyes_on: Any
) -> None:
    said = shared_system.command("launch", "add", "dpath")
    assert said.returncode == 0, said.stderr
    token = said.stdout.split()[-1]
    link = httpx.post(
        f"{shared_system.address}/api/v1/launch-links",
        headers={"Authorization": f"Bearer {token}"},
        json={"accession_number": CASE, "person": "Dr Martin"},
    ).json()["url"]
    context = browser.new_context(locale="fr-FR", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    follow(page, sgl, link)
    page.wait_for_url(shared_system.address + case)
    expect(page.get_by_text(CASE).first).to_be_visible()
    eyes_on(page).picture("guest-case-fr")
    page.goto(shared_system.address + "/cases")
    expect(page.get_by_test_id("case")).to_be_visible()  # their own, and no list
    expect(page.get_by_test_id("rail")).to_have_count(0)
    expect(page.get_by_test_id("to-cases")).to_have_count(0)
    follow(page, sgl, link)
    expect(page.get_by_text("Ce lien a déjà servi")).to_be_visible()
    eyes_on(page).picture("spent-link-fr")
    context.close()


def test_back_to_the_laboratorys_system(
    shared_system: Any, page: Page, sgl: Sgl, case: str
) -> None:
    body = {"method": "POST", "url": f"{sgl.address}/open", "field": "accession"}
    answer = shared_system.client().put("/api/v1/sgl-links/sgl", json=body)
    assert answer.status_code == 200, answer.text
    page.goto(case)
    with page.context.expect_page() as opened:
        page.locator(f'a[href^="{case}/sgl"]').first.click()
    there = opened.value
    there.wait_for_selector("#open")
    assert there.url == f"{sgl.address}/open"
    assert sgl.opened == [{"accession": [CASE]}]
