"""From a case to the laboratory's system, with the accession number where it has to be."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.api.sgl_links import url_of
from sgi.domain.account import Role
from sgi.errors import ConflictError

GET = {"method": "GET", "url": "https://sgl.example/case?number={accession}&from=sgi"}
POST = {"method": "POST", "url": "https://sgl.example/open", "field": "accession"}


@pytest.fixture
def lab(laboratory: Callable[[Any], Any], here: Any) -> Any:
    return laboratory(here)


def put(web: Any, client: Any, body: dict[str, str], name: str = "sgl") -> Any:
    return web.run(client.put(f"/api/v1/sgl-links/{name}", json=body))


def test_by_an_address(web: Any, here: Any, lab: Any, audit_rows: Callable[[Any], Any]) -> None:
    number = "26/P 1&é#?x=1"
    case, client = lab.case(number), web.signed_in(here)
    told = put(web, client, GET).json()
    assert "histories" in told["warning"]
    reader = web.signed_in(here, Role.PATHOLOGIST)
    answer = web.get(reader, f"/cases/{case}/sgl")
    assert answer.status_code == 303
    found = urlsplit(answer.headers["location"])
    assert (found.scheme, found.netloc, found.path) == ("https", "sgl.example", "/case")
    assert parse_qs(found.query) == {"number": [number], "from": ["sgi"]}
    rows = [row for row in audit_rows(here) if row["action"] == "open_sgl"]
    assert [row["object_id"] for row in rows] == [case]


def test_by_a_form(web: Any, here: Any, lab: Any) -> None:
    number = '26P1"><script>alert(1)</script>'
    case, client = lab.case(number), web.signed_in(here)
    assert put(web, client, POST).json()["warning"] is None
    answer = web.get(client, f"/cases/{case}/sgl?name=sgl")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "26P1" not in str(answer.url)
    assert answer.text.count("<script>") == 1
    assert 'action="https://sgl.example/open"' in answer.text
    assert "26P1&quot;&gt;&lt;script&gt;" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action https:;" in policy
    assert "unsafe-inline" not in re.search("script-src[^;]*", policy)[0]  # type: ignore[index]


def test_its_script_is_the_one_that_the_policy_lets_run(web: Any, here: Any, lab: Any) -> None:
    import base64
    import hashlib

    case, client = lab.case("26P1"), web.signed_in(here)
    put(web, client, POST)
    answer = web.get(client, f"/cases/{case}/sgl")
    script = re.search("<script>(.*)</script>", answer.text)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "javascript:alert(1)//{accession}"},
        {"url": "data:text/html,{accession}"},
        {"url": "//sgl.example/{accession}"},
        {"url": "https://{accession}.example/"},
        {"url": "https://sgl.example@evil.example/{accession}"},
        {"url": "https:///{accession}"},
        {"url": "https://sgl.example/"},
        {"url": "https://sgl.example/{accession}/{accession}"},
        {"url": "https://sgl.example/{accession}/{patient}"},
        {"url": "https://sgl.example/{accession} x"},
        {"url": "https://sgl.example/{accession}\r\nx: y"},
        {"url": "https://sgl.example/{accession}" + "x" * 500},
        {"field": "accession"},
        {"method": "PUT"},
        {"method": "POST"},
        {"method": "POST", "field": "x", "url": GET["url"]},
        {"method": "POST", "field": '"><script>', "url": "https://sgl.example/"},
        {"surprise": "x"},
    ],
)
def test_an_address_that_is_none_is_refused(web: Any, here: Any, change: dict[str, str]) -> None:
    assert put(web, web.signed_in(here), GET | change).status_code == 422


@pytest.mark.parametrize("name", ["A", "a b", "..", "x" * 41])
def test_a_name_that_is_none(web: Any, here: Any, name: str) -> None:
    assert put(web, web.signed_in(here), GET, quote(name, safe="")).status_code in {404, 422}


def test_each_establishment_has_its_own(
    web: Any, here: Any, there: Any, lab: Any, laboratory: Callable[[Any], Any]
) -> None:
    case = lab.case("26P1")
    theirs = laboratory(there).case("26P1")
    other, client = web.signed_in(there), web.signed_in(here)
    put(web, other, GET)
    assert web.get(client, "/api/v1/sgl-links").json() == {"items": []}
    assert web.get(client, f"/cases/{case}/sgl").status_code == 404
    put(web, client, POST)
    assert web.get(client, f"/cases/{theirs}/sgl").status_code == 404
    assert web.get(client, f"/cases/{case}/sgl?name=other").status_code == 404
    assert web.run(client.delete("/api/v1/sgl-links/sgl")).status_code == 204
    assert web.run(client.delete("/api/v1/sgl-links/sgl")).status_code == 404
    assert len(web.get(other, "/api/v1/sgl-links").json()["items"]) == 1


def test_only_who_changes_interfaces_changes_it(web: Any, here: Any) -> None:
    reader = web.signed_in(here, Role.PATHOLOGIST)
    assert put(web, reader, GET).status_code == 403
    assert web.run(reader.delete("/api/v1/sgl-links/sgl")).status_code == 403
    assert web.get(reader, "/api/v1/sgl-links").status_code == 200


@given(st.text(min_size=1, max_size=64))
def test_a_number_changes_no_address(number: str) -> None:
    template = "https://sgl.example/a/{accession}/b?c=d"
    try:
        number.encode()
    except UnicodeEncodeError:
        return
    try:
        made = urlsplit(url_of(template, number))
    except ConflictError:
        assert set(number) == {"."}
        return
    assert (made.netloc, made.query, made.fragment) == ("sgl.example", "c=d", "")
    first, a, written, b = made.path.split("/")
    assert (first, a, unquote(written), b) == ("", "a", number, "b")
    assert written not in {".", ".."}
