"""Cold copies in an archive: what the scrub can say of them without reading them."""

import hashlib
from typing import Any

import pytest

from sgi.domain.integrity import Damage
from sgi.integrity.cold import examine_cold
from sgi.integrity.pace import Pace
from sgi.settings import KeepingSettings
from sgi.stored.keys import FROZEN_SHA256, cold_key
from storage.errors import ObjectFrozenError
from storage.memory import MemoryObjectStore
from storage.thaw import Thaw, ThawState

PACKED = b"a packed copy that nobody reads"
SHA256 = hashlib.sha256(PACKED).digest()


class Frozen(MemoryObjectStore):
    """Gives sizes and marks, and no bytes."""

    marks: dict[str, str]

    def read_chunks(self, key: str, chunk_bytes: int = 1) -> Any:
        raise ObjectFrozenError(key)

    def archive(self) -> Any:
        return self

    def state(self, key: str) -> ThawState:
        return ThawState(Thaw.FROZEN, self.size(key), self.marks)


@pytest.mark.parametrize("is_hash_known", [True, False])
@pytest.mark.parametrize(
    ("marks", "data", "damage"),
    [
        ({FROZEN_SHA256: SHA256.hex()}, PACKED, None),
        ({}, PACKED, None),
        ({FROZEN_SHA256: SHA256.hex()}, PACKED[:-1], Damage.SIZE),
        ({FROZEN_SHA256: SHA256.hex()}, None, Damage.MISSING),
        ({FROZEN_SHA256: "00" * 32}, PACKED, Damage.BYTES),
    ],
)
def test_it_is_told_by_size_and_mark(
    kept: Any,
    marks: dict[str, str],
    data: bytes | None,
    damage: Damage | None,
    is_hash_known: bool,
) -> None:
    base = kept.slide.levels[0]
    kept.edit(
        """update instance set tier = 'cold', cold_size_bytes = %s, cold_sha256 = %s
           where sop_uid = %s""",
        len(PACKED),
        SHA256 if is_hash_known else None,
        base.sop_uid,
    )
    key = cold_key(kept.slide.id, base.sop_uid)
    store = Frozen({} if data is None else {key: data})
    store.marks = marks
    known = kept.run(kept.verifier.known(kept.slide.establishment_id, kept.slide.id))
    found = examine_cold(store, known, Pace(), KeepingSettings())
    if damage is Damage.BYTES and not is_hash_known:
        damage = None
    assert [f.damage for f in found.findings] == ([] if damage is None else [damage])
    assert found.read.bytes == 0
    assert not found.learned_cold
