"""The MLLP listener against clients of several kinds: independent, slow, broken and hostile."""

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hl7.client import MLLPClient as IndependentClient

from sgi.errors import SgiError
from sgi.hl7.acknowledge import answer
from sgi.hl7.batches import split_messages
from sgi.hl7.message import parse_message
from sgi.hl7.mllp import Frame, Framer, encode_frame
from sgi.hl7.server import Limits, MllpServer, sender_of
from sgi.hl7.tls import server_context

HOST = "127.0.0.1"
LIMITS = Limits(message_bytes=100_000, held_bytes=400_000, idle_s=20, message_s=20, answer_s=20)


def message(control_id: str, size: int = 0, more: str = "|") -> bytes:
    filler = f"OBX|1|TX|X||{'x' * size}\r" if size else ""
    return (
        f"MSH|^~\\&|SGL|X|SGI|Y|20260612||ADT^A08|{control_id}|P|2.5|||{more}|FRA|UNICODE UTF-8\r"
        f"PID|1||7\r{filler}"
    ).encode()


@dataclass
class Kept:
    """A handler that remembers, and may be told to wait or to fail."""

    taken: list[str] = field(default_factory=list)
    peers: set[str] = field(default_factory=set)
    before: Callable[[str], Awaitable[None]] | None = None
    error: Exception | None = None
    at_once: int = 0
    most_at_once: int = 0

    async def __call__(self, raw: bytes, peer: str) -> bytes:
        read = parse_message(raw)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.peers.add(peer)
        try:
            if self.before is not None:
                await self.before(read.control_id)
            if self.error is not None:
                raise self.error
        finally:
            self.at_once -= 1
        self.taken.append(read.control_id)
        return answer(read, None, datetime.now(UTC))


@asynccontextmanager
async def listening(
    kept: Kept, limits: Limits = LIMITS, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[MllpServer, int]]:
    server = MllpServer("sgl", kept, limits, tls)
    port = await server.start(HOST, 0)
    try:
        yield server, port
    finally:
        await server.stop(grace_s=5)


