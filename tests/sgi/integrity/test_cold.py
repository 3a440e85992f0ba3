"""Packed copies in the cold store: proved where they lie, and brought back from the second copy."""

import hashlib
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dicom.cold import pack
from sgi.domain.integrity import Damage, Place
from sgi.domain.tier import Tier
from sgi.domain.tiers import ColdCopy
from sgi.integrity.pace import Pace
from sgi.integrity.verify import Verifier
from sgi.stored.keys import cold_key, instance_key, manifest_key
from sgi.stored.sources import StoredObject
from sgi.stores import Stores
from storage.errors import StoreRefusedError
from storage.memory import MemoryObjectStore
from tiling.codecs.jpeg_recompressed import recompress


class Cooled:
    """A slide whose base lies in the cold store alone."""

    def __init__(self, kept: Any) -> None:
        self.kept = kept
        self.cold: dict[str, bytes] = {}
        base = kept.slide.levels[0]
        self.warm_key = instance_key(kept.slide.id, base.sop_uid)
        self.key = cold_key(kept.slide.id, base.sop_uid)
        self.sop_uid = base.sop_uid
        sink: Any = io.BytesIO()
        source = StoredObject(kept.stores.warm, self.warm_key, base.size_bytes)
        packed = pack(source, base.size_bytes, sink, None)
        self.cold[self.key] = sink.getvalue()
        self.sound = kept.warm.pop(self.warm_key)
        kept.edit(
            "update instance set tier = 'cold', cold_size_bytes = %s where sop_uid = %s",
            packed.size_bytes,
            base.sop_uid,
        )
        self.store: Any = MemoryObjectStore(self.cold)
        self.use(kept.stores.second)

    def use(self, second: Any) -> None:
        stores = Stores(self.kept.stores.warm, self.store, second)
        self.kept.verifier = Verifier(self.kept.database, stores, Pace())

    def restore(self, data: bytes) -> None:
        """As after a rebuild: the copy is there, and nobody knows its hash."""
        self.cold[self.key] = data
        self.kept.edit(
            "update instance set cold_sha256 = null, cold_size_bytes = %s where sop_uid = %s",
            len(data),
            self.sop_uid,
        )

    def copy(self) -> ColdCopy:
        known = self.kept.run(
            self.kept.verifier.known(self.kept.slide.establishment_id, self.kept.slide.id)
        )
        copy: ColdCopy = known.cold[self.sop_uid]
        return copy

    def tier(self) -> Tier:
        known = self.kept.run(
            self.kept.verifier.known(self.kept.slide.establishment_id, self.kept.slide.id)
        )
        tier: Tier = next(i.tier for i in known.slide.instances if i.sop_uid == self.sop_uid)
        return tier


@pytest.fixture
def cooled(kept: Any) -> Cooled:
    made = Cooled(kept)
    assert not kept.verify().findings, "what lies there is learned"
    return made


def test_a_sound_copy_is_sound(cooled: Cooled) -> None:
    assert not cooled.kept.verify().findings
    assert cooled.tier() is Tier.COLD


@pytest.mark.parametrize(
    ("change", "damage"),
    [
        (lambda data: data[:99] + bytes([data[99] ^ 1]) + data[100:], Damage.BYTES),
        (lambda data: data[:-1], Damage.SIZE),
        (lambda data: data + b"x", Damage.SIZE),
        (None, Damage.MISSING),
    ],
)
def test_a_damaged_copy_is_replaced_by_a_warm_instance(
    cooled: Cooled, change: Callable[[bytes], bytes] | None, damage: Damage
) -> None:
    if change is None:
        del cooled.cold[cooled.key]
    else:
        cooled.cold[cooled.key] = change(cooled.cold[cooled.key])
    verified = cooled.kept.verify()
    assert [(f.place, f.key, f.damage) for f in verified.findings] == [
        (Place.COLD, cooled.key, damage)
    ]
    assert not verified.left
    assert cooled.tier() is Tier.WARM
    assert cooled.kept.warm[cooled.warm_key] == cooled.sound
    left = [] if change is None else [(cooled.key, Damage.EXTRA)]
    assert [(f.key, f.damage) for f in cooled.kept.verify().findings] == left
    assert not cooled.kept.is_damaged()


def test_without_a_second_copy_it_is_told(cooled: Cooled) -> None:
    cooled.use(None)
    cooled.cold[cooled.key] = cooled.cold[cooled.key][:-1]
    assert [f.place for f in cooled.kept.verify().left] == [Place.COLD]
    assert cooled.kept.is_damaged()
    assert cooled.tier() is Tier.COLD


def test_a_copy_of_another_instance_is_none(kept: Any) -> None:
    cooled = Cooled(kept)
    other = kept.slide.levels[1]
    sink: Any = io.BytesIO()
    key = instance_key(kept.slide.id, other.sop_uid)
    pack(StoredObject(kept.stores.warm, key, other.size_bytes), other.size_bytes, sink, None)
    cooled.cold[cooled.key] = sink.getvalue()
    assert [f.damage for f in kept.verify().findings] == [Damage.BYTES]


def flipped(data: bytes) -> bytes:
    return data[:99] + bytes([data[99] ^ 1]) + data[100:]


