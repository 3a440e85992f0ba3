"""A second pair of hands."""

import re
import sys
import uuid
from typing import Any

import psycopg
import pytest

from sgi import cli
from sgi.access import passwords
from sgi.catalogue import accounts
from sgi.catalogue.database import Database
from sgi.domain.account import Role


@pytest.fixture
def ran(url: str, here: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `sgi account add …`: where it ended."""
    monkeypatch.setenv("SGI_DATA", str(tmp_path))
    monkeypatch.setenv("SGI_DATABASE__URL", url)

    def run(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["sgi", "account", "add", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code

    return run


def test_an_account_is_added_and_its_password_printed_once(
    run: Any, ran: Any, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"second {uuid.uuid4()}"
    assert ran(name, "--role", "pathologist") in {0, None}
    said = capsys.readouterr().out
    found = re.search(r"with password (\S+)", said)
    assert found

    async def look() -> Any:
        async with database.anonymous() as connection:
            return await accounts.account_named(connection, name)

    account = run(look())
    assert account.role is Role.PATHOLOGIST
    assert passwords.matches(account.password_hash, found[1])
    assert ran(name, "--role", "administrator") == (
        "sgi: There is an account of that name; choose another."
    )


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_must_be_one(ran: Any, name: str) -> None:
    assert ran(name, "--role", "technician").startswith("sgi: An account's name")


def test_an_asked_for_password_must_be_long(ran: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "short")
    assert ran("somebody", "--role", "technician", "--ask").startswith("sgi: A password has")


def test_the_account_is_on_record(ran: Any, url: str) -> None:
    name = f"on record {uuid.uuid4()}"
    ran(name, "--role", "technician")
    with psycopg.connect(url) as connection:
        row = connection.execute(
            """select action from audit join account on account.id = audit.object_id
               where account.name = %s""",
            [name],
        ).fetchone()
    assert row == ("create_account",)


def test_an_account_is_of_the_establishment_that_is_named(
    run: Any, ran: Any, database: Database, there: Any
) -> None:
    name = f"of there {uuid.uuid4()}"
    assert ran(name, "--role", "technician", "--establishment", there.name) in {0, None}

    async def look() -> Any:
        async with database.anonymous() as connection:
            return await accounts.account_named(connection, name)

    assert run(look()).establishment_id == there.id
    assert ran(name, "--role", "technician", "--establishment", "nowhere") == (
        "sgi: There is no such establishment; see `sgi establishment list`."
    )


def test_nobody_is_offered_to_be_a_guest(ran: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("--help") in {0, None}
    said = capsys.readouterr().out
    assert "technician" in said
    assert "guest" not in said
    assert ran("somebody", "--role", "guest") == 2
