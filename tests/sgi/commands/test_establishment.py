"""A second laboratory on the same machine."""

import sys
import uuid
from typing import Any

import psycopg
import pytest

from sgi import cli


@pytest.fixture
def ran(url: str, here: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `sgi establishment …`: where it ended."""
    monkeypatch.setenv("SGI_DATA", str(tmp_path))
    monkeypatch.setenv("SGI_DATABASE__URL", url)

    def run(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["sgi", "establishment", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code

    return run


def test_an_establishment_is_added_once_and_listed(
    ran: Any, url: str, here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"Hôpital {uuid.uuid4()}"
    assert ran("add", f" {name} ") in {0, None}
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select action from audit join establishment e on e.id = establishment_id "
            "where e.name = %s",
            [name],
        ).fetchall()
    assert found == [("add_establishment",)]
    assert ran("add", name) == "sgi: There is an establishment of that name; choose another."
    capsys.readouterr()
    assert ran("list") in {0, None}
    assert {here.name, name} <= set(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_must_be_one(ran: Any, name: str) -> None:
    assert ran("add", name).startswith("sgi: An establishment's name has 1 to 100")
