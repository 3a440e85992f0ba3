"""Where `sgi up` listens, what it prints of that, and how it finds itself ready."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

_HANG_S = 180
_SAID = re.compile(r"ready (\S+)")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket's path, and open to the account of the embedded database."""
    folder = Path(tempfile.mkdtemp(prefix="sgi-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def certified(folder: Path) -> dict[str, str]:
    """Settings with a certificate of our own, made out to a name that is not the address."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    options = ["-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=slides.test"]
    subprocess.run(
        ["openssl", "req", *options, "-out", certificate, "-keyout", key],
        check=True,
        capture_output=True,
        timeout=_HANG_S,
    )
    return {"SGI_TLS__CERTIFICATE": str(certificate), "SGI_TLS__KEY": str(key)}


def environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    others = {k: v for k, v in os.environ.items() if not k.startswith("SGI_")}
    ports = {"SGI_PORT": "0", "SGI_HL7__PORT": "0"}
    return others | {"SGI_DATA": str(folder / "data")} | ports | settings


@contextmanager
def started(folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """`sgi up` until the end of the block; gives the address it prints."""
    with (
        (folder / "up.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "sgi", "up"],
            env=environment(folder, settings),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout
            said = _SAID.match(process.stdout.readline())
            assert said, (folder / "up.log").read_text()
            yield said[1]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_HANG_S)


@pytest.fixture
def address(folder: Path) -> Iterator[Callable[..., str]]:
    """`address(SGI_…="…")`: what `sgi up` prints with these settings."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(started(folder, settings))


def ipv6_is_there() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_certificate_that_nobody_here_knows(
    address: Callable[..., str], certified: dict[str, str]
) -> None:
    assert re.fullmatch(r"https://127\.0\.0\.1:\d+", address(**certified))


def test_every_address_of_the_machine(
    address: Callable[..., str], certified: dict[str, str]
) -> None:
    assert re.fullmatch(r"https://0\.0\.0\.0:\d+", address(SGI_HOST="0.0.0.0", **certified))


@pytest.mark.skipif(not ipv6_is_there(), reason="this machine has no IPv6")
def test_the_address_of_ipv6(address: Callable[..., str]) -> None:
    assert re.fullmatch(r"http://\[::1\]:\d+", address(SGI_HOST="::1"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_in_clear_to_a_network_is_refused_at_once(folder: Path, host: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "sgi", "up"],
        env=environment(folder, {"SGI_HOST": host}),
        capture_output=True,
        text=True,
        timeout=_HANG_S,
    )
    assert ended.returncode == 1
    assert "is reached from outside: set SGI_TLS__CERTIFICATE" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (folder / "data").exists(), "something was begun"
