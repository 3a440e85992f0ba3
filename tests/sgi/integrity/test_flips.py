"""Bits that flip between a real store and us, while what is stored is sound."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from sgi.commands.verify import verify_slides
from sgi.domain.slide import Slide
from sgi.engines import EmbeddedSeaweed
from sgi.integrity.rebuild import rebuild
from sgi.stored.keys import SLIDES
from sgi.stores import Stores
from storage import S3ObjectStore, S3Options
from storage.faults import Fault, Kind, faulty_proxy


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    engine = EmbeddedSeaweed(tmp_path_factory.mktemp("seaweed"))
    yield engine.start()
    engine.stop()


def test_a_flip_on_the_way_is_no_alarm(
    run: Any,
    make_empty: Callable[[], str],
    s3: S3Options,
    here: Any,
    store: Any,
    publish: Callable[..., Slide],
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish(here, store)
    sound = S3ObjectStore(s3)
    for key, data in store.objects.items():
        sound.put(key, data)
    url = make_empty()
    assert run(rebuild(url, Stores(sound))).problems == []
    assert run(verify_slides(url, Stores(sound))), "what is not on record yet is learned"
    assert s3.endpoint
    with faulty_proxy(s3.endpoint) as proxy:
        keys = [info.key for info in sound.list(SLIDES)]
        proxy.faults = [Fault(Kind.FLIP_ANSWER, "GET", key, times=1) for key in keys]
        behind = S3ObjectStore(dataclasses.replace(s3, endpoint=proxy.endpoint))
        capsys.readouterr()
        assert run(verify_slides(url, Stores(behind)))
        for key in keys:
            asked = [each for each in proxy.requests if each.startswith("GET") and key in each]
            assert len(asked) > 1, f"{key} was read again"
    assert "1 slides verified, 0 damaged objects" in capsys.readouterr().out
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from incident").fetchone() == (0,)
