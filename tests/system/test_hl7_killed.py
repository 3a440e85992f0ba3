"""`kill -9` of `sgi hl7` in the middle: what was acknowledged is there, and nothing twice.

`SGI_TEST_HL7_KILLS` sets how often it is killed, and with it how many messages there are.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sgi.catalogue.migrate import migrate
from sgi.engines.postgres import EmbeddedPostgres

KILLS = int(os.environ.get("SGI_TEST_HL7_KILLS", "6"))
MESSAGES = 20 * KILLS
SENDERS = 4
STATES = ("in_progress", "ready", "signed_out")
TIMEOUT_S = 60 + 10 * KILLS
_VT, _END = b"\x0b", b"\x1c\r"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


NURSERY = """
import asyncio, os, signal, sys
from sgi.app import database_url
from sgi.commands.hl7 import serve_hl7
from sgi.settings import Settings

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        settings = Settings()
        asyncio.run(serve_hl7(settings, database_url(settings)))
        os._exit(0)
    print(child, flush=True)
"""
"""What `sgi hl7` runs, each time in a new process that need not import it all again."""


@dataclass
class Link:
    """`sgi hl7` on a database of its own, and what it is told to send to."""

    data: Path
    url: str
    port: int
    nursery: subprocess.Popen[str] | None = None
    process: int | None = None

    def open(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SGI_")}
        environment |= {
            "SGI_DATA": str(self.data),
            "SGI_DATABASE__URL": self.url,
            "SGI_HL7__PORT": str(self.port),
        }
        with (self.data / "hl7.log").open("ab") as log:
            self.nursery = subprocess.Popen(
                [sys.executable, "-c", NURSERY],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def start(self) -> None:
        nursery = self.nursery
        assert nursery is not None
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write("\n")
        nursery.stdin.flush()
        told = nursery.stdout.readline()
        assert told, (self.data / "hl7.log").read_text()[-2000:]
        self.process = int(told)

    def kill(self, number: int = signal.SIGKILL) -> None:
        assert self.process is not None
        os.kill(self.process, number)
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(self.process, 0)
                time.sleep(0.005)
        self.process = None

    def close(self) -> None:
        if self.process is not None:
            self.kill(signal.SIGTERM)
        if self.nursery is not None:
            self.nursery.communicate()

    def wait_ready(self) -> None:
        """Until it takes connections."""
        until = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            assert time.monotonic() < until, (self.data / "hl7.log").read_text()[-2000:]
            time.sleep(0.02)


@dataclass
class Laboratory:
    """The other side: takes what it is told, and sometimes dies of it before it answers."""

    listener: socket.socket = field(default_factory=socket.socket)
    received: list[tuple[str, str]] = field(default_factory=list)
    """Control id and case of each message, in the order in which they came."""

    def __post_init__(self) -> None:
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while (raw := read_frame(connection)) is not None:
                lines = raw.decode().split("\r")
                header = lines[0].split("|")
                orc = next(line for line in lines if line.startswith("ORC|")).split("|")
                self.received.append((header[9], orc[38]))
                if random.random() < 0.1:  # it has the message, and says nothing
                    return
                told = f"MSH|^~\\&|SGL||SGI||20260101||ACK^O21^ACK|{uuid.uuid4().hex[:20]}|P|2.5.1"
                answer = f"{told}\rMSA|AA|{header[9]}\r"
                connection.sendall(_VT + answer.encode() + _END)


def read_frame(connection: socket.socket) -> bytes | None:
    """One message; None where the connection ended before it did."""
    raw = b""
    while not raw.endswith(_END):
        piece = connection.recv(1 << 16)
        if not piece:
            return None
        raw += piece
    return raw[1:-2]


class Sender(threading.Thread):
    """Sends its messages one after the other, each until it is acknowledged."""

    def __init__(self, port: int, messages: list[tuple[str, bytes]]) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._messages = messages
        self.acknowledged: list[str] = []
        self.refused: list[bytes] = []
        self.sent = 0

    def run(self) -> None:
        for control_id, raw in self._messages:
            while True:
                code = self._send(raw)
                if code == b"AA":
                    self.acknowledged.append(control_id)
                    break
                time.sleep(0.01)
        if self._connection is not None:
            self._connection.close()

    def _send(self, raw: bytes) -> bytes | None:
        try:
            if self._connection is None:
                self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=20)
            self._connection.sendall(_VT + raw + _END)
            self.sent += 1
            answer = read_frame(self._connection)
        except OSError:
            answer = None
        if answer is None:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None
        code = answer.split(b"\rMSA|", 1)[1][:2]
        if code != b"AA":
            self.refused.append(answer)
        return code

    _connection: socket.socket | None = None


def order(case: str, slide: str, control_id: str) -> bytes:
    """A slide of a case of a patient, as LAB-100 has it."""
    patient = case[:-1]
    return "\r".join(
        [
            "MSH|^~\\&|SGL|CHU|SGI|CHU|20260612101500+0200||OML^O21^OML_O21|"
            f"{control_id}|P|2.5.1|||||FRA|UNICODE UTF-8|||DPOW-SLIDE^IHE",
            f"PID|1||{patient}^^^CHU&1.2.3&ISO^PI||ESSAI^ALIX^^^^^L||19790328|F",
            f"ORC|NW|{case}|{case}" + "|" * 35 + case,
            f"OBR|1|{case}|{case}|ACP^Anatomie pathologique^L",
            f"SPM|1|{slide}|{case}-A|TISS^Tissue^HL70487" + "|" * 23 + f"GLASS|||{case}",
            "OBX|1|CWE|397165007^Stain^SCT|1|12710003^Hematoxylin stain^SCT||||||F",
            "",
        ]
    ).encode()


@pytest.fixture
def url() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="sgi-", dir="/tmp"))
    folder.chmod(0o755)
    engine = EmbeddedPostgres(folder / "postgres")
    try:
        found = engine.start()
        migrate(found)
        with psycopg.connect(found) as connection:
            connection.execute("insert into establishment (name) values ('Laboratoire')")
        yield found
    finally:
        engine.stop()
        shutil.rmtree(folder)


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    found = Laboratory()
    yield found
    found.listener.close()


@pytest.fixture
def link(url: str, laboratory: Laboratory, tmp_path: Path) -> Iterator[Link]:
    folder = tmp_path / "interfaces"
    folder.mkdir()
    (folder / "sgl.toml").write_text(
        f"""[out]
