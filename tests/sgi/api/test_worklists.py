"""Worklists over REST: counted, searched, page by page, and the searches that people keep."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sgi.catalogue import cases
from sgi.domain.account import Role
from sgi.domain.case import CaseSaid, Priority

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CASES = 7


@pytest.fixture
def numbers(run: Any, database: Any, here: Any) -> list[str]:
    """Accession numbers, the oldest first; the last is a frozen section."""

    async def make() -> list[str]:
        made = [f"26P0000{index}" for index in range(CASES)]
        async with database.transaction(here.id) as connection:
            for index, number in enumerate(made):
                said = CaseSaid(
                    number,
                    priority=Priority.STAT if index == 3 else None,
                    extemporane=index == CASES - 1,
                    received_at=AT + timedelta(hours=index),
                )
                await cases.record_case(
                    connection, here.id, said, None, said_at=AT, source="lab100"
                )
        return made

    result: list[str] = run(make())
    return result


@pytest.fixture
def reader(web: Any, here: Any) -> Any:
    return web.signed_in(here, Role.PATHOLOGIST)


def search(web: Any, client: Any, name: str, **body: Any) -> Any:
    return web.run(client.post(f"/api/v1/worklists/{name}/search", json=body))


def listed(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["accession_number"] for item in answer.json()["items"]]


def test_lists_are_counted(web: Any, reader: Any, numbers: list[str]) -> None:
    items = web.get(reader, "/api/v1/worklists").json()["items"]
    counted = {item["name"]: item["count"] for item in items}
    assert counted["all"] == counted["open"] == counted["unassigned"] == CASES
    assert (counted["extemporane"], counted["mine"]) == (1, 0)
    assert not any(item["capped"] for item in items)


def test_a_list_is_read_page_by_page(web: Any, reader: Any, numbers: list[str]) -> None:
    urgent = [numbers[6], numbers[3], *numbers[:3], *numbers[4:6]]
    orders = {"priority": urgent, "received": numbers}
    for order, expected in orders.items():
        found, after = [], None
        while True:
            answer = search(web, reader, "open", order=order, limit=3, after=after)
            found += listed(answer)
            after = answer.json()["next"]
            if after is None:
                break
        assert found == expected
    assert listed(web.get(reader, "/api/v1/cases")) == numbers[::-1], "the newest first"
    assert listed(web.get(reader, "/api/v1/worklists/extemporane")) == [numbers[6]]


def test_a_list_is_searched_and_narrowed(web: Any, reader: Any, numbers: list[str]) -> None:
    assert listed(search(web, reader, "all", q="26p00004")) == [numbers[4]]
    assert listed(search(web, reader, "open", priority="S")) == [numbers[3]]
    assert listed(web.get(reader, "/api/v1/cases?q=26P00002&state=received")) == [numbers[2]]
    assert listed(search(web, reader, "all", state=["signed_out"])) == []
    path = f"/api/v1/cases?accession_number={numbers[5]}"
    assert listed(web.get(reader, path)) == [numbers[5]]
    assert listed(web.get(reader, path[:-1])) == [], "the whole of it"


@pytest.mark.parametrize(
    "body",
    [
        {"after": "x"},
        {"after": "W10="},
        {"after": "WyJyZWNlaXZlZCIsICJ4IiwgIngiXQ=="},
        {"limit": 0},
        {"limit": 1000},
        {"q": "x" * 201},
        {"q": "\x00"},
        {"state": ["x"]},
        {"received_from": "2026-01-01T00:00:00"},
    ],
)
def test_what_is_no_search_is_refused(web: Any, reader: Any, body: dict[str, Any]) -> None:
    assert search(web, reader, "all", **body).status_code == 422


def test_a_cursor_is_of_its_order(web: Any, reader: Any, numbers: list[str]) -> None:
    after = search(web, reader, "open", order="due", limit=2).json()["next"]
    assert search(web, reader, "open", order="due", after=after).status_code == 200
    assert search(web, reader, "open", order="priority", after=after).status_code == 422


def test_no_such_list(web: Any, reader: Any) -> None:
    assert web.get(reader, "/api/v1/worklists/nothing").status_code in {404, 422}


def test_others_see_nothing_of_it(web: Any, there: Any, numbers: list[str]) -> None:
    client = web.signed_in(there)
    assert listed(search(web, client, "all")) == []
    assert listed(search(web, client, "all", q="26P")) == []


def test_lists_are_on_record_once_a_session(
    web: Any, reader: Any, here: Any, numbers: list[str], audit_rows: Callable[..., Any]
) -> None:
    for _ in range(3):
        search(web, reader, "all")
    assert [row["action"] for row in audit_rows(here)].count("list_cases") == 1


def test_a_misspelt_word_of_a_search_does_not_list_everything(web: Any, reader: Any) -> None:
    answer = web.run(reader.post("/api/v1/worklists/all/search", json={"statee": ["ready"]}))
    assert answer.status_code == 422
    assert answer.json()["fields"] == ["statee"]


@pytest.mark.parametrize("name", ["a\x07", "a\nb", "a\x85b"])
def test_a_search_has_a_name_of_one_line(web: Any, reader: Any, name: str) -> None:
    body = {"name": name, "worklist": "all", "q": "x"}
    assert web.run(reader.post("/api/v1/worklist-filters", json=body)).status_code == 422


def test_searches_are_kept_each_its_own(web: Any, reader: Any, here: Any) -> None:
    path = "/api/v1/worklist-filters"
    for words in ("sein", "sein ki-67"):
        body = {"name": "Sein", "worklist": "open", "q": words}
        kept = web.run(reader.post(path, json=body)).json()
    assert [item["q"] for item in web.get(reader, path).json()["items"]] == ["sein ki-67"]
    other = web.signed_in(here, Role.TECHNICIAN)
    assert web.get(other, path).json()["items"] == []
    assert web.run(other.delete(f"{path}/{kept['id']}")).status_code == 404
    assert web.run(reader.delete(f"{path}/{kept['id']}")).status_code == 204
    assert web.get(reader, path).json()["items"] == []
