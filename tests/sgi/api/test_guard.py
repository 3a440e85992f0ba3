import re
from typing import Any

import pytest

from sgi.api.guard import CSRF_HEADER, LOOPBACK_COOKIE, SECURE_COOKIE
from sgi.domain.account import GRANTS, Role

SIGN_OUT = "/api/v1/sign-out"
ORIGIN = "http://127.0.0.1:8000"


def cookie(answer: Any) -> dict[str, str]:
    (header,) = answer.headers.get_list("set-cookie")
    parts = [part.strip().partition("=") for part in header.split(";")]
    return {"name": parts[0][0], "value": parts[0][2]} | {
        name.lower(): value for name, _, value in parts[1:]
    }


def test_the_cookie_on_loopback(web: Any, here: Any) -> None:
    found = cookie(web.sign_in(web.client(), here.accounts[Role.PATHOLOGIST]))
    assert found["name"] == LOOPBACK_COOKIE == "sgi_session"
    assert found["path"] == "/"
    assert found["samesite"] == "strict"
    assert found["max-age"] == str(12 * 3600)
    assert "httponly" in found
    assert "secure" not in found
    assert "domain" not in found
    assert re.fullmatch(r"[\w-]{43}", found["value"])


def test_the_cookie_over_https(make_web: Any, here: Any) -> None:
    web = make_web("https://sgi.example", behind_tls_proxy=True)
    client = web.client()
    found = cookie(web.sign_in(client, here.accounts[Role.PATHOLOGIST]))
    assert found["name"] == SECURE_COOKIE == "__Host-sgi_session"
    assert found["path"] == "/"
    assert found["samesite"] == "strict"
    assert {"httponly", "secure"} <= set(found)
    assert "domain" not in found
    assert web.get(client, "/api/v1/me").status_code == 200
    plain = web.client(cookie=f"{LOOPBACK_COOKIE}={found['value']}")
    assert web.get(plain, "/api/v1/me").status_code == 401, "a cookie that http could have set"
    assert "max-age" in web.get(client, "/").headers["strict-transport-security"]


def test_a_new_sign_in_is_a_new_session(web: Any, here: Any) -> None:
    client = web.client()
    name = here.accounts[Role.PATHOLOGIST]
    one, other = (cookie(web.sign_in(client, name))["value"] for _ in range(2))
    assert one != other


def test_changes_need_the_token(web: Any, here: Any) -> None:
    client = web.signed_in(here)
    right = client.headers.pop(CSRF_HEADER)
    others = web.signed_in(here).headers[CSRF_HEADER]
    for wrong in ({}, {CSRF_HEADER: ""}, {CSRF_HEADER: "x"}, {CSRF_HEADER: others},
                  {CSRF_HEADER: right[:-1]}, {CSRF_HEADER: right + "é"}):  # fmt: skip
        headers = {name: value.encode() for name, value in wrong.items()}
        answer = web.run(client.post(SIGN_OUT, headers=headers))
        assert answer.status_code == 403, wrong
    assert web.get(client, "/api/v1/me").status_code == 200
    assert web.run(client.post(SIGN_OUT, headers={CSRF_HEADER: right})).status_code == 204


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"origin": ORIGIN}, True),
        ({"origin": ORIGIN, "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://127.0.0.1:8001"}, False),
        ({"origin": "http://127.0.0.1"}, False),
        ({"origin": ORIGIN + ".evil.example"}, False),
        ({"origin": "http://127.0.0.1:8000@evil.example"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": ORIGIN, "sec-fetch-site": "cross-site"}, False),
    ],
)
def test_other_sites_change_nothing(
    web: Any, here: Any, headers: dict[str, str], allowed: bool
) -> None:
    client = web.signed_in(here)
    answer = web.run(client.post(SIGN_OUT, headers=headers))
    assert answer.status_code == (204 if allowed else 403)
    body = {"name": here.accounts[Role.TECHNICIAN], "password": "correct horse battery staple"}
    fresh = web.run(web.client().post("/api/v1/sign-in", json=body, headers=headers))
    assert fresh.status_code == (200 if allowed else 403), "signed in by another site"


