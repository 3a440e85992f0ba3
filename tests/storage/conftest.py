"""A real S3 server for the whole run, and a proxy before it that misbehaves as told."""

from collections.abc import Iterator

import pytest

from sgi.engines import EmbeddedSeaweed
from storage import S3ObjectStore, S3Options
from storage.faults import FaultyProxy, faulty_proxy


@pytest.fixture(scope="session")
def s3_options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    engine = EmbeddedSeaweed(tmp_path_factory.mktemp("seaweed"))
    yield engine.start()
    engine.stop()


@pytest.fixture
def s3_store(s3_options: S3Options) -> S3ObjectStore:
    """Empty."""
    store = S3ObjectStore(s3_options)
    for info in list(store.list()):
        store.delete(info.key)
    return store


@pytest.fixture
def proxy(s3_options: S3Options) -> Iterator[FaultyProxy]:
    assert s3_options.endpoint
    with faulty_proxy(s3_options.endpoint) as proxy:
        yield proxy
