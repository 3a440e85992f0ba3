"""`sgi serve` as a process of its own: in clear by one server, over TLS by another."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_HANG_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Server:
    """A running `sgi serve`."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        self.process = process
        self.address = address

    def get(self, path: str) -> Any:
        request = urllib.request.Request(self.address + path)
        return urllib.request.urlopen(request, timeout=10, context=unverified())

    def wait(self) -> None:
        until = time.monotonic() + _HANG_S
        while True:
            assert self.process.poll() is None, "it ended"
            try:
                with self.get("/readyz"):
                    return
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < until, "it never answered"
                time.sleep(0.1)

    def children(self) -> list[int]:
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(child) for child in Path(path).read_text().split()]


@pytest.fixture
def serve(url: str, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(**settings: str) -> Server:
        port = free_port()
        others = {k: v for k, v in os.environ.items() if not k.startswith("SGI_")}
        ours = {
            "SGI_DATA": str(tmp_path),
            "SGI_PORT": str(port),
            "SGI_DATABASE__URL": url,
            "SGI_STORAGE__ENDPOINT": "http://127.0.0.1:9",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "sgi", "serve"], env=others | ours | settings
        )
        started.append(process)
        scheme = "https" if "SGI_TLS__KEY" in settings else "http"
        server = Server(process, f"{scheme}://127.0.0.1:{port}")
        server.wait()
        return server

    yield start
    for process in started:
        process.kill()
        process.wait(_HANG_S)


@pytest.fixture
def certified(tmp_path: Path) -> dict[str, str]:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    options = ["-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=slides.test"]
    subprocess.run(
        ["openssl", "req", *options, "-out", certificate, "-keyout", key],
        check=True,
        capture_output=True,
        timeout=_HANG_S,
    )
    return {"SGI_TLS__CERTIFICATE": str(certificate), "SGI_TLS__KEY": str(key)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_in_clear_and_stopped_when_asked(
    serve: Callable[..., Server], number: signal.Signals
) -> None:
    server = serve()
    with server.get("/healthz") as answer:
        assert answer.status == 200
        assert "server" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.get("/tiles/x/0/0/0")
    assert refused.value.code == 401
    refused.value.close()
    server.process.send_signal(number)
    assert server.process.wait(_HANG_S) == 0


def test_a_process_that_dies_is_replaced(serve: Callable[..., Server]) -> None:
    server = serve(SGI_SERVE_PROCESSES="2")
    before = server.children()
    serving = before[-1]
    os.kill(serving, signal.SIGKILL)
    until = time.monotonic() + _HANG_S
    while serving in server.children() or len(server.children()) < len(before):
        assert time.monotonic() < until
        time.sleep(0.1)
    server.wait()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(_HANG_S) == 0


def test_over_tls_it_is_http_2_for_whoever_speaks_it(
    serve: Callable[..., Server], certified: dict[str, str]
) -> None:
    server = serve(**certified)
    port = int(server.address.rpartition(":")[2])
    for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")):
        context = unverified()
        context.set_alpn_protocols(offered)
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="slides.test") as secure,
        ):
            assert secure.selected_alpn_protocol() == chosen
