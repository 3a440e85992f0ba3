"""One-time links: who has one sees one case, once, for a while, and nothing else."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.access.rules import RULES, Open
from sgi.api.guard import LOOPBACK_COOKIE, LOOPBACK_GUEST_COOKIE, SECURE_GUEST_COOKIE
from sgi.commands.launch import add_client, end_client
from sgi.domain.account import Role
from sgi.errors import ConflictError, InvalidRequestError, NotFoundError
from tests.sgi.conftest import PASSWORD

LINKS = "/api/v1/launch-links"


@pytest.fixture
def lab(laboratory: Callable[[Any], Any], here: Any) -> Any:
    return laboratory(here)


@pytest.fixture
def token(run: Any, url: str, here: Any) -> str:
    made: str = run(add_client(url, "dpath", here.name))
    return made


@pytest.fixture
def ask(web: Any, token: str) -> Callable[..., Any]:
    """The system asks for a link."""

    def make(number: str = "26P1", *, by: str | None = None, **said: Any) -> Any:
        headers = {"authorization": f"Bearer {by or token}"}
        body = {"accession_number": number, **said}
        return web.run(web.client(**headers).post(LINKS, json=body))

    return make


@pytest.fixture
def scan(
    lab: Any, here: Any, store: Any, publish: Callable[..., Any]
) -> Callable[[str, str], tuple[Any, Any]]:
    """A case with one scanned slide."""

    def make(number: str, glass: str) -> tuple[Any, Any]:
        slide, case = publish(here, store), lab.case(number)
        glass_id = lab.asset(glass, accession_number=number)
        lab.rows(
            "update slide set glass_id = %s, unidentified = null where id = %s returning 1",
            glass_id,
            slide.id,
        )
        return case, slide

    return make


def follow(web: Any, link: Any, **headers: str) -> tuple[Any, Any]:
    browser = web.client(**headers)
    return browser, web.get(browser, link.json()["path"])


def test_a_link_is_at_the_address_that_people_use(make_web: Any, token: str, lab: Any) -> None:
    lab.case("26P1")
    web = make_web(address="https://sgi.hospital.example")
    client = web.client(authorization=f"Bearer {token}", host="10.0.0.1:8000")
    told = web.run(client.post(LINKS, json={"accession_number": "26P1"})).json()
    assert told["url"] == f"https://sgi.hospital.example{told['path']}"


def test_a_link_opens_its_case_once(
    web: Any, here: Any, ask: Any, scan: Any, audit_rows: Callable[[Any], list[Any]]
) -> None:
    case, slide = scan("26P1", "26P1-1")
    link = ask(person="Dr Martin")
    assert link.status_code == 201, link.text
    told = link.json()
    assert link.headers["cache-control"] == "no-store"
    assert told["case_id"] == str(case)
    assert told["url"] == f"http://127.0.0.1:8000{told['path']}"
    left = datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(minutes=2)
    browser, answer = follow(web, link)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/cases/{case}"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{LOOPBACK_GUEST_COOKIE}=")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    me = web.get(browser, "/api/v1/me").json()
    assert (me["name"], me["role"]) == ("Dr Martin (dpath)", "guest")
    assert me["establishment"]["name"] == here.name
    assert web.get(browser, f"/tiles/{slide.id}/0/0/0").status_code == 200
    assert web.get(browser, f"/api/v1/slides/{slide.id}").status_code == 200
    shown = web.get(browser, f"/api/v1/cases/{case}")
    assert (shown.status_code, shown.json()["accession_number"]) == (200, "26P1")
    _, again = follow(web, link)
    assert again.status_code == 410
    assert "set-cookie" not in again.headers
    rows = [row for row in audit_rows(here) if "launch_link" in row["action"]]
    assert [(row["action"], row["outcome"]) for row in rows] == [
        ("make_launch_link", "success"),
        ("use_launch_link", "success"),
        ("use_launch_link", "failure"),
    ]
    assert len({row["object_id"] for row in rows}) == 1
    views = [row for row in audit_rows(here) if row["action"] == "view_slide"]
    assert views[0]["session_id"] == rows[1]["session_id"]


def test_a_guest_sees_nothing_else(web: Any, here: Any, there: Any, ask: Any, scan: Any) -> None:
    case, slide = scan("26P1", "26P1-1")
    other_case, other = scan("26P2", "26P2-1")
    browser, _ = follow(web, ask())
    for rule in RULES:
        if rule.need is Open.PUBLIC or rule.path in {"/api/v1/me", "/api/v1/sign-out"}:
            continue
        for value in (str(other_case), str(other.id), str(uuid.uuid4())):
            path = "/".join(value if p.startswith("{") else p for p in rule.path.split("/"))
            answer = web.run(browser.request(rule.method, path))
            assert answer.status_code in {403, 404}, (rule, answer.status_code)
    for path in (
        "/api/v1/cases",
        "/api/v1/slides",
        "/api/v1/worklists",
        "/api/v1/sgl-links",
        f"/cases/{case}/sgl",
        "/dicomweb/studies",
        f"/dicomweb/studies/{slide.study_uid}/metadata",
        f"/iiif/3/{slide.id}/info.json",
        f"/dzi/{slide.id}.dzi",
        "/openapi.json",
        f"/tiles/{slide.id}/../{other.id}/0/0/0",
        f"/tiles/{str(slide.id).upper()}/0/0/0",
    ):
        assert web.get(browser, path).status_code in {403, 404}, path
    query = {"query": "requestType=STUDY&accessionNumber=26P2"}
    assert web.run(browser.post("/api/v1/launch", json=query)).is_error


def test_a_slide_that_turns_out_to_be_of_another_case_is_seen_no_more(
    web: Any, lab: Any, ask: Any, scan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sgi.access.guests._BELIEVED_S", 0.0)
    _, slide = scan("26P1", "26P1-1")
    lab.case("26P2")
    glass = lab.asset("26P2-1", accession_number="26P2")
    browser, _ = follow(web, ask())
    for _ in range(2):  # the second time it is remembered
        assert web.get(browser, f"/tiles/{slide.id}/0/0/0").status_code == 200
    lab.rows("update slide set glass_id = %s where id = %s returning 1", glass, slide.id)
    assert web.get(browser, f"/tiles/{slide.id}/0/0/0").status_code == 404


def test_of_many_at_the_same_moment_one_is_let_in(web: Any, lab: Any, ask: Any) -> None:
    lab.case("26P1")
    path = ask().json()["path"]

    async def rush() -> list[int]:
        clients = [web.client() for _ in range(12)]
        answers = await asyncio.gather(*(client.get(path) for client in clients))
        return [answer.status_code for answer in answers]

    assert sorted(web.run(rush())) == [303] + [410] * 11


def test_what_only_looks_uses_nothing_up(web: Any, lab: Any, ask: Any) -> None:
    lab.case("26P1")
    link = ask()
    path = link.json()["path"]
    assert web.run(web.client().head(path)).status_code == 204
    for name, value in (("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")):
        _, looked = follow(web, link, **{name: value})
        assert looked.status_code == 204
        assert "set-cookie" not in looked.headers
    assert follow(web, link)[1].status_code == 303


def test_a_link_is_soon_too_old(web: Any, url: str, lab: Any, ask: Any) -> None:
    lab.case("26P1")
    link = ask()
    with psycopg.connect(url) as owner:
        owner.execute("update launch_link set expires_at = now() where used_at is null")
    browser, answer = follow(web, link, accept="text/html", **{"accept-language": "fr"})
    assert answer.status_code == 410
    assert "a expiré" in answer.text
    assert web.get(browser, "/api/v1/me").status_code == 401


@pytest.mark.parametrize("guess", ["x", "x" * 43, "%00", "x" * 5000, "..%2f..", "é" * 20])
def test_a_guess_opens_nothing(web: Any, guess: str) -> None:
    answer = web.get(web.client(), f"/go/{guess}")
    assert answer.status_code in {401, 404, 410}
    assert "set-cookie" not in answer.headers


def test_only_hashes_lie_in_the_catalogue(url: str, lab: Any, ask: Any, token: str) -> None:
    lab.case("26P1")
    secret = ask().json()["path"].removeprefix("/go/")
    with psycopg.connect(url) as owner:
        for table in ("launch_client", "launch_link", "account", "session", "audit"):
            rows = owner.execute(f"select to_jsonb(t)::text from {table} t".encode()).fetchall()
            text = str(rows)
            assert secret not in text
            assert token not in text


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic eDp4", "Bearer " + "x" * 300]
)
def test_without_the_token_there_is_no_link(web: Any, lab: Any, header: str | None) -> None:
    lab.case("26P1")
    headers = {} if header is None else {"authorization": header}
    answer = web.run(web.client(**headers).post(LINKS, json={"accession_number": "26P1"}))
    assert answer.status_code == 401


def test_a_person_gets_no_link(web: Any, here: Any, lab: Any) -> None:
    lab.case("26P1")
    client = web.signed_in(here)
    assert web.run(client.post(LINKS, json={"accession_number": "26P1"})).status_code == 401


def test_a_link_is_of_the_systems_own_establishment(
    there: Any, laboratory: Callable[[Any], Any], ask: Any
) -> None:
    laboratory(there).case("26P7")
    assert ask("26P7").status_code == 404
    assert ask("nowhere").status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        {"accession_number": "a\nb"},
        {"accession_number": ""},
        {"accession_number": "x" * 65},
        {"study_uid": "x"},
        {"person": "x\x00"},
        {"person": "x" * 101},
        {"case": "x"},
    ],
)
def test_what_is_asked_for_is_looked_at(lab: Any, ask: Any, said: dict[str, str]) -> None:
    lab.case("26P1")
    number = said.pop("accession_number", "26P1")
    assert ask(number, **said).status_code == 422


def test_both_names_must_agree(lab: Any, ask: Any) -> None:
    one, two = lab.case("26P1"), lab.case("26P2")
    (row,) = lab.rows("select study_uid from lab_case where id = %s", one)
    assert ask("26P1", study_uid=row["study_uid"]).json()["case_id"] == str(one)
    assert ask("26P2", study_uid=row["study_uid"]).status_code == 409
    assert two


def test_a_person_stays_who_they_are(web: Any, here: Any, lab: Any, ask: Any) -> None:
    """A link in a mail must not make a signed-in pathologist somebody else's guest."""
    lab.case("26P1")
    client = web.signed_in(here, Role.PATHOLOGIST)
    assert web.get(client, ask().json()["path"]).status_code == 303
    assert web.get(client, "/api/v1/me").json()["role"] == "pathologist"


