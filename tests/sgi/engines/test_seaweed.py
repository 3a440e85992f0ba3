import dataclasses
import os
import signal
import stat
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sgi.engines import EmbeddedSeaweed, EngineError
from sgi.engines.process import processes_in, wait_until
from sgi.engines.seaweed_facts import SERVERS, read_facts
from storage import S3ObjectStore


@pytest.fixture
def seaweed(data: Path) -> Iterator[EmbeddedSeaweed]:
    engine = EmbeddedSeaweed(data)
    yield engine
    engine.stop()
    assert not processes_in(data, "weed")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedSeaweed, Path]]:
    """One for all the tests that only look."""
    data = tmp_path_factory.mktemp("seaweed") / "engine"
    data.mkdir()
    (data / "seaweed.log").write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    engine = EmbeddedSeaweed(data)
    engine.start()
    yield engine, data
    engine.stop()


def server_of(data: Path) -> int:
    (server,) = processes_in(data, "weed")
    return server


def listening(process: int) -> set[tuple[str, int]]:
    """Address (as the kernel writes it) and port of every TCP listener of a process."""
    sockets = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        target = str(descriptor.readlink()) if descriptor.is_symlink() else ""
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


def status(url: str, method: str = "GET", data: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, method=method), timeout=5
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_starts_stops_and_starts_again(seaweed: EmbeddedSeaweed, data: Path) -> None:
    options = seaweed.start()
    assert seaweed.is_alive()
    assert seaweed.start() == options
    assert data.stat().st_mode & 0o077 == 0
    S3ObjectStore(options).put("kept", b"bytes")
    seaweed.stop()
    assert not seaweed.is_alive()
    assert not processes_in(data, "weed")

    again = seaweed.start()
    assert again == options
    assert S3ObjectStore(again).read("kept") == b"bytes"


def test_more_buckets_even_when_it_has_run_before(seaweed: EmbeddedSeaweed, data: Path) -> None:
    S3ObjectStore(seaweed.start()).put("kept", b"bytes")
    seaweed.stop()
    engine = EmbeddedSeaweed(data, more_buckets=["sgi-cold"])
    try:
        options = engine.start()
        cold = S3ObjectStore(dataclasses.replace(options, bucket="sgi-cold"))
        cold.put("kept", b"cold")
        assert S3ObjectStore(options).read("kept") == b"bytes"
        assert cold.read("kept") == b"cold"
    finally:
        engine.stop()


def test_acknowledged_objects_survive_kill(seaweed: EmbeddedSeaweed, data: Path) -> None:
    acknowledged: dict[str, bytes] = {}
    for attempt in range(2):
        store = S3ObjectStore(seaweed.start())
        for number in range(40):
            key, content = f"{attempt}/{number}", os.urandom(20_000)
            store.put(key, content)
            acknowledged[key] = content
        with store.open_write(f"{attempt}/large") as sink:
            sink.write(content * 1000)
        acknowledged[f"{attempt}/large"] = content * 1000
        os.kill(server_of(data), signal.SIGKILL)
        assert wait_until(lambda: not seaweed.is_alive(), 5)
    store = S3ObjectStore(seaweed.start())
    assert {info.key for info in store.list()} == set(acknowledged)
    for key, content in acknowledged.items():
        assert store.read(key) == content


def test_other_ports_when_its_own_are_taken(seaweed: EmbeddedSeaweed, data: Path) -> None:
    options = seaweed.start()
    S3ObjectStore(options).put("kept", b"bytes")
    seaweed.stop()
    facts = read_facts(data / "seaweed.json")
    assert facts
    blocker = "import socket, sys; s = socket.socket(); s.setsockopt(1, 2, 1); "
    blocker += f"s.bind(('127.0.0.1', {facts.ports['filer']})); s.listen(); print(1, flush=True); "
    blocker += "sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", blocker], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        moved = seaweed.start()
        assert moved.endpoint != options.endpoint
        assert S3ObjectStore(moved).read("kept") == b"bytes"
        other.kill()


