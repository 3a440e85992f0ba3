"""Cold storage in an archive: frozen once proved, thawed when asked for, killed anywhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest

from dicom.cold import pack
from dicom.testing import MemorySink
from sgi.catalogue import tiers
from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState
from sgi.keeping import copies
from sgi.keeping.tiers_tasks import tend
from sgi.settings import ColdSettings, StorageSettings
from sgi.stored.keys import FROZEN_OF, FROZEN_SHA256, cold_key, instance_key
from sgi.stored.sources import StoredObject
from storage.errors import ObjectFrozenError, StoreUnavailableError
from storage.memory import MemoryObjectStore
from storage.ranges import not_found
from storage.thaw import Thaw, ThawState
from tiling.codecs.jpeg_recompressed import give_back, recompress

COLUMNS = "tier, cold_size_bytes, cold_sha256, warm_left_at"


class KilledError(BaseException):
    """No handler of an error stops it, as nothing stops SIGKILL."""


class Clock:
    """Counts steps, and ends everything at one of them."""

    def __init__(self) -> None:
        self.left = -1

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KilledError


class Archive(MemoryObjectStore):
    """Freezes where it is told to, and thaws when the test says so."""

    def __init__(self, objects: dict[str, bytes], clock: Clock) -> None:
        super().__init__(objects)
        self.clock = clock
        self.shelf: dict[str, tuple[Thaw, Mapping[str, str]]] = {}
        self.asked: list[str] = []

    def archive(self) -> Self:
        return self

    def freezes(self) -> bool:
        return True

    def state(self, key: str) -> ThawState:
        self.clock.step()
        thaw, marks = self.shelf.get(key, (Thaw.NEVER_FROZEN, {}))
        until = datetime.now(UTC) + timedelta(days=3) if thaw is Thaw.THAWED else None
        return ThawState(thaw, self.size(key), marks, until)

    def freeze(self, key: str, marks: Mapping[str, str]) -> None:
        self.clock.step()
        if key not in self.shelf:
            self.shelf[key] = (Thaw.FROZEN, marks)
        self.clock.step()

    def thaw(self, key: str, days: int) -> None:
        assert days >= 1
        self.clock.step()
        self.asked.append(key)
        self.turn(Thaw.FROZEN, Thaw.THAWING, key)
        self.clock.step()

    def turn(self, before: Thaw, after: Thaw, key: str | None = None) -> None:
        """Everything, or one object."""
        for each, (thaw, marks) in self.shelf.items():
            if thaw is before and key in {None, each}:
                self.shelf[each] = (after, marks)

    @contextmanager
    def open_write(self, key: str, **options: Any) -> Any:
        self.clock.step()
        with MemoryObjectStore.open_write(self, key) as sink:
            yield sink
            self.clock.step()
        self.clock.step()

    def put(self, key: str, data: bytes, **options: Any) -> None:
        super().put(key, data)
        self.shelf.pop(key, None)

    def size(self, key: str) -> int:
        if key not in self._objects:
            raise not_found(key)
        return len(self._objects[key])

    def _object(self, key: str) -> bytes:
        if self.shelf.get(key, (None,))[0] in {Thaw.FROZEN, Thaw.THAWING}:
            raise ObjectFrozenError(f"The object {key} lies in an archive.")
        return super()._object(key)


class InOurProcess:
    """Recompresses without a process of its own, which is what takes the time."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def recompress(self, frames: Any) -> list[bytes | None]:
        return [recompress(frame) for frame in frames]

    def give_back(self, frames: Any, _: Any) -> list[bytes]:
        return [give_back(frame) for frame in frames]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "Recompression", InOurProcess)


