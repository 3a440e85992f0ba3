"""What is ready is for whom it was decided, as long as it was decided, and no longer."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from sgi.access.sessions import Sessions
from sgi.api import ready as module
from sgi.api.ready import ReadyTiles, is_plain
from sgi.domain.account import Role, Session

HEADERS = [(b"etag", b'"1"'), (b"content-length", b"5")]
SLIDE, OTHER = uuid.uuid4(), uuid.uuid4()
NEVER = float("inf")


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(None)  # type: ignore[arg-type] # nothing is looked up


def session(session_id: UUID | None = None) -> Session:
    later = datetime.now(UTC) + timedelta(hours=1)
    return Session(
        session_id or uuid.uuid4(),
        uuid.uuid4(),
        "a",
        Role.PATHOLOGIST,
        uuid.uuid4(),
        "e",
        "c",
        later,
    )


@pytest.fixture
def ready(sessions: Sessions) -> ReadyTiles:
    return ReadyTiles(sessions)


def test_nothing_is_ready_before_both_are_known(ready: ReadyTiles) -> None:
    assert ready.find(b"who", b"/tiles/1") is None
    ready.keep(b"/tiles/1", SLIDE, HEADERS, b"frame")
    assert ready.find(b"who", b"/tiles/1") is None
    ready.admit(b"who", 3, session(), NEVER, OTHER)
    assert ready.find(b"who", b"/tiles/1") is None, "let to another slide"
    ready.admit(b"who", 3, session(), NEVER, SLIDE)
    found = ready.find(b"who", b"/tiles/1")
    assert found
    assert found.frame == b"frame"
    assert found.head == b'etag: "1"\r\ncontent-length: 5\r\n\r\n'
    assert ready.find(b"whose", b"/tiles/1") is None
    assert ready.find(b"who", b"/tiles/2") is None


def test_a_header_block_that_becomes_another_sessions_has_its_slides_alone(
    ready: ReadyTiles,
) -> None:
    ready.keep(b"/tiles/1", SLIDE, HEADERS, b"frame")
    ready.admit(b"who", 3, session(), NEVER, SLIDE)
    ready.admit(b"who", 3, session(), NEVER, OTHER)
    assert ready.find(b"who", b"/tiles/1") is None


def test_it_holds_until_its_time_and_can_be_made_longer(
    ready: ReadyTiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, now = session(), module.time.monotonic()
    ready.keep(b"/tiles/1", SLIDE, HEADERS, b"frame")
    ready.admit(b"who", 3, mine, now + 10, SLIDE)
    assert ready.find(b"who", b"/tiles/1")
    monkeypatch.setattr(module.time, "monotonic", lambda: now + 11)
    assert ready.find(b"who", b"/tiles/1") is None
    ready.admit(b"who", 3, mine, now + 20, SLIDE)
    assert ready.find(b"who", b"/tiles/1")


def test_a_session_that_is_forgotten_takes_its_own_with_it(
    ready: ReadyTiles, sessions: Sessions
) -> None:
    mine, other = session(), session()
    ready.keep(b"/tiles/1", SLIDE, HEADERS, b"frame")
    for who, whose in ((b"a", mine), (b"b", mine), (b"c", other)):
        ready.admit(who, 1, whose, NEVER, SLIDE)
    before = ready.forgettings
    sessions.forget(mine.id)
    assert ready.forgettings > before
    assert [bool(ready.find(who, b"/tiles/1")) for who in (b"a", b"b", b"c")] == [0, 0, 1]
    sessions.forget_all()
    assert ready.find(b"c", b"/tiles/1") is None
    assert not ready._visitors
    assert not ready._of_session


def test_a_slide_that_is_gone(ready: ReadyTiles) -> None:
    ready.admit(b"who", 3, session(), NEVER, SLIDE)
    ready.admit(b"who", 3, session(), NEVER, OTHER)
    for gone in (SLIDE, None):
        ready.keep(b"/tiles/1", SLIDE, HEADERS, b"frame")
        ready.keep(b"/tiles/2", OTHER, HEADERS, b"frame")
        ready.forget_slide(gone)
        assert ready.find(b"who", b"/tiles/1") is None
        assert bool(ready.find(b"who", b"/tiles/2")) == (gone is SLIDE)


def test_memory_is_bounded(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_VISITORS", 10)
    ready = ReadyTiles(sessions, kept_bytes=50_000)
    mine = session()
    for number in range(100):
        ready.keep(b"%d" % number, SLIDE, HEADERS, bytes(1000))
        ready.keep(b"%d" % number, SLIDE, HEADERS, bytes(2000))
        ready.admit(b"mine %d" % number, 6, mine, NEVER, SLIDE)
        ready.admit(b"%d" % number, 6, session(), NEVER, uuid.uuid4())
        assert sum(len(tile.frame) for tile in ready._tiles.values()) <= 50_000
        assert len(ready._visitors) <= 10
        assert sum(map(len, ready._of_session.values())) == len(ready._visitors)
    assert ready.find(b"mine 99", b"99"), "what was used last stays"
    ready.admit(b"x" * 5000, 5000, mine, NEVER, SLIDE)
    assert b"x" * 5000 not in ready._visitors
    for _ in range(1000):
        ready.admit(b"mine 99", 6, mine, NEVER, uuid.uuid4())
    assert len(ready._visitors[b"mine 99"].slides) <= 256
    ready.keep(b"large", SLIDE, HEADERS, bytes(100_000))
    assert ready._room == 50_000, "larger than all of it"
    assert not ready._tiles


def test_one_session_cannot_push_the_others_out(ready: ReadyTiles) -> None:
    ready.keep(b"/tiles/1", SLIDE, HEADERS, b"frame")
    ready.admit(b"quiet", 5, session(), NEVER, SLIDE)
    loud = session()
    for number in range(10_000):
        ready.admit(b"%d" % number, 5, loud, NEVER, SLIDE)
    assert ready.find(b"quiet", b"/tiles/1")
    assert len(ready._visitors) <= 17


@pytest.mark.parametrize(
    ("headers", "plain"),
    [
        ([(b"host", b"a"), (b"cookie", b"b"), (b"accept", b"image/*")], True),
        ([(b"connection", b"keep-alive")], True),
        ([(b"connection", b"Keep-Alive")], True),
        ([(b"connection", b"close")], False),
        ([(b"connection", b"keep-alive, upgrade")], False),
        ([(b"if-none-match", b'"x"')], False),
        ([(b"range", b"bytes=0-1")], False),
        ([(b"content-length", b"0")], False),
        ([(b"transfer-encoding", b"chunked")], False),
        ([(b"expect", b"100-continue")], False),
        ([(b"upgrade", b"h2c")], False),
    ],
)
def test_only_plain_requests_are_remembered(headers: Any, plain: bool) -> None:
    assert is_plain(headers) is plain
