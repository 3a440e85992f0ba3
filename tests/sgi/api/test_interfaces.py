"""Interfaces, what waits to be told, and every message, over REST."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sgi.catalogue import interfaces, messages, outbox
from sgi.catalogue.messages import Change, MessageKeys, ToKeep
from sgi.domain.account import Role
from sgi.domain.interface import SENTENCES, Direction, Health, NoticeKind, NoticeState, Outcome
from sgi.domain.link_words import link_words
from sgi.domain.words import Language
from sgi.hl7.interfaces import built_in
from sgi.hl7.receive import Receiver

RAW = (
    "MSH|^~\\&|GAM|CHU|SGI|CHU|20260612101500+0200||ADT^A31|C1|P|2.5|||||FRA|8859/1\r"
    "EVN|A31|20260612101500+0200\r"
    "PID|1||8000001^^^CHU&1.2.3&ISO^PI||HÉRON^ALIX^^^^^L||19790328|F\r"
).encode("latin-1")


@pytest.fixture
def ask(run: Any, database: Any, here: Any) -> Callable[..., Any]:
    async def asked(function: Any, *args: Any) -> Any:
        async with database.transaction(here.id) as connection:
            return await function(connection, *args)

    return lambda function, *args: run(asked(function, *args))


@pytest.fixture
def sgl(ask: Any, here: Any) -> None:
    ask(interfaces.register, here.id, "sgl", "mllp", 2575, [NoticeKind.CASE, NoticeKind.LINK])


@pytest.fixture
def message(run: Any, database: Any, here: Any, sgl: None) -> str:
    """One that came in and was applied."""
    result = run(Receiver(database, here.id, built_in()).receive(RAW))
    assert result.outcome is Outcome.APPLIED
    return str(result.message_id)


@pytest.fixture
def notice(ask: Any, here: Any, sgl: None) -> uuid.UUID:
    """One that was refused."""
    ask(outbox.link, here.id, uuid.uuid4())
    (put,) = ask(outbox.unsettled, None, 10)
    ask(outbox.end, put.id, NoticeState.REFUSED, "Unknown case.")
    found: uuid.UUID = put.id
    return found


def actions(audit_rows: Any, here: Any) -> list[str]:
    return [row["action"] for row in audit_rows(here) if row["action"] != "sign_in"]


def test_how_an_interface_goes(web: Any, client: Any, message: str, notice: uuid.UUID) -> None:
    (told,) = web.get(client, "/api/v1/interfaces").json()["items"]
    assert (told["name"], told["kind"], told["port"]) == ("sgl", "mllp", 2575)
    assert told["sends"] == ["LAB-101", "ORU"]
    assert (told["backlog"], told["failures"], told["stopped"]) == (0, 1, 1)
    assert told["last_message_at"] == told["last_in_at"]
    assert (told["minutes_behind"], told["health"]) == (0, "stopped")
    french = web.get(client, "/api/v1/interfaces", headers={"Accept-Language": "fr"}).json()
    english = web.get(client, "/api/v1/interfaces", headers={"Accept-Language": "en"}).json()
    assert french["items"][0]["sentence"].startswith("Des avis ont été refusés")
    assert english["items"][0]["sentence"].startswith("Notices were refused")


@pytest.mark.parametrize("health", list(Health))
def test_how_an_interface_is_has_words_in_both_languages(health: Health) -> None:
    assert link_words(SENTENCES[health], Language.FRENCH) != SENTENCES[health]


def test_messages_are_found_and_say_what_they_changed(web: Any, client: Any, message: str) -> None:
    page = web.get(client, "/api/v1/messages", params={"type": "ADT", "direction": "in"}).json()
    (told,) = page["items"]
    assert (told["id"], told["outcome"], told["control_id"]) == (message, "applied", "C1")
    assert [change["what"] for change in told["changes"]] == ["patient.new", "identifier.new"]
    assert told["size_bytes"] == len(RAW)
    assert page["next"] is None
    assert web.get(client, f"/api/v1/messages/{message}").json() == told
    assert "RON" not in str(told), "no names in lists"


def test_pages(web: Any, client: Any, ask: Any, here: Any) -> None:
    for n in range(5):
        kept = ToKeep("sgl", Direction.IN, b"%d" % n, MessageKeys(f"C{n}"), Outcome.APPLIED)
        ask(messages.keep, here.id, kept)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = web.get(client, "/api/v1/messages", params={"limit": "2", **after}).json()
        seen += [item["control_id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == ["C4", "C3", "C2", "C1", "C0"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"after": "x"},
        {"after": "MjAyNg=="},
        {"after": "é"},
        {"outcome": "odd"},
        {"interface": "\0"},
        {"limit": "0"},
        {"since": "yesterday"},
        {"patient_id": "1"},
    ],
)
def test_what_is_asked_wrongly(web: Any, client: Any, wrong: dict[str, str]) -> None:
    assert web.get(client, "/api/v1/messages", params=wrong).status_code == 422


def test_the_message_itself_is_for_few_and_each_view_is_on_record(
    web: Any, client: Any, here: Any, message: str, audit_rows: Any
) -> None:
    technician = web.signed_in(here, Role.TECHNICIAN)
    address = f"/api/v1/messages/{message}"
    assert web.get(technician, address).status_code == 200
    assert web.get(technician, f"{address}/content").status_code == 403
    assert actions(audit_rows, here) == []
    told = web.get(client, f"{address}/content").json()
    assert told["raw"] == RAW.decode("latin-1")
    assert told["answer"].split("\r")[1].startswith("MSA|AA|C1")
    assert (told["charset"], told["is_whole"]) == ("8859/1", True)
    assert actions(audit_rows, here) == ["view_message"]
    assert audit_rows(here)[-1]["object_id"] == uuid.UUID(message)


def test_what_cannot_be_read_is_shown_all_the_same(
    web: Any, client: Any, ask: Any, here: Any
) -> None:
    raw = b"\xff\0garbage" + b"x" * (1 << 20)
    kept = ask(
        messages.keep,
        here.id,
        ToKeep("sgl", Direction.IN, raw, MessageKeys(), Outcome.REFUSED, b""),
    )
    told = web.get(client, f"/api/v1/messages/{kept}/content").json()
    assert told["raw"].startswith("ÿ\0garbage")
    assert (told["charset"], told["is_whole"]) == (None, False)


def test_a_message_is_read_again(
    web: Any, client: Any, run: Any, message: str, here: Any, audit_rows: Any
) -> None:
    answer = run(client.post(f"/api/v1/messages/{message}/replay"))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["outcome"], told["replay_of"]) == ("unchanged", message)
    assert actions(audit_rows, here) == ["replay_message"]
    assert len(web.get(client, "/api/v1/messages").json()["items"]) == 2


def test_a_message_of_an_interface_that_is_gone_is_not_read_again(
    web: Any, client: Any, run: Any, ask: Any, here: Any
) -> None:
    gone = ask(
        messages.keep, here.id, ToKeep("gone", Direction.IN, RAW, MessageKeys(), Outcome.APPLIED)
    )
    assert run(client.post(f"/api/v1/messages/{gone}/replay")).status_code == 409
    sent = ask(
        messages.keep, here.id, ToKeep("sgl", Direction.OUT, RAW, MessageKeys(), Outcome.SENT)
    )
    assert run(client.post(f"/api/v1/messages/{sent}/replay")).status_code == 409


def test_an_interfaces_own_file_is_used(
    web: Any, client: Any, run: Any, message: str, settings: Any
) -> None:
    folder: Path = settings.interfaces
    folder.mkdir(parents=True)
    (folder / "sgl.toml").write_text('[sender]\napplications = ["ANOTHER"]\n')
    told = run(client.post(f"/api/v1/messages/{message}/replay")).json()
    assert told["outcome"] == "refused"
    assert "MSH-3" in told["error"]


def test_what_waits_and_what_stopped(
    web: Any, client: Any, run: Any, notice: uuid.UUID, here: Any, audit_rows: Any
) -> None:
    (told,) = web.get(client, "/api/v1/outbox").json()["items"]
    assert (told["id"], told["state"], told["last_error"]) == (
        str(notice),
        "refused",
        "Unknown case.",
    )
    again = run(client.post(f"/api/v1/outbox/{notice}/retry"))
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    over = run(client.post(f"/api/v1/outbox/{notice}/give-up"))
    assert (over.status_code, over.json()["state"]) == (200, "given_up")
    for verb in ("retry", "give-up"):
        assert run(client.post(f"/api/v1/outbox/{notice}/{verb}")).status_code == 409
    assert web.get(client, "/api/v1/outbox").json()["items"] == []
    assert web.get(client, "/api/v1/outbox", params={"interface": "x"}).json()["items"] == []
    assert actions(audit_rows, here) == ["retry_notice", "give_up_notice"]


@pytest.mark.parametrize(
    ("verb", "address"),
    [
        ("GET", "/api/v1/messages/{id}"),
        ("GET", "/api/v1/messages/{id}/content"),
        ("POST", "/api/v1/messages/{id}/replay"),
        ("POST", "/api/v1/outbox/{id}/retry"),
        ("POST", "/api/v1/outbox/{id}/give-up"),
    ],
)
def test_others_things_are_not_there(
    web: Any, run: Any, there: Any, message: str, notice: uuid.UUID, verb: str, address: str
) -> None:
    other = web.signed_in(there)
    known = notice if "outbox" in address else message
    for identifier in (known, uuid.uuid4()):
        answer = run(other.request(verb, address.format(id=identifier)))
        assert answer.status_code == 404
    assert web.get(other, "/api/v1/interfaces").json()["items"] == []
    assert web.get(other, "/api/v1/messages").json()["items"] == []


def test_metrics_count_and_name_nobody(
    web: Any, message: str, notice: uuid.UUID, here: Any
) -> None:
    told = web.get(web.client(), "/metrics").text
    assert 'sgi_messages_day{direction="in",outcome="applied"} ' in told
    for name in ("sgi_notices_waiting", "sgi_notices_oldest_seconds", "sgi_notices_stopped"):
        assert f"\n{name} " in told
    assert here.name not in told
    assert "sgl" not in told


def test_changes_are_told_as_they_are_kept(web: Any, client: Any, ask: Any, here: Any) -> None:
    changes = (Change("glass.changed", uuid.UUID(int=1), "stains"), Change("ignored", None, "x"))
    kept = ToKeep("sgl", Direction.IN, b"y", MessageKeys(), Outcome.APPLIED, changes=changes)
    told = web.get(client, f"/api/v1/messages/{ask(messages.keep, here.id, kept)}").json()
    assert told["changes"] == [
        {"what": "glass.changed", "id": str(uuid.UUID(int=1)), "detail": "stains"},
        {"what": "ignored", "id": None, "detail": "x"},
    ]


def test_one_that_nobody_serves_is_removed_with_what_it_was_to_tell(
    web: Any, client: Any, ask: Any, notice: uuid.UUID, audit_rows: Any, here: Any
) -> None:
    path = "/api/v1/interfaces/sgl"
    ask(outbox.link, here.id, uuid.uuid4())
    assert web.run(client.delete(path)).status_code == 409, "it gave a sign of life just now"
    for language, word in (("en", "runs"), ("fr", "fonctionne")):
        told = web.run(client.delete(path, headers={"Accept-Language": language})).json()
        assert f"nterface {word}" in told["detail"]
    assert len(ask(outbox.unsettled, None, 10)) == 2
    ask(silence)
    assert web.run(client.delete("/api/v1/interfaces/other")).status_code == 404
    assert web.run(client.delete(path)).status_code == 204
    assert web.get(client, "/api/v1/interfaces").json()["items"] == []
    assert web.get(client, "/api/v1/outbox").json()["items"] == []
    assert ask(outbox.by_id, notice).state is NoticeState.GIVEN_UP
    assert actions(audit_rows, here) == ["remove_interface"]
    assert web.run(client.delete(path)).status_code == 404


async def silence(connection: Any) -> None:
    await connection.execute("update interface set seen_at = now() - interval '1 hour'")


def test_what_stopped_something_is_told_in_the_language_asked_for(
    web: Any, client: Any, notice: uuid.UUID, ask: Any, here: Any
) -> None:
    french = {"Accept-Language": "fr"}
    ask(outbox.retry, notice)
    ask(outbox.end, notice, NoticeState.DEAD, "10.0.0.7:2575 did not answer within 30 s.")
    (told,) = web.get(client, "/api/v1/outbox", headers=french).json()["items"]
    assert told["last_error"] == "10.0.0.7:2575 n'a pas répondu en 30 s."
    (told,) = web.get(client, "/api/v1/outbox", headers={"Accept-Language": "en"}).json()["items"]
    assert told["last_error"] == "10.0.0.7:2575 did not answer within 30 s."
    said = MessageKeys("C9", "SGL|CHU", "ADT^A31")
    kept = ToKeep(
        "sgl",
        Direction.IN,
        RAW,
        said,
        Outcome.REFUSED,
        error="The message could not be taken in time; send it again.",
        changes=[Change("message.cut", detail="Only the beginning of the message was kept.")],
    )
    found = ask(messages.keep, here.id, kept)
    told = web.get(client, f"/api/v1/messages/{found}", headers=french).json()
    assert told["error"] == (
        "Le message n'a pas pu être pris en compte à temps\u202f; renvoyez-le."
    )
    assert told["changes"][0]["detail"] == "Seul le début du message a été conservé."