def test_a_copy_of_unknown_hash_is_unpacked_before_it_is_believed(cooled: Cooled) -> None:
    sound = cooled.cold[cooled.key]
    cooled.use(None)
    cooled.restore(flipped(sound))  # its index is sound
    (finding,) = cooled.kept.verify().left
    assert (finding.place, finding.damage) == (Place.COLD, Damage.BYTES)
    assert not cooled.copy().sha256
    cooled.restore(sound)
    assert not cooled.kept.verify().findings
    assert cooled.copy().sha256 == hashlib.sha256(sound).digest()


def test_recompressed_frames_are_unpacked_apart(cooled: Cooled) -> None:
    """By the process that takes frames apart, as a move to the cold store leaves them."""
    base = cooled.kept.slide.levels[0]
    sink: Any = io.BytesIO()
    source = StoredObject(
        MemoryObjectStore({cooled.warm_key: cooled.sound}), cooled.warm_key, base.size_bytes
    )
    packed = pack(
        source, base.size_bytes, sink, lambda frames: [recompress(each) for each in frames]
    )
    assert packed.recompressed
    cooled.restore(sink.getvalue())
    assert not cooled.kept.verify().findings
    assert cooled.copy().sha256 == hashlib.sha256(sink.getvalue()).digest()


def test_a_cold_slide_gets_its_second_copy_from_the_cold_one(cooled: Cooled) -> None:
    second: dict[str, bytes] = {}
    cooled.kept.edit("update slide set copied_at = null where id = %s", cooled.kept.slide.id)
    cooled.use(MemoryObjectStore(second))
    assert cooled.kept.copy()
    assert second[cooled.warm_key] == cooled.sound
    assert not cooled.kept.verify().findings


def test_a_damaged_second_copy_is_put_right_from_the_cold_one(cooled: Cooled) -> None:
    second = cooled.kept.second
    second[cooled.warm_key] = flipped(second[cooled.warm_key])
    verified = cooled.kept.verify()
    assert [(f.place, f.key) for f in verified.repaired] == [(Place.SECOND, cooled.warm_key)]
    assert second[cooled.warm_key] == cooled.sound
    assert cooled.tier() is Tier.COLD


def test_nothing_is_made_of_two_damaged_copies(cooled: Cooled) -> None:
    second = cooled.kept.second
    second[cooled.warm_key] = flipped(second[cooled.warm_key])
    cooled.cold[cooled.key] = flipped(cooled.cold[cooled.key])
    spoilt = dict(second)
    assert {f.place for f in cooled.kept.verify().left} == {Place.COLD, Place.SECOND}
    assert second == spoilt
    assert cooled.kept.is_damaged()


def test_an_archived_slide_is_copied_another_time(cooled: Cooled) -> None:
    class Archive(MemoryObjectStore):
        def read_range(self, key: str, offset: int, length: int) -> bytes:
            raise StoreRefusedError(key)

    second: dict[str, bytes] = {}
    cooled.store = Archive(cooled.cold)
    cooled.use(MemoryObjectStore(second))
    assert not cooled.kept.copy()
    assert cooled.warm_key not in second
    assert manifest_key(cooled.kept.slide.id) not in second, "what has a manifest is whole"
    assert not cooled.kept.incidents()


def test_an_archive_that_refuses_reads_is_asked_for_the_size(cooled: Cooled) -> None:
    class Archive(MemoryObjectStore):
        def read_chunks(self, key: str, chunk_bytes: int = 1) -> Any:
            raise StoreRefusedError(key)

    cooled.store = Archive(cooled.cold)
    cooled.use(cooled.kept.stores.second)
    assert not cooled.kept.verify().findings
    cooled.cold[cooled.key] += b"x"
    assert [f.damage for f in cooled.kept.verify().findings] == [Damage.SIZE]


def test_what_nobody_knows_in_the_cold_store_is_told_once_it_is_old(
    cooled: Cooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    stray = cooled.key.replace(cooled.sop_uid, "1.2.3")
    cooled.store.put(stray, b"?")
    young = cooled.kept.verify()
    assert (young.findings, young.young) == ((), 1)
    monkeypatch.setattr("sgi.integrity.cold.YOUNG", timedelta(0))
    old = cooled.kept.verify()
    assert [(f.place, f.key, f.damage) for f in old.findings] == [(Place.COLD, stray, Damage.EXTRA)]
    assert stray in cooled.cold, "it is left"
    assert not cooled.kept.is_damaged()


def test_a_copy_that_stays_after_a_restore_is_read_too_and_not_relied_on(cooled: Cooled) -> None:
    cooled.kept.warm[cooled.warm_key] = cooled.sound
    cooled.kept.edit("update instance set tier = 'warm' where sop_uid = %s", cooled.sop_uid)
    assert not cooled.kept.verify().findings
    cooled.cold[cooled.key] = flipped(cooled.cold[cooled.key])
    (found,) = cooled.kept.verify().findings
    assert (found.place, found.key, found.damage) == (Place.COLD, cooled.key, Damage.EXTRA)
    assert "made anew" in found.detail
    assert not cooled.kept.is_damaged()
    assert cooled.kept.warm[cooled.warm_key] == cooled.sound
    del cooled.cold[cooled.key]
    assert not cooled.kept.verify().findings, "nothing needs it"