def test_nothing_listens_beyond_this_machine(running: tuple[EmbeddedSeaweed, Path]) -> None:
    seaweed, data = running
    seaweed.start()
    facts = read_facts(data / "seaweed.json")
    assert facts
    found = listening(server_of(data))
    assert {address for address, _ in found} == {"0100007F"}
    expected = {facts.ports[server] + offset for server in SERVERS for offset in (0, 10_000)}
    assert {port for _, port in found} == expected


def test_nobody_without_credentials(running: tuple[EmbeddedSeaweed, Path]) -> None:
    seaweed, data = running
    options = seaweed.start()
    S3ObjectStore(options).put("kept", b"bytes")
    for path in ("/", "/sgi", "/sgi?list-type=2", "/sgi/kept", "/other"):
        assert status(f"{options.endpoint}{path}") == 403, path
    assert status(f"{options.endpoint}/sgi/new", "PUT", b"x") == 403
    assert status(f"{options.endpoint}/other", "PUT") == 403
    assert status(f"{options.endpoint}/sgi/kept", "DELETE") == 403
    assert S3ObjectStore(options).read("kept") == b"bytes"

    facts = read_facts(data / "seaweed.json")
    assert facts
    master, filer, volume, admin = (
        f"http://127.0.0.1:{facts.ports[server]}"
        for server in ("master", "filer", "volume", "admin")
    )
    assert status(f"{master}/dir/assign") in {401, 404}
    assert status(f"{filer}/buckets/sgi/kept") in {401, 404}
    assert status(f"{filer}/buckets/sgi/new", "POST", b"x") in {401, 404}
    assert status(f"{volume}/2,01637037d6", "GET") in {401, 404}
    assert status(f"{volume}/2,01637037d6", "PUT", b"x") in {401, 404}
    assert status(f"{admin}/") in {401, 404}


def test_secrets_are_private(running: tuple[EmbeddedSeaweed, Path]) -> None:
    seaweed, data = running
    options = seaweed.start()
    for name in ("seaweed.json", "security.toml", "seaweed.log"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    secret = str(options.secret_access_key)
    command = Path(f"/proc/{server_of(data)}/cmdline").read_text()
    assert secret not in command
    assert secret not in (data / "seaweed.log").read_text(errors="replace")
    assert secret not in repr(options)


def test_given_credentials_bucket_and_port(data: Path) -> None:
    port = 23_999
    engine = EmbeddedSeaweed(data, "an-access-key", "a-secret-key", bucket="lames", port=port)
    try:
        options = engine.start()
        assert options.endpoint == f"http://127.0.0.1:{port}"
        assert (options.bucket, options.access_key_id) == ("lames", "an-access-key")
        S3ObjectStore(options).put("a", b"bytes")
        with pytest.raises(EngineError, match="taken"):
            EmbeddedSeaweed(data.with_name("second"), port=port).start()
    finally:
        engine.stop()


def test_a_log_that_grew_is_emptied(running: tuple[EmbeddedSeaweed, Path]) -> None:
    _, data = running
    assert (data / "seaweed.log").stat().st_size < 1024 * 1024


OWNER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from sgi.engines import EmbeddedSeaweed
    EmbeddedSeaweed(Path(sys.argv[1])).start()
    print("alive", flush=True)
    time.sleep(60)
""")


def test_ends_with_its_owner_and_one_owner_at_a_time(seaweed: EmbeddedSeaweed, data: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, data], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == "alive\n"
        with pytest.raises(EngineError, match="Another"):
            seaweed.start()
        server = server_of(data)
        assert os.getpgid(server) != os.getpgid(owner.pid)
        owner.kill()
    options = seaweed.start()  # whether the orphan has gone by now or not
    assert server_of(data) != server
    assert list(S3ObjectStore(options).list()) == []