class Frozen:
    """A slide, the archive, and a plain view of what lies in it: nobody else sees that."""

    def __init__(self, kept: Any) -> None:
        self.plain = kept
        self.clock = Clock()
        self.archive = Archive(kept.cold._objects, self.clock)
        self.kept = kept.with_stores(cold=self.archive)

    @property
    def states(self) -> set[Thaw]:
        return {thaw for thaw, _ in self.archive.shelf.values()}

    def restored(self) -> Any:
        """A restore from its first request to its end."""
        return self.go(self.kept.ask(Tier.WARM))

    def go(self, move: Any) -> Any:
        done = self.kept.work(move)
        if done.state is MoveState.THAWING:
            self.archive.turn(Thaw.THAWING, Thaw.THAWED)
            done = self.kept.work(move)
        self.kept.reap()
        return done

    def jobs(self, move: Any) -> int:
        rows = self.kept.query(
            "select 1 from procrastinate_jobs where args ->> 'move_id' = %s", str(move.id)
        )
        return len(rows)


@pytest.fixture
def frozen(kept: Any) -> Frozen:
    storage = StorageSettings(cold=ColdSettings(storage_class="DEEP_ARCHIVE"))
    settings = kept.keeping.settings.model_copy(update={"storage": storage})
    object.__setattr__(kept.keeping, "settings", settings)
    return Frozen(kept)


def test_what_is_proved_is_frozen_with_its_marks(frozen: Frozen) -> None:
    assert frozen.kept.cool().state is MoveState.DONE
    frozen.kept.reap()
    assert frozen.states == {Thaw.FROZEN}
    frozen.plain.assert_nothing_is_lost()
    known = frozen.kept.transaction(tiers.cold_copies, frozen.kept.slide_id)
    for level in frozen.kept.slide.levels:
        if level.tier is Tier.COLD:
            marks = frozen.archive.shelf[cold_key(frozen.kept.slide_id, level.sop_uid)][1]
            assert marks[FROZEN_OF] == level.sha256
            assert marks[FROZEN_SHA256] == known[level.sop_uid].sha256.hex()


def test_a_restore_asks_the_archive_and_holds_up_no_worker(frozen: Frozen) -> None:
    before = frozen.kept.slide
    frozen.kept.cool()
    frozen.kept.reap()
    move = frozen.kept.ask(Tier.WARM)
    asked = frozen.kept.work(move)
    assert (asked.state, asked.progress, asked.ended_at) == (MoveState.THAWING, 0, None)
    assert asked.archive_asked_at is not None
    assert asked.expected_at - asked.archive_asked_at == timedelta(hours=13)
    assert frozen.states == {Thaw.THAWING}
    assert frozen.kept.tiers[0] is Tier.RESTORING
    assert frozen.jobs(move) == 0, "it is looked at again later"
    requests = list(frozen.archive.asked)
    again = frozen.kept.work(move)  # too early
    assert (again.state, again.archive_asked_at) == (MoveState.THAWING, asked.archive_asked_at)
    assert again.expected_at == asked.expected_at
    assert frozen.archive.asked == requests
    joined = frozen.kept.transaction(
        tiers.ask, frozen.kept.establishment.id, frozen.kept.slide_id, Tier.WARM, None
    )
    assert joined is None, "there is one already"
    frozen.archive.turn(Thaw.THAWING, Thaw.THAWED)
    assert frozen.kept.work(move).state is MoveState.DONE
    assert frozen.kept.slide == before
    frozen.plain.assert_nothing_is_lost()


def test_it_is_looked_at_again_when_it_is_time(frozen: Frozen) -> None:
    frozen.kept.cool()
    frozen.kept.reap()
    move = frozen.kept.ask(Tier.WARM)
    frozen.kept.work(move)
    frozen.kept.run(tend(frozen.kept.keeping))
    assert frozen.jobs(move) == 0
    frozen.kept.query("update tier_move set look_again_at = now() where id = %s", move.id)
    frozen.kept.run(tend(frozen.kept.keeping))
    assert frozen.jobs(move) == 1
    frozen.kept.run(tend(frozen.kept.keeping))
    assert frozen.jobs(move) == 1


