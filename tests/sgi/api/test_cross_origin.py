"""Other sites' pages: one that is named reads slides, every other learns nothing."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from sgi.domain.slide import Slide
from sgi.settings import Settings

NAMED, OTHER = "https://viewer.example:8443", "https://evil.example"
CORS = "access-control-"


@pytest.fixture
def open_web(make_web: Callable[..., Any]) -> Any:
    return make_web(viewer_origins=(NAMED,))


@pytest.fixture
def addresses(slide: Slide) -> list[str]:
    return [
        f"/iiif/3/{slide.id}",
        f"/iiif/3/{slide.id}/info.json",
        f"/iiif/3/{slide.id}/0,0,128,128/max/0/default.jpg",
        f"/iiif/3/{slide.id}/wrong/max/0/default.jpg",
        f"/dzi/{slide.id}.dzi",
        f"/dzi/{slide.id}_files/10/0_0.jpg",
        "/iiif/3/nobody/info.json",
    ]


def allowed(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith(CORS)}


def test_an_origin_that_is_named_reads_with_the_session(
    open_web: Any, here: Any, addresses: list[str]
) -> None:
    client = open_web.signed_in(here)
    for address in addresses:
        answer = open_web.get(client, address, headers={"origin": NAMED})
        assert answer.headers["access-control-allow-origin"] == NAMED
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize(
    "origin", [OTHER, "null", NAMED.upper(), f"{NAMED}/", NAMED[:-1], f"x{NAMED}", "*", ""]
)
def test_no_other_origin_learns_anything(
    open_web: Any, here: Any, addresses: list[str], origin: str
) -> None:
    client = open_web.signed_in(here)
    for address in addresses:
        answer = open_web.get(client, address, headers={"origin": origin})
        assert not allowed(answer)
        assert "origin" in answer.headers["vary"].lower(), "caches keep it apart"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_named_origin_without_a_session_is_told_so(open_web: Any, addresses: list[str]) -> None:
    for address in addresses:
        answer = open_web.get(open_web.client(), address, headers={"origin": NAMED})
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == NAMED


def test_a_preflight_is_answered_to_the_named_alone(open_web: Any, addresses: list[str]) -> None:
    anybody = open_web.client()
    for origin, status in ((NAMED, 204), (OTHER, 401)):
        headers = {"origin": origin, "access-control-request-method": "GET"}
        answer = open_web.run(anybody.options(addresses[1], headers=headers))
        assert answer.status_code == status
        assert ("access-control-allow-methods" in answer.headers) == (status == 204)
        assert answer.content == b"" or status == 401
    assert "POST" not in answer.headers.get("access-control-allow-methods", "")


def test_nobody_is_named_unless_the_administrator_does(
    web: Any, here: Any, addresses: list[str]
) -> None:
    client = web.signed_in(here)
    for address in addresses:
        assert not allowed(web.get(client, address, headers={"origin": NAMED}))


def test_nothing_else_is_read_from_other_sites(open_web: Any, here: Any, slide: Slide) -> None:
    client = open_web.signed_in(here)
    for address in (f"/tiles/{slide.id}/0/0/0", "/api/v1/slides", "/api/v1/me", "/"):
        assert not allowed(open_web.get(client, address, headers={"origin": NAMED}))


@pytest.mark.parametrize(
    "origin", ["*", "null", "https://a.example/", "https://a b", "ftp://a.example", "https://*.a"]
)
def test_an_origin_is_a_whole_and_single_one(origin: str) -> None:
    with pytest.raises(ValidationError):
        Settings(viewer_origins=(origin,))