def test_each_cookie_holds_its_own_kind(web: Any, here: Any, lab: Any, ask: Any) -> None:
    lab.case("26P1")
    browser, _ = follow(web, ask())
    guest = browser.cookies[LOOPBACK_GUEST_COOKIE]
    person = web.token(web.signed_in(here))
    for cookie in (f"{LOOPBACK_COOKIE}={guest}", f"{LOOPBACK_GUEST_COOKIE}={person}"):
        assert web.get(web.client(cookie=cookie), "/api/v1/me").status_code == 401


def test_nobody_signs_in_as_a_guest(web: Any, run: Any, url: str, here: Any, token: str) -> None:
    with psycopg.connect(url) as owner:
        row = owner.execute(
            "select name from account where role = 'guest' and establishment_id = %s", [here.id]
        ).fetchone()
        known = owner.execute(
            "select password_hash from account where establishment_id = %s and role <> 'guest'",
            [here.id],
        ).fetchone()
        assert row
        assert known
        for password in ("none", "", PASSWORD):
            answer = web.sign_in(web.client(), row[0], password or "x")
            assert answer.status_code == 401
        # Not even with a password that somebody has put there.
        owner.execute("update account set password_hash = %s where name = %s", [known[0], row[0]])
    assert web.sign_in(web.client(), row[0]).status_code == 401


