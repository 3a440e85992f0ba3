"""A slide to cold storage and back: bit for bit, and whatever happens on the way."""

from typing import Any

import pytest

from sgi.catalogue import slides, tiers
from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState, TierPolicy
from sgi.errors import StoppedError
from sgi.integrity.pace import Pace
from sgi.integrity.verify import Verifier
from sgi.keeping import copies as module
from sgi.keeping.moves import Moves
from sgi.stored.keys import cold_key, frame_hashes_key, instance_key
from storage.errors import StoreUnavailableError
from storage.memory import MemoryObjectStore


def base_uid(kept: Any) -> str:
    uid: str = kept.slide.levels[0].sop_uid
    return uid


def test_large_levels_go_cold_and_come_back(kept: Any) -> None:
    before = kept.slide
    assert len(before.levels) > 1
    move = kept.cool()
    assert (move.state, move.progress, move.reason) == (MoveState.DONE, 1, None)
    large = [max(level.columns, level.rows) > 256 for level in before.levels[:-1]] + [False]
    assert kept.tiers == [Tier.COLD if is_large else Tier.WARM for is_large in large]
    assert len(kept.warm_keys()) == len(before.levels), "until all have heard of it"
    kept.assert_nothing_is_lost()
    kept.reap()
    assert len(kept.warm_keys()) == large.count(False)
    kept.assert_nothing_is_lost()
    cold_bytes = sum(info.size_bytes for info in kept.cold.list())
    pairs = zip(before.levels, large, strict=True)
    moved = sum(level.size_bytes for level, is_large in pairs if is_large)
    assert cold_bytes < moved

    move = kept.restore()
    assert (move.state, move.reason) == (MoveState.DONE, None)
    assert kept.slide == before
    for instance in before.instances:
        key = instance_key(kept.slide_id, instance.sop_uid)
        assert kept.warm.read(key) == kept.originals[instance.sop_uid]
    assert kept.cold.size(cold_key(kept.slide_id, base_uid(kept))), "the cold copy stays"


