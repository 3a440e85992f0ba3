import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from sgi.access.rules import RULES, Open, Rule, rule_for
from sgi.api import tiles, zarr
from sgi.domain.account import GRANTS, PEOPLE, Permission, Role
from sgi.domain.arrival import ArrivalState

BARE = [
    ("GET", tiles.PREFIX + "{slide}/{level}"),
    ("GET", tiles.PREFIX + "{slide}/{level}/{column}/{row}"),
    ("GET", zarr.PREFIX + "{slide}/zarr.json"),
    ("GET", zarr.PREFIX + "{slide}/{level}/zarr.json"),
    ("GET", zarr.PREFIX + "{slide}/{level}/c/{channel}/{row}/{column}"),
    ("GET", zarr.PREFIX + "{slide}/{level}/c/{channel}/{plane}/{row}/{column}"),
]
"""The addresses of the bare applications beside the routes."""


def routes_of(routes: Any) -> Iterator[tuple[str, str]]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from routes_of(included.routes)
            continue
        # Anything else (a mount, a web socket) would pass by the rules.
        assert isinstance(route, Route) or hasattr(route, "methods"), route
        for method in route.methods - {"HEAD"}:
            yield method, route.path


@pytest.fixture
def routes(web: Any) -> list[tuple[str, str]]:
    return [*routes_of(web.application._guarded._application.routes), *BARE]


def filled(path: str, value: str) -> str:
    return "/".join(value if part.startswith("{") else part for part in path.split("/"))


def test_every_route_has_its_rule_and_every_rule_its_route(routes: list[tuple[str, str]]) -> None:
    assert len(routes) > 10
    assert len(routes) == len(set(routes))
    assert set(routes) == {(rule.method, rule.path) for rule in RULES}
    for method, path in routes:
        for value in ("x", str(uuid.uuid4())):
            rule = rule_for(method, filled(path, value))
            assert rule is not None
            assert (rule.method, rule.path) == (method, path), "another rule comes first"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_a_path_that_no_rule_names_is_denied(web: Any, here: Any, method: str) -> None:
    for path in ("/nothing", "/docs", "/api/v1", "/api/v1/slides/", "/tiles/1/2/3/4/5"):
        assert rule_for(method, path) is None
        for client, status in ((web.client(), 401), (web.signed_in(here), 404)):
            answer = web.run(client.request(method, path))
            assert answer.status_code == status, path


@pytest.mark.parametrize("value", ["x", "..", "%00", "9" * 400, str(uuid.UUID(int=0))])
def test_without_a_session_nothing_else_is_looked_at(web: Any, value: str) -> None:
    client = web.client()
    for rule in RULES:
        if rule.need is Open.PUBLIC:
            continue
        answer = web.run(
            client.request(
                rule.method,
                httpx.URL(web.base_url + filled(rule.path, value.replace("..", "%2e%2e"))),
                content=b"{not json",
                headers={"content-type": "application/json"},
            )
        )
        assert answer.status_code == 401, rule
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
    tampered = web.client(cookie="sgi_session=" + "x" * 43)
    assert web.get(tampered, "/api/v1/me").status_code == 401


@pytest.mark.parametrize("role", PEOPLE)
def test_a_role_may_do_what_it_was_granted_and_no_more(web: Any, here: Any, role: Role) -> None:
    client = web.signed_in(here, role)
    for rule in RULES:
        if rule.path in {"/api/v1/sign-out", "/api/v1/events"} or rule.need is Open.PUBLIC:
            continue
        path = filled(rule.path, str(uuid.uuid4()))
        answer = web.run(client.request(rule.method, path, content=b"{not json"))
        allowed = rule.need is Open.SIGNED_IN or rule.need in GRANTS[role]
        assert (answer.status_code != 403) == allowed, (role, rule, answer.text)