def test_signing_out_ends_a_guests_session(web: Any, lab: Any, ask: Any) -> None:
    lab.case("26P1")
    browser, _ = follow(web, ask())
    csrf = web.get(browser, "/api/v1/me").json()["csrf_token"]
    cookie = f"{LOOPBACK_GUEST_COOKIE}={browser.cookies[LOOPBACK_GUEST_COOKIE]}"
    assert web.run(browser.post("/api/v1/sign-out")).status_code == 403
    gone = web.run(browser.post("/api/v1/sign-out", headers={"x-csrf-token": csrf}))
    assert gone.status_code == 204
    assert web.get(web.client(cookie=cookie), "/api/v1/me").status_code == 401
    assert LOOPBACK_GUEST_COOKIE not in browser.cookies


def test_a_system_that_is_ended_has_no_guests(
    web: Any, run: Any, url: str, here: Any, lab: Any, ask: Any
) -> None:
    lab.case("26P1")
    browser, _ = follow(web, ask())
    waiting = ask()
    run(end_client(url, "dpath", here.name))
    assert ask().status_code == 401
    assert follow(web, waiting)[1].status_code == 410
    run(asyncio.sleep(0.5))
    assert web.get(browser, "/api/v1/me").status_code == 401
    with pytest.raises(NotFoundError):
        run(end_client(url, "dpath", here.name))
    assert run(add_client(url, "dpath", here.name))