def test_a_kept_cold_copy_is_used_again(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.cool()
    kept.reap()
    kept.restore()
    monkeypatch.setattr(module.Copies, "_write_cold", None)
    assert kept.cool().state is MoveState.DONE
    kept.reap()
    kept.assert_nothing_is_lost()


def test_a_kept_cold_copy_that_rotted_is_made_anew(kept: Any) -> None:
    kept.cool()
    kept.reap()
    kept.restore()
    key = cold_key(kept.slide_id, base_uid(kept))
    rotten = bytearray(kept.cold.read(key))
    rotten[100] ^= 1
    kept.cold.put(key, bytes(rotten))
    assert kept.cool().state is MoveState.DONE
    kept.reap()
    kept.assert_nothing_is_lost()


def test_small_levels_and_pictures_stay(kept: Any) -> None:
    kept.transaction(tiers.set_policy, kept.establishment.id, TierPolicy())
    assert kept.cool().state is MoveState.DONE
    assert set(kept.tiers) == {Tier.WARM}
    assert list(kept.cold.list()) == []


def damage(store: Any, key: str) -> None:
    data = bytearray(store.read(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))


def verifier(kept: Any) -> Verifier:
    return Verifier(kept.database, kept.keeping.stores, Pace())


def check(kept: Any) -> None:
    """The job that was asked for, and is over."""
    waiting = "task_name = 'sgi.check_slide' and status = 'todo' and args ->> 'slide_id' = %s"
    slide_id = str(kept.slide_id)
    assert len(kept.query(f"select id from procrastinate_jobs where {waiting}", slide_id)) == 1
    assert kept.run(verifier(kept).verify(kept.establishment.id, kept.slide_id))
    kept.query(f"update procrastinate_jobs set status = 'succeeded' where {waiting}", slide_id)


@pytest.mark.parametrize("what", ["instance", "hashes"])
def test_what_is_damaged_stays_warm(kept: Any, what: str) -> None:
    key_of = instance_key if what == "instance" else frame_hashes_key
    damage(kept.warm, key_of(kept.slide_id, base_uid(kept)))
    move = kept.ask(Tier.COLD)
    for attempt in range(1, 5):
        found = kept.work(move)
        assert (found.attempts, found.state) == (attempt, MoveState.WAITING)
        assert "not what was written" in found.reason
    assert len(kept.query("select id from incident where place = 'warm'")) == (what == "instance")
    check(kept)
    assert kept.query("select id from incident where state = 'open' and place = 'warm'")
    found = kept.work(move)
    assert found.state is MoveState.FAILED
    assert set(kept.tiers) == {Tier.WARM}
    kept.reap()
    assert len(kept.warm_keys()) == len(kept.tiers)


class Forgetful(MemoryObjectStore):
    """Says that it has stored what it has not."""

    def put(self, key: str, data: bytes, **options: Any) -> None:
        super().put(key, data[:-1] + bytes([data[-1] ^ 1]), **options)

    def open_write(self, key: str, **options: Any) -> Any:
        from contextlib import contextmanager

        @contextmanager
        def opened() -> Any:
            with MemoryObjectStore.open_write(self, key) as sink:
                yield sink
            damage(self, key)

        return opened()


def test_a_cold_store_that_loses_bytes(kept: Any) -> None:
    broken = kept.with_stores(cold=Forgetful())
    move = broken.ask(Tier.COLD)
    assert broken.work(move).state is MoveState.WAITING
    assert set(broken.tiers) == {Tier.WARM}
    broken.reap()
    broken.assert_nothing_is_lost()
    assert kept.work(move).state is MoveState.DONE, "with a store that keeps them"
    kept.assert_nothing_is_lost()


def test_a_warm_store_that_loses_bytes(kept: Any) -> None:
    kept.cool()
    kept.reap()
    held = dict(kept.warm.objects)
    broken = Forgetful()
    broken._objects.update(held)
    lost = kept.with_stores(warm=broken)
    move = lost.ask(Tier.WARM)
    assert lost.work(move).state is MoveState.WAITING
    assert Tier.WARM not in lost.tiers[:1]
    assert lost.tiers[0] is Tier.RESTORING
    assert kept.work(move).state is MoveState.DONE
    kept.assert_nothing_is_lost()


def test_a_store_that_is_away_is_waited_for(kept: Any) -> None:
    move = kept.ask(Tier.COLD)
    away = StoreUnavailableError("The store does not answer; try again.")

    class Away(MemoryObjectStore):
        def open_write(self, *_: Any, **__: Any) -> Any:
            raise away

    for _ in range(5):
        found = kept.with_stores(cold=Away()).work(move)
        assert (found.state, found.reason) == (MoveState.WAITING, str(away))
    jobs = kept.query(
        "select * from procrastinate_jobs where args ->> 'move_id' = %s", str(move.id)
    )
    assert jobs == [], "one that waits keeps all others of its slide waiting"
    assert kept.work(move).state is MoveState.DONE


def test_a_cold_copy_that_is_damaged_is_not_restored(kept: Any) -> None:
    kept.cool()
    kept.reap()
    damage(kept.cold, cold_key(kept.slide_id, base_uid(kept)))
    move = kept.ask(Tier.WARM)
    for _ in range(4):
        found = kept.work(move)
        assert found.state is MoveState.WAITING, "the slide is looked at first"
    (incident,) = kept.query("select place, kind, object_key from incident")
    key = cold_key(kept.slide_id, base_uid(kept))
    assert (incident["place"], incident["kind"], incident["object_key"]) == ("cold", "bytes", key)
    check(kept)  # and there is no second copy
    found = kept.work(move)
    assert found.state is MoveState.FAILED
    assert kept.tiers[0] is Tier.COLD
    kept.reap()
    assert not kept.has(kept.warm, instance_key(kept.slide_id, base_uid(kept)))


@pytest.mark.parametrize("what", ["damaged", "missing"])
def test_a_restore_goes_on_once_the_slide_was_repaired(kept: Any, what: str) -> None:
    from dataclasses import replace

    from sgi.integrity.second import copy_slide
    from sgi.stores import Stores

    stores = Stores(kept.warm, kept.cold, MemoryObjectStore())
    kept = replace(kept, keeping=replace(kept.keeping, stores=stores))
    assert kept.run(copy_slide(verifier(kept), kept.establishment.id, kept.slide_id))
    kept.cool()
    kept.reap()
    key = cold_key(kept.slide_id, base_uid(kept))
    if what == "damaged":
        damage(kept.cold, key)
    else:
        kept.cold.delete(key)
    move = kept.ask(Tier.WARM)
    assert kept.work(move).state is MoveState.WAITING
    (incident,) = kept.query("select kind, state from incident")
    assert incident == {"kind": "missing" if what == "missing" else "bytes", "state": "open"}
    check(kept)
    assert kept.work(move).state is MoveState.DONE
    assert set(kept.tiers) == {Tier.WARM}
    kept.assert_nothing_is_lost()
    assert not kept.query("select id from incident where state = 'open'")


def test_without_a_cold_store(kept: Any) -> None:
    from dataclasses import replace

    from sgi.stores import Stores

    bare = replace(kept, keeping=replace(kept.keeping, stores=Stores(kept.warm)))
    found = bare.cool()
    assert found.state is MoveState.FAILED
    assert "SGI_STORAGE__COLD__BUCKET" in found.reason


def test_the_cold_copy_must_be_there_before_the_warm_one_goes(kept: Any) -> None:
    kept.cool()
    kept.cold.delete(cold_key(kept.slide_id, base_uid(kept)))
    kept.reap()
    assert base_uid(kept) in kept.warm_keys()
    kept.assert_nothing_is_lost()


def test_a_move_that_was_called_off_changes_nothing(kept: Any) -> None:
    move = kept.ask(Tier.COLD)
    kept.transaction(tiers.end, move.id, MoveState.CANCELLED)
    assert kept.work(move).state is MoveState.CANCELLED
    assert set(kept.tiers) == {Tier.WARM}
    assert not kept.transaction(tiers.set_cold, move.id, base_uid(kept), tiers.ColdCopy(1, b"")), (
        "whoever had begun before"
    )


def test_a_restore_asked_for_before_the_warm_object_went(kept: Any) -> None:
    kept.cool()
    kept.transaction(tiers.set_restoring, kept.slide_id)
    kept.reap()
    kept.run(Moves(kept.keeping).reap(kept.establishment.id, kept.slide_id, base_uid(kept)))
    assert len(kept.warm_keys()) == len(kept.tiers)
    kept.restore()
    assert set(kept.tiers) == {Tier.WARM}


def test_a_slide_that_was_destroyed_meanwhile_leaves_nothing(
    kept: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    move = kept.ask(Tier.COLD)
    real = module.Copies.make_cold
    key = cold_key(kept.slide_id, base_uid(kept))

    def destroyed(self: Any, *arguments: Any, **options: Any) -> Any:
        made = real(self, *arguments, **options)
        with psycopg.connect(url) as connection:
            connection.execute("delete from slide where id = %s", [kept.slide_id])
        return made

    monkeypatch.setattr(module.Copies, "make_cold", destroyed)
    kept.run(Moves(kept.keeping).work(kept.establishment.id, move.id))
    assert kept.transaction(slides.by_id, kept.slide_id) is None
    assert not kept.has(kept.cold, key)


def test_it_stops_when_the_worker_does(kept: Any) -> None:
    move = kept.ask(Tier.COLD)
    kept.keeping.cancelled.set()
    with pytest.raises(StoppedError):
        kept.work(move)
    kept.keeping.cancelled.clear()
    assert kept.transaction(tiers.move, move.id).state is MoveState.RUNNING
    assert kept.work(move).state is MoveState.DONE


def test_moves_leave_their_trace(kept: Any) -> None:
    kept.cool()
    kept.restore()
    actions = [row["action"] for row in kept.query("select action from audit order by id")]
    assert actions == ["make_cold", "restore_slide"]
