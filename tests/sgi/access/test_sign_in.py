import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sgi.access import passwords, sign_in
from sgi.access.sessions import Sessions, new_token, token_hash
from sgi.catalogue import accounts
from sgi.catalogue.database import Database
from sgi.domain.account import Role
from sgi.errors import TooManyAttemptsError, WrongCredentialsError

PASSWORD = "correct horse battery staple"
HOUR = timedelta(hours=1)


@pytest.fixture
def name(here: Any) -> str:
    return str(here.accounts[Role.PATHOLOGIST])


@pytest.fixture
def address() -> str:
    """One of its own: failures of the other tests do not count."""
    return str(uuid.uuid4())


def attempt(run: Any, database: Database, name: str, password: str, address: str) -> Any:
    return run(sign_in.sign_in(database, name, password, address, HOUR))


def test_signs_in_and_leaves_one_audit_row(
    run: Any, database: Database, here: Any, name: str, address: str, audit_rows: Any
) -> None:
    signed_in = attempt(run, database, f"  {name.upper()} ", PASSWORD, address)
    session = signed_in.session
    assert (session.account_name, session.establishment_id) == (name, here.id)
    assert session.role is Role.PATHOLOGIST
    (row,) = audit_rows(here)
    assert (row["action"], row["outcome"], row["address"]) == ("sign_in", "success", address)
    assert (row["account_id"], row["session_id"]) == (session.account_id, session.id)
    run(sign_in.sign_out(database, session, address))
    rows = audit_rows(here)
    assert [row["action"] for row in rows] == ["sign_in", "sign_out"]
    assert rows[1]["session_id"] == session.id


def test_the_catalogue_keeps_no_token(
    run: Any, database: Database, here: Any, name: str, address: str
) -> None:
    signed_in = attempt(run, database, name, PASSWORD, address)

    async def rows() -> str:
        async with database.transaction(here.id) as connection:
            cursor = await connection.execute("select * from session")
            return str(await cursor.fetchall())

    kept = run(rows())
    assert signed_in.token not in kept
    assert str(token_hash(signed_in.token)) in kept
    assert len(signed_in.token) >= 43
    assert signed_in.token not in {signed_in.session.csrf_token, new_token(), new_token()}


def test_a_wrong_password_and_an_unknown_name_are_told_alike(
    run: Any, database: Database, here: Any, name: str, address: str, audit_rows: Any
) -> None:
    with pytest.raises(WrongCredentialsError) as wrong:
        attempt(run, database, name, "wrong", address)
    with pytest.raises(WrongCredentialsError) as unknown:
        attempt(run, database, f"nobody-{uuid.uuid4()}", "wrong", address)
    assert str(wrong.value) == str(unknown.value)
    (row,) = audit_rows(here)
    assert (row["action"], row["outcome"], row["session_id"]) == ("sign_in", "failure", None)


