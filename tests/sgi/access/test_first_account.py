import stat
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sgi.access import first_account, passwords
from sgi.access.sessions import Sessions
from sgi.access.sign_in import sign_in
from sgi.catalogue import accounts
from sgi.catalogue.database import Database
from sgi.domain.account import Account, Role
from storage.memory import MemoryObjectStore


def test_the_kept_password(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    kept = first_account.kept_password(folder)
    assert len(kept) >= 16
    assert first_account.kept_password(folder) == kept
    assert stat.S_IMODE((folder / "admin-password").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert first_account.kept_password(tmp_path / "other") != kept


def test_a_password_that_was_not_written_to_the_end_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "admin-password").touch(mode=0o600)
    kept = first_account.kept_password(tmp_path)
    assert kept
    assert first_account.kept_password(tmp_path) == kept


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    """In place of `admin`, so that every test meets a first start."""
    chosen = f"admin-{uuid.uuid4()}"
    monkeypatch.setattr(first_account, "NAME", chosen)
    return chosen


def test_the_first_account(
    run: Any, database: Database, here: Any, name: str, audit_rows: Any
) -> None:
    async def account() -> Account:
        async with database.anonymous() as connection:
            found = await accounts.account_named(connection, name)
        assert found
        return found

    run(first_account.ensure_first_account(database, "one"))
    made = run(account())
    assert made.role is Role.ADMINISTRATOR
    assert passwords.matches(made.password_hash, "one")
    run(first_account.ensure_first_account(database, "one"))
    assert run(account()) == made, "nothing changed, nothing written"
    run(first_account.ensure_first_account(database, "two"))
    changed = run(account())
    assert changed.id == made.id
    assert passwords.matches(changed.password_hash, "two")

    class Its:
        id = made.establishment_id

    rows = [row["action"] for row in audit_rows(Its) if row["object_id"] == made.id]
    assert rows == ["create_account", "set_password"]


def test_a_new_password_ends_the_old_sessions(run: Any, database: Database, name: str) -> None:
    def session_of(token: str) -> Any:
        return run(Sessions(database).of(token))

    run(first_account.ensure_first_account(database, "one"))
    signed_in = run(sign_in(database, name, "one", str(uuid.uuid4()), timedelta(hours=1)))
    run(first_account.ensure_first_account(database, "one"))
    assert session_of(signed_in.token), "the same password again"
    run(first_account.ensure_first_account(database, "two"))
    assert session_of(signed_in.token) is None


def test_a_disabled_account_stays_so(
    run: Any, database: Database, url: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    run(first_account.ensure_first_account(database, "one"))
    with psycopg.connect(url) as connection:
        connection.execute("update account set disabled_at = now() where name = %s", [name])
    run(first_account.ensure_first_account(database, "one"))
    assert "disabled" in caplog.text
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select count(*), count(disabled_at) from account where name = %s", [name]
        ).fetchone()
    assert found == (1, 1)


def test_one_first_establishment(url: str, here: Any) -> None:
    with psycopg.connect(url) as connection:
        before = connection.execute("select count(*) from establishment").fetchone()
        first_account.ensure_establishment(url, "another", MemoryObjectStore())
        assert connection.execute("select count(*) from establishment").fetchone() == before
