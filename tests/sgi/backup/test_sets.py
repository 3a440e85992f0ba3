from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sgi.backup.sets import BackupSet, new_set, outdated, set_for, sets_in

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
