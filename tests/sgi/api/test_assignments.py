"""Whose cases are: given by hand, in turn, by rules tried before they hold; and when due."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sgi.catalogue import cases, specimens
from sgi.catalogue.accounts import add_account
from sgi.domain.account import Role
from sgi.domain.case import Asset, AssetKind, CaseEvent, CaseSaid, Code, Priority

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def client(web: Any, here: Any) -> Any:
    return web.signed_in(here)


@pytest.fixture
def make(run: Any, database: Any, here: Any) -> Any:
    """Records a case of an organ; returns its id."""

    async def case(number: str, organ: str, said: dict[str, Any]) -> uuid.UUID:
        async with database.transaction(here.id) as connection:
            case_id = await cases.record_case(
                connection,
                here.id,
                CaseSaid(number, received_at=AT, **said),
                None,
                said_at=AT,
                source="x",
            )
            part = Asset(
                AssetKind.SPECIMEN,
                f"{number}.A",
                accession_number=number,
                site=Code("1", organ),
            )
            await specimens.record_asset(connection, here.id, part, said_at=AT, source="x")
        return case_id

    return lambda number, organ="Sein", **said: run(case(number, organ, said))


def send(web: Any, client: Any, method: str, path: str, body: Any) -> Any:
    return web.run(client.request(method, f"/api/v1/{path}", json=body))


@pytest.fixture
def accounts(web: Any, client: Any, here: Any) -> dict[str, str]:
    """Ids by name of those who read cases."""
    found = web.get(client, "/api/v1/assignees").json()["accounts"]
    by_name = {each["name"]: each["id"] for each in found}
    assert here.accounts[Role.TECHNICIAN] not in by_name
    return {
        "pathologist": by_name[here.accounts[Role.PATHOLOGIST]],
        "administrator": by_name[here.accounts[Role.ADMINISTRATOR]],
    }


def shown(web: Any, client: Any, case_id: uuid.UUID) -> Any:
    return web.get(client, f"/api/v1/cases/{case_id}").json()


def test_a_case_is_given_and_taken_back(
    web: Any, client: Any, make: Any, accounts: dict[str, str]
) -> None:
    case_id = make("C1")
    path = f"cases/{case_id}/assign"
    told = send(web, client, "POST", path, {"account": accounts["pathologist"]}).json()
    assert told["pathologist"]["id"] == accounts["pathologist"]
    assert send(web, client, "POST", path, {}).json()["pathologist"] is None
    kinds = [entry["kind"] for entry in shown(web, client, case_id)["history"]]
    assert kinds == ["assigned", "assigned"]
    nobody = {"account": str(uuid.uuid4())}
    assert send(web, client, "POST", path, nobody).status_code == 404


def test_a_group_takes_turns(web: Any, client: Any, make: Any, accounts: dict[str, str]) -> None:
    body = {"name": "Sein", "members": list(accounts.values())}
    (group,) = send(web, client, "POST", "groups", body).json()["items"]
    assert send(web, client, "POST", "groups", body).status_code == 409
    given = []
    for number in ("C1", "C2", "C3"):
        told = send(
            web,
            client,
            "POST",
            f"cases/{make(number)}/assign",
            {"group": group["id"], "rotate": True},
        ).json()
        given.append(told["pathologist"]["id"])
    assert set(given[:2]) == set(accounts.values())
    assert given[2] == given[0]
    lone = {"name": "Sein", "members": []}
    send(web, client, "PUT", f"groups/{group['id']}", lone)
    answer = send(
        web,
        client,
        "POST",
        f"cases/{make('C4')}/assign",
        {"group": group["id"], "rotate": True},
    )
    assert answer.status_code == 409


def test_rules_are_tried_and_then_hold(
    web: Any, client: Any, make: Any, accounts: dict[str, str]
) -> None:
    (group,) = send(
        web, client, "POST", "groups", {"name": "G", "members": [accounts["pathologist"]]}
    ).json()["items"]
    rules = {
        "rules": [
            {"organ": "sein", "priority": "S", "account": accounts["administrator"]},
            {"organ": "COLON", "group": group["id"], "rotate": True},
            {"group": group["id"]},
        ]
    }
    before = make("C1", "Sein", priority=Priority.STAT)
    tried = send(web, client, "POST", "assignment-rules/simulate", rules).json()
    assert tried == {"cases": 1, "by_rule": [1, 0, 0], "by_none": 0}
    assert shown(web, client, before)["pathologist"] is None, "nothing was changed"
    assert send(web, client, "PUT", "assignment-rules", rules).status_code == 200
    kept = web.get(client, "/api/v1/assignment-rules").json()["rules"]
    assert [rule["organ"] for rule in kept] == ["sein", "COLON", None]

    urgent = shown(web, client, make("C2", "Sein gauche", priority=Priority.STAT))
    assert urgent["pathologist"]["id"] == accounts["administrator"]
    colon = shown(web, client, make("C3", "Côlon"))
    assert colon["pathologist"]["id"] == accounts["pathologist"]
    other = shown(web, client, make("C4", "Peau"))
    assert (other["pathologist"], other["group"]["id"]) == (None, group["id"])


def test_rules_leave_alone_what_a_person_gave(
    web: Any, client: Any, make: Any, accounts: dict[str, str]
) -> None:
    case_id = make("C1")
    send(web, client, "POST", f"cases/{case_id}/assign", {})
    rules = {"rules": [{"account": accounts["administrator"]}]}
    send(web, client, "PUT", "assignment-rules", rules)
    make("C1", comment="again")
    assert shown(web, client, case_id)["pathologist"] is None


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"account": str(uuid.uuid4()), "group": str(uuid.uuid4())},
        {"account": str(uuid.uuid4()), "rotate": True},
        {"organ": "", "account": str(uuid.uuid4())},
    ],
)
def test_a_rule_that_gives_to_nobody_is_refused(web: Any, client: Any, rule: Any) -> None:
    body = {"rules": [rule]}
    assert send(web, client, "PUT", "assignment-rules", body).status_code == 422


def test_the_laboratory_names_a_pathologist_by_number(
    web: Any, client: Any, make: Any, accounts: dict[str, str]
) -> None:
    path = f"accounts/{accounts['pathologist']}/number"
    assert send(web, client, "PUT", path, {"number": "80001"}).status_code == 204
    told = shown(web, client, make("C1", pathologist="80001", pathologist_name="MARTIN"))
    assert told["pathologist"]["id"] == accounts["pathologist"]
    assert told["laboratory_pathologist"] == "MARTIN"
    other = f"accounts/{accounts['administrator']}/number"
    assert send(web, client, "PUT", other, {"number": "80001"}).status_code == 409


def test_targets_make_cases_due_and_turnaround_is_measured(
    web: Any, client: Any, make: Any, run: Any, database: Any, here: Any
) -> None:
    case_id = make("C1", priority=Priority.STAT)
    due = datetime.fromisoformat(shown(web, client, case_id)["due_at"])
    assert due - AT == timedelta(hours=24)
    answer = send(web, client, "PUT", "turnaround", {"hours": {"S": 4}})
    assert answer.status_code == 200, answer.text
    due = datetime.fromisoformat(shown(web, client, case_id)["due_at"])
    assert due - AT == timedelta(hours=4)

    async def close() -> None:
        async with database.transaction(here.id) as connection:
            await cases.advance(connection, case_id, CaseEvent.FINAL)
            await connection.execute(
                "update lab_case set signed_out_at = now(), received_at = "
                "now() - interval '2 hours', due_at = now() + interval '2 h'"
            )

    run(close())
    items = web.get(client, "/api/v1/turnaround?days=3").json()["items"]
    stat = next(item for item in items if item["kind"] == "S")
    assert (stat["target_hours"], stat["cases"], stat["in_time"]) == (4, 1, 1)
    assert stat["median_hours"] == pytest.approx(2)
    assert send(web, client, "PUT", "turnaround", {"hours": {"S": 0}}).status_code == 422


@pytest.mark.parametrize("hours", [1e-300, 0.24, -1, 10_000.1])
def test_a_target_that_cannot_be_is_refused(web: Any, client: Any, hours: float) -> None:
    assert send(web, client, "PUT", "turnaround", {"hours": {"S": hours}}).status_code == 422
    assert send(web, client, "PUT", "turnaround", {"hours": {"S": 0.25}}).status_code == 200


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.GUEST])
def test_only_who_reads_cases_is_of_a_group(
    web: Any, client: Any, here: Any, run: Any, database: Any, role: Role
) -> None:
    async def account() -> str:
        async with database.transaction(here.id) as connection:
            added = await add_account(connection, here.id, f"nobody.{role}", role, "x")
            return str(added)

    nobody = run(account())
    body = {"name": "G", "members": [nobody]}
    assert send(web, client, "POST", "groups", body).status_code == 404
    assert web.get(client, "/api/v1/groups").json()["items"] == []


@pytest.mark.parametrize("name", ["a\u202eb", "a\x1b[31m", "a\nb"])
def test_a_groups_name_shows_what_it_is(web: Any, client: Any, name: str) -> None:
    assert send(web, client, "POST", "groups", {"name": name, "members": []}).status_code == 422


def test_rules_are_not_tried_that_would_not_be_kept(
    web: Any, client: Any, there: Any, accounts: dict[str, str]
) -> None:
    stranger = web.get(web.signed_in(there), "/api/v1/assignees").json()["accounts"][0]["id"]
    for body in ({"account": stranger}, {"group": str(uuid.uuid4())}):
        for method, path in (("PUT", "assignment-rules"), ("POST", "assignment-rules/simulate")):
            answer = send(web, client, method, path, {"rules": [body]})
            assert answer.status_code == 404, (path, body)


def test_a_case_that_a_rule_gave_says_so(
    web: Any, client: Any, make: Any, accounts: dict[str, str], here: Any
) -> None:
    rule = {"account": accounts["pathologist"]}
    assert send(web, client, "PUT", "assignment-rules", {"rules": [rule]}).status_code == 200
    given = [
        (each["kind"], each["after"], each["by"], each["source"])
        for each in shown(web, client, make("26P00901"))["history"]
        if each["after"] == here.accounts[Role.PATHOLOGIST]
    ]
    assert given == [("assigned_by_rule", here.accounts[Role.PATHOLOGIST], None, None)]


def test_only_an_administrator_changes_the_rules(web: Any, here: Any) -> None:
    client = web.signed_in(here, Role.PATHOLOGIST)
    for method, path, body in (
        ("POST", "groups", {"name": "x", "members": []}),
        ("PUT", "assignment-rules", {"rules": []}),
        ("PUT", "turnaround", {"hours": {}}),
    ):
        assert send(web, client, method, path, body).status_code == 403


def test_a_group_goes_once_no_rule_gives_to_it(
    web: Any, client: Any, make: Any, accounts: dict[str, str]
) -> None:
    case = make("26P00801")
    members = [accounts["pathologist"]]
    made = send(web, client, "POST", "groups", {"name": "Sein", "members": members}).json()
    (group,) = made["items"]
    taken = send(web, client, "POST", "groups", {"name": "Sein", "members": []})
    assert (taken.status_code, taken.json()["title"]) == (409, "Taken")
    assert "name" in taken.json()["detail"]
    rules = {"rules": [{"organ": "sein", "group": group["id"]}]}
    assert send(web, client, "PUT", "assignment-rules", rules).status_code == 200
    assert send(web, client, "POST", f"cases/{case}/assign", {"group": group["id"]}).is_success
    path = f"groups/{group['id']}"
    refused = send(web, client, "DELETE", path, None)
    assert (refused.status_code, refused.json()["title"]) == (409, "InUse")
    assert send(web, client, "PUT", "assignment-rules", {"rules": []}).status_code == 200
    assert send(web, client, "DELETE", path, None).json() == {"items": []}
    assert send(web, client, "DELETE", path, None).status_code == 404
    told = web.get(client, f"/api/v1/cases/{case}").json()
    assert told["group"] is None
    last = [each for each in told["history"] if each["kind"] == "assigned"]
    assert ("Sein", None) in [(each["before"], each["after"]) for each in last]
    again = {"group": group["id"]}
    assert send(web, client, "POST", f"cases/{case}/assign", again).status_code == 404
    gone = {"rules": [{"organ": "sein", "group": group["id"]}]}
    assert send(web, client, "PUT", "assignment-rules", gone).status_code == 404
    anew = send(web, client, "POST", "groups", {"name": "Sein", "members": []})
    assert anew.is_success, "the name is free"


def test_closed_cases_remember_a_group_that_went(
    web: Any, client: Any, make: Any, laboratory: Any, here: Any
) -> None:
    case = make("26P00802")
    (group,) = send(web, client, "POST", "groups", {"name": "Sein", "members": []}).json()["items"]
    assert send(web, client, "POST", f"cases/{case}/assign", {"group": group["id"]}).is_success
    laboratory(here).rows(
        "update lab_case set state = 'signed_out' where id = %s returning id", case
    )
    assert send(web, client, "DELETE", f"groups/{group['id']}", None).is_success
    assert web.get(client, f"/api/v1/cases/{case}").json()["group"]["name"] == "Sein"
    laboratory(here).do(lambda c: cases.advance(c, uuid.UUID(str(case)), CaseEvent.REOPEN))
    assert web.get(client, f"/api/v1/cases/{case}").json()["group"] is None
