"""The short way gives what the whole way gives, and to the same people, over a real connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from sgi.api import lane
from sgi.api.lane import LaneProtocol
from sgi.domain.account import Role
from sgi.domain.slide import Slide

Talk = Callable[["Line"], Awaitable[None]]


class Line:
    """One connection, spoken over byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self, *, head_alone: bool = False) -> tuple[int, dict[str, str], bytes]:
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)).decode()
        line, *lines = head.strip().split("\r\n")
        said = {n.lower(): v for n, _, v in (each.partition(": ") for each in lines)}
        body = b""
        if not head_alone and line.split()[1] != "304":
            body = await self.reader.readexactly(int(said["content-length"]))
        return int(line.split()[1]), said, body

    async def ask(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        self.say(data)
        return await self.answer()

    async def is_closed(self) -> bool:
        return await asyncio.wait_for(self.reader.read(), 10) == b""


class Lane:
    """The application behind the protocol of the web server; counts what went the whole way."""

    def __init__(self, web: Any) -> None:
        self.whole_way = 0
        self._web = web
        self.ready = web.application.ready
        config = uvicorn.Config(
            self, lifespan="off", proxy_headers=False, log_config=None, ws="none"
        )
        config.load()
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"today")]
        self._make = lambda: LaneProtocol(config, self.state, {})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.whole_way += 1
        await self._web.application(scope, receive, send)

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        server = await asyncio.get_running_loop().create_server(self._make, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield Line(reader, writer)
        finally:
            writer.close()
            server.close()

    def talk(self, speak: Talk) -> None:
        async def run() -> None:
            async with self.line() as line:
                await speak(line)

        self._web.run(run())


@pytest.fixture
def short(web: Any) -> Lane:
    return Lane(web)


@pytest.fixture
def cookie(web: Any, client: Any) -> str:
    return f"sgi_session={web.token(client)}"


def request(slide: Slide, cookie: str, place: str = "0/1/0", **more: str) -> bytes:
    headers = {"Host": "127.0.0.1", "Cookie": cookie, "Accept-Language": "en", **more}
    said = "".join(f"{name.replace('_', '-')}: {headers[name]}\r\n" for name in headers)
    return f"GET /tiles/{slide.id}/{place} HTTP/1.1\r\n{said}\r\n".encode()


def test_the_second_answer_is_the_first_without_the_way(
    short: Lane, slide: Slide, cookie: str, frame_of: Any
) -> None:
    async def speak(line: Line) -> None:
        first = await line.ask(request(slide, cookie))
        assert short.whole_way == 1
        for _ in range(3):
            assert await line.ask(request(slide, cookie)) == first
        assert short.whole_way == 1
        assert first[0] == 200
        assert first[1]["date"] == "today"
        assert first[2] == frame_of(0, 1)
        short.state.default_headers = [(b"date", b"tomorrow")]
        assert (await line.ask(request(slide, cookie)))[1]["date"] == "tomorrow"
        await line.ask(request(slide, cookie, "0/2/0"))
        assert short.whole_way == 2, "another tile"

    short.talk(speak)


def test_every_answer_of_the_whole_way_stays_the_same(
    short: Lane, slide: Slide, cookie: str
) -> None:
    async def speak(line: Line) -> None:
        _, head, _ = await line.ask(request(slide, cookie))
        for odd in (
            request(slide, cookie, If_None_Match=head["etag"]),
            request(slide, cookie, Range="bytes=0-1"),
            request(slide, cookie, Content_Length="0"),
            request(slide, cookie, Accept="image/webp"),
            request(slide, cookie).replace(b"GET", b"HEAD"),
        ):
            for turn in range(2):
                before = short.whole_way
                line.say(odd)
                status, said, _ = await line.answer(head_alone=odd.startswith(b"HEAD"))
                assert said["etag"] == head["etag"]
                assert status == (304 if b"If-None-Match" in odd else 200)
                known = turn and b"Accept: " in odd
                assert short.whole_way - before == (0 if known else 1)
        before = short.whole_way
        line.say(request(slide, cookie, Connection="close"))
        assert (await line.answer())[0] == 200
        assert await line.is_closed()
        assert short.whole_way == before + 1

    short.talk(speak)


@pytest.mark.parametrize("cut", [1, 4, 11, 60, -3, -1])
def test_a_request_in_pieces(short: Lane, slide: Slide, cookie: str, cut: int) -> None:
    async def speak(line: Line) -> None:
        whole = request(slide, cookie)
        first = await line.ask(whole)
        line.say(whole[:cut])
        await asyncio.sleep(0.05)
        assert await line.ask(whole[cut:]) == first
        assert await line.ask(whole) == first

    short.talk(speak)


def test_requests_in_one_breath_are_answered_in_order(
    short: Lane, slide: Slide, cookie: str, frame_of: Any
) -> None:
    async def speak(line: Line) -> None:
        one, other = request(slide, cookie), request(slide, cookie, "0/2/0")
        new = request(slide, cookie, "0/3/0")
        await line.ask(one)
        await line.ask(other)
        line.say(new + one + other + one)
        for column in (3, 1, 2, 1):
            assert (await line.answer())[2] == frame_of(0, column)
        line.say(new[:-1])
        line.say(new[-1:] + one)
        for column in (3, 1):
            assert (await line.answer())[2] == frame_of(0, column)

    short.talk(speak)


def test_a_tile_never_overtakes_what_was_asked_before_it(
    short: Lane, slide: Slide, cookie: str, frame_of: Any
) -> None:
    async def speak(line: Line) -> None:
        one = request(slide, cookie)
        await line.ask(one)
        line.say(request(slide, cookie, "0/3/0"))
        await asyncio.sleep(0)
        line.say(one)
        for column in (3, 1):
            assert (await line.answer())[2] == frame_of(0, column)

    short.talk(speak)


def test_others_are_refused_whatever_is_ready(
    web: Any, there: Any, short: Lane, slide: Slide, cookie: str
) -> None:
    stranger = web.signed_in(there)

    async def speak(line: Line) -> None:
        assert (await line.ask(request(slide, cookie)))[0] == 200
        assert (await line.ask(request(slide, "")))[0] == 401
        assert (await line.ask(request(slide, "sgi_session=x")))[0] == 401
        assert (await line.ask(request(slide, cookie[:-1])))[0] == 401
        theirs = f"sgi_session={web.token(stranger)}"
        for _ in range(2):
            assert (await line.ask(request(slide, theirs)))[0] == 404

    short.talk(speak)


@pytest.mark.parametrize(
    "line",
    ["GET {} HTTP/1.0\r\n{}\r\nX: a HTTP/1.1\r\n", "GET {} HTTP/1.1\n{}\r\nX: a HTTP/1.1\r\n"],
)
def test_the_end_of_a_line_within_a_header_hides_no_header(
    short: Lane, slide: Slide, cookie: str, line: str
) -> None:
    path, rest = f"/tiles/{slide.id}/0/1/0", "Accept: */*\r\n\r\n"

    async def speak(session: Line) -> None:
        session.say((line.format(path, f"Cookie: {cookie}") + rest).encode())
        await session.reader.readuntil(b"\r\n\r\n")

    async def ask_without_a_session(nobody: Line) -> None:
        status, _, _ = await nobody.ask(f"GET {path} HTTP/1.1\r\n{rest}".encode())
        assert status == 401

    short.talk(speak)
    short.talk(ask_without_a_session)


def test_signing_out_holds_for_the_very_next_tile(
    web: Any, client: Any, short: Lane, slide: Slide, cookie: str
) -> None:
    async def speak(line: Line) -> None:
        for _ in range(2):
            assert (await line.ask(request(slide, cookie)))[0] == 200
        assert (await client.post("/api/v1/sign-out")).status_code == 204
        status, _, body = await line.ask(request(slide, cookie))
        assert (status, b"Sign in first." in body) == (401, True)

    short.talk(speak)


async def soon(line: Line, data: bytes, status: int) -> None:
    """What another process decides is heard of in a moment."""
    for _ in range(100):
        if (await line.ask(data))[0] == status:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"never answered {status}")


