"""The last good copy of an instance is never deleted, whoever else is at work or has failed."""

import hashlib
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from dicom.testing import MemorySink
from sgi.catalogue import tiers
from sgi.domain.integrity import Damage, Finding, FoundBy, Place
from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState
from sgi.errors import StoppedError, VerificationError
from sgi.keeping import copies as module
from sgi.keeping.copies import Copies
from sgi.keeping.moves import Moves
from sgi.keeping.tiers_tasks import tend
from sgi.stored.keys import cold_key, instance_key
from storage.errors import StoreUnavailableError


def rot(store: Any, key: str) -> None:
    """Another byte, and the same size."""
    data = bytearray(store.read(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))


@pytest.fixture
def cooled(kept: Any) -> Any:
    """Cold since a moment: its warm objects are still there."""
    assert kept.cool().state is MoveState.DONE
    return kept


def base_keys(kept: Any) -> tuple[str, str]:
    uid = kept.slide.levels[0].sop_uid
    return instance_key(kept.slide_id, uid), cold_key(kept.slide_id, uid)


def reap_base(kept: Any) -> None:
    uid = kept.slide.levels[0].sop_uid
    kept.run(Moves(kept.keeping).reap(kept.establishment.id, kept.slide_id, uid))


def incidents_of(kept: Any) -> list[tuple[str, str]]:
    rows = kept.query("select place, kind from incident where slide_id = %s", kept.slide_id)
    return [(row["place"], row["kind"]) for row in rows]


def left_of_base(kept: Any) -> Any:
    (row,) = kept.query(
        "select warm_left_at, warm_left_at > now() + interval '1 hour' as later from instance"
        " where sop_uid = %s",
        kept.slide.levels[0].sop_uid,
    )
    return row


def test_a_restore_within_the_grace_takes_what_is_still_there(cooled: Any) -> None:
    _, cold = base_keys(cooled)
    rot(cooled.cold, cold)
    assert cooled.restore().state is MoveState.DONE
    assert set(cooled.tiers) == {Tier.WARM}
    cooled.reap()
    cooled.assert_nothing_is_lost()


