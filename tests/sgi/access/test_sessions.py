from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sgi.access import sessions, sign_in
from sgi.access.sessions import Sessions
from sgi.catalogue.database import Database
from sgi.domain.account import Role

PASSWORD = "correct horse battery staple"


@pytest.fixture
def signed_in(run: Any, database: Database, here: Any) -> sign_in.SignedIn:
    name = here.accounts[Role.PATHOLOGIST]
    found: sign_in.SignedIn = run(
        sign_in.sign_in(database, name, PASSWORD, str(here.id), timedelta(hours=1))
    )
    return found


@pytest.mark.parametrize("token", [None, "", "x", "x" * 43, "x" * 100_000, "\0", "é"])
def test_no_session_for_anything_else(run: Any, database: Database, token: str | None) -> None:
    assert run(Sessions(database).of(token)) is None


def test_a_living_session_is_asked_for_once(
    run: Any, database: Database, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Sessions(database)
    assert run(known.of(signed_in.token)) == signed_in.session
    monkeypatch.setattr(database, "anonymous", lambda: pytest.fail("asked again"))
    assert run(known.of(signed_in.token)) == signed_in.session


def test_after_a_minute_it_is_asked_for_again(
    run: Any, database: Database, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Sessions(database)
    run(known.of(signed_in.token))
    run(sign_in.sign_out(database, signed_in.session, "here"))
    assert run(known.of(signed_in.token)), "nothing told it: that is what the feed is for"
    now = sessions.time.monotonic()
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now + 61)
    assert run(known.of(signed_in.token)) is None


def test_forgetting(run: Any, database: Database, signed_in: Any) -> None:
    for forget in (
        lambda known: known.forget(signed_in.session.id),
        lambda known: known.forget_all(),
    ):
        known = Sessions(database)
        assert run(known.of(signed_in.token))
        forget(known)
        assert run(known.of(signed_in.token)), "it lives, and is found again"
    run(sign_in.sign_out(database, signed_in.session, "here"))
    known.forget(signed_in.session.id)
    assert run(known.of(signed_in.token)) is None


def test_one_that_ends_while_it_is_looked_up_is_not_remembered(
    run: Any, database: Database, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Sessions(database)
    look_up = sessions.accounts.session_of

    async def slow(*arguments: Any) -> Any:
        found = await look_up(*arguments)
        await sign_in.sign_out(database, signed_in.session, "here")
        known.forget(signed_in.session.id)
        return found

    monkeypatch.setattr(sessions.accounts, "session_of", slow)
    run(known.of(signed_in.token))
    monkeypatch.undo()
    assert run(known.of(signed_in.token)) is None


def test_an_expired_session_is_none_remembered_or_not(
    run: Any, database: Database, here: Any, signed_in: Any
) -> None:
    known = Sessions(database)
    assert run(known.of(signed_in.token))

    async def expire() -> None:
        async with database.transaction(here.id) as connection:
            await connection.execute("update session set expires_at = now() - interval '1 s'")

    run(expire())
    assert run(Sessions(database).of(signed_in.token)) is None

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "datetime", Later)
        assert run(known.of(signed_in.token)) is None
    assert signed_in.session.expires_at > datetime.now(UTC)


def test_memory_is_bounded(
    run: Any, database: Database, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_REMEMBERED", 3)
    known = Sessions(database)
    known._by_token = {str(n): (0.0, signed_in.session) for n in range(3)}
    assert run(known.of(signed_in.token))
    assert len(known._by_token) == 1