def test_an_unknown_name_costs_a_hash_too(
    run: Any, database: Database, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(passwords, "matches", lambda kept, _: bool(checked.append(kept)) or True)
    with pytest.raises(WrongCredentialsError):
        attempt(run, database, f"nobody-{uuid.uuid4()}", "x", address)
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$")


def test_too_many_failures_close_the_door_for_the_right_password_too(
    run: Any, database: Database, name: str, address: str
) -> None:
    for _ in range(sign_in.FAILURES_OF_PAIR):
        with pytest.raises(WrongCredentialsError):
            attempt(run, database, name, "wrong", address)
    with pytest.raises(TooManyAttemptsError) as closed:
        attempt(run, database, name, PASSWORD, address)
    assert closed.value.retry_after_s == 300
    # From elsewhere, the person can still come in; and so can others from here.
    assert attempt(run, database, name, PASSWORD, "elsewhere")


def test_one_address_that_tries_many_names(run: Any, database: Database, address: str) -> None:
    async def tries() -> list[BaseException]:
        found = []
        for _ in range(sign_in.FAILURES_OF_ADDRESS + 1):
            try:
                # Longer than any password: refused at once, and counted all the same.
                name, password = str(uuid.uuid4()), "x" * (passwords.MAX_LENGTH + 1)
                await sign_in.sign_in(database, name, password, address, HOUR)
            except (WrongCredentialsError, TooManyAttemptsError) as error:
                found.append(error)
        return found

    found = run(tries())
    assert [type(error) for error in found].count(WrongCredentialsError) == 30
    assert isinstance(found[-1], TooManyAttemptsError)


def test_one_name_tried_from_many_addresses(run: Any, database: Database, name: str) -> None:
    async def tries() -> list[BaseException]:
        found = []
        for number in range(sign_in.FAILURES_OF_NAME + 1):
            try:
                password = "x" * (passwords.MAX_LENGTH + 1)
                await sign_in.sign_in(database, name, password, f"{name}{number}", HOUR)
            except (WrongCredentialsError, TooManyAttemptsError) as error:
                found.append(error)
        return found

    found = run(tries())
    assert isinstance(found[-1], TooManyAttemptsError)
    assert all(isinstance(error, WrongCredentialsError) for error in found[:-1])


def test_many_guesses_at_once_count_as_many(
    run: Any, database: Database, name: str, address: str
) -> None:
    async def all_at_once() -> list[Any]:
        guesses = (
            sign_in.sign_in(database, name, f"guess {number}", address, HOUR)
            for number in range(20)
        )
        return await asyncio.gather(*guesses, return_exceptions=True)

    found = run(all_at_once())
    looked_at = [error for error in found if isinstance(error, WrongCredentialsError)]
    assert len(looked_at) == sign_in.FAILURES_OF_PAIR
    assert all(isinstance(e, WrongCredentialsError | TooManyAttemptsError) for e in found)


def test_success_forgets_the_failures_before(
    run: Any, database: Database, name: str, address: str
) -> None:
    for _ in range(3):
        for _ in range(sign_in.FAILURES_OF_PAIR - 1):
            with pytest.raises(WrongCredentialsError):
                attempt(run, database, name, "wrong", address)
        assert attempt(run, database, name, PASSWORD, address)


def test_a_disabled_account_stays_out(
    run: Any, database: Database, here: Any, name: str, address: str
) -> None:
    signed_in = attempt(run, database, name, PASSWORD, address)

    async def disable() -> None:
        async with database.transaction(here.id) as connection:
            await connection.execute("update account set disabled_at = now()")

    run(disable())
    with pytest.raises(WrongCredentialsError):
        attempt(run, database, name, PASSWORD, address)
    assert run(Sessions(database).of(signed_in.token)) is None


def test_signing_in_sweeps_expired_sessions(
    run: Any, database: Database, here: Any, name: str, address: str
) -> None:
    async def sweep() -> int:
        async with database.transaction(here.id) as connection:
            await connection.execute("update session set expires_at = now() - interval '1 s'")
            account = await accounts.account_named(connection, name)
            assert account
            await accounts.open_session(connection, account, b"x" * 32, "csrf", HOUR)
            cursor = await connection.execute("select count(*) as n from session")
            row = await cursor.fetchone()
            assert row
            await connection.execute("delete from session")
            return int(row["n"])

    attempt(run, database, name, PASSWORD, address)
    assert run(sweep()) == 1


MakeWeb = Callable[..., Any]


def test_the_door_says_when_to_come_back(web: Any, here: Any) -> None:
    client = web.client()
    name = here.accounts[Role.TECHNICIAN]
    answers = [web.sign_in(client, name, "wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "300"
    assert answers[0].json() == web.sign_in(client, f"nobody {uuid.uuid4()}", "wrong").json()
    assert "set-cookie" not in answers[0].headers
    assert web.sign_in(web.client(), here.accounts[Role.PATHOLOGIST]).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"[]",
        b'{"name": "admin"}',
        b'{"name": "", "password": "x"}',
        b'{"name": ["a"], "password": "x"}',
        b'{"name": "a", "password": "' + b"x" * 513 + b'"}',
        b'{"name": "' + b"x" * 201 + b'", "password": "x"}',
        b'{"name": "\\u0000", "password": "x"}',
        b'{"name": "\\ud800", "password": "x"}',
        b"\xff\xfe",
        b"",
        b"[" * 100_000,
    ],
)
def test_nonsense_is_refused_without_a_hash(
    web: Any, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda *_: pytest.fail("a hash was computed"))
    client = web.client()
    headers = {"content-type": "application/json"}
    answer = web.run(client.post("/api/v1/sign-in", content=body, headers=headers))
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_longest_password_is_taken(run: Any) -> None:
    longest = "é" * passwords.MAX_LENGTH
    kept = passwords.hash_password(longest)
    assert run(passwords.check(kept, longest))
    assert not run(passwords.check(kept, longest + "é"))


def test_an_unknown_name_is_a_line_in_the_log_without_it(
    run: Any, database: Database, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = f"typed-a-password-{uuid.uuid4()}"
    with pytest.raises(WrongCredentialsError):
        attempt(run, database, unknown, PASSWORD, address)
    assert address in caplog.text
    assert unknown not in caplog.text