class Wire:
    """A client of the tests' own, which sends what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.framer = Framer(1 << 20)
        self.waiting: list[bytes] = []

    @classmethod
    async def to(
        cls, port: int, tls: ssl.SSLContext | None = None, of: str | None = None
    ) -> "Wire":
        """`of` is the address that it comes from; all of 127.0.0.0/8 are of this machine."""
        name = "localhost" if tls else None
        own = None if of is None else (of, 0)
        streams = await asyncio.open_connection(
            HOST, port, ssl=tls, server_hostname=name, local_addr=own
        )
        return cls(*streams)

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[str, str] | None:
        """MSA-1 and MSA-2; None when the other side has closed."""
        while not self.waiting:
            try:
                data = await asyncio.wait_for(self.reader.read(65536), 20)
            except ConnectionError:
                return None
            if not data:
                return None
            self.waiting += [e.content for e in self.framer.feed(data) if isinstance(e, Frame)]
        read = parse_message(self.waiting.pop(0))
        return read.value("MSA-1") or "", read.value("MSA-2") or ""

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


def test_messages_are_answered_in_order() -> None:
    async def scene() -> None:
        kept = Kept()
        async with listening(kept) as (_, port):
            wire = await Wire.to(port)
            await wire.write(b"".join(encode_frame(message(str(n))) for n in range(50)))
            assert [await wire.answer() for _ in range(50)] == [("AA", str(n)) for n in range(50)]
            await wire.close()
        assert kept.taken == [str(n) for n in range(50)]
        assert kept.most_at_once == 1
        assert kept.peers == {HOST}

    asyncio.run(scene())


def test_connections_do_not_wait_for_each_other() -> None:
    async def scene() -> None:
        together = asyncio.Barrier(5)

        async def meet(_: str) -> None:
            await asyncio.wait_for(together.wait(), 20)

        kept = Kept(before=meet)
        async with listening(kept) as (_, port):
            wires = [await Wire.to(port) for _ in range(5)]
            for number, wire in enumerate(wires):
                await wire.write(encode_frame(message(str(number))))
            for number, wire in enumerate(wires):
                assert await wire.answer() == ("AA", str(number))
                await wire.close()

    asyncio.run(scene())


def test_a_message_cut_at_every_byte() -> None:
    """As HAPI and others may send it: the header alone, the end alone, byte by byte."""

    async def scene() -> None:
        kept = Kept()
        raw = encode_frame(message("1"))
        async with listening(kept) as (_, port):
            wire = await Wire.to(port)
            wire.writer.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )
            for cut in range(len(raw) + 1):
                await wire.write(raw[:cut])
                await asyncio.sleep(0)
                await wire.write(raw[cut:])
                assert await wire.answer() == ("AA", "1")
            for byte in raw:
                await wire.write(bytes([byte]))
            assert await wire.answer() == ("AA", "1")
            await wire.close()
        assert len(kept.taken) == len(raw) + 2

    asyncio.run(scene())


def test_the_client_of_python_hl7(tmp_path: Path) -> None:
    async def scene() -> None:
        kept = Kept()

        def send(port: int) -> bytes:
            with IndependentClient(HOST, port) as client:
                return bytes(client.send_message(message("77")))

        file = tmp_path / "messages.hl7"
        file.write_bytes(b"\x0b" + message("78") + b"\x1c\x0d\x0b" + message("79") + b"\x1c\x0d")
        async with listening(kept) as (_, port):
            told = await asyncio.to_thread(send, port)
            program = Path(sys.executable).with_name("mllp_send")
            process = await asyncio.create_subprocess_exec(
                program, "--loose", "-p", str(port), "--file", str(file), HOST,
                stdout=subprocess.PIPE,
            )  # fmt: skip
            said, _ = await asyncio.wait_for(process.communicate(), 60)
        assert b"MSA|AA|77" in told
        assert b"MSA|AA|78" in said
        assert b"MSA|AA|79" in said
        assert kept.taken == ["77", "78", "79"]

    asyncio.run(scene())


def test_both_acknowledgements_come_one_after_the_other() -> None:
    async def scene() -> None:
        async with listening(Kept()) as (_, port):
            wire = await Wire.to(port)
            await wire.write(encode_frame(message("1", more="AL|AL")))
            assert [await wire.answer(), await wire.answer()] == [("CA", "1"), ("AA", "1")]
            await wire.write(encode_frame(message("2", more="NE|NE")) + encode_frame(message("3")))
            assert await wire.answer() == ("AA", "3")
            await wire.close()

    asyncio.run(scene())


def test_a_missing_return_and_a_half_open_connection() -> None:
    async def scene() -> None:
        async with listening(Kept()) as (_, port):
            wire = await Wire.to(port)
            await wire.write(encode_frame(message("1"))[:-1])
            assert await wire.answer() == ("AA", "1")
            await wire.write(b"\r" + encode_frame(message("2"))[:-1])
            wire.writer.write_eof()
            assert await wire.answer() == ("AA", "2")
            assert await wire.answer() is None
            await wire.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (psycopg.OperationalError("no"), "AR"),
        (ConnectionRefusedError(), "AR"),
        (ZeroDivisionError("DUPONT"), "AE"),
        (TimeoutError(), "AR"),
    ],
)
def test_a_handler_that_fails_is_answered_for(
    error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        kept = Kept(error=error)
        async with listening(kept) as (_, port):
            wire = await Wire.to(port)
            await wire.write(encode_frame(message("1")))
            assert await wire.answer() == (code, "1")
            kept.error = None
            await wire.write(encode_frame(message("2")))
            assert await wire.answer() == ("AA", "2")
            await wire.close()

    asyncio.run(scene())
    assert "DUPONT" not in caplog.text


def test_a_handler_that_takes_too_long_is_undone_and_asked_again() -> None:
    async def scene() -> None:
        undone = []

        async def forever(control_id: str) -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                undone.append(control_id)

        async with listening(Kept(before=forever), replace(LIMITS, handling_s=0.2)) as (_, port):
            wire = await Wire.to(port)
            await wire.write(encode_frame(message("1")))
            assert await wire.answer() == ("AR", "1")
            assert undone == ["1"]
            await wire.close()

    asyncio.run(scene())


def test_what_is_too_large_is_refused_by_name_and_the_next_is_taken() -> None:
    async def scene() -> None:
        kept = Kept()
        async with listening(kept) as (_, port):
            wire = await Wire.to(port)
            await wire.write(encode_frame(message("1", size=3_000_000)))
            assert await wire.answer() == ("AE", "1")
            await wire.write(encode_frame(message("2", size=90_000)))
            assert await wire.answer() == ("AA", "2")
            await wire.close()
        assert kept.taken == ["2"]

    asyncio.run(scene())


def test_what_may_be_half_a_message_is_refused() -> None:
    async def scene() -> None:
        kept = Kept()
        async with listening(kept) as (_, port):
            wire = await Wire.to(port)
            await wire.write(b"\x0b" + message("1") + b"\x1cOBX|1\r" + b"\x1c\r")
            assert await wire.answer() == ("AE", "1")
            await wire.write(b"\x0b" + message("2") + encode_frame(message("3")))
            assert await wire.answer() == ("AA", "3")
            await wire.close()
        assert kept.taken == ["3"]

    asyncio.run(scene())


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20, b"\x16\x03\x01" * 200])
def test_who_does_not_speak_mllp_is_closed(junk: bytes) -> None:
    async def scene() -> None:
        kept = Kept()
        async with listening(kept) as (_, port):
            wire = await Wire.to(port)
            await wire.write(junk)
            assert await wire.answer() is None
            await wire.close()
        assert kept.taken == []

    asyncio.run(scene())


def test_who_stops_within_a_message_is_closed() -> None:
    async def scene() -> None:
        async with listening(Kept(), replace(LIMITS, message_s=0.3)) as (_, port):
            slow = await Wire.to(port)
            raw = encode_frame(message("1"))
            await slow.write(raw[:20])
            with suppress(ConnectionError):
                for byte in raw[20:60]:  # a byte now and then gives no more time
                    await slow.write(bytes([byte]))
                    await asyncio.sleep(0.02)
            assert await slow.answer() is None
            await slow.close()

    asyncio.run(scene())


def test_the_time_that_we_take_is_not_the_senders() -> None:
    async def scene() -> None:
        async def slowly(control_id: str) -> None:
            await asyncio.sleep(0.5 if control_id == "1" else 0)

        async with listening(Kept(before=slowly), replace(LIMITS, message_s=0.3)) as (_, port):
            wire = await Wire.to(port)
            second = encode_frame(message("2"))
            await wire.write(encode_frame(message("1")) + second[:20])
            assert await wire.answer() == ("AA", "1")
            await asyncio.sleep(0.05)
            await wire.write(second[20:])
            assert await wire.answer() == ("AA", "2")
            await wire.close()

    asyncio.run(scene())


def test_who_says_nothing_is_closed_after_a_while() -> None:
    async def scene() -> None:
        async with listening(Kept(), replace(LIMITS, idle_s=0.3)) as (_, port):
            wire = await Wire.to(port)
            for number in range(3):
                await asyncio.sleep(0.15)
                await wire.write(encode_frame(message(str(number))))
                assert await wire.answer() == ("AA", str(number))
            assert await wire.answer() is None
            await wire.close()

    asyncio.run(scene())


def test_who_does_not_read_the_answers_is_closed() -> None:
    async def scene() -> None:
        taken = []

        async def talkative(raw: bytes, peer: str) -> bytes:
            taken.append(peer)
            return answer(raw, None, datetime.now(UTC)) + b"NTE|1||" + b"x" * 500_000 + b"\r"

        server = MllpServer("sgl", talkative, replace(LIMITS, answer_s=0.3))
        port = await server.start(HOST, 0)
        with closing(socket.socket()) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((HOST, port))
            deaf.sendall(encode_frame(message("1")) * 100)
            deaf.settimeout(20)
            await asyncio.sleep(1)
            assert 0 < len(taken) < 100
            with pytest.raises(ConnectionError):
                await asyncio.to_thread(send_for_ever, deaf)
        wire = await Wire.to(port)  # others go on
        await wire.write(encode_frame(message("2")))
        assert await wire.answer() == ("AA", "2")
        await wire.close()
        await server.stop()

    asyncio.run(scene())


def send_for_ever(to: socket.socket) -> None:
    for _ in range(100_000):
        to.sendall(b"\r" * 1000)


def test_a_connection_too_many_is_closed_and_the_others_stay() -> None:
    async def scene() -> None:
        async with listening(Kept(), replace(LIMITS, connections=2)) as (_, port):
            first, second = await Wire.to(port), await Wire.to(port)
            for wire in (first, second):
                await wire.write(encode_frame(message("1")))
                assert await wire.answer() == ("AA", "1")
            third = await Wire.to(port)
            assert await third.answer() is None
            await first.write(encode_frame(message("2")))
            assert await first.answer() == ("AA", "2")
            await first.close()
            await asyncio.sleep(0.1)
            fourth = await Wire.to(port)
            await fourth.write(encode_frame(message("3")))
            assert await fourth.answer() == ("AA", "3")
            for wire in (second, third, fourth):
                await wire.close()

    asyncio.run(scene())


def test_one_sender_cannot_take_all_places() -> None:
    """It opens connections and goes on opening, each within a message, so that none is idle."""

    async def scene() -> None:
        limits = replace(LIMITS, connections=8, connections_per_peer=3)
        async with listening(Kept(), limits) as (_, port):
            greedy = [await Wire.to(port, of="127.0.0.2") for _ in range(30)]
            for wire in greedy:
                with suppress(ConnectionError):
                    await wire.write(encode_frame(message("9"))[:20])
            others = [await Wire.to(port, of=f"127.0.0.{n}") for n in (3, 4, 5)]
            for number, wire in enumerate(others):
                await wire.write(encode_frame(message(str(number))))
                assert await wire.answer() == ("AA", str(number))
            open_ = 0
            for wire in greedy:
                with suppress(ConnectionError):
                    await wire.write(encode_frame(message("9"))[20:])
                open_ += await wire.answer() == ("AA", "9")
            assert open_ == 3
            for wire in (*greedy, *others):
                await wire.close()

    asyncio.run(scene())


def test_an_idle_one_of_the_same_sender_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sgi.hl7.server._IDLE_TO_GIVE_WAY_S", 0.1)

    async def scene() -> None:
        limits = replace(LIMITS, connections=8, connections_per_peer=1)
        async with listening(Kept(), limits) as (_, port):
            other = await Wire.to(port, of="127.0.0.3")
            idle = await Wire.to(port, of="127.0.0.2")
            await asyncio.sleep(0.2)
            second = await Wire.to(port, of="127.0.0.2")
            await second.write(encode_frame(message("2")))
            assert await second.answer() == ("AA", "2")
            assert await idle.answer() is None
            await other.write(encode_frame(message("3")))
            assert await other.answer() == ("AA", "3"), "it was idle for longer, but another's"
            for wire in (other, idle, second):
                await wire.close()

    asyncio.run(scene())


@pytest.mark.parametrize(("all_", "of_one"), [(10, 5), (5, 10)])
def test_a_burst_of_newcomers_keeps_to_the_bounds(
    monkeypatch: pytest.MonkeyPatch, all_: int, of_one: int
) -> None:
    """Each of them needs the place of another idle one, none of which has ended yet."""
    monkeypatch.setattr("sgi.hl7.server._IDLE_TO_GIVE_WAY_S", 0.1)

    async def scene() -> None:
        limits = replace(LIMITS, connections=all_, connections_per_peer=of_one)
        async with listening(Kept(), limits) as (_, port):
            idle = [await Wire.to(port) for _ in range(5)]
            await asyncio.sleep(0.2)
            newcomers = await asyncio.gather(*(Wire.to(port) for _ in range(40)))
            answered = 0
            for wire in (*idle, *newcomers):
                with suppress(ConnectionError):
                    await wire.write(encode_frame(message("1")))
                answered += await wire.answer() == ("AA", "1")
            assert answered == 5
            for wire in (*idle, *newcomers):
                await wire.close()

    asyncio.run(scene())


def test_an_order_that_no_handler_answers_is_answered_as_its_file_says() -> None:
    async def scene() -> None:
        order = message("1", size=200).replace(b"ADT^A08", b"OML^O21")
        for application, type_ in ((True, b"|ORL^O22^ORL_O22|"), (False, b"|ACK^O21^ACK|")):
            for error, limits in (
                (ConnectionRefusedError(), LIMITS),
                (None, replace(LIMITS, held_bytes=50)),
                (None, replace(LIMITS, message_bytes=150)),
            ):
                kept = Kept(error=error)
                server = MllpServer("sgl", kept, limits, application=application)
                wire = await Wire.to(await server.start(HOST, 0))
                await wire.write(encode_frame(order))
                assert type_ in await asyncio.wait_for(wire.reader.readuntil(b"\x1c\r"), 20)
                assert kept.taken == []
                await wire.close()
                await server.stop()

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somebody", "somebody"),
    ],
)
def test_who_counts_as_one_sender(address: str, place: str) -> None:
    """Of IPv6 a machine has as many addresses as it likes within its network."""
    assert sender_of(address) == place


def test_one_that_has_long_been_idle_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sgi.hl7.server._IDLE_TO_GIVE_WAY_S", 0.1)

    async def scene() -> None:
        async with listening(Kept(), replace(LIMITS, connections=2)) as (_, port):
            idle, busy = await Wire.to(port), await Wire.to(port)
            await asyncio.sleep(0.2)
            await busy.write(encode_frame(message("1"))[:20])
            await asyncio.sleep(0.05)
            third = await Wire.to(port)
            await third.write(encode_frame(message("3")))
            assert await third.answer() == ("AA", "3")
            assert await idle.answer() is None
            await busy.write(encode_frame(message("1"))[20:])
            assert await busy.answer() == ("AA", "1")
            for wire in (idle, busy, third):
                await wire.close()

    asyncio.run(scene())


def test_all_together_hold_no_more_than_allowed() -> None:
    """Many that each send most of a large message: some are let go, and none is half taken."""

    async def scene() -> None:
        kept = Kept()
        async with listening(kept) as (server, port):
            wires = [await Wire.to(port) for _ in range(8)]
            raw = encode_frame(message("1", size=95_000))
            for wire in wires:
                with suppress(ConnectionError):
                    await wire.write(raw[:-10])
            await asyncio.sleep(0.3)
            assert server._held <= LIMITS.held_bytes
            done = 0
            for wire in wires:
                try:
                    await wire.write(raw[-10:])
                    done += await wire.answer() == ("AA", "1")
                except ConnectionError:
                    pass
                await wire.close()
            assert 0 < done <= 4
            assert kept.taken == ["1"] * done
            await asyncio.sleep(0.1)
            assert server._held == 0

    asyncio.run(scene())


def test_what_others_do_wrong_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with listening(Kept(), replace(LIMITS, connections=0)) as (_, port):
            for _ in range(50):
                wire = await Wire.to(port)
                assert await wire.answer() is None
                await wire.close()

    asyncio.run(scene())
    assert 1 <= caplog.text.count("a connection too many") < 25


# Stopping


def test_what_is_being_handled_is_answered_before_the_end() -> None:
    async def scene() -> None:
        began, go_on = asyncio.Event(), asyncio.Event()

        async def wait(control_id: str) -> None:
            if control_id == "2":
                began.set()
                await go_on.wait()

        kept = Kept(before=wait)
        async with listening(kept) as (server, port):
            idle, half, wire = [await Wire.to(port) for _ in range(3)]
            await half.write(encode_frame(message("9"))[:-2])
            await wire.write(b"".join(encode_frame(message(str(n))) for n in (1, 2, 3)))
            await began.wait()
            stopping = asyncio.create_task(server.stop(grace_s=10))
            await asyncio.sleep(0.1)
            with pytest.raises(OSError):
                await Wire.to(port)
            go_on.set()
            assert await wire.answer() == ("AA", "1")
            assert await wire.answer() == ("AA", "2")
            assert await wire.answer() is None
            assert await idle.answer() is None
            assert await half.answer() is None
            await stopping
            for one in (idle, half, wire):
                await one.close()
        assert kept.taken == ["1", "2"]

    asyncio.run(scene())


def test_what_cannot_be_finished_in_time_is_not_answered() -> None:
    async def scene() -> None:
        began = asyncio.Event()

        async def forever(_: str) -> None:
            began.set()
            await asyncio.sleep(1000)

        kept = Kept(before=forever)
        async with listening(kept) as (server, port):
            wire = await Wire.to(port)
            await wire.write(encode_frame(message("1")))
            await began.wait()
            await server.stop(grace_s=0.1)
            assert await wire.answer() is None
            await wire.close()
        assert kept.taken == []

    asyncio.run(scene())


# TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ours` and `theirs`, each an authority for itself, made out to localhost."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ours", "theirs"):
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-out", folder / f"{name}.pem", "-keyout", folder / f"{name}.key"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
    return folder


def trusting(folder: Path, *, known: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ours.pem"))
    if known:
        context.load_cert_chain(folder / "theirs.pem", folder / "theirs.key")
    return context


def test_tls(certificates: Path) -> None:
    async def scene() -> None:
        tls = server_context(certificates / "ours.pem", certificates / "ours.key")
        async with listening(Kept(), tls=tls) as (_, port):
            wire = await Wire.to(port, trusting(certificates))
            await wire.write(encode_frame(message("1", size=50_000)))
            assert await wire.answer() == ("AA", "1")
            await wire.close()
            clear = await Wire.to(port)
            await clear.write(encode_frame(message("2")))
            assert await clear.answer() is None
            await clear.close()

    asyncio.run(scene())


def test_only_those_who_prove_who_they_are(certificates: Path) -> None:
    async def scene() -> None:
        kept = Kept()
        tls = server_context(
            certificates / "ours.pem", certificates / "ours.key", certificates / "theirs.pem"
        )
        async with listening(kept, tls=tls) as (_, port):
            wire = await Wire.to(port, trusting(certificates, known=True))
            await wire.write(encode_frame(message("1")))
            assert await wire.answer() == ("AA", "1")
            await wire.close()
            try:
                stranger = await Wire.to(port, trusting(certificates))
                await stranger.write(encode_frame(message("2")))
                assert await stranger.answer() is None
                await stranger.close()
            except (OSError, ssl.SSLError):
                pass
        assert kept.taken == ["1"]

    asyncio.run(scene())


def test_the_answers_of_the_server_are_whole_messages() -> None:
    raw = answer(parse_message(message("1", more="AL|AL")), None, datetime.now(UTC))
    assert b"".join(split_messages(raw)) == raw


def test_what_is_refused_on_the_wire_is_kept() -> None:
    refused: list[tuple[bytes, str]] = []

    async def keep(head: bytes, error: SgiError) -> bytes:
        refused.append((head[:3], type(error).__name__))
        return answer(head, error, datetime.now(UTC))

    async def scene() -> None:
        server = MllpServer("sgl", Kept(), LIMITS, refuser=keep)
        wire = await Wire.to(await server.start(HOST, 0))
        await wire.write(encode_frame(message("1", size=300_000)))
        assert await wire.answer() == ("AE", "1")
        await wire.write(b"\x0b" + message("2") + b"\x1cOBX|1\r" + b"\x1c\r")
        assert await wire.answer() == ("AE", "2")
        await wire.close()
        await server.stop(grace_s=5)

    asyncio.run(scene())
    assert refused == [(b"MSH", "MessageTooLargeError"), (b"MSH", "UnreadableMessageError")]
