"""The MLLP client against servers that answer, answer oddly, or not at all."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import hl7
import pytest
from hl7.mllp import start_hl7_server

from sgi.errors import ConfigurationError
from sgi.hl7.acknowledge import answer
from sgi.hl7.client import Address, MllpClient
from sgi.hl7.errors import (
    BadAnswerError,
    LinkTimeoutError,
    LinkUnavailableError,
    NoAnswerError,
)
from sgi.hl7.message import parse_message
from sgi.hl7.mllp import Frame, Framer, encode_frame
from sgi.hl7.server import MllpServer
from sgi.hl7.tls import client_context, server_context

HOST = "127.0.0.1"
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def message(control_id: str) -> bytes:
    return f"MSH|^~\\&|SGI|Y|SGL|X|20260612||OML^O21|{control_id}|P|2.5.1\rPID|1||7\r".encode()


def told(control_id: str, code: str = "AA") -> bytes:
    head = "MSH|^~\\&|SGL|X|SGI|Y|20260612||ORL^O22^ORL_O22|9|P|2.5.1\r"
    return encode_frame(f"{head}MSA|{code}|{control_id}\r".encode())


@asynccontextmanager
async def peer(serve: Peer, port: int = 0) -> AsyncIterator[Address]:
    tasks = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, HOST, port)
    try:
        yield Address(HOST, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tasks:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await asyncio.sleep(0.01)  # connections are closed by the loop


def saying(
    answers: Callable[[bytes], bytes], seen: list[bytes] | None = None, most: int = 0
) -> Peer:
    """A peer that answers each message, and leaves after `most` of them."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer = Framer(1 << 20)
        count = 0
        while data := await reader.read(4096):
            for event in framer.feed(data):
                if isinstance(event, Frame):
                    if seen is not None:
                        seen.append(event.content)
                    writer.write(answers(event.content))
                    await writer.drain()
                    count += 1
                    if count == most:
                        return

    return serve


def properly(raw: bytes) -> bytes:
    return encode_frame(answer(raw, None, datetime.now(UTC)))


def test_a_message_and_its_answer_on_one_connection() -> None:
    connections = 0

    async def scene() -> None:
        async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await saying(properly)(reader, writer)

        async with peer(counting) as address, MllpClient(address) as client:
            for number in range(5):
                read = parse_message(await client.send(message(str(number))))
                assert read.value("MSA-2") == str(number)
        assert connections == 1
        async with peer(counting) as address:
            client = MllpClient(address, connection_per_message=True)
            for number in range(3):
                await client.send(message(str(number)))
        assert connections == 4

    asyncio.run(scene())


def test_the_server_of_python_hl7() -> None:
    async def scene() -> None:
        async def serve(reader: hl7.mllp.HL7StreamReader, writer: hl7.mllp.HL7StreamWriter) -> None:
            try:
                while True:
                    writer.writemessage((await reader.readmessage()).create_ack("AE"))
                    await writer.drain()
            except asyncio.IncompleteReadError:
                writer.close()

        async with await start_hl7_server(serve, host=HOST, port=0) as server:
            address = Address(HOST, server.sockets[0].getsockname()[1])
            async with MllpClient(address) as client:
                for number in range(3):
                    read = parse_message(await client.send(message(str(number))))
                    assert (read.value("MSA-1"), read.value("MSA-2")) == ("AE", str(number))

    asyncio.run(scene())


@pytest.mark.parametrize(
    "answers",
    [
        lambda raw: told("other") + told("5"),
        lambda raw: b"\x00\r\n" + told("5"),
        lambda raw: told(""),
        lambda raw: told("5")[:-1],
        lambda raw: encode_frame(b"what?") + told("5"),
        lambda raw: encode_frame(told("other")[1:-2] + told("5")[1:-2]),
    ],
)
def test_the_answer_is_found_among_others(answers: Callable[[bytes], bytes]) -> None:
    async def scene() -> None:
        async with peer(saying(answers, most=1)) as address, MllpClient(address) as client:
            read = parse_message(await client.send(message("5")))
            assert read.value("MSA-2") in {"5", None}

    asyncio.run(scene())


@pytest.mark.parametrize("said", ["UNICODE UTF-8", "UNICODE UTF-16"])
def test_an_answer_is_taken_in_spite_of_its_encoding(said: str) -> None:
    """What was decided is plain in any of them; it would be asked for again and again."""

    def told_oddly(raw: bytes) -> bytes:
        head = f"MSH|^~\\&|SGL|X|SGI|Y|20260612||ACK^O21^ACK|9|P|2.5.1||||||{said}\r"
        return encode_frame(f"{head}MSA|CA|5|Reçu\r".encode("latin-1"))

    async def scene() -> None:
        async with peer(saying(told_oddly)) as address:
            client = MllpClient(address, connection_per_message=True, answer_s=0.2, hears_late=True)
            assert "MSA|CA|5|Reçu".encode("latin-1") in await client.send(message("5"))

    asyncio.run(scene())


