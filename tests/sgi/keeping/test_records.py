"""Headers are believed once they are proved, and every slide comes on record in its turn."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from dicom.cold import pack
from dicom.errors import UnsupportedInstanceError
from dicom.frame_index import FrameIndex
from dicom.testing import MemorySink, MemorySource
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tier import Tier
from sgi.errors import ColdError, VerificationError
from sgi.jobs.keeping import Keeping
from sgi.keeping.headers import Headers
from sgi.keeping.record_tasks import Recorder
from sgi.keeping.records import Records
from sgi.stored.keys import cold_key, instance_key
from sgi.stored.sources import StoredObject
from sgi.stores import Stores
from storage.memory import MemoryObjectStore


@pytest.fixture
def slide(here: Any, store: Any, publish: Callable[..., Slide]) -> Slide:
    return publish(here, store)


def of_old(stored: StoredInstance) -> StoredInstance:
    return replace(stored, header_bytes=None, header_sha256=None)


def flip(store: Any, key: str, at: int) -> None:
    data = bytearray(store.objects[key])
    data[at] ^= 1
    store.objects[key] = bytes(data)


def test_it_is_all_before_the_first_frame(slide: Slide, store: Any) -> None:
    headers = Headers(Stores(store))
    for stored in slide.instances:
        key = instance_key(slide.id, stored.sop_uid)
        first, _ = FrameIndex.read(StoredObject(store, key, stored.size_bytes)).offset(0)
        assert stored.header_bytes == first
        assert headers.read(slide.id, stored) == store.objects[key][:first]
        assert headers.read(slide.id, of_old(stored)) == store.objects[key][:first]


def test_a_flipped_bit_anywhere_in_it_is_found(slide: Slide, store: Any) -> None:
    headers = Headers(Stores(store))
    stored = slide.levels[-1]
    key = instance_key(slide.id, stored.sop_uid)
    assert stored.header_bytes
    for at in range(0, stored.header_bytes, 61):
        flip(store, key, at)
        with pytest.raises(VerificationError):
            headers.read(slide.id, stored)
        flip(store, key, at)


def test_one_that_was_never_hashed_is_proved_by_all_of_it(slide: Slide, store: Any) -> None:
    stored = of_old(slide.levels[0])
    flip(store, instance_key(slide.id, stored.sop_uid), stored.size_bytes - 100)
    with pytest.raises(VerificationError):
        Headers(Stores(store)).read(slide.id, stored)


def test_what_lies_too_deep_or_is_too_long_is_refused(slide: Slide, store: Any) -> None:
    headers = Headers(Stores(store))
    cold = replace(slide.levels[0], tier=Tier.COLD)
    for each in (cold, of_old(cold)):
        with pytest.raises(ColdError):
            headers.read(slide.id, each)
    with pytest.raises(UnsupportedInstanceError):
        headers.read(slide.id, replace(slide.levels[0], header_bytes=1 << 40))


def test_what_was_proved_once_is_kept(
    slide: Slide, store: Any, database: Any, run: Any, url: str
) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "update instance set header_bytes = null, header_sha256 = null where slide_id = %s",
            [slide.id],
        )
    base = of_old(slide.levels[0])
    records = Records(database, Headers(Stores(store)))
    header = run(records.header(slide, base))
    flip(store, instance_key(slide.id, base.sop_uid), base.size_bytes - 100)
    assert run(records.header(slide, base)) == header, "the rest is not read again"
    flip(store, instance_key(slide.id, base.sop_uid), 200)
    with pytest.raises(VerificationError):
        run(records.header(slide, base))


def test_one_that_cannot_be_read_stops_no_other(
    here: Any,
    store: Any,
    publish: Callable[..., Slide],
    database: Any,
    run: Any,
    settings: Any,
    url: str,
) -> None:
    made = [publish(here, store) for _ in range(4)]
    broken = made[-1]
    flip(store, instance_key(broken.id, broken.levels[0].sop_uid), 300)
    recorder = Recorder(Keeping(settings, database, Stores(store)))
    assert run(recorder.round()) >= 3
    assert run(recorder.round()) == 0
    assert on_record(url, made) == {slide.id for slide in made[:-1]}
    flip(store, instance_key(broken.id, broken.levels[0].sop_uid), 300)
    assert run(Recorder(Keeping(settings, database, Stores(store))).round()) >= 1
    assert on_record(url, made) == {slide.id for slide in made}


def test_one_that_is_destroyed_meanwhile_is_no_harm(
    slide: Slide, store: Any, database: Any, run: Any, url: str
) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("delete from slide where id = %s", [slide.id])
    run(Records(database, Headers(Stores(store))).put(slide))
    assert on_record(url, [slide]) == set()


def test_the_header_of_another_in_the_cold_store_is_not_believed(slide: Slide, store: Any) -> None:
    base = slide.levels[0]
    sound = store.objects[instance_key(slide.id, base.sop_uid)]
    cold = MemoryObjectStore()
    headers = Headers(Stores(store, cold))
    spoilt = bytearray(sound)
    spoilt[spoilt.index(b"SM")] ^= 1
    for data, is_sound in ((sound, True), (bytes(spoilt), False)):
        sink = MemorySink()
        pack(MemorySource(data), len(data), sink, None)
        cold.put(cold_key(slide.id, base.sop_uid), sink.data)
        if is_sound:
            found = headers.read(slide.id, replace(base, tier=Tier.COLD))
            assert sound.startswith(found)
        else:
            with pytest.raises(VerificationError):
                headers.read(slide.id, replace(base, tier=Tier.COLD))


def test_a_damaged_one_is_told_of(slide: Slide, store: Any, database: Any, run: Any) -> None:
    told: list[Any] = []
    records = Records(database, Headers(Stores(store)), lambda *what: told.append(what))
    base = slide.levels[0]
    flip(store, instance_key(slide.id, base.sop_uid), 300)
    with pytest.raises(VerificationError):
        run(records.put(slide))
    assert told == [(slide.id, base.sop_uid)]


def on_record(url: str, made: list[Slide]) -> set[Any]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            """select id from slide where on_record and id = any(%s)
               and exists (select from dicom_series d where d.slide_id = slide.id)""",
            [[slide.id for slide in made]],
        )
        return {row[0] for row in found.fetchall()}