def test_what_freezes_again_before_it_was_restored_is_asked_for_again(frozen: Frozen) -> None:
    frozen.kept.cool()
    frozen.kept.reap()
    move = frozen.kept.ask(Tier.WARM)
    first = frozen.kept.work(move)
    frozen.archive.turn(Thaw.THAWING, Thaw.FROZEN)
    second = frozen.kept.work(move)
    assert second.state is MoveState.THAWING
    assert second.archive_asked_at > first.archive_asked_at
    assert frozen.go(move).state is MoveState.DONE
    frozen.plain.assert_nothing_is_lost()


@pytest.mark.parametrize("when", [Thaw.THAWED, Thaw.FROZEN])
def test_going_back_to_cold_uploads_nothing(
    frozen: Frozen, monkeypatch: pytest.MonkeyPatch, when: Thaw
) -> None:
    frozen.kept.cool()
    frozen.kept.reap()
    assert frozen.restored().state is MoveState.DONE
    frozen.archive.turn(Thaw.THAWED, when)
    monkeypatch.setattr(copies.Copies, "_write_cold", None)
    assert frozen.kept.cool().state is MoveState.DONE
    frozen.kept.reap()
    frozen.archive.turn(Thaw.THAWED, Thaw.FROZEN)
    assert frozen.kept.tiers[0] is Tier.COLD
    frozen.plain.assert_nothing_is_lost()
    assert frozen.restored().state is MoveState.DONE


def test_a_frozen_object_of_another_instance_is_none_of_ours(frozen: Frozen) -> None:
    base = frozen.kept.slide.levels[0]
    key = cold_key(frozen.kept.slide_id, base.sop_uid)
    frozen.archive.put(key, b"something else")
    frozen.archive.freeze(key, {FROZEN_OF: "00" * 32, FROZEN_SHA256: "00" * 32})
    assert frozen.kept.cool().state is MoveState.DONE
    assert frozen.archive.shelf[key][1][FROZEN_OF] == base.sha256
    frozen.plain.assert_nothing_is_lost()