def test_signing_out_holds_in_every_process(make_web: Any, here: Any, run: Any) -> None:
    import asyncio

    one, other = make_web(), make_web()
    client = one.signed_in(here)
    elsewhere = other.client(cookie=f"{LOOPBACK_COOKIE}={one.token(client)}")
    assert other.get(elsewhere, "/api/v1/me").status_code == 200

    async def is_out() -> bool:
        await client.post(SIGN_OUT)
        assert (await one.client(cookie=elsewhere.headers["cookie"]).get("/api/v1/me")).is_error
        for _ in range(200):
            if (await elsewhere.get("/api/v1/me")).status_code == 401:
                return True
            await asyncio.sleep(0.01)
        return False

    assert run(is_out()), "remembered for a minute"


def test_signing_out_ends_one_session_and_its_cookie(web: Any, here: Any, audit_rows: Any) -> None:
    one, other = web.signed_in(here), web.signed_in(here)
    answer = web.run(one.post(SIGN_OUT))
    assert answer.status_code == 204
    found = cookie(answer)
    assert (found["name"], found["max-age"]) == (LOOPBACK_COOKIE, "0")
    assert web.get(one, "/api/v1/me").status_code == 401
    assert web.get(other, "/api/v1/me").status_code == 200
    assert web.run(one.post(SIGN_OUT)).status_code == 401
    actions = [row["action"] for row in audit_rows(here)]
    assert actions == ["sign_in", "sign_in", "sign_out"]


def test_a_short_session(make_web: Any, here: Any) -> None:
    import time

    web = make_web(session_hours=1.2 / 3600)
    client = web.signed_in(here)
    stolen = web.client(cookie=f"{LOOPBACK_COOKIE}={web.token(client)}")
    assert web.get(stolen, "/api/v1/me").status_code == 200
    time.sleep(1.3)
    assert web.get(stolen, "/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "beside",
    ['other={"a": 1}', "a b=c", "x=é", ";;", "=", "other=%00", 'q="; w="', "v=1; path=/; $x"],
)
def test_other_cookies_of_this_host_are_no_hindrance(web: Any, here: Any, beside: str) -> None:
    token = web.token(web.signed_in(here))
    for value in (f"{beside}; {LOOPBACK_COOKIE}={token}", f"{LOOPBACK_COOKIE}={token}; {beside}"):
        client = web.client()
        answer = web.get(client, "/api/v1/me", headers=[("cookie", value.encode("latin-1"))])
        assert answer.status_code == 200, value
    split = [("cookie", "a=b"), ("cookie", f"{LOOPBACK_COOKIE}={token}")]
    assert web.get(web.client(), "/api/v1/me", headers=split).status_code == 200, "HTTP/2"


def test_me(web: Any, here: Any) -> None:
    client = web.signed_in(here, Role.TECHNICIAN)
    answer = web.get(client, "/api/v1/me")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "name": here.accounts[Role.TECHNICIAN],
        "role": "technician",
        "permissions": sorted(GRANTS[Role.TECHNICIAN]),
        "establishment": {"id": str(here.id), "name": here.name},
        "case_id": None,
        "csrf_token": client.headers[CSRF_HEADER],
    }


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/me", "/nothing"])
def test_every_answer_tells_the_browser_to_be_careful(web: Any, path: str) -> None:
    headers = web.get(web.client(), path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("sent", ["whole", "in pieces"])
def test_a_body_larger_than_any_route_takes(web: Any, sent: str) -> None:
    size = (1 << 20) + 1

    async def pieces() -> Any:
        for _ in range(40):
            yield b"x" * (1 << 16)

    content = b"x" * size if sent == "whole" else pieces()
    headers = {"content-type": "application/json"}
    answer = web.run(web.client().post("/api/v1/sign-in", content=content, headers=headers))
    assert answer.status_code in {400, 413}
    assert answer.headers["content-type"] == "application/problem+json"


def test_forwarded_addresses_are_believed_only_behind_a_proxy(
    make_web: Any, here: Any, audit_rows: Any
) -> None:
    headers = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.7")]
    body = {"name": here.accounts[Role.TECHNICIAN], "password": "correct horse battery staple"}
    for behind, address in ((False, "127.0.0.1"), (True, "192.0.2.7")):
        web = make_web("https://sgi.example" if behind else ORIGIN, behind_tls_proxy=behind)
        answer = web.run(web.client().post("/api/v1/sign-in", json=body, headers=headers))
        assert answer.status_code == 200
        assert audit_rows(here)[-1]["address"] == address