def test_signing_out_at_another_process(
    make_web: Any, web: Any, here: Any, short: Lane, slide: Slide
) -> None:
    other = make_web()
    client = other.signed_in(here)

    async def speak(line: Line) -> None:
        data = request(slide, f"sgi_session={web.token(client)}")
        for _ in range(2):
            assert (await line.ask(data))[0] == 200
        assert short.whole_way == 1
        assert (await client.post("/api/v1/sign-out")).status_code == 204
        await soon(line, data, 401)

    short.talk(speak)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("disabled_at = now()", 401),
        ("role = 'technician'", 200),
    ],
)
def test_an_account_that_loses_its_rights(
    web: Any, here: Any, database: Any, short: Lane, slide: Slide, change: str, status: int
) -> None:
    client = web.signed_in(here, Role.PATHOLOGIST)

    async def speak(line: Line) -> None:
        data = request(slide, f"sgi_session={web.token(client)}")
        for _ in range(2):
            assert (await line.ask(data))[0] == 200
        before = short.whole_way
        async with database.transaction(here.id) as connection:
            await connection.execute(
                f"update account set {change} where name = %s", [here.accounts[Role.PATHOLOGIST]]
            )
        for _ in range(100):
            answer = await line.ask(data)
            if short.whole_way > before:
                break
            await asyncio.sleep(0.02)
        assert answer[0] == status
        assert short.whole_way > before, "it was decided again"

    short.talk(speak)