def test_who_answers_nonsense_was_not_silent() -> None:
    async def scene() -> None:
        other = saying(lambda raw: encode_frame(b"what?"))
        async with peer(other) as address, MllpClient(address, answer_s=0.2) as client:
            with pytest.raises(BadAnswerError, match="does not answer what was sent"):
                await client.send(message("5"))

    asyncio.run(scene())


def test_an_answer_without_its_return_is_taken_after_a_moment() -> None:
    async def scene() -> None:
        short = saying(lambda raw: told("5")[:-1])
        async with peer(short) as address, MllpClient(address, answer_s=20) as client:
            read = parse_message(await client.send(message("5")))
            assert read.value("MSA-2") == "5"

    asyncio.run(scene())


@pytest.mark.parametrize(
    "answers",
    [
        lambda raw: told("other"),
        lambda raw: told("5")[:-10],
        lambda raw: b"HTTP/1.1 400 Bad Request\r\n" * 100,
        lambda raw: told("other") * 20 + told("5"),
        lambda raw: encode_frame(b"x" * (2 << 20)),
    ],
)
def test_what_is_no_answer(answers: Callable[[bytes], bytes]) -> None:
    async def scene() -> None:
        async with peer(saying(answers, most=1)) as address, MllpClient(address) as client:
            with pytest.raises(BadAnswerError):
                await client.send(message("5"))

    asyncio.run(scene())


def test_who_closes_without_an_answer_gave_none() -> None:
    """A proxy that accepts, with nobody behind it, looks like this."""

    async def scene() -> None:
        mute = saying(lambda raw: b"", most=1)
        async with peer(mute) as address, MllpClient(address) as client:
            with pytest.raises(NoAnswerError, match="without an answer"):
                await client.send(message("5"))

    asyncio.run(scene())


def test_a_late_answer_is_not_taken_for_that_of_another() -> None:
    async def scene() -> None:
        silent = True

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\x1c\r")
            if silent:
                await asyncio.sleep(0.4)
            writer.write(told("1" if silent else "2"))
            await writer.drain()
            await reader.read()

        async with peer(serve) as address, MllpClient(address, answer_s=0.2) as client:
            with pytest.raises(LinkTimeoutError, match="did not answer"):
                await client.send(message("1"))
            silent = False
            await asyncio.sleep(0.4)
            assert parse_message(await client.send(message("2"))).value("MSA-2") == "2"

    asyncio.run(scene())


def test_what_becomes_of_a_message_is_heard_after_its_receipt() -> None:
    """In enhanced mode: while nothing is sent, and before the receipt of the next one."""

    async def scene() -> None:
        def answers(raw: bytes) -> bytes:
            if b"|1|P" in raw:
                return told("1", "CA") + told("1", "AE")
            return told("1", "AR") + told("2", "CA") + told("2", "AA")

        returned: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(2):
                raw = await reader.readuntil(b"\x1c\r")
                writer.write(answers(raw))
            returned.append(await reader.readuntil(b"\x1c\r"))

        def said(raw: bytes) -> tuple[str | None, str | None]:
            read = parse_message(raw)
            return read.value("MSA-1"), read.value("MSA-2")

        async with peer(serve) as address, MllpClient(address, hears_late=True) as client:
            assert said(await client.send(message("1"))) == ("CA", "1")
            assert said((await client.late()).raw) == ("AE", "1")
            assert said(await client.send(message("2"))) == ("CA", "2")
            assert said((await client.late()).raw) == ("AR", "1")
            last = await client.late()
            assert said(last.raw) == ("AA", "2")
            await last.answer(b"MSH|^~\\&\rMSA|CA|9\r")
            await asyncio.sleep(0.05)
        assert returned == [encode_frame(b"MSH|^~\\&\rMSA|CA|9\r")]

    asyncio.run(scene())


def test_with_a_connection_for_each_message_it_is_waited_for_a_moment() -> None:
    async def scene() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\x1c\r")
            writer.write(told("1", "CA"))
            await asyncio.sleep(0.1)
            writer.write(told("1", "AE"))
            await reader.read()

        async with peer(serve) as address:
            client = MllpClient(address, connection_per_message=True, hears_late=True)
            assert b"|CA|" in await client.send(message("1"))
            assert client._connection is None
            assert b"|AE|" in (await client.late()).raw

    asyncio.run(scene())


def test_more_late_answers_than_anybody_looks_at_end_the_connection() -> None:
    async def scene() -> None:
        flood = told("1", "CA") + told("1", "AE") * 500
        async with (
            peer(saying(lambda raw: flood)) as address,
            MllpClient(address, hears_late=True) as client,
        ):
            assert b"|CA|" in await client.send(message("1"))
            assert client._connection is not None
            await asyncio.wait([client._connection._listening], timeout=5)
            assert client._connection.has_ended
            assert client._late.qsize() == 200

    asyncio.run(scene())


