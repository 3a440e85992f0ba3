import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.backup.recover import _chosen
from sgi.backup.sets import BackupSet, new_set, outdated, set_for, sets_in
from sgi.engines import EngineError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make(folder: Path, hour: int, *, whole: bool = True) -> BackupSet:
    made = new_set(folder, NOON + hour * HOUR)
    if whole:
        made.complete(made.began + timedelta(minutes=10))
    return made


def test_a_set_is_found_again_with_its_times(tmp_path: Path) -> None:
    made = make(tmp_path, 0)
    (tmp_path / "lost+found").mkdir()
    (found,) = sets_in(tmp_path)
    assert (found, found.began) == (made, NOON)
    assert found.ended == NOON + timedelta(minutes=10)
    assert found.last_written is None
    assert make(tmp_path, 1, whole=False).ended is None


def test_a_folder_that_is_not_there_holds_no_set(tmp_path: Path) -> None:
    assert sets_in(tmp_path / "none") == []


def test_a_mark_that_is_damaged_is_none(tmp_path: Path) -> None:
    made = make(tmp_path, 0)
    for text in ("", "{", "[]", '{"ended": 1}', '{"ended": "yesterday"}'):
        (made.folder / "complete.json").write_text(text)
        assert made.ended is None


def test_segments_are_the_logs_own_files_alone(tmp_path: Path) -> None:
    made = make(tmp_path, 0)
    names = ["0000000100000000000000A1", "0000000100000000000000A2.partial", "00000002.history"]
    for name in [*names, "archive_status", "core"]:
        (made.wal / name).touch()
    assert [file.name for file in made.segments()] == sorted(names)


def test_a_moment_is_reached_from_the_newest_set_that_was_whole_by_then(tmp_path: Path) -> None:
    first, second = make(tmp_path, 0), make(tmp_path, 5)
    make(tmp_path, 9, whole=False)
    sets = sets_in(tmp_path)
    assert set_for(sets, None) == second
    assert set_for(sets, NOON + 6 * HOUR) == second
    assert set_for(sets, NOON + 5 * HOUR) == first  # the second was begun, and not yet whole
    assert set_for(sets, NOON) is None


def log(made: BackupSet, name: str, written: int, hour: int) -> None:
    file = made.wal / name
    file.write_bytes(b"x" * written + bytes(100 - written))
    at = (NOON + hour * HOUR).timestamp()
    os.utime(file, (at, at))


def test_an_older_set_whose_log_goes_beyond_the_newest_is_taken(tmp_path: Path) -> None:
    first, second = make(tmp_path, 0), make(tmp_path, 5)
    segment = "0000000100000000000000A2.partial"
    log(first, segment, 70, 8)
    log(second, segment, 60, 6)
    sets = sets_in(tmp_path)
    assert set_for(sets, None) == first
    assert set_for(sets, NOON + 7 * HOUR) == first
    log(second, segment, 70, 6)  # it has the same
    assert set_for(sets, None) == second
    log(second, segment, 60, 6)
    log(first, segment, 70, 4)  # of before a recovery: another history
    assert set_for(sets, None) == second
    log(first, segment.removesuffix(".partial"), 70, 8)
    assert set_for(sets, None) == first


def test_the_advice_for_a_moment_out_of_reach_loses_nothing(tmp_path: Path) -> None:
    first, second = make(tmp_path, 0), make(tmp_path, 9)
    log(first, "0000000100000000000000A2.partial", 70, 5)
    log(second, "0000000100000000000000A9.partial", 70, 12)
    with pytest.raises(EngineError, match="outside of that gap"):
        _chosen(tmp_path, NOON + 7 * HOUR)
    with pytest.raises(EngineError, match="leave --until away"):
        _chosen(tmp_path, NOON + 13 * HOUR)
    assert _chosen(tmp_path, None) == second
    log(first, "0000000100000000000000A9.partial", 80, 14)
    assert _chosen(tmp_path, NOON + 13 * HOUR) == first
    assert _chosen(tmp_path, None) == first


def test_what_may_still_be_at_work_is_not_deleted(tmp_path: Path) -> None:
    unfinished, newest = make(tmp_path, 0, whole=False), make(tmp_path, 1)
    assert outdated(sets_in(tmp_path), NOON + 2 * HOUR, HOUR) == []
    assert outdated(sets_in(tmp_path), NOON + 30 * HOUR, HOUR) == [unfinished]
    assert newest.ended


@given(
    st.lists(st.tuples(st.integers(0, 500), st.booleans()), unique_by=lambda of: of[0]),
    st.integers(0, 600),
    st.integers(0, 300),
)
def test_every_moment_of_the_time_to_keep_stays_in_reach(
    made: list[tuple[int, bool]], now: int, keep: int
) -> None:
    class Known(BackupSet):
        @property
        def ended(self) -> datetime | None:
            return self.began + 0.1 * HOUR if whole[self.began] else None

    whole = {NOON + hour * HOUR: is_whole for hour, is_whole in made}
    names = sorted(at.strftime("%Y%m%dT%H%M%SZ") for at in whole if at <= NOON + now * HOUR)
    sets = [Known(Path(name)) for name in names]
    removed = outdated(sets, NOON + now * HOUR, keep * HOUR)
    left = [found for found in sets if found not in removed]
    for hours_ago in range(0, keep + 1, 7):
        moment = NOON + (now - hours_ago) * HOUR
        assert set_for(left, moment) == set_for(sets, moment)
    assert set_for(left, None) == set_for(sets, None)