def test_a_permission_that_is_taken_while_its_tile_is_read(
    web: Any, short: Lane, slide: Slide, cookie: str, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.read_range_async

    async def slow(*arguments: Any) -> bytes:
        found: bytes = await read(*arguments)
        web.services.sessions.forget_all()
        return found

    async def speak(line: Line) -> None:
        monkeypatch.setattr(store, "read_range_async", slow)
        assert (await line.ask(request(slide, cookie)))[0] == 200
        assert not short.ready._visitors, "decided before it was taken"

    short.talk(speak)


def test_a_slide_that_is_gone(short: Lane, slide: Slide, cookie: str) -> None:
    async def speak(line: Line) -> None:
        await line.ask(request(slide, cookie))
        short.ready.forget_slide(slide.id)
        await line.ask(request(slide, cookie))
        assert short.whole_way == 2

    short.talk(speak)


def test_one_view_is_on_record(
    here: Any, short: Lane, slide: Slide, cookie: str, audit_rows: Any
) -> None:
    async def speak(line: Line) -> None:
        for place in ("0/0/0", "0/1/0", "0/0/0", "0/1/0"):
            await line.ask(request(slide, cookie, place))

    short.talk(speak)
    assert [row["action"] for row in audit_rows(here)].count("view_slide") == 1


@pytest.mark.parametrize(
    "data",
    [
        b"GET /tiles/\0 HTTP/1.1\r\n\r\n",
        b"GET /tiles/ HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /tiles/x HTTP/1.1\r\n: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_nonsense_is_refused(short: Lane, data: bytes) -> None:
    async def speak(line: Line) -> None:
        line.say(data)
        assert (await line.answer())[0] == 400
        assert await line.is_closed()

    short.talk(speak)


def test_a_head_without_end(short: Lane) -> None:
    async def speak(line: Line) -> None:
        line.say(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000)
        assert (await line.answer())[0] == 400
        assert await line.is_closed()

    short.talk(speak)


def test_a_head_that_takes_for_ever(short: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "HEAD_SECONDS", 0.1)

    async def speak(line: Line) -> None:
        line.say(b"GET / HTTP/1.1\r\n")
        for _ in range(20):
            await asyncio.sleep(0.03)
            line.say(b"X: y\r\n")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await line.reader.readexactly(1)

    short.talk(speak)


def test_idle_connections_are_closed_and_busy_ones_are_not(
    short: Lane, slide: Slide, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = short._make

    def impatient() -> Any:
        protocol = make()
        protocol.timeout_keep_alive = 0.3
        return protocol

    monkeypatch.setattr(short, "_make", impatient)

    async def speak(line: Line) -> None:
        for _ in range(12):
            assert (await line.ask(request(slide, cookie)))[0] == 200
            await asyncio.sleep(0.05)
        # The second may come before the first is on record; the others go the short way.
        assert 1 <= short.whole_way <= 2
        assert await line.is_closed()

    async def silent(line: Line) -> None:
        assert await line.is_closed()

    async def empty(line: Line) -> None:
        line.say(b"\r\n\r\n")
        assert await line.is_closed()

    short.talk(speak)
    short.talk(silent)
    short.talk(empty)


def test_who_does_not_take_what_was_asked_for_is_not_heaped_with_more(
    short: Lane, slide: Slide, cookie: str
) -> None:
    """Whoever asks and never reads holds a bounded amount of memory."""
    made: list[Any] = []
    make = short._make

    async def run() -> None:
        async def one() -> None:
            server = await asyncio.get_running_loop().create_server(
                lambda: made.append(make()) or made[-1], "127.0.0.1", 0
            )
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            line, data = Line(reader, writer), request(slide, cookie)
            await line.ask(data)
            size = len((await line.ask(data))[2])
            for _ in range(30_000_000 // size):
                writer.write(data)
                if made[0].transport.get_write_buffer_size() > 1 << 20:
                    break
                await asyncio.sleep(0)
            assert made[0].transport.get_write_buffer_size() < 1 << 20
            writer.transport.abort()
            server.close()

        await asyncio.wait_for(one(), 60)

    short._web.run(run())
