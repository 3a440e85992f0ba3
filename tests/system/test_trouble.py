"""Engines that are not ours, stores that fail, disks that fill: said plainly, then mended."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sgi.engines.postgres import EmbeddedPostgres
from sgi.engines.seaweed import EmbeddedSeaweed
from storage.faults import Fault, Kind, faulty_proxy


@contextmanager
def outside_engines(folder: Path) -> Iterator[tuple[str, Any]]:
    """A PostgreSQL and an S3 store that `sgi up` did not start."""
    postgres, seaweed = EmbeddedPostgres(folder / "hospital-pg"), EmbeddedSeaweed(folder / "s3")
    with ExitStack() as stack:
        url = postgres.start()
        stack.callback(postgres.stop)
        options = seaweed.start()
        stack.callback(seaweed.stop)
        yield url, options


def storage_settings(options: Any, endpoint: str) -> dict[str, str]:
    return {
        "SGI_STORAGE__ENDPOINT": endpoint,
        "SGI_STORAGE__BUCKET": options.bucket,
        "SGI_STORAGE__ACCESS_KEY_ID": options.access_key_id,
        "SGI_STORAGE__SECRET_ACCESS_KEY": options.secret_access_key,
    }


def test_a_failing_store_of_the_hospital(
    data_folder: Path, make_system: Callable[..., Any], own_slide: Callable[..., Path]
) -> None:
    with (
        outside_engines(data_folder) as (url, options),
        faulty_proxy(options.endpoint) as proxy,
    ):
        system = make_system(SGI_DATABASE__URL=url, **storage_settings(options, proxy.endpoint))
        assert not (system.data / "postgres").exists()
        assert not (system.data / "seaweed").exists()
        proxy.faults.append(Fault(Kind.STATUS, "PUT", status=500, code="InternalError"))
        proxy.faults.append(Fault(Kind.STATUS, "POST", status=500, code="InternalError"))
        dropped = system.put(own_slide("unlucky.svs", seed=71))
        arrival = system.wait_for("unlucky.svs", "retrying", timeout_s=120)
        assert arrival["reason_code"] == "store_unavailable"
        assert arrival["reason"].endswith(".")
        assert dropped.exists()
        assert system.slides() == []
        proxy.faults.clear()
        system.wait_for("unlucky.svs", "published", timeout_s=120)
        assert len(system.slides()) == 1
        system.stop()


def test_a_full_disk_is_said_and_survived(
    data_folder: Path, make_system: Callable[..., Any], own_slide: Callable[..., Path]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small disk that this test fills")
    work = data_folder / "work"
    work.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", work], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        system = make_system()
        ballast = work / "ballast"
        ballast.write_bytes(bytes(40 << 20))
        dropped = system.put(own_slide("no room.svs", seed=72))
        arrival = system.wait_for("no room.svs", "retrying")
        assert arrival["reason_code"] == "disk_full"
        assert dropped.exists()
        ballast.unlink()
        system.wait_for("no room.svs", "published", timeout_s=60)
        system.stop()
    finally:
        subprocess.run(["umount", "-l", work], check=True)


def test_a_taken_port_is_said_in_one_line(system: Any) -> None:
    port = system.address.rpartition(":")[2]
    environment = dict(os.environ) | {"SGI_PORT": port, "SGI_DATA": str(system.data / "second")}
    second = subprocess.run(
        [sys.executable, "-m", "sgi", "up"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode != 0
    assert second.stderr.startswith("sgi: ")
    assert "SGI_PORT" in second.stderr