host = "127.0.0.1"
port = {laboratory.port}
send = ["LAB-101"]
answer_s = 5
"""
    )
    found = Link(tmp_path, url, free_port())
    found.open()
    try:
        found.start()
        found.wait_ready()
        yield found
    finally:
        found.close()


def first(pair: tuple[str, str]) -> str:
    return pair[0]


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def put_notices(url: str, cases: list[str]) -> None:
    """Three states of each case that is there to be told, in their order; once."""
    with psycopg.connect(url) as connection:
        for state in STATES:
            connection.execute(
                """insert into outbox (establishment_id, interface, kind, case_state, case_id)
                   select establishment_id, 'sgl', 'LAB-101', %(state)s, c.id
                   from lab_case c where accession_number = any(%(cases)s) and not exists (
                       select from outbox o where (o.case_id, o.case_state) = (c.id, %(state)s))""",
                {"state": state, "cases": cases},
            )


def wait_for(senders: list[Sender], acknowledged: int) -> None:
    """Until so many messages were acknowledged."""
    until = time.monotonic() + TIMEOUT_S
    while sum(len(sender.acknowledged) for sender in senders) < acknowledged:
        assert time.monotonic() < until, "the messages do not get through"
        time.sleep(0.005)


@pytest.mark.timeout(3 * TIMEOUT_S)
def test_nothing_acknowledged_is_lost_and_nothing_is_applied_twice(
    link: Link, url: str, laboratory: Laboratory
) -> None:
    messages = [
        (f"C{n:06}", order(f"26K{n // 4:05}", f"26K{n // 4:05}-A-{n % 4}", f"C{n:06}"))
        for n in range(MESSAGES)
    ]
    senders = [Sender(link.port, messages[n::SENDERS]) for n in range(SENDERS)]
    for sender in senders:
        sender.start()
    began = time.monotonic()
    cases = [f"26K{n:05}" for n in range(MESSAGES // 4)]
    for kill in range(KILLS):
        link.wait_ready()
        wait_for(senders, kill * MESSAGES // KILLS)
        put_notices(url, cases)
        time.sleep(random.uniform(0, 0.1))
        link.kill()
        link.start()
    link.wait_ready()
    wait_for(senders, MESSAGES)
    for sender in senders:
        sender.join()
    put_notices(url, cases)
    acknowledged = {each for sender in senders for each in sender.acknowledged}
    assert [sender.refused for sender in senders] == [[]] * SENDERS
    assert acknowledged == {control_id for control_id, _ in messages}

    kept = rows(url, "select control_id, outcome, changes from message where direction = 'in'")
    assert Counter(control_id for control_id, _, _ in kept) == Counter(acknowledged)
    made = Counter(
        change["what"] for _, _, changes in kept for change in changes if "new" in change["what"]
    )
    assert made["glass.new"] == MESSAGES
    assert made["case.new"] == len(cases)
    assert rows(url, "select count(*), count(distinct identifier) from glass") == [
        (MESSAGES, MESSAGES)
    ]
    assert rows(url, "select count(*) from lab_case") == [(len(cases),)]
    assert rows(url, "select max(expected), min(expected) from lab_case") == [(4, 4)]

    until = time.monotonic() + TIMEOUT_S
    open_ = "select count(*) from outbox where state in ('waiting', 'sent')"
    while rows(url, open_) != [(0,)]:
        assert time.monotonic() < until, rows(url, "select state, last_error from outbox")
        # What was on its way at a kill is due again once its answer is late: that is now.
        with psycopg.connect(url) as connection:
            connection.execute(
                """update outbox set next_try_at = now()
                   where state in ('waiting', 'sent') and next_try_at > now() + interval '1 s'"""
            )
        time.sleep(1)
    told = rows(url, "select control_id, case_id::text, state from outbox order by number")
    assert {state for _, _, state in told} == {"accepted"}
    assert len({control_id for control_id, _, _ in told}) == len(told) == 3 * len(cases)
    assert {control_id for control_id, _ in laboratory.received} == {each for each, _, _ in told}
    numbers = dict(rows(url, "select id::text, accession_number from lab_case"))
    put = [(numbers[case_id], control_id) for control_id, case_id, _ in told]
    seen = list(dict.fromkeys((case, control_id) for control_id, case in laboratory.received))
    assert sorted(seen, key=first) == sorted(put, key=first), "the order of each case"
    print(
        json.dumps(
            {
                "kills": KILLS,
                "messages": len(messages),
                "sent": sum(sender.sent for sender in senders),
                "acknowledged": len(acknowledged),
                "notices": len(told),
                "notices received": len(laboratory.received),
                "seconds": round(time.monotonic() - began, 1),
            }
        )
    )