def test_a_systems_name_is_one(run: Any, url: str, here: Any, token: str) -> None:
    with pytest.raises(ConflictError):
        run(add_client(url, "dpath", here.name))
    for name in ("", "A", "a b", "x" * 41, "../x"):
        with pytest.raises(InvalidRequestError):
            run(add_client(url, name, here.name))


def test_too_many_links_wait(web: Any, lab: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sgi.api.launch._MOST_WAITING", 2)
    lab.case("26P1")
    assert [ask().status_code for _ in range(3)] == [201, 201, 503]


@pytest.mark.parametrize("host", ["", "evil example", "a\tb", "x" * 300, 'a"b'])
def test_a_host_that_is_none_gets_no_link(web: Any, lab: Any, token: str, host: str) -> None:
    lab.case("26P1")
    headers = {"authorization": f"Bearer {token}", "host": host}
    answer = web.run(web.client(**headers).post(LINKS, json={"accession_number": "26P1"}))
    assert answer.status_code == 400


def test_the_cookie_over_https(make_web: Any, run: Any, url: str, here: Any, lab: Any) -> None:
    web = make_web("https://sgi.example", behind_tls_proxy=True)
    lab.case("26P1")
    headers = {"authorization": f"Bearer {run(add_client(url, 'dpath', here.name))}"}
    link = web.run(web.client(**headers).post(LINKS, json={"accession_number": "26P1"}))
    assert link.json()["url"].startswith("https://sgi.example/go/")
    browser, answer = follow(web, link)
    assert answer.headers["set-cookie"].startswith(f"{SECURE_GUEST_COOKIE}=")
    assert "Secure" in answer.headers["set-cookie"]
    assert web.get(browser, "/api/v1/me").json()["role"] == "guest"


def test_a_guest_of_nothing_is_nobody(web: Any, url: str, here: Any, token: str) -> None:
    """Whatever the code above believes: the catalogue gives no session of a guest without a case,
    and none of a case to anybody else.
    """
    secret = b"0" * 32
    with psycopg.connect(url) as owner:
        for role in ("guest", "administrator"):
            owner.execute(
                """insert into session (token_hash, account_id, establishment_id, csrf_token,
                       expires_at)
                   select sha256(%s), id, establishment_id, '', now() + interval '1 hour'
                   from account where establishment_id = %s and role = %s""",
                [secret + role.encode(), here.id, role],
            )
        found = [
            owner.execute(
                "select role from session_of(sha256(%s))", [secret + role.encode()]
            ).fetchall()
            for role in ("guest", "administrator")
        ]
    assert found == [[], [("administrator",)]]
