"""Fixtures that more than one package's tests use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_KNOWN = "aperio/CMU-1-Small-Region.svs"
"""A slide that the folder of test slides always has."""


@pytest.fixture(scope="session")
def shared_slides() -> Path:
    """The folder of test slides, or the folder with `slides` in it: `SGI_TEST_DATA`, else `shared`
    beside the project."""
    given = Path(os.environ.get("SGI_TEST_DATA") or Path(__file__).parents[2] / "shared")
    for folder in (given / "slides", given):
        if (folder / _KNOWN).is_file():
            return folder.absolute()
    pytest.skip(f"SGI_TEST_DATA should name the folder of test slides: {given} has no {_KNOWN}")


@pytest.fixture(scope="session")
def interop() -> Path:
    """The folder of other people's messages: `interop` in or beside the folder of test slides."""
    given = Path(os.environ.get("SGI_TEST_DATA") or Path(__file__).parents[2] / "shared")
    for folder in (given / "interop", given.parent / "interop"):
        if (folder / "synthetic").is_dir():
            return folder.absolute()
    pytest.skip(f"SGI_TEST_DATA should name the folder of test data: {given} has no interop")


@pytest.fixture(scope="session")
def archive_endpoint() -> Iterator[str]:
    """An S3 with classes that must be thawed, on loopback, made of memory."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
