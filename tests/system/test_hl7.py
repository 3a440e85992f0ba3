"""The link to the laboratory, by an independent client over MLLP and by files."""

import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import hl7
import pytest
from hl7.client import MLLPClient

HOST = "127.0.0.1"
MLLP_SEND = Path(sys.executable).with_name("mllp_send")
REFUSED = {
    "L03_OML_O33_ai_request.hl7": "101",  # nothing says that it is a slide
    "T06a_LAB-102_place_work_order.hl7": "201",  # for a laboratory, which we are not
}
SAMPLES = 25


def message(control_id: str, *segments: str, type_: str = "ADT^A28^ADT_A05") -> bytes:
    head = (
        f"MSH|^~\\&|SGL|CHU-X|SGI|CHU-X|20260612101500+0200||{type_}|{control_id}|P|2.5"
        "|||||FRA|UNICODE UTF-8"
    )
    return "".join(f"{line}\r" for line in (head, *segments)).encode()


def patient(number: int, name: str = "ESSAI") -> str:
    return f"PID|1||{number}^^^CHU-X&000897406&N^PI||{name}^DENIS^DENIS^^^^L||19600102|M"


def tell(port: int, raw: bytes) -> hl7.Message:
    """Send one message and read its answer, with python-hl7."""
    with MLLPClient(HOST, port) as client:
        return hl7.parse(client.send_message(raw).strip(b"\x0b\x1c\r").decode("utf-8", "replace"))


def code(answer: hl7.Message) -> tuple[str, str]:
    """MSA-1 and MSA-2."""
    msa = [str(field) for field in answer.segment("MSA")]
    return msa[1], "".join(msa[2:3])