def test_an_archive_that_is_away(frozen: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen.kept.cool()
    frozen.kept.reap()
    move = frozen.kept.ask(Tier.WARM)
    first = frozen.kept.work(move)
    away = StoreUnavailableError("The store does not answer; try again.")

    def silent(_: str) -> ThawState:
        raise away

    with monkeypatch.context() as patched:
        patched.setattr(frozen.archive, "state", silent)
        found = frozen.kept.work(move)
    assert (found.state, found.reason) == (MoveState.WAITING, str(away))
    found = frozen.kept.work(move)
    assert (found.state, found.archive_asked_at) == (MoveState.THAWING, first.archive_asked_at)
    assert found.reason is None
    assert frozen.go(move).state is MoveState.DONE


def test_one_that_is_called_off_is_cold_as_before(frozen: Frozen) -> None:
    frozen.kept.cool()
    frozen.kept.reap()
    move = frozen.kept.ask(Tier.WARM)
    frozen.kept.work(move)
    frozen.kept.transaction(tiers.end, move.id, MoveState.CANCELLED)
    frozen.kept.transaction(tiers.give_up_restoring, frozen.kept.slide_id)
    frozen.archive.turn(Thaw.THAWING, Thaw.THAWED)
    assert frozen.kept.work(move).state is MoveState.CANCELLED
    assert frozen.kept.cool().state is MoveState.DONE
    assert frozen.kept.tiers[0] is Tier.COLD
    frozen.plain.assert_nothing_is_lost()


@pytest.fixture
def steps(frozen: Frozen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Every change of a row may be the last thing that happens, too."""
    for name in (
        *("begin", "set_cold", "set_warm", "set_restoring", "end"),
        *("thawing", "thawed", "warm_is_gone"),
    ):
        real = getattr(tiers, name)

        def mortal(real: Any = real) -> Any:
            async def change(*arguments: Any) -> Any:
                frozen.clock.step()
                found = await real(*arguments)
                frozen.clock.step()
                return found

            return change

        monkeypatch.setattr(tiers, name, mortal())
    yield frozen.clock
    frozen.clock.left = -1


def die_everywhere(frozen: Frozen, clock: Clock, target: Tier) -> int:
    """Killed at each step of a move that begins anew; returns how many steps there are."""
    kept = frozen.kept
    stores = [kept.warm.objects, frozen.archive._objects, frozen.archive.shelf]
    before = [dict(each) for each in stores]
    rows = kept.query(f"select sop_uid, {COLUMNS} from instance")
    step = 0
    while True:
        step += 1
        for each, held in zip(stores, before, strict=True):
            each.clear()
            each.update(held)
        for row in rows:
            kept.query(
                f"update instance set ({COLUMNS}) = (%s, %s, %s, %s) where sop_uid = %s",
                *(row[name] for name in COLUMNS.split(", ")),
                row["sop_uid"],
            )
        kept.query("update tier_move set ended_at = now(), state = 'failed' where ended_at is null")
        move = kept.ask(target)
        clock.left = step
        try:
            frozen.go(move)
        except KilledError:
            clock.left = -1
            frozen.plain.assert_nothing_is_lost()
            assert frozen.go(move).state is MoveState.DONE
            frozen.plain.assert_nothing_is_lost()
            assert kept.tiers[0] is target
            if target is Tier.COLD:
                assert frozen.states == {Thaw.FROZEN}
            continue
        clock.left = -1
        return step


def test_killed_on_the_way_to_the_archive_and_back(frozen: Frozen, steps: Clock) -> None:
    before = frozen.kept.slide
    assert die_everywhere(frozen, steps, Tier.COLD) > 15
    assert frozen.states == {Thaw.FROZEN}
    assert die_everywhere(frozen, steps, Tier.WARM) > 15
    frozen.plain.assert_nothing_is_lost()
    assert frozen.kept.slide == before


def test_a_frozen_copy_that_is_doubted_lets_nothing_go(frozen: Frozen) -> None:
    assert frozen.kept.cool().state is MoveState.DONE
    base = frozen.kept.slide.levels[0]
    move = frozen.kept.ask(Tier.WARM)
    frozen.kept.transaction(tiers.set_restoring, frozen.kept.slide_id)
    frozen.kept.transaction(tiers.end, move.id, MoveState.FAILED)
    frozen.kept.transaction(tiers.give_up_restoring, frozen.kept.slide_id)
    with pytest.raises(ObjectFrozenError):
        frozen.kept.reap()
    assert base.sop_uid in frozen.kept.warm_keys()
    rotten = bytearray(frozen.archive._objects[cold_key(frozen.kept.slide_id, base.sop_uid)])
    rotten[100] ^= 1
    frozen.archive._objects[cold_key(frozen.kept.slide_id, base.sop_uid)] = bytes(rotten)

    assert frozen.kept.restore().state is MoveState.DONE, "of what is there, and at once"
    assert frozen.kept.cool().state is MoveState.DONE, "nobody believes the mark"
    frozen.kept.reap()
    assert base.sop_uid not in frozen.kept.warm_keys()
    frozen.plain.assert_nothing_is_lost()


def test_what_another_mover_has_written_over_a_frozen_copy_is_frozen_too(frozen: Frozen) -> None:
    assert frozen.kept.cool().state is MoveState.DONE
    base = frozen.kept.slide.levels[0]
    key = cold_key(frozen.kept.slide_id, base.sop_uid)
    packed = MemorySink()
    whole = StoredObject(
        frozen.kept.warm, instance_key(frozen.kept.slide_id, base.sop_uid), base.size_bytes
    )
    pack(whole, base.size_bytes, packed, None)
    frozen.archive.put(key, packed.data)
    frozen.kept.reap()
    assert base.sop_uid not in frozen.kept.warm_keys()
    known = frozen.kept.transaction(tiers.cold_copies, frozen.kept.slide_id)[base.sop_uid]
    assert known.size_bytes == len(packed.data)
    assert frozen.archive.shelf[key] == (
        Thaw.FROZEN,
        {FROZEN_OF: base.sha256, FROZEN_SHA256: known.sha256.hex()},
    )
    frozen.plain.assert_nothing_is_lost()
