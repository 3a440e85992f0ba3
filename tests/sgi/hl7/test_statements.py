"""How many questions a message asks of the database: what an hour of the laboratory's costs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from sgi.catalogue.database import Database
from sgi.hl7.interfaces import built_in
from sgi.hl7.receive import Receiver

NOW = datetime(2026, 6, 12, 8, 30, tzinfo=UTC)
PID = "PID|1||8000001^^^CHU&1.2.3&ISO^PI||ESSAI^ALIX^ALIX^^^^L||19790328|F"
EARLY, LATE = "20260612101500+0200", "20260612102000+0200"


def order(slide: int, at: str = EARLY) -> bytes:
    case = "26P1"
    return message(
        f"MSH|^~\\&|SGL|CHU|SGI|CHU|{at}||OML^O21^OML_O21|S{slide}{at}|P|2.5.1|||||FRA"
        "|UNICODE UTF-8|||DPOW-SLIDE^IHE",
        PID,
        f"ORC|NW|{case}|{case}" + "|" * 35 + case,
        f"OBR|1|{case}|{case}|ACP^Anatomie pathologique^L",
        f"SPM|1|{case}-A-1-{slide}|{case}-A-1|TISS^Tissue^HL70487" + "|" * 23 + f"GLASS|||{case}",
        "OBX|1|CWE|397165007^Stain^SCT|1|12710003^Hematoxylin stain^SCT||||||F",
    )


def identity(event: str, at: str = EARLY) -> bytes:
    return message(
        f"MSH|^~\\&|GAM|CHU|SGI|CHU|{at}||ADT^{event}|A{at}|P|2.5|||||FRA|UNICODE UTF-8",
        f"EVN||{at}",
        PID,
    )


def message(*lines: str) -> bytes:
    return "".join(f"{line}\r" for line in lines).encode()


@pytest.fixture
def asked(
    run: Any, database: Database, here: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bytes], int]:
    """Sends a message; how many statements it took, with what begins it, without the commit."""
    receiver = Receiver(database, here.id, built_in(), clock=lambda: NOW)
    execute: Any = psycopg.AsyncCursor.execute
    statements = 0

    async def counting(cursor: Any, *args: Any, **options: Any) -> Any:
        nonlocal statements
        statements += 1
        return await execute(cursor, *args, **options)

    def send(raw: bytes) -> int:
        nonlocal statements
        statements = 0
        answer = run(receiver(raw))
        assert b"\rMSA|AA|" in answer
        return statements

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counting)
    return send


def test_an_order_asks_each_thing_once(asked: Callable[[bytes], int]) -> None:
    assert asked(order(1)) <= 23  # which makes the patient, the case and the slide
    assert asked(order(2)) <= 10
    assert asked(order(2, LATE)) <= 16
    assert asked(order(2)) <= 3


def test_an_identity_asks_each_thing_once(asked: Callable[[bytes], int]) -> None:
    assert asked(identity("A28")) <= 14
    assert asked(identity("A31", LATE)) <= 9