def kept(system: Any, **options: object) -> list[dict[str, Any]]:
    answer = system.client().get("/api/v1/messages", params={"limit": 100, **options})
    answer.raise_for_status()
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def wait_until(true: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_where_it_listens_is_told(shared_system: Any) -> None:
    answer = shared_system.client().get("/api/v1/interfaces")
    answer.raise_for_status()
    (interface,) = answer.json()["items"]
    assert (interface["name"], interface["kind"]) == ("sgl", "mllp")
    assert interface["port"] == shared_system.hl7_port


def test_a_message_is_answered_and_kept(shared_system: Any) -> None:
    answer = tell(shared_system.hl7_port, message("S1", "EVN||20260612101400+0200", patient(4711)))
    assert code(answer) == ("AA", "S1")
    assert str(answer.segment("MSH")[9]) == "ACK^A28^ACK"
    (item,) = [one for one in kept(shared_system) if one["control_id"] == "S1"]
    assert (item["direction"], item["outcome"]) == ("in", "applied")
    again = tell(shared_system.hl7_port, message("S1", "EVN||20260612101400+0200", patient(4711)))
    assert str(again) == str(answer), "a duplicate has the same answer"


def test_what_is_no_message_is_answered_too(shared_system: Any) -> None:
    assert code(tell(shared_system.hl7_port, b"what is this\r"))[0] == "AE"
    unknown = tell(shared_system.hl7_port, message("S2", type_="SIU^S12"))
    assert code(unknown) == ("AE", "S2")
    assert str(unknown.segment("ERR")[3]).startswith("200^")


def test_every_synthetic_message(shared_system: Any, interop: Path, tmp_path: Path) -> None:
    """By `mllp_send`, which splits a file into messages and prints what is answered."""
    samples = sorted(interop.glob("synthetic/*.hl7"))
    assert len(samples) == SAMPLES
    file = tmp_path / "all.hl7"
    file.write_bytes(b"".join(b"\x0b" + path.read_bytes() + b"\x1c\r" for path in samples))
    said = subprocess.run(
        [MLLP_SEND, "-p", str(shared_system.hl7_port), "--file", file, HOST],
        capture_output=True,
        check=True,
        timeout=120,
    ).stdout
    answers = re.findall(rb"MSA\|(A[AER])\|(\w+)", said)
    assert len(answers) == SAMPLES
    for path, (given, control_id) in zip(samples, answers, strict=True):
        sent = path.read_bytes().split(b"|")[9]
        assert control_id == sent
        assert given == (b"AE" if path.name in REFUSED else b"AA"), path.name
    conditions = re.findall(rb"ERR\|[^|]*\|[^|]*\|(\d+)\^", said)
    assert sorted(conditions) == sorted(each.encode() for each in REFUSED.values())
    outcomes = {one["control_id"]: one["outcome"] for one in kept(shared_system)}
    assert outcomes["T03"] == outcomes["P01"] == "applied"
    assert outcomes["L03"] == "refused"


def test_every_public_sample(shared_system: Any, interop: Path) -> None:
    """Every message of the ANS is taken but those that say nothing of a case, or a wrong INS; one
    that is an acknowledgement is not answered."""
    found = [path for path in interop.glob("hl7v2/**/*") if path.suffix in {".hl7", ".er7"}]
    assert len(found) > 20
    refused = set()
    for path in found:
        lines = re.split(rb"[\r\n]+", path.read_bytes().strip())
        if lines[0].split(b"|")[8].startswith(b"ACK"):
            continue
        given, control_id = code(tell(shared_system.hl7_port, b"\r".join(lines) + b"\r"))
        assert control_id == lines[0].split(b"|")[9].decode()
        if given != "AA":
            refused.add(path.name)
    assert refused == {
        "message_MDM_CR_Radio_INIT_N1.er7",
        "message_MDM__LPS_MSS_CR_Radio_INIT_N1.er7",
        "message.hl7",
    }


def test_every_byte_apart(shared_system: Any) -> None:
    raw = b"\x0b" + message("S3", "EVN||20260612101400", patient(4712)) + b"\x1c\r"
    with closing(socket.create_connection((HOST, shared_system.hl7_port), timeout=20)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in range(1, len(raw)):
            wire.sendall(raw[:cut])
            wire.sendall(raw[cut:])
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                answer += wire.recv(65536)
            assert b"MSA|AA|S3" in answer
    assert sum(one["control_id"] == "S3" for one in kept(shared_system)) == 1


def test_files_and_tls(
    make_system: Callable[..., Any], data_folder: Path, certificates: Path
) -> None:
    """Two interfaces: one of files, and one where only a known client comes in."""
    (data_folder / "interfaces").mkdir()
    for name, kind in (("lab", "files"), ("sgl", "mllp")):
        file = data_folder / "interfaces" / f"{name}.toml"
        file.write_text(f'name = "{name}"\nkind = "{kind}"\n')
    system = make_system(
        SGI_HL7__TLS__CERTIFICATE=str(certificates / "ours.pem"),
        SGI_HL7__TLS__KEY=str(certificates / "ours.key"),
        SGI_HL7__TLS__CLIENTS=str(certificates / "theirs.pem"),
    )
    inbox = data_folder / "messages" / "lab"
    wait_until(inbox.is_dir)
    two = message("F1", "EVN||20260612", patient(1)) + message("F2", type_="SIU^S12")
    (inbox / "two.hl7").write_bytes(two.replace(b"\r", b"\n"))
    told = inbox / "refused" / "two.hl7.ack"
    wait_until(told.is_file)
    assert re.findall(rb"MSA\|(\w+)\|(\w+)", told.read_bytes()) == [(b"AA", b"F1"), (b"AE", b"F2")]

    known = ssl.create_default_context(cafile=str(certificates / "ours.pem"))
    with pytest.raises((OSError, EOFError)):
        over_tls(known, system.hl7_port, message("T1", "EVN||20260612", patient(2)))
    with pytest.raises((OSError, hl7.HL7Exception, IndexError)):
        tell(system.hl7_port, message("T2", "EVN||20260612", patient(2)))
    known.load_cert_chain(certificates / "theirs.pem", certificates / "theirs.key")
    answer = over_tls(known, system.hl7_port, message("T3", "EVN||20260612", patient(2)))
    assert b"MSA|AA|T3" in answer

    outcomes = {one["control_id"]: one["outcome"] for one in kept(system)}
    assert outcomes == {"F1": "applied", "F2": "refused", "T3": "applied"}
    items = system.client().get("/api/v1/interfaces").json()["items"]
    assert [(item["name"], item["kind"], item["port"]) for item in items] == [
        ("lab", "files", None),
        ("sgl", "mllp", system.hl7_port),
    ]


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """`ours` and `theirs`, each an authority for itself, made out to localhost."""
    for name in ("ours", "theirs"):
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-out", tmp_path / f"{name}.pem", "-keyout", tmp_path / f"{name}.key"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
    return tmp_path


def over_tls(context: ssl.SSLContext, port: int, raw: bytes) -> bytes:
    with (
        closing(socket.create_connection((HOST, port), timeout=20)) as wire,
        context.wrap_socket(wire, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"\x0b" + raw + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            piece = secured.recv(65536)
            if not piece:
                raise EOFError
            answer += piece
        return answer


def test_it_comes_back_on_the_same_port(shared_system: Any) -> None:
    port = shared_system.hl7_port
    assert code(tell(port, message("K1", "EVN||20260612", patient(81))))[0] == "AA"
    shared_system.kill("hl7")
    wait_until(lambda: not listens(port))
    wait_until(lambda: listens(port))
    assert code(tell(port, message("K2", "EVN||20260612", patient(82))))[0] == "AA"
    assert shared_system.hl7_port == port
    outcomes = {one["control_id"]: one["outcome"] for one in kept(shared_system)}
    assert outcomes["K1"] == outcomes["K2"] == "applied"


def listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except OSError:
        return False
    return True


def start(data: Path, **settings: str) -> subprocess.Popen[str]:
    others = {k: v for k, v in os.environ.items() if not k.startswith("SGI_")}
    return subprocess.Popen(
        [sys.executable, "-m", "sgi", "up"],
        env=others | {"SGI_DATA": str(data), "SGI_PORT": "0", **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_port_that_was_set_and_is_taken_is_said(data_folder: Path) -> None:
    with closing(socket.socket()) as other:
        other.bind((HOST, 0))
        other.listen()
        port = str(other.getsockname()[1])
        with start(data_folder, SGI_HL7__PORT=port) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith(f"sgi: Port {port} on 127.0.0.1 cannot be used")
    assert "SGI_HL7__PORT" in said
    assert said.count("\n") == 1
    assert not (data_folder / "postgres").exists(), "something was begun"


def test_an_interface_that_is_not_right_is_said(data_folder: Path) -> None:
    (data_folder / "interfaces").mkdir()
    (data_folder / "interfaces" / "lab.toml").write_text('name = "lab"\nprot = 1\n')
    with start(data_folder, SGI_HL7__PORT="0") as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith("sgi: lab.toml: there is no key prot")