def test_an_idle_connection_that_was_closed_is_opened_again() -> None:
    async def scene() -> None:
        seen: list[bytes] = []
        async with peer(saying(properly, seen, most=1)) as address, MllpClient(address) as client:
            for number in range(4):
                read = parse_message(await client.send(message(str(number))))
                assert read.value("MSA-2") == str(number)
                await asyncio.sleep(0.05)
        assert seen == [message(str(number)) for number in range(4)]

    asyncio.run(scene())


def test_one_that_closes_within_an_exchange_is_asked_once_more() -> None:
    """On a connection kept from before; on a fresh one, the other side does not want it."""

    async def scene() -> None:
        seen: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(2):
                seen.append(await reader.readuntil(b"\x1c\r"))
                if len(seen) == 2:
                    return
                writer.write(properly(seen[-1][1:-2]))
                await writer.drain()

        async with peer(serve) as address, MllpClient(address) as client:
            await client.send(message("1"))
            assert parse_message(await client.send(message("2"))).value("MSA-2") == "2"
        assert seen == [encode_frame(message(number)) for number in ("1", "2", "2")]

    asyncio.run(scene())


def test_nobody_is_there() -> None:
    async def scene() -> None:
        async with peer(saying(properly)) as address:
            pass
        client = MllpClient(address)
        with pytest.raises(LinkUnavailableError, match="cannot be reached: Connection refused\\."):
            await client.send(message("1"))
        with pytest.raises(LinkUnavailableError, match="cannot be reached: no such address\\."):
            await MllpClient(Address("no.such.host.invalid", 1)).send(message("1"))

    asyncio.run(scene())


def test_it_comes_back() -> None:
    async def scene() -> None:
        async with peer(saying(properly)) as address:
            client = MllpClient(address)
            await client.send(message("1"))
            await client.close()
        with pytest.raises(LinkUnavailableError):
            await client.send(message("2"))
        async with peer(saying(properly), address.port):
            assert b"|3" in await client.send(message("3"))
            await client.close()

    asyncio.run(scene())


def test_one_after_the_other() -> None:
    async def scene() -> None:
        async with peer(saying(properly)) as address, MllpClient(address) as client:
            sent = [client.send(message(str(number))) for number in range(20)]
            answers = await asyncio.gather(*sent)
        assert [parse_message(raw).value("MSA-2") for raw in answers] == [str(n) for n in range(20)]

    asyncio.run(scene())


def test_a_send_that_is_given_up_leaves_no_connection() -> None:
    async def scene() -> None:
        async with peer(saying(lambda raw: b"")) as address, MllpClient(address) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await client.send(message("1"))
            assert client._connection is None

    asyncio.run(scene())


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


def test_both_sides_prove_who_they_are(certificates: Path) -> None:
    ours, theirs = certificates / "ours.pem", certificates / "theirs.pem"

    async def take(raw: bytes, _: str) -> bytes:
        return answer(raw, None, datetime.now(UTC))

    async def scene() -> None:
        server = MllpServer("sgl", take, tls=server_context(ours, ours.with_suffix(".key"), theirs))
        port = await server.start(HOST, 0)
        known = client_context(ours, theirs, theirs.with_suffix(".key"))
        async with MllpClient(Address("localhost", port, known)) as client:
            for number in range(3):
                assert b"MSA|AA" in await client.send(message(str(number)))
        for stranger in (client_context(ours), client_context(theirs), client_context()):
            with pytest.raises((LinkUnavailableError, NoAnswerError)):
                await MllpClient(Address("localhost", port, stranger)).send(message("4"))
        with pytest.raises(LinkUnavailableError):  # it proves another name
            await MllpClient(Address(HOST, port, known)).send(message("5"))
        await server.stop()

    asyncio.run(scene())


@pytest.mark.parametrize(("certificate", "key"), [
    ("ours.pem", "theirs.key"), ("ours.key", "ours.key"), ("none.pem", "ours.key"),
    ("ours.pem", "none.key"),
])  # fmt: skip
def test_certificates_that_are_none(certificates: Path, certificate: str, key: str) -> None:
    for make in (
        lambda: server_context(certificates / certificate, certificates / key),
        lambda: client_context(None, certificates / certificate, certificates / key),
        lambda: client_context(certificates / "none.pem"),
        lambda: client_context(certificates / "ours.key"),
    ):
        with pytest.raises(ConfigurationError, match="PEM file"):
            make()


def test_who_speaks_no_tls_is_not_told_anything() -> None:
    async def scene() -> None:
        seen: list[bytes] = []

        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.read(4096))

        async with peer(once) as address:
            client = MllpClient(Address(HOST, address.port, ssl.create_default_context()))
            with pytest.raises(LinkUnavailableError):
                await client.send(message("1"))
        assert b"MSH" not in seen[0]

    asyncio.run(scene())
