import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sgi.api import events as module
from sgi.api import feed as feed_module
from sgi.api.guard import LOOPBACK_COOKIE
from sgi.domain.arrival import ArrivalState


@dataclass
class Stream:
    """What a browser reads from `/api/v1/events` as it comes."""

    status: int = 0
    events: asyncio.Queue[tuple[str, Any]] = field(default_factory=asyncio.Queue)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, name: str) -> Any:
        async with asyncio.timeout(10):
            while True:
                found, data = await self.events.get()
                if found == name:
                    return data


@contextlib.asynccontextmanager
async def listening(web: Any, token: str, query: str = "") -> AsyncIterator[Stream]:
    stream = Stream()
    leave = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await leave.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            stream.status = message["status"]
            return
        for block in message.get("body", b"").decode().split("\n\n"):
            if block.startswith(":"):
                stream.events.put_nowait((block[1:].strip(), None))
            elif block:
                name, _, data = block.partition("\n")
                told = json.loads(data.removeprefix("data: "))
                stream.events.put_nowait((name.removeprefix("event: "), told))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "method": "GET",
        "path": "/api/v1/events",
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1:8000"), (b"accept-language", b"en"),
                    (b"cookie", f"{LOOPBACK_COOKIE}={token}".encode())],
    }  # fmt: skip

    async def serve() -> None:
        await web.application(scope, receive, send)
        stream.ended.set()

    task = asyncio.create_task(serve())
    await stream.next("connected")
    try:
        yield stream
    finally:
        leave.set()
        async with asyncio.timeout(10):
            await task


async def change(web: Any, establishment: Any, arrival: Any, state: ArrivalState) -> None:
    async with web.services.database.transaction(establishment.id) as connection:
        await connection.execute("update arrival set state = %s where id = %s", [state, arrival.id])


@pytest.fixture
def token(web: Any, here: Any) -> str:
    found: str = web.token(web.signed_in(here))
    return found


def test_a_change_is_pushed_to_its_own_establishment(
    web: Any, run: Any, here: Any, there: Any, token: str, arrive: Callable[..., Any]
) -> None:
    mine, theirs = arrive(here), arrive(there)
    other = web.token(web.signed_in(there))

    async def watch() -> None:
        async with listening(web, token) as stream, listening(web, other) as strange:
            await change(web, there, theirs, ArrivalState.HELD)
            await change(web, here, mine, ArrivalState.CONVERTING)
            told = await stream.next("arrival")
            assert told["id"] == str(mine.id), "another establishment's came first"
            assert told["state"] == "converting"
            assert (await strange.next("arrival"))["id"] == str(theirs.id)
            assert stream.events.empty()
            assert strange.events.empty()

    run(watch())


def test_a_changed_case_is_told(web: Any, run: Any, here: Any, there: Any, token: str) -> None:
    async def receive(establishment: Any) -> UUID:
        async with web.services.database.transaction(establishment.id) as connection:
            cursor = await connection.execute(
                """insert into lab_case (establishment_id, accession_number, study_uid, said_at)
                   values (%s, '26P1', '2.25.' || (random() * 1e9)::int, now()) returning id""",
                [establishment.id],
            )
            found: UUID = (await cursor.fetchone())["id"]
            return found

    async def watch() -> None:
        async with listening(web, token) as stream:
            await receive(there)
            mine = await receive(here)
            assert await stream.next("case") == {"id": str(mine)}
            assert stream.events.empty()

    run(watch())


def test_a_published_slide_is_told(
    web: Any, run: Any, here: Any, token: str, arrive: Callable[..., Any]
) -> None:
    arrival = arrive(here)

    async def watch() -> None:
        async with listening(web, token, "lang=fr") as stream:
            await change(web, here, arrival, ArrivalState.PUBLISHED)
            assert (await stream.next("arrival"))["slide"] == str(arrival.slide_id)
            assert await stream.next("slide") == {"id": str(arrival.slide_id)}

    run(watch())


