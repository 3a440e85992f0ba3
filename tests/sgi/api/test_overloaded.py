"""A store slower than what is asked of it: who is served, who is told, who never notices."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sgi.api.overload import Gate
from sgi.domain.account import Role
from sgi.domain.slide import Slide

READS, OF_ONE, WAITING = 2, 1, 2


@pytest.fixture
def held_up(store: Any, web: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.Event]:
    """Reads of the store go on when it is set."""
    goes_on, read = asyncio.Event(), store.read_range_async

    async def read_range_async(key: str, offset: int, length: int) -> bytes:
        await goes_on.wait()
        found: bytes = await read(key, offset, length)
        return found

    monkeypatch.setattr(store, "read_range_async", read_range_async)
    frames = web.services.slides._frames
    monkeypatch.setattr(frames, "_gate", Gate(READS, OF_ONE, WAITING, 60.0))
    yield goes_on
    goes_on.set()


async def settled(tasks: list[asyncio.Task[httpx.Response]], refused: int) -> list[httpx.Response]:
    """The answers that came, once there are so many."""
    for done in asyncio.as_completed(tasks):
        await done
        answers = [task.result() for task in tasks if task.done()]
        if len(answers) == refused:
            return answers
    raise AssertionError("Fewer were refused.")


def test_one_session_asks_for_everything(
    web: Any, here: Any, slide: Slide, held_up: asyncio.Event
) -> None:
    greedy = web.signed_in(here)
    modest = web.signed_in(here, Role.PATHOLOGIST)
    rows = -(-slide.levels[0].rows // slide.levels[0].tile_rows)
    path = f"/tiles/{slide.id}/0/0"
    accepted = OF_ONE + WAITING // 2
    assert rows >= accepted + 2

    async def use() -> None:
        # Both have opened the slide: from here on it is the frames alone.
        for client in (greedy, modest):
            assert (await client.head(f"{path}/{rows}")).status_code == 404
        asked = [asyncio.create_task(greedy.get(f"{path}/{row}")) for row in range(rows - 1)]
        for answer in await settled(asked, rows - 1 - accepted):
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["detail"].startswith("More is being asked for")
        theirs = asyncio.create_task(modest.get(f"{path}/{rows - 1}"))
        await asyncio.sleep(0)
        # Everything that needs no turn goes on.
        for client, address in (
            (modest, "/api/v1/slides"),
            (greedy, "/api/v1/slides"),
            (modest, "/readyz"),
            (web.client(), "/healthz"),
        ):
            assert (await client.get(address)).status_code == 200
        body = {"name": here.accounts[Role.TECHNICIAN], "password": "correct horse battery"}
        assert (await web.client().post("/api/v1/sign-in", json=body)).status_code in {200, 401}
        assert not theirs.done()
        held_up.set()
        answers = await asyncio.gather(theirs, *asked)
        assert answers[0].status_code == 200
        assert [answer.status_code for answer in answers[1:]].count(200) == accepted
        # And it is over at once.
        for row in range(rows):
            assert (await greedy.get(f"{path}/{row}")).status_code == 200

    web.run(use())