def test_a_failed_restore_does_not_cost_the_warm_object(
    cooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cold = base_keys(cooled)
    rot(cooled.cold, cold)
    monkeypatch.setattr(Copies, "warm_is_right", lambda *_: False)
    move = cooled.ask(Tier.WARM)
    for _ in range(3):
        assert cooled.work(move).state is MoveState.WAITING, "the slide is verified first"
    cooled.query("update procrastinate_jobs set status = 'failed' where status = 'todo'")
    assert cooled.work(move).state is MoveState.FAILED
    monkeypatch.undo()
    cooled.reap()
    assert cooled.tiers[0] is Tier.WARM, "that copy is the right one"
    cooled.assert_nothing_is_lost()


@pytest.mark.parametrize("what", ["rotted", "gone"])
def test_a_cold_copy_that_is_lost_within_the_grace(cooled: Any, what: str) -> None:
    _, cold = base_keys(cooled)
    if what == "rotted":
        rot(cooled.cold, cold)
    else:
        cooled.cold.delete(cold)
    cooled.reap()
    assert cooled.tiers[0] is Tier.WARM
    assert incidents_of(cooled) == [("cold", "bytes" if what == "rotted" else "missing")]
    cooled.assert_nothing_is_lost()
    assert cooled.cool().state is MoveState.DONE, "it is made anew"
    cooled.reap()
    assert cooled.tiers[0] is Tier.COLD
    cooled.assert_nothing_is_lost()


def test_where_neither_is_right_both_stay(cooled: Any) -> None:
    warm, cold = base_keys(cooled)
    rot(cooled.cold, cold)
    rot(cooled.warm, warm)
    with pytest.raises(VerificationError):
        reap_base(cooled)
    assert cooled.has(cooled.warm, warm)
    assert cooled.has(cooled.cold, cold)
    assert incidents_of(cooled) == [("cold", "bytes")]
    assert left_of_base(cooled)["later"], "it is not read again every minute"


def test_what_the_store_cannot_give_now_holds_up_no_other(
    cooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailableError("It does not answer.")

    monkeypatch.setattr(Copies, "prove_cold", away)
    before = left_of_base(cooled)["warm_left_at"]
    with pytest.raises(StoreUnavailableError):
        reap_base(cooled)
    assert left_of_base(cooled)["warm_left_at"] > before, "others have their turn first"
    cooled.assert_nothing_is_lost()


def test_a_warm_object_that_cannot_be_read_is_written_anew(
    cooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise StoreUnavailableError("It does not answer.")

    monkeypatch.setattr(Copies, "warm_is_right", away)
    assert cooled.restore().state is MoveState.DONE
    monkeypatch.undo()
    cooled.assert_nothing_is_lost()


def test_a_warm_object_that_is_wrong_is_not_taken(cooled: Any) -> None:
    warm, _ = base_keys(cooled)
    rot(cooled.warm, warm)
    assert cooled.restore().state is MoveState.DONE
    cooled.assert_nothing_is_lost()


def report(kept: Any, key: str) -> None:
    from sgi.catalogue import incidents

    finding = Finding(Place.COLD, key, Damage.BYTES, "The object holds other bytes.")
    kept.transaction(incidents.report, kept.establishment.id, kept.slide_id, finding, FoundBy.SCRUB)


def test_what_speaks_against_a_copy_asks_for_another_proof(
    cooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    proved: list[str] = []
    real = Copies._prove_cold

    def counted(self: Any, instance: Any, *arguments: Any) -> None:
        proved.append(instance.sop_uid)
        real(self, instance, *arguments)

    monkeypatch.setattr(Copies, "_prove_cold", counted)
    warm, cold = base_keys(cooled)
    report(cooled, cold)
    cooled.reap()
    assert proved == [cooled.slide.levels[0].sop_uid]
    assert not cooled.has(cooled.warm, warm)
    cooled.assert_nothing_is_lost()


def test_an_incident_that_comes_meanwhile_stops_the_deletion(
    cooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm, cold = base_keys(cooled)
    told: list[bool] = []
    real = tiers.cold_is_doubted

    async def later(*arguments: Any) -> bool:
        told.append(await real(*arguments))
        return told[-1] or len(told) > 1

    monkeypatch.setattr(tiers, "cold_is_doubted", later)
    reap_base(cooled)
    assert told == [False, False]
    assert cooled.has(cooled.warm, warm)
    assert cooled.tiers[0] is Tier.COLD
    assert cold


def test_a_cold_store_that_is_away_changes_nothing(
    cooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise StoreUnavailableError("The store does not answer; try again.")

    monkeypatch.setattr(cooled.cold, "read_chunks", away)
    with pytest.raises(StoreUnavailableError):
        reap_base(cooled)
    assert len(cooled.warm_keys()) == len(cooled.tiers)
    assert cooled.tiers[0] is Tier.COLD


class AsItIs(module.Recompression):
    """Packs differently: nothing becomes smaller."""

    def recompress(self, frames: Any) -> list[bytes | None]:
        return [None for _ in frames]


@pytest.mark.parametrize("overwritten", ["before the row", "before the reaping", "after it"])
def test_two_movers_that_pack_differently(
    kept: Any, monkeypatch: pytest.MonkeyPatch, overwritten: str
) -> None:
    base = kept.slide.levels[0]

    def other_mover() -> Any:
        mine = module.Recompression
        monkeypatch.setattr(module, "Recompression", AsItIs)
        stores, settings = kept.keeping.stores, kept.keeping.settings
        other = Copies(kept.slide_id, stores.warm, stores.cold, settings, kept.keeping.cancelled)
        made = other._write_cold(base)
        monkeypatch.setattr(module, "Recompression", mine)
        return made

    theirs: list[Any] = []
    real = Copies.make_cold

    def taken_over(self: Any, instance: Any, *arguments: Any, **options: Any) -> Any:
        made = real(self, instance, *arguments, **options)
        if instance == base:
            theirs.append(other_mover())
            assert theirs[0] != made
        return made

    def late() -> None:
        """Begun while the instance was warm, and stalled since."""
        key = cold_key(kept.slide_id, base.sop_uid)
        now, before = kept.cold.read(key), kept.warm.objects.copy()
        kept.warm.put(instance_key(kept.slide_id, base.sop_uid), kept.originals[base.sop_uid])
        other_mover()
        kept.warm.objects.clear()
        kept.warm.objects.update(before)
        assert kept.cold.read(key) != now

    if overwritten == "before the row":
        monkeypatch.setattr(Copies, "make_cold", taken_over)
    assert kept.cool().state is MoveState.DONE
    if overwritten == "before the reaping":
        late()
    kept.reap()
    if overwritten == "after it":
        late()
    else:
        known = kept.transaction(tiers.cold_copies, kept.slide_id)[base.sop_uid]
        assert known.size_bytes == kept.cold.size(cold_key(kept.slide_id, base.sop_uid))
    assert base.sop_uid not in kept.warm_keys()
    kept.assert_nothing_is_lost()
    assert kept.restore().state is MoveState.DONE
    kept.assert_nothing_is_lost()
    assert set(kept.tiers) == {Tier.WARM}


@pytest.mark.parametrize("killed", [False, True])
def test_a_restore_that_was_called_off_leaves_nothing_behind(
    cooled: Any, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    cooled.reap()
    move = cooled.ask(Tier.WARM)
    real = tiers.set_warm

    class KilledError(BaseException):
        """As SIGKILL."""

    async def called_off(connection: Any, move_id: Any, sop_uid: str) -> bool:
        async with cooled.database.transaction(cooled.establishment.id) as other:
            await tiers.end(other, move_id, MoveState.CANCELLED)
            await tiers.give_up_restoring(other, cooled.slide_id)
        reaping = Moves(cooled.keeping)
        cooled.warm.delete(key := instance_key(cooled.slide_id, sop_uid))
        await reaping.reap(cooled.establishment.id, cooled.slide_id, sop_uid)
        cooled.warm.put(key, cooled.originals[sop_uid])  # it was still being written
        if killed:
            raise KilledError
        return await real(connection, move_id, sop_uid)

    monkeypatch.setattr(tiers, "set_warm", called_off)
    if killed:
        with pytest.raises(KilledError):
            cooled.work(move)
        monkeypatch.undo()
    cooled.work(move)
    assert cooled.tiers[0] is Tier.COLD
    cooled.reap()
    assert len(cooled.warm_keys()) == cooled.tiers.count(Tier.WARM)
    cooled.assert_nothing_is_lost()


def test_a_round_ends_before_restores_have_waited_long(cooled: Any) -> None:
    cooled.run(tend(cooled.keeping, timedelta(0), timedelta(0)))
    assert len(cooled.warm_keys()) == len(cooled.tiers)
    cooled.run(tend(cooled.keeping, timedelta(0)))
    assert len(cooled.warm_keys()) == cooled.tiers.count(Tier.WARM)


def test_a_mover_that_was_overtaken_leaves_the_last_copy_alone(
    kept: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stalled before its last byte; the one that took over has ended, and reaped."""
    uid = kept.slide.levels[0].sop_uid
    warm, cold = instance_key(kept.slide_id, uid), cold_key(kept.slide_id, uid)
    move, other = kept.ask(Tier.COLD), MemorySink()
    pack = module.pack

    def stalls(source: Any, size_bytes: int, sink: Any, recompress: Any) -> Any:
        packed = pack(source, size_bytes, sink, recompress)
        theirs = pack(source, size_bytes, other, None)
        kept.cold.put(cold, other.data)
        with psycopg.connect(url) as owner:
            owner.execute(
                """update instance set tier = 'cold', cold_size_bytes = %s, cold_sha256 = %s
                   where sop_uid = %s""",
                [theirs.size_bytes, hashlib.sha256(other.data).digest(), uid],
            )
        kept.warm.delete(warm)
        return packed

    monkeypatch.setattr(module, "pack", stalls)
    with pytest.raises(StoppedError):
        kept.work(move)
    assert kept.cold.read(cold) == other.data
    monkeypatch.undo()
    assert kept.work(move).state is MoveState.DONE
    kept.assert_nothing_is_lost()