def test_it_stays_open_through_silence(
    web: Any,
    run: Any,
    here: Any,
    token: str,
    arrive: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PING_S", 0.02)
    arrival = arrive(here)

    async def watch() -> None:
        async with listening(web, token) as stream:
            for _ in range(3):
                await stream.next("ping")
            await change(web, here, arrival, ArrivalState.HELD)
            assert (await stream.next("arrival"))["id"] == str(arrival.id)
            await stream.next("ping")

    run(watch())


def test_it_ends_with_its_session(web: Any, run: Any, here: Any) -> None:
    leaving, staying = web.signed_in(here), web.signed_in(here)

    async def watch() -> None:
        async with (
            listening(web, web.token(leaving)) as ending,
            listening(web, web.token(staying)) as going_on,
        ):
            answer = await leaving.post("/api/v1/sign-out")
            assert answer.status_code == 204
            async with asyncio.timeout(5):
                await ending.ended.wait()
            assert not going_on.ended.is_set()

    run(watch())


def test_it_ends_when_its_session_expires(
    make_web: Any, run: Any, here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PING_S", 0.05)
    web = make_web(session_hours=1.2 / 3600)
    token = web.token(web.signed_in(here))

    async def watch() -> None:
        async with listening(web, token) as stream, asyncio.timeout(5):
            await stream.ended.wait()

    run(watch())


def test_an_expired_session_is_told_no_change(
    make_web: Any, run: Any, here: Any, arrive: Any
) -> None:
    web = make_web(session_hours=1.2 / 3600)
    token = web.token(web.signed_in(here))
    arrival = arrive(here)

    async def watch() -> None:
        async with listening(web, token) as stream:
            await asyncio.sleep(1.3)
            await change(web, here, arrival, ArrivalState.HELD)
            async with asyncio.timeout(5):
                await stream.ended.wait()
            told = [stream.events.get_nowait() for _ in range(stream.events.qsize())]
            # That it had been seen may have been told before, and that everything begins again.
            assert all(data.get("state") != ArrivalState.HELD for _, data in told)

    run(watch())


def test_nobody_is_left_subscribed(web: Any, run: Any, token: str) -> None:
    async def watch() -> None:
        async with listening(web, token):
            assert len(web.services.feed._subscribers) == 1

    run(watch())
    assert web.services.feed._subscribers == {}


def test_a_lost_connection_starts_everything_again(
    web: Any,
    run: Any,
    here: Any,
    token: str,
    arrive: Any,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "_RECONNECT_S", 0.02)
    arrival = arrive(here)
    destroyed: list[UUID | None] = []
    web.services.feed.when_slide_destroyed(destroyed.append)

    async def watch() -> None:
        async with listening(web, token) as stream:
            # Once more: the feed forgets every session when it begins to listen itself.
            assert await web.services.sessions.of(token)
            assert web.services.sessions._by_token
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'sgi-listen'"
                )
            assert await stream.next("reset") == {}
            await stream.next("reset")  # once more when nothing is missed any longer
            assert not web.services.sessions._by_token
            assert set(destroyed) == {None}  # any slide may have been, meanwhile
            await change(web, here, arrival, ArrivalState.HELD)
            assert (await stream.next("arrival"))["id"] == str(arrival.id)

    run(watch())


def test_changes_are_kept_from_others_before_the_catalogue_is_asked(
    web: Any, run: Any, here: Any, there: Any, token: str, arrive: Any
) -> None:
    arrival = arrive(there)

    async def watch() -> None:
        session = await web.services.sessions.of(token)
        with web.services.feed.subscription(session) as changes:
            web.services.feed._dispatch("sgi_arrival", f"{there.id} {arrival.id}")
            assert changes.empty()
            web.services.feed._dispatch("sgi_arrival", f"{here.id} {arrival.id}")
            assert changes.get_nowait() == arrival.id

    run(watch())


def test_one_that_falls_behind_starts_again(
    web: Any, run: Any, here: Any, token: str, arrive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "_QUEUE", 3)
    arrival = arrive(here)

    async def watch() -> None:
        feed = web.services.feed
        session = await web.services.sessions.of(token)
        with feed.subscription(session) as changes:
            for _ in range(4):
                feed._dispatch("sgi_arrival", f"{here.id} {arrival.id}")
            assert changes.qsize() == 1
            assert changes.get_nowait() is None

    run(watch())