def test_a_role_without_a_permission_is_refused_before_the_request_is_looked_at(
    web: Any, here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = web.signed_in(here, Role.PATHOLOGIST)
    monkeypatch.setitem(GRANTS, Role.PATHOLOGIST, frozenset())
    permitted = [rule for rule in RULES if isinstance(rule.need, Permission)]
    assert permitted
    for rule in permitted:
        answer = web.run(client.request(rule.method, filled(rule.path, "x"), content=b"{not"))
        assert answer.status_code == 403, rule
        assert answer.json()["title"] == "Forbidden"


def test_every_permission_is_asked_for_and_granted_to_someone() -> None:
    assert {rule.need for rule in RULES if isinstance(rule.need, Permission)} == set(Permission)
    assert set(GRANTS) == set(Role)
    assert frozenset().union(*GRANTS.values()) == frozenset(Permission)


def test_nobody_is_nobody() -> None:
    for need in (Open.SIGNED_IN, *Permission):
        assert not Rule("GET", "/x", need).allows(None)
    assert Rule("GET", "/x", Open.PUBLIC).allows(None)


def test_another_establishments_things_are_not_there(
    web: Any, here: Any, there: Any, store: Any, publish: Callable[..., Any], arrive: Any
) -> None:
    slide = publish(there, store)
    arrival = arrive(there, ArrivalState.HELD)
    stranger, owner = web.signed_in(here), web.signed_in(there)
    tile = f"/tiles/{slide.id}/0/0/0"
    paths = [f"/api/v1/slides/{slide.id}", f"/slides/{slide.id}/label", tile]
    # Asked by the stranger before and after its owner has brought it into the memory.
    for _ in range(2):
        for path in paths:
            answer = web.get(stranger, path)
            assert answer.status_code == 404, path
            missing = web.get(stranger, path.replace(str(slide.id), str(uuid.uuid4())))
            assert answer.json() == missing.json(), "the answer tells that it is somewhere else"
        for path in paths:
            assert web.get(owner, path).status_code == 200, path
    retry = f"/api/v1/arrivals/{arrival.id}/retry"
    assert web.run(stranger.post(retry)).status_code == 404
    assert web.get(stranger, "/api/v1/slides").json()["items"] == []
    assert web.get(stranger, "/api/v1/arrivals").json()["items"] == []
    assert len(web.get(owner, "/api/v1/arrivals").json()["items"]) == 2
    assert web.run(owner.post(retry)).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/slides", "GET, HEAD"),
        ("PUT", "/api/v1/slides/x", "GET, HEAD"),
        ("GET", "/api/v1/sign-in", "POST"),
        ("HEAD", "/api/v1/sign-out", "POST"),
        ("POST", "/", "GET, HEAD"),
    ],
)
def test_another_method_of_a_known_path(
    web: Any, here: Any, method: str, path: str, allowed: str
) -> None:
    assert web.run(web.client().request(method, path)).status_code == 401
    answer = web.run(web.signed_in(here).request(method, path))
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    if method != "HEAD":
        assert answer.json()["title"] == "Method Not Allowed"


def test_head_is_get_without_the_body(
    web: Any, here: Any, store: Any, publish: Callable[..., Any]
) -> None:
    client, slide = web.signed_in(here), publish(here, store)
    paths = ["/", "/healthz", "/openapi.json", "/api/v1/me", "/api/v1/arrivals", "/api/v1/slides"]
    for path in [*paths, f"/api/v1/slides/{slide.id}", f"/slides/{slide.id}/label"]:
        got, told = web.get(client, path), web.run(client.head(path))
        assert (told.status_code, told.content) == (200, b""), path
        for name in ("content-type", "content-length"):
            assert told.headers[name] == got.headers[name], path
    assert web.run(client.head("/api/v1/events")).headers["content-type"].startswith("text/event")
    assert web.run(client.head(f"/slides/{uuid.uuid4()}/label")).status_code == 404
    assert web.run(web.client().head("/api/v1/me")).status_code == 401


def test_assets_are_the_files_of_that_folder(
    web: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets" / "inner").mkdir(parents=True)
    for name in ("index.html", "favicon.svg", "assets/a.js", "assets/inner/b.js"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr("viewer.dist_path", lambda: tmp_path)
    client = web.client()
    found = {path: web.get(client, path) for path in ("/assets/a.js", "/", "/favicon.svg")}
    assert {path: answer.status_code for path, answer in found.items()} == dict.fromkeys(found, 200)
    assert "immutable" in found["/assets/a.js"].headers["cache-control"]
    assert found["/"].headers["cache-control"] == "no-cache"
    for name in ("index.html", "favicon.svg", "b.js", "inner", "%2e%2e", "..%2findex.html"):
        answer = web.get(client, httpx.URL(f"{web.base_url}/assets/{name}"))
        assert answer.status_code in {401, 404}, name


def test_the_public_tells_nothing(web: Any) -> None:
    client = web.client()
    assert web.get(client, "/healthz").json() == {"status": "ok"}
    assert web.get(client, "/readyz").json() == {"status": "ready"}
    for path in ("/assets/..%2f..%2fpyproject.toml", "/assets/pyproject.toml", "/assets/%00"):
        assert web.get(client, path).status_code in {401, 404}
    for rule in RULES:
        if rule.need is Open.PUBLIC and rule.method == "GET":
            assert rule.path.startswith(("/view/", "/assets/")) or rule.path in {
                "/IHEInvokeImageDisplay",  # asks who it is itself: tests/sgi/api/test_launch.py
                "/go/{token}",  # tells who has the token alone: tests/sgi/api/test_guests.py
                "/",
                "/cases",
                "/cases/{case}",
                "/slides",
                "/identification",
                "/interfaces",
                "/storage",
                "/work",
                "/favicon.svg",
                "/healthz",
                "/readyz",
                "/metrics",  # asks for its token itself: tests/sgi/api/test_metrics.py
            }, "is it meant to be public?"


def test_json_is_not_read_before_the_sender_is_known(web: Any) -> None:
    asked = 0

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"{}", "more_body": True}

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/api/v1/arrivals/{uuid.uuid4()}/retry",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8000")],
    }
    web.run(web.application(scope, receive, send))
    assert sent[0]["status"] == 401
    assert json.loads(sent[1]["body"])["status"] == 401
    assert asked == 0
