"""Every kind of damage to every object: all of it found, nothing else, and repaired."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from sgi.domain.integrity import Damage, IncidentState, Place
from sgi.integrity.pace import Pace
from sgi.integrity.verify import Verifier
from sgi.stored.keys import frame_hashes_key, instance_key, manifest_key
from sgi.stores import Stores
from storage.memory import MemoryObjectStore

Change = Callable[[bytes, random.Random], bytes]


def one_bit(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) * 8)
    changed = bytearray(data)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def zeroed(data: bytes, chance: random.Random) -> bytes:
    """4 KiB, or all of a smaller object."""
    at = chance.randrange(max(len(data) - 4096, 1))
    return data[:at] + bytes(len(data[at : at + 4096])) + data[at + 4096 :]


def truncated(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def appended(data: bytes, chance: random.Random) -> bytes:
    return data + chance.randbytes(chance.randrange(1, 5000))


CHANGES: tuple[Change, ...] = (one_bit, zeroed, truncated, appended)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_any_object_is_found_and_repaired(kept: Any, change: Change) -> None:
    chance = random.Random(change.__name__)
    sound, copy = dict(kept.warm), dict(kept.second)
    for place, objects in ((Place.WARM, kept.warm), (Place.SECOND, kept.second)):
        for key in kept.names():
            objects[key] = change(objects[key], chance)
            verified = kept.verify()
            assert [(each.place, each.key) for each in verified.findings] == [(place, key)]
            assert not verified.left
            assert {k: v for k, v in kept.warm.items() if not k.startswith("quarantine/")} == sound
            assert kept.second == copy
            assert not kept.verify().findings
    assert not kept.is_damaged()


def test_objects_that_are_gone_come_back(kept: Any) -> None:
    sound, copy = dict(kept.warm), dict(kept.second)
    for key in kept.names():
        del kept.warm[key]
    verified = kept.verify()
    assert {each.key for each in verified.findings} == set(sound)
    assert {each.damage for each in verified.findings} == {Damage.MISSING}
    assert not verified.left
    assert kept.warm == sound
    kept.second.clear()
    assert not kept.verify().left
    assert kept.second == copy


def test_objects_that_were_swapped(kept: Any) -> None:
    keys = kept.names()
    sound = dict(kept.warm)
    for first, other in itertools.pairwise(keys):
        kept.warm[first], kept.warm[other] = sound[other], sound[first]
        verified = kept.verify()
        assert {each.key for each in verified.findings} == {first, other}
        assert not verified.left
        assert {key: kept.warm[key] for key in keys} == sound


@pytest.mark.parametrize("change", CHANGES)
def test_without_a_second_copy_it_is_quarantined_and_told_once(alone: Any, change: Change) -> None:
    chance = random.Random(change.__name__)
    for key in alone.names():
        sound = alone.warm[key]
        alone.warm[key] = damaged = change(sound, chance)
        assert [each.key for each in alone.verify().left] == [key]
        alone.verify()
        (incident,) = [each for each in alone.incidents() if each.state is IncidentState.OPEN]
        assert incident.object_key == key
        assert incident.last_seen_at > incident.found_at
        assert alone.warm[incident.quarantine_key] == damaged
        assert alone.is_damaged()
        alone.warm[key] = sound  # a person brought it back
        assert not alone.verify().findings
        assert not alone.is_damaged()
    assert {each.state for each in alone.incidents()} == {IncidentState.REPAIRED}


def test_an_edited_manifest_never_passes_for_the_truth(kept: Any) -> None:
    key = manifest_key(kept.slide.id)
    sound = kept.warm[key]
    base = kept.slide.levels[0]
    other_hash = sound.replace(base.sha256.encode(), b"0" * 64)
    for edited in (sound.replace(b"slide.svs", b"other.svs"), other_hash, b"{}", b"[" * 9999):
        assert edited != sound
        kept.warm[key] = edited
        verified = kept.verify()
        assert [(each.place, each.key) for each in verified.findings] == [(Place.WARM, key)]
        assert not verified.left
        assert kept.warm[key] == sound


def test_an_object_and_the_manifest_edited_to_agree(alone: Any) -> None:
    base = alone.slide.levels[0]
    key = instance_key(alone.slide.id, base.sop_uid)
    label = alone.slide.instance("label")
    alone.warm[key] = alone.warm[instance_key(alone.slide.id, label.sop_uid)]
    manifest = manifest_key(alone.slide.id)
    alone.warm[manifest] = (
        alone.warm[manifest]
        .replace(base.sha256.encode(), label.sha256.encode())
        .replace(str(base.size_bytes).encode(), str(label.size_bytes).encode())
    )
    assert {each.key for each in alone.verify().left} == {key, manifest}


@pytest.mark.parametrize(
    "statement",
    [
        "update instance set sha256 = '\\x00' where sop_uid = %s",
        "update instance set sha256 = sha256 || '\\x00' where sop_uid = %s",
        "update instance set size_bytes = size_bytes + 1 where sop_uid = %s",
        "update instance set frames_sha256 = '\\x01' where sop_uid = %s",
        "update instance set header_sha256 = '\\x01' where sop_uid = %s",
        "update instance set header_sha256 = null where sop_uid = %s",
        "update instance set header_bytes = header_bytes + 1 where sop_uid = %s",
        "update instance set frames = frames + 1 where sop_uid = %s",
        "update instance set level = 7 where sop_uid = %s",
        "update instance set columns = columns + 1 where sop_uid = %s",
        "delete from instance where sop_uid = %s",
    ],
)
@pytest.mark.parametrize("second", [True, False])
def test_edited_rows_are_put_right(keep: Callable[..., Any], statement: str, second: bool) -> None:
    kept = keep(second)
    kept.edit(statement, kept.slide.levels[0].sop_uid)
    verified = kept.verify()
    assert {each.damage for each in verified.findings} == {Damage.CATALOGUE}
    assert not verified.left
    assert not kept.verify().findings
    known = kept.run(kept.verifier.known(kept.slide.establishment_id, kept.slide.id))
    assert {i.sha256 for i in known.slide.instances} == {i.sha256 for i in kept.slide.instances}


def test_an_edited_row_of_the_manifest_is_outvoted(kept: Any) -> None:
    statement = "update side_object set sha256 = '\\x07' where slide_id = %s"
    kept.edit(statement, kept.slide.id)
    verified = kept.verify()
    assert verified.findings
    assert not verified.left
    assert not kept.verify().findings


def test_extra_objects_are_told_of_and_left(kept: Any) -> None:
    key = frame_hashes_key(kept.slide.id, "1.2.3")
    kept.warm[key] = kept.second[key] = b"what is this?"
    verified = kept.verify()
    assert {(each.place, each.damage) for each in verified.left} == {
        (Place.WARM, Damage.EXTRA),
        (Place.SECOND, Damage.EXTRA),
    }
    assert kept.warm[key] == b"what is this?"
    assert not kept.is_damaged()


def test_both_copies_damaged(kept: Any) -> None:
    key = instance_key(kept.slide.id, kept.slide.levels[0].sop_uid)
    kept.warm[key] = kept.warm[key][:-1]
    kept.second[key] = kept.second[key][1:]
    assert {each.place for each in kept.verify().left} == {Place.WARM, Place.SECOND}
    assert kept.is_damaged()


def test_damage_is_in_the_audit(
    kept: Any, here: Any, audit_rows: Callable[[Any], list[Any]]
) -> None:
    kept.warm.pop(kept.names()[0])
    kept.verify()
    actions = [row["action"] for row in audit_rows(here)]
    assert actions.count("find_damage") == actions.count("repair_damage") == 1


class FlippingStore(MemoryObjectStore):
    """Every so many answers have a bit flipped on their way; what is stored is sound."""

    def __init__(self, objects: dict[str, bytes], every: int) -> None:
        super().__init__(objects)
        self.every, self.answers = every, 0

    def read_chunks(self, key: str, chunk_bytes: int = 1 << 20) -> Any:
        for data in super().read_chunks(key, chunk_bytes):
            self.answers += 1
            yield data if self.answers % self.every else bytes([data[0] ^ 1]) + data[1:]


@pytest.mark.parametrize("every", [2, 3, 5])
def test_flips_on_the_way_are_no_damage_and_are_never_copied(kept: Any, every: int) -> None:
    stores = Stores(FlippingStore(kept.warm, every), None, FlippingStore(kept.second or {}, every))
    kept.verifier = Verifier(kept.database, stores, Pace())
    sound, copy = dict(kept.warm), dict(kept.second)
    assert not kept.verify().findings
    base = instance_key(kept.slide.id, kept.slide.levels[0].sop_uid)
    kept.warm[base] = sound[base][:-1]
    for _ in range(4):
        kept.verify()  # a repair that a flip spoils is tried again
    assert kept.warm[base] == sound[base]
    assert kept.second == copy
