"""A case goes from hand to hand: who sees it, what its history says, who may, what holds it."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue import cases
from sgi.domain.account import Role
from sgi.domain.case import CaseSaid

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def administrator(web: Any, here: Any) -> Any:
    return web.signed_in(here, Role.ADMINISTRATOR)


@pytest.fixture
def pathologist(web: Any, here: Any) -> Any:
    return web.signed_in(here, Role.PATHOLOGIST)


@pytest.fixture
def ids(web: Any, administrator: Any, here: Any) -> dict[Role, str]:
    """Of the two who read cases."""
    found = web.get(administrator, "/api/v1/assignees").json()["accounts"]
    by_name = {each["name"]: each["id"] for each in found}
    return {role: by_name[here.accounts[role]] for role in (Role.PATHOLOGIST, Role.ADMINISTRATOR)}


@pytest.fixture
def say(run: Any, database: Any, here: Any) -> Callable[..., uuid.UUID]:
    """The laboratory says something of case C1, each time a minute later."""
    at = AT

    async def record(**said: Any) -> uuid.UUID:
        nonlocal at
        at += timedelta(minutes=1)
        async with database.transaction(here.id) as connection:
            return await cases.record_case(
                connection,
                here.id,
                CaseSaid("C1", received_at=AT, **said),
                None,
                said_at=at,
                source="lab",
            )

    return lambda **said: run(record(**said))


@pytest.fixture
def case(say: Callable[..., uuid.UUID]) -> uuid.UUID:
    return say()


@pytest.fixture
def group(web: Any, administrator: Any, ids: dict[Role, str]) -> str:
    body = {"name": "Sein", "members": [ids[Role.PATHOLOGIST]]}
    answer = web.run(administrator.post("/api/v1/groups", json=body))
    made: str = answer.json()["items"][0]["id"]
    return made


def give(web: Any, client: Any, case: uuid.UUID, **to: Any) -> Any:
    return web.run(client.post(f"/api/v1/cases/{case}/assign", json=to))


def step(web: Any, client: Any, case: uuid.UUID, event: str, **words: str) -> Any:
    return web.run(client.post(f"/api/v1/cases/{case}/state", json={"event": event, **words}))


def lists(web: Any, client: Any) -> set[str]:
    """Those of whose case it is that have it for this account, and count it."""
    found = set()
    for name in ("mine", "group", "unassigned"):
        items = web.get(client, f"/api/v1/worklists/{name}").json()["items"]
        if items:
            found.add(name)
    counted = web.get(client, "/api/v1/worklists").json()["items"]
    assert found == {
        each["name"]
        for each in counted
        if each["count"] and each["name"] in {"mine", "group", "unassigned"}
    }
    return found


def assigned(web: Any, client: Any, case: uuid.UUID) -> list[tuple[Any, Any, Any]]:
    """Before, after, and by whom, oldest first."""
    history = web.get(client, f"/api/v1/cases/{case}").json()["history"]
    return [
        (each["before"], each["after"], each["by"] or each["source"])
        for each in history
        if each["kind"] == "assigned"
    ]


def test_from_one_to_another_to_a_group_and_back(
    web: Any,
    administrator: Any,
    pathologist: Any,
    here: Any,
    ids: dict[Role, str],
    case: uuid.UUID,
    group: str,
    audit_rows: Any,
) -> None:
    one, other = here.accounts[Role.PATHOLOGIST], here.accounts[Role.ADMINISTRATOR]
    assert lists(web, pathologist) == {"unassigned"}
    told = give(web, pathologist, case, account=ids[Role.PATHOLOGIST]).json()
    assert (told["pathologist"]["name"], told["group"]) == (one, None)
    assert (lists(web, pathologist), lists(web, administrator)) == ({"mine"}, set())
    told = give(web, pathologist, case, account=ids[Role.ADMINISTRATOR]).json()
    assert told["pathologist"]["name"] == other
    assert (lists(web, pathologist), lists(web, administrator)) == (set(), {"mine"})
    told = give(web, administrator, case, group=group).json()
    assert (told["pathologist"], told["group"]["name"]) == (None, "Sein")
    assert (lists(web, pathologist), lists(web, administrator)) == ({"group"}, set())
    told = give(web, pathologist, case, group=group, account=ids[Role.PATHOLOGIST]).json()
    assert (told["pathologist"]["name"], told["group"]["name"]) == (one, "Sein")
    assert lists(web, pathologist) == {"mine"}, "who took it from the group's list has it alone"
    give(web, administrator, case)
    assert lists(web, pathologist) == lists(web, administrator) == {"unassigned"}
    assert assigned(web, pathologist, case) == [
        (None, one, one),
        (one, other, one),
        (other, "Sein", other),
        ("Sein", one, one),
        (one, None, other),
    ]
    done = [row for row in audit_rows(here) if row["action"] == "assign_case"]
    assert len(done) == 5
    assert {row["object_id"] for row in done} == {case}


def test_given_to_whom_it_is_already_nothing_happens(
    web: Any, administrator: Any, ids: dict[Role, str], case: uuid.UUID
) -> None:
    for _ in range(2):
        assert give(web, administrator, case, account=ids[Role.PATHOLOGIST]).status_code == 200
    assert len(assigned(web, administrator, case)) == 1


def test_another_group_of_the_same_reader_is_told_as_one(
    web: Any, administrator: Any, here: Any, ids: dict[Role, str], case: uuid.UUID, group: str
) -> None:
    """Whoever has it keeps it: the history does not say that it went from them to them."""
    reader = ids[Role.PATHOLOGIST]
    give(web, administrator, case, account=reader)
    give(web, administrator, case, account=reader, group=group)
    give(web, administrator, case, account=reader)
    name, by = here.accounts[Role.PATHOLOGIST], here.accounts[Role.ADMINISTRATOR]
    assert assigned(web, administrator, case)[:1] == [(None, name, by)]
    assert (name, name, by) not in assigned(web, administrator, case)


def test_who_may(
    web: Any, pathologist: Any, here: Any, there: Any, ids: dict[Role, str], case: uuid.UUID
) -> None:
    to = {"account": ids[Role.PATHOLOGIST]}
    assert give(web, web.signed_in(here, Role.TECHNICIAN), case, **to).status_code == 403
    assert give(web, web.client(), case, **to).status_code in {401, 403}
    assert give(web, web.signed_in(there), case, **to).status_code == 404
    assert lists(web, pathologist) == {"unassigned"}


def test_whom_to(
    web: Any,
    administrator: Any,
    there: Any,
    url: str,
    ids: dict[Role, str],
    case: uuid.UUID,
    here: Any,
) -> None:
    stranger = web.signed_in(there)
    abroad = web.get(stranger, "/api/v1/assignees").json()["accounts"][0]["id"]
    body = {"name": "Ailleurs", "members": []}
    far = web.run(stranger.post("/api/v1/groups", json=body)).json()["items"][0]["id"]
    with psycopg.connect(url) as owner:
        query = "select id from account where name = %s"
        row = owner.execute(query, [here.accounts[Role.TECHNICIAN]]).fetchone()
    assert row
    for to in ({"account": abroad}, {"group": far}, {"account": str(row[0])}):
        assert give(web, administrator, case, **to).status_code == 404, to
    assert give(web, administrator, case, account="nobody").status_code == 422
    assert give(web, administrator, case, rotate=True).status_code == 422, "in turn, but of whom?"
    assert assigned(web, administrator, case) == []


def test_words_that_say_no_group_take_nothing_away(
    web: Any, administrator: Any, ids: dict[Role, str], case: uuid.UUID
) -> None:
    give(web, administrator, case, account=ids[Role.PATHOLOGIST])
    assert give(web, administrator, case, rotate=True).status_code == 422
    answer = give(web, administrator, case, acount=ids[Role.ADMINISTRATOR])
    assert answer.status_code == 422, "a misspelt word is no wish that it be nobody's"
    assert len(assigned(web, administrator, case)) == 1


def test_what_was_somebodys_who_left_can_be_given_on(
    web: Any,
    administrator: Any,
    pathologist: Any,
    here: Any,
    url: str,
    ids: dict[Role, str],
    case: uuid.UUID,
) -> None:
    give(web, administrator, case, account=ids[Role.PATHOLOGIST])
    with psycopg.connect(url) as owner:
        owner.execute(
            "update account set disabled_at = now() where id = %s", [ids[Role.PATHOLOGIST]]
        )
    assert give(web, administrator, case, account=ids[Role.PATHOLOGIST]).status_code == 404
    told = give(web, administrator, case, account=ids[Role.ADMINISTRATOR]).json()
    assert told["pathologist"]["name"] == here.accounts[Role.ADMINISTRATOR]
    assert assigned(web, administrator, case)[-1][0] == here.accounts[Role.PATHOLOGIST]


def test_while_it_is_read_and_put_aside_but_not_once_it_is_closed(
    web: Any,
    administrator: Any,
    pathologist: Any,
    here: Any,
    ids: dict[Role, str],
    case: uuid.UUID,
) -> None:
    assert step(web, pathologist, case, "begin").status_code == 200
    hold = {"reason": "waits for a second opinion"}
    held = web.run(pathologist.post(f"/api/v1/cases/{case}/hold", json=hold))
    assert held.status_code == 200
    told = give(web, pathologist, case, account=ids[Role.ADMINISTRATOR]).json()
    assert (told["state"], told["pathologist"]["id"]) == ("reading", ids[Role.ADMINISTRATOR])
    assert lists(web, administrator) == {"mine"}
    assert step(web, administrator, case, "sign_out").status_code == 200
    assert lists(web, administrator) == set()
    answer = give(web, administrator, case, account=ids[Role.PATHOLOGIST])
    assert answer.status_code == 409
    assert step(web, administrator, case, "reopen", reason="an addendum").status_code == 200
    assert give(web, administrator, case, account=ids[Role.PATHOLOGIST]).status_code == 200
    assert lists(web, pathologist) == {"mine"}


def test_the_laboratory_is_told_of_states_and_not_of_hands(
    web: Any, administrator: Any, here: Any, url: str, ids: dict[Role, str], case: uuid.UUID
) -> None:
    with psycopg.connect(url) as owner:
        owner.execute(
            """insert into interface (establishment_id, name, kind, sends)
               values (%s, 'sgl', 'mllp', '{LAB-101}')""",
            [here.id],
        )
    for role in (Role.PATHOLOGIST, Role.ADMINISTRATOR):
        give(web, administrator, case, account=ids[role])
    step(web, administrator, case, "begin")
    with psycopg.connect(url) as owner:
        query = "select case_id, case_state from outbox where establishment_id = %s"
        rows = owner.execute(query, [here.id]).fetchall()
    assert rows == [(case, "reading")]


def test_a_persons_word_holds_until_the_laboratory_says_another(
    web: Any,
    administrator: Any,
    here: Any,
    ids: dict[Role, str],
    say: Callable[..., uuid.UUID],
) -> None:
    one, other = here.accounts[Role.PATHOLOGIST], here.accounts[Role.ADMINISTRATOR]
    numbers = {Role.PATHOLOGIST: "80001", Role.ADMINISTRATOR: "80002"}
    for role, number in numbers.items():
        path = f"/api/v1/accounts/{ids[role]}/number"
        assert web.run(administrator.put(path, json={"number": number})).status_code == 204
    case = say(pathologist="80001")
    give(web, administrator, case, account=ids[Role.ADMINISTRATOR])
    say(pathologist="80001", comment="another slide's message")
    assert lists(web, administrator) == {"mine"}
    give(web, administrator, case)
    say(pathologist="80001", comment="and another")
    assert lists(web, administrator) == {"unassigned"}
    say(pathologist="80002")
    assert lists(web, administrator) == {"mine"}
    assert assigned(web, administrator, case) == [
        (None, one, "lab"),
        (one, other, other),
        (other, None, other),
        (None, other, "lab"),
    ]


def test_rules_keep_away_from_what_a_person_gave_or_took_back(
    web: Any,
    administrator: Any,
    ids: dict[Role, str],
    case: uuid.UUID,
    say: Callable[..., uuid.UUID],
) -> None:
    give(web, administrator, case, account=ids[Role.PATHOLOGIST])
    rules = {"rules": [{"account": ids[Role.ADMINISTRATOR]}]}
    assert web.run(administrator.put("/api/v1/assignment-rules", json=rules)).status_code == 200
    say(comment="more is known of it")
    assert lists(web, administrator) == set()
    give(web, administrator, case)
    say(comment="and more")
    assert lists(web, administrator) == {"unassigned"}
